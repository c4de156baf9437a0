"""The columns that hold one value a row → arrays of numbers and lists of text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from grouper.records import _cells, plain, values
from grouper.records.batch import MISSING, MISSING_FEN
from grouper.records.cells import Cells, cells_of, one_array, plain_fen
from grouper.records.check import Findings, short
from grouper.records.fields import spellings
from grouper.records.layout import ColumnMap
from grouper.records.plain import Plain
from grouper.records.sources import Sources
from grouper.records.textcolumn import ArrowTexts, Strings, Texts, strings_of
from grouper.records.user import Absent, Column
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
    _days: dict[str, _Ints] = field(default_factory=dict)

    def column(self, name: str) -> Column | None:
        """The column of a field, None if it has none."""
        at = self.mapping.scalars.get(name)
        return None if at is None else self.table.columns[at]

    def cells(self, name: str) -> Cells | None:
        """The distinct cells of a field, None if it has no column."""
        column = self.column(name)
        return None if column is None else cells_of(column)

    def numbers(
        self,
        name: str,
        parse: Callable[[object], Value],
        *,
        plain: Plain | None = None,
        missing: int = MISSING,
    ) -> _Ints:
        """One number a row; bad values are reported, and errors among them reject the row.

        `plain` reads the cells of text that are in its form, `parse` all others.
        """
        column = self.column(name)
        if column is None:
            return np.full(len(self.table), missing, np.int64)
        out, rest = self._read_plainly(column, plain, missing)
        if rest is not None:
            parsed = [parse(value) for value in rest.cells.values]
            self.report(name, rest, parsed)
            numbers = np.array([value.number for value in parsed], np.int64)
            out[rest.rows] = numbers[rest.cells.index]
        return out

    def _read_plainly(
        self, column: Column, plain: Plain | None, missing: int
    ) -> tuple[_Ints, Rest | None]:
        """What the plain reader can tell, and the cells that it leaves."""
        out = np.full(len(self.table), missing, np.int64)
        strings = _written(column) if plain is not None else None
        if plain is None or strings is None:
            return out, Rest(cells_of(column), slice(None))
        odd = np.empty(len(out), np.int32)
        rows = odd[: plain(strings, missing, out, odd)]
        return out, _rest(column, rows) if len(rows) else None

    def day(self, name: str) -> _Ints:
        """Days since 1970 a row; several steps ask for the same dates."""
        if name not in self._days:
            self._days[name] = self.numbers(name, values.day, plain=plain.day)
        return self._days[name]

    def money(self, name: str) -> _Ints:
        """Fen a row."""
        column = self.column(name)
        fen = plain_fen(column) if column is not None else None
        if fen is not None:
            return fen
        return self.numbers(name, values.money, plain=plain.money, missing=MISSING_FEN)

    def texts(self, name: str, *, exact: bool) -> Sequence[str]:
        """One text a row, "" where nothing is known."""
        cells = self.cells(name)
        if cells is None:
            return Texts([""], np.zeros(len(self.table), np.int32))
        read = values.cell_text if exact else values.known_text
        return Texts([read(value) for value in cells.values], cells.index)

    def reject_rows(self, code: str, rows: NDArray[np.bool_]) -> None:
        """Mark rows as rejected unless an earlier finding did."""
        self.reject[rows & (self.reject == 0)] = self.codes.index(code) + 1

    def report(self, name: str, rest: Rest, parsed: list[Value]) -> None:
        """Note what was odd about the distinct cells of a field; errors reject their rows."""
        odd = [k for k, value in enumerate(parsed) if value.bad or value.note]
        if not odd:
            return
        cells = rest.cells
        counts = np.bincount(cells.index, minlength=len(parsed))
        for k in odd:
            value, times = parsed[k], int(counts[k])
            if not times:
                continue
            if value.note:
                self.findings.repairs[value.note] += times
            if not value.bad:
                continue
            rows = np.zeros(len(self.table), bool)
            rows[rest.rows] = cells.index == k
            where = self.table.where(int(rows.argmax()), self.mapping.scalars[name])
            self.findings.add(
                value.bad, where, times=times, field=name, value=short(cells.values[k])
            )
            if value.bad in self.codes:
                self.reject_rows(value.bad, rows)


@dataclass(frozen=True, slots=True)
class Rest:
    """Cells that no plain reader took, and their rows."""

    cells: Cells
    rows: NDArray[np.int32] | slice


#: cells of lists whose texts Arrow writes as `values.cell_text` does, where they are plain
_NUMBERS = frozenset({int, float})
_WRITABLE = frozenset({str, type(None), Absent}) | _NUMBERS


def _written(column: Column) -> Strings | None:
    """The cells as texts, None for types whose plain texts are not known to be what they mean.

    Numbers and dates mean what their texts mean: `values.cell_text`.
    """
    array = _list_array(column) if isinstance(column, list) else one_array(column)
    if array is None:
        return None
    types, kind = pa.types, array.type
    if types.is_integer(kind) or types.is_floating(kind) or types.is_date32(kind):
        array = array.cast(pa.string())
    return strings_of(array)


def _list_array(column: list[object]) -> pa.Array | None:
    """A list of texts, or of numbers and empty cells, as one array."""
    kinds = set(map(type, column))
    if not kinds <= _WRITABLE:
        return None
    if not {int, float} & kinds:
        return pa.array([cell if isinstance(cell, str) else None for cell in column], pa.string())
    if str in kinds and any(type(cell) is str and cell for cell in column):
        return None
    try:
        return pa.array([cell if type(cell) in _NUMBERS else None for cell in column])
    except (pa.ArrowInvalid, OverflowError):
        return None


def _rest(column: Column, rows: NDArray[np.int32]) -> Rest:
    """Some cells of a column."""
    if isinstance(column, list):
        return Rest(cells_of([column[row] for row in rows.tolist()]), rows)
    return Rest(cells_of(column.take(pa.array(rows))), rows)


def coded(scalars: Scalars, name: str) -> _Ints:
    """A column of codes of a set such as the sex."""
    known = plain.letter(values.codes_of(name))
    return scalars.numbers(name, lambda cell: values.coded(cell, name), plain=known, missing=0)


def weights(scalars: Scalars) -> _Ints:
    """Weight at admission in thousandths of a gram; from 100 g on it needs no second look."""
    unit = scalars.mapping.units.get("weight", "g")
    grams = plain.whole(100, plain.MOST // 1000, scale=1000) if unit == "g" else None
    return scalars.numbers("weight", lambda cell: values.weight(cell, unit=unit), plain=grams)


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
    years, rest = scalars._read_plainly(column, plain.whole(0, 130), MISSING)
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


#: columns that may tell rows apart
KEYS = ("id", "record_no", "stay_no", "settlement_id", "encounter_id")


def case_ids(scalars: Scalars) -> Sequence[str]:
    """The id of each row: `id`, else record number and number of the stay, else another key.

    Without any such column the row numbers serve. RE01: nothing there; RE07: digits lost.
    """
    given = [name for name in KEYS if name in scalars.mapping.scalars]
    if not given:
        return ArrowTexts(pa.array(scalars.table.numbers).cast(pa.string()))
    ids = _plain_ids(scalars) if given == ["id"] else None
    if ids is None:
        ids = _combined_ids(scalars, given)
    return ids


def exact_ids(scalars: Scalars) -> Sequence[str]:
    """The column `id` as it stands."""
    column = scalars.column("id")
    if column is not None and not isinstance(column, list):
        array = one_array(column)
        if pa.types.is_string(array.type):
            return ArrowTexts(pc.fill_null(array, ""))
    return scalars.texts("id", exact=True)


def _plain_ids(scalars: Scalars) -> Sequence[str] | None:
    """The ids of a column of text, where only odd cells become Python strings."""
    column = scalars.column("id")
    if column is None:
        return None
    array = _list_array(column) if isinstance(column, list) else one_array(column)
    strings = None if array is None else strings_of(array)
    if array is None or strings is None:
        return None
    odd = np.empty(len(array), np.int32)
    rows = odd[: _cells.odd_texts(*strings, odd)]
    array = pc.fill_null(array, "")
    if not len(rows):
        return ArrowTexts(array)
    rest = _rest(column, rows)
    texts = [values.known_text(value) for value in rest.cells.values]
    mask = np.zeros(len(array), bool)
    mask[rows] = True
    replaced = pa.array(texts, array.type).take(pa.array(rest.cells.index))
    array = pc.replace_with_mask(array, pa.array(mask), replaced)
    empty = np.zeros(len(array), bool)
    empty[rows] = np.array([not text for text in texts], bool)[rest.cells.index]
    _reject_empty(scalars, empty)
    _lost_digits(scalars, rest)
    return ArrowTexts(array)


def _combined_ids(scalars: Scalars, given: Sequence[str]) -> Sequence[str]:
    """The first of several keys that a row has."""
    ids = list(scalars.texts("id", exact=False))
    if "record_no" in given:
        visits = scalars.texts("visit_no", exact=False)
        records = scalars.texts("record_no", exact=False)
        pairs = zip(ids, records, visits, strict=True)
        ids = [i or (f"{r}_{v}" if r and v else r) for i, r, v in pairs]
    for name in KEYS[2:]:
        if name in given:
            ids = [i or j for i, j in zip(ids, scalars.texts(name, exact=False), strict=True)]
    _reject_empty(scalars, np.array([not text for text in ids], bool))
    cells = scalars.cells("id")
    if cells is not None:
        _lost_digits(scalars, Rest(cells, slice(None)))
    return ids


def _reject_empty(scalars: Scalars, empty: NDArray[np.bool_]) -> None:
    if empty.any():
        for at in np.flatnonzero(empty)[:100].tolist():
            scalars.findings.add("RE01", scalars.table.where(at))
        scalars.findings.counts["RE01"] = int(empty.sum())
        scalars.reject_rows("RE01", empty)


def _lost_digits(scalars: Scalars, rest: Rest) -> None:
    whole, lost = Value(0), Value(0, bad="RE07")
    scalars.report("id", rest, [lost if _is_damaged(v) else whole for v in rest.cells.values])


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
