"""Rows → XLSX: text where digits must survive, numbers where they are amounts, no formulas."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, BinaryIO, Literal

import pyarrow as pa

from grouper.errors import DataFileError
from grouper.records.texts import value_text
from grouper.records.user import ABSENT, Column

#: numbers from here on lose digits in a sheet
_EXACT = 10**15
MAX_ROWS = 1_048_575
MAX_TEXT = 32_767
_MAX_WIDTH = 40
#: a text that is a number without loss: no leading zero, no more digits than a sheet keeps
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,11})(\.\d{1,3})?")
_NUMERIC_TYPES = ("money", "num", "int")
#: field types whose cells are text whatever the source held
_TEXT_TYPES = ("text", "list")


def write_workbook(
    file: BinaryIO,
    names: Sequence[str],
    columns: Sequence[Column],
    types: Sequence[str],
    rows: int,
    info: Sequence[tuple[str, object]],
    *,
    texts: Literal["typed", "text"] = "typed",
) -> None:
    """One sheet of rows with a frozen header, and one of facts ("说明") when there are any.

    texts: whether text in a column of amounts or numbers becomes number cells (`typed`, for files
    that know nothing but text) or stays text. Equal input gives equal bytes: the date of creation
    is the first date in `info`, not the clock. Raises DataFileError: DF143 too many
    rows, DF145 a cell too long.
    """
    import xlsxwriter

    if rows > MAX_ROWS:
        raise DataFileError("DF143", rows=rows)
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(file, options)
    created = next((value for _, value in info if isinstance(value, datetime)), None)
    book.set_properties({"created": created or datetime(2000, 1, 1)})
    sheet = book.add_worksheet("结果")
    bold = book.add_format({"bold": True, "bg_color": "#E8EEF4", "bottom": 1})
    sheet.freeze_panes(1, 0)
    writers = [
        _cell_writer(book, sheet, column, kind, typed=texts == "typed")
        for column, kind in zip(columns, types, strict=True)
    ]
    for at, name in enumerate(names):
        sheet.set_column(at, at, _width(name, columns[at]))
    for at, name in enumerate(names):
        sheet.write_string(0, at, name, bold)
    _write_rows(columns, names, writers)
    if info:
        _write_info(book, info, bold)
    book.close()


def _width(name: str, column: Column) -> int:
    """The width of a column by its header and first cells; Chinese characters take two."""
    head = column[:50] if isinstance(column, list) else column.slice(0, 50).to_pylist()
    texts = [name, *(value_text(value) for value in head)]
    widest = max(sum(2 if ord(char) > 0x2E7F else 1 for char in text[:60]) for text in texts)
    return min(max(widest + 2, 6), _MAX_WIDTH)


_Writer = Callable[[int, int, Any], None]


def _write_rows(
    columns: Sequence[Column], names: Sequence[str], writers: Sequence[_Writer]
) -> None:
    lists = [c if isinstance(c, list) else c.to_pylist() for c in columns]
    for number, row in enumerate(zip(*lists, strict=True), 1):
        for at, value in enumerate(row):
            if value is None or value == "" or value is ABSENT:
                continue
            if isinstance(value, str) and len(value) > MAX_TEXT:
                raise DataFileError("DF145", length=len(value), column=names[at])
            writers[at](number, at, value)


def _cell_writer(book: Any, sheet: Any, column: Column, kind: str, *, typed: bool) -> _Writer:
    """How the cells of a column are written, by its field type and by what a cell is."""
    formats: dict[str, Any] = {
        "money": book.add_format({"num_format": "0.00"}),
        "date": book.add_format({"num_format": "yyyy-mm-dd"}),
        "datetime": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        "time": book.add_format({"num_format": "hh:mm:ss"}),
        "duration": book.add_format({"num_format": "[h]:mm:ss"}),
    }
    is_sheet = isinstance(column, list)
    is_decimal = isinstance(column, pa.ChunkedArray) and pa.types.is_decimal(column.type)
    is_amount = kind == "money" or is_decimal
    is_number = typed and kind in _NUMERIC_TYPES
    number_format = formats["money"] if is_amount else None

    def write(row: int, at: int, value: Any) -> None:
        if kind in _TEXT_TYPES or isinstance(value, list | tuple | dict):
            _text(sheet, row, at, value)
        elif isinstance(value, bool):
            sheet.write_boolean(row, at, value)
        elif isinstance(value, int | float | Decimal) and -_EXACT < value < _EXACT:
            sheet.write_number(row, at, value, number_format)
        elif is_number and isinstance(value, str) and _NUMBER.fullmatch(value):
            sheet.write_number(row, at, Decimal(value), number_format)
        elif is_sheet and isinstance(value, datetime | date | time | timedelta):
            sheet.write_datetime(row, at, value, formats[_date_kind(value)])
        else:
            _text(sheet, row, at, value)

    return write


def _date_kind(value: object) -> str:
    if isinstance(value, datetime):
        return "datetime"
    if isinstance(value, date):
        return "date"
    return "time" if isinstance(value, time) else "duration"


def _text(sheet: Any, row: int, at: int, value: object) -> None:
    """A text cell; control characters that XML cannot hold become blanks."""
    text = value_text(value)
    if not text.isprintable():
        text = "".join(char if char >= " " or char in "\t\n\r" else " " for char in text)
    sheet.write_string(row, at, text)


def _write_info(book: Any, info: Sequence[tuple[str, object]], bold: Any) -> None:
    sheet = book.add_worksheet("说明")
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 60)
    for row, (title, value) in enumerate(info):
        sheet.write_string(row, 0, title, bold)
        sheet.write_string(row, 1, value_text(value))
