"""Straight lines between cuts: placed and rounded by integers as the fractions say."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grouper.errors import SettlementError
from grouper.money import round_half_up
from grouper.policy.lead_rules import LeadCase
from grouper.policy.leads import leads
from grouper.settle.amounts import CaseType, DecidingRule
from grouper.settle.cuts import Bound, Branch, CompiledCell, Cuts, Ramp, pieces, ramp
from grouper.settle.lead import Given, pay_by_lead
from grouper.settle.lead_cuts import Naming, asked, compile_lead

RULE = DecidingRule("H3", "test")
FRACTIONS = st.fractions(-(10**12), 10**12, max_denominator=10**9)
OPERATORS = st.sampled_from(["<", "<=", ">", ">="])


def branch(pay, tests=(), kind=CaseType.INLIER):
    return Branch(kind, RULE, pay, tuple(tests))


def of(*branches):
    return Cuts([CompiledCell.of(branches)])


def paid(cuts, cost):
    costs = np.array([cost], np.int64)
    at = cuts.find(np.zeros(1, np.int64), costs)
    return cuts.branches[int(at[0])], int(cuts.pay(at, costs)[0])


@given(FRACTIONS, FRACTIONS, st.integers(0, 10**12))
@example(Fraction(1, 2), Fraction(0), 1)
@example(Fraction(-1, 2), Fraction(0), 1)
@example(Fraction(-1, 2), Fraction(1, 2), 0)
@example(Fraction(1), Fraction(-5, 2), 2)
@example(Fraction(1), Fraction(-3, 2), 2)
@example(Fraction(10**9 + 1, 10**9 + 7), Fraction(-1, 998244353), 10**12)
@example(Fraction(1, 2**62 + 1), Fraction(0), 10**9)
@example(Fraction(3, 2**61 - 1), Fraction(7, 2), 10**12)
def test_a_line_is_rounded_as_its_fraction_is(slope, start, x):
    pay = Ramp(slope, start)
    exact = round_half_up(pay.at(x))
    if abs(exact) < 2**63:
        assert paid(of(branch(pay)), x)[1] == exact


def test_ties_go_away_from_zero_for_rows_with_and_without_overflow():
    lines = [Ramp(Fraction(1, 2), Fraction(-5)), Ramp(Fraction(2**61 + 1, 2**62 + 2), Fraction(0))]
    for pay in lines:
        cuts = of(branch(pay))
        for cost in (0, 1, 7, 9, 10, 11, 13, 10**11, 10**11 + 1):
            assert paid(cuts, cost)[1] == round_half_up(pay.at(cost))


@given(
    st.lists(
        st.lists(st.tuples(OPERATORS, st.fractions(0, 60, max_denominator=9)), max_size=2),
        max_size=5,
    ),
    st.integers(0, 70),
)
def test_the_first_branch_whose_tests_hold_decides(tests, cost):
    branches = [
        branch(Ramp(Fraction(0), Fraction(at)), [Bound(*one) for one in each])
        for at, each in enumerate(tests)
    ]
    branches.append(branch(Ramp(Fraction(0), Fraction(len(tests)))))
    compare = {
        "<": Fraction.__lt__, "<=": Fraction.__le__, ">": Fraction.__gt__, ">=": Fraction.__ge__
    }  # fmt: skip
    expected = next(
        at
        for at, one in enumerate(branches)
        if all(compare[test.operator](Fraction(cost), test.border) for test in one.tests)
    )
    assert paid(of(*branches), cost)[1] == expected
    starts = [start for start, _ in pieces(branches)]
    assert starts[0] == 0
    assert starts == sorted(set(starts))


def test_borders_beyond_int64_are_met_by_no_cost():
    far = [Bound(">", Fraction(2**70))]
    cuts = of(branch(Ramp(Fraction(0), Fraction(9)), far), branch(Ramp(Fraction(1), Fraction(0))))
    assert paid(cuts, 2**62)[1] == 2**62
    below = [Bound("<", Fraction(2**70))]
    cuts = of(branch(Ramp(Fraction(0), Fraction(9)), below), branch(Ramp(Fraction(0), Fraction(1))))
    assert paid(cuts, 2**62)[1] == 9


@given(FRACTIONS, FRACTIONS)
def test_two_points_give_the_line(slope, start):
    assert ramp(lambda cost: slope * cost + start) == Ramp(slope, start)


# --- leads -------------------------------------------------------------------------------------

PRICING = [lead for lead in leads().values() if lead.can_price]
NUMBERS = Given(
    Fraction(1),
    coef=Fraction("1.13"),
    group_coef=Fraction("0.9345"),
    adjust=Fraction("1.0371"),
    rate=Fraction("9876.54"),
    point_value=Fraction("93.1057"),
    mean_cost=Fraction("8765.43"),
    group_mean=Fraction("7654.32"),
    score=Fraction("123.4567"),
)
LABELS = ({}, {"基础病组": "是", "基层病组": "是", "是否调价": "是", "病组标识": "不稳定组"})


def cases_of(lead):
    """Cases that meet and miss every comparison, class and key of a lead."""
    facts = {"los": {8}, "age": {50}, "leave": {1}}
    for one in asked(lead):
        border = int(one.border)
        facts[one.name] |= {border, border + 1, max(border - 1, 1)}
    words = {word for rule in lead.class_rules for word in rule.words if rule.test in "=^$~"}
    labels = [*LABELS, *({"病组标识": word} for word in sorted(words))]
    groups = ["ES31", "0000", "BQY", "GF3A", "GW15"]
    levels = dict.fromkeys(level for level, _ in (*lead.rates, *lead.coefs)) or {"三级": None}
    weights = [None, Fraction("0.4279"), Fraction(2), Fraction("5.0001")]
    every = product(
        groups, levels, ("职工", "居民"), weights, sorted(facts["los"]), sorted(facts["leave"]),
        sorted(facts["age"]), labels,
    )  # fmt: skip
    for group, level, insurance, weight, los, leave, age, label in every:
        yield LeadCase(group, level, insurance, "", weight, los, str(leave), age, label)


def compiled(lead, case):
    """The cell of a case, or the issues why it has none."""
    try:
        return compile_lead(lead, case, NUMBERS), ()
    except SettlementError as error:
        return None, error.issues


def compare(lead, case, cents):
    """One case on both paths, for costs on both sides of every cut and some others."""
    cell, lacking = compiled(lead, case)
    if cell is None:
        with pytest.raises(SettlementError) as caught:
            pay_by_lead(lead, case, NUMBERS)
        assert caught.value.issues == lacking
        return 0
    starts = [start for start, _ in pieces(cell.branches)]
    costs = sorted({max(start + step, 1) for start in starts for step in (-1, 0, 1)} | set(cents))
    cuts = Cuts([cell])
    column = np.array(costs, np.int64)
    at = cuts.find(np.zeros(len(costs), np.int64), column)
    by_days = np.array([cuts.branches[one].by_days for one in at.tolist()])
    fen = cuts.pay(at, np.where(by_days, case.los, column))
    for cost, own, amount in zip(costs, at.tolist(), fen.tolist(), strict=True):
        one = pay_by_lead(lead, case, replace(NUMBERS, cost=Fraction(cost, 100)))
        ours = (cuts.branches[own].case_type, cuts.branches[own].rule, amount)
        assert ours == (*Naming(lead)(one.kind), one.fen), (lead.area, case, cost)
    return len(costs)


@pytest.mark.parametrize("part", range(8))
def test_every_lead_pays_a_batch_as_it_pays_one_case(part):
    seen = 0
    for lead in PRICING[part::8]:
        every = list(cases_of(lead))
        step = max(len(every) // 12, 1) | 1
        seen += sum(compare(lead, case, (123_457, 1_000_000)) for case in every[::step])
    assert seen > 1000


@pytest.mark.large
@pytest.mark.parametrize("lead", PRICING, ids=lambda lead: lead.area)
def test_every_combination_of_a_lead_pays_a_batch_as_it_pays_one_case(lead):
    every = list(cases_of(lead))
    step = max(len(every) // 400, 1) | 1
    assert sum(compare(lead, case, range(1, 9_000_000, 1_234_567)) for case in every[::step]) > 50


def test_the_leads_hold_every_method():
    forms = {side.form for lead in PRICING for side in (lead.low, lead.high) if side}
    assert forms >= {"L1", "L2", "L3", "L5", "H0", "H1", "H2", "H2k", "H3", "H4", "H5", "H7", "H8"}
    assert {lead.standard for lead in PRICING} == {"S1", "S2", "S3", "S4", "S5", "S6"}
    assert {side.operator for lead in PRICING for side in (lead.low, lead.high) if side} == {
        "<", "<=", ">", ">="
    }  # fmt: skip
    rules = {rule.payment for lead in PRICING for rule in (*lead.before_rules, *lead.within_rules)}
    rules |= {rule.value for lead in PRICING for rule in lead.class_rules if rule.target == "pay"}
    assert rules >= {"L1", "L2", "D1", "B4", "S", "0.7S", "1.1S", "0.8C"}
