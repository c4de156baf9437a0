"""The jump at every threshold is what the payment really does there."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from grouper.policy.lead_rules import LeadCase
from grouper.policy.leads import leads, load_lead
from grouper.policy.load import load_policy
from grouper.settle.jumps import SAMPLE_COEFFICIENTS, lead_jumps, policy_jumps
from grouper.settle.lead import Given, pay_by_lead

PLAIN = [name for name, lead in leads().items() if lead.can_price and (lead.low or lead.high)]
#: so little of the amounts in the test that it is nothing among standards
FEN = Fraction(1, 100)
WEIGHTS = [Fraction(text) for text in ("0.7", "1.3", "1.7", "2.2", "2.8", "3.5", "6", "12")]


def seen(lead, case, given, side):
    """The payment above a threshold less that below, in standards; None where there is none."""
    amount = pay_by_lead(lead, case, given)
    border = amount.low if side == "low" else amount.high
    if border is None or amount.basis is None:
        return None
    at = border.k * amount.basis.base
    below, above = (
        pay_by_lead(lead, case, replace(given, cost=at + step)).exact for step in (-FEN, FEN)
    )
    return (above - below) / (amount.basis.standard * amount.basis.factor)


@pytest.mark.parametrize("area", PLAIN)
def test_jumps_are_what_the_payment_does(area):
    # rules of other kinds would hide the threshold
    lead = replace(load_lead(area), class_rules=(), before_rules=(), within_rules=())
    listed = lead_jumps(lead)
    assert listed
    levels = {level for level, _ in (lead.coefs or lead.rates)} or {""}
    own = lead.coefs and not lead.coef_source.startswith("table")
    for level in levels:
        for weight in WEIGHTS:
            for coefficient in (None,) if own else SAMPLE_COEFFICIENTS:
                case = LeadCase("ES31", level, "居民", weight=weight)
                given = Given(
                    Fraction(9),
                    coefficient,
                    coefficient,
                    rate=Fraction(10**9),
                    point_value=next((v for v in lead.point_values.values()), None),
                    mean_cost=lead.mean_cost,
                    group_mean=Fraction(10**9),
                )
                if lead.coef_source == "adjust" and coefficient:
                    given = replace(given, adjust=coefficient)
                for side in ("low", "high"):
                    jump = seen(lead, case, given, side)
                    near = [one for one in listed if one.side == side]
                    assert jump is None or any(
                        abs(one.jump - jump) < Fraction(1, 10000) for one in near
                    ), (area, level, weight, coefficient, side, float(jump))


def test_what_is_known_of_the_methods():
    def high(area):
        return {one.jump for one in lead_jumps(load_lead(area)) if one.side == "high"}

    assert high("武汉") == {Fraction(0)}  # H0
    assert high("庆阳") == {Fraction(0)}  # H5
    assert high("哈尔滨") == {Fraction(7, 10)}  # H7
    assert high("昆明") == {Fraction(1), Fraction(2)}  # H1: S to k S
    assert high("菏泽") >= {Fraction(0), Fraction(1)}  # H8: continuous for k = 2 only
    assert high("绵阳") == {Fraction(0)}  # H2 on a base without coefficient
    assert high("盐城") != {Fraction(0)}  # H3 on a base without coefficient


def test_levels_are_told_only_where_they_matter():
    (low,) = [one for one in lead_jumps(load_lead("武汉")) if one.side == "low"]
    assert (low.holds_for, low.weights, low.jump) == ((), (None, None), Fraction(7, 10))
    assert {one.holds_for for one in lead_jumps(load_lead("大连")) if one.side == "high"} == {
        ("一档",), ("二档",), ("*",)
    }  # fmt: skip
    assert {one.holds_for for one in lead_jumps(load_lead("枣庄")) if one.side == "low"} == {
        ("一级",)
    }


def test_a_pack_tells_its_thresholds_era_by_era():
    found = policy_jumps(load_policy("demo"))
    assert [(one.side, one.k, one.jump) for one in found[:4]] == [
        ("low", Fraction(2, 5), Fraction(3, 5)),
        ("high", Fraction(3), Fraction(0)),
        ("high", Fraction(5, 2), Fraction(0)),
        ("high", Fraction(2), Fraction(0)),
    ]
    assert len({one.span for one in found}) == 2
