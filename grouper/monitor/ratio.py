"""One share against one target, decided on exact integers; only the text of it is rounded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from grouper.money import round_half_up, yuan

Unit = Literal["count", "yuan"]
CoverageStatus = Literal["met", "not_met", "no_data", "reported_only"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a numerator, a denominator and a target say.

    ratio_bp    the share in hundredths of a percent, half up; for display and drawing only
    gap         what is missing to the target in the unit of the row (cases, institutions, areas;
                fen for yuan); None without data or target
    """

    status: CoverageStatus
    ratio_bp: int | None
    gap: int | None

    @property
    def ratio_text(self) -> str | None:
        """The share as shown: "53.45%"; None without data."""
        return None if self.ratio_bp is None else percent(self.ratio_bp)


def judge(num: int, den: int, target: Fraction | None) -> Judgement:
    """Hold num / den against "at least target"; num and den are counts or fen.

    The displayed percentage never decides: 49,999,999.99 of 100,000,000.00 shows 50.00% and has
    not met one half. The gap keeps the denominator fixed (existing spending moved to DRG) and is
    a whole case or fen, rounded up. A denominator below 0 (more reversals than bills) is no data.
    """
    if den <= 0:
        return Judgement("no_data", None, None)
    ratio_bp = round_half_up(Fraction(num * 10_000, den))
    if target is None:
        return Judgement("reported_only", ratio_bp, None)
    met = num * target.denominator >= target.numerator * den
    gap = max(0, math.ceil(target * den) - num)
    return Judgement("met" if met else "not_met", ratio_bp, gap)


def percent(basis_points: int) -> str:
    """Hundredths of a percent as text with two decimals: 5345 -> "53.45%"."""
    # a fen is a hundredth of a yuan just as this is a hundredth of a percent
    return f"{yuan(basis_points)}%"


def amount_text(amount: int, unit: Unit) -> str:
    """A count as it is, fen as yuan with two decimals."""
    return yuan(amount) if unit == "yuan" else str(amount)
