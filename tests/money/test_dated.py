"""Values that change with the date: what holds on a day, gaps and overlaps."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouper.dated import (
    CONFIDENCES,
    Dated,
    Span,
    Version,
    close_spans,
    day_number,
    from_day_number,
    lowest,
    span_issues,
)
from grouper.errors import SettlementError

JAN, MAR, JUL, OCT = (date(2025, month, 1) for month in (1, 3, 7, 10))
YEAR = Span(JAN, date(2026, 1, 1))


def codes(*spans, within=YEAR):
    return [issue.code for issue in span_issues(spans, within=within, where="x")]


def test_a_version_holds_from_its_first_day_to_the_day_before_its_end():
    value = Dated("rate", (Version(Span(JAN, JUL), 1), Version(Span(JUL), 2)), "s", "published")
    assert value.at(JAN) == 1
    assert value.at(date(2025, 6, 30)) == 1
    assert value.at(JUL) == 2
    assert value.at(date(2099, 1, 1)) == 2
    with pytest.raises(SettlementError) as caught:
        value.at(date(2024, 12, 31))
    assert caught.value.issues[0].code == "ST101"
    assert value.borders() == {JAN, JUL}


def test_an_open_version_ends_where_the_next_starts():
    spans = close_spans([(JUL, None), (JAN, None), (OCT, None)], YEAR.end)
    assert spans == [Span(JAN, JUL), Span(JUL, OCT), Span(OCT, YEAR.end)]
    assert codes(*spans) == []


def test_gaps_overlaps_and_empty_spans_are_named():
    assert codes(Span(JAN, JUL), Span(JUL)) == []
    assert codes(Span(JAN, MAR), Span(JUL)) == ["PO105"]
    assert codes(Span(MAR)) == ["PO105"]
    assert codes(Span(JAN, JUL)) == ["PO105"]
    assert codes(Span(JAN, JUL), Span(MAR)) == ["ST102"]
    assert codes(Span(JAN), Span(MAR)) == ["ST102"]
    assert codes(Span(MAR, MAR), Span(JAN)) == ["PO106"]
    assert codes(Span(JAN), Span(date(2026, 1, 1)), within=YEAR) == ["PO107"]


def test_versions_before_the_policy_do_not_count_as_overlaps():
    before = Span(date(2023, 1, 1), date(2024, 1, 1)), Span(date(2024, 1, 1), MAR), Span(MAR)
    assert codes(*before) == []


@given(st.dates(), st.dates())
def test_day_numbers_keep_the_order_of_dates(one, other):
    assert from_day_number(day_number(one)) == one
    assert (day_number(one) < day_number(other)) == (one < other)


@given(st.lists(st.sampled_from(CONFIDENCES), min_size=1))
def test_the_weakest_mark_wins(marks):
    weakest = lowest(marks)
    assert weakest in marks
    assert all(CONFIDENCES.index(weakest) >= CONFIDENCES.index(mark) for mark in marks)
