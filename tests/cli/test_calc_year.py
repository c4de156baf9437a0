"""`grouper calc`: the worked examples of the year, every output and step."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.cli

EXAMPLES = Path(__file__).parents[1] / "data" / "settlement" / "examples.json"


@pytest.mark.parametrize(
    ("kind", "ids"),
    [
        ("band", ["E16", "E17", "E18", "E19"]),
        ("remainder", ["E20", "E21"]),
        ("year", ["E24", "E25", "E26"]),
        ("year_full", ["E27"]),
    ],
)
def test_worked_examples_are_reproduced_with_their_steps(run, kind, ids):
    answer = run("calc", EXAMPLES, "--kind", kind, "--check", "--json")
    assert answer.code == 0
    result = json.loads(answer.out)
    assert [one["id"] for one in result["examples"]] == ids
    assert result["equal"] == len(ids)
    wanted = {one["id"]: one for one in json.loads(EXAMPLES.read_text("utf-8"))["examples"]}
    for one in result["examples"]:
        # every step of the file is among ours
        assert set(wanted[one["id"]]["steps"]) <= set(one["steps"])


YEAR = {
    "budget": "1000.00",
    "hospitals": [
        {"code": "A", "weight": "1", "recorded": "500.00"},
        {"code": "B", "weight": "2", "recorded": "500.00"},
    ],
}
MONTH = {
    "cases": [{"id": "1", "total": "100.00", "pool": "70.00", "weight": "1"}],
    "late": [{"id": "2", "total": "50.00", "pool": "40.00", "weight": "0.5"}],
    "corrections": [{"old_accrued": "10.00", "new_accrued": "7.00"}],
    "audit": [{"amount": "1.00"}],
}
FULL = {
    "budget": "500.00",
    "provisional_rate": "100.00",
    "hospitals": [{"code": "A", "score": "90", "months": [MONTH]}],
}


def calc(run, kind, inputs):
    return run("calc", "-", "--json", stdin=json.dumps({"kind": kind, "inputs": inputs}))


def outputs(run, kind, inputs):
    answer = calc(run, kind, inputs)
    assert answer.code == 0, answer.out
    return json.loads(answer.out)["examples"][0]


def test_what_an_example_does_not_say_has_its_default(run):
    made = outputs(run, "year", YEAR)
    assert made["steps"]["reserve"] == "50.00"
    assert made["steps"]["A_A"] == "316.67"
    assert made["outputs"]["cash_A"] == made["outputs"]["F_A"]


def test_late_lists_and_corrections_enter_the_month_and_late_ones_the_weight(run):
    made = outputs(run, "year_full", FULL)
    # 70.00 accrued + 40.00 late - 3.00 corrected - 1.00
    assert made["steps"]["A_m1"]["M10_base"] == "106.00"
    assert made["steps"]["total_weight"] == "1.5"
    assert made["outputs"]["sum_A"] == "475.00"


@pytest.mark.parametrize(
    ("change", "code", "place"),
    [
        ({"budget": "x"}, "WT120", "inputs.budget"),
        ({"method": "guess"}, "WT120", "inputs.method"),
        ({"basis": "guess"}, "WT120", "inputs.basis"),
        ({"total_control": "guess"}, "WT120", "inputs.total_control"),
        ({"manner": "guess"}, "WT120", "inputs.manner"),
        ({"method": "elastic"}, "WT120", "inputs.rate"),
        ({"method": "elastic", "rate": "1"}, "ST103", "A"),
        ({"hospitals": [{"code": "A", "weight": "-1", "recorded": "1"}]}, "WT120", "weight"),
        ({"hospitals": [{"code": "A", "weight": "1"}]}, "WT120", "recorded"),
        ({"bands": {"surplus": [["0.1", "1"]], "overspend": [[None, "0"]]}}, "ST107", "surplus"),
        ({"bands": {"surplus": [["0.1"]], "overspend": [[None, "0"]]}}, "WT120", "surplus"),
        ({"score_table": "none"}, "WT120", "score_table"),
        ({"reserve_ratio": "2"}, "ST106", "reserve_ratio"),
        ({"budget": "0"}, "ST301", ""),
        (
            {
                "basis": "total",
                "hospitals": [
                    {"code": "A", "weight": "1", "recorded": "1", "patient": "9999999"},
                    {"code": "B", "weight": "9", "recorded": "1"},
                ],
            },
            "ST304",
            "A",
        ),
        (
            {
                "hospitals": [
                    {"code": "A", "weight": "1", "recorded": "1", "deposit": "5", "score": "50"},
                ],
                "score_table": [["60", "1"]],
            },
            "ST107",
            "",
        ),
    ],
)
def test_an_example_that_cannot_be_computed_names_its_place(run, change, code, place):
    answer = calc(run, "year", YEAR | change)
    error = json.loads(answer.out)["examples"][0]["error"][0]
    assert answer.code == 3
    assert error["code"] == code
    assert place in error["where"]
    assert error["fix"]
