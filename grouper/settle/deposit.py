"""The deposit (质量保证金): how much of it comes back after the year's assessment.

The score may steer it (经办管理规程 2025, art. 35); steps and factors are the region's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from grouper.errors import SettlementError
from grouper.money import decimal_text, round_half_up

_HUNDRED = 100


@dataclass(frozen=True, slots=True)
class ScoreStep:
    """From a score of `lowest` on, `factor` of the deposit comes back (None: score / 100)."""

    lowest: Fraction
    factor: Fraction | None

    def share(self, score: Fraction) -> Fraction:
        """The share that comes back at a score."""
        return score / _HUNDRED if self.factor is None else self.factor


def returned_share(score: Fraction, steps: Sequence[ScoreStep]) -> Fraction:
    """The share of the first step from the top that the score reaches.

    Raises SettlementError ST107 when steps do not fall, a share lies outside 0 to 1 or no step is
    reached.
    """
    falls = all(one.lowest > next_.lowest for one, next_ in pairwise(steps))
    reached = next((step for step in steps if score >= step.lowest), None)
    if not falls or reached is None or not 0 <= reached.share(score) <= 1:
        raise SettlementError("ST107", decimal_text(score), key="score_table")
    return reached.share(score)


def returned_deposit(deposit_fen: int, score: Fraction, steps: Sequence[ScoreStep]) -> int:
    """What comes back of a deposit, in fen, rounded half up."""
    return round_half_up(deposit_fen * returned_share(score, steps))
