"""Workbooks (XLSX, XLS, ODS) opened from bytes, their faults named."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, cast

from grouper.errors import DataFileError
from grouper.sheet import form_of

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

#: the cells of a sheet, row by row from row 1 and column A
Rows = list[list[object]]


def open_workbook(data: bytes, name: str, *, suffix: str) -> CalamineWorkbook:
    """The workbook in bytes; `suffix` is that of its file.

    Raises DataFileError: DF132 other content, DF134 password, DF135 damaged.
    """
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    form = form_of(data)
    if form == "xls" and suffix.lower() != ".xls":
        # an encrypted workbook is wrapped in the container of the old binary format
        raise DataFileError("DF134", name, path=name)
    if form not in ("xlsx/zip", "xls"):
        raise DataFileError("DF132", name, path=name, form=form or "text")
    try:
        return CalamineWorkbook.from_filelike(io.BytesIO(data))
    except PasswordError:
        raise DataFileError("DF134", name, path=name) from None
    except (CalamineError, OSError) as error:
        raise DataFileError("DF135", name, path=name, detail=error) from None


def sheet_rows(book: CalamineWorkbook, title: str, name: str) -> Rows:
    """The cells of one sheet; a damaged one is DF135."""
    from python_calamine import CalamineError

    try:
        return cast(Rows, book.get_sheet_by_name(title).to_python(skip_empty_area=False))
    except (CalamineError, OSError) as error:
        raise DataFileError("DF135", name, path=name, detail=error) from None
