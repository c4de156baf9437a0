"""Histories: exact counts that neither the order of rows nor the cut into parts can change."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from weights_histories import drawn

from grouper.errors import WeightError
from weights.history import MAX_COST_FEN, NO_COST, History, HistoryStream, history, merged

CODES = ["AB11", "AB13", "ZZ19", "AC15"]


def same(one: History, other: History) -> bool:
    arrays = ("keys", "counts", "pairs", "pair_counts")
    texts = ("groups", "adrgs", "names", "years", "hospitals", "left_out")
    return all(np.array_equal(getattr(one, n), getattr(other, n)) for n in arrays) and all(
        getattr(one, name) == getattr(other, name) for name in texts
    )


cases = st.lists(
    st.tuples(
        st.integers(0, len(CODES) - 1),
        st.one_of(st.integers(1, 5), st.integers(1, MAX_COST_FEN)),
        st.integers(2019, 2022),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=40,
)


def of(rows):
    group, fen, year, hospital = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    hospitals = ("H3", "H1", "H2")
    return history(CODES, group, fen, year=year, hospitals=hospitals, hospital=hospital)


@given(cases, st.randoms(use_true_random=False))
def test_neither_order_nor_parts_change_a_history(rows, random):
    whole = of(rows)
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert same(of(shuffled), whole)
    cuts = sorted(random.randrange(len(rows) + 1) for _ in range(3))
    parts = [shuffled[a:b] for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
    parts = [of(part) for part in parts if part]
    assert same(merged(parts), whole)
    assert same(parts[0].merge(*reversed(parts[1:])), whole)
    stream = HistoryStream()
    for part in parts:
        stream.add(part)
    assert same(stream.result(), whole)


@given(cases)
def test_a_history_holds_every_case(rows):
    found = of(rows)
    counted = {}
    for group, fen, year, _ in rows:
        key = CODES[group], fen, year
        counted[key] = counted.get(key, 0) + 1
    keys = zip(
        History.group_of(found.keys).tolist(),
        History.fen_of(found.keys).tolist(),
        History.year_of(found.keys).tolist(),
        found.counts.tolist(),
        strict=True,
    )
    assert {(found.groups[g], fen, found.years[y]): n for g, fen, y, n in keys} == counted
    assert found.cases == len(rows)
    many, largest = found.hospital_counts()
    for at, code in enumerate(found.groups):
        own = [h for g, _, _, h in rows if CODES[g] == code]
        assert many[at] == len(set(own))
        assert largest[at] == max(own.count(h) for h in set(own))


def test_merging_nothing_is_nothing():
    assert merged([]).groups == ()
    assert same(merged([History(), of([(0, 5, 2020, 1)])]), of([(0, 5, 2020, 1)]))


def test_parts_travel_between_processes():
    found = of([(0, 5, 2020, 1), (2, 7, 2021, 0)])
    assert same(pickle.loads(pickle.dumps(found)), found)


@settings(max_examples=5, deadline=None)
@given(st.integers(1, 3000))
def test_a_stream_of_parts_is_the_whole(size):
    data = drawn(5000, 30, 3)
    stream = HistoryStream()
    for start in range(0, 5000, size):
        stream.add(data.history(slice(start, start + size)))
    assert same(stream.result(), data.history())


@pytest.mark.parametrize(
    ("fen", "code", "reason"),
    [
        (0, "WT133", "zero"),
        (-5, "WT134", "negative"),
        (NO_COST, "WT135", "no_cost"),
        (MAX_COST_FEN + 1, "WT135", "no_cost"),
    ],
)
def test_costs_that_are_none(fen, code, reason):
    cost = np.array([100, fen, fen], np.int64)
    group = np.array([0, 1, 1])
    with pytest.raises(WeightError) as caught:
        history(CODES, group, cost)
    (issue,) = caught.value.issues
    assert (issue.code, issue.where, issue.params["count"]) == (code, "row 2", 2)
    assert "AB13" in issue.what("zh")
    left = history(CODES, group, cost, bad_costs="leave_out")
    assert left.groups == ("AB11",)
    assert left.left_out == {reason: 2}
    assert left.merge(left).left_out == {reason: 4}


def test_every_kind_of_bad_cost_is_said_at_once():
    with pytest.raises(WeightError) as caught:
        history(CODES, np.zeros(3, int), np.array([0, -1, NO_COST], np.int64))
    assert [issue.code for issue in caught.value.issues] == ["WT133", "WT134", "WT135"]


def test_a_group_needs_a_code():
    with pytest.raises(WeightError, match="WT136"):
        history([""], np.zeros(1, int), np.ones(1, np.int64))


def test_a_group_is_of_one_adrg():
    one = history(["X"], np.zeros(1, int), np.ones(1, np.int64), adrgs=["A"])
    other = history(["X"], np.zeros(1, int), np.ones(1, np.int64), adrgs=["B"])
    with pytest.raises(WeightError, match="WT137") as first:
        merged([other, one])
    with pytest.raises(WeightError) as second:
        merged([one, other])
    assert str(first.value) == str(second.value)


def test_more_years_than_fit():
    years = np.arange(1990, 2030)
    with pytest.raises(WeightError, match="WT143"):
        history(["X"], np.zeros(40, int), np.ones(40, np.int64), year=years)
