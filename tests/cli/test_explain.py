"""`grouper explain`: a case from codes or from a row of a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.cli

MINI = Path(__file__).parents[1] / "data" / "schemes" / "mini"
CODES = ["--dx", "I63.900", "--dx", "J96.000", "--px", "01.2400", "--age", "70", "--sex", "1"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_codes_on_the_command_line_in_full(run, golden, lang):
    answer = run("explain", *CODES, "-s", MINI, "--lang", lang)
    assert answer.code == 0
    golden(Path(__file__).parent / "golden" / f"explain_{lang}.txt", answer.out)


def test_a_row_is_explained_like_its_codes(run, records):
    row = run("explain", records, "--row", 2, "-s", MINI, "--as-is", "--json")
    assert row.code == 0
    trace = json.loads(row.out)
    assert trace["record"]["dx"] == ["I63.900", "J96.000"]
    assert trace["scheme"] == "mini"
    assert trace["steps"][-1]["step"] == "result"
    assert "names" in trace
    found = run("explain", records, "--row", 2, "-s", MINI, "--as-is", "--lang", "en").out
    assert "BB11" in found


def test_codes_are_cleaned_as_in_a_file(run):
    words = ["--dx", " i63.900 ", "--age", "70岁", "--sex", "男", "-s", MINI, "--json"]
    record = json.loads(run("explain", *words).out)["record"]
    assert record["dx"] == ["I63.900"]
    assert (record["age"], record["sex"]) == (70, 1)


def test_an_unknown_code_is_named_beside_the_trace(run):
    answer = run("explain", "--dx", "I63.900", "--dx", "ZZ9", "--sex", "1", "-s", MINI)
    assert answer.code == 0
    assert "ZZ9" in answer.out + answer.err


@pytest.mark.parametrize(("row", "reason"), [(6, "sex"), (7, "no_dx")])
def test_a_rejected_row_exits_1_and_says_why(run, records, row, reason):
    answer = run("explain", records, "--row", row, "-s", MINI, "--as-is", "--json")
    assert answer.code == 1
    assert reason in answer.out


def test_a_row_the_reader_rejected_says_why(run, tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("id,sex,age,dx\n1,1,170,I63.900\n", "utf-8")
    answer = run("explain", path, "--row", 1, "-s", MINI, "--lang", "zh")
    assert answer.code == 1
    assert "拒绝" in answer.out
    assert "RE04" in answer.err


@pytest.mark.parametrize(
    "words",
    [["--dx", "I63.900", "--row", "1"], ["FILE"], ["FILE", "--row", "1", "--dx", "I63.900"]],
    ids=["codes with row", "file without row", "both"],
)
def test_either_a_row_or_codes(run, records, words):
    words = [str(records) if word == "FILE" else word for word in words]
    answer = run("explain", *words, "-s", MINI)
    assert answer.code == 2


@pytest.mark.parametrize("row", [0, 8, -1])
def test_a_row_outside_the_file_is_wrong_usage(run, records, row):
    answer = run("explain", records, "--row", row, "-s", MINI, "--as-is")
    assert answer.code == 2
    assert "7" in answer.err


@pytest.mark.parametrize(("lang", "word"), [("zh", "仅差一个条件"), ("en", "failed by one")])
def test_near_misses_are_shown_on_request_only(run, lang, word):
    plain = run("explain", *CODES, "-s", MINI, "--lang", lang)
    asked = run("explain", *CODES, "-s", MINI, "--lang", lang, "--near")
    assert word not in plain.out
    assert word in asked.out
    steps = json.loads(run("explain", *CODES, "-s", MINI, "--near", "--json").out)["steps"]
    assert any(step["step"] == "near" and step["lacks"] for step in steps)


@pytest.mark.parametrize(("lang", "word"), [("zh", "试算"), ("en", "trial")])
def test_a_trial_stands_beside_the_result(run, lang, word):
    words = [*CODES, "-s", MINI, "--lang", lang, "--as-principal", "j96.000"]
    answer = run("explain", *words)
    assert answer.code == 0
    assert word in answer.out
    found = json.loads(run("explain", *words, "--json").out)
    assert found["steps"][-1]["drg"] == "BB11"
    assert [one["principal"] for one in found["trials"]] == ["J96.000"]
    assert found["trials"][0]["steps"][-1]["status"] == "ungrouped"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_trial_with_a_diagnosis_the_case_does_not_have_is_wrong_usage(run, lang):
    answer = run("explain", *CODES, "-s", MINI, "--as-principal", "A00.000", "--lang", lang)
    assert answer.code == 2
    assert "J96.000" in answer.err
