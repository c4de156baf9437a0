"""One DIP case, step by step: the same score and amount as in a batch, for the reader.

Written the way the rules are: with the ratio r = cost / reference and a factor on the score. The
batch uses the lines and whole-fen borders of settle.dip_cell; tests hold one against the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from grouper.money import round_half_up
from grouper.policy.dip import Band
from grouper.settle.dip_cell import Border, Deviation, DipCell
from grouper.settle.outliers import stands


@dataclass(frozen=True, slots=True)
class DipScore:
    """How the score of a case came about.

    deviation: the band (`normal` where there is none); ratio: cost / reference, None where nothing
    is compared; factor: what the deviation makes of the score, K apart unless the band has it
    inside; exact: the case score before rounding; units: rounded, in 10**-decimals; fen: the
    payment; standard_fen: what it would be without deviation; review: experts are to look at it.
    """

    deviation: Deviation
    ratio: Fraction | None
    factor: Fraction
    exact: Fraction
    units: int
    fen: int
    standard_fen: int
    review: bool = False

    @property
    def word(self) -> str:
        """`low`, `normal` or `high`, as results print it; extreme costs are high ones."""
        return "high" if self.deviation == "extreme" else self.deviation


def score_case(cell: DipCell, cost_fen: int) -> DipScore:
    """The score and payment of a case that costs `cost_fen` (above 0)."""
    reference = cell.reference_fen
    ratio = None if reference is None else cost_fen / reference
    deviation, border = band_of(cell, cost_fen)
    if border is None:
        units, fen = cell.settle(cell.normal, cost_fen)
        exact = cell.normal.units(cost_fen) / 10**cell.decimals
        return DipScore("normal", ratio, Fraction(1), exact, units, fen, cell.standard_fen)
    assert ratio is not None
    band = border.band
    if band.form == "cost":
        exact = cost_fen / cell.point_fen
        factor = exact / (cell.base * cell.coefficient)
        fen = cost_fen
    else:
        factor = _factor(band, ratio, cell.coefficient)
        exact = cell.base * factor * (cell.coefficient if band.coefficient == "all" else 1)
        fen = cell.amount(round_half_up(exact * 10**cell.decimals))
    units = round_half_up(exact * 10**cell.decimals)
    return DipScore(deviation, ratio, factor, exact, units, fen, cell.standard_fen, band.review)


def band_of(cell: DipCell, cost_fen: int) -> tuple[Deviation, Border | None]:
    """The band a cost falls into, compared exactly by cross product: low, extreme, then high."""
    reference = cell.reference_fen
    named: tuple[tuple[Deviation, Border | None], ...] = (
        ("low", cell.low),
        ("extreme", cell.extreme),
        ("high", cell.high),
    )
    for name, border in named:
        if border is None or reference is None:
            continue
        if stands(cost_fen, border.band.operator, Fraction(border.band.multiple), reference):
            return name, border
    return "normal", None


def _factor(band: Band, ratio: Fraction, k: Fraction) -> Fraction:
    """What a band makes of the score, as the rules write it."""
    one = k if band.coefficient == "inside" else Fraction(1)
    if band.form == "standard":
        return one
    if band.form == "ratio":
        return ratio * one
    return one + Fraction(band.share) * (ratio - Fraction(band.deducted))


def special_score(approved_fen: int, point_fen: Fraction, *, decimals: int) -> tuple[int, int]:
    """Score units and payment of a case that special review (特例单议) has taken: what it approved.

    approved_fen: the cost by items, or another amount that the review has set. Replaces all else.
    """
    return round_half_up(approved_fen / point_fen * 10**decimals), approved_fen
