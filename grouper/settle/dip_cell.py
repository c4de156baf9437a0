"""The price of a DIP cell: what all cases of one group, hospital, insurance and era share.

A case score is linear in the cost of the case, so a cell holds one line for each band. All is
exact; the score is rounded once, then the amount once (docs/reference/dip-money.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Literal

from grouper.errors import Issue
from grouper.money import FEN_PER_YUAN, round_half_up
from grouper.policy.dip import Band, DipRules, KindRule

Deviation = Literal["normal", "low", "high", "extreme"]
_NOTHING, _ONE = Fraction(0), Fraction(1)


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
    """A case score in units of its last decimal, slope x cost in fen + intercept, exact.

    at_cost: the case is paid so many times its cost, whatever its score.
    """

    slope: Fraction
    intercept: Fraction
    at_cost: Fraction | None = None

    def units(self, cost_fen: int) -> Fraction:
        """The exact score of a case of that cost, in units."""
        return self.slope * cost_fen + self.intercept


@dataclass(frozen=True, slots=True)
class Border:
    """A band in one cell; edge_fen: the exact cost at which it begins or ends."""

    band: Band
    line: Line
    edge_fen: Fraction


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
    point_fen: Fraction
    reference_fen: Fraction | None
    normal: Line
    low: Border | None
    high: Border | None
    extreme: Border | None
    decimals: int

    @property
    def standard_units(self) -> int:
        """The score of the group's normal case, in units of 10**-decimals."""
        if self.normal.slope:
            return round_half_up(self.base * self.coefficient * 10**self.decimals)
        return round_half_up(self.normal.intercept)

    @property
    def standard_fen(self) -> int:
        """What the group's normal case is paid."""
        return self.amount(self.standard_units)

    def amount(self, units: int) -> int:
        """A rounded score in fen, half up."""
        value = self.point_fen
        return round_half_up(
            Fraction(units * value.numerator, value.denominator * 10**self.decimals)
        )

    def settle(self, line: Line, cost_fen: int) -> tuple[int, int]:
        """Case score in units and payment in fen of a case on a line."""
        units = round_half_up(line.units(cost_fen))
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
    base = exact(worth.score)
    if kind.adjusted and adjustment != 1:
        base *= exact(adjustment)
    if kind.unit == "day":
        base *= days
    k = _coefficient(kind, worth, coefficient)
    point_fen = _fen(point_value)
    reference: Fraction | None = None
    if kind.form == "ratio" or (kind.deviates and rules.deviation.reference == "mean_cost"):
        if worth.mean_cost is None or worth.mean_cost <= 0:
            return Issue("ST145", worth.code, {"group": worth.code})
        reference = _fen(worth.mean_cost)
    elif kind.deviates:
        reference = base * k * point_fen
    units = base * 10**rules.score_decimals
    if kind.form == "ratio":
        assert reference is not None
        slope = exact(worth.score) * exact(kind.factor) * 10**rules.score_decimals / reference
        normal = Line(slope, _NOTHING)
    else:
        normal = Line(_NOTHING, units if k == 1 else units * k)
    bands = rules.deviation if kind.deviates and kind.form == "standard" else None

    def border(band: Band | None) -> Border | None:
        if band is None or reference is None:
            return None
        line = _line(band, units, k, reference, point_fen, rules.score_decimals)
        return Border(band, line, exact(band.multiple) * reference)

    return DipCell(
        score=worth.score,
        base=base,
        coefficient=k,
        point_value=point_value,
        point_fen=point_fen,
        reference_fen=reference,
        normal=normal,
        low=border(bands.low) if bands else None,
        high=border(bands.high) if bands else None,
        extreme=border(bands.extreme) if bands else None,
        decimals=rules.score_decimals,
    )


def _coefficient(kind: KindRule, worth: Worth, hospital: Decimal) -> Fraction:
    """K as it holds for a kind of group."""
    if kind.coefficient == "hospital":
        return exact(hospital)
    own = worth.coefficient if kind.coefficient == "own" else None
    return _ONE if own is None else exact(own)


def _outside(rules: DipRules, kind: KindRule, worth: Worth, point_value: Decimal) -> DipCell:
    """Cases that are paid by their cost alone."""
    scale = 10**rules.score_decimals
    factor, point_fen = exact(kind.factor), _fen(point_value)
    if kind.form == "cost":
        line = Line(factor * scale / point_fen, _NOTHING, at_cost=factor)
    else:
        assert kind.mean is not None
        line = Line(factor * exact(kind.scale) * scale / _fen(kind.mean), _NOTHING)
    return DipCell(
        score=worth.score or Decimal(0),
        base=_NOTHING,
        coefficient=_ONE,
        point_value=point_value,
        point_fen=point_fen,
        reference_fen=None,
        normal=line,
        low=None,
        high=None,
        extreme=None,
        decimals=rules.score_decimals,
    )


def _line(
    band: Band,
    units: Fraction,
    k: Fraction,
    reference: Fraction,
    point_fen: Fraction,
    decimals: int,
) -> Line:
    """The score of the cases of a band, as a line over their cost; units: score x A in units."""
    if band.form == "cost":
        return Line(10**decimals / point_fen, _NOTHING, at_cost=_ONE)
    base = units * k if band.coefficient == "all" and k != 1 else units
    inside = k if band.coefficient == "inside" else _ONE
    if band.form == "standard":
        return Line(_NOTHING, base if inside == 1 else base * inside)
    slope = base / reference
    if band.form == "ratio":
        return Line(slope if inside == 1 else slope * inside, _NOTHING)
    share = exact(band.share)
    start = base * (inside - share * exact(band.deducted))
    return Line(slope if share == 1 else slope * share, start)


#: the same few numbers of an area come in every cell
@lru_cache(maxsize=1 << 16)
def exact(value: Decimal) -> Fraction:
    """A decimal as a fraction."""
    return Fraction(value)


@lru_cache(maxsize=1 << 16)
def _fen(yuan: Decimal) -> Fraction:
    return Fraction(yuan) * FEN_PER_YUAN
