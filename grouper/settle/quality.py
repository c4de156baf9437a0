"""The yearly quality score (质量考核) and the deposit (质量保证金) it gives back.

The score is an input: 按病种付费医疗保障经办管理规程（2025版） arts. 26, 34-35 name what is
assessed and leave points and steps to the region.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from grouper.errors import SettlementError
from grouper.money import round_half_up

BEST_SCORE = 100


@dataclass(frozen=True, slots=True)
class ScoreStep:
    """From this score on the deposit is returned by `factor`; None: by the score / 100."""

    lowest: Fraction
    factor: Fraction | None


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """The steps, the highest first; the last begins at 0."""

    steps: tuple[ScoreStep, ...]

    def factor(self, score: Fraction) -> Fraction:
        """The share of the deposit that a score gives back.

        Raises SettlementError ST106 for a score outside 0 to 100.
        """
        if not 0 <= score <= BEST_SCORE:
            raise SettlementError("ST106", "score", key="score", value=score)
        step = next(step for step in self.steps if score >= step.lowest)
        return score / BEST_SCORE if step.factor is None else step.factor


def make_score_table(rows: Sequence[tuple[Fraction, Fraction | None]]) -> ScoreTable:
    """A checked table of (lowest score, factor or None for the score itself).

    Raises SettlementError ST107 for scores that do not fall to 0, ST106 for a factor outside 0
    to 1.
    """
    reached: Fraction | None = None
    for lowest, factor in rows:
        if reached is not None and lowest >= reached:
            raise SettlementError("ST107", "score_table", key="score_table")
        if factor is not None and not 0 <= factor <= 1:
            raise SettlementError("ST106", "score_table", key="score_table", value=factor)
        reached = lowest
    if reached != 0:
        raise SettlementError("ST107", "score_table", key="score_table")
    return ScoreTable(tuple(ScoreStep(*row) for row in rows))


def returned_deposit(deposit_fen: int, factor: Fraction) -> int:
    """The part of a deposit that is given back, in fen, half up."""
    return round_half_up(deposit_fen * factor)
