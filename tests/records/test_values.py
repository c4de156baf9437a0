"""What one cell means."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouper.datafile import read_tsv
from grouper.records import values
from grouper.records.batch import MISSING, MISSING_FEN
from grouper.records.values import Value

CASES = Path(__file__).parent.parent / "data" / "records" / "cells.tsv"

PARSERS: dict[str, Callable[[object], Value]] = {
    "age_years": lambda cell: Value(values.age(cell).years, bad=values.age(cell).bad),
    "age_under_one": lambda cell: Value(values.age(cell).days),
    "age_days": values.age_days,
    "sex": lambda cell: values.coded(cell, "sex"),
    "leaving": lambda cell: values.coded(cell, "leaving"),
    "count": values.count,
    "money": values.money,
    "weight": values.weight,
    "hours": values.hours,
    "day": values.day,
}


@pytest.mark.parametrize(
    ("parser", "cell", "number", "bad"), list(zip(*read_tsv(CASES).cells, strict=True))
)
def test_cell_means(parser, cell, number, bad):
    found = PARSERS[parser](cell)
    missing = MISSING_FEN if parser == "money" else MISSING
    assert found.number == (missing if number == "-" else int(number))
    assert found.bad == ("" if bad == "-" else bad)


def test_cells_of_a_workbook_and_of_arrow_mean_the_same_as_their_text():
    assert values.count(3.0) == values.count("3") == values.count(Decimal(3))
    assert values.money(1234.56).number == values.money(Decimal("1234.56")).number == 123456
    assert values.money(0.1 + 0.2).number == 30
    assert values.day(date(2024, 1, 2)) == values.day(datetime(2024, 1, 2, 8)) == Value(19724)
    assert values.age(45.0).years == 45
    assert values.coded(True, "sex").bad == "RE04"


def test_weight_in_kilograms_is_converted_only_where_the_unit_says_so():
    assert values.weight("2.5", unit="kg").number == 2_500_000
    assert values.weight("2.5").bad == "RW09"


def test_as_it_stands_nothing_is_read_into_a_cell():
    assert values.sex_exact("男").number == 0
    assert values.count_exact("45岁").number == MISSING
    assert values.count_exact("-1").number == -1
    assert values.thousandths_exact(Decimal("2499.5")).number == 2_499_500
    assert values.thousandths_exact("0").number == 0


@given(st.integers(0, 10**15 - 1))
def test_every_amount_of_fen_is_read_exactly(fen):
    text = f"{fen // 100}.{fen % 100:02d}"
    assert values.money(text).number == fen
    assert values.money(Decimal(text)).number == fen
    assert values.money(f"{fen // 100:,}.{fen % 100:02d}").number == fen


@given(st.integers(0, 10**12))
def test_an_amount_that_went_through_a_binary_number_is_read_exactly(fen):
    assert values.money(fen / 100).number == fen


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)))
def test_every_way_of_writing_a_date_is_the_same_day(day):
    number = (day - date(1970, 1, 1)).days
    for form in ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y-%m-%d 12:30:00", "%Y年%m月%d日"):
        assert values.day(day.strftime(form)).number == number


@given(st.text(max_size=12))
def test_no_text_brings_a_parser_down(text):
    for parse in PARSERS.values():
        assert isinstance(parse(text).number, int)
