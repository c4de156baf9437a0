"""The desk list of special cases (特例单议): which to apply for, what it brings, what is left.

Situations: 医保发〔2025〕18号 art. 20 (long stay, high cost, new drugs or technology, critical or
multi-disciplinary); order and borders are ours (constructed): the expected gain, largest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from grouper.engine.groups import Groups, Status
from grouper.money import round_half_up
from grouper.records.batch import MISSING, MISSING_FEN, CaseBatch
from grouper.settle.amounts import Amounts, CaseType
from grouper.settle.special import quota

#: a stay is long when it is so many times the mean of its group in the file (constructed)
LONG_STAY = 2
#: situations the list can tell from a record, and those that only the hospital knows
LONG, HIGH, CRITICAL, NEW = "long_stay", "high_cost", "critical", "new_technology"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One case that a hospital may apply for, amounts in fen.

    row: its position; standard_fen: what the group pays; fund_fen: the fund's part as grouped;
    accepted_fen: that part if the case is taken; situations: those its record shows.
    """

    row: int
    case_id: str
    hospital: str
    group: str
    case_type: CaseType
    total_fen: int
    standard_fen: int
    fund_fen: int
    recorded_fen: int
    accepted_fen: int
    los_days: int | None
    situations: tuple[str, ...]

    @property
    def gain_fen(self) -> int:
        """What acceptance brings against payment as grouped."""
        return self.accepted_fen - self.fund_fen

    @property
    def loss_fen(self) -> int:
        """Cost beyond the standard."""
        return self.total_fen - self.standard_fen


@dataclass(frozen=True, slots=True)
class Desk:
    """The candidates by expected gain, and the places there are for them.

    discharges: of the area, months cumulative; places: the quota; used: applied for already.
    """

    candidates: tuple[Candidate, ...]
    discharges: int
    rate: Fraction
    places: int
    used: int

    @property
    def left(self) -> int:
        """Places not yet applied for."""
        return max(self.places - self.used, 0)


def desk_list(
    batch: CaseBatch,
    groups: Groups,
    amounts: Amounts,
    *,
    rate: Fraction,
    min_ratio: Fraction,
    approved_ratio: Fraction = Fraction(1),
    discharges: int | None = None,
    used: int = 0,
) -> Desk:
    """The cases whose cost is above `min_ratio` standards and that would gain, largest gain first.

    Accepted cases are paid the recorded pool x `approved_ratio` (by item). discharges: of the
    pooling area; without it those of the file.
    """
    rows = np.flatnonzero(
        amounts.counted
        & (groups.status == Status.GROUPED)
        & (amounts.standard_fen != MISSING_FEN)
        & (amounts.standard_fen > 0)
    )
    long = _long_stays(batch, groups)
    found = [
        _candidate(row, batch, groups, amounts, approved_ratio, is_long=bool(long[row]))
        for row in rows.tolist()
        if int(amounts.total_fen[row]) > min_ratio * int(amounts.standard_fen[row])
    ]
    ranked = sorted(
        (one for one in found if one.gain_fen > 0),
        key=lambda one: (-one.gain_fen, -one.loss_fen, one.case_id, one.row),
    )
    cases = len(batch) if discharges is None else discharges
    return Desk(tuple(ranked), cases, rate, quota(cases, rate), used)


def _candidate(
    row: int,
    batch: CaseBatch,
    groups: Groups,
    amounts: Amounts,
    ratio: Fraction,
    *,
    is_long: bool,
) -> Candidate:
    kind = CaseType(int(amounts.case_type[row]))
    recorded, days = int(amounts.pool_fen[row]), int(batch.los_days[row])
    situations = [LONG] if is_long else []
    if kind == CaseType.HIGH_OUTLIER:
        situations.append(HIGH)
    if int(batch.icu_hours[row]) > 0:
        situations.append(CRITICAL)
    return Candidate(
        row=row,
        case_id=_text(batch.case_id, row),
        hospital=_text(batch.hospital, row),
        group=groups.codes.drg[int(groups.group_id[row])],
        case_type=kind,
        total_fen=int(amounts.total_fen[row]),
        standard_fen=int(amounts.standard_fen[row]),
        fund_fen=int(amounts.fund_fen[row]),
        recorded_fen=recorded,
        accepted_fen=round_half_up(recorded * ratio),
        los_days=None if days == MISSING else days,
        situations=tuple(situations),
    )


def _long_stays(batch: CaseBatch, groups: Groups) -> NDArray[np.bool_]:
    """Stays of at least LONG_STAY times the mean of their group, by cross product."""
    known = (batch.los_days != MISSING) & (groups.status == Status.GROUPED)
    days = np.where(known, batch.los_days, 0).astype(np.int64)
    size = len(groups.codes.drg)
    count = np.bincount(groups.group_id[known], minlength=size)
    total = np.zeros(size, np.int64)
    np.add.at(total, groups.group_id[known], days[known])
    long: NDArray[np.bool_] = days * count[groups.group_id] >= LONG_STAY * total[groups.group_id]
    long &= known & (count[groups.group_id] > 1)
    return long


def _text(values: Sequence[str], row: int) -> str:
    return str(values[row]) if len(values) else ""
