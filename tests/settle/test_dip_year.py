"""Point values, the fund spent to the fen, special cases that move the point value, clearing."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouper.errors import SettlementError
from grouper.settle.dip_point_value import (
    PointValueRule,
    budget_point_value,
    pay_ratio,
    rounded,
    settlement_point_value,
)
from grouper.settle.dip_special import Candidate, Pool, settle_special
from grouper.settle.dip_year import Sharing, clear_hospital, prepay, share_use

SCORES = st.dictionaries(
    st.sampled_from([f"H{n}" for n in range(9)]),
    st.decimals("0", "9999999", places=4),
    min_size=1,
).filter(lambda scores: any(scores.values()))
FUNDS = st.integers(1, 10**13)
RATIOS = st.fractions(Fraction(1, 100), 1)


@given(FUNDS, SCORES, RATIOS)
def test_the_fund_is_spent_to_the_fen(fund, scores, ratio):
    found = settlement_point_value(fund, scores, ratio=ratio, rule=PointValueRule())
    assert sum(found.shares.values()) == fund
    assert found.left_fen == 0
    # nobody is a whole fen away from score x point value x ratio
    for hospital, share in found.shares.items():
        ideal = Fraction(scores[hospital]) * found.exact * ratio * 100
        assert abs(share - ideal) < 1


@given(FUNDS, SCORES, RATIOS)
def test_rounded_shares_stay_within_their_bound(fund, scores, ratio):
    rule = PointValueRule(spend="rounded")
    used = rounded(ratio, rule.decimals)
    found = settlement_point_value(fund, scores, ratio=used, rule=rule)
    half = Fraction(1, 2 * 10**6)
    bound = Fraction(len(scores), 2) + 100 * half * found.total_score * used
    assert abs(found.left_fen) <= bound
    assert found.left_fen == fund - sum(found.shares.values())


@given(FUNDS, SCORES, RATIOS)
def test_the_order_of_hospitals_is_of_no_meaning(fund, scores, ratio):
    turned = dict(reversed(scores.items()))
    one = settlement_point_value(fund, scores, ratio=ratio, rule=PointValueRule())
    other = settlement_point_value(fund, turned, ratio=ratio, rule=PointValueRule())
    assert dict(one.shares) == dict(other.shares)


def test_fixed_and_elastic_point_values():
    scores = {"A": Decimal(600000), "B": Decimal(400000)}
    fixed = settlement_point_value(
        400000000,
        scores,
        ratio=Fraction(8, 10),
        rule=PointValueRule("fixed"),
        budget_value=Decimal("5.2"),
    )
    assert fixed.shares == {"A": 249600000, "B": 166400000}
    assert fixed.left_fen == -16000000
    elastic = settlement_point_value(
        400000000,
        scores,
        ratio=Fraction(8, 10),
        rule=PointValueRule("elastic", base_share=Decimal("0.8")),
        budget_value=Decimal("5.2"),
    )
    # 5,000,000.00 of cost, 800,000 points at 5.2: 840,000.00 are left for 200,000 points
    assert elastic.growth == Fraction("4.2")
    assert elastic.value == 5
    assert elastic.left_fen == 0


def test_what_a_year_cannot_be_closed_without():
    scores = {"A": Decimal(10)}

    def close(fund, scores, method="floating"):
        settlement_point_value(
            fund, scores, ratio=Fraction(1, 2), rule=PointValueRule(method), insurance="390"
        )

    for code, arguments in {
        "ST143": (None, scores),
        "ST144": (100, {"A": Decimal(0)}),
        "ST301": (0, scores),
        "ST103": (100, scores, "fixed"),
    }.items():
        with pytest.raises(SettlementError) as caught:
            close(*arguments)
        issue = caught.value.issues[0]
        assert issue.code == code
        for lang in ("zh", "en"):
            assert issue.what(lang)
        if code in ("ST143", "ST144"):
            assert "390" in issue.what("zh")
            assert "390" in issue.what("en")
    with pytest.raises(SettlementError, match="ST301"):
        pay_ratio(0, 100)
    with pytest.raises(SettlementError, match="ST301"):
        budget_point_value([0, 0, 0], [1, 1, 1])


RATIO = Fraction(3, 4)
POOLS = {
    "310": Pool(10**8 / RATIO, Fraction(300000)),
    "390": Pool(Fraction(10**7), Fraction(40000)),
}
CANDIDATES = st.lists(
    st.tuples(
        st.integers(1, 5000000),
        st.decimals("0.1", "2000", places=4),
        st.integers(0, 500000),
        st.sampled_from(sorted(POOLS)),
    ),
    max_size=12,
).map(
    lambda rows: [
        Candidate(f"C{n:02}", total, Fraction(score), Fraction(taken), pool)
        for n, (total, score, taken, pool) in enumerate(rows)
    ]
)


@given(CANDIDATES, st.integers(0, 6), st.randoms(use_true_random=False))
def test_special_cases_settle_or_tell_the_circle(candidates, places, random):
    found = settle_special(candidates, POOLS, quota=places)
    by_id = {one.id: one for one in candidates}

    def points(taken):
        made = {}
        for name, pool in POOLS.items():
            own = [by_id[key] for key in taken if by_id[key].pool == name]
            money = pool.money_fen - sum(one.taken_fen for one in own)
            made[name] = money / (pool.score - sum(one.score for one in own))
        return made

    assert len(found.accepted) <= places
    if found.converged:
        # the set is the one that its own point values take: nobody outside loses more
        assert found.point_fen == points(found.accepted)
        losses = [one.loss(found.point_fen[one.pool]) for one in candidates]
        taken = [by_id[key].loss(found.point_fen[by_id[key].pool]) for key in found.accepted]
        assert sorted((x for x in losses if x > 0), reverse=True)[:places] == taken
        assert found.require() is found
    else:
        sets = [one.accepted for one in found.cycle]
        assert len({frozenset(one) for one in sets}) > 1
        # each set of the circle makes the point value at which the next one is taken
        for before, after in zip([sets[-1], *sets], found.cycle, strict=False):
            assert points(before) == after.point_fen
        with pytest.raises(SettlementError, match="ST146"):
            found.require()
    random.shuffle(candidates)
    assert settle_special(candidates, POOLS, quota=places) == found


def test_a_circle_is_found_and_named():
    """One place: taking A lifts the point value, at which B loses more; B lowers it again."""
    circle = settle_special(
        [
            Candidate("A", 1_000_000, Fraction(1000), Fraction(0)),
            Candidate("B", 604_000, Fraction(10), Fraction(600_000)),
        ],
        {"": Pool(Fraction(1_000_000), Fraction(2500))},
        quota=1,
    )
    assert not circle.converged
    assert [one.accepted for one in circle.cycle] == [("B",), ("A",)]
    with pytest.raises(SettlementError) as caught:
        circle.require()
    for lang in ("zh", "en"):
        assert "A (1.606426)" in caught.value.issues[0].what(lang)


def test_a_fixed_point_value_does_not_move():
    one = Candidate("A", 1_000_000, Fraction(1000), Fraction(700_000))
    pool = Pool(Fraction(10**7), Fraction(9000), fixed_fen=Fraction(540))
    found = settle_special([one], {"": pool}, quota=3)
    assert found.accepted == ("A",)
    assert {one.point_fen[""] for one in found.rounds} == {540}


def test_a_special_case_that_stands_twice_is_refused():
    one = Candidate("A", 1, Fraction(1), Fraction(0))
    again = Candidate("A", 2, Fraction(1), Fraction(0))
    with pytest.raises(SettlementError, match="ST147"):
        settle_special([one, again], {"": Pool(Fraction(9), Fraction(9))}, quota=3)


@pytest.mark.parametrize(
    ("payable", "recorded", "final", "outcome"),
    [
        (10000, 8499, 9999, "kept_in_part"),
        (10000, 8500, 10000, "kept_in_full"),
        (10000, 10000, 10000, "kept_in_full"),
        (10000, 10001, 10001, "overrun_shared"),
        (10000, 11000, 10500, "overrun_shared"),
        (10000, 11001, 10500, "overrun_capped"),
        (-500, 100, -500, "overrun_capped"),
    ],
)
def test_surplus_and_overrun_at_each_border(payable, recorded, final, outcome):
    assert share_use(payable, recorded, Sharing()) == (final, outcome)


@given(
    st.lists(st.tuples(st.integers(0, 10**8), st.integers(0, 10**8)), min_size=1),
    st.fractions(0, 1),
    st.integers(0, 10**6),
)
def test_paid_and_kept_add_up_to_the_base(cases, share, deduction):
    amounts, patients = zip(*cases, strict=True)
    month = prepay(amounts, patients, share=share, deduction_fen=deduction)
    assert month.paid_fen + deduction + month.kept_fen == month.base_fen
    assert month.base_fen == sum(amounts) - sum(patients)
    assert month.kept_fen >= 0


def test_clearing_of_a_hospital():
    year = clear_hospital(
        2643364970,
        recorded_fen=2725200000,
        assessment=Fraction("0.985"),
        deduction_fen=11823050,
        prepaid_fen=2499000000,
        sharing=Sharing(),
    )
    assert (year.payable_fen, year.final_fen, year.clearing_fen) == (
        2591891445,
        2658545723,
        159545723,
    )
