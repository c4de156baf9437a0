"""Any spreadsheet as grids of text: for tables whose headers no layout knows (CSV, TSV, XLSX)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from grouper.errors import DataFileError
from grouper.records.values import cell_text
from grouper.sheet import (
    SEPARATORS,
    Grid,
    cells_of,
    decode,
    form_of,
    read_bytes,
    strip_cell,
    text_rows,
)
from grouper.spreadsheet import open_workbook, sheet_rows

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

#: lines looked at to find the separator; titles and remarks have none
_TOP = 60


def read_grids(path: Path, *, encoding: str | None = None) -> list[Grid]:
    """Every sheet of a workbook, or the one table of a text file.

    Cells joined in a workbook all have the value of the joined cell. Raises DataFileError (DF130
    to DF135) for a file that cannot be read.
    """
    data = read_bytes(path)
    if form_of(data) in ("xlsx/zip", "xls"):
        return _workbook_grids(data, path)
    decoded = decode(data, path.name, encoding=encoding)
    if decoded.broken:
        where = f"{path.name}:{min(decoded.broken)}"
        raise DataFileError("DF133", where, path=path.name, encoding=decoded.encoding)
    rows = list(text_rows(decoded, _separator(decoded.text.splitlines()[:_TOP])))
    cells = tuple(tuple(strip_cell(cell) for cell in row.cells) for row in rows)
    return [Grid(path.name, "", cells, tuple(row.line for row in rows))]


def _separator(lines: list[str]) -> str:
    """The separator that splits most; a title or remark full of other signs is but one line."""
    return max(SEPARATORS, key=lambda sign: sum(len(cells_of(line, sign)) for line in lines))


def _workbook_grids(data: bytes, path: Path) -> list[Grid]:
    from python_calamine import SheetTypeEnum

    book = open_workbook(data, path.name, suffix=path.suffix)
    # sheets of charts and of old macros have no cells
    titles = [one.name for one in book.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet]
    return [_sheet_grid(book, title, path.name) for title in titles]


def _sheet_grid(book: CalamineWorkbook, title: str, name: str) -> Grid:
    values = sheet_rows(book, title, name)
    rows = [[strip_cell(cell_text(cell)) for cell in row] for row in values]
    joined: set[tuple[int, int]] = set()
    for (top, left), (bottom, right) in book.get_sheet_by_name(title).merged_cell_ranges or ():
        text = rows[top][left] if top < len(rows) and left < len(rows[top]) else ""
        for at, row in enumerate(rows[top : bottom + 1], top):
            row[left : right + 1] = [text] * len(row[left : right + 1])
            joined |= {(at, column) for column in range(left, right + 1)} - {(top, left)}
    filled = [at for at, row in enumerate(rows) if any(row)]
    places = {at: place for place, at in enumerate(filled)}
    return Grid(
        name,
        title,
        tuple(tuple(rows[at]) for at in filled),
        tuple(at + 1 for at in filled),
        frozenset((places[at], column) for at, column in joined if at in places),
    )
