"""Flows add up: parts to the file, hospitals to the whole, moved and unmoved to all."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouper.engine.groups import Status
from grouper.monitor.flow_sums import MEASURES, FlowSums, FlowTally, part_flows
from grouper.monitor.movement import Label, Labels, Movement, kind_of

BEFORE = Labels(
    (
        Label(Status.REJECTED),
        Label(Status.UNGROUPED),
        Label(Status.GROUPED, "BR11", "a", "BR1", "MDCB"),
        Label(Status.GROUPED, "BR15", "b", "BR1", "MDCB"),
        Label(Status.AMBIGUOUS, "BQY", "q", "BQY", "MDCB"),
    ),
    np.zeros(0, np.int64),
    np.zeros(0, np.int64),
)
AFTER = Labels(
    (
        Label(Status.REJECTED),
        Label(Status.UNGROUPED),
        Label(Status.GROUPED, "BR15", "c", "BR1", "MDCB"),
        Label(Status.GROUPED, "BS19", "a", "BS1", "MDCB"),
        Label(Status.GROUPED, "CR19", "d", "CR1", "MDCC"),
    ),
    np.zeros(0, np.int64),
    np.zeros(0, np.int64),
)
ROWS = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.integers(0, 4),
        st.sampled_from(["甲", "乙", ""]),
        st.integers(0, 10**12),
    ),
    max_size=60,
)


def tallied(rows, cuts):
    """The rows as parts cut at some places."""
    tally = FlowTally((5, 5), ["hospital"])
    bounds = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    for start, stop in pairwise(bounds):
        part = rows[start:stop]
        texts = tuple(dict.fromkeys(row[2] for row in part))
        values = np.zeros((len(part), len(MEASURES)), np.int64)
        values[:, 0] = 1
        values[:, 1] = [row[3] for row in part]
        ids = np.array([texts.index(row[2]) for row in part], np.int64)
        tally.add(
            part_flows(
                np.array([row[0] for row in part], np.int64),
                np.array([row[1] for row in part], np.int64),
                (5, 5),
                values,
                np.arange(start, stop),
                {"hospital": (ids, texts)},
            )
        )
    return Movement(BEFORE, AFTER, tally)


def figures(part):
    return {
        (flow.before, flow.after): (flow.totals["cases"], flow.totals["cost"])
        for flow in part.flows
    }


@given(ROWS, st.lists(st.integers(0, 60), max_size=3))
def test_parts_and_hospitals_add_up_to_the_whole(rows, cuts):
    found = tallied(rows, cuts)
    expected: dict[tuple[Label, Label], list[int]] = {}
    for before, after, _, cost in rows:
        sums = expected.setdefault((BEFORE.labels[before], AFTER.labels[after]), [0, 0])
        sums[0] += 1
        sums[1] += cost
    assert figures(found.whole) == {key: tuple(sums) for key, sums in expected.items()}
    for dimension in ("hospital", "mdc"):
        summed: dict[tuple[Label, Label], list[int]] = {}
        for part in found.by(dimension):
            for key, (cases, cost) in figures(part).items():
                sums = summed.setdefault(key, [0, 0])
                sums[0] += cases
                sums[1] += cost
        assert summed == expected
    whole = found.whole
    assert whole.moved["cases"] + whole.of_kind("same")["cases"] == len(rows)
    assert whole.moved["cost"] + whole.of_kind("same")["cost"] == sum(row[3] for row in rows)
    assert [part.value for part in found.by("hospital")] == sorted({row[2] for row in rows})


@given(ROWS)
def test_groups_keep_their_cases(rows):
    found = tallied(rows, [])
    for group in found.groups():
        assert group.stay + group.leave == group.before
        assert group.stay + group.arrive == group.after
    coded = sum(bool(BEFORE.labels[before].code) for before, *_ in rows)
    assert sum(group.before for group in found.groups()) == coded


@given(ROWS)
def test_the_first_case_of_a_flow_is_its_first_row(rows):
    for flow in tallied(rows, [7, 20]).whole.flows:
        pairs = [(BEFORE.labels[b], AFTER.labels[a]) for b, a, *_ in rows]
        assert pairs.index((flow.before, flow.after)) == flow.first


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [(0, 0, "same"), (1, 2, "status"), (2, 2, "drg"), (3, 2, "same"), (2, 3, "adrg"),
     (2, 4, "mdc"), (4, 2, "status")],
)  # fmt: skip
def test_how_far_a_case_moves(before, after, kind):
    assert kind_of(BEFORE.labels[before], AFTER.labels[after]) == kind


def test_a_new_code_for_the_same_name_and_a_new_name_for_the_same_code_are_told():
    found = tallied([(2, 3, "", 1), (3, 2, "", 1)], [])
    recoded, renamed = found.whole.flows
    assert (recoded.recoded, recoded.renamed) == (True, False)
    assert (renamed.recoded, renamed.renamed) == (False, True)
    assert found.whole.recoded == 1


def test_nothing_adds_nothing():
    none = FlowSums.none()
    assert len(none.plus(none).keys) == 0
