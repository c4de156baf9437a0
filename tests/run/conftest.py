"""Discharges of every kind in small files, and runs over them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from grouper.scheme.load import load_scheme
from grouper.scheme.model import Scheme

MINI = Path(__file__).parents[1] / "data" / "schemes" / "mini"
HEADER = ["id", "sex", "age", "los", "dx", "px", "note"]
#: grouped, ambiguous, ungrouped, rejected; codes unknown, repaired and missing
_KINDS = [
    ["1", "70", "9", "I63.900|I10.x00", "", "平常"],
    ["2", "50", "9", "I63.900|J96.000", "01.2400", 'a "quoted", word'],
    ["1", "50", "2", "G45.900", "47.0100", "两行\n第二行"],
    ["2", "50", "2", "K35.900", "", ""],
    ["", "50", "2", "I63.900", "", "no sex"],
    ["2", "50", "2", "", "", "no diagnosis"],
    ["1", "x", "4", "I63.900|Q99.zzz", "", "bad age"],
    ["2", "41", "4", "i63.900 |g45。900", "", "㑇丂𠮷"],
]


def rows(n: int) -> list[list[str]]:
    """Rows in which ids repeat now and then."""
    return [[str(i - (i % 11 == 10)), *_KINDS[i * 7 % len(_KINDS)]] for i in range(n)]


def csv_bytes(cells: list[list[str]], *, end: str = "\n", codec: str = "utf-8") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end).writerows([HEADER, *cells])
    return text.getvalue().encode(codec)


@pytest.fixture(scope="session")
def mini() -> Scheme:
    return load_scheme(MINI)


@pytest.fixture(scope="session")
def mini_path() -> Path:
    return MINI


@pytest.fixture
def discharges(tmp_path: Path) -> Callable[..., Path]:
    """`discharges(60)`: a CSV file with so many rows of every kind."""

    def make(n: int = 60, name: str = "in.csv", **how: str) -> Path:
        path = tmp_path / name
        path.write_bytes(csv_bytes(rows(n), **how))
        return path

    return make
