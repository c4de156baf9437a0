"""Special cases: the quota is never exceeded, and nobody with a smaller loss goes before."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouper.errors import WeightError
from grouper.settle.special import Application, quota, review, special_payment
from grouper.settle.worked_bill import calculate_case_quota

applications = st.lists(
    st.builds(
        Application,
        st.text("ABC123", min_size=1, max_size=4),
        st.integers(0, 10**8),
        st.integers(0, 10**8),
        st.integers(0, 10**8),
    ),
    unique_by=lambda one: one.id,
    max_size=12,
)


@given(applications, st.integers(0, 14))
def test_every_application_has_one_fate(asked, places):
    found = review(asked, places)
    fates = [*found.accepted, *found.over_quota, *found.no_loss]
    assert list(found.ranked) == fates
    assert sorted(fates, key=lambda one: one.id) == sorted(asked, key=lambda one: one.id)
    assert len(found.accepted) <= places
    assert not found.over_quota or len(found.accepted) == places
    assert all(one.loss_fen <= 0 for one in found.no_loss)
    losses = [one.loss_fen for one in found.ranked]
    assert losses == sorted(losses, reverse=True)
    assert review(list(reversed(asked)), places) == found


@given(st.integers(0, 10**7), st.fractions(0, 1, max_denominator=1000))
def test_the_quota_is_the_whole_part(discharges, rate):
    assert quota(discharges, rate) <= discharges * rate < quota(discharges, rate) + 1


def test_a_payment_is_rounded_half_up_each():
    assert special_payment(Application("A", 2, 1, 105), Fraction(1, 10)) == 11
    assert special_payment(Application("A", 2, 1, 104), Fraction(1, 10)) == 10


@pytest.mark.parametrize(
    "change",
    [
        {"discharges": "7.5"},
        {"discharges": "-1"},
        {"rate": "-0.1"},
        {"applications": [{"id": "A", "total": "2", "standard": "1", "recorded": "1"}] * 2},
        {"applications": [{"id": "A", "total": "2", "standard": "1"}]},
    ],
)
def test_an_example_that_is_none(change):
    sound = {"discharges": 20, "rate": "0.05", "approved_ratio": "1", "applications": []}
    assert calculate_case_quota(sound).outputs["quota"] == 1
    with pytest.raises(WeightError) as caught:
        calculate_case_quota(sound | change)
    assert caught.value.issues[0].code == "WT120"
