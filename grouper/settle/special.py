"""Special cases (特例单议): which applications the area's quota takes, and what they are paid.

Quota and review: 医保发〔2025〕18号 art. 20 to 24; the order among equals is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from grouper.money import round_half_up


@dataclass(frozen=True, slots=True)
class Application:
    """A case that a hospital wants reviewed, amounts in fen.

    standard_fen: what the group pays; recorded_fen: the pooled fund as the list has it.
    """

    id: str
    total_fen: int
    standard_fen: int
    recorded_fen: int

    @property
    def loss_fen(self) -> int:
        """What the hospital loses on the case when it is paid as grouped."""
        return self.total_fen - self.standard_fen


@dataclass(frozen=True, slots=True)
class Review:
    """The applications by rank and what became of each."""

    quota: int
    ranked: tuple[Application, ...]
    accepted: tuple[Application, ...]
    over_quota: tuple[Application, ...]
    no_loss: tuple[Application, ...]


def quota(discharges: int, rate: Fraction) -> int:
    """How many special cases an area takes: the whole part of rate x discharges."""
    return int(discharges * rate)


def review(applications: Sequence[Application], places: int) -> Review:
    """Rank by loss, the largest first, then by id; cases without loss are not taken.

    Those that find no place are paid as grouped (ST303).
    """
    ranked = tuple(sorted(applications, key=lambda one: (-one.loss_fen, one.id)))
    losing = tuple(one for one in ranked if one.loss_fen > 0)
    return Review(
        quota=places,
        ranked=ranked,
        accepted=losing[:places],
        over_quota=losing[places:],
        no_loss=ranked[len(losing) :],
    )


def special_payment(application: Application, approved_ratio: Fraction) -> int:
    """What the fund pays for an accepted case, in fen: recorded pool x ratio, half up."""
    return round_half_up(application.recorded_fen * approved_ratio)
