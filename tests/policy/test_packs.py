"""The packs that come with the program: they lint, name every source, and price right."""

from __future__ import annotations

import json
import lzma
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

import weights
from grouper.dated import VERIFIED
from grouper.errors import PolicyError, WeightError
from grouper.money import round_half_up
from grouper.policy.area import area_folder, area_ids, read_about
from grouper.policy.draft_parts import insurances
from grouper.policy.lead_rules import LeadCase
from grouper.policy.leads import label_columns, leads
from grouper.policy.lint import lint
from grouper.policy.load import load_policy
from grouper.policy.model import require_verified
from grouper.settle.lead import Given, pay_by_lead
from weights.table import Facts

PAYMENT = Path(__file__).parent.parent / "data" / "payment"
SILENT = {"150300-wuhai", "150400-chifeng", "150600-ordos", "150700-hulunbuir"}
SHIPPED = [area for area in area_ids() if area[:1].isdigit()]
PACKS = [area for area in SHIPPED if area not in SILENT]
#: packs whose published weight table comes with the program
PRICED = {
    "110000-beijing": 2024, "310000-shanghai": 2023, "350500-quanzhou": 2024,
    "370600-yantai": 2024, "420100-wuhan": 2024, "500000-chongqing": 2024,
    "510700-mianyang": 2024, "511000-neijiang": 2024, "511600-guangan": 2024,
}  # fmt: skip
#: lead -> pack and year: the lead's cases are priced again by the pack
DRAWN = {
    lead.area: (area, int(lead.texts["year"] or 2026))
    for area in PACKS
    for lead in leads().values()
    if lead.can_price and lead.texts["code"] == area[:6] and lead.area not in ("北京", "重庆一级")
}
WORDS = {one.word: code for code, one in insurances().items()}


def test_the_places_of_the_documents_have_a_folder():
    codes = {area[:6] for area in SHIPPED}
    assert {"621000", "141100", "450300"} <= codes
    assert {"410200", "410500", "411100", "411600", "411700", "419001"} <= codes
    assert {area[:6] for area in SILENT} <= codes
    assert area_folder("guilin") == area_folder("450300") == area_folder("450300-guilin")
    # the seats of the documents are counties and districts of pooling areas
    assert area_folder("文水县") == area_folder("吕梁市") == area_folder("lvliang")
    assert area_folder("西峰区") == area_folder("Qingyang")
    with pytest.raises(PolicyError):
        area_folder("demonstration")


@pytest.mark.parametrize("area", PACKS)
def test_a_pack_lints_and_says_where_every_value_is_from(area):
    found = [one for one in lint(area) if one.severity == "error"]
    assert found == []
    policy = load_policy(area)
    assert policy.area.code == area[:6]
    assert not policy.is_demo
    for terms in policy.terms:
        assert all(terms.sources.values())
        assert terms.rules.can_price
    assert (area_folder(area) / "README.md").is_file()
    # the fund's convention is nobody's publication: such a run must be asked for
    assert policy.confidence not in VERIFIED
    with pytest.raises(PolicyError) as caught:
        require_verified(policy)
    (issue,) = caught.value.issues
    assert issue.code == "PO112"
    # which values are weak is told: the fund's convention, and the days of the file
    assert "fund (unofficial)" in issue.text("zh")
    assert "weight_table (constructed)" in issue.text("en")
    assert require_verified(policy, "published", allow="unverified") == policy.confidence


@pytest.mark.parametrize("area", sorted(SILENT))
def test_where_nothing_is_published_the_reason_is_told(area):
    about, issues = read_about(area_folder(area))
    assert issues == []
    assert about.unpublished.searched
    assert about.facts
    with pytest.raises(PolicyError) as caught:
        load_policy(area)
    (issue,) = caught.value.issues
    assert issue.code == "PO117"
    assert "没有公布" in issue.text("zh")
    assert about.unpublished.reason_en in issue.text("en")
    assert [one.code for one in lint(area)] == ["PO117"]


def test_a_pack_holds_for_its_own_days_only():
    policy = load_policy("510700-mianyang")
    eras = [(one.span.start.year, one.weight_table, one.scheme_id) for one in policy.terms]
    assert eras == [
        (2024, "mianyang-2024", "mianyang_2024"),
        (2026, "mianyang-2026", "sichuan_2025"),
    ]
    assert policy.find_terms(date(2025, 6, 1)) is None
    weights.load(policy.terms[0].weight_table)
    with pytest.raises(WeightError) as caught:
        weights.load(policy.terms[1].weight_table)
    assert caught.value.issues[0].code == "WT105"


def given_by(terms, table, case: LeadCase, cost: Fraction) -> Given:
    """What the weight table says of a group, as who prices a case gives it."""
    facts = Facts(case.insurance, case.level, case.hospital)

    def number(column: str) -> Fraction | None:
        value = table.find(column, case.group, facts)
        return None if value is None else Fraction(value)

    coefficient = (
        number("coefficient") if terms.coefficient and terms.coefficient.in_table else None
    )
    return Given(cost, group_coef=coefficient, group_mean=number("standard"))


def standards(area: str, year: int, level: str):
    """Group -> (what an inlier is paid in yuan, what the table prints), where it prints one."""
    terms = load_policy(area).terms_at(date(year, 6, 1))
    table = weights.load(terms.weight_table)
    assert table.scheme_id == terms.scheme_id
    for group in table.group_codes:
        weight = table.find_weight(group, insurance="310", level=level)
        printed = table.standard_fen(group, insurance="310", level=level)
        if weight is None or printed is None:
            continue
        labels = table.labels(group, Facts("310", level))
        case = LeadCase(group, level, "310", "H1", Fraction(weight), 8, labels=labels)
        cost = Fraction(printed, 100)
        yield pay_by_lead(terms.rules, case, given_by(terms, table, case, cost)), printed


def test_shanghai_pays_the_printed_standards_exactly():
    found = [(one.fen, printed) for one, printed in standards("310000-shanghai", 2023, "三级")]
    assert len(found) == 918
    assert all(ours == printed for ours, printed in found)


def test_beijing_pays_the_printed_standards_within_the_rounding_of_weights():
    found = list(standards("110000-beijing", 2024, "三级"))
    assert len(found) == 632
    half = Fraction(20425, 200) * 100
    assert all(abs(one.fen - printed) <= half + 1 for one, printed in found)
    terms = load_policy("110000-beijing").terms[0]
    at_cost = LeadCase("AA19", "三级", "310", labels={"class": "据实支付病组"})
    assert pay_by_lead(terms.rules, at_cost, Given(Fraction(123456))).kind == "class:L1"


@pytest.mark.parametrize("level", ["A类", "B类", "C类"])
def test_quanzhou_pays_the_printed_standards_set_by_hand_or_not(level):
    found = list(standards("350500-quanzhou", 2024, level))
    assert len(found) == 692 + 69
    wrong = [(one.fen, printed) for one, printed in found if abs(one.fen - printed) > 1]
    assert not wrong


def test_the_coefficients_of_mianyang_and_guangan_stand_in_the_table():
    for area, level, group, coefficient in (
        ("510700-mianyang", "三甲", "ES31", "1.7264"),
        ("511600-guangan", "三级", "ES31", "1.261590843"),
    ):
        terms = load_policy(area).terms[0]
        table = weights.load(terms.weight_table)
        assert terms.coefficient.in_table
        assert table.coefficient(group, level=level) == Decimal(coefficient)


def test_every_published_table_of_a_pack_is_at_hand():
    found = {}
    for area in PACKS:
        for terms in load_policy(area).terms:
            if terms.weight_table in weights.table_ids():
                found.setdefault(area, terms.span.start.year)
    assert {area: year for area, year in found.items() if area in PRICED} == PRICED
    # the provincial reference stands in for cities of one province, and is marked so
    assert all(area[:2] == "14" for area in found.keys() - PRICED.keys())


def oracle():
    lines = lzma.decompress((PAYMENT / "oracle_cases.jsonl.xz").read_bytes()).splitlines()
    return [case for case in map(json.loads, lines) if case["area"] in DRAWN]


def test_packs_pay_what_the_public_site_or_the_rule_where_it_slips():
    numbers = ("coef", "group_coef", "adjust", "rate", "point_value", "mean_cost", "group_mean")
    compared, wrong = set(), []
    terms_of = {
        name: load_policy(area).terms_at(date(year, 6, 1)) for name, (area, year) in DRAWN.items()
    }
    for case in oracle():
        terms = terms_of[case["area"]]
        labels = {
            label_columns().get(k, k): text
            for k, text in (case.get("labels") or {}).items()
            if text
        }
        insurance = WORDS.get(case.get("insurance", ""), case.get("insurance", ""))
        facts = LeadCase(
            case["group"],
            case.get("level", ""),
            insurance,
            case.get("hospital", ""),
            Fraction(str(case["weight"])) if case.get("weight") else None,
            int(case.get("los", 8)),
            str(case.get("leave", "1")),
            case.get("age"),
            labels=labels,
        )
        given = {
            key: Fraction(str(case[key]))
            for key in numbers
            if case.get(key) not in (None, "", "——")
        }
        amount = pay_by_lead(terms.rules, facts, Given(Fraction(str(case["cost"])), **given))
        expected = Fraction(str(case.get("rule_pay", case["site"]["pay"])))
        if abs(Fraction(amount.fen, 100) - expected) > Fraction(1, 100):
            wrong.append((case["id"], case["area"], amount.kind, float(amount.exact), expected))
        compared.add(case["area"])
    assert not wrong
    assert len(compared) >= 35


def test_rounding_of_a_pack_is_one_half_up_at_the_end():
    terms = load_policy("511600-guangan").terms[0]
    case = LeadCase("ES31", "二级", "310", weight=Fraction("0.8697"))
    amount = pay_by_lead(
        terms.rules, case, Given(Fraction(4000), group_coef=Fraction("0.816479465"))
    )
    assert amount.fen == round_half_up(amount.exact * 100)
