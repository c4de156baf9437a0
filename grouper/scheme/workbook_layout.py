"""The official DRG workbook as tables: sheets and columns found by their texts, never by position.

The cells come from outside (`Cells`); nothing here opens a file. What the layout is, with source
and date: data/workbooks/drg_3.toml.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from grouper.datafile import data_folder, read_toml
from grouper.errors import Issue, SchemeError
from grouper.scheme.source import finding
from grouper.sheet import column_letters

#: the rows of each sheet by its title, from row 1 and column A
Cells = Mapping[str, Sequence[Sequence[object]]]

#: a header stands among the first rows; titles and empty rows may stand above it
_HEADER_WITHIN = 10
#: line ends and tabs as XML escapes, which some editions hold as text, and blanks of every kind
_BLANKS = re.compile(r"(?:_x000[9AaDd]_|[\s\x00-\x1f\x7f\u200b-\u200d\u2060\ufeff])+")


@cache
def facts() -> dict[str, Any]:
    """What is known of the workbook: data/workbooks/drg_3.toml."""
    return read_toml(data_folder("workbooks", "drg_3.toml"))


@cache
def amendments() -> tuple[tuple[str, str], ...]:
    """(code, exclusion table) that the workbook lacks against the published text."""
    return tuple(
        (code, table)
        for path in sorted(data_folder("workbooks").glob("drg_3_amendments_*.toml"))
        for table, codes in read_toml(path)["exclusions"].items()
        for code in codes
    )


def sheet_titles() -> frozenset[str]:
    """The titles of the sheets that hold the scheme, as `fold(title).casefold()` gives them."""
    return frozenset(sheet["title"].casefold() for sheet in facts()["sheets"].values())


def fold(cell: object) -> str:
    """The text of a cell, every run of blanks and escaped line ends folded to one blank."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else _BLANKS.sub(" ", str(cell)).strip()


@dataclass(frozen=True)
class SheetTable:
    """The rows below the header of one sheet.

    at: column key -> position; rows: those with any cell filled; numbers: their numbers in the
    sheet; header: that of the header row.
    """

    file: str
    title: str
    header: int
    at: Mapping[str, int]
    rows: Sequence[Sequence[object]]
    numbers: Sequence[int]

    def column(self, key: str) -> list[object]:
        """The cells of a column as they stand."""
        at = self.at[key]
        return [row[at] if at < len(row) else None for row in self.rows]

    def texts(self, key: str) -> list[str]:
        """The cells of a column folded; each distinct cell is looked at once."""
        cells = self.column(key)
        folded = {cell: fold(cell) for cell in set(cells)}
        return [folded[cell] for cell in cells]

    def where(self, index: int, key: str) -> str:
        """`file:sheet!C17`."""
        return f"{self.file}:{self.title}!{column_letters(self.at[key])}{self.numbers[index]}"


def read_layout(cells: Cells, file: str) -> dict[str, SheetTable]:
    """The sheets by their keys in the facts; SchemeError (SE31) with all that is missing."""
    titles = {fold(title).casefold(): title for title in cells}
    tables: dict[str, SheetTable] = {}
    issues: list[Issue] = []
    for key, sheet in facts()["sheets"].items():
        title = titles.get(sheet["title"].casefold())
        if title is None:
            found = ", ".join(cells)
            issues.append(finding("SE31", file, "sheet", sheet["title"], found=found))
        else:
            table, missing = _table(cells[title], file, title, sheet["columns"])
            issues += missing
            tables[key] = table
    if issues:
        raise SchemeError.of(issues)
    return tables


def _table(
    rows: Sequence[Sequence[object]], file: str, title: str, columns: Mapping[str, list[str]]
) -> tuple[SheetTable, list[Issue]]:
    number, at = _header(rows, columns)
    body = [n for n, row in enumerate(rows[number:], number) if _is_filled(row)]
    table = SheetTable(file, title, number, at, [rows[n] for n in body], [n + 1 for n in body])
    where = f"{file}:{title}!A{number}"
    found = ", ".join(filter(None, map(fold, rows[number - 1]))) if rows else ""
    if not at:
        texts = " ".join(names[0] for names in columns.values())
        return table, [finding("SE31", f"{file}:{title}", "no_header", texts, found=found)]
    missing = [" | ".join(names) for key, names in columns.items() if key not in at]
    if missing:
        return table, [finding("SE31", where, "header", text, found=found) for text in missing]
    return table, [] if body else [finding("SE31", where, "empty", title, found=found)]


def _is_filled(row: Sequence[object]) -> bool:
    """Whether a row has a cell with more than blanks in it."""
    return any(row) and any(map(fold, row))


def _header(
    rows: Sequence[Sequence[object]], columns: Mapping[str, list[str]]
) -> tuple[int, dict[str, int]]:
    """Number of the header row (the one that has most of the columns) and the columns found."""
    best: tuple[int, dict[str, int]] = (1, {})
    for number, row in enumerate(rows[:_HEADER_WITHIN], 1):
        place: dict[str, int] = {}
        for position, cell in enumerate(row):
            place.setdefault(fold(cell).replace(" ", ""), position)
        at = {
            key: next(place[name] for name in names if name in place)
            for key, names in columns.items()
            if any(name in place for name in names)
        }
        if len(at) > len(best[1]):
            best = number, at
    return best
