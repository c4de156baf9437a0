"""Two settlements of the same cases: every case stands in one line, and lines sum to totals."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouper.errors import SettlementError
from grouper.policy.load import load_policy
from grouper.policy.variant import parse_setting
from grouper.settle import simulate as module
from grouper.settle.simulate import Labels, Sums, simulate

BETTER = load_policy("demo", settings=[parse_setting("base_rate.310=9000")])


def labels(texts):
    order = sorted(set(texts))
    return Labels(np.array([order.index(text) for text in texts], np.int64), tuple(order))


def test_a_higher_rate_pays_more_and_outliers_by_cost_the_same(settle, row):
    rows = [row(), row(total=100_000, pool=60_000), row(insurance="390"), row(total=None)]
    _, _, before = settle(rows)
    _, _, after = settle(rows, policy=BETTER, allow="unverified")
    found = simulate(before, after, {"case": labels(["a", "b", "c", "d"])})
    by = found.by["case"]
    assert by["a"].change > 0
    assert by["b"].change == by["c"].change == 0
    assert by["d"] == Sums(neither=1)
    assert found.total.change == by["a"].change
    assert found.total.surplus_after - found.total.surplus_before == found.total.change
    assert list(by) == ["b", "c", "d", "a"]


@given(
    costs=st.lists(st.integers(0, 10**8) | st.none(), min_size=1, max_size=30),
    key=st.integers(1, 4),
)
def test_lines_sum_to_the_total_whatever_the_cases(settle, row, costs, key):
    rows = [
        row(total=cost, pool=0, insurance=("310", "390", "999")[at % 3])
        for at, cost in enumerate(costs)
    ]
    _, _, before = settle(rows)
    _, _, after = settle(rows, policy=BETTER, allow="unverified")
    found = simulate(before, after, {"k": labels([str(at % key) for at in range(len(rows))])})
    assert found.total.all_cases == len(rows)
    for field in fields(Sums):
        parts = [getattr(sums, field.name) for sums in found.by["k"].values()]
        assert sum(parts) == getattr(found.total, field.name)


def test_a_broken_sum_is_told(settle, row, monkeypatch):
    _, _, before = settle([row(), row()])
    _, _, after = settle([row(), row()], policy=BETTER, allow="unverified")
    real = module._divided
    monkeypatch.setattr(module, "_divided", lambda *args: dict(list(real(*args).items())[:1]))
    with pytest.raises(SettlementError, match="ST307"):
        simulate(before, after, {"k": labels(["a", "b"])})


def test_other_cases_are_no_simulation(settle, row):
    with pytest.raises(ValueError, match="not the same cases"):
        simulate(settle([row()])[2], settle([row(), row()])[2], {})
