"""How an area closes its months: deadline, due date, deposit, and what exceeds national limits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from grouper.dated import Confidence, lowest
from grouper.errors import Issue, SettlementError
from grouper.policy.model import Policy
from grouper.policy.parameters import NATIONAL, Parameter
from grouper.settle.month_lines import Deduct, Keeping

_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_MONTHS = 12


@dataclass(frozen=True, slots=True)
class MonthRules:
    """What holds for a month, by the parameters of its last day.

    claim_day: lists accepted up to this day of the next month still belong to it. rate: the share
    that is kept (keeping `deposit`) or paid (`monthly_rate`). as_recorded: paid as recorded, by
    group only at the year's end. deduct: when audit deductions come off. used: the parameters
    behind these, by name.
    """

    month: str
    claim_day: int
    due_working_days: int
    keeping: Keeping
    rate: Decimal
    as_recorded: bool
    deduct: Deduct = "before_share"
    used: Mapping[str, Parameter] = field(default_factory=dict)

    @property
    def confidence(self) -> Confidence:
        """The weakest mark of the parameters used."""
        return lowest([*(one.confidence for one in self.used.values()), "official"])

    @property
    def constructed_defaults(self) -> list[Issue]:
        """ST108 for each value that only stands as a default of this program."""
        return [
            Issue("ST108", self.month, {"key": key, "value": one.origin})
            for key, one in self.used.items()
            if one.origin == NATIONAL and one.confidence == "constructed"
        ]

    @property
    def claims_until(self) -> date:
        """The last day on which lists of the month are claimed."""
        return month_days(next_month(self.month))[0] + timedelta(days=self.claim_day - 1)


def month_rules(policy: Policy, month: str) -> MonthRules:
    """The rules for a month.

    Raises SettlementError ST101 when no policy is in force on its last day, ST314 for no month.
    """
    day = month_days(month)[1] - timedelta(days=1)
    terms, parameters = policy.terms_at(day), policy.parameters
    share = parameters.find("month_share", day)
    # the national default pays all of it: only an area's own share stands in place of a deposit
    own = share is not None and share.origin == policy.area.id
    kept = "month_share" if own else "deposit"
    names = ("claim_day", "due_working_days", kept, "provisional_standard")
    return MonthRules(
        month=month,
        claim_day=int(parameters.number("claim_day", day)),
        due_working_days=int(parameters.number("due_working_days", day)),
        keeping="monthly_rate" if own else "deposit",
        rate=parameters.number("month_share", day) if own else terms.deposit_rate,
        as_recorded=parameters.text("provisional_standard", day) == "yes",
        deduct=terms.dip.audit_deduction if terms.dip else "before_share",
        used={name: parameters.at(name, day) for name in names},
    )


def beyond_limits(policy: Policy, month: str) -> Iterator[Issue]:
    """ST110 for what an area does in a month beyond the national limits.

    Paying as recorded and by group at the year's end only is history: ZB27 wants months by group.
    """
    day = month_days(month)[1] - timedelta(days=1)
    for definition, entry, value, limit in policy.parameters.beyond():
        if definition.key in _OF_THE_MONTH and entry.span.covers(day):
            params = {"key": definition.key, "value": value, "limit": limit}
            yield Issue("ST110", f"{policy.area.id}: {entry.span}", params)
    found = policy.parameters.find("provisional_standard", day)
    if found is not None and found.value == "yes":
        params = {"key": found.key, "value": "yes", "limit": "no"}
        yield Issue("ST110", f"{policy.area.id}: {month}", params)


_OF_THE_MONTH = frozenset(("deposit", "month_share", "due_working_days", "advance_base_years"))


def month_days(month: str) -> tuple[date, date]:
    """The first day of a month (`2025-06`) and of the next. Raises SettlementError ST314."""
    found = _MONTH.fullmatch(month)
    if found is None or not 1 <= int(found[1]) < 9999:
        raise SettlementError("ST314", month=month)
    year, number = int(found[1]), int(found[2])
    return date(year, number, 1), date(year + number // _MONTHS, number % _MONTHS + 1, 1)


def next_month(month: str) -> str:
    """`2026-01` for `2025-12`. Raises SettlementError ST314."""
    return month_days(month)[1].isoformat()[:7]
