"""The rules of an area as lines of text: key, value, days, source and mark of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from decimal import Decimal

from grouper.dated import Confidence, Span
from grouper.policy.dip import DipRules
from grouper.policy.leads import Lead
from grouper.policy.model import Area, KeyedValues, OutlierRule, Policy, Terms
from grouper.policy.parameters import Band, Parameter, ScoreStep, Value
from grouper.policy.pick import Picked

#: columns of a lead that are told elsewhere
_LEAD_HIDDEN = ("area", "code", "source", "confidence")


@dataclass(frozen=True, slots=True)
class Line:
    """One rule: `key` as in the policy file; `parts` its numbers by key where it has several."""

    key: str
    value: str
    source: str
    confidence: str
    span: Span | None = None
    parts: tuple[tuple[str, str], ...] = ()


def policy_lines(policy: Policy) -> Iterator[Line]:
    """What a case is priced by, era by era."""
    for terms in policy.terms:
        yield from terms_lines(terms)


def terms_lines(terms: Terms) -> Iterator[Line]:
    """The rules of one era under the keys of the policy file."""
    keyed = {
        "base_rate": terms.base_rate,
        "point_value": terms.point_value,
        "hospital_coefficient": terms.coefficient,
    }
    for key, value in _values(terms).items():
        if not value:
            continue
        numbers = keyed.get(key)
        parts = tuple(_pairs(numbers)) if numbers else ()
        mark: Confidence | str = terms.marks.get(key, "")
        yield Line(key, value, terms.sources.get(key, ""), mark, terms.span, parts)


def _values(terms: Terms) -> dict[str, str]:
    standard = terms.standard
    points = f", P = {standard.points}" if standard.points else ""
    rules = terms.rules
    shares = {"ambiguous": terms.ambiguous, "ungrouped": terms.ungrouped}
    return {
        "scheme": terms.scheme_id,
        "weight_table": terms.weight_table,
        "base_rate": _keyed(terms.base_rate),
        "point_value": _keyed(terms.point_value),
        "mean_cost": "" if terms.mean_cost is None else str(terms.mean_cost),
        "hospital_coefficient": _keyed(terms.coefficient),
        "standard": f"{standard.rule}, x = C / ({standard.ratio_base}){points}",
        "low_outlier": _outlier(terms.low),
        "high_outlier": _outlier(terms.high),
        "class_rules": "; ".join(rule.text for rule in rules.class_rules),
        "before_rules": "; ".join(rule.text for rule in rules.before_rules),
        "within_rules": "; ".join(rule.text for rule in rules.within_rules),
        "dip": "" if terms.dip is None else "; ".join(_dip(terms.dip)),
        **{key: f"{one.rule} x {one.factor}" for key, one in shares.items() if one},
        "fund": f"{terms.fund.rule}, {terms.fund.negative}",
        "deposit": str(terms.deposit_rate),
    }


def _dip(rules: DipRules) -> Iterator[str]:
    """Bands, kinds of groups and columns of a DIP area."""
    deviation = rules.deviation
    yield f"reference {deviation.reference}"
    for name, band in (
        ("low", deviation.low),
        ("high", deviation.high),
        ("extreme", deviation.extreme),
    ):
        if band is not None:
            formula = f"{band.form}(r-{band.deducted})" if band.form == "excess" else band.form
            yield f"{name} r {band.operator} {band.multiple}: {formula}, K {band.coefficient}"
    for kind, rule in rules.kinds.values.items():
        told = [
            f"{one.name} {getattr(rule, one.name)}"
            for one in fields(rule)
            if getattr(rule, one.name) != one.default
        ]
        yield f"{kind}: {', '.join(told) or 'as usual'}"
    if rules.adjustment_columns:
        yield f"A from {' | '.join(rules.adjustment_columns)}"


def picked_lines(found: Picked) -> Iterator[Line]:
    """The one row for a case: of numbers by key only its own, of schedules only its steps."""
    terms = found.terms
    own = {
        "base_rate": found.rate,
        "point_value": found.point_value,
        "hospital_coefficient": found.coefficient,
    }
    for line in terms_lines(terms):
        value = line.value
        if line.key in own and not value.startswith("table"):
            value = "" if own[line.key] is None else str(own[line.key])
        for key, rule, steps in (
            ("low_outlier", terms.low, found.low),
            ("high_outlier", terms.high, found.high),
        ):
            if line.key == key and rule is not None:
                value = _outlier(replace(rule, steps=steps))
        if value:
            yield replace(line, value=value, parts=())


def _pairs(values: KeyedValues) -> Iterator[tuple[str, str]]:
    for key, number in values.values.items():
        yield ("*" if set(key) == {"*"} else "/".join(key)), str(number)


def _keyed(values: KeyedValues | None) -> str:
    if values is None:
        return ""
    pairs = [f"{key}={number}" for key, number in _pairs(values)]
    return ";".join(["table", *pairs] if values.in_table else pairs)


def _outlier(rule: OutlierRule | None) -> str:
    if rule is None:
        return ""
    steps = []
    for one in rule.steps:
        tests = [one.level, one.insurance, one.group]
        tests += [f"w<={one.weight_up_to}"] if one.weight_up_to is not None else []
        tests += [f"w<{one.weight_below}"] if one.weight_below is not None else []
        steps.append(f"{'&'.join(filter(None, tests)) or '*'}:{one.multiple}")
    return f"{rule.rule}, x {rule.operator} {'|'.join(steps)}"


def parameter_lines(policy: Policy, day: date, *, origin: str = "") -> Iterator[Line]:
    """The parameters of month and year on a day; origin: only those decided there (an area)."""
    parameters = policy.parameters
    for key, definition in parameters.definitions.items():
        names = [one.code for one in policy.area.insurances] if definition.by else [""]
        found = [(name, parameters.find(key, day, name)) for name in names]
        given = [(name, one) for name, one in found if one and origin in ("", one.origin)]
        if given:
            parts = tuple((name, shown(one.value)) for name, one in given if name)
            text = ";".join("=".join(pair) for pair in parts) or shown(given[0][1].value)
            yield _parameter_line(key, text, given[0][1], parts)


def _parameter_line(
    key: str, text: str, one: Parameter, parts: tuple[tuple[str, str], ...]
) -> Line:
    return Line(f"parameters.{key}", text, one.source, one.confidence, None, parts)


def shown(value: Value) -> str:
    """A parameter's value as text."""
    if isinstance(value, str | Decimal):
        return str(value)
    return "; ".join(_item(one) for one in value)


def _item(one: str | Band | ScoreStep) -> str:
    if isinstance(one, Band):
        return f"{'*' if one.up_to is None else f'<={one.up_to}'}: {one.rate}"
    if isinstance(one, ScoreStep):
        return f">={one.lowest}: {'score' if one.factor is None else one.factor}"
    return one


def fact_lines(area: Area) -> Iterator[Line]:
    """Published facts that no payment rests on."""
    for fact in area.facts:
        text = f"{fact.value} {fact.unit}".strip()
        yield Line(f"facts.{fact.key}", text, fact.source, fact.confidence, fact.span)


def lead_lines(lead: Lead) -> Iterator[Line]:
    """The columns of a lead."""
    texts: Mapping[str, str] = lead.texts
    for key, value in texts.items():
        if value and key not in _LEAD_HIDDEN:
            yield Line(key, value, texts["source"], texts["confidence"])
