"""What a fen of cost changes: the jump in payment at every outlier threshold of an area.

Payments are told in payment standards (S), so that no weight, rate or point value need be known:
inside the normal band a case is paid 1, at a threshold by the outlier's formula.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise, product

from grouper.dated import Span
from grouper.money import decimal_text
from grouper.policy.lead_rules import LeadCase, Schedule
from grouper.policy.leads import Lead, Outlier, keyed
from grouper.policy.model import Policy, Terms
from grouper.settle.lead import Basis, Border, pay_high, pay_low

#: coefficients looked at where the area's own stand in a weight table
SAMPLE_COEFFICIENTS = (Fraction(4, 5), Fraction(1), Fraction(6, 5))
_ONE = Fraction(1)
_INSURANCES = {"居民", "职工"}

#: above, up to; None = open
Weights = tuple[Fraction | None, Fraction | None]


@dataclass(frozen=True, slots=True)
class Jump:
    """The payment at one threshold: cost `operator` k x base, for weights in a range.

    side: low or high. at: what the outlier is paid there, in standards. holds_for: the levels,
    insurances, groups or coefficients (`c=1.2`), empty for all. span: the days, None = undated.
    """

    side: str
    form: str
    operator: str
    k: Fraction
    weights: Weights
    at: Fraction
    holds_for: tuple[str, ...] = ()
    span: Span | None = None

    @property
    def jump(self) -> Fraction:
        """Payment just above the threshold less payment just below, in standards."""
        return self.at - 1 if self.side == "high" else 1 - self.at


@dataclass(frozen=True, slots=True)
class _Sample:
    """A kind of case whose thresholds are looked at."""

    name: str
    coefficient: Fraction
    case: LeadCase


def lead_jumps(lead: Lead) -> list[Jump]:
    """Every threshold of a lead; areas that pay by bands of a score have none."""
    found: list[Jump] = []
    for side, rule in (("low", lead.low), ("high", lead.high)):
        if rule is not None:
            borders = _borders(rule.k, rule.deducted)
            samples = _samples(lead, rule)
            rows = [list(_lead_rows(lead, side, rule, one, borders)) for one in samples]
            names = [one.name for one in samples]
            found += _collapsed(names, rows)
    return found


def policy_jumps(policy: Policy) -> list[Jump]:
    """Every threshold of an area's policy, era by era."""
    found: list[Jump] = []
    for terms in policy.terms:
        rules = terms.rules
        for side, rule in (("low", rules.low), ("high", rules.high)):
            if rule is not None:
                borders = _borders(rule.k, rule.deducted)
                samples = list(_policy_samples(policy, terms, rule))
                rows = [
                    [
                        replace(one, span=terms.span)
                        for one in _lead_rows(rules, side, rule, sample, borders)
                    ]
                    for sample in samples
                ]
                found += _collapsed([one.name for one in samples], rows)
    return found


def _collapsed(names: list[str], rows: list[list[Jump]]) -> Iterator[Jump]:
    """Equal thresholds of several samples as one that names them, or none if it holds for all."""
    groups: dict[Jump, list[str]] = {}
    for name, own in zip(names, rows, strict=True):
        for jump in _joined(own):
            groups.setdefault(jump, []).append(name)
    for jump, found in groups.items():
        # what was seen of a single level is not said of all
        is_for_all = found == names and (len(names) > 1 or names == ["*"])
        holds_for = () if is_for_all else tuple(found)
        yield Jump(
            jump.side, jump.form, jump.operator, jump.k, jump.weights, jump.at, holds_for, jump.span
        )


def _joined(rows: list[Jump]) -> list[Jump]:
    """Neighbouring ranges of weights with the same threshold and payment as one range."""
    found: list[Jump] = []
    for one in rows:
        if found and (found[-1].k, found[-1].at) == (one.k, one.at):
            weights = (found[-1].weights[0], one.weights[1])
            found[-1] = Jump(
                one.side, one.form, one.operator, one.k, weights, one.at, span=one.span
            )
        else:
            found.append(one)
    return found


def _borders(*schedules: Schedule | None) -> list[Fraction]:
    """The weights at which some schedules change."""
    steps = [step for one in schedules if one is not None for step in one.steps]
    tests = [test for step in steps for test in step.comparisons if test.name == "w"]
    return sorted({test.border for test in tests})


def _ranges(borders: Iterable[Fraction]) -> Iterator[tuple[Weights, Fraction]]:
    """The ranges between borders, each with a weight inside."""
    edges: list[Fraction | None] = [None, *borders, None]
    for low, high in pairwise(edges):
        inside = (low or Fraction(0)) + 1 if high is None else ((low or Fraction(0)) + high) / 2
        yield (low, high), inside


def _samples(lead: Lead, rule: Outlier) -> list[_Sample]:
    """The levels, insurances and groups whose thresholds or payments may differ."""
    keys = {step.key for one in (rule.k, rule.deducted) if one for step in one.steps} - {""}
    groups = sorted(key for key in keys if key.isascii())
    insurances = dict.fromkeys(ins for _, ins in lead.coefs if ins)
    if keys & _INSURANCES:
        insurances |= dict.fromkeys(sorted(_INSURANCES))
    of_coefs = dict.fromkeys(level for level, _ in lead.coefs if level)
    of_schedule = [key for key in sorted(keys - _INSURANCES) if key not in groups]
    # the last step of a schedule by level is for the levels it does not name
    others = [""] if set(of_coefs) <= set(of_schedule) else []
    found = []
    for level, insurance, group in product(
        dict.fromkeys([*of_coefs, *of_schedule, *others]), insurances or [""], ["", *groups]
    ):
        case = LeadCase(group=group, level=level, insurance=insurance)
        own = _own_coefficient(lead, level, insurance)
        for coefficient in SAMPLE_COEFFICIENTS if own is None else (own,):
            words = [group, level, insurance]
            if own is None:
                words.append(f"c={decimal_text(coefficient)}")
            found.append(_Sample("/".join(filter(None, words)) or "*", coefficient, case))
    return found


def _own_coefficient(lead: Lead, level: str, insurance: str) -> Fraction | None:
    """The coefficient the lead itself gives, None where a weight table or an adjustment does."""
    if lead.standard in ("S1", "S4") or lead.coef_source == "1":
        return _ONE
    return None if lead.coef_source.startswith("table") else keyed(lead.coefs, level, insurance)


def _lead_rows(
    lead: Lead, side: str, rule: Outlier, sample: _Sample, borders: list[Fraction]
) -> Iterator[Jump]:
    c = sample.coefficient
    base = c if "c" in lead.ratio_base.split() else _ONE
    basis = Basis(_ONE, c, _ONE, c, base, factor=_factor(lead, rule, sample.case.insurance))
    for weights, inside in _ranges(borders):
        case = LeadCase(sample.case.group, sample.case.level, sample.case.insurance, weight=inside)
        k = rule.k.value(case)
        deducted = rule.deducted.value(case) if rule.deducted else k
        assert k is not None
        assert deducted is not None
        cost = k * base
        if side == "low":
            paid = pay_low(rule.form, cost, basis) / basis.factor
        else:
            paid = pay_high(Border(rule.operator, k, rule.form, deducted), cost, basis)
        yield Jump(side, rule.form, rule.operator, k, weights, paid / c)


def _factor(lead: Lead, rule: Outlier, insurance: str) -> Fraction:
    """From amounts on the mean cost to money; it matters where an outlier is paid in money (L5)."""
    values = [keyed(lead.point_values, "", insurance), *lead.point_values.values()]
    value = next((one for one in values if one), None)
    if rule.form != "L5" or not (lead.points and lead.mean_cost and value):
        return _ONE
    return _ONE if "v" in lead.ratio_base.split() else lead.points * value / lead.mean_cost


def _policy_samples(policy: Policy, terms: Terms, rule: Outlier) -> Iterator[_Sample]:
    named = {part for step in rule.k.steps for part in step.key.split("&")}
    groups = sorted(
        named & {step.group for one in (terms.low, terms.high) if one for step in one.steps} - {""}
    )
    for insurance, level, group in product(
        policy.area.insurances, policy.area.levels, ["", *groups]
    ):
        case = LeadCase(group=group, level=level.code, insurance=insurance.code)
        name = "/".join(filter(None, (group, level.title, insurance.title)))
        if terms.coefficient is None:
            yield _Sample(name, _ONE, case)
            continue
        if terms.coefficient.in_table:
            found, every = None, list(SAMPLE_COEFFICIENTS)
        else:
            found = terms.coefficient.find(insurance.code, level.code, "")
            values = [found] if found is not None else terms.coefficient.values.values()
            every = [Fraction(one) for one in sorted(set(values))]
        for one in every:
            more = f"/c={decimal_text(one)}" if found is None else ""
            yield _Sample(name + more, one, case)
