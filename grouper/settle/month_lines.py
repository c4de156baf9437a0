"""The lines M1 to M16 of a month's statement, from sums to the amount paid."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from grouper.money import round_half_up

#: how part of a month is kept back: a deposit of its base, or only a share of the base is paid
Keeping = Literal["deposit", "monthly_rate"]
#: audit deductions lower the base of which a share is kept, or come off what is left of it
Deduct = Literal["before_share", "after_share"]


@dataclass(frozen=True, slots=True)
class CaseSums:
    """Sums over the lists accepted in time, fen.

    Special cases awaiting review count in `cases` and `total` only. patient, other, pool: as the
    lists have them, without special cases; cut: what a fund rule added to payment - patient -
    other (negative parts set to zero).
    """

    cases: int = 0
    total: int = 0
    standard: int = 0
    patient: int = 0
    other: int = 0
    cut: int = 0
    pool: int = 0

    @property
    def accrued(self) -> int:
        """The accrued pooled fund (M6)."""
        return self.standard - self.patient - self.other + self.cut

    @property
    def against_recorded(self) -> int:
        """Accrued less recorded pool: what payment by groups changes."""
        return self.accrued - self.pool

    def lines(self) -> dict[str, int]:
        """M1 to M5b."""
        return {
            "M1": self.cases,
            "M2": self.total,
            "M3": self.standard,
            "M4": self.patient,
            "M5": self.other,
            "M5b": self.cut,
        }


@dataclass(frozen=True, slots=True)
class MonthEntries:
    """What enters a month beside its cases, in fen."""

    special: int = 0
    corrections: int = 0
    late: int = 0
    audit: int = 0
    carry_in: int = 0
    advance_schedule: int = 0
    advance_outstanding: int = 0


def close_month(
    accrued_fen: int,
    rate: Decimal | Fraction,
    entries: MonthEntries | None = None,
    *,
    keeping: Keeping = "deposit",
    deduct: Deduct = "before_share",
) -> dict[str, int]:
    """Lines M6 to M16 from the accrued pool and what else enters the month.

    rate: the share of the base that is kept (`deposit`) or paid (`monthly_rate`). A negative base
    holds no deposit; what is carried in comes before the offset of an advance.
    """
    more = entries or MonthEntries()
    base = accrued_fen + more.special + more.corrections + more.late - more.audit
    held = max(base if deduct == "before_share" else base + more.audit, 0)
    share = round_half_up(rate * held)
    deposit = share if keeping == "deposit" else held - share
    payable = base - deposit
    due = payable + more.carry_in
    offset = min(more.advance_schedule, more.advance_outstanding, max(due, 0))
    return {
        "M6": accrued_fen,
        "M7": more.special,
        "M8": more.corrections,
        "M8b": more.late,
        "M9": more.audit,
        "M10": base,
        "M11": deposit,
        "M12": payable,
        "M13": offset,
        "M14": more.carry_in,
        "M15": max(due - offset, 0),
        "M16": min(due - offset, 0),
    }


def allowed_deduction(asked_fen: int, accrued_fen: int, deducted_fen: int = 0) -> int:
    """What may be deducted from a list: several deductions together never exceed its accrual."""
    return max(0, min(asked_fen, max(accrued_fen, 0) - deducted_fen))
