"""Columns, months and periods."""

import numpy as np
import pytest

from grouper.monitor.cases import Cases, Category, Hospital, hospitals_in, months_of, periods


def cases(hospitals, areas, *, pool=None):
    n = len(hospitals)
    return Cases(
        hospital=Category.of(hospitals),
        area=Category.of(areas),
        insurance=Category.same("职工", n),
        disease_type=Category.same("BR2", n),
        month=np.full(n, 202201, np.int32),
        paid=np.ones(n, bool),
        pool_fen=np.zeros(n if pool is None else pool, np.int64),
        excluded=np.zeros(n, bool),
    )


def test_category_keeps_each_word_once():
    column = Category.of(["a", "b", "a"])
    assert column.names == ("a", "b")
    assert column.index.tolist() == [0, 1, 0]


def test_coded_category_merges_equal_names():
    column = Category.coded(["", "BR2", "BR2"], np.array([0, 1, 2, 1], np.uint32))
    assert [column.names[k] for k in column.index] == ["", "BR2", "BR2", "BR2"]
    assert column.names == ("", "BR2")


def test_days_become_months_and_a_missing_day_becomes_zero():
    days = np.array(["1970-01-01", "2022-12-31", "2024-02-29", "1969-12-31"], "datetime64[D]")
    values = np.append(days.astype(np.int32), np.int32(-(2**31))).astype(np.int32)
    assert months_of(values).tolist() == [197001, 202212, 202402, 196912, 0]


@pytest.mark.parametrize(
    ("kind", "labels"),
    [
        ("month", ["2021-12", "2022-01", "2022-03", "2022-04"]),
        ("quarter", ["2021-Q4", "2022-Q1", "2022-Q2"]),
        ("year", ["2021", "2022"]),
        ("cumulative", ["2021-01..12", "2022-01..01", "2022-01..03", "2022-01..04"]),
    ],
)
def test_periods_are_those_with_cases(kind, labels):
    month = np.array([202204, 202201, 0, 202203, 202112], np.int32)
    assert [period.label for period in periods(month, kind)] == labels


def test_cumulative_period_runs_from_january():
    (period,) = periods(np.array([202203], np.int32), "cumulative")
    assert (period.first, period.last, period.year) == (202201, 202203, 2022)


def test_columns_of_different_length_are_refused():
    with pytest.raises(ValueError, match="different length"):
        cases(["H1", "H2"], ["A", "A"], pool=3)


@pytest.mark.parametrize(
    ("hospital", "eligible"),
    [
        (Hospital("H", "A"), True),
        (Hospital("H", "A", contract=False), False),
        (Hospital("H", "A", inpatient=False), False),
        (Hospital("H", "A", excluded_only=True), False),
    ],
)
def test_eligible_needs_contract_inpatients_and_more_than_excluded_kinds(hospital, eligible):
    assert hospital.eligible is eligible


def test_stand_in_register_takes_the_commonest_area():
    table = cases(["H1", "H1", "H1", "H2"], ["A", "B", "B", "A"])
    level = Category.of(["三级", "三级", "二级", "一级"])
    assert hospitals_in(table, level=level) == (
        Hospital("H1", "B", "三级"),
        Hospital("H2", "A", "一级"),
    )
