"""Worked examples of a case's payment and of the fund's part, by the functions that settle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from grouper.errors import SettlementError
from grouper.money import FEN_PER_YUAN, decimal_text, round_half_up, yuan
from grouper.policy.lead_rules import LeadCase
from grouper.policy.leads import Lead, load_lead
from grouper.policy.model import FundRule
from grouper.settle.cuts import Cuts
from grouper.settle.fund import fund_a, fund_b, fund_c, fund_d, point_value_p1, point_value_p2
from grouper.settle.lead import Border, Given, LeadAmount, pay_by_lead
from grouper.settle.lead_cuts import Naming, compile_lead
from grouper.settle.share import ASKED, share_column
from grouper.worked import Worked
from weights.inputs import Inputs

#: what tables print where there is no number
_EMPTY = ("", "——", "—", None)
#: days of stay of an example that does not tell
_USUAL_LOS = 8
_INT64_END = 2**63
_GIVEN = ("coef", "group_coef", "adjust", "rate", "point_value", "mean_cost", "group_mean", "score")


def calculate_payment(inputs: Mapping[str, Any]) -> Worked:
    """The worked example of kind `payment`: a case of an area of the leads.

    area, group, weight, cost, and as far as the area's rules ask for them level, insurance,
    hospital, los (8), leave ("1"), age, labels {column: text}, coef, group_coef, adjust, rate,
    point_value, mean_cost, group_mean, score; a number not given is the lead's own.
    Raises PolicyError PO115, PO116; WeightError WT120; SettlementError ST121.
    """
    read = Inputs(inputs)
    lead = load_lead(read.code("area"))
    los = _whole(read, "los")
    case = LeadCase(
        group=_text(read, "group"),
        level=_text(read, "level"),
        insurance=_text(read, "insurance"),
        hospital=_text(read, "hospital"),
        weight=_number(read, "weight") or None,  # some tables print 0 where there is none
        los=_USUAL_LOS if los is None else los,
        leave=_text(read, "leave", "1"),
        age=_whole(read, "age"),
        labels=_labels(read),
    )
    given = Given(_positive(read, "cost"), **{key: _number(read, key) for key in _GIVEN})
    amount = pay_by_lead(lead, case, given)
    _check_batch(lead, case, given, amount)
    return Worked({"pay": yuan(amount.fen)}, _steps(lead, given.cost, amount))


def _check_batch(lead: Lead, case: LeadCase, given: Given, amount: LeadAmount) -> None:
    """The batch path must pay the same. Raises SettlementError ST307, a defect, where it does not.

    A cost that is no whole number of fen, or an amount beyond int64, has no place in a batch.
    """
    cost = given.cost * FEN_PER_YUAN
    if cost.denominator != 1 or cost >= _INT64_END or abs(amount.fen) >= _INT64_END:
        return
    cuts = Cuts([compile_lead(lead, case, given)])
    at = cuts.find(np.zeros(1, np.int64), np.array([cost.numerator], np.int64))
    branch = cuts.branches[int(at[0])]
    x = case.los if branch.by_days else cost.numerator
    paid = int(cuts.pay(at, np.array([x], np.int64))[0])
    theirs = (*Naming(lead)(amount.kind), amount.fen)
    if (branch.case_type, branch.rule, paid) != theirs:
        raise SettlementError(
            "ST307",
            check="batch = one case",
            left=f"{branch.rule.rule} {yuan(paid)}",
            right=f"{amount.kind} {yuan(amount.fen)}",
        )


def _steps(lead: Lead, cost: Fraction, amount: LeadAmount) -> dict[str, object]:
    """The way to the payment, numbers as payment/examples.json prints them."""
    method = "rate10k" if lead.standard == "S5" else lead.method
    formula = lead.ratio_base.replace(" ", " x ")
    steps: dict[str, object] = {"method": method, "ratio_base_formula": formula}
    basis = amount.basis
    if basis is not None:
        steps["coefficient"] = decimal_text(basis.coefficient)
        if basis.rate is not None:
            steps["rate"] = decimal_text(basis.rate)
        steps["ratio_base"] = decimal_text(basis.base, places=6)
        steps["ratio"] = decimal_text(cost / basis.base)
        for name, border, side in (("low", amount.low, "below"), ("high", amount.high, "above")):
            if border is not None:
                steps[name] = _border_text(border, basis.base, side)
    steps["class"] = amount.kind
    if amount.points is not None:
        steps["points"] = decimal_text(amount.points, places=6)
    steps["pay_unrounded"] = decimal_text(amount.exact, places=8)
    steps["pay"] = yuan(amount.fen)
    steps["source"] = lead.texts["source"]
    steps["confidence"] = f"{lead.confidence} (corrected)" if lead.corrected else lead.confidence
    return steps


def _border_text(border: Border, base: Fraction, side: str) -> str:
    limit = decimal_text(border.k * base, places=6)
    form = border.form.removesuffix("k")
    return f"ratio {border.operator} {decimal_text(border.k)} -> {form} ({side} {limit})"


def calculate_fund(inputs: Mapping[str, Any]) -> Worked:
    """The worked example of kind `fund`: what the fund pays by a convention.

    convention: A (pay, cost, item_fund; negative: `cut`, the default, or `carry`), B (the same
    three), C (pay, self_paid, first_self, deductible, fund_ratio), D (pay, deductible,
    fund_ratio), P1 (fund_budget, total_points, points), P2 (also others_total, others_part).
    Raises WeightError WT120.
    """
    read = Inputs(inputs)
    convention = read.code("convention")
    if convention not in _CONVENTIONS:
        raise read.wrong("convention")
    exact, steps = _CONVENTIONS[convention](read)
    fen = round_half_up(exact * FEN_PER_YUAN)
    if convention == "A" and inputs.get("negative", "cut") != "carry":
        fen = max(0, fen)
    if convention in ASKED:
        _check_share(read, convention, fen)
    return Worked({"fund": yuan(fen)}, steps | {"unrounded": _fixed(exact)})


#: keys of a fund example -> amounts of the bill
_BILL = {"self_paid": "own_cost", "first_self": "pre_self_cost", "deductible": "deductible"}


def _check_share(read: Inputs, convention: str, fen: int) -> None:
    """The batch path must share the same. Raises SettlementError ST307 where it does not.

    Points share a sum of many cases; amounts that are no whole fen, or that int64 does not hold,
    stand in no batch.
    """
    amounts = {key: read.number(key) * FEN_PER_YUAN for key in read.values if key in _SHARED}
    whole = all(one.denominator == 1 and one < _INT64_END for one in amounts.values())
    if convention in ("P1", "P2") or not whole or abs(fen) >= _INT64_END:
        return
    columns = {key: np.array([one.numerator], np.int64) for key, one in amounts.items()}
    ratio = Decimal(str(read.values.get("fund_ratio", "1")))
    carried = read.values.get("negative") == "carry" or convention != "A"
    rule = FundRule(convention, "carry" if carried else "zero", ratio)
    nothing = np.zeros(1, np.int64)
    bill = {name: columns.get(key, nothing) for key, name in _BILL.items()}
    cost, pool = columns.get("cost", nothing + 1), columns.get("item_fund", nothing)
    paid = int(share_column(rule, columns["pay"], cost, pool, bill)[0])
    if paid != fen:
        raise SettlementError("ST307", check="batch = one case", left=yuan(paid), right=yuan(fen))


_SHARED = ("pay", "cost", "item_fund", *_BILL)


Found = tuple[Fraction, dict[str, object]]


def _by_a(inputs: Inputs) -> Found:
    pay, cost, pool = (inputs.number(key) for key in ("pay", "cost", "item_fund"))
    others = yuan(round_half_up((cost - pool) * FEN_PER_YUAN))
    return fund_a(pay, cost, pool), {"others_part": others}


def _by_b(inputs: Inputs) -> Found:
    pay, cost, pool = (inputs.number(key) for key in ("pay", "cost", "item_fund"))
    if cost <= 0:
        raise inputs.wrong("cost")
    return fund_b(pay, cost, pool), {"share": _fixed(pool / cost)}


def _by_c(inputs: Inputs) -> Found:
    keys = ("pay", "self_paid", "first_self", "deductible", "fund_ratio")
    pay, self_paid, first, deductible, ratio = (inputs.number(key) for key in keys)
    base = max(Fraction(0), pay - self_paid - first - deductible)
    shown = yuan(round_half_up(base * FEN_PER_YUAN))
    return fund_c(pay, self_paid, first, deductible, ratio), {"base": shown}


def _by_d(inputs: Inputs) -> Found:
    pay, deductible, ratio = (inputs.number(key) for key in ("pay", "deductible", "fund_ratio"))
    fund = fund_d(pay, deductible, ratio)
    return fund, {"patient_on_standard": decimal_text(pay - fund)}


def _by_p1(inputs: Inputs) -> Found:
    value = point_value_p1(inputs.number("fund_budget"), _positive(inputs, "total_points"))
    return value * inputs.number("points"), {"point_value": _fixed(value)}


def _by_p2(inputs: Inputs) -> Found:
    budget, others = inputs.number("fund_budget"), inputs.number("others_total")
    value = point_value_p2(budget, others, _positive(inputs, "total_points"))
    total = value * inputs.number("points")
    steps: dict[str, object] = {"point_value": _fixed(value), "hospital_total": _fixed(total)}
    return total - inputs.number("others_part"), steps


_CONVENTIONS: Mapping[str, Callable[[Inputs], Found]] = {
    "A": _by_a,
    "B": _by_b,
    "C": _by_c,
    "D": _by_d,
    "P1": _by_p1,
    "P2": _by_p2,
}


def _fixed(value: Fraction) -> str:
    """Eight decimals, half up, zeros kept."""
    digits = round_half_up(value * 10**8)
    whole, rest = divmod(abs(digits), 10**8)
    return f"{'-' if digits < 0 else ''}{whole}.{rest:08d}"


def _text(inputs: Inputs, key: str, default: str = "") -> str:
    return inputs.code(key) if inputs.values.get(key) not in _EMPTY else default


def _number(inputs: Inputs, key: str) -> Fraction | None:
    """A number that tables may leave out; none is negative."""
    if inputs.values.get(key) in _EMPTY:
        return None
    value = inputs.number(key)
    if value < 0:
        raise inputs.wrong(key)
    return value


def _positive(inputs: Inputs, key: str) -> Fraction:
    value = inputs.number(key)
    if value <= 0:
        raise inputs.wrong(key)
    return value


def _whole(inputs: Inputs, key: str) -> int | None:
    return None if inputs.values.get(key) in _EMPTY else inputs.whole(key)


def _labels(inputs: Inputs) -> Mapping[str, str]:
    """The texts of the group's row in the published table; an empty cell may be null."""
    if inputs.values.get("labels") is None:
        return {}
    labels = {key: text for key, text in inputs.object_of("labels").values.items() if text}
    if not all(isinstance(text, str) for text in labels.values()):
        raise inputs.wrong("labels")
    return labels
