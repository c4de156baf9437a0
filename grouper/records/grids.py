"""Any spreadsheet as grids of text: for tables whose headers no layout knows (CSV, TSV, XLSX)."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

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

#: lines looked at to find the separator; titles and remarks have none
_TOP = 60


def read_grids(path: Path, *, encoding: str | None = None) -> list[Grid]:
    """Every sheet of a workbook, or the one table of a text file.

    Cells joined in a workbook all have the value of the joined cell. Raises DataFileError (DF130
    to DF135) for a file that cannot be read.
    """
    data = read_bytes(path)
    form = form_of(data)
    if form in ("xlsx/zip", "xls"):
        return _workbook_grids(data, path, form)
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


def _workbook_grids(data: bytes, path: Path, form: str) -> list[Grid]:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    if form == "xls" and path.suffix.lower() != ".xls":
        # an encrypted workbook is wrapped in the container of the old binary format
        raise DataFileError("DF134", path.name, path=path.name)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = [book.get_sheet_by_name(title) for title in book.sheet_names]
        return [_sheet_grid(sheet, path.name) for sheet in sheets]
    except PasswordError:
        raise DataFileError("DF134", path.name, path=path.name) from None
    except (CalamineError, OSError) as error:
        raise DataFileError("DF135", path.name, path=path.name, detail=error) from None


def _sheet_grid(sheet: Any, name: str) -> Grid:
    values = sheet.to_python(skip_empty_area=False)
    rows = [[strip_cell(cell_text(cell)) for cell in row] for row in values]
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        text = rows[top][left] if top < len(rows) and left < len(rows[top]) else ""
        for row in rows[top : bottom + 1]:
            row[left : right + 1] = [text] * len(row[left : right + 1])
    numbered = [(number, tuple(row)) for number, row in enumerate(rows, 1) if any(row)]
    return Grid(name, sheet.name, tuple(row for _, row in numbered), tuple(n for n, _ in numbered))
