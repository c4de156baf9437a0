"""Totals are the sums of their parts, and unknown stays unknown."""

import numpy as np
import pytest

from grouper.report.data import GroupRow, Statement, StatementLine, sum_statements, summarize_groups

MISSING = -(2**63)


def statement(insurance, **amounts):
    lines = tuple(StatementLine(key, key, value, "fen") for key, value in amounts.items())
    return Statement("H1", "", insurance, "2022-09", lines)


def lines(one):
    return {line.id: line.amount for line in one.lines}


def test_totals_keep_insurances_apart_and_add_up():
    parts = [statement("职工", M3=10, M6=7), statement("职工", M3=5), statement("居民", M6=-2)]
    totals = sum_statements(parts, label="合计")
    assert [(one.insurance, lines(one)) for one in totals] == [
        ("职工", {"M3": 15, "M6": 7}),
        ("居民", {"M3": 0, "M6": -2}),
        ("", {"M3": 15, "M6": 5}),
    ]
    assert {one.hospital_name for one in totals} == {"合计"}


def test_one_insurance_has_one_total():
    (total,) = sum_statements([statement("职工", M3=10)], label="合计")
    assert (total.insurance, lines(total)) == ("职工", {"M3": 10})


def test_sample_totals_equal_the_sum_of_statements(data):
    totals = sum_statements(data.statements, label="")
    for line in totals[-1].lines:
        assert line.amount == sum(
            part.amount for one in data.statements for part in one.lines if part.id == line.id
        )


def test_groups_are_summed_and_position_zero_is_no_group():
    rows = summarize_groups(
        np.array([0, 1, 2, 1, 3], np.uint32),
        ["", "BR23", "ES21", ""],
        ["", "a", "b", ""],
        np.array([5, 100, 7, 23, 9], np.int64),
        np.array([0, 90, 8, 30, 9], np.int64),
    )
    assert rows == (GroupRow("BR23", "a", 2, 123, 120), GroupRow("ES21", "b", 1, 7, 8))
    assert [row.difference_fen for row in rows] == [-3, 1]


def test_one_unknown_cost_makes_the_sum_unknown():
    (row,) = summarize_groups(
        np.array([1, 1], np.uint32), ["", "BR23"], ["", "a"], np.array([100, MISSING], np.int64)
    )
    assert (row.cost_fen, row.standard_fen, row.difference_fen) == (None, None, None)


def test_dearest_group_comes_first_and_unknown_cost_last(make):
    groups = (
        GroupRow("B", "", 1, None),
        GroupRow("A", "", 1, 5),
        GroupRow("C", "", 1, 9),
        GroupRow("D", "", 1, 5),
    )
    assert [g.code for g in make("zh", groups=groups).groups_by_cost] == ["C", "A", "D", "B"]


def test_total_counts_every_status(data):
    assert data.total == 1000


def test_report_data_cannot_be_changed(data):
    with pytest.raises(AttributeError):
        data.title = "other"
