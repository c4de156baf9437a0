"""A book: the months of an area, closed one after the other, as a folder of plain files.

book.json            whose book it is
2025-06/             a closed month; it has this name only when all of it is on disk
  month.json         what it rests on, what it sums to, the digests of its files; written with them
  statements.tsv     one row a statement (settle.month_sums), amounts in fen
  lists.csv          the ledger: every list that entered, corrections as reversal and new line
  deductions.tsv     audit deductions with list, reason and rule
year-2025.json       the year is cleared: its months are locked

The same lists, entries and policy give the same bytes. Nothing in a closed month is ever changed.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
from pyarrow import csv

from grouper.datafile import scan_tsv, write_folder
from grouper.errors import DataFileError, SettlementError
from grouper.run.lock import folder_lock
from grouper.run.plan import write_json
from grouper.settle.closing import Booked, ClosedMonth
from grouper.settle.entries import Deduction
from grouper.settle.ledger import SCHEMA
from grouper.settle.month_sums import SUM_COLUMNS, MonthSums

HEAD, MONTH = "book.json", "month.json"
SUMS, LISTS, DEDUCTIONS = "statements.tsv", "lists.csv", "deductions.tsv"
FORMAT = 1
_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")
_YEAR = re.compile(r"year-([0-9]{4})\.json")
_DEDUCTION_COLUMNS = tuple(field.name for field in fields(Deduction))

T = TypeVar("T")


@contextmanager
def open_book(folder: Path, area_id: str) -> Iterator[Booked]:
    """What is booked so far, with nobody else at work in the folder meanwhile.

    A folder that does not exist, or is empty, becomes the book of the area. Raises SettlementError
    ST326 for a folder that is no book, is that of another area or was changed by hand; RunError
    RN114 while another process works in it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        detail = error.strerror or error
        raise DataFileError("DF123", str(folder), path=folder, detail=detail) from None
    with folder_lock(folder):
        head = folder / HEAD
        if not head.exists():
            if any(path.name != "lock" for path in folder.iterdir()):
                raise _damaged(folder, HEAD, "foreign")
            write_json(head, {"format": FORMAT, "area": area_id})
        if _json(head).get("area") != area_id:
            raise _damaged(folder, str(_json(head).get("area")), "area")
        yield read_book(folder)


def read_book(folder: Path) -> Booked:
    """All closed months of a book, in order. Raises SettlementError ST326."""
    if not (folder / HEAD).is_file():
        raise _damaged(folder, HEAD, "foreign")
    months = sorted(path.parent.name for path in folder.glob(f"*/{MONTH}"))
    months = [month for month in months if _MONTH.fullmatch(month)]
    heads = [_checked(folder / month) for month in months]
    budgets = {
        (one["hospital"], one["insurance"]): one["amount_fen"]
        for head in heads[-1:]
        for one in head["budgets"]
    }
    years = (_YEAR.fullmatch(path.name) for path in folder.glob("year-*.json"))
    return Booked(
        months=tuple(months),
        lines=pa.concat_tables([_read_lists(folder / m / LISTS) for m in months])
        if months
        else SCHEMA.empty_table(),
        deductions=tuple(
            one
            for month in months
            for one in _read_rows(folder / month / DEDUCTIONS, _DEDUCTION_COLUMNS, _deduction)
        ),
        sums=tuple(one for month in months for one in _read_sums(folder / month)),
        budgets=budgets,
        locked_years=frozenset(int(found[1]) for found in years if found),
    )


def read_sums(folder: Path) -> list[MonthSums]:
    """The sums of all closed months of a book, for the year. Raises SettlementError ST326."""
    return list(read_book(folder).sums)


def lock_year(folder: Path, year: int, what: Mapping[str, Any]) -> None:
    """Lock the months of a cleared year; `what` says by which clearing."""
    write_json(folder / f"year-{year}.json", {"format": FORMAT, "year": year, **what})


def read_year(folder: Path, year: int) -> dict[str, Any]:
    """What was kept of a cleared year. Raises SettlementError ST326."""
    return _json(folder / f"year-{year}.json")


def book_month(folder: Path, closed: ClosedMonth, facts: Mapping[str, Any]) -> None:
    """Add a closed month to a book, whole or not at all.

    facts: what stands in month.json beside the sums. Raises DataFileError DF122, DF123.
    """
    files = {
        SUMS: _tsv(SUM_COLUMNS, (one.to_cells() for one in closed.sums)),
        LISTS: _csv(closed.lines),
        DEDUCTIONS: _tsv(_DEDUCTION_COLUMNS, map(_cells, closed.deductions)),
    }
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    budgets = [
        {"hospital": hospital, "insurance": insurance, "amount_fen": fen}
        for (hospital, insurance), fen in sorted(closed.budgets.items())
    ]
    head = {"format": FORMAT, **facts, "budgets": budgets, "files": digests}
    text = json.dumps(head, ensure_ascii=False, indent=2, default=str) + "\n"
    write_folder(folder / closed.month, {**files, MONTH: text.encode()}, mark=MONTH)


def _checked(folder: Path) -> dict[str, Any]:
    """month.json, the files beside it being what it says."""
    head = _json(folder / MONTH)
    for name, digest in head.get("files", {}).items():
        try:
            content = (folder / name).read_bytes()
        except OSError:
            raise _damaged(folder, name, "file") from None
        if hashlib.sha256(content).hexdigest() != digest:
            raise _damaged(folder, name, "file")
    return head


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        raise _damaged(path.parent, path.name, "file") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise _damaged(path.parent, path.name, "file")
    return found


def _read_lists(path: Path) -> pa.Table:
    options = csv.ConvertOptions(
        column_types=SCHEMA, null_values=[""], strings_can_be_null=False, check_utf8=True
    )
    try:
        return csv.read_csv(
            path, parse_options=csv.ParseOptions(newlines_in_values=True), convert_options=options
        ).cast(SCHEMA)
    except (pa.ArrowException, OSError):
        raise _damaged(path.parent, path.name, "file") from None


def _read_sums(folder: Path) -> list[MonthSums]:
    return _read_rows(folder / SUMS, SUM_COLUMNS, MonthSums.from_cells)


def _read_rows(
    path: Path, columns: Sequence[str], make: Callable[[Mapping[str, str]], T]
) -> list[T]:
    table, problems = scan_tsv(path.read_bytes(), path.name, columns)
    if problems:
        raise _damaged(path.parent, path.name, "file")
    try:
        return [make({column: row[column] for column in columns}) for row in table]
    except ValueError:
        raise _damaged(path.parent, path.name, "file") from None


def _deduction(cells: Mapping[str, str]) -> Deduction:
    values: dict[str, Any] = dict(cells)
    values |= {name: int(cells[name]) for name in ("asked_fen", "taken_fen")}
    return Deduction(**values)


def _cells(deduction: Deduction) -> list[str]:
    return [str(value) for value in astuple(deduction)]


def _tsv(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    lines = ["\t".join(columns), *("\t".join(map(_plain, row)) for row in rows)]
    return ("\n".join(lines) + "\n").encode()


def _plain(text: str) -> str:
    """A cell of a table without quotes: no tabs, line ends and quotation marks in it."""
    return " ".join(text.split()).replace('"', "'")


def _csv(lines: pa.Table) -> bytes:
    target = io.BytesIO()
    csv.write_csv(lines, target)
    return target.getvalue()


def _damaged(folder: Path, thing: str, problem: str) -> SettlementError:
    return SettlementError("ST326", str(folder), thing=thing, problem=problem)
