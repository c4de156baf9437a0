"""The desk list of special cases: who is on it, in which order, and what is left of the quota."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouper import cli
from grouper.engine.groups import Status
from grouper.settle.case import settle_batch
from grouper.settle.desk import desk_list
from tests.settle.conftest import Row, make

RATE = Fraction(1, 20)


def desk(rows, table, policy, *, icu=None, **how):
    batch, groups = make(rows)
    if icu:
        batch = replace(batch, icu_hours=np.array(icu, np.int32))
    amounts = settle_batch(batch, groups, table, policy, scheme_status="national")
    how = {"rate": RATE, "min_ratio": Fraction(1), **how}
    return desk_list(batch, groups, amounts, **how), amounts


def test_losing_cases_stand_by_what_acceptance_brings(table, policy):
    rows = [
        Row(total=700_000, pool=500_000),  # no loss
        Row(total=1_000_000, pool=800_000),
        Row(total=2_000_000, pool=1_700_000),
        Row(total=1_200_000, pool=1_100_000, status=Status.AMBIGUOUS),
        Row(total=1_500_000, pool=100_000),
        Row(total=1_500_000, pool=None),  # its bill cannot enter a statement
    ]
    found, amounts = desk(rows, table, policy)
    assert found.candidates[0].row == 2
    assert {one.row for one in found.candidates} <= {1, 2, 4}
    for one in found.candidates:
        assert one.loss_fen == rows[one.row].total - int(amounts.standard_fen[one.row]) > 0
        assert one.gain_fen == rows[one.row].pool - int(amounts.fund_fen[one.row]) > 0
    gains = [one.gain_fen for one in found.candidates]
    assert gains == sorted(gains, reverse=True)


def test_the_quota_is_of_the_area_and_months_are_cumulative(table, policy):
    rows = [Row(total=2_000_000, pool=1_700_000)] * 3
    assert desk(rows, table, policy)[0].places == 0
    found, _ = desk(rows, table, policy, discharges=119, used=3)
    assert (found.places, found.left) == (5, 2)
    assert desk(rows, table, policy, discharges=119, used=9)[0].left == 0


def test_situations_are_those_the_record_shows(table, policy):
    rows = [Row(los=4, total=2_000_000, pool=1_700_000)] * 4
    rows.append(Row(los=30, total=2_900_000, pool=2_700_000))
    found, _ = desk(rows, table, policy, icu=[0, 5000, 0, 0, 0])
    by_row = {one.row: one.situations for one in found.candidates}
    assert by_row[0] == ()
    assert by_row[1] == ("critical",)
    assert by_row[4] == ("long_stay", "high_cost")


@given(st.lists(st.integers(1, 4_000_000), min_size=1, max_size=8), st.integers(1, 100))
def test_nobody_on_the_list_would_lose(table, policy, costs, share):
    rows = [Row(total=cost, pool=cost * share // 100) for cost in costs]
    found, _ = desk(rows, table, policy, approved_ratio=Fraction(9, 10))
    for one in found.candidates:
        assert one.gain_fen > 0
        assert one.total_fen > one.standard_fen


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_command_writes_the_list(lang, tmp_path, capsys):
    path, out = tmp_path / "cases.csv", tmp_path / "desk.xlsx"
    assert cli.run(["sample", "120", "--seed", "5", "-o", str(path), "--quiet"]) == 0
    words = ["settle", "special", str(path), "--area", "demo", "--discharges", "400", "--used", "2"]
    assert cli.run([*words, "-o", str(out), "--lang", lang]) == 0
    capsys.readouterr()
    assert cli.run([*words, "--json", "--lang", lang]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["left"] == told["quota"] - 2
    sheet = openpyxl.load_workbook(out).worksheets[1]
    rows = list(sheet.iter_rows(min_row=2, values_only=True))
    assert len(rows) == len(told["candidates"]) > 0
    assert rows[0][2] == told["candidates"][0]["case_id"]
    assert f"{rows[0][13]:.2f}" == told["candidates"][0]["gain"]
    assert all(row[16] for row in rows)  # evidence for each
    assert cli.run([*words, "--approved-ratio", "1.2"]) == 2
