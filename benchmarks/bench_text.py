"""Codes as text to ids: Arrow's text buffers in each form that files have, against the kernel.

The ids are those of the scheme, ready for the kernel; the spellings are all known, as they are
after the first part of a run.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from dictionaries import DictionaryGrouper
from paired import Goal, digest, paired, record

from grouper.engine.drg import DrgGrouper
from grouper.records.batch import CaseBatch, CodeColumn
from grouper.records.cells import slots_of
from grouper.records.code_column import verbatim
from grouper.records.spellings import load_spellings
from grouper.records.user import Column

GrouperFor = Callable[[str], DrgGrouper]
BatchFor = Callable[..., CaseBatch]

SCHEME = "chs_drg_11"


def lists(column: CodeColumn) -> pa.Array:
    texts = pa.array(list(column.texts), pa.string()).take(pa.array(column.index))
    return pa.ListArray.from_arrays(pa.array(column.offsets), texts)


def joined(column: CodeColumn) -> list[Column]:
    return [pa.chunked_array([pc.fill_null(pc.binary_join(lists(column), "|"), "")])]


def as_lists(column: CodeColumn) -> list[Column]:
    return [pa.chunked_array([lists(column)])]


def wide(column: CodeColumn) -> list[Column]:
    cells = lists(column)
    count = int(np.diff(column.offsets).max())
    return [
        pa.chunked_array([pc.fill_null(pc.list_element(padded, 0), "")])
        for padded in (
            pc.list_slice(cells, at, at + 1, return_fixed_size_list=True) for at in range(count)
        )
    ]


def encoded(column: CodeColumn) -> list[Column]:
    return [pa.chunked_array([each.chunk(0).dictionary_encode()]) for each in wide(column)]


FORMS: dict[str, tuple[Callable[[CodeColumn], list[Column]], str | None]] = {
    "joined": (joined, "|"),
    "list": (as_lists, None),
    "wide": (wide, None),
    "dictionary": (encoded, None),
}


def cut(batch: CaseBatch) -> CaseBatch:
    """The records with the codes that a wide file of usual size has room for."""
    return replace(batch, dx=first(batch.dx, 16), px=first(batch.px, 8))


def first(column: CodeColumn, most: int) -> CodeColumn:
    counts = np.diff(column.offsets)
    place = np.arange(len(column.index)) - np.repeat(column.offsets[:-1], counts)
    offsets = np.zeros(len(column.offsets), np.int32)
    np.cumsum(np.minimum(counts, most), out=offsets[1:])
    return CodeColumn(column.texts, column.index[place < most], offsets)


class Texts:
    """The codes of a batch in one form, and their way to ids."""

    def __init__(self, batch: CaseBatch, grouper: DrgGrouper, form: str) -> None:
        self._make, self._separator = FORMS[form]
        self._grouper = grouper
        self._columns = {kind: self._make(getattr(batch, kind)) for kind in ("dx", "px")}

    def ids(self) -> list[np.ndarray]:
        found = []
        for kind, columns in self._columns.items():
            separators = [self._separator] * len(columns)
            slots = slots_of(columns, separators, load_spellings(kind, "as_is"))
            column = verbatim(slots)
            known = self._grouper.encoder._ids_of(column.texts, kind)
            found.append(np.take(known, column.index))
        return found


@pytest.mark.parametrize(
    ("form", "goal"),
    [
        ("joined", Goal(3, 2.3)),
        ("list", Goal(2.5, 1.7)),
        ("dictionary", Goal(3, 2.2)),
        ("wide", None),
    ],
)
def test_text_to_ids_against_the_kernel(
    benchmark: Any, grouper_for: GrouperFor, batch_for: BatchFor, form: str, goal: Goal | None
) -> None:
    grouper = grouper_for(SCHEME)
    batch = cut(batch_for(SCHEME, 200_000))
    ready = grouper.encoder.encode(batch)
    texts = Texts(batch, grouper, form)
    found = texts.ids()
    assert all((a == b).all() for a, b in zip(found, (ready.dx, ready.px), strict=True))
    paired(
        benchmark,
        texts.ids,
        lambda: grouper.group_encoded(ready),
        goal=goal,
        records=len(batch),
        codes=round((len(ready.dx) + len(ready.px)) / len(batch), 1),
        digest=hashlib.sha256(b"".join(map(bytes, found))).hexdigest()[:12],
    )


def test_two_threads(benchmark: Any, grouper_for: GrouperFor, batch_for: BatchFor) -> None:
    """Text to ids and groups of two halves, one after the other against both at once; by the clock.

    Two threads need two free processors: where others use them, the figure tells only that.
    """
    grouper = grouper_for(SCHEME)
    batch = batch_for(SCHEME, 200_000)
    ready = grouper.encoder.encode(batch)
    texts = Texts(batch, grouper, "joined")

    def work() -> None:
        for _ in range(3):
            texts.ids()
            grouper.group_encoded(ready)

    def together() -> None:
        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def apart() -> None:
        work()
        work()

    paired(
        benchmark,
        apart,
        together,
        goal=Goal(1.7, 1.9, at_least=True),
        clock=time.perf_counter,
        records=len(batch),
    )


def test_dictionaries_and_sets_against_the_kernel(
    benchmark: Any, grouper_for: GrouperFor, batch_for: BatchFor
) -> None:
    grouper = grouper_for(SCHEME)
    batch = batch_for(SCHEME, 20_000)
    ready = grouper.encoder.encode(batch)
    plain = DictionaryGrouper(grouper.scheme)
    cases = plain.records(batch)
    groups = grouper.group_encoded(ready)
    expected = [grouper.codes.drg[k] for k in groups.group_id.tolist()]
    assert [plain.group(case) for case in cases] == expected
    paired(
        benchmark,
        lambda: [plain.group(case) for case in cases],
        lambda: grouper.group_encoded(ready),
        goal=None,
        pairs=5,
        records=len(batch),
        digest=digest(groups)[:12],
    )


def test_five_million_records_in_arrays(
    benchmark: Any, grouper_for: GrouperFor, batch_for: BatchFor
) -> None:
    grouper = grouper_for(SCHEME)
    batch = batch_for(SCHEME, 200_000)
    ready = grouper.encoder.encode(batch)
    arrays = [ready.dx, ready.px, ready.dx_offsets, ready.px_offsets, batch.sex, batch.age_years]
    arrays += [batch.age_days, batch.admission_weight, batch.los_days, batch.icu_hours]
    arrays += [batch.discharge_disposition, batch.reject]
    size = sum(array.nbytes for array in arrays) / len(batch) * 5
    benchmark.pedantic(lambda: None, rounds=1)
    record(benchmark, size, "MB", Goal(350, 200), records=5_000_000)
