"""The year of an area: lists, special review, months and funds put together."""

from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from grouper.dated import Span
from grouper.engine.groups import Status
from grouper.errors import SettlementError
from grouper.policy.parameters import Band as PolicyBand
from grouper.policy.parameters import Entry
from grouper.settle.annual import clear_area
from grouper.settle.clearing import identities
from grouper.settle.special import Application
from grouper.settle.year_entries import Advance, YearDeduction, YearEntries
from grouper.settle.year_lists import YearLists, year_lists
from grouper.settle.year_months import paid_by_lists
from grouper.settle.year_rules import Budget, fund_rules
from grouper.settle.year_special import Candidate, Decision, QuotaRules, review_year

H1, H2 = "H99000000001", "H99000000004"
EMPLOYEE = ("310", "local")
BUDGET = {EMPLOYEE: (Budget(date(2025, 1, 1), 30_000_000, "年初预算（虚构）"),)}


@pytest.fixture(scope="session")
def year(settle, policy):
    """`year(rows, ids, ...)` -> the lists of 2025 under the demo area."""

    def run(rows, *, ids=(), year=2025, applied=frozenset(), frozen=None):
        batch, _, amounts = settle(rows)
        batch = replace(batch, case_id=list(ids) or [f"L{at}" for at in range(len(rows))])
        return year_lists(batch, amounts, policy, year=year, applied=applied, frozen=frozen)

    return run


@pytest.fixture(scope="session")
def cleared(policy):
    def run(lists, entries=None, *, done=None, policy=policy):
        entries = entries or YearEntries(budgets=BUDGET)
        paid = paid_by_lists(lists, entries, policy)
        return clear_area(lists, paid, entries, policy, confidence="official", done=done)

    return run


def codes(annual):
    return [one.code for one in annual.issues]


def account(annual, hospital=H1, fund=EMPLOYEE):
    found = next(one for one in annual.funds if (one.insurance, one.place) == fund)
    return found.clearing.accounts[hospital]


ROWS = st.lists(
    st.tuples(
        st.integers(10_000, 5_000_000),
        st.integers(0, 100),
        st.sampled_from(["310", "390", "职工", "510", ""]),
        st.sampled_from([H1, H2, f" {H1} ", ""]),
        st.sampled_from([date(2025, 1, 1), date(2025, 12, 31), date(2026, 1, 1), None]),
        st.sampled_from(list(Status)),
        st.sampled_from(["", "990000", "110000"]),
    ),
    max_size=40,
)


def drawn_rows(drawn, row):
    return [
        row(
            total=total,
            pool=total * share // 100,
            other=total * (100 - share) // 200,
            insurance=insurance,
            hospital=hospital,
            day=day,
            status=status,
            insured=insured,
        )
        for total, share, insurance, hospital, day, status, insured in drawn
    ]


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(drawn=ROWS, cut=st.integers(0, 40), applied=st.sets(st.integers(0, 39)))
def test_a_year_read_in_parts_is_the_year_read_at_once(drawn, cut, applied, row, year):
    rows = drawn_rows(drawn, row)
    ids = [f"L{at}" for at in range(len(rows))]
    chosen = frozenset((hospital, f"L{at}") for at in applied for hospital in (H1, H2))
    whole = year(rows, ids=ids, applied=chosen)
    parts = year(rows[:cut], ids=ids[:cut], applied=chosen)
    parts.merge(year(rows[cut:], ids=ids[cut:], applied=chosen))
    assert parts == whole
    # no list is lost: in the sums, applied, or left out with a code
    inside = [one for one in rows if one.day is not None and one.day.year == 2025]
    summed = sum(whole.sums(key).cases for key in whole.months)
    undated = sum(one.day is None for one in rows)
    assert summed + len(whole.applied) + whole.not_counted.total() == len(inside) + undated
    assert whole.discharges.total() == len(inside)


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(drawn=ROWS)
def test_the_order_of_cases_does_not_matter(drawn, row, year):
    rows = drawn_rows(drawn, row)
    ids = [f"L{at}" for at in range(len(rows))]
    turned = year(rows[::-1], ids=ids[::-1], applied=frozenset({(H1, "L1"), (H1, "L2")}))
    assert turned == year(rows, ids=ids, applied=frozenset({(H1, "L1"), (H1, "L2")}))


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(drawn=ROWS, budget=st.integers(10**10, 10**12))
def test_every_fen_of_the_cases_arrives_in_the_clearing(
    drawn, budget, row, year, cleared, settle, policy
):
    rows = drawn_rows(drawn, row)
    lists = year(rows)
    keys = lists.keys()
    funds = {(insurance, place) for _, insurance, place in keys}
    budgets = {fund: (Budget(date(2025, 1, 1), budget, "预算"),) for fund in funds}
    assume(keys and all(lists.sums(key).volume for key in keys))
    annual = cleared(lists, YearEntries(budgets=budgets))
    _, _, amounts = settle(rows)
    inside = [
        at
        for at, one in enumerate(rows)
        if one.day is not None and one.day.year == 2025 and amounts.counted[at]
    ]
    accounts = [one for fund in annual.funds for one in fund.clearing.accounts.values()]
    for name, column in (
        ("recorded_fen", "pool_fen"),
        ("patient_fen", "patient_fen"),
        ("other_fen", "other_fen"),
        ("accrued_fen", "fund_fen"),
    ):
        total = sum(int(getattr(amounts, column)[at]) for at in inside)
        assert sum(getattr(one.given, name) for one in accounts) == total, name
    assert sum(one.given.cases for one in accounts) == len(inside)
    for fund in annual.funds:
        made = fund.clearing
        assert made.total("entitled_fen") == made.pool.pool_fen
        assert all(check.holds for check in identities(made))
        paid_out = made.total("cash_fen") + made.given("advance_fen") + made.total("before_fen")
        assert paid_out == made.total("payable_fen")


def test_the_volume_of_a_case_is_its_weight_with_coefficient(row, year, settle, table, policy):
    lists = year([row(), row(day=date(2025, 8, 1))])
    key = (H1, "310", "local")
    # the rate of August is another, the weight is the same
    weight = Fraction(table.weight("BR11", insurance="310", level="三级", hospital=H1))
    assert lists.sums(key).volume == 2 * weight * Fraction("1.0850")


def test_a_case_paid_at_cost_counts_its_payment_over_the_rate_of_its_day(row, year):
    key = (H1, "310", "local")
    for day, rate in ((date(2025, 6, 1), "8120.00"), (date(2025, 8, 1), "8206.55")):
        for case in (row(total=100_000, day=day), row(status=Status.UNGROUPED, day=day)):
            lists = year([case])
            sums = lists.sums(key)
            assert sums.volume == Fraction(sums.payable, 100) / Fraction(rate)


def test_lists_of_other_years_and_after_the_freeze_are_out(row, year):
    rows = [row(day=date(2024, 12, 31)), row(), row(), row(day=date(2026, 1, 1)), row(day=None)]
    lists = year(rows, frozen=np.array([True, True, False, True, True]))
    assert lists.discharges.total() == 1
    assert lists.after_freeze == 1


def test_the_year_spends_its_pool_to_the_fen_and_books_insurances_apart(row, year, cleared):
    rows = [row(), row(total=900_000, hospital=H2, level="二级"), row(insurance="390")] * 7
    entries = YearEntries(
        budgets=BUDGET | {("390", "local"): (Budget(date(2025, 1, 1), 10_000_000, "预算"),)}
    )
    annual = cleared(year(rows), entries)
    assert [(one.insurance, one.place) for one in annual.funds] == [EMPLOYEE, ("390", "local")]
    for fund in annual.funds:
        made = fund.clearing
        assert made.total("entitled_fen") == made.pool.pool_fen
        assert all(check.holds for check in identities(made))
        assert made.pool.reserve_fen == made.rules.budget_fen * 4 // 100
    assert set(annual.funds[1].clearing.accounts) == {H1}
    assert annual.confidence == "constructed"


def test_months_are_closed_by_the_lines_that_settle_months(row, year, cleared, policy):
    key = (H1, "310", "local")
    entries = YearEntries(
        budgets=BUDGET,
        advances={key: Advance(300_000, 100_000)},
        deductions=(
            YearDeduction(key, "2025-06", 12_345, "重复收费"),
            YearDeduction(key, "", 1_000, "年终"),
        ),
    )
    lists = year([row(day=date(2025, month, 9)) for month in (3, 6, 6, 11)])
    paid = paid_by_lists(lists, entries, policy)[key]
    assert paid.months == 3
    assert (paid.offset, paid.advance) == (300_000, 0)
    assert paid.audit == 12_345
    accrued = lists.sums(key).accrued
    assert paid.deposit + paid.paid + paid.offset == accrued - 12_345
    given = account(cleared(lists, entries)).given
    assert given.audit_fen == 13_345
    assert given.deposit_fen == paid.deposit


def test_months_paid_as_recorded_leave_the_groups_to_the_year(row, year, cleared, policy):
    key = (H1, "310", "local")
    lists = year([row()] * 3)
    recorded = with_own(policy, provisional_standard="yes")
    paid = paid_by_lists(lists, YearEntries(), recorded)[key]
    assert paid.paid + paid.deposit == 3 * 500_000
    fixed = with_own(policy, provisional_standard="yes", rate_method="fixed")
    assert account(cleared(lists, policy=fixed)).entitled_fen == lists.sums(key).accrued


def test_a_month_below_zero_is_carried_into_one_without_cases(row, year, policy):
    key = (H1, "310", "local")
    entries = YearEntries(deductions=(YearDeduction(key, "2025-06", 99_999_999, "串换"),))
    paid = paid_by_lists(year([row()]), entries, policy)[key]
    assert paid.months == 7
    assert (paid.paid, paid.deposit, paid.audit) == (0, 0, 99_999_999)


def test_an_accepted_special_case_leaves_the_volume_and_is_paid_apart(row, year, cleared):
    rows = [row() for _ in range(33)] + [row(total=5_000_000, pool=4_000_000)]
    applied = frozenset({(H1, "L33")})
    lists = year(rows, applied=applied)
    entries = YearEntries(
        budgets=BUDGET, decisions={(H1, "L33"): Decision("", passed=True, ratio=Fraction("0.9"))}
    )
    annual = cleared(lists, entries)
    own = account(annual)
    assert own.given.special_fen == 3_600_000
    assert own.given.cases == 34
    assert own.given.volume == year(rows[:33]).sums((H1, "310", "local")).volume
    assert own.given.recorded_fen == 33 * 500_000 + 4_000_000
    # 3 % of 34 discharges take one; a failed one is paid as grouped
    assert annual.review.quota == {"": 1}
    failed = replace(entries, decisions={(H1, "L33"): Decision("", passed=False)})
    assert account(cleared(lists, failed)).given.special_fen == 0
    assert account(cleared(lists, failed)).given.volume > own.given.volume


def candidate(case_id, total, standard, hospital=H1):
    return Candidate(hospital, Application(case_id, total, standard, total // 2))


def test_the_quota_goes_over_the_area_and_ranks_by_loss_then_id():
    candidates = [
        candidate("a", 500, 100),
        candidate("c", 600, 100, H2),
        candidate("b", 600, 100),
        candidate("d", 100, 100),
    ]
    decisions = {one: Decision(one, passed=True) for one in "abcd"}
    made = review_year(
        candidates, decisions, Counter({H1: 30, H2: 19}), QuotaRules(Fraction(1, 20))
    )
    assert made.quota == {"": 2}
    assert sorted(made.paid_fen) == ["b", "c"]
    assert (made.over_quota, made.no_loss) == (("a",), ("d",))
    issue = made.issues[0]
    assert issue.code == "ST303"
    for lang in ("zh", "en"):
        assert "2" in issue.what(lang)
        assert issue.fix(lang)
    by_hospital = review_year(
        candidates,
        decisions,
        Counter({H1: 20, H2: 20}),
        QuotaRules(Fraction(1, 20), scope="hospital"),
    )
    assert by_hospital.quota == {H1: 1, H2: 1}
    assert sorted(by_hospital.paid_fen) == ["b", "c"]


def test_a_ratio_of_cost_to_standard_can_be_asked_for():
    decisions = {one: Decision(one, passed=True, amount_fen=7) for one in "ab"}
    made = review_year(
        [candidate("a", 201, 100), candidate("b", 200, 100)],
        decisions,
        Counter({H1: 1000}),
        QuotaRules(Fraction(1, 20), min_ratio=Fraction(2)),
    )
    assert made.paid_fen == {"a": 7}
    assert made.no_loss == ("b",)


def test_a_place_without_a_budget_of_its_own_is_named_and_not_cleared(row, year, cleared):
    annual = cleared(year([row(), row(insured="110000")]))
    assert list(annual.not_cleared) == [("310", "cross_province")]
    assert annual.not_cleared["310", "cross_province"] > 0


def test_a_local_fund_without_a_budget_stops_with_place_and_remedy(row, year, cleared, policy):
    own = {key: one for key, one in policy.parameters.own.items() if key != "budget"}
    bare = replace(policy, parameters=replace(policy.parameters, own=own))
    with pytest.raises(SettlementError) as caught:
        cleared(year([row()]), YearEntries(), policy=bare)
    issue = caught.value.issues[0]
    assert (issue.code, issue.where) == ("ST103", "demo: 310 2025")
    assert "budget" in issue.what("en")
    assert "总额预算" in issue.what("zh")


def test_defaults_of_this_program_are_named(row, year, cleared, policy):
    own = {key: one for key, one in policy.parameters.own.items() if key != "surplus_bands"}
    bare = replace(policy, parameters=replace(policy.parameters, own=own))
    annual = cleared(year([row()] * 3), policy=bare)
    assert codes(annual).count("ST108") == 1
    issue = next(one for one in annual.issues if one.code == "ST108")
    for lang in ("zh", "en"):
        assert "surplus_bands" in issue.what(lang)
        assert issue.fix(lang)


def test_the_budget_of_a_year_is_its_last_version(policy):
    ruled = fund_rules(policy, 2025, "310", "local")
    assert [one.fen for one in ruled.budgets] == [460_000_000, 475_000_000]
    assert ruled.rules.budget_fen == 475_000_000
    assert "理由" in ruled.budgets[-1].source
    assert fund_rules(policy, 2026, "310", "local").rules.budget_fen == 490_000_000


def test_a_budget_decided_after_the_year_does_not_count(policy):
    later = (Budget(date(2025, 3, 1), 5, "a"), Budget(date(2026, 1, 1), 7, "b"))
    ruled = fund_rules(policy, 2025, "310", "local", budgets=later)
    assert ruled.rules.budget_fen == 5


def test_a_clearing_in_april_2027_goes_by_the_parameters_of_2026(row, year, cleared):
    """2026 is elastic in the demo area, 2027 fixed; the day of the run decides nothing."""
    rows = [row(day=date(2026, month, 15)) for month in range(1, 13)] * 3
    lists = year(rows, year=2026)
    budgets = {EMPLOYEE: (Budget(date(2026, 1, 1), 40_000_000, "预算（虚构）"),)}
    annual = cleared(lists, YearEntries(budgets=budgets), done=date(2027, 4, 20))
    rules = annual.funds[0].ruled.rules
    assert rules.method == "elastic"
    assert rules.rate_fen == 820_655
    assert annual.due == date(2027, 4, 30)
    assert "ST308" not in codes(annual)
    late = cleared(lists, YearEntries(budgets=budgets), done=date(2027, 5, 1))
    assert late.funds == annual.funds
    issue = next(one for one in late.issues if one.code == "ST308")
    for lang in ("zh", "en"):
        assert "2027-04-30" in issue.what(lang)
        assert "2027-05-01" in issue.what(lang)


def with_own(policy, **values):
    """The demo area with other values of some parameters from 2025 on."""
    own = dict(policy.parameters.own)
    for key, value in values.items():
        entry = Entry(Span(date(2025, 1, 1)), {"*": value}, "某办法", "official", "demo", "")
        own[key] = (entry,)
    return replace(policy, parameters=replace(policy.parameters, own=own))


def test_one_rate_for_several_insurances_spends_both_pools_to_the_fen(row, year, cleared, policy):
    rows = [row(), row(total=900_000, hospital=H2, level="二级"), row(insurance="390")] * 7
    entries = YearEntries(
        budgets=BUDGET | {("390", "local"): (Budget(date(2025, 1, 1), 10_000_001, "预算"),)}
    )
    annual = cleared(year(rows), entries, policy=with_own(policy, joint_rate="yes"))
    employee, resident = (fund.clearing for fund in annual.funds)
    assert employee.unit_yuan == resident.unit_yuan
    pools = employee.pool.pool_fen + resident.pool.pool_fen
    assert employee.total("entitled_fen") + resident.total("entitled_fen") == pools
    assert employee.total("entitled_fen") != employee.pool.pool_fen
    assert all(check.holds for made in (employee, resident) for check in identities(made))
    # each fund keeps its own books
    assert employee.pool.pool_fen == 30_000_000 * 96 // 100


def test_a_value_beyond_a_national_limit_is_reported(row, year, cleared, policy):
    own = with_own(policy, deposit=Decimal("0.05"), special_quota=Decimal("0.06"))
    found = [one for one in cleared(year([row()]), policy=own).issues if one.code == "ST110"]
    assert found
    for lang in ("zh", "en"):
        assert "special_quota" in found[0].what(lang)
        assert "0.06" in found[0].what(lang)
        assert found[0].fix(lang)


@pytest.mark.parametrize(
    ("values", "code", "said"),
    [
        ({"surplus_bands": (PolicyBand(Decimal("0.1"), Decimal(1)),)}, "ST107", "surplus"),
        ({"overspend_bands": (PolicyBand(None, Decimal(2)),)}, "ST106", "overspend"),
        ({"reserve": Decimal(2)}, "ST106", "reserve"),
        ({"reserve": Decimal(1)}, "ST301", "0.00"),
        ({"rate_method": "elastic", "base_share": Decimal("0.8")}, "ST103", "rate"),
        ({"base_share": Decimal(2), "rate_method": "elastic"}, "ST106", "base_share"),
    ],
)
def test_impossible_rules_stop_the_year(values, code, said, row, year, cleared, policy):
    with pytest.raises(SettlementError) as caught:
        cleared(year([row()] * 3), policy=with_own(policy, **values))
    issue = caught.value.issues[0]
    assert issue.code == code
    assert said in issue.text("en")
    for lang in ("zh", "en"):
        assert issue.what(lang)
        assert issue.fix(lang)


def test_patients_above_the_share_of_their_hospital_stop_the_year(row, year, cleared):
    rows = [row(pool=0)] + [row(hospital=H2, level="二级", total=600_000, pool=590_000)] * 30
    small = {EMPLOYEE: (Budget(date(2025, 1, 1), 6_000_000, "预算"),)}
    with pytest.raises(SettlementError) as caught:
        cleared(year(rows), YearEntries(budgets=small))
    issue = caught.value.issues[0]
    assert (issue.code, issue.where) == ("ST304", H1)
    for lang in ("zh", "en"):
        assert H1 in issue.what(lang)
        assert issue.fix(lang)


def test_an_unused_budget_is_reported_while_no_rule_keeps_it(row, year, cleared):
    annual = cleared(year([row()] * 9))
    issue = next(one for one in annual.issues if one.code == "ST309")
    for lang in ("zh", "en"):
        assert str(annual.funds[0].clearing.unused_fen // 100) in issue.what(lang)
        assert issue.fix(lang)


def test_the_clearing_share_counts_what_is_paid_out(row, year, cleared):
    annual = cleared(year([row(), row(hospital=H2, level="二级")] * 5))
    part, whole = annual.clearing_share
    accounts = annual.funds[0].clearing.accounts.values()
    assert part == sum(max(one.clearing_fen, 0) for one in accounts)
    assert whole == part + sum(one.before_fen for one in accounts)


def test_an_empty_year_clears_nothing(policy):
    annual = clear_area(YearLists(2025), {}, YearEntries(), policy, confidence="official")
    assert annual.funds == ()
    assert annual.clearing_share == (0, 0)
