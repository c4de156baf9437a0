"""Bounds of days, grams and shares, however they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouper.scheme.dip_conditions import bounds


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("<29天", "days", (None, 28)),
        ("＜２９天", "days", (None, 28)),
        ("天龄小于29天", "days", (None, 28)),
        ("不超过28天", "days", (None, 28)),
        ("28天以内", "days", (None, 28)),
        ("0-28天", "days", (0, 28)),
        ("1000-1499克", "grams", (1000, 1499)),
        ("1000g～1499g", "grams", (1000, 1499)),
        ("1000≤出生体重<1500g", "grams", (1000, 1499)),
        ("出生体重大于等于1000克，小于1500克", "grams", (1000, 1499)),
        ("体重不足1000克", "grams", (None, 999)),
        ("≥2500克", "grams", (2500, None)),
        ("<10%", "percent", (None, 9)),
        ("10%～29%", "percent", (10, 29)),
        ("50%及以上", "percent", (50, None)),
        ("大于等于50％", "percent", (50, None)),
        ("10%以下", "percent", (None, 9)),
        # the unit of another condition is not taken for ours
        ("天龄<29天，体重1000-1499克", "days", (None, 28)),
        ("天龄<29天，体重1000-1499克", "grams", (1000, 1499)),
        ("天龄＜29", "days", (None, 28)),
        ("年龄（天）＜29且出生体重1000-1499", "days", (None, 28)),
        ("年龄（天）＜29且出生体重1000-1499", "grams", (1000, 1499)),
        ("1500≤出生体重＜2000", "grams", (1500, 1999)),
        ("≥96小时", "days", None),
        ("P07，大于等于96小时", "grams", None),
        ("", "grams", None),
    ],
)
def test_spellings(text, unit, expected):
    assert bounds(text, unit) == expected


def test_a_column_of_its_own_needs_no_unit():
    assert bounds("1000-1499", "grams", bare=True) == (1000, 1499)
    assert bounds("1000-1499", "grams") is None


def test_bounds_that_leave_nothing():
    with pytest.raises(ValueError, match="克"):
        bounds("<1000克且≥1500克", "grams")


@given(low=st.integers(0, 5000), width=st.integers(0, 5000), way=st.integers(0, 4))
def test_every_way_to_write_a_range_is_the_same(low, width, way):
    high = low + width
    text = (
        f"{low}-{high}克",
        f"≥{low}克且≤{high}克",
        f"大于等于{low}克，小于{high + 1}克",
        f"{low}≤体重＜{high + 1}克",
        f"{low}g～{high}g",
    )[way]
    assert bounds(text, "grams") == (low, high)
