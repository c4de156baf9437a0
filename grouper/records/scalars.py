"""The columns that hold one value a row → arrays of numbers and lists of text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from grouper.records import values
from grouper.records.batch import MISSING, MISSING_FEN
from grouper.records.cells import Cells, cells_of, plain_fen
from grouper.records.check import Findings, short
from grouper.records.fields import spellings
from grouper.records.layout import ColumnMap
from grouper.records.sources import Sources
from grouper.records.values import Value
from grouper.sheet import half_width

#: funds other than the basic one, whose sum is `other_funds_fen`
OTHER_FUNDS = (
    "fund_civil",
    "fund_enterprise",
    "fund_catastrophic",
    "fund_large",
    "fund_assistance",
    "fund_other",
    "hospital_borne",
)
_Ints = NDArray[np.int64]


@dataclass
class Scalars:
    """Reads the scalar columns of a table; notes what is wrong in `findings` and `reject`.

    reject: (n,) position of the issue code in `codes` plus 1, the first finding of a row wins.
    """

    table: Sources
    mapping: ColumnMap
    findings: Findings
    codes: tuple[str, ...]
    reject: NDArray[np.uint16]
    _cells: dict[str, Cells] = field(default_factory=dict)

    def cells(self, name: str) -> Cells | None:
        """The distinct cells of a field, None if it has no column."""
        if name not in self.mapping.scalars:
            return None
        if name not in self._cells:
            self._cells[name] = cells_of(self.table.columns[self.mapping.scalars[name]])
        return self._cells[name]

    def numbers(
        self, name: str, parse: Callable[[object], Value], *, missing: int = MISSING
    ) -> _Ints:
        """One number a row; bad values are reported, and errors among them reject the row."""
        cells = self.cells(name)
        if cells is None:
            return np.full(len(self.table), missing, np.int64)
        parsed = [parse(value) for value in cells.values]
        self.report(name, cells, parsed)
        return np.array([value.number for value in parsed], np.int64)[cells.index]

    def money(self, name: str) -> _Ints:
        """Fen a row; a column of plain amounts is converted as a whole."""
        at = self.mapping.scalars.get(name)
        fen = plain_fen(self.table.columns[at]) if at is not None else None
        return fen if fen is not None else self.numbers(name, values.money, missing=MISSING_FEN)

    def texts(self, name: str, *, exact: bool) -> list[str]:
        """One text a row, "" where nothing is known."""
        cells = self.cells(name)
        if cells is None:
            return [""] * len(self.table)
        read = values.cell_text if exact else values.known_text
        texts = [read(value) for value in cells.values]
        return [texts[k] for k in cells.index.tolist()]

    def reject_rows(self, code: str, rows: NDArray[np.bool_]) -> None:
        """Mark rows as rejected unless an earlier finding did."""
        self.reject[rows & (self.reject == 0)] = self.codes.index(code) + 1

    def report(self, name: str, cells: Cells, parsed: list[Value]) -> None:
        """Note what was odd about the distinct cells of a field; errors reject their rows."""
        odd = [k for k, value in enumerate(parsed) if value.bad or value.note]
        if not odd:
            return
        counts = np.bincount(cells.index, minlength=len(parsed))
        column = self.mapping.scalars[name]
        for k in odd:
            value, times = parsed[k], int(counts[k])
            if not times:
                continue
            if value.note:
                self.findings.repairs[value.note] += times
            if not value.bad:
                continue
            rows = cells.index == k
            where = self.table.where(int(rows.argmax()), column)
            self.findings.add(
                value.bad, where, times=times, field=name, value=short(cells.values[k])
            )
            if value.bad in self.codes:
                self.reject_rows(value.bad, rows)


def ages(scalars: Scalars) -> tuple[_Ints, _Ints]:
    """Years at admission and, under one year, days; the dates fill in what the columns lack."""
    years = days = np.full(len(scalars.table), MISSING, np.int64)
    cells = scalars.cells("age")
    if cells is not None:
        parsed = [values.age(value) for value in cells.values]
        scalars.report("age", cells, [Value(each.years, bad=each.bad) for each in parsed])
        years = np.array([each.years for each in parsed], np.int64)[cells.index]
        days = np.array([each.days for each in parsed], np.int64)[cells.index]
    unit = scalars.mapping.units.get("age_days", "day")
    told = scalars.numbers("age_days", lambda cell: values.age_days(cell, unit=unit))
    days = np.where(told != MISSING, told, days)
    # a baby whose age in years is left empty has its age in days only
    years = np.where((years == MISSING) & (told != MISSING), told // 365, years)
    born = scalars.numbers("birth_date", values.day)
    admitted = scalars.numbers("admit_time", values.day)
    dated = (born != MISSING) & (admitted != MISSING) & (admitted >= born)
    if dated.any():
        derived = _whole_years(born, admitted)
        years = np.where((years == MISSING) & dated, derived, years)
        days = np.where((days == MISSING) & dated & (years == 0), admitted - born, days)
        _conflict(scalars, dated & (np.abs(years - derived) > 1), "age")
    old = (years > 0) & (told != MISSING)
    _conflict(scalars, old & (np.abs(told // 365 - years) > 1), "age_days")
    # days of life count under one year only: some exports fill them for everybody
    return years, np.where(years == 0, days, MISSING)


def _whole_years(born: _Ints, day: _Ints) -> _Ints:
    """Whole years between two days since 1970; a birthday counts."""
    start = born.astype("datetime64[D]")
    stop = day.astype("datetime64[D]")
    first, last = start.astype("datetime64[Y]"), stop.astype("datetime64[Y]")
    years: _Ints = (last - first).astype(np.int64)
    month = start.astype("datetime64[M]") - first.astype("datetime64[M]")
    month2 = stop.astype("datetime64[M]") - last.astype("datetime64[M]")
    day1 = start - start.astype("datetime64[M]").astype("datetime64[D]")
    day2 = stop - stop.astype("datetime64[M]").astype("datetime64[D]")
    before = (month2 < month) | ((month2 == month) & (day2 < day1))
    years -= before
    return years


def _conflict(scalars: Scalars, rows: NDArray[np.bool_], name: str) -> None:
    """RW06: a value and the dates disagree; the value given is used."""
    if rows.any():
        column = scalars.mapping.scalars.get(name)
        where = scalars.table.where(int(rows.argmax()), column)
        scalars.findings.add("RW06", where, times=int(rows.sum()), field=name)


def stays(scalars: Scalars) -> tuple[_Ints, _Ints]:
    """Days in hospital and the day of discharge (days since 1970).

    A stay of 0 days is 1. Dates in the wrong order or ten years apart reject the row (RE04).
    """
    los = scalars.numbers("los", values.count)
    admitted = scalars.numbers("admit_time", values.day)
    left = scalars.numbers("discharge_time", values.day)
    dated = (admitted != MISSING) & (left != MISSING)
    between = np.where(dated, left - admitted, 0)
    wrong = (between < 0) | (between > 3650) | ((los != MISSING) & (los > 3650))
    if wrong.any():
        at = int(wrong.argmax())
        where = scalars.table.where(at)
        value = between[at] if dated[at] else los[at]
        scalars.findings.add("RE04", where, times=int(wrong.sum()), field="los", value=f"{value}")
        scalars.reject_rows("RE04", wrong)
    derived = np.maximum(between, 1)
    _conflict(scalars, dated & ~wrong & (los != MISSING) & (np.abs(los - derived) > 1), "los")
    los = np.where((los == MISSING) & dated & ~wrong, derived, los)
    zero = int((los == 0).sum())
    if zero:
        scalars.findings.repairs["los_zero"] += zero
    return np.where(los == 0, 1, los), left


def leaving(scalars: Scalars) -> _Ints:
    """离院方式; an empty cell of an existing column is 9 (other), noted."""
    codes = scalars.numbers("leaving", lambda cell: values.coded(cell, "leaving"), missing=0)
    if "leaving" not in scalars.mapping.scalars:
        return codes
    empty = codes == 0
    if empty.any():
        scalars.findings.repairs["leaving_empty"] += int(empty.sum())
    return np.where(empty, 9, codes)


def insurances(scalars: Scalars) -> list[str]:
    """Insurance codes; list codes and titles are mapped, what is not known stays as written."""
    table = spellings("insurance")
    texts = scalars.texts("insurance", exact=False)
    known = {text: table.get(half_width(text).upper(), text) for text in set(texts)}
    return [known[text] for text in texts]


def case_ids(scalars: Scalars) -> list[str]:
    """The id of each row: `id`, else record number and number of the stay, else another key.

    Without any such column the row numbers serve. RE01: nothing there; RE07: digits lost.
    """
    ids = scalars.texts("id", exact=False)
    names = scalars.mapping.scalars
    if "record_no" in names:
        visits = scalars.texts("visit_no", exact=False)
        records = scalars.texts("record_no", exact=False)
        pairs = zip(ids, records, visits, strict=True)
        ids = [i or (f"{r}_{v}" if r and v else r) for i, r, v in pairs]
    for name in ("stay_no", "settlement_id", "encounter_id"):
        if name in names:
            ids = [i or j for i, j in zip(ids, scalars.texts(name, exact=False), strict=True)]
    if not {"id", "record_no", "stay_no", "settlement_id", "encounter_id"} & set(names):
        return [str(number) for number in scalars.table.numbers.tolist()]
    empty = np.array([not text for text in ids], bool)
    if empty.any():
        for at in np.flatnonzero(empty)[:100].tolist():
            scalars.findings.add("RE01", scalars.table.where(at))
        scalars.findings.counts["RE01"] = int(empty.sum())
        scalars.reject_rows("RE01", empty)
    _lost_digits(scalars)
    return ids


def _lost_digits(scalars: Scalars) -> None:
    cells = scalars.cells("id")
    if cells is None:
        return
    whole, lost = Value(0), Value(0, bad="RE07")
    scalars.report("id", cells, [lost if _is_damaged(value) else whole for value in cells.values])


def _is_damaged(value: object) -> bool:
    """Whether an id went through a binary number of 15 digits, or was shown with an exponent."""
    if isinstance(value, float):
        return abs(value) >= 1e15
    if not isinstance(value, str) or "+" not in value or "E+" not in value.upper():
        return False
    number = values.number_of(value)
    return number is not None and number >= Decimal(1000)


def other_funds(scalars: Scalars, fund_basic: _Ints, money: Mapping[str, _Ints]) -> _Ints:
    """The sum of the other funds, or all funds less the basic one where only those are given."""
    there = [money[name] for name in OTHER_FUNDS if name in money]
    n = len(scalars.table)
    if there:
        known = np.any([column != MISSING_FEN for column in there], axis=0)
        total = np.sum([np.where(c == MISSING_FEN, 0, c) for c in there], axis=0)
        return np.where(known, total, MISSING_FEN)
    if "fund_total" in money:
        whole = money["fund_total"]
        known = (whole != MISSING_FEN) & (fund_basic != MISSING_FEN)
        return np.where(known, whole - np.where(known, fund_basic, 0), MISSING_FEN)
    return np.full(n, MISSING_FEN, np.int64)
