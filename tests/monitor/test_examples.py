"""The worked examples of coverage, computed by the functions that report."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from grouper.errors import SettlementError
from grouper.monitor.coverage import calculate_cover

FILE = Path(__file__).parents[1] / "data" / "settlement" / "examples.json"
EXAMPLES = [
    example
    for example in json.loads(FILE.read_text("utf-8"))["examples"]
    if example["kind"] == "cover"
]


def test_the_file_holds_e28_to_e32():
    assert [example["id"] for example in EXAMPLES] == ["E28", "E29", "E30", "E31", "E32"]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["id"])
def test_example_is_reproduced_to_the_last_character(example):
    assert calculate_cover(example["inputs"]) == example["outputs"]


def row(**changes):
    return {"name": "x", "num": "1", "den": "2", "target": "0.5", "unit": "count"} | changes


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({}, "ST408"),
        ({"rows": "no"}, "ST408"),
        ({"rows": ["no"]}, "ST408"),
        ({"rows": [row(num=True)]}, "ST408"),
        ({"rows": [row(num=Decimal("1.5"))]}, "ST408"),
        ({"rows": [row(num="1.5")]}, "ST408"),
        ({"rows": [row(num="１")]}, "ST408"),
        ({"rows": [row(unit="fen")]}, "ST408"),
        ({"rows": [row(target="half")]}, "ST408"),
        ({"rows": [row(target="1/0")]}, "ST408"),
        ({"rows": [row(unit="yuan", num="1.234")]}, "ST113"),
        ({"rows": [row(unit="yuan", num="lots")]}, "ST112"),
    ],
)
def test_unusable_example_is_refused_with_its_place(inputs, code):
    with pytest.raises(SettlementError) as caught:
        calculate_cover(inputs)
    assert caught.value.issues[0].code == code


def test_numbers_of_json_say_the_same_as_their_text():
    given = row(num=1, den=2, target=Decimal("0.5"))
    assert calculate_cover({"rows": [given]}) == calculate_cover({"rows": [row()]})


def test_row_without_target_key_is_reported_only():
    inputs = {"rows": [{"name": "x", "num": "1", "den": "3", "unit": "count"}]}
    assert calculate_cover(inputs) == {
        "x": {"ratio": "33.33%", "status": "reported_only", "gap": None}
    }
