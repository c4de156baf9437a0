"""A table of entries (XLSX, CSV, TSV) -> what people add to a month, every cell checked.

One row is one entry. Which columns a kind needs stands in settle.entries.NEEDS; the names of
columns and kinds, Chinese and English, in data/layouts/entry_words.tsv.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from grouper.datafile import data_folder, read_tsv
from grouper.dated import from_day_number
from grouper.errors import GrouperError, Issue, SettlementError
from grouper.money import to_fen
from grouper.policy.model import Policy
from grouper.records.fields import spellings
from grouper.records.grids import read_grids
from grouper.records.layout import clean_header
from grouper.records.values import day, number_of
from grouper.settle.entries import NEEDS, Entry
from grouper.settle.month_rules import month_days
from grouper.sheet import Grid, half_width

#: columns that hold amounts; only what is carried in may be negative
_AMOUNTS = (
    *("amount", "schedule", "carry_in", "outstanding", "total_cost", "fund_basic"),
    *("other_funds", "payment", "prior_spend", "balance", "year_spend"),
)
_MAY_BE_NEGATIVE = ("carry_in", "balance")
_MOST_FEN = 2**62

#: kind of entry -> columns it must have, and those it may have
Needs = Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]


class _Wrong(Exception):
    """A cell that cannot be read: a phrase of ST320, or a code of its own."""

    def __init__(self, problem: str, code: str = "ST320") -> None:
        super().__init__(problem)
        self.problem, self.code = problem, code


def read_entries(path: Path, policy: Policy, *, needs: Needs = NEEDS) -> list[Entry]:
    """The entries of all sheets of a file, in their order; `needs`: the kinds that may stand there.

    Raises SettlementError with everything that is wrong: ST323 no table of entries or an unknown
    column, ST320 a cell, ST207 a negative amount; DataFileError for a file that cannot be read.
    """
    issues: list[Issue] = []
    entries: list[Entry] = []
    tables = [table for grid in read_grids(path) if (table := _table(grid, issues)) is not None]
    if not tables and not issues:
        issues.append(Issue("ST323", path.name, {"problem": "none", "value": "", "near": ""}))
    for grid, head, columns in tables:
        for row in range(head + 1, len(grid.rows)):
            entry = _entry(grid, row, columns, policy, needs, issues)
            if entry is not None:
                entries.append(entry)
    if issues:
        raise SettlementError.of(issues)
    return entries


def _table(grid: Grid, issues: list[Issue]) -> tuple[Grid, int, dict[str, int]] | None:
    """The row of headers of a sheet and its columns, None for a sheet without entries."""
    known = entry_words("column")
    for row, cells in enumerate(grid.rows):
        named = [known.get(clean_header(cell), "") for cell in cells]
        if not {"kind", "hospital"} <= set(named):
            continue
        columns: dict[str, int] = {}
        for at, (cell, name) in enumerate(zip(cells, named, strict=True)):
            if not cell:
                continue
            if not name or name in columns:
                near = get_close_matches(clean_header(cell), known, 1)
                problem = "twice" if name else "unknown"
                params = {"problem": problem, "value": cell, "near": near[0] if near else "-"}
                issues.append(Issue("ST323", grid.where(row, at), params))
            columns.setdefault(name, at)
        return grid, row, columns
    return None


def _entry(
    grid: Grid,
    row: int,
    columns: Mapping[str, int],
    policy: Policy,
    needs: Needs,
    issues: list[Issue],
) -> Entry | None:
    cells = grid.rows[row]
    given = {
        name: half_width(cells[at]).strip()
        for name, at in columns.items()
        if name not in ("note", "") and at < len(cells) and cells[at].strip()
    }
    if not given:
        return None
    before = len(issues)

    def wrong(name: str, problem: str, code: str = "ST320") -> None:
        place = grid.where(row, columns.get(name, columns["kind"]))
        params = {
            "column": name,
            "value": given.get(name, ""),
            "problem": problem,
            "kind": given.get("kind", ""),
            "field": "amount",
        }
        issues.append(Issue(code, place, params))

    kind = entry_words("kind").get(given.get("kind", "").lower(), "")
    if kind not in needs:
        wrong("kind", "kind" if "kind" in given else "missing")
        return None
    needed, allowed = needs[kind]
    for name in needed:
        if name not in given:
            wrong(name, "missing")
    values: dict[str, Any] = {}
    for name, text in given.items():
        if name == "kind":
            continue
        if name not in (*needed, *allowed):
            wrong(name, "unused")
            continue
        try:
            values["day" if name == "date" else name] = _read(name, text, policy)
        except _Wrong as error:
            wrong(name, error.problem, error.code)
    if len(issues) > before:
        return None
    return Entry(kind, grid.where(row, columns["kind"]), **values)


def _read(name: str, text: str, policy: Policy) -> Any:
    """The value of a cell; raises _Wrong."""
    if name in _AMOUNTS:
        return _amount(text, may_be_negative=name in _MAY_BE_NEGATIVE)
    read = _READ.get(name)
    return text if read is None else read(text, policy)


def _amount(text: str, *, may_be_negative: bool) -> int:
    try:
        fen = to_fen(text.replace(",", ""))
    except GrouperError:
        raise _Wrong("amount") from None
    if abs(fen) > _MOST_FEN:
        raise _Wrong("amount")
    if fen < 0 and not may_be_negative:
        raise _Wrong("amount", "ST207")
    return fen


def _insurance(text: str, policy: Policy) -> str:
    code = policy.insurance(text)
    if not code:
        raise _Wrong("insurance")
    return code


def _place(text: str, _: Policy) -> str:
    found = spellings("place").get(text.upper())
    if found is None:
        raise _Wrong("place")
    return found


def _number(text: str, _: Policy) -> Fraction:
    percent = text.endswith("%")
    number = number_of(text.removesuffix("%").strip())
    if number is None or number < 0:
        raise _Wrong("number")
    return Fraction(number) / (100 if percent else 1)


def _day(text: str, _: Policy) -> date:
    found = day(text)
    if found.bad or found.number < 0:
        raise _Wrong("date")
    return from_day_number(found.number)


def _yes(text: str, _: Policy) -> bool:
    found = entry_words("yes").get(text.lower())
    if found is None:
        raise _Wrong("yes_no")
    return found == "1"


def _month(text: str, _: Policy) -> str:
    try:
        month_days(text)
    except SettlementError:
        raise _Wrong("month") from None
    return text


_READ: Mapping[str, Callable[[str, Policy], Any]] = {
    "insurance": _insurance,
    "place": _place,
    "ratio": _number,
    "grade": _number,
    "date": _day,
    "deficit": _yes,
    "score": _number,
    "volume": _number,
    "month": _month,
}


@cache
def entry_words(group: str) -> Mapping[str, str]:
    """Spelling -> code of the columns or kinds of entries."""
    return dict(_words(group))


def _words(group: str) -> Iterator[tuple[str, str]]:
    table = read_tsv(data_folder("layouts", "entry_words.tsv"), ["set", "spelling", "code"])
    for row in table:
        if row["set"] == group:
            spelling = row["spelling"]
            yield (clean_header(spelling) if group == "column" else spelling.lower()), row["code"]
