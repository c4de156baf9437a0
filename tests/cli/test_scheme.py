"""`grouper scheme`: list, show, lint, write."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

pytestmark = pytest.mark.cli

MINI = Path(__file__).parents[1] / "data" / "schemes" / "mini"


def test_the_embedded_schemes_are_listed_with_their_counts(run):
    found = {one["id"]: one for one in json.loads(run("scheme", "list", "--json").out)["schemes"]}
    counts = {
        name: (one["mdc_count"], one["adrg_count"], one["drg_count"]) for name, one in found.items()
    }
    assert counts == {
        "chs_drg_11": (26, 376, 628),
        "chs_drg_20": (26, 409, 634),
        "chs_drg_30": (26, 488, 815),
    }
    assert found["chs_drg_30"]["status"] == "draft"
    assert "chs_drg_20" in run("scheme", "list", "--lang", "zh").out


def test_a_scheme_is_shown_with_its_source_and_digest(run):
    head = json.loads(run("scheme", "show", MINI, "--json").out)["scheme"]
    assert head["id"] == "mini"
    assert len(head["digest"]) == 64
    assert "made up for tests" in run("scheme", "show", MINI).out


@pytest.mark.parametrize("code", ["BB1", "bb11", "B", "MDCB"])
def test_the_rules_of_a_group_are_shown(run, code):
    rules = json.loads(run("scheme", "show", MINI, code, "--json").out)["rules"]
    assert rules
    assert all(rule["when"] for rule in rules)


def test_an_adrg_is_shown_with_all_its_rows_and_drgs(run):
    rules = json.loads(run("scheme", "show", MINI, "BB1", "--json").out)["rules"]
    assert [rule["code"] for rule in rules] == ["BB1", "BB1", "BB11", "BB13", "BB15"]


def test_an_unknown_group_is_wrong_usage(run):
    assert run("scheme", "show", MINI, "XY9").code == 2


def test_lint_exits_0_on_warnings_1_on_errors_and_on_warnings_when_strict(run, tmp_path):
    good = tmp_path / "mini"
    shutil.copytree(MINI, good)
    assert run("scheme", "lint", good).code == 0
    drg = good / "drg.tsv"
    drg.write_bytes(drg.read_bytes().replace(b"13\tBZ1\tBZ19\t", b"13\tBZ1\tBR19\t"))
    answer = run("scheme", "lint", good, "--lang", "zh")
    assert answer.code == 1
    assert "SE04" in answer.out
    assert "drg.tsv:14" in answer.out
    report = json.loads(run("scheme", "lint", good, "--json").out)["schemes"][0]
    assert report["errors"] >= 1
    assert run("scheme", "lint", "chs_drg_30", "--strict").code == 1


def test_writing_a_scheme_gives_the_same_bytes(run, tmp_path):
    assert run("scheme", "write", MINI, tmp_path).code == 0
    for path in (tmp_path / "mini").iterdir():
        if path.name != "README.md":
            assert path.read_bytes() == (MINI / path.name).read_bytes(), path.name
    assert run("scheme", "write", MINI, tmp_path / "mini").code == 3
    assert run("scheme", "write", MINI, tmp_path / "mini", "--force").code == 0
