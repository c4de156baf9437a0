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
