"""Special cases of a DIP year (Y2): ranked at the point value that follows from taking them.

Under a floating point value the loss of a case is not known before the year's value is, and the
value not before the cases are: dip_special finds both. Under another method nothing moves, and
the review is that of DRG.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from grouper.errors import Issue
from grouper.money import to_fen, yuan
from grouper.policy.model import Policy
from grouper.settle.dip_special import Candidate, Pool, settle_special
from grouper.settle.special import quota
from grouper.settle.year_entries import Fund, YearEntries
from grouper.settle.year_lists import Applied, Sums, YearLists
from grouper.settle.year_rules import fund_rules, last_day
from grouper.settle.year_special import Decision, QuotaRules, YearReview, review_year
from weights.rates import pool as pool_of

_FLOATING = "floating"


def is_dip(policy: Policy, year: int) -> bool:
    """Whether an area pays by DIP at the end of a year."""
    terms = policy.find_terms(last_day(year))
    return terms is not None and terms.dip is not None


def review_scores(
    lists: YearLists,
    decisions: Mapping[str, Decision],
    entries: YearEntries,
    policy: Policy,
    rules: QuotaRules,
) -> YearReview:
    """What became of the applications of a DIP year; decisions: by the id of the application.

    Raises SettlementError ST146 when the cases do not settle, and what the rules of the funds
    raise (ST103 for a fund without a budget).
    """
    every = {one.candidate.application.id: one for _, one in sorted(lists.applied.items())}
    passed = [(key, one) for key, one in every.items() if decisions[key].passed]
    pools = _pools(lists, entries, policy)
    if rules.scope == "hospital" or not all(pools.get(_fund(one)) for _, one in passed):
        candidates = [one.candidate for one in every.values()]
        return review_year(candidates, decisions, lists.discharges, rules)
    places = quota(sum(lists.discharges.values()), rules.share)
    paid = {key: decisions[key].paid_fen(_recorded(one)) for key, one in passed}
    found = settle_special(
        [_candidate(key, one, paid[key], pools) for key, one in passed],
        {_name(fund): pool for fund, (pool, _) in pools.items()},
        quota=places,
        min_ratio=rules.min_ratio,
    ).require()
    over = found.losing[places:]
    issues = []
    if over:
        params = {"n": len(over), "of": len(found.losing), "quota": places}
        issues.append(Issue("ST303", "", params))
    return YearReview(
        quota={"": places},
        paid_fen={key: paid[key] for key in found.accepted},
        over_quota=tuple(sorted(over)),
        no_loss=tuple(sorted(set(paid) - set(found.losing))),
        failed=tuple(sorted(set(every) - set(paid))),
        issues=tuple(issues),
    )


def without_cases(lists: YearLists, policy: Policy) -> list[Issue]:
    """ST144 for an insurance that has a budget of the year and no case."""
    day, present = last_day(lists.year), {key[1] for key in lists.keys()}  # noqa: SIM118
    issues = []
    for one in policy.area.insurances:
        budget = policy.parameters.find("budget", day, one.code)
        if budget is not None and isinstance(budget.value, Decimal) and one.code not in present:
            params = {"insurance": one.code, "fund": yuan(to_fen(budget.value))}
            issues.append(Issue("ST144", f"{policy.area.id}: {lists.year}", params))
    return issues


def _pools(
    lists: YearLists, entries: YearEntries, policy: Policy
) -> Mapping[Fund, tuple[Pool, str]]:
    """The floating funds of the year with their basis, before any special case is taken."""
    sums: dict[Fund, Sums] = defaultdict(Sums)
    for key in lists.keys():  # noqa: SIM118
        sums[key[1], key[2]].add(lists.sums(key))
    for one in lists.applied.values():
        sums[_fund(one)].add(one.sums)
    found = {}
    for fund, own in sorted(sums.items()):
        ruled = fund_rules(
            policy,
            lists.year,
            *fund,
            budgets=entries.budgets.get(fund, ()),
            deductions_fen=entries.taken_fen.get(fund),
        )
        if ruled is None or ruled.rules.method != _FLOATING or own.volume <= 0:
            continue
        if ruled.joint_rate:
            # one value for several funds: the cases are ranked at the value of their day
            return {}
        rules = ruled.rules
        left = pool_of(rules.budget_fen, rules.reserve_ratio, list(rules.deductions_fen.values()))
        money = left.pool_fen + (own.patient + own.other if rules.basis == "total" else 0)
        found[fund] = Pool(Fraction(money), own.volume), rules.basis
    return found


def _candidate(
    key: str, one: Applied, paid_fen: int, pools: Mapping[Fund, tuple[Pool, str]]
) -> Candidate:
    fund = _fund(one)
    taken = paid_fen
    if pools[fund][1] == "total":
        taken += one.sums.patient + one.sums.other
    total_fen = one.candidate.application.total_fen
    return Candidate(key, total_fen, one.sums.volume, Fraction(taken), _name(fund))


def _recorded(one: Applied) -> int:
    return one.candidate.application.recorded_fen


def _fund(one: Applied) -> Fund:
    return one.key[1], one.key[2]


def _name(fund: Fund) -> str:
    return " ".join(fund)
