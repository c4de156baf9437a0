"""Months closed one after the other: every list once, every fen from month to month."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grouper.dated import Span, day_number
from grouper.errors import SettlementError
from grouper.policy.parameters import Entry as Version
from grouper.records.batch import MISSING
from grouper.settle import statements as made_of
from grouper.settle.acceptance import Received
from grouper.settle.closing import Booked, Lists, close_alone, close_in_book
from grouper.settle.entries import Entry
from grouper.settle.month_rules import beyond_limits, month_rules

H1, H2 = "H99000000001", "H99000000002"
MONTHS = ("2025-06", "2025-07", "2025-08", "2025-09")
SHARED = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def lists(settle):
    """`lists(rows, accepted, special)`: priced lists, with what the file says of them."""

    def make(rows, accepted=None, special=None):
        batch, _, amounts = settle(rows)
        received = Received(
            np.array(
                [
                    MISSING if one is None else day_number(one)
                    for one in accepted or [None] * len(rows)
                ],
                np.int32,
            ),
            np.array(special or [False] * len(rows), np.bool_),
        )
        return Lists(batch, amounts, received)

    return make


@pytest.fixture(scope="module")
def close(policy, lists):
    """`close(month, booked, rows, ...)` -> the closed month."""

    def run(month, booked, rows, *entries, accepted=None, special=None, policy=policy):
        rules = month_rules(policy, month)
        return close_in_book(lists(rows, accepted, special), entries, booked, policy, rules)

    return run


def add(booked: Booked, closed) -> Booked:
    """The book with a month more."""
    return Booked(
        months=(*booked.months, closed.month),
        lines=pa.concat_tables([booked.lines, closed.lines]),
        deductions=(*booked.deductions, *closed.deductions),
        sums=(*booked.sums, *closed.sums),
        budgets=closed.budgets,
        locked_years=booked.locked_years,
    )


def entry(kind: str, **values) -> Entry:
    return Entry(kind, "entries.xlsx:1!A2", **{"hospital": H1, **values})


def line(closed, name: str) -> int:
    return sum(one.line(name).amount_fen for one in closed.statements)


def codes(closed) -> list[str]:
    for issue in closed.issues:
        for lang in ("zh", "en"):
            assert issue.where
            assert issue.fix(lang)
            assert "{" not in issue.text(lang)
    return [issue.code for issue in closed.issues]


def refused(close, *args, **more) -> list[str]:
    with pytest.raises(SettlementError) as caught:
        close(*args, **more)
    assert all(caught.value.text(lang) for lang in ("zh", "en"))
    assert "{" not in caught.value.text("zh") + caught.value.text("en")
    return [issue.code for issue in caught.value.issues]


def test_a_list_belongs_to_the_month_that_accepts_it(row, close):
    rows = [row(list_id=f"L{n}", day=date(2025, 6, 20)) for n in range(4)]
    accepted = [date(2025, 6, 25), date(2025, 7, 10), date(2025, 7, 11), None]
    june = close("2025-06", Booked(), rows, accepted=accepted)
    assert june.counts["in_time"] == 3
    assert june.counts["other_months"] == 1
    booked = add(Booked(), june)
    july = close("2025-07", booked, rows, accepted=accepted)
    assert july.counts["late"] == 1
    assert july.counts["accepted_before"] == 3
    assert line(july, "M1") == 0
    assert line(july, "M8b") == line(june, "M6") // 3
    assert codes(july) == ["ST209"]
    assert "2025-06-20" in july.issues[0].what("en")
    assert "2025-07-11" in july.issues[0].what("zh")


def test_what_is_discharged_in_the_month_is_not_of_the_month_before(row, close):
    rows = [row(list_id="A", day=date(2025, 7, 3))]
    assert close("2025-06", Booked(), rows, accepted=[date(2025, 7, 5)]).counts["in_time"] == 0
    assert close("2025-07", Booked(), rows, accepted=[date(2025, 7, 5)]).counts["in_time"] == 1


def test_a_list_of_a_closed_month_without_day_of_acceptance_is_late(row, close):
    june = close("2025-06", Booked(), [row(list_id="A")])
    july = close("2025-07", add(Booked(), june), [row(list_id="A"), row(list_id="B")])
    assert (july.counts["accepted_before"], july.counts["late"]) == (1, 1)


def test_what_belongs_to_months_before_the_book_was_settled_elsewhere(row, close):
    rows = [row(list_id=f"L{month}", day=date(2025, month, 20)) for month in (4, 5, 6, 7)]
    june = close("2025-06", Booked(), rows)
    assert (june.counts["in_time"], june.counts["late"], june.counts["other_months"]) == (1, 0, 3)
    july = close("2025-07", add(Booked(), june), rows)
    assert (july.counts["in_time"], july.counts["late"], july.counts["other_months"]) == (1, 0, 2)
    # the day of acceptance tells what was late for those months
    told = [None, date(2025, 7, 25), None, None]
    july = close("2025-07", add(Booked(), june), rows, accepted=told)
    assert (july.counts["late"], july.counts["other_months"]) == (1, 1)


@pytest.mark.parametrize(
    "changed", [{"total": 800_001}, {"pool": 499_999}], ids=lambda change: next(iter(change))
)
def test_a_second_acceptance_is_left_out(row, close, changed):
    june = close("2025-06", Booked(), [row(list_id="A")])
    july = close("2025-07", add(Booked(), june), [row(list_id="A", **changed)])
    assert codes(july) == ["ST206"]
    assert july.counts["second_acceptance"] == 1
    assert len(july.lines) == 0


def test_the_same_id_twice_in_a_file_counts_once(row, close):
    rows = [row(list_id="A"), row(list_id="A"), row(list_id="A", hospital=H2)]
    june = close("2025-06", Booked(), rows)
    assert codes(june) == ["ST206"]
    assert june.counts["in_time"] == 2


def test_a_list_is_not_accepted_before_its_discharge(row, close):
    rows = [row(list_id="A"), row(list_id="B")]
    june = close("2025-06", Booked(), rows, accepted=[date(2025, 6, 14), date(2025, 6, 15)])
    assert codes(june) == ["ST208"]
    assert (june.counts["out_of_order"], june.counts["in_time"]) == (1, 1)
    assert "the discharge 2025-06-15 lies after the acceptance 2025-06-14" in june.issues[0].what()


def test_a_list_without_id_is_not_booked(row, close):
    june = close("2025-06", Booked(), [row(), row(list_id="A")])
    assert codes(june) == ["ST103"]
    assert june.counts["without_id"] == 1


def test_a_special_case_is_paid_as_recorded_until_it_is_decided(row, close):
    rows = [row(list_id="A", total=5_000_000, pool=3_000_000), row(list_id="B")]
    june = close("2025-06", Booked(), rows, special=[True, False])
    assert line(june, "M7") == 3_000_000
    assert line(june, "M1") == 2
    assert line(june, "M2") == 5_800_000
    booked = add(Booked(), june)
    passed = close("2025-07", booked, [], entry("approved", list="A", amount=2_500_000))
    assert line(passed, "M7") == -500_000
    assert line(passed, "M8") == 0
    assert sum(one.special_approved_fen for one in passed.sums) == 2_500_000
    failed = close("2025-07", booked, [], entry("refused", list="A"))
    usual = close("2025-06", Booked(), rows)
    assert line(failed, "M7") == -3_000_000
    assert line(failed, "M8") + line(june, "M6") == line(usual, "M6")


def test_an_application_may_come_after_the_list_was_booked(row, close):
    june = close("2025-06", Booked(), [row(list_id="A", total=5_000_000, pool=3_000_000)])
    july = close("2025-07", add(Booked(), june), [], entry("special", list="A"))
    assert line(july, "M7") == 3_000_000
    assert line(july, "M8") == -line(june, "M6")


def test_a_correction_is_a_reversal_and_a_new_line(row, close):
    june = close("2025-06", Booked(), [row(list_id="A"), row(list_id="B")])
    booked = add(Booked(), june)
    new = [row(list_id="A2", total=900_000, pool=560_000)]
    july = close("2025-07", booked, new, entry("correction", list="A", new_list="A2"))
    assert july.lines["line"].to_pylist() == ["reversal", "correction"]
    assert july.lines["list"].to_pylist() == ["A", "A2"]
    assert july.lines["names"].to_pylist() == ["A", "A"]
    again = close("2025-06", Booked(), [*new, row(list_id="B")])
    assert line(june, "M6") + line(july, "M8") == line(again, "M6")
    assert june.lines.equals(booked.lines), "what is booked stays as it is"
    booked = add(booked, july)
    # by amounts given in the entry, and under the newest id only
    wrong = entry("correction", list="A", new_list="A3", total_cost=1, fund_basic=1, payment=1)
    assert refused(close, "2025-08", booked, [], wrong) == ["ST210"]
    given = replace(wrong, list="A2", total_cost=1000, fund_basic=600, payment=900, other_funds=100)
    august = close("2025-08", booked, [], given)
    # 900 - (1000 - 600 - 100) - 100
    assert august.lines["accrued_fen"].to_pylist()[1] == 500


def test_a_correction_after_its_days_is_said(row, close, policy):
    june = close("2025-06", Booked(), [row(list_id="A")], accepted=[date(2025, 7, 1)])
    late = entry("correction", list="A", new_list="B", total_cost=10, fund_basic=5, payment=8)
    late, booked = replace(late, day=date(2025, 7, 17)), add(Booked(), june)
    assert codes(close("2025-07", booked, [], late)) == []
    for days, said in ((15, ["ST308"]), (16, [])):
        own = with_own(policy, correction_days=Decimal(days))
        assert codes(close("2025-07", booked, [], late, policy=own)) == said


def test_the_newest_id_is_named(row, close):
    june = close("2025-06", Booked(), [row(list_id="A")])
    first = entry("correction", list="A", new_list="B", total_cost=10, fund_basic=5, payment=8)
    booked = add(add(Booked(), june), close("2025-07", add(Booked(), june), [], first))
    with pytest.raises(SettlementError) as caught:
        close("2025-08", booked, [], replace(first, new_list="C"))
    assert caught.value.issues[0].fix("en") == "give the newest id: B"


def test_deductions_never_exceed_the_accrual_over_the_months(row, close):
    june = close("2025-06", Booked(), [row(list_id="A")])
    accrued = line(june, "M6")
    audit = entry("audit", list="A", amount=accrued - 100, reason="重复收费", rule="F09")
    july = close("2025-07", add(Booked(), june), [], audit)
    assert line(july, "M9") == accrued - 100
    assert line(july, "M16") == -(accrued - 100)
    august = close("2025-08", add(add(Booked(), june), july), [], replace(audit, amount=500))
    assert line(august, "M9") == 100
    assert codes(august) == ["ST305"]
    assert line(august, "M14") == line(july, "M16")
    (deduction,) = august.deductions
    assert (deduction.asked_fen, deduction.taken_fen, deduction.rule) == (500, 100, "F09")


def test_an_advance_is_offset_month_by_month(row, close):
    grant = entry("advance", insurance="310", amount=1_000_000, schedule=300_000)
    booked, left = Booked(), []
    for number, month in enumerate(MONTHS):
        rows = [row(list_id=f"{month}", day=date(2025, 6 + number, 5), pool=700_000)]
        closed = close(month, booked, rows, *([grant] if not number else []))
        booked = add(booked, closed)
        left.append((line(closed, "M13"), closed.statements[0].advance_left_fen))
    assert left == [(300_000, 700_000), (300_000, 400_000), (300_000, 100_000), (100_000, 0)]


@pytest.mark.parametrize(
    ("insurance", "balance", "deficit", "granted"),
    [("310", 12, False, 100), ("310", 11, False, 0), ("390", 6, False, 100), ("390", 6, True, 0)],
)
def test_an_advance_asks_for_a_balance_and_no_deficit(
    row, close, insurance, balance, deficit, granted
):
    asked = entry(
        "advance",
        insurance=insurance,
        schedule=10,
        prior_spend=1200,
        balance=balance * 1000,
        year_spend=12_000,
        deficit=deficit,
    )
    june = close("2025-06", Booked(), [row(list_id="A")], asked)
    assert sum(one.advance_granted_fen for one in june.sums) == granted
    assert codes(june) == ([] if granted else ["ST324"])


@pytest.mark.parametrize(("day", "said"), [(10, []), (11, ["ST308"])])
def test_an_advance_is_asked_for_early_in_january(row, close, day, said):
    asked = entry("advance", insurance="310", schedule=1, amount=5, day=date(2026, 1, day))
    january = close("2026-01", Booked(), [row(list_id="A", day=date(2026, 1, 20))], asked)
    assert codes(january) == said


@pytest.mark.parametrize("lacking", ["prior_spend", "balance", "year_spend"])
def test_an_advance_without_amount_needs_the_state_of_the_fund(row, close, lacking):
    asked = entry(
        "advance", insurance="310", schedule=1, prior_spend=12, balance=900, year_spend=12
    )
    wrong = replace(asked, **{lacking: None})
    assert refused(close, "2025-06", Booked(), [row(list_id="A")], wrong) == ["ST103"]
    idle = replace(asked, year_spend=0)
    assert refused(close, "2025-06", Booked(), [row(list_id="A")], idle) == ["ST301"]
    empty = replace(asked, balance=0)
    assert codes(close("2025-06", Booked(), [row(list_id="A")], empty)) == ["ST324"]


def test_opening_figures_stand_before_the_first_month(row, close):
    start = entry(
        "opening", insurance="310", carry_in=-725_000, outstanding=1_200_000, schedule=200_000
    )
    june = close("2025-06", Booked(), [row(list_id="A", pool=799_999)], start)
    assert line(june, "M14") == -725_000
    assert refused(close, "2025-07", add(Booked(), june), [], start) == ["ST322"]


def test_bases_beyond_the_budget_are_said(row, close):
    june = close(
        "2025-06", Booked(), [row(list_id="A")], entry("budget", insurance="310", amount=100)
    )
    assert codes(june) == ["ST325"]
    wide = entry("budget", insurance="310", amount=10**9)
    assert codes(close("2025-06", Booked(), [row(list_id="A")], wide)) == []


def test_a_month_without_policy_is_not_closed(policy):
    with pytest.raises(SettlementError) as caught:
        month_rules(policy, "2020-01")
    assert caught.value.issues[0].code == "ST101"


@SHARED
@given(st.permutations(range(8)), st.integers(0, 7))
def test_neither_order_nor_division_of_the_lists_matters(row, lists, policy, order, cut):
    rows = [
        row(list_id=str(n), total=100_000 * (n + 1), pool=50_000 * n, hospital=(H1, H2)[n % 2])
        for n in range(8)
    ]
    rules = month_rules(policy, "2025-06")
    whole = close_in_book(lists(rows), (), Booked(), policy, rules)
    mixed = close_in_book(lists([rows[n] for n in order]), (), Booked(), policy, rules)
    assert mixed.sums == whole.sums
    parts = [
        close_alone(lists(part), (), policy, rules) for part in (rows[:cut], rows[cut:]) if part
    ]
    for name in ("M1", "M2", "M6", "M10"):
        assert sum(line(part, name) for part in parts) == line(whole, name)


def test_months_are_closed_once_and_in_order(row, close):
    booked = add(Booked(), close("2025-06", Booked(), [row(list_id="A")]))
    assert refused(close, "2025-06", booked, []) == ["ST306"]
    assert refused(close, "2025-08", booked, []) == ["ST306"]
    assert refused(close, "2025-05", booked, []) == ["ST306"]
    locked = replace(booked, locked_years=frozenset((2025,)))
    assert refused(close, "2025-07", locked, []) == ["ST306"]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (entry("correction", list="X", new_list="Y"), "ST210"),
        (entry("correction", list="A", new_list="Y"), "ST321"),
        (entry("correction", list="A", new_list="Y", total_cost=5, fund_basic=1), "ST103"),
        (
            entry("correction", list="A", new_list="Y", total_cost=5, fund_basic=6, payment=5),
            "ST203",
        ),
        (entry("audit", list="X", amount=1, reason="r", rule="r"), "ST321"),
        (entry("audit", list="A", amount=-1, reason="r", rule="r"), "ST207"),
        (entry("approved", list="A"), "ST322"),
        (entry("refused", list="X"), "ST321"),
        (entry("special", list="X"), "ST321"),
        (entry("accepted", list="X", day=date(2025, 7, 1)), "ST321"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.kind,
)
def test_entries_that_cannot_be_booked_stop_the_month(row, close, wrong, code):
    rows = [row(list_id="A"), row(list_id="B")]
    assert refused(close, "2025-06", Booked(), rows, wrong) == [code]
    booked = add(Booked(), close("2025-06", Booked(), rows))
    assert refused(close, "2025-07", booked, [], wrong) == [code]


def test_a_list_that_is_not_counted_corrects_nothing(row, close):
    rows = [row(list_id="A"), row(list_id="B", total=None)]
    for wrong in (
        entry("correction", list="A", new_list="B"),
        entry("audit", list="B", amount=1, reason="r", rule="r"),
    ):
        assert refused(close, "2025-06", Booked(), rows, wrong) == ["ST322"]


def test_a_new_list_that_stands_twice_enters_once(row, close):
    june = close("2025-06", Booked(), [row(list_id="A")])
    rows = [row(list_id="B", total=900_000), row(list_id="B", total=900_001)]
    wrong = entry("correction", list="A", new_list="B")
    july = close("2025-07", add(Booked(), june), rows, wrong)
    assert codes(july) == ["ST206"]
    assert july.lines["total_fen"].to_pylist() == [-800_000, 900_000]


def test_a_list_that_is_booked_corrects_no_other(row, close):
    rows = [row(list_id="A"), row(list_id="B")]
    wrong = entry("correction", list="A", new_list="B")
    booked = add(Booked(), close("2025-06", Booked(), rows))
    assert refused(close, "2025-07", booked, [], wrong) == ["ST206"]
    # both in one file: the one replaces the other in the month itself
    june = close("2025-06", Booked(), rows, wrong)
    assert june.lines["line"].to_pylist() == ["accepted", "reversal", "correction"]
    assert line(june, "M8") == 0


def test_the_day_of_acceptance_may_come_as_an_entry(row, close):
    told = entry("accepted", list="A", day=date(2025, 7, 20))
    june = close("2025-06", Booked(), [row(list_id="A"), row(list_id="B")], told)
    assert june.counts["in_time"] == 1


def test_places_have_statements_of_their_own(row, close, policy):
    code = policy.area.code
    rows = [row(list_id=str(n), insured=code) for n in range(3)]
    rows.append(row(list_id="x", insured="110000"))
    june = close("2025-06", Booked(), rows)
    assert [one.place for one in june.statements] == ["cross_province", "local"]
    assert [one.line("M1").amount_fen for one in june.statements] == [1, 3]


def test_an_area_may_pay_a_share_instead_of_keeping_a_deposit(row, lists, policy):
    rules = replace(month_rules(policy, "2025-06"), keeping="monthly_rate")
    closed = close_alone(lists([row()]), (), policy, replace(rules, rate=rules.rate * 19))
    base = line(closed, "M10")
    assert line(closed, "M11") == base - round(base * 95 / 100)


def test_paying_as_recorded_leaves_the_groups_to_the_year(row, lists, policy):
    rules = replace(month_rules(policy, "2025-06"), as_recorded=True)
    closed = close_alone(lists([row(), row(total=4_000_000, pool=2_000_000)]), (), policy, rules)
    assert line(closed, "M6") == 2_500_000


def with_own(policy, **values):
    """The policy with parameters of its own since 2025."""
    own = {
        key: (Version(Span(date(2025, 1, 1)), {"*": value}, "notice", "published", policy.area.id),)
        for key, value in values.items()
    }
    return replace(policy, parameters=replace(policy.parameters, own=own))


def test_nothing_beyond_the_limits_in_the_demo_area(policy):
    assert list(beyond_limits(policy, "2025-06")) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("deposit", Decimal("0.06")),
        ("month_share", Decimal("0.9")),
        ("provisional_standard", "yes"),
    ],
)
def test_what_exceeds_a_national_limit_is_said(policy, row, close, key, value):
    own = with_own(policy, **{key: value})
    june = close("2025-06", Booked(), [row(list_id="A")], policy=own)
    (issue,) = june.issues
    assert issue.code == "ST110"
    assert issue.params["key"] == key
    assert all(issue.fix(lang) for lang in ("zh", "en"))


def test_the_rules_of_a_month_are_the_areas_own(policy):
    rules = month_rules(with_own(policy, month_share=Decimal("0.95")), "2025-06")
    assert (rules.keeping, rules.rate) == ("monthly_rate", Decimal("0.95"))
    own = month_rules(
        with_own(policy, claim_day=Decimal(5), due_working_days=Decimal(3)), "2025-12"
    )
    assert (own.claims_until, own.due_working_days) == (date(2026, 1, 5), 3)


def test_a_broken_sum_stops_the_month(row, close, monkeypatch):
    real = made_of.close_month

    def wrong(*args, **more):
        lines = real(*args, **more)
        return {**lines, "M10": lines["M10"] + 1}

    monkeypatch.setattr(made_of, "close_month", wrong)
    assert refused(close, "2025-06", Booked(), [row(list_id="A")]) == ["ST307"]


CASES = st.lists(
    st.tuples(
        st.integers(1, 3_000_000),
        st.integers(0, 100),
        st.sampled_from(["310", "390"]),
        st.sampled_from([H1, H2]),
        st.sampled_from(["", "110000", "990101"]),
        st.integers(0, 3),  # month of discharge after May
        st.one_of(st.none(), st.integers(0, 100)),  # days from discharge to acceptance
        st.booleans(),
        st.integers(0, 30),  # few ids: some come twice
    ),
    max_size=25,
)
WISHES = st.lists(
    st.tuples(
        st.sampled_from(["audit", "correction", "approved", "refused", "special", "advance"]),
        st.integers(0, 3),
        st.integers(0, 40),
        st.integers(0, 2_000_000),
    ),
    max_size=12,
)


@SHARED
@given(CASES, WISHES)
def test_every_fen_is_accounted_for_over_the_months(row, lists, policy, cases, wishes):
    """Whatever is fed in: months sum to the lists as they stand, and so does what was paid."""
    rows, accepted, special = [], [], []
    for total, share, insurance, hospital, insured, month, after, apply, number in cases:
        day = date(2025, 6 + month, 15)
        pool = total * share // 100
        other = total * (100 - share) // 300
        rows.append(
            row(total=total, pool=pool, other=other, insurance=insurance, hospital=hospital,
                insured=insured, day=day, list_id=str(number))
        )  # fmt: skip
        accepted.append(None if after is None else date.fromordinal(day.toordinal() + after))
        special.append(apply)
    given_lists = lists(rows, accepted, special)
    booked = Booked()
    fresh = 0
    for at, month in enumerate(MONTHS):
        entries = []
        for kind, when, number, amount in wishes:
            if when != at:
                continue
            fresh += 1
            entries.append(_wish(kind, str(number), amount, f"N{fresh}"))
        closed = _closed_without_refused(given_lists, entries, booked, policy, month)
        assert sum(closed.counts.values()) == len(rows)
        booked = add(booked, closed)
    _account(booked)


def _wish(kind, number, amount, new):
    if kind == "advance":
        return entry(kind, insurance="310", amount=amount, schedule=amount // 3)
    more = {
        "audit": {"amount": amount, "reason": "r", "rule": "r"},
        "correction": {
            "new_list": new, "total_cost": amount, "fund_basic": amount // 2, "payment": amount,
        },
        "approved": {"amount": amount},
    }.get(kind, {})  # fmt: skip
    return entry(kind, list=number, **more)


def _closed_without_refused(given_lists, entries, booked, policy, month):
    """The month with the entries that fit: a refused one is taken out and all is tried again."""
    rules = month_rules(policy, month)
    while True:
        try:
            return close_in_book(given_lists, entries, booked, policy, rules)
        except SettlementError:
            kept = []
            for one in entries:
                try:
                    close_in_book(given_lists, [*kept, one], booked, policy, rules)
                except SettlementError:
                    continue
                kept.append(one)
            entries = kept


def _account(booked):
    """Bases sum to the ledger, the ledger to its lists; what was paid follows from both."""
    sums = booked.sums

    def over(name):
        return sum(one.lines[name] for one in sums)

    def whole(name):
        return sum(booked.lines[name].to_pylist())

    taken = sum(one.taken_fen for one in booked.deductions)
    assert over("M10") == whole("accrued_fen") - taken
    assert over("M9") == taken
    # reversals cancel what they take back: what is left are the lists as they stand
    last = {}
    for one in booked.lines.to_pylist():
        last[one["hospital"], one["list"]] = one
    standing = [one for one in last.values() if one["line"] != "reversal"]
    for name in ("total_fen", "patient_fen", "other_fen", "pool_fen", "accrued_fen"):
        assert whole(name) == sum(one[name] for one in standing), name
    assert sum(one.recorded_fen for one in sums) == whole("pool_fen")
    # every list is accepted once
    first = [
        (one["hospital"], one["list"])
        for one in booked.lines.to_pylist()
        if one["line"] in ("accepted", "late")
    ]
    assert len(first) == len(set(first))
    # what was paid: all payable, less offsets, plus what is still owed by the hospitals
    end = [one for one in sums if one.month == MONTHS[-1]]
    owed = sum(one.lines["M16"] for one in end)
    assert over("M15") == over("M12") - over("M13") - owed
    granted = sum(one.advance_granted_fen for one in sums)
    assert granted == over("M13") + sum(one.advance_left_fen for one in end)
    for name in {(one.hospital, one.list) for one in booked.deductions}:
        cut = sum(d.taken_fen for d in booked.deductions if (d.hospital, d.list) == name)
        lines = [o for o in booked.lines.to_pylist() if (o["hospital"], o["list"]) == name]
        assert cut <= max(max(one["accrued_fen"], 0) for one in lines)
