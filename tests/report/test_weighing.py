"""What the report of an estimate says: distributions, charts, and texts of any kind."""

import json
import re
from datetime import date
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from weights_histories import drawn

from grouper.dated import Span
from grouper.report.weighing import report_of
from grouper.report.weighing_charts import group_data, scatter_chart
from grouper.report.weighing_page import render_weighing_page
from grouper.report.words import Words
from weights.choices import Choices
from weights.distribution import distribution, outliers
from weights.estimate import estimate
from weights.history import history
from weights.table import Head

SPAN = Span(date(2023, 1, 1), None)
HEAD = Head("t", "测算", "estimate", "s", "1", SPAN, "source", "constructed")


@pytest.fixture(scope="module")
def report():
    data = drawn(3000, 30, 4).history()
    years = {2020: Fraction(1), 2021: Fraction(2), 2022: Fraction(7)}
    found = estimate(data, Choices(year_weights=years, severity="keep"))
    return report_of(found, HEAD, data, multiples=(Fraction(2, 5), Fraction(3)), lang="en")


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=60))
def test_every_case_is_in_one_bin(costs):
    found = history(["A"], np.zeros(len(costs), int), np.array(costs, np.int64))
    spread = distribution(found, 0)
    assert sum(spread.counts) == len(costs)
    for low, high, n in zip(spread.edges, spread.edges[1:], spread.counts, strict=False):
        assert n == sum(low <= cost < high for cost in costs)


@given(st.lists(st.integers(1, 50), min_size=1), st.fractions(0, 60), st.fractions(0, 60))
def test_outliers_are_counted_exactly(costs, low, high):
    found = history(["A"], np.zeros(len(costs), int), np.array(costs, np.int64))
    told = outliers(found, 0, low, high)
    assert (told.low, told.high) == (sum(c < low for c in costs), sum(c > high for c in costs))


def test_the_charts_show_the_estimate(report):
    groups = group_data(report, Words("en"))
    assert list(groups) == [one.code for one in report.by_cases()]
    for one in report.found.groups:
        told = groups[one.code]
        assert sum(n for _, n in told["costs"]["steps"]) == one.cases
        assert ("Weight", str(one.printed)) in told["facts"]
        assert [int(x.split("\n")[1].replace(",", "")) for x in told["years"]["labels"]] == [
            year.cases for year in one.years
        ]
        low, high = told["years"]["axis"]
        assert all(low <= float(value) <= high for value in told["years"]["values"])
    points = [p for series in scatter_chart(report, Words("en"))["series"] for p in series["data"]]
    assert len(points) == sum(one.interval is not None for one in report.found.groups)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_data_of_the_page_are_json(report, lang):
    from dataclasses import replace

    page = render_weighing_page(replace(report, lang=lang))
    blocks = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert len(blocks) == 4
    for block in blocks:
        json.loads(block)


def test_a_history_of_one_case(report):
    found = history(["A"], np.zeros(1, int), np.ones(1, np.int64))
    one = report_of(estimate(found, Choices()), HEAD, found)
    page = render_weighing_page(one)
    # no interval, no point: no chart of all groups
    assert 'id="scatter"' not in page
