"""`grouper scheme show` of a DIP catalogue."""

from __future__ import annotations

import json

import pytest
from dip_catalogues import DATA, real_text

pytestmark = pytest.mark.cli

LAYERED = DATA / "national-3.0-partial.tsv"


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    path = tmp_path_factory.mktemp("city") / "city.tsv"
    path.write_text(real_text(), "utf-8")
    return path


def shown(run, *words):
    answer = run("scheme", "show", *words, "--json")
    assert answer.code == 0, answer.err
    return json.loads(answer.out)


def test_the_head_counts_what_is_in_it(run, catalogue):
    head = shown(run, catalogue)["scheme"]
    assert head["id"] == "city"
    assert head["groups"] == sum(head["kinds"].values())
    assert (head["kinds"]["core"], head["kinds"]["blank"]) == (1619, 1)
    assert len(head["digest"]) == 64
    assert head["warnings"] == 209
    layered = shown(run, LAYERED)["scheme"]
    assert layered["layers"]["XQ"] == 12
    assert layered["excluded_dx"] == 4


def test_groups_and_the_rows_of_a_diagnosis(run, catalogue):
    rules = shown(run, catalogue, "K35.3:47.0100_54.5101", "K35.3")["rules"]
    assert rules[0]["when"] == "dx_key K35.3; main_ops 47.0100; related_ops 54.5101"
    assert rules[0]["score"] == "1368.145643"
    assert len(rules) > 2
    assert all("K35.3" in rule["when"] for rule in rules)
    (newborn,) = shown(run, LAYERED, "xq-17")["rules"]
    assert newborn["when"] == "dx_key P07; age_days < 29; weight_lo 1000; weight_hi 1499"
    assert (newborn["layer"], newborn["score"]) == ("XQ", None)
    assert "1368.145643" in run("scheme", "show", catalogue, "K35.3").out


@pytest.mark.parametrize("words", [("Q99:SS",), ("--flat", "drg.tsv")])
def test_what_is_not_there_is_wrong_usage(run, catalogue, words):
    assert run("scheme", "show", catalogue, *words).code == 2


def test_commands_of_drg_refuse_a_catalogue_with_a_word_of_why(run, catalogue, tmp_path):
    answer = run("scheme", "diff", catalogue, "chs_drg_20", "--lang", "en")
    assert answer.code == 2
    assert "DIP" in answer.err
    source = DATA / "cases-3.0.jsonl"
    answer = run("compare", source, "--from", catalogue, "--to", "chs_drg_20", "--lang", "en")
    assert answer.code == 3
    assert "SE63" in answer.err
    assert "this is a DIP catalogue" in answer.err
