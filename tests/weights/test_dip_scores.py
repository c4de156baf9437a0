"""Scores of DIP groups: the worked example E3 of the specification, bases, order of severity."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouper.errors import WeightError
from weights.dip_scores import (
    GroupScore,
    ScoreChoices,
    Scores,
    inversions,
    repaired,
    scores,
)
from weights.history import History, history
from weights.record import places, root_places
from weights.trim import Limits, Trim

# E3: costs of a group of twenty
COSTS = [4100, 6900, 7200, 7450, 7600, 7800, 7900, 8050, 8100, 8200, 8350, 8400, 8600, 8750, 8900,
         9200, 9800, 10400, 11900, 26500]  # fmt: skip
UNTRIMMED = Trim("none", Fraction(0), Fraction(0), 1)


def of_groups(**groups: list[int]) -> History:
    """A history of one year: costs in yuan of each group."""
    codes = list(groups)
    at = np.repeat(np.arange(len(codes)), [len(costs) for costs in groups.values()])
    fen = np.array([cost * 100 for costs in groups.values() for cost in costs], np.int64)
    return history(codes, at, fen)


def test_costs_are_trimmed_at_quantiles_between_two_of_them():
    found = scores(of_groups(A=COSTS), {0: (20, sum(COSTS) * 100)})
    one = found.groups[0]
    assert [str(end) for end in one.limits.shown] == ["543000", "1956500"]
    assert (one.cases, one.kept, one.trimmed) == (20, 18, 2)
    assert places(one.mean_fen / 100, 4) == "8527.7778"
    assert root_places(one.cv_squared, 6) == "0.138379"


def test_a_group_of_few_cases_is_not_trimmed():
    one = scores(of_groups(A=COSTS[:19]), {0: (19, 1)}).groups[0]
    assert one.trimmed == 0
    untrimmed = ScoreChoices(trim=UNTRIMMED)
    whole = scores(of_groups(A=COSTS), {0: (20, 1)}, untrimmed).groups[0]
    assert root_places(whole.cv_squared, 6) == "0.459945"


@pytest.mark.parametrize(
    ("year_mean", "mean", "base", "score"),
    [
        ("years", "12430.0000", "5654.7050", "2198.1695"),
        ("cases", "12441.0023", "5656.8614", "2199.2765"),
    ],
)
def test_the_three_years_of_the_worked_example(year_mean, mean, base, score):
    years, counts = [2022, 2023, 2024], [40, 42, 45]
    cost = np.repeat([1_180_000, 1_215_000, 1_260_000], counts)
    found = history(["G"], np.zeros(127, int), cost, year=np.repeat(years, counts))
    everyone = {
        2022: (310_000, 310_000 * 540_000),
        2023: (322_000, 322_000 * 556_000),
        2024: (331_000, 331_000 * 571_815),
    }
    result = scores(found, everyone, ScoreChoices(year_mean=year_mean))
    one = result.groups[0]
    assert places(one.mean_fen / 100, 4) == mean
    assert places(result.base_fen / 100, 4) == base
    assert places(one.exact, 4) == score
    assert result.year_weights == {2022: 1, 2023: 2, 2024: 7}


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        (ScoreChoices(trim=UNTRIMMED), "500.000000"),
        (ScoreChoices(trim=UNTRIMMED, base="kept"), "666.666667"),
        (ScoreChoices(trim=UNTRIMMED, base="group", reference="B"), "500.000000"),
        (
            ScoreChoices(trim=UNTRIMMED, base="standard", standard_fen=Fraction(80_000)),
            "250.000000",
        ),
    ],
)
def test_what_a_score_of_1000_stands_for(choices, expected):
    # all cases of the year, those of no group too, cost 400 on average
    found = scores(of_groups(A=[200, 200], B=[400, 400]), {0: (10, 400_000)}, choices)
    assert str(found.groups[0].printed) == expected


@pytest.mark.parametrize(
    ("choices", "code"),
    [
        (ScoreChoices(base="group", reference="Z"), "WT150"),
        (ScoreChoices(base="standard"), "WT150"),
        (ScoreChoices(base="standard", standard_fen=Fraction(-1)), "WT150"),
        (ScoreChoices(trim=Trim("percentile", Fraction(90), Fraction(10), 1)), "WT138"),
    ],
)
def test_a_base_that_is_not_there_is_an_error(choices, code):
    with pytest.raises(WeightError) as raised:
        scores(of_groups(A=[1, 2]), {0: (2, 300)}, choices)
    assert raised.value.issues[0].code == code


def test_other_numbers_of_years_need_weights():
    found = history(["A"], np.zeros(2, int), np.array([1, 2]), year=np.array([2023, 2024]))
    with pytest.raises(WeightError) as raised:
        scores(found, {2023: (1, 1), 2024: (1, 2)})
    assert raised.value.issues[0].code == "WT139"


def invented(**groups: tuple[int, int]) -> Scores:
    """Scores of groups: cases and score of each."""
    made = [
        GroupScore(code, n, 0, Limits(), Fraction(1), Fraction(0), Fraction(score), ())
        for code, (n, score) in groups.items()
    ]
    return Scores(ScoreChoices(), {}, tuple(made), Fraction(1))


def test_an_inversion_is_pooled_by_cases():
    found = invented(plain=(10, 900), main=(30, 500), related=(10, 1200))
    milder = {"main": "plain", "related": "main"}
    assert [(one.code, one.milder) for one in inversions(found, milder)] == [("main", "plain")]
    assert repaired(found, milder) == {"plain": 600, "main": 600, "related": 1200}


@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(1, 20)), min_size=1, max_size=9),
    st.data(),
)
def test_repair_leaves_no_inversion_and_keeps_the_total(groups, data):
    found = invented(**{f"g{at}": one for at, one in enumerate(groups)})
    milder = {f"g{at}": f"g{data.draw(st.integers(0, at - 1))}" for at in range(1, len(groups))}
    after = repaired(found, milder)
    assert set(after) == {one.code for one in found.groups}
    assert all(after[code] >= after[other] for code, other in milder.items())
    assert sum(one.cases * after[one.code] for one in found.groups) == found.total
    if not inversions(found, milder):
        assert after == {one.code: one.exact for one in found.groups}
