"""The year of an area: its funds cleared one by one from lists, months, entries and policy.

The steps come in this order: lists are frozen (Y1), special cases reviewed (Y2), volumes formed
(Y3), then each fund goes through the steps of `year` (Y4 to Y12). Insurances never mix, and places
of insurance are booked apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from grouper.dated import Confidence, lowest
from grouper.errors import Issue, SettlementError
from grouper.money import yuan
from grouper.policy.model import Policy
from grouper.policy.parameters import Parameter
from grouper.settle.clearing import Clearing, HospitalYear
from grouper.settle.dip_annual import is_dip, review_scores, without_cases
from grouper.settle.joint import joint_values
from grouper.settle.place import Place
from grouper.settle.year import clear_year
from grouper.settle.year_entries import Fund, YearEntries
from grouper.settle.year_lists import Key, YearLists, shown
from grouper.settle.year_months import Paid
from grouper.settle.year_rules import FundRules, fund_rules, last_day, quota_rules
from grouper.settle.year_special import Decision, QuotaRules, YearReview, review_year

_PLACES = [place.key for place in Place]


@dataclass(frozen=True, slots=True)
class FundYear:
    """One fund: insurance and place, its rules with their sources, its clearing."""

    insurance: str
    place: str
    ruled: FundRules
    clearing: Clearing


@dataclass(frozen=True, slots=True)
class Annual:
    """The year of an area as cleared; nothing of it depends on the clock.

    not_cleared: funds without a budget of their own: what their months paid stands (in fen).
    used: parameters beside those of the funds. issues: warnings; dates as far as asked for.
    """

    area_id: str
    year: int
    funds: tuple[FundYear, ...]
    not_cleared: Mapping[Fund, int]
    review: YearReview
    used: Mapping[str, Parameter]
    not_counted: Mapping[str, int]
    after_freeze: int
    due: date
    done: date | None
    issues: tuple[Issue, ...]
    confidence: Confidence
    is_demo: bool

    @property
    def clearing_share(self) -> tuple[int, int]:
        """C7: what clearing pays out, and all that the fund pays (months + clearing), in fen."""
        accounts = [one for fund in self.funds for one in fund.clearing.accounts.values()]
        cleared = sum(max(one.clearing_fen, 0) for one in accounts)
        return cleared, cleared + sum(one.before_fen for one in accounts)


def clear_area(
    lists: YearLists,
    paid: Mapping[Key, Paid],
    entries: YearEntries,
    policy: Policy,
    *,
    confidence: Confidence,
    done: date | None = None,
) -> Annual:
    """The clearing of every fund of an area.

    confidence: the weakest mark of the case payments. done: the day it is paid, held against the
    due date (ST308). Raises SettlementError ST103, ST301, ST304, ST307 and those of the rules.
    """
    year = lists.year
    quota, used, said = quota_rules(policy, year)
    review = _review(lists, entries, policy, quota)
    if is_dip(policy, year):
        said = [*said, *without_cases(lists, policy)]
    hospitals = _hospitals(lists, paid, entries, review)
    ruled, not_cleared = _ruled(hospitals, entries, policy, year)
    funds = [
        FundYear(*fund, rules, clear_year(hospitals[fund], rules.rules))
        for fund, rules in ruled.items()
    ]
    _check_joint(funds)
    due = policy.parameters.due_day("clearing_due", year)
    issues = [*said, *review.issues, *_late(policy, year, due, done)]
    for one in funds:
        issues += [*one.ruled.issues, *_unused(policy, year, one)]
    marks = [p.confidence for fund in funds for p in fund.ruled.used.values()]
    marks += [p.confidence for p in used.values()]
    return Annual(
        area_id=policy.area.id,
        year=year,
        funds=tuple(funds),
        not_cleared=not_cleared,
        review=review,
        used=used,
        not_counted=dict(sorted(lists.not_counted.items())),
        after_freeze=lists.after_freeze,
        due=due,
        done=done,
        issues=_distinct(issues),
        confidence=lowest([confidence, *marks]),
        is_demo=policy.is_demo,
    )


def _review(
    lists: YearLists, entries: YearEntries, policy: Policy, quota: QuotaRules
) -> YearReview:
    """Y2: what becomes of every list that applied, by loss or, under DIP, by lost scores."""
    decisions = _decisions(lists, entries)
    if is_dip(policy, lists.year):
        return review_scores(lists, decisions, entries, policy, quota)
    candidates = [one.candidate for _, one in sorted(lists.applied.items())]
    return review_year(candidates, decisions, lists.discharges, quota)


def _late(policy: Policy, year: int, due: date, done: date | None) -> list[Issue]:
    """ST308: a clearing that is paid after its day."""
    if done is None or done <= due:
        return []
    params = {"period": year, "due": due, "done": done}
    return [Issue("ST308", f"{policy.area.id}: {year}", params)]


def _ruled(
    hospitals: Mapping[Fund, Sequence[HospitalYear]],
    entries: YearEntries,
    policy: Policy,
    year: int,
) -> tuple[dict[Fund, FundRules], dict[Fund, int]]:
    """The rules of every fund that has a budget; of the others what their months paid, in fen."""
    ruled: dict[Fund, FundRules] = {}
    without: dict[Fund, int] = {}
    for fund in sorted(hospitals, key=lambda fund: (_PLACES.index(fund[1]), fund[0])):
        taken = entries.taken_fen.get(fund)
        budgets = entries.budgets.get(fund, ())
        found = fund_rules(policy, year, *fund, budgets=budgets, deductions_fen=taken)
        if found is None:
            without[fund] = sum(one.paid_fen + one.offset_fen for one in hospitals[fund])
        else:
            ruled[fund] = found
    for place in _PLACES:
        joint = [fund for fund, found in ruled.items() if fund[1] == place and found.joint_rate]
        if len(joint) > 1:
            values = joint_values([(ruled[fund].rules, hospitals[fund]) for fund in joint])
            for fund, value in zip(joint, values, strict=True):
                rules = replace(ruled[fund].rules, joint=value)
                ruled[fund] = replace(ruled[fund], rules=rules)
    return ruled, without


def _check_joint(funds: Sequence[FundYear]) -> None:
    """I1 over the funds that share one rate. Raises SettlementError ST307."""
    joint = [fund.clearing for fund in funds if fund.ruled.rules.joint is not None]
    entitled = sum(one.total("entitled_fen") for one in joint)
    pools = sum(one.pool.pool_fen for one in joint)
    if entitled != pools:
        raise SettlementError("ST307", check="I1", left=entitled, right=pools)


def _decisions(lists: YearLists, entries: YearEntries) -> dict[str, Decision]:
    """What was decided on each list that applied; one that nobody decided on is paid as grouped."""
    return {
        shown(name): entries.decisions.get(name, Decision(shown(name), passed=False))
        for name in lists.applied
    }


def _hospitals(
    lists: YearLists, paid: Mapping[Key, Paid], entries: YearEntries, review: YearReview
) -> dict[Fund, list[HospitalYear]]:
    """What each hospital brings to each fund."""
    found: dict[Fund, list[HospitalYear]] = {}
    applied, audits = lists.applied_by_key(), entries.deducted_fen()
    for key in sorted({*lists.keys(), *paid}):
        hospital, insurance, place = key
        plain = lists.sums(key)
        cases, special, recorded = plain.cases, 0, plain.recorded
        for one in applied.get(key, ()):
            cases += 1
            recorded += one.sums.recorded
            accepted = review.paid_fen.get(one.candidate.application.id)
            if accepted is None:
                plain.add(one.sums)
            else:
                special += accepted
        months = paid.get(key, Paid())
        found.setdefault((insurance, place), []).append(
            HospitalYear(
                code=hospital,
                cases=cases,
                volume=plain.volume,
                patient_fen=plain.patient,
                other_fen=plain.other,
                accrued_fen=plain.accrued,
                special_fen=special,
                recorded_fen=recorded,
                deposit_fen=months.deposit,
                audit_fen=months.audit + audits[key, ""],
                paid_fen=months.paid,
                offset_fen=months.offset,
                advance_fen=months.advance,
                score=entries.scores.get(hospital),
                base_volume=entries.base_volumes.get(key),
            )
        )
    return found


def _unused(policy: Policy, year: int, fund: FundYear) -> list[Issue]:
    """ST309: a budget agreed on that is not used up, where it is meant to be."""
    rule, left = policy.parameters.find("use_up_budget", last_day(year)), fund.clearing.unused_fen
    if rule is None or rule.value != "yes" or left <= 0:
        return []
    where = f"{policy.area.id}: {fund.insurance} {fund.place}"
    return [Issue("ST309", where, {"amount": yuan(left)})]


def _distinct(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    """Each issue once: funds of one area share most of their parameters."""
    found = {(one.code, one.where, str(one.params)): one for one in issues}
    return tuple(found.values())
