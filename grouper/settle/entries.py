"""What people add to a month beside the lists: deductions, corrections, decisions, advances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from grouper.money import yuan

#: kind of entry -> columns it must have, and those it may have
NEEDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "audit": (("hospital", "list", "amount", "reason", "rule"), ()),
    "correction": (
        ("hospital", "list", "new_list"),
        ("total_cost", "fund_basic", "other_funds", "payment", "reason", "date"),
    ),
    "special": (("hospital", "list"), ("reason",)),
    "approved": (("hospital", "list"), ("amount", "ratio", "reason")),
    "refused": (("hospital", "list"), ("reason",)),
    "accepted": (("hospital", "list", "date"), ()),
    "advance": (
        ("hospital", "insurance", "schedule"),
        (
            *("place", "amount", "prior_spend", "balance", "year_spend"),
            *("grade", "deficit", "reason", "date"),
        ),
    ),
    "opening": (("hospital", "insurance"), ("place", "carry_in", "outstanding", "schedule")),
    "budget": (("hospital", "insurance", "amount"), ()),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a table of entries, amounts in fen; what the kind does not ask for is empty.

    where: `file:sheet!A5`. list, new_list: ids of lists; insurance, place: as the area's policy
    names them.
    """

    kind: str
    where: str
    hospital: str = ""
    insurance: str = ""
    place: str = "local"
    list: str = ""
    new_list: str = ""
    amount: int | None = None
    ratio: Fraction | None = None
    reason: str = ""
    rule: str = ""
    day: date | None = None
    schedule: int | None = None
    carry_in: int | None = None
    outstanding: int | None = None
    total_cost: int | None = None
    fund_basic: int | None = None
    other_funds: int | None = None
    payment: int | None = None
    prior_spend: int | None = None
    balance: int | None = None
    year_spend: int | None = None
    grade: Fraction | None = None
    deficit: bool = False
    score: Fraction | None = None
    volume: Fraction | None = None
    month: str = ""


@dataclass(frozen=True, slots=True)
class Deduction:
    """An audit deduction (审核扣款) as booked: asked, and as far as the accrual allows taken."""

    hospital: str
    insurance: str
    place: str
    list: str
    asked_fen: int
    taken_fen: int
    reason: str
    rule: str

    def to_dict(self) -> dict[str, str]:
        """Stable keys for `--json`; amounts as text in yuan."""
        return {
            "list": self.list,
            "asked": yuan(self.asked_fen),
            "taken": yuan(self.taken_fen),
            "reason": self.reason,
            "rule": self.rule,
        }
