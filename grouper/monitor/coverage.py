"""How much is paid by DRG/DIP, held against the targets of dated documents."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from grouper.errors import Issue, SettlementError
from grouper.money import round_half_up, to_fen
from grouper.monitor.cases import MISSING_FEN, Area, Cases, Hospital, Period, PeriodKind, periods
from grouper.monitor.measures import (
    COUNTS,
    DIMENSIONS,
    Dimension,
    Frame,
    Institutions,
    look_up,
)
from grouper.monitor.ratio import CoverageStatus, Unit, amount_text, judge, percent
from grouper.monitor.targets import UNITS, Target, in_force

#: measured when nothing is chosen; what targets name is added
MEASURES: tuple[str, ...] = ("area", "institution", "disease_cases", "disease_types", "fund")
#: stands for "all areas together" in the name of a row
ALL = "*"


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """One share: a measure in a period, for one value of every chosen dimension.

    name        measure and values joined by "|", such as "institution|A市"
    dimension   (dimension, value) pairs in the order of DIMENSIONS; ALL = all areas together
    num, den    counts, or fen where the unit is yuan; gap in the same unit
    target      the figure it is held against, None = reported only
    ratio_bp    hundredths of a percent for display and drawing; never decides
    """

    name: str
    measure: str
    period: str
    dimension: tuple[tuple[str, str], ...]
    num: int
    den: int
    unit: Unit
    target: Target | None
    ratio_text: str | None
    ratio_bp: int | None
    status: CoverageStatus
    gap: int | None

    @property
    def target_bp(self) -> int | None:
        """The target in hundredths of a percent."""
        return None if self.target is None else round_half_up(self.target.value * 10_000)

    @property
    def target_text(self) -> str | None:
        """The target as a percentage of two decimals."""
        return None if self.target_bp is None else percent(self.target_bp)

    @property
    def gap_text(self) -> str | None:
        """The gap as a count or in yuan."""
        return None if self.gap is None else amount_text(self.gap, self.unit)

    def to_dict(self) -> dict[str, object]:
        """Stable keys for `--json`; money in yuan as text."""
        target = self.target
        return {
            "name": self.name,
            "measure": self.measure,
            "period": self.period,
            "dimension": dict(self.dimension),
            "num": amount_text(self.num, self.unit),
            "den": amount_text(self.den, self.unit),
            "unit": self.unit,
            "ratio": self.ratio_text,
            "status": self.status,
            "gap": self.gap_text,
            "target": self.target_text,
            "document": None if target is None else target.number,
            "due": None if target is None else target.period,
            "confidence": None if target is None else target.confidence,
        }


@dataclass(frozen=True, slots=True)
class Coverage:
    """All shares of a table of cases, and what the reader must know about them."""

    rows: tuple[CoverageRow, ...]
    issues: tuple[Issue, ...]


@dataclass(frozen=True, slots=True)
class _Cell:
    """One share before it is judged; `area` is None where several areas are counted together."""

    measure: str
    period: Period
    dimension: tuple[tuple[str, str], ...]
    num: int
    den: int
    area: Area | None

    def row(self, target: Target | None) -> CoverageRow:
        value = None if target is None else target.value
        result = judge(self.num, self.den, value)
        return CoverageRow(
            name="|".join((self.measure, *(word for _, word in self.dimension))),
            measure=self.measure,
            period=self.period.label,
            dimension=self.dimension,
            num=self.num,
            den=self.den,
            unit=UNITS[self.measure],
            target=target,
            ratio_text=result.ratio_text,
            ratio_bp=result.ratio_bp,
            status=result.status,
            gap=result.gap,
        )


def measure_coverage(
    cases: Cases,
    hospitals: Sequence[Hospital],
    *,
    period: PeriodKind = "year",
    by: Sequence[Dimension] = ("area",),
    measures: Sequence[str] = (),
    areas: Sequence[Area] = (),
    targets: Sequence[Target] = (),
    institutions: Institutions = "with_cases",
    allow: Literal["verified", "unverified"] = "verified",
) -> Coverage:
    """The coverage measures of a table of settlements, in every period it holds.

    by: a row for each combination of these (the `area` measure has one row a period); with
        "area" and more than one area, a row for all areas together is added.
    measures: some of `grouper.monitor.targets.UNITS`; () = MEASURES and what the targets name.
    areas: the pooling areas of the province with their start years; () = those in the data.
    institutions: denominator of that measure: eligible ones with a case, or all under contract.
    allow: whether targets marked unofficial or constructed decide (else: reported only).

    A row held against two documents stands twice. Warnings ST401, ST409, ST410, ST411 are
    returned; raises SettlementError ST407 for institutions that are not in the table, ValueError
    for a dimension or measure that does not exist.
    """
    if unknown := {*by} - {*DIMENSIONS} | {*measures} - {*UNITS}:
        raise ValueError(f"no such dimension or measure: {sorted(unknown)}")
    frame = look_up(cases, hospitals, areas, institutions)
    chosen = tuple(name for name in DIMENSIONS if name in by)
    rows: list[CoverageRow] = []
    skipped: set[Target] = set()
    for one in periods(cases.month, period):
        for measure in tuple(measures) or _measures_for(targets):
            fitting = [target for target in targets if target.measure == measure]
            rows += _measured(frame, _Plan(measure, one, chosen, fitting, allow), skipped)
    return Coverage(tuple(rows), tuple(_notes(cases, rows, skipped)))


def _measures_for(targets: Sequence[Target]) -> tuple[str, ...]:
    named = {target.measure for target in targets}
    return tuple(name for name in UNITS if name in MEASURES or name in named)


@dataclass(frozen=True, slots=True)
class _Plan:
    """One measure in one period: what to count by and what to hold it against."""

    measure: str
    period: Period
    by: tuple[Dimension, ...]
    targets: Sequence[Target]
    allow: Literal["verified", "unverified"]

    def in_force(self, area: Area | None, scopes: Sequence[str]) -> tuple[Target, ...]:
        """The step of every document for this period; the start of the area is known or not."""
        fitting = [target for target in self.targets if target.scope in scopes]
        start_year = None if area is None else area.start_year
        return in_force(fitting, self.measure, self.period.year, start_year=start_year)

    def rows(
        self, cell: _Cell, targets: Sequence[Target], skipped: set[Target]
    ) -> list[CoverageRow]:
        """The cell held against each target that may decide; those that may not are noted."""
        usable = [target for target in targets if target.verified or self.allow == "unverified"]
        skipped.update(target for target in targets if target not in usable)
        return [cell.row(target) for target in usable] or [cell.row(None)]


def _measured(frame: Frame, plan: _Plan, skipped: set[Target]) -> list[CoverageRow]:
    """The rows of one measure in one period, all areas together last."""
    if plan.measure == "area":
        cells = _cells(frame, plan, ())
        return [
            row
            for cell in cells
            for row in plan.rows(cell, plan.in_force(None, ("each", "total")), skipped)
        ]
    single = len(frame.areas) == 1
    rows: list[CoverageRow] = []
    for cell in _cells(frame, plan, plan.by):
        scopes = ("each", "total") if single else ("each",) if cell.area else ("total",)
        rows += plan.rows(cell, plan.in_force(cell.area, scopes), skipped)
    if "area" not in plan.by or single:
        return rows
    rest = tuple(name for name in plan.by if name != "area")
    return rows + [
        row for cell in _cells(frame, plan, rest) for row in _together(cell, rows, plan, skipped)
    ]


def _cells(frame: Frame, plan: _Plan, by: tuple[Dimension, ...]) -> list[_Cell]:
    num, den = COUNTS[plan.measure](frame, plan.period, by)
    area_of = {area.name: area for area in frame.areas}
    only = frame.areas[0] if len(frame.areas) == 1 else None
    together = "area" in plan.by and "area" not in by and plan.measure != "area"
    cells = []
    for key in sorted(den):
        dimension: tuple[tuple[str, str], ...] = tuple(zip(by, key, strict=True))
        name = dict(dimension).get("area")
        area = only if name is None else area_of.get(name, Area(name))
        dimension = (("area", ALL), *dimension) if together else dimension
        cells.append(_Cell(plan.measure, plan.period, dimension, num.get(key, 0), den[key], area))
    return cells


def _together(
    cell: _Cell, rows: Sequence[CoverageRow], plan: _Plan, skipped: set[Target]
) -> list[CoverageRow]:
    """All areas as one: by their sum for `total` targets, by every single one for `each`.

    The gap of an `each` target is the sum of the areas' gaps: what one area has too much does not
    help another. There is no common verdict where areas are held against different steps, or
    one of them against none.
    """
    parts = [row for row in rows if row.dimension[1:] == cell.dimension[1:]]
    areas = {row.dimension[0] for row in parts}
    result = []
    for target in dict.fromkeys(row.target for row in parts):
        held = [row for row in parts if row.target == target]
        if target is not None and len(held) == len(areas):
            result.append(_every(cell.row(target), held))
    total = plan.in_force(None, ("total",))
    return result + plan.rows(cell, total, skipped) if total or not result else result


def _every(total: CoverageRow, parts: Sequence[CoverageRow]) -> CoverageRow:
    statuses = {row.status for row in parts}
    order: tuple[CoverageStatus, ...] = ("not_met", "no_data", "met")
    status = next(one for one in order if one in statuses)
    return replace(total, status=status, gap=sum(row.gap or 0 for row in parts))


def _notes(cases: Cases, rows: Sequence[CoverageRow], skipped: set[Target]) -> list[Issue]:
    """What a reader must know: shares without data, money or months missing, targets left out."""
    notes = [
        Issue("ST401", f"{row.period} {row.name}", {"name": row.name})
        for row in rows
        if row.status == "no_data"
    ]
    without_pool = int(np.count_nonzero(cases.pool_fen == MISSING_FEN))
    if without_pool:
        notes.append(Issue("ST409", "", {"count": without_pool}))
    without_month = int(np.count_nonzero(cases.month <= 0))
    if without_month:
        notes.append(Issue("ST411", "", {"count": without_month}))
    for target in sorted(skipped, key=lambda one: (one.row, one.period)):
        params = {
            "row": target.row,
            "number": target.number,
            "period": target.period,
            "confidence": target.confidence,
        }
        notes.append(Issue("ST410", "", params))
    return notes


def calculate_cover(inputs: Mapping[str, Any]) -> dict[str, dict[str, str | None]]:
    """The worked example of kind `cover`: rows of num, den, target -> ratio, status, gap.

    Numbers are text, as in the examples, or JSON numbers. Raises SettlementError ST408 for a row
    that lacks a value or holds an unusable one, ST112 and ST113 for money that is none.
    """
    rows = inputs.get("rows")
    if not isinstance(rows, list):
        raise SettlementError("ST408", "inputs.rows", key="rows", value=rows)
    return dict(_calculated(row, f"inputs.rows[{number}]") for number, row in enumerate(rows))


def _calculated(row: Any, where: str) -> tuple[str, dict[str, str | None]]:
    if not isinstance(row, Mapping):
        raise SettlementError("ST408", where, key="row", value=row)
    row = {key: _as_text(value) for key, value in row.items()}
    for key in ("name", "num", "den", "unit"):
        if not isinstance(row.get(key), str):
            raise SettlementError("ST408", where, key=key, value=row.get(key))
    if row["unit"] not in ("count", "yuan"):
        raise SettlementError("ST408", where, key="unit", value=row["unit"])
    unit: Unit = row["unit"]
    num, den = (_amount(row[key], unit, where, key) for key in ("num", "den"))
    target = row.get("target")
    result = judge(num, den, None if target is None else _share(target, where))
    gap = None if result.gap is None else amount_text(result.gap, unit)
    return row["name"], {"ratio": result.ratio_text, "status": result.status, "gap": gap}


def _as_text(value: object) -> object:
    """A number of JSON as its text; anything else as it is."""
    number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return str(value) if number else value


def _amount(text: str, unit: Unit, where: str, key: str) -> int:
    if unit == "yuan":
        return to_fen(text)
    if not re.fullmatch(r"-?[0-9]+", text):
        raise SettlementError("ST408", where, key=key, value=text)
    return int(text)


def _share(text: object, where: str) -> Fraction:
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        raise SettlementError("ST408", where, key="target", value=text)
    return Fraction(text)
