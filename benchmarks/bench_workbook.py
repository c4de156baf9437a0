"""The official workbook as a scheme: import against reading its cells, second start against none.

The workbook is the embedded draft of 3.0 written in the official layout by the exporter of the
tests: six sheets, 105,000 rows of sets.
"""

from __future__ import annotations

import hashlib
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from official_workbook import Traps, sheets_of, workbook
from paired import Goal, paired, record
from workload import records

from grouper.engine.drg import DrgGrouper
from grouper.engine.groups import Groups
from grouper.run.schemes import import_file
from grouper.scheme.load import load_scheme
from grouper.spreadsheet import open_workbook, sheet_rows

SCHEME = "chs_drg_30"
PAIRS = 7


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded scheme as a workbook."""
    path = tmp_path_factory.mktemp("workbook") / "drg_3.xlsx"
    path.write_bytes(workbook(sheets_of(load_scheme(SCHEME), Traps())))
    return path


def digest(groups: Groups) -> str:
    """What every case became, by code: rule numbers differ where the ambiguous rows stand.

    OR1 and OQY count as one: a DRG of OR1 asks for procedures in the draft, so that a workbook lets
    surgical cases into it before they are ambiguous.
    """
    codes = groups.codes
    adrgs = ["OQY" if adrg == "OR1" else adrg for adrg in codes.adrg]
    drgs = ["" if drg.startswith("OR1") else drg for drg in codes.drg]
    ids = zip(groups.rule_id.tolist(), groups.group_id.tolist(), strict=True)
    words = "\n".join(f"{adrgs[rule]} {drgs[drg]}" for rule, drg in ids)
    return hashlib.sha256(words.encode()).hexdigest()


def test_import_against_reading_the_cells(benchmark: Any, book: Path) -> None:
    def read() -> None:
        opened = open_workbook(book.read_bytes(), book.name, suffix=book.suffix)
        for title in opened.sheet_names:
            sheet_rows(opened, title, book.name)

    original = load_scheme(SCHEME)
    batch = records(original, 20_000)
    found = [digest(DrgGrouper.of(s).group(batch)) for s in (original, import_file(book).scheme)]
    assert found[0] == found[1]
    facts = {"bytes": book.stat().st_size, "digest": found[0][:12]}
    paired(benchmark, lambda: import_file(book), read, goal=Goal(3), pairs=PAIRS, **facts)


def test_second_start_beyond_an_embedded_scheme(benchmark: Any, book: Path, tmp_path: Path) -> None:
    environment = os.environ | {"GROUPER_CACHE": str(tmp_path)}

    def seconds(scheme: str) -> float:
        begun = time.perf_counter()
        words = [sys.executable, "-m", "grouper", "scheme", "show", scheme]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, env=environment)
        return time.perf_counter() - begun

    first = seconds(str(book))
    more: list[float] = []

    def pair() -> None:
        names = [str(book), SCHEME]
        took = {name: seconds(name) for name in (names[::-1] if len(more) % 2 else names)}
        more.append(took[str(book)] - took[SCHEME])

    benchmark.pedantic(pair, rounds=PAIRS if benchmark.enabled else 1, iterations=1)
    figure = statistics.median(more)
    record(benchmark, figure, "s", Goal(0.3), more, first_start=f"{first:.2f}s")
