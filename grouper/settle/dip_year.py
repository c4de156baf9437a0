"""The year of a DIP area: what hospitals keep of a surplus and bear of an overrun, and clearing.

Amounts in fen. Bands and shares are the region's (按病种付费医疗保障经办管理规程（2025版）
arts. 32-33).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from grouper.money import round_half_up
from grouper.settle.month_lines import MonthEntries, close_month


@dataclass(frozen=True, slots=True)
class Sharing:
    """Who keeps a surplus and who bears an overrun, by use rate (recorded fund / payable).

    floor: below it the hospital is paid recorded / floor instead of all; bear: the share of an
    overrun that the fund bears, up to `up_to` of the payable. The values are the worked example's
    (constructed).
    """

    floor: Fraction = Fraction(85, 100)
    bear: Fraction = Fraction(1, 2)
    up_to: Fraction = Fraction(1, 10)


Outcome = Literal["kept_in_part", "kept_in_full", "overrun_shared", "overrun_capped"]


@dataclass(frozen=True, slots=True)
class HospitalYear:
    """One hospital's year: from its share of the fund to the cash of clearing, in fen."""

    share_fen: int
    payable_fen: int
    recorded_fen: int
    final_fen: int
    clearing_fen: int
    outcome: Outcome

    @property
    def use_rate(self) -> Fraction | None:
        """Recorded / payable, None where nothing is payable."""
        return Fraction(self.recorded_fen, self.payable_fen) if self.payable_fen > 0 else None


def clear_hospital(
    share_fen: int,
    *,
    recorded_fen: int,
    assessment: Fraction,
    deduction_fen: int,
    prepaid_fen: int,
    sharing: Sharing,
) -> HospitalYear:
    """Payable = share x assessment - deductions; final by use rate; clearing = final - prepaid."""
    payable = round_half_up(share_fen * assessment) - deduction_fen
    final, outcome = share_use(payable, recorded_fen, sharing)
    return HospitalYear(share_fen, payable, recorded_fen, final, final - prepaid_fen, outcome)


def share_use(payable_fen: int, recorded_fen: int, sharing: Sharing) -> tuple[int, Outcome]:
    """What a hospital gets in the end, and by which band."""
    if recorded_fen > payable_fen:
        excess = Fraction(recorded_fen - payable_fen)
        most = max(payable_fen, 0) * sharing.up_to
        outcome: Outcome = "overrun_capped" if excess > most else "overrun_shared"
        return payable_fen + round_half_up(sharing.bear * min(excess, most)), outcome
    if recorded_fen < sharing.floor * payable_fen:
        return round_half_up(recorded_fen / sharing.floor), "kept_in_part"
    return payable_fen, "kept_in_full"


@dataclass(frozen=True, slots=True)
class Prepaid:
    """The month of a hospital: what the scores are worth, what of it is paid now, in fen."""

    base_fen: int
    share_fen: int
    paid_fen: int
    kept_fen: int


def prepay(
    amounts_fen: Sequence[int],
    patients_fen: Sequence[int],
    *,
    share: Fraction,
    deduction_fen: int = 0,
) -> Prepaid:
    """Month payment = (amounts - patients' payments) x prepay share - audit deductions.

    The lines are those of every month (close_month). Paid, deducted and kept add up to the base;
    of a negative base nothing is kept, and what it lacks is carried out of the month (below 0).
    """
    base = sum(amounts_fen) - sum(patients_fen)
    entries = MonthEntries(audit=deduction_fen)
    lines = close_month(base, share, entries, keeping="monthly_rate", deduct="after_share")
    paid = lines["M15"] + lines["M16"]
    return Prepaid(base, paid + deduction_fen, paid, lines["M11"])
