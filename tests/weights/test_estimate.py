"""Weights from history: worked examples, recovery of known weights, adjustments, refusals."""

import itertools
import json
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from weights_histories import Drawn, drawn

from grouper.errors import WeightError
from weights.calculate_weights import calculate_weights
from weights.choices import Choices
from weights.estimate import estimate
from weights.history import HistoryStream, history
from weights.trim import DEFAULTS, Trim, limits

EXAMPLES = Path(__file__).parents[1] / "data" / "settlement" / "examples.json"
THREE = {2020: Fraction(1), 2021: Fraction(2), 2022: Fraction(7)}
UNTRIMMED = Choices(trim=Trim("none"), hospitals="any", small_cases=0)


def examples():
    every = json.loads(EXAMPLES.read_text("utf-8"))["examples"]
    return {one["id"]: one for one in every if one["kind"] == "weights"}


def few(rows, **more):
    """The history of rows (group, cost in yuan) or (group, cost, year)."""
    codes = list(dict.fromkeys(row[0] for row in rows))
    years = np.array([row[2] for row in rows]) if len(rows[0]) > 2 else None
    return history(
        codes,
        np.array([codes.index(row[0]) for row in rows]),
        np.array([round(row[1] * 100) for row in rows], np.int64),
        year=years,
        **more,
    )


def weights_of(found):
    return {one.code: one.printed for one in found.groups}


@pytest.mark.parametrize("name", ["E06", "E07"])
def test_worked_examples(name):
    example = examples()[name]
    assert calculate_weights(example["inputs"]).outputs == example["outputs"]


def test_the_steps_of_an_example():
    example = examples()["E06"]
    told, found = example["steps"], calculate_weights(example["inputs"]).steps
    for key in told.keys() - {"trim_GB11", "trim_GZ13"}:
        assert found[key] == told[key]
    for key in ("trim_GB11", "trim_GZ13"):
        assert found[key].items() <= told[key].items()
    assert calculate_weights(examples()["E07"]["inputs"]).steps["small_ES11"] == "ADRG mean used"


@pytest.mark.parametrize(
    "change",
    [
        {"cases": None},
        {"cases": [{"adrg": "AB1", "suffix": "1", "year": "x", "cost": "1"}]},
        {"cases": [{"adrg": "AB1", "suffix": None, "year": 2020, "cost": "1"}]},
        {"cases": [{"adrg": "AB1", "suffix": "1", "year": 2020, "cost": "1.234"}]},
        {"cases": ["AB11"]},
        {"year_weights": [1]},
        {"year_weights": {"2020": "x"}},
        {"small_n": -1},
    ],
)
def test_examples_that_cannot_be_used(change):
    with pytest.raises(WeightError) as caught:
        calculate_weights(examples()["E07"]["inputs"] | change)
    assert caught.value.issues[0].code == "WT120"


def recovered(data: Drawn, method: str, choices: Choices, *, least: int) -> np.ndarray:
    """For each group of at least so many cases, whether its true weight is in its interval."""
    low, high = DEFAULTS[method]
    result = estimate(data.history(), replace(choices, trim=Trim(method, low, high)))
    at = {code: k for k, code in enumerate(data.codes)}
    truth = [data.kept_mean(at[one.code], method, float(low), float(high)) for one in result.groups]
    kept = [one.kept for one in result.groups]
    unit = sum(n * t for n, t in zip(kept, truth, strict=True)) / sum(kept)
    return np.array(
        [
            one.interval[0] <= true / unit <= one.interval[1]
            for one, true in zip(result.groups, truth, strict=True)
            if one.kept >= least
        ]
    )


@pytest.mark.parametrize("method", ["none", "percentile", "iqr", "mean", "log_sd"])
def test_intervals_cover_known_weights_at_their_rate(method):
    choices = Choices(year_weights=THREE, severity="keep")
    inside = [recovered(drawn(40_000, 60, seed), method, choices, least=100) for seed in range(6)]
    every = np.concatenate(inside)
    # 95 of 100, within three standard deviations of a count of that size
    assert len(every) > 250
    assert abs(every.mean() - 0.95) < 3 * (0.95 * 0.05 / len(every)) ** 0.5 + 0.005


@pytest.mark.large
@pytest.mark.parametrize("method", ["none", "percentile", "iqr", "mean", "log_sd"])
def test_a_million_cases_of_600_groups_give_back_their_weights(method):
    choices = Choices(year_weights=THREE, severity="keep")
    inside = [
        recovered(drawn(1_000_000, 600, seed), method, choices, least=100) for seed in range(3)
    ]
    every = np.concatenate(inside)
    assert len(every) > 1300
    assert 0.93 < every.mean() < 0.97


def test_a_narrower_level_covers_less():
    choices = Choices(year_weights=THREE, severity="keep", level=Fraction(1, 2))
    half = np.concatenate(
        [recovered(drawn(40_000, 60, seed), "iqr", choices, least=100) for seed in range(6)]
    )
    assert 0.4 < half.mean() < 0.6


@pytest.mark.parametrize("small", ["merge", "shrink", "mark"])
def test_every_adjustment_keeps_the_total_weight(small):
    choices = Choices(
        year_weights=THREE,
        small=small,
        small_cases=60,
        severity_order="98765",
        incentives={"AA09": Fraction(104, 100), "AB1": Fraction(11, 10)},
    )
    data = drawn(8_000, 80, 5)
    data = replace(data, codes=[f"A{chr(65 + k // 9)}{k // 3 % 3}{7 + k % 3}" for k in range(80)])
    result = estimate(data.history(), choices)
    names = [step.name for step in result.steps]
    treated = [] if small == "mark" else ["small"]
    assert names == ["scale", *treated, "severity", "incentives", "rounding"]
    for step in result.steps[:-1]:
        assert step.after == result.kept
    exact = sum(one.kept * one.weight for one in result.groups)
    assert abs(exact / result.kept - 1) < Fraction(1, 10**9)
    assert abs(result.total_weight - result.kept) <= Fraction(result.kept, 20_000)
    severity = next(step for step in result.steps if step.name == "severity")
    assert severity.factor == 1


def test_severity_does_not_rise_after_repair():
    result = estimate(
        few([("AB11", 100), ("AB11", 120), ("AB13", 300), ("AB15", 200), ("AB19", 999)]),
        UNTRIMMED,
    )
    found = {one.code: one for one in result.groups}
    assert found["AB11"].weight == found["AB13"].weight == found["AB15"].weight
    assert found["AB13"].pooled == ("AB11", "AB13", "AB15")
    # the group without severity takes no part
    assert found["AB19"].weight > found["AB11"].weight
    assert "pooled" not in found["AB19"].marks


def test_small_groups():
    rows = [("AB11", 500), ("AB13", 100), ("AB13", 100), ("AB13", 100), ("CD19", 100)]
    base = replace(UNTRIMMED, small_cases=2, severity="keep")
    merged = estimate(few(rows), base)
    drawn_in = estimate(few(rows), replace(base, small="shrink", prior_cases=Fraction(3)))
    marked = estimate(few(rows), replace(base, small="mark"))

    def ratio(found):
        groups = {one.code: one.weight for one in found.groups}
        return groups["AB11"] / groups["AB13"]

    assert ratio(marked) == 5
    assert ratio(merged) == 2
    # a quarter of its own, three quarters of its ADRG
    assert ratio(drawn_in) == Fraction(500 + 3 * 200, 4) / 100
    for found in (merged, drawn_in, marked):
        marks = {one.code: one.marks for one in found.groups}
        assert "small" in marks["AB11"]
        assert "small" in marks["CD19"]
        assert "small" not in marks["AB13"]


def test_years_by_mean_and_by_cases():
    rows = [
        ("A", 100, 2020),
        ("A", 100, 2020),
        ("A", 400, 2021),
        ("B", 100, 2020),
        ("B", 100, 2021),
    ]
    weights = {2020: Fraction(1), 2021: Fraction(3)}
    by_years = estimate(few(rows), replace(UNTRIMMED, year_weights=weights))
    by_cases = estimate(few(rows), replace(UNTRIMMED, year_weights=weights, year_mean="cases"))
    assert [one.mean_fen for one in by_years.groups] == [32500, 10000]
    assert [one.mean_fen for one in by_cases.groups] == [28000, 10000]


def test_incentives_raise_a_group_against_the_others():
    rows = [("AB19", 100), ("CD19", 100), ("CD19", 100)]
    found = estimate(few(rows), replace(UNTRIMMED, incentives={"AB1": Fraction(5, 4)}))
    first, second = (one.weight for one in found.groups)
    assert first / second == Fraction(5, 4)
    assert first + 2 * second == 3


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 400), st.sampled_from(sorted(DEFAULTS)))
def test_neither_order_nor_streaming_changes_an_estimate(random, size, method):
    data = drawn(600, 12, 9)
    rows = list(range(600))
    random.shuffle(rows)
    stream = HistoryStream()
    for start in range(0, 600, size):
        stream.add(data.history(np.array(rows[start : start + size])))
    choices = Choices(trim=Trim(method, *DEFAULTS[method]), year_weights=THREE, hospitals="any")
    # every number, intervals included, to the last bit
    assert estimate(stream.result(), choices) == estimate(data.history(), choices)


def test_stability():
    rng = np.random.default_rng(4)
    steady = [("AB19", cost, year) for year in THREE for cost in rng.normal(100, 10, 200)]
    moving = [("CD19", c, y) for y in THREE for c in rng.normal(100 * (y - 2018), 10, 200)]
    wild = [("EF19", cost, y) for y in THREE for cost in rng.lognormal(4, 1.6, 200)]
    lone = [("GH19", 100, 2022)]
    rows = [row for row in (*steady, *moving, *wild, *lone) if row[1] > 0]
    choices = replace(UNTRIMMED, year_weights=THREE, small_cases=5, small="mark")
    found = {one.code: one for one in estimate(few(rows), choices).groups}
    assert "unstable" in found["EF19"].marks
    assert "changing" in found["CD19"].marks
    assert "unstable" not in found["CD19"].marks
    assert found["GH19"].cv is None
    assert found["GH19"].interval is None
    assert set(found["GH19"].marks) == {"small", "unstable", "no_interval"}
    low, high = found["AB19"].interval
    assert low < found["AB19"].weight < high


def test_variance_that_groups_explain():
    split = few([("A", 100), ("A", 100), ("B", 300), ("B", 300)])
    alike = few([("A", 100), ("A", 300), ("B", 100), ("B", 300)])
    assert estimate(split, UNTRIMMED).riv == 1
    assert estimate(alike, UNTRIMMED).riv == 0
    data = drawn(3000, 10, 2)
    found = estimate(data.history(), replace(UNTRIMMED, year_weights=THREE))
    whole = ((data.fen - data.fen.mean()) ** 2).sum()
    within = sum(
        ((own - own.mean()) ** 2).sum()
        for own in (data.fen[data.group == g] for g in np.unique(data.group))
    )
    assert float(found.riv) == pytest.approx(1 - within / whole, rel=1e-12)


def test_moments_of_huge_costs_are_exact():
    # square deviations beyond int64
    found = estimate(few([("A", 1), ("A", 10**10), ("B", 5)]), UNTRIMMED)
    group = found.groups[0]
    assert group.mean_fen == Fraction(100 + 10**12, 2)
    assert group.cv == pytest.approx((10**12 - 100) / 2**0.5 / float(group.mean_fen), rel=1e-12)


def raised(found, choices, *words):
    with pytest.raises(WeightError) as caught:
        estimate(found, choices)
    (issue,) = caught.value.issues
    for lang in ("zh", "en"):
        for word in words:
            assert word in issue.what(lang)
        assert issue.why(lang)
        assert issue.fix(lang)
    return issue.code


def test_what_cannot_be_estimated():
    one = few([("AB19", 1), ("AB19", 3), ("CD19", 5), ("CD19", 7)])
    years = few([("AB19", 1, 2020), ("CD19", 5, 2021)])
    lone = few([("AB19", 1)], hospitals=("H7",), hospital=np.zeros(1, int))
    assert raised(few([("AB19", 1)]).__class__(), Choices()) == "WT131"
    assert raised(years, Choices(), "2020, 2021") == "WT139"
    assert raised(years, Choices(year_weights={2020: Fraction(1)}), "2021", "2020") == "WT140"
    assert raised(lone, Choices(), "H7") == "WT141"
    nothing = Trim("mean", Fraction(2), Fraction(3), min_cases=1)
    assert raised(one, Choices(trim=nothing), "AB19", "CD19") == "WT142"
    wrong = Trim("percentile", Fraction(95), Fraction(5))
    assert raised(one, Choices(trim=wrong), "percentile") == "WT138"
    assert raised(one, Choices(incentives={"X": Fraction(1)}), "incentives.X") == "WT144"
    assert raised(one, Choices(level=Fraction(1)), "level") == "WT144"


def test_one_hospital_can_be_accepted():
    lone = few([("AB19", 1)], hospitals=("H7",), hospital=np.zeros(1, int))
    found = estimate(lone, Choices(hospitals="any"))
    assert weights_of(found) == {"AB19": Decimal("1.0000")}
    assert "one_hospital" in found.groups[0].marks
    assert not found.issues


def test_a_history_without_hospitals_is_said():
    assert [issue.code for issue in estimate(few([("A", 1)]), Choices()).issues] == ["WT232"]


def test_groups_without_adrg_are_only_marked():
    found = estimate(
        few([("I10:n", 1), ("J18:n", 3), ("J18:n", 3)]), replace(UNTRIMMED, small_cases=5)
    )
    assert [one.adrg for one in found.groups] == ["", ""]
    assert [one.weight for one in found.groups] == [Fraction(3, 7), Fraction(9, 7)]


def test_limits_are_kept_and_small_groups_untrimmed():
    rows = [("A", cost) for cost in (1, 2, 3, 4, 5, 6, 7, 8, 100)]
    found = few(rows)
    (bound,) = limits(found, Trim("percentile", Fraction(0), Fraction(175, 2)))
    assert (bound.low, bound.high) == (100, 800)
    assert (
        estimate(found, replace(UNTRIMMED, trim=Trim("percentile", Fraction(0), Fraction(175, 2))))
        .groups[0]
        .trimmed
        == 1
    )
    (bound,) = limits(found, Trim("iqr", min_cases=10))
    assert (bound.low, bound.high) == (None, None)


@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=30),
    st.fractions(0, 1, max_denominator=40),
)
def test_quantiles_agree_with_numpy(costs, p):
    found = few([("A", cost / 100) for cost in costs])
    trim = Trim("percentile", p * 100 * Fraction(99, 100), p * 99 + 1, min_cases=1)
    (bound,) = limits(found, trim)
    assert float(bound.low) == pytest.approx(np.quantile(costs, float(trim.low / 100)), abs=1e-9)
    assert float(bound.high) == pytest.approx(np.quantile(costs, float(trim.high / 100)), abs=1e-9)


def test_equal_costs_stay_whatever_the_method():
    rows = [("A", 123.45)] * 20 + [("B", 7)] * 20
    for method, (low, high) in DEFAULTS.items():
        found = estimate(few(rows), replace(UNTRIMMED, trim=Trim(method, low, high)))
        assert [one.trimmed for one in found.groups] == [0, 0]


@pytest.mark.filterwarnings("error")
@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["AB11", "AB13", "AB15", "CD19", "X"]),
            st.one_of(st.integers(1, 5), st.integers(1, 10**7)),
            st.sampled_from([2020, 2021, 2022]),
        ),
        min_size=1,
        max_size=60,
    ),
    st.sampled_from(sorted(DEFAULTS)),
    st.sampled_from(["merge", "shrink", "mark"]),
    st.sampled_from(["years", "cases"]),
)
def test_any_history_gives_a_sound_estimate_or_a_refusal(rows, method, small, year_mean):
    trim = Trim(method, *DEFAULTS[method], min_cases=2)
    choices = Choices(trim=trim, year_weights=THREE, small=small, year_mean=year_mean)
    try:
        found = estimate(few(rows), choices)
    except WeightError as error:
        if error.issues[0].code != "WT142":
            raise
        return
    assert sum(one.kept * one.weight for one in found.groups) == found.kept
    assert all(step.after == found.kept for step in found.steps[:-1])
    for one in found.groups:
        assert one.weight > 0
        assert one.kept + one.trimmed == one.cases
        assert sum(year.cases for year in one.years) == one.kept
        if one.interval is not None:
            low, high = one.interval
            assert 0 <= low <= float(one.weight) * (1 + 1e-12)
            assert high >= float(one.weight) * (1 - 1e-12)
    for one, other in itertools.combinations(found.groups, 2):
        if one.adrg == other.adrg == "AB1":
            assert one.weight >= other.weight
