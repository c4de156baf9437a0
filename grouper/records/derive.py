"""Fields of a batch from one column or several: ages, stays, codes of sets, funds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from grouper.records import plain, values
from grouper.records.batch import MISSING, MISSING_FEN
from grouper.records.fields import spellings
from grouper.records.scalars import Scalars
from grouper.records.textcolumn import Texts
from grouper.records.values import Value
from grouper.sheet import half_width

_Ints = NDArray[np.int64]
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


def coded(scalars: Scalars, name: str) -> _Ints:
    """A column of codes of a set such as the sex."""
    known = plain.letter(values.codes_of(name))
    return scalars.numbers(name, lambda cell: values.coded(cell, name), plain=known, missing=0)


def weights(scalars: Scalars, name: str = "weight") -> _Ints:
    """Weight at admission or birth in thousandths of a gram; from 100 g on no second look."""
    unit = scalars.mapping.units.get(name, "g")
    grams = plain.whole(100, plain.MOST // 1000, scale=1000) if unit == "g" else None
    return scalars.numbers(name, lambda cell: values.weight(cell, unit=unit), plain=grams)


def icu_hours(scalars: Scalars) -> _Ints:
    """Hours in intensive care in thousandths."""
    unit = scalars.mapping.units.get("icu_hours", "hour")
    whole = plain.whole(0, plain.MOST // 1000, scale=1000) if unit == "hour" else None
    return scalars.numbers("icu_hours", lambda cell: values.hours(cell, unit=unit), plain=whole)


def ages(scalars: Scalars) -> tuple[_Ints, _Ints]:
    """Years at admission and, under one year, days; the dates fill in what the columns lack."""
    years, days = _told_ages(scalars)
    unit = scalars.mapping.units.get("age_days", "day")
    told = scalars.numbers(
        "age_days",
        lambda cell: values.age_days(cell, unit=unit),
        plain=plain.whole(0, 60000, scale=30 if unit == "month" else 1),
    )
    days = np.where(told != MISSING, told, days)
    # a baby whose age in years is left empty has its age in days only
    years = np.where((years == MISSING) & (told != MISSING), told // 365, years)
    if "birth_date" not in scalars.mapping.scalars:
        old = (years > 0) & (told != MISSING)
        _conflict(scalars, old & (np.abs(told // 365 - years) > 1), "age_days")
        return years, np.where(years == 0, days, MISSING)
    born = scalars.day("birth_date")
    admitted = scalars.day("admit_time")
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


def _told_ages(scalars: Scalars) -> tuple[_Ints, _Ints]:
    """Years and days as the column of ages tells them."""
    days = np.full(len(scalars.table), MISSING, np.int64)
    column = scalars.column("age")
    if column is None:
        return days, days.copy()
    years, rest = scalars.read_plainly(column, plain.whole(0, 130), MISSING)
    if rest is not None:
        parsed = [values.age(value) for value in rest.cells.values]
        scalars.report("age", rest, [Value(each.years, bad=each.bad) for each in parsed])
        index = rest.cells.index
        years[rest.rows] = np.array([each.years for each in parsed], np.int64)[index]
        days[rest.rows] = np.array([each.days for each in parsed], np.int64)[index]
    return years, days


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
    los = scalars.numbers("los", values.count, plain=plain.whole(0, plain.MOST))
    admitted = scalars.day("admit_time")
    left = scalars.day("discharge_time")
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
    codes = coded(scalars, "leaving")
    if "leaving" not in scalars.mapping.scalars:
        return codes
    empty = codes == 0
    if empty.any():
        scalars.findings.repairs["leaving_empty"] += int(empty.sum())
    return np.where(empty, 9, codes)


def insurances(scalars: Scalars) -> Sequence[str]:
    """Insurance codes; list codes and titles are mapped, what is not known stays as written."""
    table = spellings("insurance")
    cells = scalars.cells("insurance")
    if cells is None:
        return Texts([""], np.zeros(len(scalars.table), np.int32))
    texts = [values.known_text(value) for value in cells.values]
    known = [table.get(half_width(text).upper(), text) for text in texts]
    return Texts(known, cells.index)


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
