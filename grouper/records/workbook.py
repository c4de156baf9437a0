"""XLSX, XLS and ODS → `Raw`: cells as the sheet holds them, text, numbers, dates apart."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from grouper.errors import DataFileError, RecordError
from grouper.records.raw import HeaderScore, Raw, header_row
from grouper.records.user import Column
from grouper.records.values import cell_text
from grouper.spreadsheet import Rows, open_workbook, sheet_rows

#: a formula cell that was saved without its value
_UNSTORED = re.compile(
    rb'<c [^>]*?r="([A-Z]+\d+)"[^>]*><f[^>]*?(?:/>|>[^<]*</f>)(?:<v ?/>|<v></v>)?</c>'
)


def read_workbook(data: bytes, name: str, path: str, score: HeaderScore) -> tuple[Raw, list[str]]:
    """The records of the sheet with known headers, and its formula cells without a stored value.

    A formula cell counts by its stored value. Rows and columns without any content are no records.
    Raises DataFileError (DF132 other content, DF134 password, DF135 damaged), RecordError (RE17).
    """
    book = open_workbook(data, name, suffix=Path(path).suffix)
    title, rows, at, others = _best_sheet(book, name, score)
    if not rows:
        raise DataFileError("DF131", name, path=name)
    headers = [cell_text(cell) for cell in rows[at]]
    body, numbers = _filled(rows, at + 1)
    if not body:
        raise RecordError("RE17", name, path=name)
    columns: list[Column] = [list(cells) for cells in zip(*body, strict=True)]
    while columns and not headers[len(columns) - 1] and not any(_is_filled(c) for c in columns[-1]):
        columns.pop()
    facts: dict[str, object] = {"sheet": title, "header_row": at + 1}
    if others:
        facts["other_sheets"] = others
    raw = Raw(
        name,
        path,
        "cells",
        tuple(headers[: len(columns)]),
        tuple(columns),
        np.array(numbers, np.int64),
        at + 1,
        title,
        facts=facts,
    )
    return raw, _unstored_formulas(data)


def _best_sheet(book: Any, name: str, score: HeaderScore) -> tuple[str, Rows, int, list[str]]:
    """Name, rows and header position of the sheet with most known headers; the other names."""
    best: tuple[int, str, Rows, int] = (-1, "", [], 0)
    names = list(book.sheet_names)
    for title in names:
        rows = sheet_rows(book, title, name)
        top = [[cell_text(cell) for cell in row] for row in rows[:12]]
        at = header_row(top, score)
        found = score(top[at]) if top else -1
        if found > best[0]:
            best = (found, title, rows, at)
        if found >= 3:
            break
    return best[1], best[2], best[3], [title for title in names if title != best[1]]


def _is_filled(cell: object) -> bool:
    return cell is not None and cell != ""


def _filled(rows: Rows, start: int) -> tuple[Rows, list[int]]:
    """The rows below the header that hold anything, with their numbers in the sheet."""
    body = rows[start:]
    # nearly always: the loop is for blank rows, and for rows of nothing but zeros
    if all(map(any, body)):
        return body, list(range(start + 1, len(rows) + 1))
    kept, numbers = [], []
    for number, row in enumerate(body, start + 1):
        if any(row) or any(map(_is_filled, row)):
            kept.append(row)
            numbers.append(number)
    return kept, numbers


def _unstored_formulas(data: bytes) -> list[str]:
    """Formula cells that were saved without a value: they read as empty."""
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return []
    cells: list[str] = []
    # what is damaged beyond the sheet that was read does not matter
    with (
        suppress(zipfile.BadZipFile, zlib.error, OSError),
        zipfile.ZipFile(io.BytesIO(data)) as archive,
    ):
        for member in archive.namelist():
            if not re.fullmatch(r"xl/worksheets/[^/]+\.xml", member):
                continue
            xml = archive.read(member)
            # `<f>` or `<f t="shared">`; other elements may begin so too
            if xml.find(b"<f") >= 0 and (b"<f>" in xml or b"<f " in xml):
                cells += [match.decode() for match in _UNSTORED.findall(xml)]
    return cells
