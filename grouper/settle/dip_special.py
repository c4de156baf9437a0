"""Special cases (特例单议) of a DIP year: which the quota takes, together with the point value.

An accepted case leaves the formula: what is paid for it comes out of the fund, its score out of the
sum of scores. That moves the point value, and the point value decides which cases lose most. The
set is therefore sought by iteration; all is exact and there are finitely many sets, so it either
settles on one or runs in a circle, which is then told.
Quota and review: 医保发〔2025〕18号 arts. 20-24; order and iteration are ours (constructed).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from grouper.errors import SettlementError
from grouper.money import FEN_PER_YUAN, yuan


@dataclass(frozen=True, slots=True)
class Candidate:
    """A case that passed review, amounts in fen.

    score: its score as grouped; approved_fen: what the fund pays for it when it is taken.
    """

    id: str
    total_fen: int
    score: Fraction
    approved_fen: int

    def loss(self, point_fen: Fraction) -> Fraction:
        """What the hospital loses in fen when the case is paid as grouped."""
        return self.total_fen - self.score * point_fen


@dataclass(frozen=True, slots=True)
class Round:
    """One step of the iteration: fen a point, and the cases that are taken at it, by rank."""

    point_fen: Fraction
    accepted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FixedPoint:
    """How the iteration went: each round once; `cycle` lists those that repeat, () = converged.

    accepted, point_fen: of the last round; without convergence they are not to be paid by.
    """

    quota: int
    rounds: tuple[Round, ...]
    cycle: tuple[Round, ...] = ()

    @property
    def converged(self) -> bool:
        """Whether the last round's cases are those its point value takes."""
        return not self.cycle

    @property
    def accepted(self) -> tuple[str, ...]:
        """The cases taken, the largest loss first."""
        return self.rounds[-1].accepted

    @property
    def point_fen(self) -> Fraction:
        """Fen a point once the cases are taken."""
        return self.rounds[-1].point_fen

    def require(self) -> FixedPoint:
        """Itself. Raises SettlementError ST146 with the circle if it does not converge."""
        if self.cycle:
            shown = "; ".join(
                f"{', '.join(one.accepted) or '-'} ({float(one.point_fen / FEN_PER_YUAN):.6f})"
                for one in self.cycle
            )
            raise SettlementError("ST146", n=len(self.cycle), cycle=shown)
        return self


def settle_special(
    candidates: Sequence[Candidate],
    *,
    quota: int,
    fund_fen: int,
    total_score: Fraction,
    ratio: Fraction,
    min_ratio: Fraction = Fraction(1),
    fixed_fen: Fraction | None = None,
) -> FixedPoint:
    """Which candidates are taken, at the point value that follows from taking them.

    quota: how many at most; total_score: of all cases, candidates included; ratio: the fund's share
    of the cost; min_ratio: the cost must be above so many times what the group pays. Ranked by
    loss, the largest first, then by id: the order of the candidates is of no meaning. fixed_fen:
    fen a point where the area's value does not move.
    Raises SettlementError ST301 when nothing is left of fund or score, ST147 for an id that stands
    twice.
    """
    seen: dict[str, Candidate] = {}
    for one in candidates:
        if seen.setdefault(one.id, one) is not one:
            raise SettlementError("ST147", one.id, id=one.id)
    rounds: list[Round] = []
    taken: frozenset[str] = frozenset()
    met: dict[frozenset[str], int] = {}
    while True:
        cases = [seen[key] for key in sorted(taken)]
        point = fixed_fen or _point_fen(cases, fund_fen, total_score, ratio)
        rounds.append(Round(point, _taken(candidates, point, quota, min_ratio)))
        accepted = frozenset(rounds[-1].accepted)
        if accepted == taken:
            return FixedPoint(quota, tuple(rounds))
        if accepted in met:
            # a set leads to one point value, so one that returns closes the circle
            return FixedPoint(quota, tuple(rounds), tuple(rounds[met[accepted] + 1 :]))
        met[accepted] = len(rounds) - 1
        taken = accepted


def _point_fen(
    taken: Sequence[Candidate], fund_fen: int, total_score: Fraction, ratio: Fraction
) -> Fraction:
    money = fund_fen - sum(one.approved_fen for one in taken)
    score = total_score - sum((one.score for one in taken), Fraction(0))
    if money <= 0 or score <= 0 or ratio <= 0:
        raise SettlementError("ST301", detail=f"{yuan(money)} / {score}")
    return money / ratio / score


def _taken(
    candidates: Sequence[Candidate], point_fen: Fraction, quota: int, min_ratio: Fraction
) -> tuple[str, ...]:
    losing = [
        one
        for one in candidates
        if one.loss(point_fen) > 0 and one.total_fen > min_ratio * one.score * point_fen
    ]
    losing.sort(key=lambda one: (-one.loss(point_fen), one.id))
    return tuple(one.id for one in losing[:quota])
