"""The price of a cell where the weight table, not the policy, holds the hospital coefficients."""

from __future__ import annotations

import shutil
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

import weights
from grouper.datafile import data_folder
from grouper.engine.groups import Status
from grouper.errors import Issue
from grouper.policy.load import load_policy
from grouper.policy.model import KeyedValues
from grouper.settle.cell import Key, compile_key
from grouper.settle.cuts import CompiledCell, Ramp
from weights.table import Facts

POLICY = "policy-2025.toml"


@pytest.fixture(scope="module")
def of_table(tmp_path_factory):
    """`of_table(default)`: the demo area's terms with the coefficients of the weight table."""
    folder = tmp_path_factory.mktemp("area") / "demo"
    shutil.copytree(data_folder("areas", "demo"), folder)

    def make(more: str = ""):
        text = (data_folder("areas", "demo") / POLICY).read_text("utf-8")
        text = text.replace('by = "level"', 'by = "table"', 1)
        own = '"三级" = 1.0850, "二级" = 1.0000, "一级" = 0.8575'
        assert own in text
        (folder / POLICY).write_text(text.replace(f", {own}", more, 1), "utf-8")
        return load_policy(folder).terms[0]

    return make


def key(group: str, level: str) -> Key:
    return Key(Status.GROUPED, group, "310", level, "H1")


def test_the_coefficient_of_the_table_is_that_of_group_and_level(of_table):
    terms, table = of_table(), weights.load("guangan-2024")
    cell = compile_key(terms, table, key("ES31", "三级"))
    assert isinstance(cell, CompiledCell)
    assert (cell.weight, cell.coefficient) == (Decimal("0.8697"), Decimal("1.261590843"))
    standard = Decimal("0.8697") * 812000 * Decimal("1.261590843")
    assert cell.branches[-1].pay == Ramp(Fraction(0), Fraction(standard))
    lowest = compile_key(terms, table, key("ES31", "一级"))
    assert lowest.coefficient == Decimal("0.76432642")


def test_a_coefficient_that_the_table_lacks_is_the_default_or_an_issue(of_table):
    table = weights.load("shanghai-2023")
    issue = compile_key(of_table(), table, key("BB11", "三级"))
    assert isinstance(issue, Issue)
    assert issue.code == "ST101"
    assert "hospital_coefficient" in issue.params["key"]
    cell = compile_key(of_table(', "*" = 1.08'), table, key("BB11", "三级"))
    assert cell.coefficient == Decimal("1.08")


def test_numbers_of_the_table_are_not_found_in_the_policy(of_table):
    terms = replace(of_table(), coefficient=KeyedValues(("table",), {}))
    assert terms.coefficient.in_table
    assert terms.coefficient.find("310", "三级", "H1") is None


def test_labels_say_what_class_a_group_has():
    table = weights.load("quanzhou-2024")
    labels = [table.labels(group, Facts(level="A类")) for group in table.group_codes]
    assert {one["flag"] for one in labels} == {"", "是"}
    assert any("基础病组" in one["class"] for one in labels)
    assert table.labels("AB99", Facts()) == {"class": "", "flag": "", "adjusted": ""}
