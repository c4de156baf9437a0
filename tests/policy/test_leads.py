"""The leads of areas: every row is read, every broken cell is named by its place."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouper.datafile import data_folder
from grouper.errors import PolicyError
from grouper.policy.lead_rules import (
    LeadCase,
    compare,
    parse_case_rules,
    parse_class_rules,
    parse_schedule,
)
from grouper.policy.leads import COLUMNS, keyed, leads, load_lead, read_leads

LEADS = data_folder("areas", "leads.tsv")


def test_all_areas_are_shipped():
    found = leads()
    assert len(found) == 154
    # 146 areas and the rates of two published tables; six areas give numbers alone
    assert sum(one.can_price for one in found.values()) == 148
    assert all(one.texts["source"] for one in found.values())
    # one factor of 南京 continues a series: nobody published it
    weak = {name for name, one in found.items() if one.confidence != "published"}
    assert weak == {"南京"}
    assert sum(one.corrected for one in found.values()) == 13


@pytest.fixture
def broken(tmp_path):
    """`broken(area, column, text)`: the file with one cell replaced."""

    def make(area: str, column: str, text: str):
        lines = LEADS.read_text("utf-8").splitlines()
        at = next(i for i, line in enumerate(lines) if line.startswith(f"{area}\t"))
        cells = lines[at].split("\t")
        cells[COLUMNS.index(column)] = text
        lines[at] = "\t".join(cells)
        path = tmp_path / "leads.tsv"
        path.write_text("\n".join(lines) + "\n", "utf-8", newline="\n")
        return path, at + 1

    return make


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("standard", "S9"),
        ("method", "point:7"),
        ("ratio_base", "w + r"),
        ("low_op", "="),
        ("low_k", "0,3"),
        ("low_k", ""),
        ("low_k", "三级:0.3"),
        ("high_k", "w<=1:3|*"),
        ("high_form", "H9"),
        ("high_form", "H2k"),
        ("class_rules", "=基础病组 coef=much"),
        ("class_rules", "=基础病组"),
        ("class_rules", "=基础病组@town=x coef=1"),
        ("class_rules", "=基础病组 price=1"),
        ("class_rules", "=基础病组 pay=L9"),
        ("class_rules", "0000 outliers=on"),
        ("before_rules", "los>=60 L9"),
        ("before_rules", "days>=60 L1"),
        ("within_rules", "x<=half 0.7S"),
        ("rates", "三级=9736;三级=1"),
        ("rates", "三级=9,736"),
        ("mean_cost", "many"),
        ("confidence", "official"),
    ],
)
def test_a_broken_cell_is_named_by_its_place(broken, column, text):
    path, line = broken("武汉", column, text)
    found, issues = read_leads(path)
    assert "武汉" not in found
    assert [one.code for one in issues] == ["PO114"] * len(issues)
    assert any(one.where.startswith(f"leads.tsv:{line}:") for one in issues)


def test_an_area_stands_once(broken):
    path, line = broken("武汉", "area", "长沙")
    _, issues = read_leads(path)
    assert [one.code for one in issues] == ["PO114"]
    assert issues[0].where in (f"leads.tsv:{line}:area", f"leads.tsv:{line + 1}:area")


def test_an_unknown_area_and_one_without_rules():
    with pytest.raises(PolicyError) as unknown:
        load_lead("武汉9999")
    assert unknown.value.issues[0].code == "PO115"
    assert "武汉" in unknown.value.text("zh")
    with pytest.raises(PolicyError) as bare:
        load_lead("温州")
    assert bare.value.issues[0].code == "PO116"


def test_the_more_exact_key_wins():
    values = {("三级", "居民"): Fraction(3), ("", "居民"): Fraction(2), ("", ""): Fraction(1)}
    assert keyed(values, "三级", "居民") == 3
    assert keyed(values, "二级", "居民") == 2
    assert keyed(values, "二级", "职工") == 1
    assert keyed({("三级", "居民"): Fraction(3)}, "三级", "职工") is None


def test_schedules_read_from_left_to_right():
    k = parse_schedule("GF3A:1.2|一级&w<=3:1.8|一级:1.7|w<=2:2.2|w<=5:1.8|*:1.2")
    assert k.value(LeadCase("GF3A", "一级", weight=Fraction(1))) == Fraction("1.2")
    assert k.value(LeadCase("ES31", "一级", weight=Fraction(3))) == Fraction("1.8")
    assert k.value(LeadCase("ES31", "一级", weight=Fraction("3.0001"))) == Fraction("1.7")
    assert k.value(LeadCase("ES31", "三级", weight=Fraction(2))) == Fraction("2.2")
    assert k.value(LeadCase("ES31", "三级", weight=Fraction(6))) == Fraction("1.2")
    assert k.is_total
    assert not parse_schedule("三级:3|二级:2").is_total


CLASS = LeadCase(
    "ES31", "一级二档", "居民", labels={"病组标识": "基础病组A", "备注": "", "旗": "是"}
)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("=基础病组A coef=1", True),
        ("=基础病组 coef=1", False),
        ("^基础 coef=1", True),
        ("$A coef=1", True),
        ("$组 coef=1", False),
        ("~病组 coef=1", True),
        ("any病组标识 coef=1", True),
        ("any备注 coef=1", False),
        ("any coef=1", True),
        ("flag旗 coef=1", True),
        ("flag病组标识 coef=1", False),
        ("any@ins=居民 coef=1", True),
        ("any@ins=职工 coef=1", False),
        ("any@level^一级 coef=1", True),
        ("any@level!^一级 coef=1", False),
        ("any@level!一级 coef=1", True),
        ("any@level=一级二档|二级 coef=1", True),
        ("any@level=一级 coef=1", False),
        ("ES31@any=病组标识 coef=1", True),
        ("BR25|ES35 coef=1", False),
        ("ES* coef=1", True),
        ("unpriced pay=L1", True),
        ("any@age<17 points*=1.1", False),
    ],
)
def test_class_tests(text, holds):
    (rule,) = parse_class_rules(text)
    assert rule.holds(CLASS) is holds


def test_case_tests_ask_for_what_the_case_has():
    short, advice = parse_case_rules("los<2 L1;leave=4&x<=0.5 0.7S")
    assert short.holds(LeadCase(los=1), None)
    assert not short.holds(LeadCase(los=2), None)
    assert advice.holds(LeadCase(leave="4"), Fraction(1, 2))
    assert not advice.holds(LeadCase(leave="4"), Fraction(51, 100))
    assert not advice.holds(LeadCase(leave="4"), None)
    assert not advice.holds(LeadCase(leave="9x"), Fraction(0))


@given(st.fractions(), st.fractions(), st.sampled_from(["<", "<=", ">", ">=", "="]))
def test_comparison_is_that_of_numbers(left, right, operator):
    expected = {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}
    assert compare(left, operator, right) is expected.get(operator, left == right)
