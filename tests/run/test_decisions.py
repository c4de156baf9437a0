"""The texts of a result, kept once for each decision, are those built for the rows themselves."""

from __future__ import annotations

import csv
import io
import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from grouper.engine.groups import Groups
from grouper.errors import DataFileError
from grouper.records.read import read_records
from grouper.run.decisions import Decisions
from grouper.run.pipeline import group_batch
from grouper.run.results import result_columns


@pytest.fixture
def groups(discharges, mini) -> Groups:
    return group_batch(read_records(discharges(300)).batch, mini)


def part(groups: Groups, start: int, stop: int) -> Groups:
    return groups.some(np.arange(start, stop))


def texts(columns: list[tuple[str, object]]) -> list[tuple[str, list[object]]]:
    return [(name, column.to_pylist()) for name, column in columns]


def appended(decisions: Decisions, numbers: np.ndarray, encoding: str | None) -> list[str]:
    letters, bounds = decisions.endings(encoding, ",")
    data, codec = letters.tobytes(), encoding or "utf-8"
    return [data[bounds[k] : bounds[k + 1]].decode(codec) for k in numbers.tolist()]


def written(cells: tuple[str | None, ...]) -> str:
    """What stands behind the user's cells of a row."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="").writerow(["", *(cell or "" for cell in cells)])
    return out.getvalue()


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("size", [1, 3, 50, 300])
def test_parts_of_any_size_have_the_texts_of_their_rows(groups, lang, size):
    decisions, met = Decisions(lang), set()
    for start in range(0, 300, size):
        some = part(groups, start, start + size)
        numbers = decisions.number(some)
        wanted = result_columns(some, lang)
        assert texts(decisions.columns(numbers)) == texts(wanted)
        for encoding in (None, "gb18030"):
            rows = zip(*(column for _, column in texts(wanted)), strict=True)
            assert appended(decisions, numbers, encoding) == list(map(written, rows))
        met |= set(numbers.tolist())
    # as many decisions as there are different rows of texts
    rows = set(zip(*(column for _, column in texts(result_columns(groups, lang))), strict=True))
    assert met == set(range(len(rows)))


def test_threads_that_meet_decisions_at_once_agree(groups):
    decisions, chance = Decisions("zh"), random.Random(2)
    starts = [chance.randrange(290) for _ in range(120)]

    def told(start: int) -> bool:
        some = part(groups, start, start + 10)
        numbers = decisions.number(some)
        return texts(decisions.columns(numbers)) == texts(result_columns(some, "zh")) and len(
            appended(decisions, numbers, None)
        ) == len(some)

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(told, starts))


def test_texts_that_an_encoding_lacks_are_refused(groups):
    decisions = Decisions("zh")
    decisions.number(groups)
    with pytest.raises(DataFileError, match="DF144"):
        decisions.endings("latin-1", ",")
