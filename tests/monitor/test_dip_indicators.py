"""Indicators of DIP, by hand and over the invented area."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from grouper.monitor.dip_indicators import (
    DipFacts,
    change,
    indicators,
    nearer,
    surplus_coverage,
    variation,
)

NONE = -(2**63)


def facts(**changes):
    columns = {
        "hospital": [0, 0, 1, 1],
        "group": [0, 1, 0, -1],
        "kind": [0, 1, 0, 2],
        "score": [10_000_000, 5_000_000, 12_000_000, NONE],
        "los": [6, 10, -1, 4],
        "cost": [600_000, 100_000, 900_000, 50_000],
        "paid": [500_000, 250_000, 600_000, 40_000],
        "pool": [400_000, 80_000, 500_000, NONE],
        "fund": [300_000, 120_000, 450_000, NONE],
        "low": [False, True, False, False],
        "high": [False, False, True, False],
    } | changes
    arrays = {
        name: np.array(values, bool if name in ("low", "high") else np.int64)
        for name, values in columns.items()
    }
    return DipFacts(
        **arrays,
        hospitals=("H1", "H2"),
        kinds=("core", "primary", "ungrouped"),
        los_means=[Fraction(8), Fraction(5)],
        cost_means=[Fraction(500_000), None],
    )


def test_the_area_and_each_hospital_by_hand():
    area, first, second = indicators(facts())
    assert (area.hospital, first.hospital, second.hospital) == ("", "H1", "H2")
    assert (area.cases, area.grouped, area.groups) == (4, 3, 2)
    assert area.score == first.score + second.score == 2700
    assert area.cmi == Fraction(2700, 3000)
    # days of a case / mean days of its group, the mean over cases
    assert area.time_index == (Fraction(6, 8) + Fraction(10, 5)) / 2
    assert area.cost_index == (Fraction(6, 5) + Fraction(9, 5)) / 2
    assert area.without_mean == 1
    assert area.grouping_rate == Fraction(3, 4)
    assert (area.low_share, area.high_share) == (Fraction(1, 4), Fraction(1, 4))
    assert area.pay_rate == Fraction(1_390_000, 1_650_000)
    assert area.fund_rate == Fraction(870_000, 980_000)
    assert area.surplus_fen == first.surplus_fen + second.surplus_fen == -260_000
    assert area.kinds == {"core": Fraction(2, 3), "primary": Fraction(1, 3)}
    assert second.kinds == {"core": 1}


def test_nothing_to_divide_by_is_none_and_never_0():
    empty = facts(group=[-1] * 4, score=[NONE] * 4, cost=[NONE] * 4, paid=[NONE] * 4)
    area = indicators(empty)[0]
    assert area.cmi is area.time_index is area.cost_index is area.pay_rate is None
    assert area.grouping_rate == 0
    assert indicators(facts(**{name: [] for name in (
        "hospital", "group", "kind", "score", "los", "cost", "paid", "pool", "fund", "low", "high"
    )})) == []  # fmt: skip


def test_cases_that_cost_like_a_sibling_are_counted_beyond_three_quarters_of_the_way():
    """Means 4,000 and 8,000 fen: nearer by more than half of 4,000 is below 5,000, above 7,000."""
    means = [Fraction(4000), Fraction(8000), Fraction(100), None]
    below, above = nearer(means, ["K35", "K35", "", "K35"])
    most = 2**63 - 1
    assert below.tolist() == [0, 5000, 0, 0]
    assert above.tolist() == [7000, most, most, most]
    for cost in range(0, 12000, 7):
        for own, other, dearer in ((0, 1, True), (1, 0, False)):
            gain = abs(cost - means[own]) - abs(cost - means[other])
            beyond = cost > above[own] if dearer else cost < below[own]
            assert beyond == (gain > Fraction(4000, 2))


def test_variation_of_groups_and_of_point_values():
    cvs = [Fraction(1, 4), Fraction(1, 2), Fraction(1), Fraction(11, 10), None]
    found = variation(cvs)
    assert (found.below, found.within, found.above, found.unknown) == (1, 2, 1, 1)
    assert change(Fraction("5.83"), Fraction("5.80")) == Fraction(3, 580)
    assert change(Fraction(1), Fraction(0)) is None
    assert surplus_coverage([5, 0, -3, 9]) == Fraction(1, 2)
    assert surplus_coverage([]) is None
