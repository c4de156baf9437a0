"""A batch pays every case to the fen as it is paid alone, in packs, leads and variants."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import weights
from grouper.dated import Span, day_number
from grouper.engine.groups import Status
from grouper.errors import PolicyError
from grouper.policy.lead_policy import policy_of_lead
from grouper.policy.leads import leads
from grouper.policy.load import area_ids, load_policy
from grouper.policy.model import FundRule
from grouper.settle.amounts import CaseType
from grouper.settle.case import Settler
from grouper.settle.cell import Key, compile_key
from grouper.settle.cuts import CompiledCell
from grouper.settle.single import settle_case
from grouper.settle.trail import CaseFacts
from tests.settle.conftest import Row, fen, make
from weights.table import Head

MISSING_FEN = -(2**63)


def published(area):
    """Whether it is published how an area pays, and it pays by DRG (DIP has twins of its own)."""
    try:
        return load_policy(area).terms[-1].dip is None
    except PolicyError:
        return False


PACKS = [area for area in area_ids() if published(area)]
SHIPPED = [
    area
    for area in PACKS
    if {terms.weight_table for terms in load_policy(area).terms} <= set(weights.table_ids())
]
LEADS = [lead for lead in leads().values() if lead.can_price]
AMOUNTS = ("payable_fen", "fund_fen", "patient_fen", "difference_fen", "standard_fen")
BILL = ("own_cost", "pre_self_cost", "deductible")


def made_table(table_id, scheme_id, levels=("",), classes=("",)):
    """A table with all that a rule may ask of one."""
    groups = ["0000", "BQY", "ES31", "GF3A", "GW15", "DT15", "ES35", "AH19", "FL49", "XX99"]
    chance = random.Random(table_id)
    columns = {name: [] for name in (
        "group", "level", "weight", "points", "coefficient", "rate", "point_value", "standard",
        "mean_cost", "class", "flag", "adjusted",
    )}  # fmt: skip
    for at, group in enumerate(groups):
        weight = "" if group == "XX99" else f"{chance.uniform(0.2, 9):.4f}"
        for level in levels:
            row = {
                "group": group,
                "level": level,
                "weight": weight,
                "points": f"{chance.uniform(20, 900):.4f}",
                "coefficient": f"{chance.uniform(0.6, 1.6):.4f}",
                "rate": "",
                "point_value": "",
                "standard": f"{chance.uniform(1500, 60000):.2f}",
                "mean_cost": f"{chance.uniform(1500, 60000):.2f}",
                "class": classes[at % len(classes)],
                "flag": "是" if at % 3 == 0 else "",
                "adjusted": "是" if at % 4 == 0 else "",
            }
            for name, value in row.items():
                columns[name].append(value)
    head = Head(
        id=table_id,
        title=table_id,
        title_en=table_id,
        scheme_id=scheme_id,
        area="",
        span=Span(date.min),
        source="constructed",
        confidence="constructed",
        standard_rounding="half_up",
    )
    return weights.from_columns(head, columns)


def rows_of(settler, codes, levels, insurances, hospitals, *, count, seed):
    """Cases of a policy, one fen either side of every cut of their cells among them."""
    chance = random.Random(seed)
    rows = []
    while len(rows) < count:
        terms = chance.choice(settler.policy.terms)
        day = terms.span.start if terms.span.start > date.min else date(2025, 6, 15)
        row = Row(
            group=chance.choice(codes),
            level=chance.choice(levels),
            insurance=chance.choice(insurances),
            hospital=chance.choice(hospitals),
            day=day + timedelta(chance.choice([0, 1, 30])),
            status=chance.choices(
                [Status.GROUPED, Status.AMBIGUOUS, Status.UNGROUPED], [18, 1, 1]
            )[0],
            los=chance.choice([1, 2, 3, 8, 20, 21, 59, 60, 61]),
            leave=chance.choice([1, 2, 4, 5]),
            age=chance.choice([5, 6, 16, 17, 50, None]),
        )  # fmt: skip
        costs = [chance.randrange(1, 30_000_000) for _ in range(3)]
        key = Key(
            row.status, row.group if row.status == Status.GROUPED else "0000",
            settler.policy.insurance(row.insurance), settler.policy.level(row.level), row.hospital,
            los=row.los, leave=str(row.leave), age=row.age,
        )  # fmt: skip
        terms = settler.policy.find_terms(row.day) or terms
        cell = compile_key(terms, settler.tables[terms.weight_table], key)
        if isinstance(cell, CompiledCell):
            for start, _, _ in cell.stretches:
                costs += [max(start + step, 1) for step in (-1, 0, 1) if start < 2**50]
        for cost in costs:
            pool = chance.choice([0, cost // 3, cost * 6 // 10, cost])
            other = chance.choice([0, (cost - pool) // 2])
            rows.append(replace(row, total=cost, pool=pool, other=other))
    return rows


def with_bill(batch, rows):
    """The same batch with what the fund conventions C and D ask of the bill."""
    costs = [row.total for row in rows]
    columns = {
        name: fen([cost * share // 100 for cost in costs])
        for name, share in zip(BILL, (7, 3, 11), strict=True)
    }
    return replace(batch, bill=columns)


def assert_twins(settler, rows, scheme_id, *, allow="unverified"):
    """Every row alone and in a batch; returns the types that were met."""
    batch, groups = make(rows, scheme_id)
    batch = with_bill(batch, rows)
    amounts = settler.settle(batch, groups)
    for at, row in enumerate(rows):
        terms = settler.policy.find_terms(row.day) or settler.policy.terms[0]
        alone = settle_case(
            CaseFacts(
                row.hospital, row.level, row.insurance, row.day, row.total, row.pool, row.other,
                los_days=row.los, leave=str(row.leave), age_years=row.age,
                bill={name: int(column[at]) for name, column in batch.bill.items()},
                days={"discharge_time": day_number(row.day)},
            ),
            row.group if row.status == Status.GROUPED else "",
            settler.tables[terms.weight_table],
            settler.policy,
            scheme_id=scheme_id,
            scheme_status="regional",
            status=row.status,
            allow=allow,
        )  # fmt: skip
        assert alone.case_type == amounts.case_type[at], row
        for name in AMOUNTS:
            mine = getattr(alone, name)
            theirs = int(getattr(amounts, name)[at])
            assert (MISSING_FEN if mine is None else mine) == theirs, (name, row)
        assert alone.issue == amounts.issue_of(at), row
        if alone.rule:
            assert alone.rule == amounts.rules[amounts.rule[at] - 1], row
    return {CaseType(kind) for kind in np.unique(amounts.case_type).tolist()}


def pack_settler(area):
    """A settler of a pack; a weight table that is not published is made up."""
    policy = load_policy(area)
    levels = tuple(level.code for level in policy.area.levels) or ("",)
    scheme_id = policy.terms[-1].scheme_id
    terms = tuple(one for one in policy.terms if one.scheme_id == scheme_id)
    policy = replace(policy, terms=terms)
    names = dict.fromkeys(one.weight_table for one in terms)
    tables = [
        weights.load(name) if name in weights.table_ids() else made_table(name, scheme_id, levels)
        for name in names
    ]
    settler = Settler(
        tables[0], policy, scheme_id=scheme_id, scheme_status="regional", allow="unverified",
        more=tables[1:],
    )  # fmt: skip
    return settler, scheme_id, levels


def pack_rows(settler, levels, *, count, seed):
    table = settler.table
    hospitals = [one.code for one in settler.policy.area.hospitals] or ["H1", "H2"]
    insurances = [one.code for one in settler.policy.area.insurances]
    codes = [code for code in table.group_codes if code]
    return rows_of(settler, codes, levels, insurances, hospitals, count=count, seed=seed)


def test_at_least_three_packs_have_their_published_table():
    assert len([area for area in SHIPPED if area != "demo"]) >= 3


@pytest.mark.parametrize("area", PACKS)
def test_a_share_of_every_pack(area):
    settler, scheme_id, levels = pack_settler(area)
    rows = pack_rows(settler, levels, count=150, seed=area)
    assert assert_twins(settler, rows, scheme_id) >= {CaseType.INLIER}


@pytest.mark.large
@pytest.mark.parametrize("area", [area for area in SHIPPED])
def test_a_hundred_thousand_cases_of_every_pack_with_its_table(area):
    settler, scheme_id, levels = pack_settler(area)
    rows = pack_rows(settler, levels, count=100_000, seed=f"large {area}")
    assert_twins(settler, rows, scheme_id)


def lead_settler(lead):
    classes = sorted({w for rule in lead.class_rules if rule.test in "=^$~" for w in rule.words})
    levels = tuple(
        dict.fromkeys(level for level, _ in (*lead.rates, *lead.coefs, *lead.point_values) if level)
    ) or ("三级",)
    table = made_table("made", "made", levels, ("", *classes))
    policy = policy_of_lead(lead, scheme_id="made", weight_table="made")
    settler = Settler(table, policy, scheme_id="made", scheme_status="regional", allow="unverified")
    return settler, levels


@pytest.mark.parametrize("part", range(6))
def test_a_share_of_every_lead(part):
    met = set()
    for lead in LEADS[part::6]:
        settler, levels = lead_settler(lead)
        codes = settler.table.group_codes
        rows = rows_of(settler, codes, levels, ["职工", "390"], ["H1"], count=90, seed=lead.area)
        met |= assert_twins(settler, rows, "made")
    assert met >= {CaseType.INLIER, CaseType.LOW_OUTLIER, CaseType.HIGH_OUTLIER}


@pytest.mark.large
@pytest.mark.parametrize("lead", LEADS, ids=lambda lead: lead.area)
def test_thousands_of_cases_of_every_lead(lead):
    settler, levels = lead_settler(lead)
    codes = settler.table.group_codes
    rows = rows_of(settler, codes, levels, ["职工", "390"], ["H1"], count=4_000, seed=lead.area)
    assert_twins(settler, rows, "made")


@pytest.mark.parametrize("negative", ["carry", "zero"])
@pytest.mark.parametrize("rule", ["A", "B", "C", "D", "P1", "P2"])
def test_every_convention_of_the_fund(rule, negative, policy, table):
    fund = FundRule(rule, negative, Decimal("0.8537"))
    changed = replace(policy, terms=tuple(replace(one, fund=fund) for one in policy.terms))
    settler = Settler(table, changed, scheme_id="chs_drg_20", scheme_status="regional")
    levels = [one.code for one in policy.area.levels]
    rows = pack_rows(settler, levels, count=250, seed=rule)
    huge = [
        replace(rows[0], total=4 * 10**9 + 1, pool=3 * 10**9),
        replace(rows[0], total=7, pool=7),
    ]
    assert_twins(settler, rows + huge, "chs_drg_20")


@pytest.mark.parametrize("operator", ["<", "<=", ">", ">="])
def test_every_operator_one_fen_either_side_of_its_cut(operator, policy, table):
    def changed(terms):
        side = "low" if operator.startswith("<") else "high"
        rule = replace(getattr(terms.rules, side), operator=operator)
        return replace(terms, rules=replace(terms.rules, **{side: rule}))

    settler = Settler(
        table, replace(policy, terms=tuple(map(changed, policy.terms))), scheme_id="chs_drg_20",
        scheme_status="regional",
    )  # fmt: skip
    levels = [one.code for one in policy.area.levels]
    rows = pack_rows(settler, levels, count=300, seed=operator)
    assert_twins(settler, rows, "chs_drg_20")


def test_cases_without_days_have_no_price_where_a_rule_asks_for_them(row):
    settler, levels = lead_settler(leads()["庆阳"])
    rows = [
        replace(row(), group="ES31", level=levels[0], insurance="职工", los=los)
        for los in (8, None)
    ]
    batch, groups = make(rows, "made")
    amounts = settler.settle(batch, groups)
    assert amounts.issue_of(0) is None
    assert amounts.issue_of(1).params["field"] == "los"
    assert Fraction(int(amounts.payable_fen[0])) > 0
