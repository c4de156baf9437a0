"""What an area decided for a year -> the rules of a fund's clearing, each with its source.

Parameters are those of the last day of the year: a clearing of 2026 that is run in April 2027 goes
by 2026. Values that only stand as defaults of this program are named (ST108).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from grouper.errors import Issue, SettlementError
from grouper.money import FEN_PER_YUAN, to_fen
from grouper.policy.model import Policy
from grouper.policy.parameters import NATIONAL, Parameter
from grouper.settle.bands import Bands, Manner, make_bands
from grouper.settle.clearing import YearRules
from grouper.settle.deposit import ScoreStep
from grouper.settle.place import Place
from grouper.settle.year_special import QuotaRules

#: the places whose budget is a parameter of its own
_BUDGETS = {place.key: f"budget_{place.key}" for place in Place} | {Place.LOCAL.key: "budget"}
_MANNERS: Mapping[str, Manner] = {
    "marginal": "bands",
    "cliff": "cliff",
    "keep_all": "keep_all",
    "no_share": "no_share",
}
_YES = "yes"


@dataclass(frozen=True, slots=True)
class Budget:
    """A version of the budget of a fund (总额预算): from when on, how much, by which decision."""

    start: date
    fen: int
    source: str


@dataclass(frozen=True, slots=True)
class FundRules:
    """The rules of one fund's clearing and the parameters they come from, by key.

    budgets: every version of the year, the last one counts. joint_rate: one rate is found with the
    other insurances of the place. issues: defaults used (ST108), values
    beyond a national limit (ST110).
    """

    rules: YearRules
    used: Mapping[str, Parameter]
    budgets: tuple[Budget, ...]
    joint_rate: bool
    issues: tuple[Issue, ...]


def last_day(year: int) -> date:
    """The day whose parameters hold for a year's clearing."""
    return date(year, 12, 31)


class _Used:
    """The parameters of an area on a day; what was asked for is remembered."""

    def __init__(self, policy: Policy, day: date, insurance: str) -> None:
        self._parameters = policy.parameters
        self._day = day
        self._insurance = insurance
        self.found: dict[str, Parameter] = {}

    def find(self, key: str) -> Any:
        """The value of a parameter, None where nobody gives one."""
        found = self._parameters.find(key, self._day, self._insurance)
        if found is None:
            return None
        self.found[key] = found
        return found.value

    def at(self, key: str) -> Any:
        """The value of a parameter. Raises SettlementError ST101."""
        self.found[key] = self._parameters.at(key, self._day, self._insurance)
        return self.found[key].value

    def number(self, key: str) -> Fraction | None:
        """A number, None where nobody gives one."""
        value = self.find(key)
        return None if value is None else Fraction(value)


def fund_rules(
    policy: Policy,
    year: int,
    insurance: str,
    place: str,
    *,
    budgets: tuple[Budget, ...] = (),
    deductions_fen: Mapping[str, int] | None = None,
) -> FundRules | None:
    """The rules of a fund, None when a place beside the local one has no budget of its own.

    budgets: versions decided beside the policy, which stand above it. Raises SettlementError ST103
    when the local fund has no budget, ST101, ST106, ST107.
    """
    used = _Used(policy, last_day(year), insurance)
    budgets = tuple(one for one in budgets if one.start <= last_day(year))
    versions = budgets or _budgets(policy, year, insurance, place, used)
    if not versions:
        if place != Place.LOCAL.key:
            return None
        where = f"{policy.area.id}: {insurance} {year}"
        raise SettlementError("ST103", where, field="budget")
    rate = used.number("clearing_rate")
    rules = YearRules(
        budget_fen=versions[-1].fen,
        reserve_ratio=Fraction(used.at("reserve")),
        bands=_bands(used),
        scores=tuple(
            ScoreStep(Fraction(one.lowest), None if one.factor is None else Fraction(one.factor))
            for one in used.at("score_steps")
        ),
        deductions_fen=deductions_fen or {},
        method=used.at("rate_method"),
        basis=used.at("rate_basis"),
        total_control=used.at("total_control"),
        rate_fen=None if rate is None else rate * FEN_PER_YUAN,
        base_share=_share(used, "base_share"),
        unscored=_share(used, "unscored"),
        redistribute_withheld=used.at("redistribute_withheld") == _YES,
    )
    joint = rules.method == "floating" and used.at("joint_rate") == _YES
    issues = tuple(_issues(policy, year, used.found))
    return FundRules(rules, used.found, versions, joint, issues)


def quota_rules(
    policy: Policy, year: int
) -> tuple[QuotaRules, Mapping[str, Parameter], list[Issue]]:
    """How many special cases a year takes, and what is to be said. Raises SettlementError ST101."""
    day = last_day(year)
    used = _Used(policy, day, "")
    terms = policy.find_terms(day)
    by_dip = terms is not None and terms.dip is not None
    quota, ratio = ("special_quota", "special_min_ratio")
    if by_dip:
        quota, ratio = ("special_quota_dip", "special_min_ratio_dip")
    rules = QuotaRules(
        share=Fraction(used.at(quota)),
        scope=used.at("quota_scope"),
        min_ratio=Fraction(used.at(ratio)),
    )
    return rules, used.found, _issues(policy, year, used.found)


def _share(used: _Used, key: str) -> Fraction | None:
    """A number from 0 to 1. Raises SettlementError ST106."""
    found = used.number(key)
    if found is not None and not 0 <= found <= 1:
        raise SettlementError("ST106", key, key=key, value=used.found[key].value)
    return found


def _bands(used: _Used) -> Bands:
    surplus, overspend = (
        [(None if one.up_to is None else Fraction(one.up_to), Fraction(one.rate)) for one in table]
        for table in (used.at("surplus_bands"), used.at("overspend_bands"))
    )
    return make_bands(surplus, overspend, manner=_MANNERS[used.at("band_mode")])


def _budgets(
    policy: Policy, year: int, insurance: str, place: str, used: _Used
) -> tuple[Budget, ...]:
    """Every version of a fund's budget that holds on a day of the year, the oldest first."""
    key = _BUDGETS[place]
    if used.find(key) is None:
        return ()
    found = []
    for entry in policy.parameters.own.get(key, ()):
        value: Any = entry.values.get(insurance, entry.values.get("*"))
        end = entry.span.end
        if value is None or entry.span.start > last_day(year):
            continue
        if end is None or end > date(year, 1, 1):
            fen = to_fen(value)
            found.append(Budget(entry.span.start, fen, entry.source))
    return tuple(sorted(found, key=lambda one: one.start))


def _issues(policy: Policy, year: int, used: Mapping[str, Parameter]) -> list[Issue]:
    """Defaults of this program that were used, and values beyond a national limit."""
    where = f"{policy.area.id}: {year}"
    issues = [
        Issue("ST108", where, {"key": key, "value": one.origin})
        for key, one in used.items()
        if one.origin == NATIONAL and one.confidence == "constructed"
    ]
    issues += [
        Issue("ST110", where, {"key": definition.key, "value": value, "limit": limit})
        for definition, entry, value, limit in policy.parameters.beyond()
        if definition.key in used and entry.span.covers(last_day(year))
    ]
    return issues
