"""Case payment: against an independent Decimal computation, at the thresholds, and its refusals."""

import random
from dataclasses import replace
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal, localcontext

import numpy as np
import pyarrow as pa
import pytest

import weights
from grouper.engine.groups import Status
from grouper.errors import PolicyError, SettlementError
from grouper.policy.load import load_policy
from grouper.settle.amounts import COLUMN_TITLES, CaseType
from grouper.settle.single import settle_case
from grouper.settle.trail import CaseFacts

FEN = Decimal("0.01")
# the demo policy once more, in plain numbers
RATES = {
    ("310", False): Decimal("8120.00"),
    ("310", True): Decimal("8206.55"),
    ("390", False): Decimal("7260.00"),
    ("390", True): Decimal("7318.20"),
}
COEFFICIENTS = {"三级": Decimal("1.0850"), "二级": Decimal("1.0000"), "一级": Decimal("0.8575")}


def expected(weight: Decimal, row) -> tuple[str, Decimal]:
    """Case type and payment in yuan, straight from the text of the demo policy."""
    cost = Decimal(row.total) / 100
    if row.status != Status.GROUPED:
        return row.status.word, (cost * Decimal("0.8")).quantize(FEN, ROUND_HALF_UP)
    rate = RATES[row.insurance, row.day >= date(2025, 7, 1)]
    standard = weight * rate * COEFFICIENTS[row.level]
    if cost < Decimal("0.4") * standard:
        return "low_outlier", cost
    k = 3 if weight <= 1 else Decimal("2.5") if weight <= 2 else 2
    if cost > k * standard:
        return "high_outlier", (standard + cost - k * standard).quantize(FEN, ROUND_HALF_UP)
    return "inlier", standard.quantize(FEN, ROUND_HALF_UP)


def thresholds(weight: Decimal, row) -> list[int]:
    """Costs on, and one fen either side of, both borders, in fen."""
    rate = RATES[row.insurance, row.day >= date(2025, 7, 1)]
    standard = weight * rate * COEFFICIENTS[row.level] * 100
    k = 3 if weight <= 1 else Decimal("2.5") if weight <= 2 else 2
    borders = [Decimal("0.4") * standard, k * standard]
    near = []
    for border in borders:
        floor = int(border.to_integral_value(ROUND_FLOOR))
        ceiling = int(border.to_integral_value(ROUND_CEILING))
        near += [floor - 1, floor, ceiling, ceiling + 1]
    return near


def generated(table, row_type, count: int) -> list:
    """Cases from a seed: every level, insurance and era; every second one near a threshold."""
    source = random.Random(20250615)
    groups = list(table.group_codes)
    rows = []
    while len(rows) < count:
        row = row_type(
            group=source.choice(groups),
            level=source.choice(list(COEFFICIENTS)),
            insurance=source.choice(["310", "390"]),
            day=source.choice([date(2025, 1, 1), date(2025, 6, 30), date(2025, 7, 1)]),
            other=source.choice([0, 12345, None]),
        )
        costs = [source.randrange(50_000, 30_000_000) for _ in range(5)]
        costs += thresholds(table.weight(row.group), row)
        rows += [replace(row, total=cost, pool=cost * 6 // 10) for cost in costs]
        status = source.choice([Status.AMBIGUOUS, Status.UNGROUPED])
        rows.append(replace(row, total=costs[0], pool=0, other=0, status=status))
    return rows[:count]


def test_ten_thousand_cases_equal_a_decimal_computation(table, row, settle):
    rows = generated(table, row, 10_000)
    _, _, amounts = settle(rows)
    assert amounts.counted.all()
    seen = set()
    with localcontext() as context:
        context.prec = 60
        for i, one in enumerate(rows):
            kind, payment = expected(table.weight(one.group), one)
            seen.add(kind)
            assert CaseType(amounts.case_type[i]).word("en") == kind, (i, one)
            assert int(amounts.payable_fen[i]) == int(payment * 100), (i, one)
            fund = int(payment * 100) - (one.total - one.pool)
            assert int(amounts.fund_fen[i]) == fund, (i, one)
    by_rules = {"unpriced", "class_rule", "case_rule"}  # of the demo area there are none
    assert seen == {kind.word("en") for kind in CaseType} - by_rules


def test_a_case_alone_equals_the_case_in_a_table(table, policy, row, settle):
    rows = generated(table, row, 600)
    rows += [replace(one, **change) for one in rows[:2] for change in BAD]
    _, _, amounts = settle(rows)
    for i, one in enumerate(rows):
        alone = settle_case(
            CaseFacts(
                one.hospital, one.level, one.insurance, one.day, one.total, one.pool, one.other
            ),
            one.group if one.status == Status.GROUPED else "",
            table,
            policy,
            scheme_id="chs_drg_20",
            scheme_status="national",
            status=one.status,
        )
        missing = -(2**63)
        columns = ("payable_fen", "fund_fen", "patient_fen", "difference_fen", "standard_fen")
        for name in columns:
            mine = getattr(alone, name)
            assert (missing if mine is None else mine) == int(getattr(amounts, name)[i]), one
        assert alone.case_type == amounts.case_type[i]
        assert alone.issue == amounts.issue_of(i), one
        if alone.rule:
            assert alone.rule == amounts.rules[amounts.rule[i] - 1]


BAD = (
    {"status": Status.REJECTED},
    {"day": None},
    {"day": date(2024, 12, 31)},
    {"total": None},
    {"total": -1},
    {"total": 0},
    {"hospital": " "},
    {"insurance": ""},
    {"insurance": "510"},
    {"hospital": "H1", "level": ""},
    {"level": "特级"},
    {"group": "ZZ99"},
    {"pool": None},
    {"pool": -1},
    {"other": -1},
    {"pool": 800_000, "total": 800_000, "other": 1},
)
CODES = ["ST212", "ST103", "ST101", "ST103", "ST207", "ST211", "ST103", "ST103", "ST105", "ST103"]
CODES += ["ST105", "WT101", "ST103", "ST207", "ST207", "ST203"]
PRICED_ALL_THE_SAME = {12, 13, 14, 15}


def test_what_cannot_be_priced_is_kept_and_says_why(row, settle):
    rows = [replace(row(), **change) for change in BAD]
    _, _, amounts = settle([row(), *rows, row()])
    assert len(amounts) == len(rows) + 2
    issues = [amounts.issue_of(i) for i in range(len(amounts))]
    assert issues[0] is issues[-1] is None
    assert [issue.code for issue in issues[1:-1]] == CODES
    for i, issue in enumerate(issues[1:-1]):
        assert issue.text("zh")
        assert issue.text("en")
        assert (amounts.case_type[i + 1] != CaseType.UNPRICED) == (i in PRICED_ALL_THE_SAME)
        assert amounts.fund_fen[i + 1] == -(2**63)
    assert sum(amounts.type_counts().values()) == len(amounts)
    assert sum(count for _, count in amounts.issue_counts()) == len(rows)


def test_the_level_comes_from_the_list_of_hospitals_when_the_record_has_none(row, settle):
    rows = [row(level=""), row(level="三级"), row(level=" ", hospital="H99000000007")]
    _, _, amounts = settle(rows)
    assert amounts.counted.all()
    assert amounts.payable_fen[0] == amounts.payable_fen[1] != amounts.payable_fen[2]


def test_missing_columns_are_missing_values(row, table, policy, make_batch):
    from grouper.settle.case import settle_batch

    batch, groups = make_batch([row()] * 3)
    bare = replace(batch, hospital_level=(), other_funds_fen=np.zeros(0, np.int64))
    amounts = settle_batch(bare, groups, table, policy, scheme_status="national")
    assert amounts.counted.all()
    bare = replace(batch, insurance=(), discharge_date=np.zeros(0, np.int32))
    amounts = settle_batch(bare, groups, table, policy, scheme_status="national")
    assert [amounts.issue_of(i).params["field"] for i in range(3)] == ["discharge_date"] * 3


def test_nothing_settles_nothing(settle):
    _, _, amounts = settle([])
    assert len(amounts) == 0
    assert all(len(column) == 0 for _, column in amounts.to_columns())


def test_a_dearer_inlier_is_not_paid_less(table, row, settle):
    rows = [row(total=total) for total in range(400_000, 2_300_000, 10_000)]
    _, _, amounts = settle(rows)
    inliers = amounts.payable_fen[amounts.case_type == CaseType.INLIER]
    assert len(inliers) > 100
    assert len(set(inliers.tolist())) == 1


def test_a_draft_scheme_is_refused(row, settle):
    with pytest.raises(SettlementError) as caught:
        settle([row()], scheme_status="draft")
    assert caught.value.issues[0].code == "ST311"


def test_scheme_table_and_policy_must_belong_together(row, make_batch, table, policy):
    import weights
    from grouper.settle.case import settle_batch

    batch, groups = make_batch([row()], "chs_drg_11")
    with pytest.raises(SettlementError) as caught:
        settle_batch(batch, groups, table, policy, scheme_status="national")
    assert caught.value.issues[0].code == "ST109"
    batch, groups = make_batch([row()], "shanghai_2023")
    with pytest.raises(SettlementError) as caught:
        settle_batch(batch, groups, weights.load("shanghai-2023"), policy, scheme_status="regional")
    assert caught.value.issues[0].code == "ST109"


def test_unverified_values_are_refused(row, settle, policy):
    real = replace(policy, area=replace(policy.area, is_demo=False))
    with pytest.raises(PolicyError) as caught:
        settle([row()], policy=real)
    assert caught.value.issues[0].code == "PO112"
    _, _, amounts = settle([row()], policy=real, allow="unverified")
    assert amounts.mark("en")
    assert amounts.confidence == "constructed"


def test_columns_are_exact_decimals_and_words(row, settle):
    rows = [row(), row(total=100), row(status=Status.AMBIGUOUS), row(day=None)]
    _, _, amounts = settle(rows)
    columns = dict(amounts.to_columns("zh"))
    assert list(columns) == list(COLUMN_TITLES)
    assert columns["case_type"].to_pylist()[:2] == ["正常病例", "低倍率病例"]
    assert columns["payment"].to_pylist() == [
        Decimal("7897.46"),
        Decimal("1.00"),
        Decimal("6400.00"),
        None,
    ]
    assert columns["relative_weight"].to_pylist()[1:] == [Decimal("0.8964"), None, None]
    assert columns["difference"].to_pylist()[0] == Decimal("-102.54")
    assert columns["payment_rule"].to_pylist()[1].startswith("L1 ")
    assert columns["payment_issue"].to_pylist()[3].startswith("ST103")
    assert set(columns["payment_confidence"].to_pylist()) == {"自行设定"}
    assert set(dict(amounts.to_columns())["payment_confidence"].to_pylist()) == {"constructed"}
    assert all(column.validate(full=True) is None for column in columns.values())
    assert pa.types.is_decimal(columns["payment"].type)
    assert "虚构" in amounts.mark("zh")


def test_negative_fund_parts_are_cut_only_where_the_area_says_so(row, settle, policy):
    case = row(total=4_000_000, pool=100_000)
    _, _, carried = settle([case])
    assert carried.fund_fen[0] < 0
    cut = replace(
        policy,
        terms=tuple(
            replace(terms, fund=replace(terms.fund, negative="zero")) for terms in policy.terms
        ),
    )
    _, _, amounts = settle([case], policy=cut)
    assert amounts.fund_fen[0] == 0


def test_cases_without_a_rule_are_marked(row, settle, policy):
    bare = replace(policy, terms=tuple(replace(one, ungrouped=None) for one in policy.terms))
    rows = [row(status=Status.UNGROUPED), row(status=Status.AMBIGUOUS)]
    _, _, amounts = settle(rows, policy=bare)
    assert amounts.issue_of(0).code == "ST213"
    assert amounts.issue_of(1) is None


def test_rates_by_hospital_price_each_hospital_by_its_own(row, settle, policy):
    from grouper.policy.model import KeyedValues

    own = KeyedValues(("hospital",), {("A",): Decimal(1), ("B",): Decimal("1.2")})
    terms = tuple(
        replace(one, coefficient=own, rules=replace(one.rules, coefs={})) for one in policy.terms
    )
    keyed = replace(policy, terms=terms)
    rows = [row(hospital="A"), row(hospital="B"), row(hospital="C")]
    _, _, amounts = settle(rows, policy=keyed)
    assert amounts.payable_fen[:2].tolist() == [727877, 873452]
    assert amounts.issue_of(2).code == "ST101"


def test_a_weight_of_one_hospital_prices_its_cases_only(table, row, settle):
    columns = {"group": ["BR11", "BR11"], "weight": ["0.8964", "1.5"], "hospital": ["", "B"]}
    own = weights.from_columns(table.head, columns)
    rows = [row(hospital="A", total=1_000_000), row(hospital="B", total=1_000_000)]
    _, _, amounts = settle(rows, table=own)
    wanted = [expected(Decimal(weight), rows[0])[1] for weight in ("0.8964", "1.5")]
    assert amounts.payable_fen.tolist() == [int(one * 100) for one in wanted]
    assert wanted[0] != wanted[1]


def test_amounts_do_not_depend_on_how_rows_are_cut_into_batches(table, row, settle):
    rows = generated(table, row, 300)
    _, _, whole = settle(rows)
    parts = [settle(rows[i : i + 70])[2] for i in range(0, 300, 70)]
    for name in ("payable_fen", "fund_fen", "case_type"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        assert (joined == getattr(whole, name)).all()


def test_the_calculation_can_be_read(table, policy):
    case = CaseFacts("H99000000001", "3", "职工", date(2025, 6, 5), 3_000_000, 2_100_000)
    result = settle_case(
        case, "BR11", table, policy, scheme_id="chs_drg_20", scheme_status="national"
    )
    steps = result.to_dict()["steps"]
    assert steps["weight"] == "0.8964"
    assert steps["ratio_base"] == "7897.46328"
    assert steps["high"] == "ratio > 3 -> H3 (cost > 23692.38984)"
    assert steps["pay_unrounded"] == "14205.07344"
    assert steps["fund"] == "5205.07"
    assert "高倍率病例" in result.text("zh")
    assert "虚构" in result.text("zh")
    assert "H3" in result.text("en")


def test_every_price_names_the_document_that_decided(row, settle):
    _, _, amounts = settle([row(), row(total=100), row(total=9_000_000)])
    said = [str(amounts.rules[number - 1]) for number in amounts.rule.tolist()]
    assert [text.split()[0] for text in said] == ["S2", "L1", "H3"]
    assert all("示范办法第" in text for text in said)


def test_load_policy_takes_a_day_as_text():
    assert load_policy("demo", date="2025-01-01").area.id == "demo"


def test_every_step_of_a_trail_names_formula_place_and_document(table, policy, row):
    one = row(total=4_000_000)
    amount = settle_case(
        CaseFacts(one.hospital, one.level, one.insurance, one.day, one.total, one.pool, one.other),
        one.group,
        table,
        policy,
        scheme_id="chs_drg_20",
        scheme_status="national",
    )
    said = {step.key: step.said("en") for step in amount.steps}
    assert said["standard"]["formula"] == "w r c"
    assert said["pay_unrounded"]["formula"] == "S + (C - k S / f) f"
    assert said["fund"]["formula"] == "payment - (C - pool)"
    for key in ("rate", "coefficient", "standard", "low", "high", "fund"):
        assert said[key]["parameter"].endswith("[2025-01-01, 2025-07-01)")
        assert "示范办法" in said[key]["document"]
    assert said["weight"]["parameter"] == "demo: BR11"
    assert {step.said("zh")["name"] for step in amount.steps} >= {"权重", "应付", "统筹基金应付"}


def test_every_rule_that_can_decide_has_a_formula():
    from grouper.policy.leads import leads
    from grouper.policy.model import RULE_NAMES
    from grouper.settle.formulas import FUND_FORMULAS, RULE_FORMULAS, formula_of

    named = {
        name for key in ("standard", "low_outlier", "high_outlier") for name in RULE_NAMES[key]
    }
    assert named <= set(RULE_FORMULAS)
    assert set(RULE_NAMES["fund"]) == set(FUND_FORMULAS)
    rules = [rule for lead in leads().values() for rule in (*lead.before_rules, *lead.within_rules)]
    assert {formula_of(rule.text) for rule in rules} >= {"C", "S", "0.7 S", "1.1 S"}
