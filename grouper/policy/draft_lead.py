"""The sections of a policy drawn from a lead: its numbers under codes, its rules in our columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

from grouper.datafile import toml_text
from grouper.money import decimal_text
from grouper.policy.draft_parts import (
    Draft,
    fund,
    insurances,
    levels,
    outlier_version,
    section,
    version,
)
from grouper.policy.lead_rules import Choice, ClassRule, Schedule
from grouper.policy.leads import Lead, Outlier, label_columns

#: decimals that no published number exceeds
_PLACES = 12
#: numbers that still fit on one line
_ONE_LINE = 4


def lead_sections(draft: Draft, lead: Lead) -> Iterator[list[str]]:
    """The sections of a lead's policy."""
    if lead.rates:
        yield _keyed_section("base_rate", draft, lead.rates, unit="yuan/weight")
    if lead.point_values:
        unit = "10000 yuan/weight" if lead.standard == "S5" else "yuan/point"
        yield _keyed_section("point_value", draft, lead.point_values, unit=unit)
    if lead.mean_cost is not None:
        body = version(draft, f"value = {_number(lead.mean_cost)}")
        yield section("mean_cost", draft, body, unit="yuan/weight")
    yield from _coefficients(draft, lead)
    yield section("standard", draft, version(draft, *_standard(lead)))
    for name, outlier in (("low_outlier", lead.low), ("high_outlier", lead.high)):
        if outlier is not None:
            yield section(name, draft, *_outlier(draft, outlier))
    shares, rules = _outside(lead.class_rules)
    for name, texts in (
        ("class_rules", rules),
        ("before_rules", [rule.text for rule in lead.before_rules]),
        ("within_rules", [rule.text for rule in lead.within_rules]),
    ):
        if texts:
            rows = [f"  {toml_text(text)}," for text in texts]
            head = f"values = [{{ from = {draft.year}-01-01, rules = ["
            yield section(name, draft, head, *rows, "] }]")
    for name, factor in shares.items():
        yield section(name, draft, version(draft, 'rule = "C"', f"factor = {factor}"))
    yield fund(draft)


def _standard(lead: Lead) -> list[str]:
    pairs = [f'rule = "{lead.standard}"', f'ratio_base = "{lead.ratio_base}"']
    return [*pairs, *([f"points = {lead.points}"] if lead.points else [])]


def _outside(rules: Iterable[ClassRule]) -> tuple[dict[str, str], list[str]]:
    """What ambiguous and ungrouped cases are paid of their cost, and the other class rules."""
    shares: dict[str, str] = {}
    others = []
    for rule in rules:
        factor = "1" if rule.value == "L1" else rule.value.removesuffix("C")
        codes = set(rule.words)
        if rule.test == "code" and rule.target == "pay" and codes <= {"0000", "*QY"}:
            shares |= {
                name: factor
                for name, code in (("ambiguous", "*QY"), ("ungrouped", "0000"))
                if code in codes
            }
        others.append(_class_rule(rule))
    return shares, others


def _class_rule(rule: ClassRule) -> str:
    """A class rule in codes of insurances and columns of the normal form."""
    text = rule.text
    for code, one in insurances().items():
        text = text.replace(f"@ins={one.word}", f"@ins={code}")
    # the longer header first: one may be the start of another
    for column, ours in sorted(label_columns().items(), key=lambda pair: -len(pair[0])):
        for test in ("any", "flag", "@any="):
            head, action = text.rsplit(" ", 1)
            text = f"{head.replace(f'{test}{column}', f'{test}{ours}')} {action}"
    return text


def _coefficients(draft: Draft, lead: Lead) -> Iterator[list[str]]:
    source = lead.coef_source
    if not source and lead.standard in ("S1", "S4"):
        return
    name, default = "hospital_coefficient", _constant(lead.coef_default)
    more = [f'"*" = {_number(default)}'] if default else []
    if source.startswith("table"):
        yield section(name, draft, version(draft, *more), unit="1", by="table")
    elif lead.coefs and lead.standard != "S1":
        yield _keyed_section(name, draft, lead.coefs, unit="1", more=more)
    elif lead.standard != "S1":
        body = version(draft, '"*" = 1')
        yield section(name, draft, body, unit="1", by="hospital", mark="constructed")


def _constant(schedule: Schedule | None) -> Fraction | None:
    """The number a schedule gives to every case, None if it depends on the case."""
    if schedule is None or len(schedule.steps) != 1 or not schedule.is_total:
        return None
    return schedule.steps[0].value


def _keyed_section(
    name: str,
    draft: Draft,
    values: Mapping[tuple[str, str], Fraction],
    *,
    unit: str,
    more: Sequence[str] = (),
) -> list[str]:
    """Numbers by level and insurance; a part that only some keys have is written out for all."""
    by_level = any(level for level, _ in values)
    by_insurance = any(insurance for _, insurance in values)
    codes = {one.word: code for code, one in insurances().items()}
    pairs: dict[str, Fraction] = {}
    for (level, insurance), number in values.items():
        named = [level] if level or not by_level else list(levels(draft))
        funds = [insurance] if insurance or not by_insurance else list(codes)
        for one in named:
            for other in funds:
                key = "/".join(filter(None, (one, codes.get(other, ""))))
                pairs.setdefault(key or "*", number)
    by = "/".join(name for name, used in (("level", by_level), ("insurance", by_insurance)) if used)
    texts = [f"{_key(key)} = {_number(number)}" for key, number in pairs.items()] + [*more]
    if len(texts) <= _ONE_LINE:
        body = [version(draft, *texts)]
    else:
        # inline tables of TOML stand on one line, so long lists get a table of their own
        body = [f"[[{name}.values]]", f"from = {draft.year}-01-01", *texts]
    return section(name, draft, *body, unit=unit, by=by or "insurance")


def _key(text: str) -> str:
    return text if text.isascii() and text.isalnum() else toml_text(text)


def _number(value: Fraction) -> str:
    return decimal_text(value, places=_PLACES)


def _outlier(draft: Draft, outlier: Outlier) -> list[str]:
    steps = [_step(choice) for choice in outlier.k.steps]
    deducted = [_step(choice) for choice in outlier.deducted.steps] if outlier.deducted else []
    return outlier_version(draft, outlier.form, outlier.operator, steps, deducted)


def _step(choice: Choice) -> str:
    parts = []
    codes = {one.word: code for code, one in insurances().items()}
    for key in filter(None, choice.key.split("&")):
        if key in codes:
            parts.append(f'insurance = "{codes[key]}"')
        else:
            parts.append(f"{'group' if key.isascii() else 'level'} = {toml_text(key)}")
    for test in choice.comparisons:
        name = {"<=": "weight_up_to", "<": "weight_below"}[test.operator]
        parts.append(f"{name} = {_number(test.border)}")
    return f"{{ {', '.join((*parts, f'k = {_number(choice.value)}'))} }}"
