"""What a file reader hands on: columns as they stand, before any meaning is read into them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from grouper.records.user import Column, Form, Lines
from grouper.sheet import column_letters

#: how many cells of a row are known headers
HeaderScore = Callable[[Sequence[str]], int]

#: a row is the header if this many of its cells are known, among the first rows of a source
ENOUGH_HEADERS = 3
HEADER_ROWS = 10


@dataclass(frozen=True)
class Raw:
    """A table of cells.

    name: for messages; header: row number of the header in the source (0 = none, as in Parquet);
    numbers: (n,) row number of each record in the source, 1-based; faults: record position ->
    `encoding`, `nul`, `quote`, `cells` for records that could not be read; facts: for the summary;
    lines: of text whose records may be written back line by line.
    """

    name: str
    path: str
    form: Form
    names: tuple[str, ...]
    columns: tuple[Column, ...]
    numbers: NDArray[np.int64]
    header: int = 0
    sheet: str = ""
    crlf: bool = False
    faults: Mapping[int, str] = field(default_factory=dict)
    facts: Mapping[str, object] = field(default_factory=dict)
    lines: Lines | None = None

    def __len__(self) -> int:
        return len(self.numbers)

    def where(self, row: int, column: int | None = None) -> str:
        """`file:line:header` or, in a workbook, `file:sheet!B7`."""
        number = int(self.numbers[row])
        if self.sheet:
            cell = f"{column_letters(column)}{number}" if column is not None else f"{number}"
            return f"{self.name}:{self.sheet}!{cell}"
        place = f"{self.name}:{number}"
        return place if column is None else f"{place}:{self.names[column].strip()[:40]}"


def header_row(rows: Sequence[Sequence[str]], score: HeaderScore) -> int:
    """Position of the header: the first row with enough known headers, else the one with most.

    Title rows may stand before it. Without any known header it is the first row.
    """
    scores = [score(row) for row in rows[:HEADER_ROWS]]
    for at, found in enumerate(scores):
        if found >= ENOUGH_HEADERS:
            return at
    return scores.index(max(scores)) if scores else 0
