"""Coefficients of auxiliary types: the worked example E3, the trigger, one coefficient only."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouper.money import round_half_up
from weights.auxiliary import AuxiliaryGroup, Sums, Triggers, auxiliary_group, chosen
from weights.record import places, root_places

FAMILIES = {name: "severity" for name in ("light", "moderate", "severe")} | {
    name: "age" for name in ("age_1_6", "age_65")
}


def sums(n: int, mean: int, sd: int) -> Sums:
    """n cases of a mean and a population standard deviation."""
    return Sums(n, n * mean, n * (sd * sd + mean * mean))


E3 = {
    ("light",): sums(38, 7400, 1900),
    ("moderate",): sums(16, 12800, 3100),
    ("severe",): sums(6, 24500, 6200),
}


def made(cells: dict[tuple[str, ...], Sums], **triggers: object) -> AuxiliaryGroup | None:
    return auxiliary_group("G", cells, FAMILIES, Triggers(**triggers))  # type: ignore[arg-type]


def test_the_worked_example():
    found = made(E3)
    assert found is not None
    assert places(found.mean_fen, 4) == "10550.0000"
    assert {one.type: places(one.adjustment, 4) for one in found.types} == {
        "light": "0.7014",
        "moderate": "1.2133",
        "severe": "2.3223",
    }
    assert all(one.trigger == one.adjustment for one in found.types)
    assert root_places(found.cv_squared_before, 6) == "0.567039"
    assert root_places(found.cv_squared_after, 6) == "0.279468"
    score = Fraction(Decimal("1484.833425") * Decimal("0.93") * Decimal("2.3223"))
    assert round_half_up(score * 10**4) == 32_068_527


@pytest.mark.parametrize(
    "triggers",
    [
        {"group_cases_above": 60},
        {"type_cases_above": 38},
        {"cv_reduction": Fraction(51, 100)},
        {"cv_from": Fraction(57, 100)},
    ],
)
def test_a_group_is_divided_only_if_all_is_met(triggers):
    assert made(E3, **triggers) is None


def test_numbers_of_cases_must_be_exceeded():
    assert made(E3, group_cases_above=59, type_cases_above=5) is not None
    found = made(E3, type_cases_above=6)
    assert found is not None
    assert [one.type for one in found.types] == ["light", "moderate"]


def test_a_case_of_several_types_goes_to_the_highest_and_is_counted_once():
    cells = {
        ("light",): sums(20, 1000, 10),
        ("light", "age_65"): sums(10, 3000, 10),
        ("severe", "age_65"): sums(10, 9000, 10),
        ("severe",): sums(10, 8000, 10),
    }
    found = made(cells)
    assert found is not None
    whole = Fraction(20 * 1000 + 10 * (3000 + 9000 + 8000), 50)
    worths = {one.type: (one.fitting, one.cases, one.adjustment) for one in found.types}
    # age alone lowers the variation too little to be a type of this group
    assert worths == {
        "light": (30, 30, Fraction(50_000, 30) / whole),
        "severe": (20, 20, 8500 / whole),
    }
    both = made(cells, cv_reduction=Fraction(1, 50))
    assert both is not None
    assert {one.type: (one.fitting, one.cases, one.adjustment) for one in both.types} == {
        "light": (30, 20, 1000 / whole),
        "age_65": (20, 10, 3000 / whole),
        "severe": (20, 20, 8500 / whole),
    }
    assert both.cv_squared_after < both.cv_squared_before


def test_equal_coefficients_go_by_name():
    assert chosen(["b", "a", "c"], {"a": Fraction(2), "b": Fraction(2), "c": Fraction(1)}) == "a"
    assert chosen(["x"], {"a": Fraction(2)}) == ""


CELLS = st.dictionaries(
    st.tuples(
        st.sampled_from(["light", "moderate", "severe"]),
        st.sampled_from(["", "age_1_6", "age_65"]),
    ).map(lambda pair: tuple(filter(None, pair))),
    st.lists(st.integers(1, 10**7), min_size=1, max_size=12),
    min_size=1,
)


@given(CELLS, st.fractions(0, 1))
def test_what_coefficients_bring_is_what_the_cases_have_cost(cells, reduction):
    costs = {
        types: Sums(len(fen), sum(fen), sum(one * one for one in fen))
        for types, fen in cells.items()
    }
    found = made(costs, group_cases_above=1, type_cases_above=1, cv_reduction=reduction)
    if found is None:
        return
    whole = sum(costs.values(), Sums())
    assert found.mean_fen == whole.mean
    triggers = {one.type: one.trigger for one in found.types}
    assert sum(one.cases for one in found.types) <= whole.cases
    for one in found.types:
        gone = [s for types, s in costs.items() if chosen(types, triggers) == one.type]
        assert one.adjustment * found.mean_fen * one.cases == sum(s.fen for s in gone)
    assert found.cv_squared_after <= found.cv_squared_before
