"""One sheet of a DIP catalogue as it is read: cells by field, and what is found on the way."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache
from typing import Any

from grouper.datafile import data_folder, read_toml
from grouper.errors import Issue
from grouper.scheme.dip import CatalogueRow, Exclusion, Figures
from grouper.scheme.dip_dialect import Dialect
from grouper.scheme.workbook_layout import fold
from grouper.sheet import Grid

#: scores and means are printed with 2 to 9 decimals; more are noise of binary numbers
_DECIMALS = 9
#: a number of this many digits before the point is none of a catalogue, and overflows the columns
_LARGEST = 10**9
_CODE = re.compile(r"[A-Z]?\d\d", re.ASCII | re.IGNORECASE)


@dataclass
class Reading:
    """A sheet, the columns of its fields, and what its rows gave.

    headers: the rows (positions in the grid) that hold headers; data begins below the last.
    """

    grid: Grid
    dialect: Dialect
    columns: Mapping[str, int]
    headers: tuple[int, ...]
    issues: list[Issue] = field(default_factory=list)
    rows: list[CatalogueRow] = field(default_factory=list)
    figures: list[Figures] = field(default_factory=list)
    excluded_dx: set[str] = field(default_factory=set)
    excluded_ops: dict[str, Exclusion] = field(default_factory=dict)
    primary: set[tuple[str, str]] = field(default_factory=set)
    resistant_dx: set[str] = field(default_factory=set)
    rounded: set[str] = field(default_factory=set)

    def cell(self, row: int, name: str) -> str:
        """The text of a field, "" where the sheet has none or says that there is none."""
        text = self.text(row, name)
        return "" if text in self.dialect.none else text

    def text(self, row: int, name: str) -> str:
        """The text of a field as it stands, blanks folded."""
        at = self.columns.get(name)
        cells = self.grid.rows[row]
        return fold(cells[at]) if at is not None and at < len(cells) else ""

    def where(self, row: int, name: str) -> str:
        """The place of a field, or of the first column where the sheet has none."""
        return self.grid.where(row, self.columns.get(name, 0))

    def note(self, code: str, row: int, name: str, /, **params: object) -> None:
        """An issue at a cell."""
        self.issues.append(Issue(code, self.where(row, name), params))

    def is_continued(self, row: int, name: str) -> bool:
        """Whether a cell is a lower part of a joined one."""
        at = self.columns.get(name)
        return at is not None and (row, at) in self.grid.joined

    def data_rows(self) -> Iterator[int]:
        """The rows below the headers that may be groups: no remarks, no headers once more."""
        again = {cells for row in self.headers if any(cells := self._key_cells(row))}
        for row in range(self.headers[-1] + 1, len(self.grid.rows)):
            texts = [fold(cell) for cell in self.grid.rows[row]]
            filled = [text for text in texts if text]
            if not filled or self._key_cells(row) in again:
                continue
            # a remark stands alone in its row, perhaps in cells joined; or begins as remarks do
            is_sole = len(set(filled)) == 1 and not _CODE.match(filled[0])
            if is_sole or _notes().match(filled[0]):
                self.issues.append(Issue("SW71", self.grid.where(row, 0), {"text": filled[0]}))
                continue
            yield row

    def number(self, row: int, name: str) -> Decimal | None:
        """A number; None, perhaps with SE54, where there is none."""
        text = self.cell(row, name).replace(",", "")
        if not text:
            return None
        try:
            value = Decimal(text)
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite() or abs(value) >= _LARGEST:
            self.note("SE54", row, name, text=text)
            return None
        if -int(value.as_tuple().exponent) <= _DECIMALS:
            return value
        if name not in self.rounded:
            self.rounded.add(name)
            self.note("SW72", row, name, text=text, decimals=_DECIMALS)
        return value.quantize(Decimal(1).scaleb(-_DECIMALS), ROUND_HALF_UP)

    def _key_cells(self, row: int) -> tuple[str, ...]:
        cells = self.grid.rows[row]
        return tuple(
            fold(cells[at]) if at < len(cells) else "" for at in sorted(set(self.columns.values()))
        )


def whole(text: str | None) -> int | None:
    """A whole number, also one that a spreadsheet wrote with decimals; None if there is none."""
    head, _, tail = (text or "").partition(".")
    return int(head) if head.isdecimal() and not tail.strip("0") else None


@cache
def words() -> Mapping[str, Any]:
    """How catalogues write answers, bounds, burns: data/dip/words.toml."""
    return read_toml(data_folder("dip", "words.toml"))


@cache
def _notes() -> re.Pattern[str]:
    return re.compile(str(words()["notes"]))
