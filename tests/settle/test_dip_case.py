"""Scores and amounts of DIP cases: every form, bound and end, one path against the other."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouper.errors import Issue
from grouper.policy.dip import Band, DeviationRule, DipRules, KindRule, KindRules
from grouper.policy.dip_variants import variants
from grouper.settle.dip_cell import DipCell, Worth, price_dip_cell
from grouper.settle.dip_rule_text import otherwise, rule_of_text
from grouper.settle.dip_single import band_of, score_case, special_score
from grouper.settle.outliers import limit

LOW = [("<", "ratio"), ("<=", "ratio"), ("<", "cost"), ("<=", "standard")]
HIGH = [(">", "excess"), (">=", "excess"), (">", "standard"), (">=", "ratio"), (">", "cost")]


def cell_of(
    deviation, *, kind=None, score="1000", mean="5000.00", k="0.9", a="1", pv="5.4", days=1
):
    rules = DipRules(deviation, KindRules())
    worth = Worth("G", "core", Decimal(score), None if mean is None else Decimal(mean))
    return price_dip_cell(
        rules,
        kind or KindRule(),
        worth,
        coefficient=Decimal(k),
        point_value=Decimal(pv),
        adjustment=Decimal(a),
        days=days,
    )


@pytest.mark.parametrize(
    ("variant", "cost", "word", "score", "amount"),
    [
        # mean 5000.00, score 1000, K 0.9: both ends of every bound of every variant
        ("base", 250000, "low", "450", "2430.00"),
        ("base", 250001, "normal", "900", "4860.00"),
        ("base", 999999, "normal", "900", "4860.00"),
        ("base", 1000000, "high", "900", "4860.00"),
        ("base", 1500000, "high", "1800", "9720.00"),
        ("base", 3000000, "high", "4500", "24300.00"),
        ("jining", 250000, "low", "500", "2700.00"),
        ("jining", 250001, "normal", "900", "4860.00"),
        ("jining", 1000000, "normal", "900", "4860.00"),
        ("jining", 1000001, "high", "900.002", "4860.01"),
        ("jining", 1500000, "high", "1900", "10260.00"),
        ("jining", 2500000, "high", "3900", "21060.00"),
        ("jining", 2500001, "extreme", "900", "4860.00"),
        ("taian", 2500001, "high", "3900.002", "21060.01"),
        ("national_10", 250000, "normal", "900", "4860.00"),
        ("national_10", 249999, "low", "449.9982", "2429.99"),
        ("national_10", 1000000, "normal", "900", "4860.00"),
        ("national_10", 3000000, "extreme", "4500", "24300.00"),
        # reference = 1000 x 0.9 x 5.4 = 4860.00, half of it 2430.00
        ("draft_30", 243000, "normal", "900", "4860.00"),
        ("draft_30", 242999, "low", "449.9981", "2429.99"),
        ("draft_30", 90000000, "normal", "900", "4860.00"),
    ],
)
def test_each_end_of_each_bound(variant, cost, word, score, amount):
    cell = cell_of(variants()[variant].rule)
    found = score_case(cell, cost)
    assert found.deviation == word
    assert Fraction(found.units, 10**4) == Fraction(score)
    assert found.fen == int(Decimal(amount) * 100)
    assert found.review == (variant == "national_10" and word == "extreme")


def bands(operators_forms):
    return st.one_of(
        st.none(),
        st.builds(
            lambda operator_form, multiple, use, share, less: Band(
                operator_form[0],
                multiple,
                operator_form[1],
                use,
                deducted=max(multiple - less, Decimal(0)),
                share=share,
            ),
            st.sampled_from(operators_forms),
            st.decimals("0.2", "8", places=2),
            st.sampled_from(["all", "inside", "none"]),
            st.sampled_from([Decimal(1), Decimal("0.7")]),
            st.sampled_from([Decimal(0), Decimal(1)]),
        ),
    )


RULES = st.builds(
    DeviationRule,
    st.sampled_from(["mean_cost", "standard"]),
    bands(LOW),
    bands(HIGH),
    bands(HIGH),
)


@given(
    RULES,
    st.integers(1, 10**8),
    st.decimals("0.000001", "20000", places=6),
    st.decimals("0.01", "90000", places=6),
    st.sampled_from(["0.85", "1", "1.0625"]),
    st.sampled_from(["1", "2.3223", "0.7014"]),
)
def test_lines_and_borders_say_what_ratios_and_factors_say(rule, cost, score, mean, k, a):
    cell = cell_of(rule, score=str(score), mean=str(mean), k=k, a=a)
    assert isinstance(cell, DipCell)
    found = score_case(cell, cost)
    name, line = "normal", cell.normal
    for border_name, border in (("low", cell.low), ("extreme", cell.extreme), ("high", cell.high)):
        if border is None:
            continue
        edge = limit(border.band.operator, Fraction(1), border.edge_fen)
        if cost <= edge if border_name == "low" else cost >= edge:
            name, line = border_name, border.line
            break
    assert name == band_of(cell, cost)[0] == found.deviation
    assert line.units(cost) == found.exact * 10**4
    assert cell.settle(line, cost) == (found.units, found.fen)


@given(st.integers(1, 10**7), st.sampled_from(["base", "jining", "taian", "national_10"]))
def test_scaling_all_scores_leaves_every_amount(cost, variant):
    """A catalogue in thousands and one in units pay the same, but for the rounding of scores."""
    whole = score_case(cell_of(variants()[variant].rule), cost)
    part = score_case(cell_of(variants()[variant].rule, score="100000", pv="0.054"), cost)
    assert abs(whole.fen - part.fen) <= 1


def test_the_normal_case_is_paid_its_groups_mean_at_the_base():
    """K = 1, A = 1, r = 1: amount = mean cost x point value / (base / 1000)."""
    base = Decimal("5718.15")
    mean = Decimal("8490.50")
    cell = cell_of(
        variants()["base"].rule,
        score=str(mean / base * 1000),
        mean=str(mean),
        k="1",
        pv=str(base / 1000),
    )
    found = score_case(cell, int(mean * 100))
    assert found.fen == int(mean * 100)
    assert found.factor == 1


def test_kinds_of_groups_have_their_own_factors():
    rule = variants()["base"].rule
    core = score_case(cell_of(rule, a="2", k="0.9"), 400000)
    assert core.exact == 1800
    kinds = KindRules()
    primary = score_case(cell_of(rule, kind=kinds.of("primary"), k="0.9"), 400000)
    assert primary.exact == 1000
    tcm = score_case(cell_of(rule, kind=kinds.of("tcm"), a="2", k="0.9"), 400000)
    assert tcm.exact == 900
    days = cell_of(rule, kind=kinds.of("bedday"), score="80", a="2", k="0.9", mean=None, days=31)
    bedday = score_case(days, 10**9)
    assert (bedday.exact, bedday.deviation, bedday.ratio) == (
        80 * 31 * Fraction("0.9"),
        "normal",
        None,
    )


def test_cases_without_a_group_of_their_own():
    rule = variants()["jining"].rule
    blank = variants()["jining"].kinds.of("blank")
    assert score_case(cell_of(rule, kind=blank), 400000).exact == Fraction(560)
    share = score_case(cell_of(rule, kind=KindRule(form="cost", factor=Decimal("0.8"))), 400000)
    assert share.fen == 320000
    overall = KindRule(form="overall", factor=Decimal("0.8"), mean=Decimal("7955.52"))
    found = score_case(cell_of(rule, kind=overall, score="1"), 795552)
    assert (found.exact, found.fen) == (800, 432000)


@pytest.mark.parametrize(
    ("score", "mean", "code"),
    [(None, "1", "ST141"), ("0", "1", "ST142"), ("-3", "1", "ST142"), ("5", None, "ST145")],
)
def test_a_group_without_figures_is_refused_by_name(score, mean, code):
    worth = Worth(
        "K35.3", "core", None if score is None else Decimal(score), mean and Decimal(mean)
    )
    rules = DipRules(variants()["base"].rule, KindRules())
    issue = price_dip_cell(
        rules, KindRule(), worth, coefficient=Decimal(1), point_value=Decimal("5.4")
    )
    assert isinstance(issue, Issue)
    assert issue.code == code
    for lang in ("zh", "en"):
        assert "K35.3" in issue.text(lang)


def test_special_review_replaces_all_else():
    assert special_score(23000000, Fraction(540), decimals=4) == (425925926, 23000000)


@pytest.mark.parametrize(
    ("low", "high", "same_as"),
    [
        ("ratio<=0.5: score*ratio*K", "ratio>=2: score*(ratio-2+1)*K", "base"),
        ("ratio<=0.5: score*ratio", "2<ratio<=5: score*(ratio-2+K)", "jining"),
        ("ratio<=0.5: score*ratio", "2<ratio<=5: score*(ratio-2+K); ratio>5: score*K", "jining"),
        ("ratio <= 0.5: score*ratio", "ratio > 2: score*(ratio-2+K)", "taian"),
    ],
)
def test_rules_written_as_text(low, high, same_as):
    rule = rule_of_text(low, high)
    assert rule is not None
    for cost in (1, 249999, 250000, 250001, 10**6 - 1, 10**6, 10**6 + 1, 2500000, 2500001, 10**7):
        ours = score_case(cell_of(rule), cost)
        theirs = score_case(cell_of(variants()[same_as].rule), cost)
        assert (ours.units, ours.fen) == (theirs.units, theirs.fen)


def test_a_text_that_is_no_rule_is_none():
    assert rule_of_text("ratio<=0.5: score*cost", "") is None
    assert rule_of_text("", "ratio~2: score") is None
    assert otherwise("a fair amount", variants()["base"].rule) is None
