"""What `check` finds in a table, and what `diff` finds between two."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

import weights
from grouper.dated import Span
from weights.table import Facts

HEAD = weights.Head(
    id="t",
    title="t",
    title_en="t",
    scheme_id="s",
    area="1",
    span=Span(date(2025, 1, 1)),
    source="s",
    confidence="published",
)


def table(head=HEAD, **columns):
    return weights.from_columns(head, columns)


def found(checked, **how):
    report = weights.check(checked, **how)
    assert all(issue.text(lang) for issue in report.issues for lang in ("zh", "en"))
    return [(i.code, i.where) for i in report.issues if i.code != "WT204"]


def test_groups_unknown_to_the_scheme_and_groups_it_lacks():
    t = table(group=["ES31", "ES33", "0000", "EQY", "XX99"], weight=["1", "0.9", "", "1", "2"])
    issues = weights.check(t, scheme_groups=["ES31", "ES33", "ES35"]).issues
    assert [(i.code, i.params["group"]) for i in issues] == [("WT114", "XX99"), ("WT201", "ES35")]
    assert issues[0].where == "row 5:group"


def test_without_a_scheme_that_is_said():
    assert [i.code for i in weights.check(table(group=["A"], weight=["1"])).issues] == ["WT204"]


def test_a_weight_of_zero_is_an_error():
    t = table(group=["A", "B", "C"], weight=["0", "0.00", "0.01"])
    assert found(t) == [("WT110", "row 1:group"), ("WT110", "row 2:group")]


def test_groups_without_weight_are_named_once_residual_codes_are_not():
    t = table(
        group=["A1", "A1", "B1", "0000"], level=["", "三级", "", ""], weight=["", "", "1", ""]
    )
    assert found(t) == [("WT202", "row 1:group")]


def test_points_are_as_good_as_weights():
    assert found(table(group=["A1"], points=["100"])) == []


def test_severity_inversions_inside_an_adrg():
    t = table(
        group=["ES31", "ES33", "ES35", "BR11", "BR15", "FA19", "FA15"],
        weight=["1.2", "0.8", "0.9", "2", "2", "0.1", "3"],
    )
    issues = [i for i in weights.check(t).issues if i.code == "WT203"]
    assert [(i.where, i.params["group"], i.params["other"]) for i in issues] == [
        ("row 2:group", "ES33", "ES35")
    ]


def test_severity_is_compared_for_the_same_level_only():
    t = table(
        group=["ES31", "ES35", "ES31", "ES35"],
        level=["三级", "三级", "二级", "二级"],
        weight=["1", "0.9", "0.8", "0.95"],
    )
    assert found(t) == [("WT203", "row 3:group")]


def test_the_order_of_severity_is_data():
    head = replace(HEAD, severity_order=("A", "B"))
    t = table(head, group=["ES3A", "ES3B", "ES31", "ES35"], weight=["1", "2", "1", "2"])
    assert found(t) == [("WT203", "row 1:group")]


@pytest.mark.parametrize(
    ("proof", "standard", "holds"),
    [
        ({}, "1000.00", True),
        ({}, "1000.01", False),
        ({"within": Decimal("0.01")}, "1000.01", True),
        ({"within": Decimal("0.01")}, "1000.02", False),
        ({"within_weight": Decimal("0.005")}, "1010.00", True),
        ({"within_weight": Decimal("0.005")}, "1010.01", False),
        ({"within_relative": Decimal("0.1")}, "900.00", True),
        ({"within_relative": Decimal("0.1")}, "899.99", False),
    ],
)
def test_printed_amounts_are_held_against_computed_ones(proof, standard, holds):
    head = replace(HEAD, base_rate=Decimal(2000), proof=weights.Proof(**proof))
    t = table(head, group=["A1"], weight=["0.5"], standard=[standard])
    assert found(t) == ([] if holds else [("WT115", "row 1:group")])


def test_rows_bring_their_own_rate_and_those_set_by_hand_are_left_out():
    head = replace(HEAD, base_rate=Decimal(1), proof=weights.Proof(formula="w r c"))
    t = table(
        head,
        group=["A1", "A1", "B1"],
        insurance=["310", "390", ""],
        weight=["2", "2", "1"],
        rate=["100", "90", ""],
        coefficient=["1.5", "", ""],
        standard=["300", "180", "7"],
        adjusted=["", "", "是"],
    )
    report = weights.check(t)
    assert (report.compared, report.by_hand, report.errors) == (2, 1, 0)


def test_differences_between_two_tables():
    old = table(
        group=["A1", "A1", "B1", "C1"],
        level=["", "三级", "", ""],
        weight=["1", "", "2", "3"],
        coefficient=["", "1.1", "", ""],
    )
    new = table(
        group=["A1", "A1", "B1", "D1"],
        level=["", "三级", "", ""],
        weight=["1.25", "", "2.0", "4"],
        coefficient=["", "1.2", "", ""],
        mean_cost=["1", "", "", ""],
    )
    changes = weights.diff(old, new)
    assert [(c.kind, c.group, c.facts.level, c.column, c.old, c.new) for c in changes] == [
        ("changed", "A1", "", "weight", 1, Decimal("1.25")),
        ("changed", "A1", "三级", "coefficient", Decimal("1.1"), Decimal("1.2")),
        ("removed", "C1", "", "weight", 3, None),
        ("added", "D1", "", "weight", None, 4),
    ]
    assert changes[0].ratio == Fraction(5, 4)
    assert changes[2].ratio is None
    assert weights.diff(old, old) == ()


def test_a_row_that_only_one_table_has_is_a_change():
    old = table(group=["A1"], weight=["1"])
    new = table(group=["A1", "A1"], insurance=["", "390"], weight=["1", "0.9"])
    (change,) = weights.diff(old, new)
    assert (change.facts, change.old, change.new) == (Facts("390"), None, Decimal("0.9"))
