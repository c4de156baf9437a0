"""The price of a DIP cell: what all cases of one group, hospital, insurance and era share.

A case score is linear in the cost of the case, so a cell holds one line for each band. All is
exact; the score is rounded once, then the amount once (docs/reference/dip-money.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from grouper.errors import Issue
from grouper.money import FEN_PER_YUAN, round_half_up
from grouper.policy.dip import Band, DipRules, KindRule
from grouper.settle.outliers import limit

Deviation = Literal["normal", "low", "high", "extreme"]


@dataclass(frozen=True, slots=True)
class Worth:
    """What the catalogue prints for a group: score (分值), mean cost in yuan, own coefficient."""

    code: str
    kind: str
    score: Decimal | None
    mean_cost: Decimal | None = None
    coefficient: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A case score, slope x cost in fen + intercept; `at_cost`: the case is paid slope's cost."""

    slope: Fraction
    intercept: Fraction
    at_cost: Fraction | None = None

    def score(self, cost_fen: int) -> Fraction:
        """The exact score of a case of that cost."""
        return self.slope * cost_fen + self.intercept


@dataclass(frozen=True, slots=True)
class Border:
    """A band in one cell, with its border among whole fen (outliers.limit)."""

    band: Band
    line: Line
    limit_fen: int


@dataclass(frozen=True, slots=True)
class DipCell:
    """The lines of a cell.

    base: score x A (x days); coefficient: K as it holds for the kind of group, 1 where it plays
    no part; point_fen: fen a point; reference_fen: what costs are divided by, None where no band
    and no ratio asks; decimals: of a case score. `normal`: the line of cases without deviation.
    """

    score: Decimal
    base: Fraction
    coefficient: Fraction
    point_value: Decimal
    reference_fen: Fraction | None
    normal: Line
    low: Border | None
    high: Border | None
    extreme: Border | None
    decimals: int

    @property
    def point_fen(self) -> Fraction:
        """Fen a point, exact."""
        return Fraction(self.point_value) * FEN_PER_YUAN

    @property
    def standard_units(self) -> int:
        """The score of the group's normal case, in units of 10**-decimals."""
        return self.rounded(self.base * self.coefficient)

    @property
    def standard_fen(self) -> int:
        """What the group's normal case is paid."""
        return self.amount(self.standard_units)

    def rounded(self, score: Fraction) -> int:
        """A score in units of 10**-decimals, half up."""
        return round_half_up(score * 10**self.decimals)

    def amount(self, units: int) -> int:
        """A rounded score in fen, half up."""
        return round_half_up(units * self.point_fen / 10**self.decimals)

    def settle(self, line: Line, cost_fen: int) -> tuple[int, int]:
        """Case score in units and payment in fen of a case on a line."""
        units = self.rounded(line.score(cost_fen))
        if line.at_cost is not None:
            return units, round_half_up(line.at_cost * cost_fen)
        return units, self.amount(units)


def price_dip_cell(
    rules: DipRules,
    kind: KindRule,
    worth: Worth,
    *,
    coefficient: Decimal,
    point_value: Decimal,
    adjustment: Decimal = Decimal(1),
    days: int = 1,
) -> DipCell | Issue:
    """The price of a cell, or the issue why it has none.

    coefficient: of the hospital; adjustment: the auxiliary coefficient (A) of the case; days: of
    the stay, for groups that are paid by the day. Order of the factors: score, A, deviation, K.
    Issues: ST141 no score, ST142 a score that is not above 0, ST145 no mean cost to compare with.
    """
    if kind.form in ("cost", "overall"):
        return _outside(rules, kind, worth, point_value)
    if worth.score is None:
        return Issue("ST141", worth.code, {"group": worth.code})
    if worth.score <= 0:
        return Issue("ST142", worth.code, {"group": worth.code, "score": worth.score})
    base = Fraction(worth.score) * (Fraction(adjustment) if kind.adjusted else 1)
    base *= days if kind.unit == "day" else 1
    k = _coefficient(kind, worth, coefficient)
    point_fen = Fraction(point_value) * FEN_PER_YUAN
    reference: Fraction | None = None
    if kind.form == "ratio" or (kind.deviates and rules.deviation.reference == "mean_cost"):
        if worth.mean_cost is None or worth.mean_cost <= 0:
            return Issue("ST145", worth.code, {"group": worth.code})
        reference = Fraction(worth.mean_cost) * FEN_PER_YUAN
    elif kind.deviates:
        reference = base * k * point_fen
    if kind.form == "ratio":
        assert reference is not None
        normal = Line(Fraction(worth.score) * Fraction(kind.factor) / reference, Fraction(0))
        return _cell(rules, worth, point_value, (base, k, reference), normal)
    normal = Line(Fraction(0), base * k)
    return _cell(rules, worth, point_value, (base, k, reference), normal, deviates=kind.deviates)


def _coefficient(kind: KindRule, worth: Worth, hospital: Decimal) -> Fraction:
    """K as it holds for a kind of group."""
    if kind.coefficient == "hospital":
        return Fraction(hospital)
    own = worth.coefficient if kind.coefficient == "own" else None
    return Fraction(1) if own is None else Fraction(own)


def _outside(rules: DipRules, kind: KindRule, worth: Worth, point_value: Decimal) -> DipCell:
    """Cases that are paid by their cost alone."""
    factor, point_fen = Fraction(kind.factor), Fraction(point_value) * FEN_PER_YUAN
    if kind.form == "cost":
        line = Line(factor / point_fen, Fraction(0), at_cost=factor)
    else:
        assert kind.mean is not None
        mean_fen = Fraction(kind.mean) * FEN_PER_YUAN
        line = Line(factor * Fraction(kind.scale) / mean_fen, Fraction(0))
    return _cell(rules, worth, point_value, (Fraction(0), Fraction(1), None), line)


def _cell(
    rules: DipRules,
    worth: Worth,
    point_value: Decimal,
    factors: tuple[Fraction, Fraction, Fraction | None],
    normal: Line,
    *,
    deviates: bool = False,
) -> DipCell:
    base, k, reference = factors
    bands = rules.deviation if deviates else None
    point_fen = Fraction(point_value) * FEN_PER_YUAN

    def border(band: Band | None) -> Border | None:
        if band is None or reference is None:
            return None
        line = _line(band, base, k, reference, point_fen)
        return Border(band, line, limit(band.operator, Fraction(band.multiple), reference))

    return DipCell(
        score=worth.score or Decimal(0),
        base=base,
        coefficient=k,
        point_value=point_value,
        reference_fen=reference,
        normal=normal,
        low=border(bands.low if bands else None),
        high=border(bands.high if bands else None),
        extreme=border(bands.extreme if bands else None),
        decimals=rules.score_decimals,
    )


def _line(
    band: Band, base: Fraction, k: Fraction, reference: Fraction, point_fen: Fraction
) -> Line:
    """The score of the cases of a band, as a line over their cost."""
    if band.form == "cost":
        return Line(1 / point_fen, Fraction(0), at_cost=Fraction(1))
    outside = k if band.coefficient == "all" else Fraction(1)
    inside = k if band.coefficient == "inside" else Fraction(1)
    if band.form == "standard":
        return Line(Fraction(0), base * inside * outside)
    if band.form == "ratio":
        return Line(base * inside * outside / reference, Fraction(0))
    share = Fraction(band.share)
    slope = base * share / reference * outside
    return Line(slope, base * (inside - share * Fraction(band.deducted)) * outside)
