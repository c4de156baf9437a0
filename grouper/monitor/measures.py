"""The counts behind every coverage measure: numerator and denominator by key.

Three places a case can belong to decide what it counts for: institutions and diseases belong to
the area of the institution, money to the area whose fund pays.
Source: DRG/DIP three-year plan (2021) for the four kinds of coverage; the exact reading of each
numerator and denominator is ours (confidence: constructed), see docs/reference/coverage.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from grouper.errors import Issue, SettlementError
from grouper.monitor.cases import MISSING_FEN, Area, Cases, Category, Hospital, Period

Dimension = Literal["area", "institution", "level", "insurance"]
DIMENSIONS: tuple[Dimension, ...] = ("area", "institution", "level", "insurance")
Institutions = Literal["with_cases", "contracted"]

#: one word for each chosen dimension
Key = tuple[str, ...]
Counts = dict[Key, int]


@dataclass(frozen=True, slots=True)
class Frame:
    """The cases beside everything looked up for them once, and the chosen reading."""

    cases: Cases
    hospitals: Sequence[Hospital]
    areas: tuple[Area, ...]
    hospital_area: Category
    level: Category
    fund_area: Category
    eligible: NDArray[np.bool_]
    institutions: Institutions


def look_up(
    cases: Cases,
    hospitals: Sequence[Hospital],
    areas: Sequence[Area],
    institutions: Institutions,
) -> Frame:
    """Look every case up in the table of institutions, once."""
    row_of = {hospital.code: row for row, hospital in enumerate(hospitals)}
    used = np.bincount(cases.hospital.index, minlength=len(cases.hospital.names))
    unknown = [
        Issue("ST407", "", {"hospital": name, "count": int(used[k])})
        for k, name in enumerate(cases.hospital.names)
        if used[k] and name not in row_of
    ]
    if unknown:
        raise SettlementError.of(unknown)
    rows = np.array([row_of.get(name, 0) for name in cases.hospital.names], np.int32)
    row = rows[cases.hospital.index]
    hospital_area = Category.coded([hospital.area for hospital in hospitals], row)
    fund_area = _fund_area(cases.area, hospital_area)
    names = {hospital.area for hospital in hospitals} | set(fund_area.names)
    known = tuple(areas) or tuple(Area(name) for name in sorted(names - {""}))
    return Frame(
        cases=cases,
        hospitals=hospitals,
        areas=known,
        hospital_area=hospital_area,
        level=Category.coded([hospital.level for hospital in hospitals], row),
        fund_area=fund_area,
        eligible=np.array([hospital.eligible for hospital in hospitals], bool)[row],
        institutions=institutions,
    )


def _fund_area(area: Category, hospital_area: Category) -> Category:
    """The area whose fund pays, that of the institution where a case names none."""
    if "" not in area.names:
        return area
    both = area.names + hospital_area.names
    blank = area.index == area.names.index("")
    shifted = hospital_area.index + np.int32(len(area.names))
    return Category.coded(both, np.where(blank, shifted, area.index))


def _within(cases: Cases, period: Period) -> NDArray[np.bool_]:
    return (cases.month >= period.first) & (cases.month <= period.last)


def _columns(frame: Frame, by: Sequence[Dimension], area: Category) -> list[Category]:
    column = {
        "area": area,
        "institution": frame.cases.hospital,
        "level": frame.level,
        "insurance": frame.cases.insurance,
    }
    return [column[name] for name in by]


def _areas(frame: Frame, period: Period, by: Sequence[Dimension]) -> tuple[Counts, Counts]:
    """C1: areas with actual payment in or before the period / areas of the province."""
    cases = frame.cases
    rows = cases.paid & (cases.month > 0) & (cases.month <= period.last)
    paying = {frame.fund_area.names[k] for k in np.unique(frame.fund_area.index[rows])}
    return {(): sum(area.name in paying for area in frame.areas)}, {(): len(frame.areas)}


def _institutions(frame: Frame, period: Period, by: Sequence[Dimension]) -> tuple[Counts, Counts]:
    """C2: eligible institutions with a case paid by DRG/DIP / eligible ones with a case.

    `contracted` puts all institutions under contract below the line, with or without cases.
    """
    cases = frame.cases
    columns = _columns(frame, by, frame.hospital_area)
    rows = _within(cases, period) & frame.eligible
    num = _distinct(columns, cases.hospital, rows & cases.paid)
    if frame.institutions == "contracted":
        return num, _contracted(frame, by)
    return num, _distinct(columns, cases.hospital, rows)


def _contracted(frame: Frame, by: Sequence[Dimension]) -> Counts:
    """Institutions under contract by key; every insurance of the data sees them all."""
    insurances = frame.cases.insurance.names if "insurance" in by else ("",)
    counts: Counts = {}
    for hospital in frame.hospitals:
        for insurance in insurances if hospital.contract else ():
            value = {
                "area": hospital.area,
                "institution": hospital.code,
                "level": hospital.level,
                "insurance": insurance,
            }
            key = tuple(value[name] for name in by)
            counts[key] = counts.get(key, 0) + 1
    return counts


def _covered(frame: Frame, period: Period) -> NDArray[np.bool_]:
    """Rows of the period in covered institutions: eligible ones that have any paid case in it."""
    cases = frame.cases
    within = _within(cases, period) & frame.eligible
    covered = np.zeros(len(cases.hospital.names), bool)
    covered[cases.hospital.index[within & cases.paid]] = True
    return within & covered[cases.hospital.index]


def _disease_cases(frame: Frame, period: Period, by: Sequence[Dimension]) -> tuple[Counts, Counts]:
    """C3a: cases paid by DRG/DIP in covered institutions / all inpatient cases there."""
    columns = _columns(frame, by, frame.hospital_area)
    rows = _covered(frame, period)
    return _sum(columns, rows & frame.cases.paid), _sum(columns, rows)


def _disease_types(frame: Frame, period: Period, by: Sequence[Dimension]) -> tuple[Counts, Counts]:
    """C3b: distinct disease types with a case so paid / distinct types there.

    A case without a known type (not grouped) has none to count.
    """
    types = frame.cases.disease_type
    columns = _columns(frame, by, frame.hospital_area)
    known = np.array([name != "" for name in types.names], bool)[types.index]
    rows = _covered(frame, period) & known
    return _distinct(columns, types, rows & frame.cases.paid), _distinct(columns, types, rows)


def _fund(frame: Frame, period: Period, by: Sequence[Dimension]) -> tuple[Counts, Counts]:
    """C4: pooled fund of cases paid by DRG/DIP / pooled fund of all inpatient cases of the area."""
    return _pool(frame, by, _within(frame.cases, period))


def _fund_eligible(frame: Frame, period: Period, by: Sequence[Dimension]) -> tuple[Counts, Counts]:
    """C4 without the kinds of stay that the area keeps out of DRG/DIP."""
    return _pool(frame, by, _within(frame.cases, period) & ~frame.cases.excluded)


def _pool(frame: Frame, by: Sequence[Dimension], rows: NDArray[np.bool_]) -> tuple[Counts, Counts]:
    columns = _columns(frame, by, frame.fund_area)
    pool = frame.cases.pool_fen
    rows = rows & (pool != MISSING_FEN)
    return _sum(columns, rows & frame.cases.paid, pool), _sum(columns, rows, pool)


def _cells(
    columns: Sequence[Category], rows: NDArray[np.bool_]
) -> tuple[list[Key], NDArray[np.intp]]:
    """The keys that occur in the marked rows, and for each of these rows the position of its key.

    rows: (n,) bool. Returns the keys and (count of rows,) positions.
    """
    chosen = np.flatnonzero(rows)
    code = np.zeros(len(chosen), np.int64)
    for column in columns:
        code = code * len(column.names) + column.index[chosen]
    values, cell = np.unique(code, return_inverse=True)
    keys = []
    for value in values.tolist():
        key: list[str] = []
        for column in reversed(columns):
            value, position = divmod(value, len(column.names))
            key.insert(0, column.names[position])
        keys.append(tuple(key))
    return keys, cell


def _sum(
    columns: Sequence[Category], rows: NDArray[np.bool_], fen: NDArray[np.int64] | None = None
) -> Counts:
    """Rows by key, or the exact sum of their fen."""
    keys, cell = _cells(columns, rows)
    sums = np.zeros(len(keys), np.int64)
    np.add.at(sums, cell, 1 if fen is None else fen[rows])
    return dict(zip(keys, sums.tolist(), strict=True))


def _distinct(columns: Sequence[Category], entity: Category, rows: NDArray[np.bool_]) -> Counts:
    """How many different values `entity` has by key, over the marked rows."""
    keys, _ = _cells([*columns, entity], rows)
    counts: Counts = {}
    for key in keys:
        counts[key[:-1]] = counts.get(key[:-1], 0) + 1
    return counts


#: measure -> its count, in the order of reports
COUNTS: Mapping[str, Callable[[Frame, Period, Sequence[Dimension]], tuple[Counts, Counts]]] = {
    "area": _areas,
    "institution": _institutions,
    "disease_cases": _disease_cases,
    "disease_types": _disease_types,
    "fund": _fund,
    "fund_eligible": _fund_eligible,
}
