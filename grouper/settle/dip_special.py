"""Special cases (特例单议) of a DIP year: which the quota takes, together with the point value.

An accepted case leaves the formula: what is paid for it comes out of the fund, its score out of the
sum of scores. That moves the point value, and the point value decides which cases lose most. The
set is therefore sought by iteration; all is exact and there are finitely many sets, so it either
settles on one or runs in a circle, which is then told.
Quota and review: 医保发〔2025〕18号 arts. 20-24; order and iteration are ours (constructed).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from grouper.errors import SettlementError
from grouper.money import FEN_PER_YUAN, decimal_text


@dataclass(frozen=True, slots=True)
class Pool:
    """What one fund hands out for scores, candidates included: fen, and the sum of the scores.

    fixed_fen: fen a point where the area's value does not move.
    """

    money_fen: Fraction
    score: Fraction
    fixed_fen: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A case that passed review, amounts in fen.

    pool: the fund it belongs to; score: its score as grouped; taken_fen: what leaves the pool's
    money with it when it is taken (the approved amount, and on the basis of total cost what
    patients and other funds pay for it).
    """

    id: str
    total_fen: int
    score: Fraction
    taken_fen: Fraction
    pool: str = ""

    def loss(self, point_fen: Fraction) -> Fraction:
        """What the hospital loses in fen when the case is paid as grouped."""
        return self.total_fen - self.score * point_fen


@dataclass(frozen=True, slots=True)
class Round:
    """One step of the iteration: fen a point by pool, and the cases taken at it, by rank."""

    point_fen: Mapping[str, Fraction]
    accepted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FixedPoint:
    """How the iteration went: each round once; `cycle` lists those that repeat, () = converged.

    accepted, point_fen: of the last round; without convergence they are not to be paid by.
    losing: the candidates that lose at that point value, by rank, those over the quota last.
    """

    quota: int
    rounds: tuple[Round, ...]
    losing: tuple[str, ...]
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
    def point_fen(self) -> Mapping[str, Fraction]:
        """Fen a point of each pool once the cases are taken."""
        return self.rounds[-1].point_fen

    def require(self) -> FixedPoint:
        """Itself. Raises SettlementError ST146 with the circle if it does not converge."""
        if self.cycle:
            shown = "; ".join(
                f"{', '.join(one.accepted) or '-'} ({_values(one.point_fen)})" for one in self.cycle
            )
            raise SettlementError("ST146", n=len(self.cycle), cycle=shown)
        return self


def _values(point_fen: Mapping[str, Fraction]) -> str:
    """Yuan a point of every pool."""
    shown = ((pool, decimal_text(fen / FEN_PER_YUAN, places=6)) for pool, fen in point_fen.items())
    return ", ".join(f"{pool} {value}".strip() for pool, value in shown)


def settle_special(
    candidates: Sequence[Candidate],
    pools: Mapping[str, Pool],
    *,
    quota: int,
    min_ratio: Fraction = Fraction(1),
) -> FixedPoint:
    """Which candidates are taken, at the point values that follow from taking them.

    quota: how many at most over all pools; min_ratio: the cost must be above so many times what
    the group pays. Ranked by loss, the largest first, then by id: the order of the candidates is
    of no meaning. Raises SettlementError ST301 when nothing is left of money or score, ST147 for
    an id that stands twice.
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
        points = {name: _point_fen(name, pool, cases) for name, pool in pools.items()}
        losing = _losing(candidates, points, min_ratio)
        rounds.append(Round(points, losing[:quota]))
        accepted = frozenset(rounds[-1].accepted)
        if accepted == taken:
            return FixedPoint(quota, tuple(rounds), losing)
        if accepted in met:
            # a set leads to one point value, so one that returns closes the circle
            cycle = tuple(rounds[met[accepted] + 1 :])
            return FixedPoint(quota, tuple(rounds), losing, cycle)
        met[accepted] = len(rounds) - 1
        taken = accepted


def _point_fen(name: str, pool: Pool, taken: Sequence[Candidate]) -> Fraction:
    if pool.fixed_fen is not None:
        return pool.fixed_fen
    own = [one for one in taken if one.pool == name]
    money = pool.money_fen - sum((one.taken_fen for one in own), Fraction(0))
    score = pool.score - sum((one.score for one in own), Fraction(0))
    if money <= 0 or score <= 0:
        raise SettlementError(
            "ST301", name, detail=f"{decimal_text(money / FEN_PER_YUAN)} / {score}"
        )
    return money / score


def _losing(
    candidates: Sequence[Candidate], points: Mapping[str, Fraction], min_ratio: Fraction
) -> tuple[str, ...]:
    """Those that lose, the largest loss first, then by id."""
    found = []
    for one in candidates:
        point = points[one.pool]
        loss = one.loss(point)
        if loss > 0 and one.total_fen > min_ratio * one.score * point:
            found.append((-loss, one.id))
    return tuple(key for _, key in sorted(found))
