"""Worked examples of DIP cases, by the functions that settle them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, cast

from grouper.errors import SettlementError
from grouper.money import FEN_PER_YUAN, decimal_text, round_half_up, yuan
from grouper.policy.dip import (
    KINDS,
    DeviationRule,
    DipRules,
    KindRules,
)
from grouper.policy.dip_variants import Variant, deviation_rule, variants
from grouper.settle.dip_cell import DipCell, Worth, price_dip_cell
from grouper.settle.dip_rule_text import otherwise, rule_of_text
from grouper.settle.dip_single import DipScore, score_case, special_score
from grouper.settle.dip_year import prepay
from grouper.worked import Worked
from weights.inputs import Inputs
from weights.record import places


def calculate_dip_case(inputs: Mapping[str, Any]) -> Worked:
    """The worked example of kind `dip_case`: one case by one or several deviation rules.

    score, mean_cost, total_cost, hospital_coefficient (1), point_value; adjustment (1), the
    auxiliary coefficient; group_kind (`core`), group_coefficient, days; variants: names of
    data/dip/deviations.toml (default: all), or rules {name: {reference, low, high, extreme}}.
    Outputs by name. Raises WeightError WT120, SettlementError ST141, ST142, ST145.
    """
    read = Inputs(inputs)
    cost = read.fen("total_cost")
    if cost <= 0:
        raise read.wrong("total_cost")
    outputs: dict[str, object] = {}
    steps: dict[str, object] = {}
    for name, rule, kinds in _rules(read):
        cell = _cell(read, rule, kinds)
        found = score_case(cell, cost)
        outputs[name] = {
            "deviation": found.word,
            "deviation_factor": places(found.factor, 6),
            "settled_score": _score(cell, found.units),
            "settled_amount": yuan(found.fen),
            "standard_amount": yuan(found.standard_fen),
        }
        steps[name] = _case_steps(cell, found)
    return Worked(outputs, steps)


def _rules(read: Inputs) -> Iterator[tuple[str, DeviationRule, KindRules]]:
    own = read.object_of("rules")
    for name in own.values:
        rule = deviation_rule(cast(Mapping[str, Any], _decimals(own.object_of(name).values)))
        if rule is None:
            raise own.wrong(name)
        yield name, rule, KindRules()
    known: Mapping[str, Variant] = variants()
    asked = read.values.get("variants")
    if asked is None:
        asked = [] if own.values else list(known)
    if not isinstance(asked, list):
        raise read.wrong("variants")
    for name in asked:
        if name not in known:
            raise read.wrong("variants")
        yield name, known[name].rule, known[name].kinds


def _decimals(value: object) -> object:
    """Numbers that stand as text, as decimals."""
    if isinstance(value, Mapping):
        return {key: _decimals(one) for key, one in value.items()}
    if isinstance(value, str) and value[:1].isdigit():
        return Decimal(value)
    return value


def _cell(read: Inputs, deviation: DeviationRule, kinds: KindRules) -> DipCell:
    kind = str(read.values.get("group_kind") or "core")
    if kind not in KINDS:
        raise read.wrong("group_kind")
    rules = DipRules(deviation, kinds)
    own = read.values.get("group_coefficient")
    worth = Worth(
        str(read.values.get("dip") or "-"),
        kind,
        decimal_of(read, "score"),
        decimal_of(read, "mean_cost") if read.values.get("mean_cost") is not None else None,
        None if own is None else decimal_of(read, "group_coefficient"),
    )
    rule = rules.kinds.of(kind)
    if own is not None:
        rule = replace(rule, coefficient="own")
    cell = price_dip_cell(
        rules,
        rule,
        worth,
        coefficient=_above_zero(read, "hospital_coefficient", "1"),
        point_value=_above_zero(read, "point_value"),
        adjustment=_above_zero(read, "adjustment", "1"),
        days=read.whole("days", "1"),
    )
    if not isinstance(cell, DipCell):
        raise SettlementError.of([cell])
    return cell


def decimal_of(read: Inputs, key: str, default: str | None = None) -> Decimal:
    """A decimal number, exactly."""
    read.number(key, default)
    value = read.values.get(key)
    return Decimal(str(default if value is None else value).strip())


def _above_zero(read: Inputs, key: str, default: str | None = None) -> Decimal:
    value = decimal_of(read, key, default)
    if value <= 0:
        raise read.wrong(key)
    return value


def _score(cell: DipCell, units: int) -> str:
    return places(Fraction(units, 10**cell.decimals), cell.decimals)


def _case_steps(cell: DipCell, found: DipScore) -> dict[str, object]:
    steps: dict[str, object] = {
        "score": decimal_text(Fraction(cell.score)),
        "adjusted_score": decimal_text(cell.base),
        "coefficient": decimal_text(cell.coefficient),
        "point_value": decimal_text(Fraction(cell.point_value)),
    }
    if cell.reference_fen is not None and found.ratio is not None:
        steps["reference"] = decimal_text(cell.reference_fen / FEN_PER_YUAN, places=6)
        steps["ratio"] = places(found.ratio, 6)
    for name, border in (("low", cell.low), ("high", cell.high), ("extreme", cell.extreme)):
        if border is not None:
            band = border.band
            steps[name] = f"ratio {band.operator} {band.multiple} -> {band.form}"
    steps["band"] = found.deviation
    steps["score_unrounded"] = decimal_text(found.exact)
    steps["amount_unrounded"] = decimal_text(
        Fraction(found.units, 10**cell.decimals) * Fraction(cell.point_value)
    )
    if found.review:
        steps["review"] = "experts"
    return steps


def calculate_dip_month(inputs: Mapping[str, Any]) -> Worked:
    """The worked example of kind `dip_month`: the cases of a hospital, its month, other variants.

    rules {low, high (as text), mean_basis, hospital_coefficient, budget_point_value, prepay_ratio,
    audit_deduction}; cases [{case, score, mean_cost, total_cost, patient_paid, kind}];
    otherwise {case: [names]}: the same case by another rule, as the name says it.
    Raises WeightError WT120, SettlementError ST141, ST142, ST145.
    """
    read = Inputs(inputs)
    rules = read.object_of("rules")
    texts = [str(rules.values.get(key) or "") for key in ("low", "high", "mean_basis")]
    usual = rule_of_text(texts[0], texts[1], mean_basis=texts[2])
    if usual is None:
        raise rules.wrong("high" if rule_of_text(texts[0], "") else "low")
    cases = read.named("cases", "case")
    made: dict[str, object] = {}
    units, cost, patients, amounts = 0, 0, [], []
    cell: DipCell | None = None
    for name, case in cases.items():
        cell = _month_cell(rules, case, usual)
        found = score_case(cell, case.fen("total_cost"))
        made[name] = _month_case(cell, found)
        units, cost = units + found.units, cost + case.fen("total_cost")
        patients.append(case.fen("patient_paid"))
        amounts.append(found.fen)
    if cell is None:
        raise read.wrong("cases")
    month = prepay(
        amounts,
        patients,
        share=rules.number("prepay_ratio", "1"),
        deduction_fen=rules.fen("audit_deduction") if "audit_deduction" in rules.values else 0,
    )
    outputs: dict[str, object] = {
        "cases": made,
        "month": {
            "total_score": _score(cell, units),
            "total_cost": yuan(cost),
            "patient_paid": yuan(sum(patients)),
            "sum_of_case_amounts": yuan(sum(amounts)),
            "gross_from_total_score": yuan(cell.amount(units)),
            "fund_before_prepay": yuan(month.base_fen),
            "month_payment": yuan(month.paid_fen),
            "retained": yuan(month.kept_fen),
        },
    }
    for name, others in read.object_of("otherwise").values.items():
        if name not in cases or not isinstance(others, list):
            raise read.object_of("otherwise").wrong(name)
        outputs[f"variants_case_{name}"] = {
            other: _other(rules, cases[name], usual, str(other), read) for other in others
        }
    return Worked(outputs, {"prepaid_before_deduction": yuan(month.share_fen)})


def _month_cell(rules: Inputs, case: Inputs, deviation: DeviationRule) -> DipCell:
    shared = {
        "hospital_coefficient": rules.values.get("hospital_coefficient"),
        "point_value": rules.values.get("budget_point_value"),
        "group_kind": case.values.get("kind"),
    }
    return _cell(Inputs({**shared, **case.values}, case.place), deviation, KindRules())


def _month_case(cell: DipCell, found: DipScore) -> dict[str, object]:
    return {
        "ratio": None if found.ratio is None else places(found.ratio, 6),
        "deviation": found.word,
        "deviation_factor": places(found.factor, 6),
        "case_score": _score(cell, found.units),
        "standard_amount": yuan(found.fen),
    }


def _other(
    rules: Inputs, case: Inputs, usual: DeviationRule, name: str, read: Inputs
) -> dict[str, object]:
    """A case by the rule that the name of a variant tells."""
    told = otherwise(name, usual)
    if told is None:
        raise read.wrong("otherwise")
    cell = _month_cell(rules, case, told.rule)
    cost = case.fen("total_cost") if told.cost is None else round_half_up(told.cost * FEN_PER_YUAN)
    found = score_case(cell, cost)
    units, fen = found.units, found.fen
    if told.item:
        units, fen = special_score(cost, cell.point_fen, decimals=cell.decimals)
    shown: dict[str, object] = {"case_score": _score(cell, units), "amount": yuan(fen)}
    if told.rule.reference == "standard" and cell.reference_fen is not None:
        shown["ref"] = yuan(round_half_up(cell.reference_fen))
        shown["ratio"] = None if found.ratio is None else places(found.ratio, 6)
        shown["deviation"] = found.word
    return shown
