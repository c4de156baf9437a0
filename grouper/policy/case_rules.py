"""The rules of a policy in the form of the leads, so that one language serves both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction

from grouper.dated import Confidence
from grouper.policy.lead_rules import CaseRule, Choice, ClassRule, Comparison, Schedule
from grouper.policy.leads import COLUMNS, Lead, Outlier
from grouper.policy.model import KeyedValues, OutlierRule, StandardRule, Step


def rules_in_lead_form(
    area: str,
    *,
    standard: StandardRule,
    base_rate: KeyedValues,
    point_value: KeyedValues | None,
    mean_cost: Decimal | None,
    coefficient: KeyedValues | None,
    low: OutlierRule | None,
    high: OutlierRule | None,
    class_rules: tuple[ClassRule, ...],
    before_rules: tuple[CaseRule, ...],
    within_rules: tuple[CaseRule, ...],
    confidence: Confidence,
    where: str,
) -> Lead:
    """The rules of one era as a Lead; levels and insurances are the area's codes.

    Values by hospital are not in it: who prices a case looks them up and gives them (Given).
    """
    return Lead(
        area=area,
        texts=dict.fromkeys(COLUMNS, "") | {"area": area},
        standard=standard.rule,
        method=_method(standard),
        ratio_base=standard.ratio_base,
        points=standard.points,
        low=_outlier(low),
        high=_outlier(high),
        class_rules=class_rules,
        before_rules=before_rules,
        within_rules=within_rules,
        coef_source=_coefficient_source(coefficient),
        coef_default=None,
        coefs=_keyed(coefficient),
        rates=_keyed(base_rate),
        point_values=_keyed(point_value),
        mean_cost=None if mean_cost is None else Fraction(mean_cost),
        confidence=confidence,
        corrected=False,
        where=where,
    )


def _method(standard: StandardRule) -> str:
    if standard.rule == "S6":
        return "score"
    if standard.points is not None:
        return f"point:{standard.points}"
    return "mean" if standard.rule == "S4" else "rate"


def _coefficient_source(coefficient: KeyedValues | None) -> str:
    if coefficient is None:
        return "1"
    return "table" if coefficient.in_table else "level"


def _keyed(values: KeyedValues | None) -> dict[tuple[str, str], Fraction]:
    """Numbers by (level, insurance); those by hospital are left out, `*` becomes ("", "")."""
    found: dict[tuple[str, str], Fraction] = {}
    if values is None:
        return found
    for key, number in values.values.items():
        named = {} if set(key) == {"*"} else dict(zip(values.by, key, strict=True))
        if "hospital" in named:
            continue
        found[named.get("level", ""), named.get("insurance", "")] = Fraction(number)
    return found


def _outlier(rule: OutlierRule | None) -> Outlier | None:
    if rule is None:
        return None
    deducted = _schedule(rule.deducted) if rule.deducted else None
    return Outlier(rule.operator, _schedule(rule.steps), rule.rule, deducted)


def _schedule(steps: Sequence[Step]) -> Schedule:
    return Schedule(tuple(_choice(step) for step in steps))


def _choice(step: Step) -> Choice:
    key = "&".join(filter(None, (step.level, step.insurance, step.group)))
    return Choice(key, tuple(_comparisons(step)), Fraction(step.multiple))


def _comparisons(step: Step) -> Iterable[Comparison]:
    for operator, border in (("<=", step.weight_up_to), ("<", step.weight_below)):
        if border is not None:
            yield Comparison("w", operator, Fraction(border))
