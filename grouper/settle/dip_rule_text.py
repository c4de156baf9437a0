"""Deviation rules as worked examples write them, `ratio>=2: score*(ratio-2+1)*K`, as values.

Only these few forms are known; a text that is none gives None, and the example is refused there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from grouper.policy.dip import Band, CoefficientUse, DeviationRule, Reference
from grouper.policy.model import Operator

_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_TEST = re.compile(rf"ratio(<=|>=|<|>)({_NUMBER})", re.ASCII)
_BETWEEN = re.compile(rf"({_NUMBER})(<=|<)ratio(<=|<)({_NUMBER})", re.ASCII)
_EXCESS = re.compile(rf"(?:score\*)?\(ratio-({_NUMBER})\+(1|K)\)(\*K)?", re.ASCII)
_CAP = re.compile(rf"(?:ratio>|capped at ?)({_NUMBER})", re.ASCII)
#: form and use of K by the text of a formula without blanks
_PLAIN: Mapping[str, tuple[str, CoefficientUse]] = {
    "score*ratio*K": ("ratio", "all"),
    "score*K*ratio": ("ratio", "all"),
    "ratio*score*K": ("ratio", "all"),
    "score*ratio": ("ratio", "none"),
    "ratio*score": ("ratio", "none"),
    "score*K": ("standard", "all"),
    "score": ("standard", "none"),
    "cost/PV": ("cost", "none"),
    "cost/point_value": ("cost", "none"),
}
_NONE = ("", "none", "no")
#: `2<ratio` is what `ratio>2` says
_TURNED: Mapping[str, Operator] = {"<": ">", "<=": ">="}


def rule_of_text(low: str, high: str, *, mean_basis: str = "") -> DeviationRule | None:
    """The rule of a low and a high text; parts of a text are separated by `;`.

    mean_basis: what costs are divided by; with PV in it score x PV x K, else the mean cost.
    """
    reference: Reference = "standard" if "PV" in mean_basis else "mean_cost"
    found = DeviationRule(reference)
    for name, text in (("low", low), ("high", high)):
        for part in filter(lambda one: one.strip().lower() not in _NONE, text.split(";")):
            bands = _bands(part)
            if bands is None:
                return None
            for band in bands:
                found = _with(found, name, band)
    return found


def _with(rule: DeviationRule, name: str, band: Band) -> DeviationRule:
    """A rule with one band more; of two high ones the second is the extreme band."""
    if name == "low":
        return replace(rule, low=band)
    return replace(rule, high=band) if rule.high is None else replace(rule, extreme=band)


def _bands(text: str) -> tuple[Band, ...] | None:
    """The band of `test: formula`; of one with two ends also the band beyond the second."""
    test, _, formula = "".join(text.split()).partition(":")
    form = _formula(formula)
    if form is None:
        return None
    if between := _BETWEEN.fullmatch(test):
        operator, top = _TURNED[between[2]], Decimal(between[4])
        beyond: Operator = ">" if between[3] == "<=" else ">="
        use: CoefficientUse = "inside" if form[1] == "inside" else "all"
        first = _band(operator, Decimal(between[1]), form)
        return first, Band(beyond, top, "standard", use)
    found = _TEST.fullmatch(test)
    if found is None:
        return None
    return (_band(_operator(found[1]), Decimal(found[2]), form),)


def _operator(text: str) -> Operator:
    operators: tuple[Operator, ...] = ("<", "<=", ">", ">=")
    return next(one for one in operators if one == text)


def _formula(text: str) -> tuple[str, CoefficientUse, Decimal | None] | None:
    """Form, use of K, and the multiple inside the formula."""
    if text in _PLAIN:
        form, use = _PLAIN[text]
        return form, use, None
    found = _EXCESS.fullmatch(text)
    if found is None or (found[2] == "K" and found[3]):
        return None
    use = "inside" if found[2] == "K" else "all" if found[3] else "none"
    return "excess", use, Decimal(found[1])


def _band(
    operator: Operator, multiple: Decimal, form: tuple[str, CoefficientUse, Decimal | None]
) -> Band:
    name, use, deducted = form
    if name == "excess":
        return Band(operator, multiple, "excess", use, deducted or Decimal(0))
    if name == "ratio":
        return Band(operator, multiple, "ratio", use)
    return Band(operator, multiple, "cost" if name == "cost" else "standard", use)


@dataclass(frozen=True, slots=True)
class Otherwise:
    """Another way to score the same case, as an example names it.

    item: by special review, paid its cost; cost: another cost in yuan than the case has.
    """

    rule: DeviationRule
    item: bool = False
    cost: Decimal | None = None


def otherwise(name: str, usual: DeviationRule) -> Otherwise | None:
    """What the name of a variant says: a formula, a cap, `no uplift`, `actual cost`, `3.0`."""
    text = "".join(name.split())
    if "actualcost" in text or "itempayment" in text:
        return Otherwise(usual, item=True)
    if "nouplift" in text:
        return Otherwise(replace(usual, high=None, extreme=None))
    if text.startswith("3.0"):
        cost = re.search(rf"withcost({_NUMBER})", text)
        low = Band("<", Decimal("0.5"), "cost", "none")
        return Otherwise(DeviationRule("standard", low), cost=Decimal(cost[1]) if cost else None)
    if "ratio*score" in text and usual.low is not None:
        use: CoefficientUse = "none" if "noK" in text else "all"
        return Otherwise(replace(usual, low=replace(usual.low, form="ratio", coefficient=use)))
    excess, cap = _EXCESS.search(text), _CAP.search(name)
    if (excess is None and cap is None) or usual.high is None:
        return None
    high, extreme = usual.high, None
    if excess is not None:
        multiple = Decimal(excess[1])
        use = "inside" if excess[2] == "K" else "all" if excess[3] else "none"
        high = replace(high, multiple=multiple, deducted=multiple, coefficient=use)
    if cap is not None:
        extreme = Band(">", Decimal(cap[1]), "standard", "all")
    return Otherwise(replace(usual, high=high, extreme=extreme))
