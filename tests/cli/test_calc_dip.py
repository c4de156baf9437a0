"""DIP examples in their own forms, by the functions that settle."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.cli

DATA = Path(__file__).parents[1] / "data" / "dip"
CASES = [json.loads(line) for line in (DATA / "settle-cases.jsonl").read_text("utf-8").splitlines()]
EXAMPLES = json.loads((DATA / "examples.json").read_text("utf-8"))


def test_published_cases_are_reproduced_by_both_rules(run):
    answer = run("calc", DATA / "settle-cases.jsonl", "--check", "--json")
    assert answer.code == 0
    result = json.loads(answer.out)
    assert result["equal"] == len(CASES) == 41
    assert result["examples"][0]["steps"]["base"]["ratio"] == "0.200001"


def test_the_month_the_year_and_the_score_are_reproduced(run):
    answer = run("calc", DATA / "examples.json", "--check", "--json")
    assert answer.code == 0
    found = {one["id"]: one for one in json.loads(answer.out)["examples"]}
    assert {key: one["kind"] for key, one in found.items()} == {
        "E1": "dip_month",
        "E2": "dip_year",
        "E3": "dip_score",
    }
    assert not any(one["differences"] for one in found.values())
    assert found["E1"]["outputs"]["variants_case_c"]["3.0 with cost 1200.00"]["amount"] == "1200.00"


@pytest.mark.parametrize(
    "key", ["deviation", "deviation_factor", "settled_score", "settled_amount", "standard_amount"]
)
def test_each_answer_of_a_case_is_compared(run, key):
    case = json.loads(json.dumps(CASES[0]))
    told = case["expected"]["jining"][key]
    case["expected"]["jining"][key] = "high" if key == "deviation" else told + 0.02
    answer = run("calc", "-", "--check", stdin=json.dumps(case))
    assert answer.code == 1
    assert f"outputs.jining.{key}" in answer.out


@pytest.mark.parametrize(
    ("example", "path"),
    [
        ("E1", ("month", "month_payment")),
        ("E1", ("variants_case_e", "variants", "multiple 3 (ratio-3+1)*K", "amount")),
        ("E1", ("variants_case_c", "ratio*score, no K (jining)", "case_score")),
        ("E2", ("settlement_point_value",)),
        ("E2", ("identities", "sum_share_of_budget")),
        ("E2", ("budget_point_value", "weighted_score")),
        ("E3", ("pooled", "score")),
        ("E3", ("trim", "cv_after")),
        ("E3", ("auxiliary", "types", "severe", "trigger")),
        ("E3", ("auxiliary", "severe_case", "case_score")),
    ],
)
def test_each_part_of_the_examples_is_compared(run, example, path):
    changed = json.loads(json.dumps(EXAMPLES))
    place = changed[example]
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = "1.00"
    answer = run("calc", "-", "--check", stdin=json.dumps(changed))
    assert answer.code == 1
    assert path[-1] in answer.out


def test_a_case_without_answers_is_worked_out_by_every_rule(run):
    case = {key: CASES[0][key] for key in ("score", "mean_cost", "total_cost", "point_value")}
    answer = run("calc", "-", "--json", stdin=json.dumps(case | {"id": "X", "kind": "primary"}))
    outputs = json.loads(answer.out)["examples"][0]["outputs"]
    assert {"base", "jining", "taian", "national_10", "draft_30"} == set(outputs)


def test_rules_can_be_given_in_full(run):
    rule = {
        "reference": "mean_cost",
        "low": {"operator": "<", "multiple": "0.4", "form": "ratio"},
        "high": {"operator": ">", "multiple": "3", "form": "excess", "share": "0.7"},
    }
    case = {
        "kind": "dip_case",
        "inputs": {
            "score": "1000",
            "mean_cost": "1000.00",
            "total_cost": "4000.00",
            "point_value": "5",
            "rules": {"ours": rule},
        },
    }
    answer = run("calc", "-", "--json", stdin=json.dumps(case))
    assert json.loads(answer.out)["examples"][0]["outputs"]["ours"]["settled_score"] == "1700.0000"
    rule["high"]["operator"] = "~"
    assert "WT120 inputs.rules.ours" in run("calc", "-", stdin=json.dumps(case)).out


def test_special_cases_of_a_year(run):
    inputs = {
        "budget": "100000.00",
        "total_score": "30000",
        "pay_ratio": "0.75",
        "discharges": 400,
        "candidates": [
            {"id": "C1", "total": "9000.00", "score": "100", "approved": "6000.00"},
            {"id": "C2", "total": "12000.00", "score": "100", "approved": "8000.00"},
            {"id": "C3", "total": "11000.00", "score": "100", "approved": "8000.00"},
            {"id": "C4", "total": "10.00", "score": "100", "approved": "8.00"},
        ],
    }
    answer = run("calc", "-", "--json", stdin=json.dumps({"kind": "dip_special", "inputs": inputs}))
    outputs = json.loads(answer.out)["examples"][0]["outputs"]
    assert outputs == {
        "quota": 2,
        "converged": True,
        "accepted": ["C2", "C3"],
        # (100,000 - 16,000) / 0.75 / 29,800
        "point_value": "3.758389",
    }


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"score": "0"}, "ST142"),
        ({"total_cost": "0"}, "inputs.total_cost"),
        ({"point_value": "-1"}, "inputs.point_value"),
        ({"kind": "alchemy"}, "inputs.group_kind"),
        ({"expected": {"atlantis": {}}}, "inputs.variants"),
    ],
)
def test_a_case_that_cannot_be_computed_is_told(run, change, place):
    answer = run("calc", "-", stdin=json.dumps(CASES[0] | change))
    assert answer.code == 3
    assert place in answer.out
