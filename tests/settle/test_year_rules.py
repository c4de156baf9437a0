"""The rules of a year that depend on how the area pays."""

from __future__ import annotations

from fractions import Fraction

import pytest

from grouper.policy.load import load_policy
from grouper.settle.year_rules import quota_rules


@pytest.mark.parametrize(
    ("area", "names"),
    [
        ("demo", {"special_quota", "special_min_ratio"}),
        ("demo-dip", {"special_quota_dip", "special_min_ratio_dip"}),
    ],
)
def test_the_quota_and_the_least_loss_of_special_cases_go_by_the_method(area, names):
    rules, used, _ = quota_rules(load_policy(area), 2026)
    assert names <= set(used)
    assert len(set(used) - {"quota_scope"}) == len(names)
    assert Fraction(str(used[min(names)].value)) in (rules.share, rules.min_ratio)
