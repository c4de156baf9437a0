"""`grouper scheme`: list, show, lint, write."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from grouper.datafile import data_folder

pytestmark = pytest.mark.cli

MINI = Path(__file__).parents[1] / "data" / "schemes" / "mini"


def test_the_embedded_schemes_are_listed_with_their_counts(run):
    found = {one["id"]: one for one in json.loads(run("scheme", "list", "--json").out)["schemes"]}
    counts = {
        name: (one["mdc_count"], one["adrg_count"], one["drg_count"]) for name, one in found.items()
    }
    assert counts == {
        "beijing_2024": (26, 409, 682),
        "chs_drg_11": (26, 376, 628),
        "chs_drg_20": (26, 409, 634),
        "chs_drg_30": (26, 488, 815),
        "foshan_2022": (26, 376, 846),
        "guangxi_2022": (26, 376, 984),
        "henan_2024": (26, 409, 788),
        "qingyang_2023": (26, 376, 630),
        "shanxi_2024": (26, 409, 740),
    }
    assert found["chs_drg_30"]["status"] == "draft"
    lines = run("scheme", "list", "--lang", "zh").out.splitlines()
    assert len(lines) == 10
    assert [line.split("\t")[-1] for line in lines[:3]] == ["扩展自", "chs_drg_20", ""]


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


def test_a_region_is_named_by_its_id_and_shown_whole(run, tmp_path):
    head = json.loads(run("scheme", "show", "qingyang_2023", "--json").out)["scheme"]
    assert head["extends"] == "chs_drg_11"
    files = json.loads(run("scheme", "show", "--flat", "qingyang_2023", "--json").out)["files"]
    lists = run("scheme", "show", "qingyang_2023", "--flat", "lists.tsv").out
    assert lists == files["lists.tsv"]
    assert lists.startswith("list\tkind\tcode\n")
    assert lists.count("\n") == 98_996
    several = run("scheme", "show", "--flat", MINI, "mdc.tsv", "cc.tsv").out
    assert several.startswith("==> mdc.tsv <==\norder\tmdc\tname\twhen\n")
    assert "\n\n==> cc.tsv <==\n" in several
    assert run("scheme", "show", "--flat", MINI, "lists").code == 2


def test_a_region_is_written_whole_or_as_the_difference_from_another_scheme(run, tmp_path):
    assert run("scheme", "write", "beijing_2024", tmp_path / "whole").code == 0
    whole = tmp_path / "whole" / "beijing_2024"
    assert "extends" not in (whole / "scheme.toml").read_text("utf-8")
    answer = run("scheme", "write", whole, tmp_path, "--extends", "chs_drg_20")
    assert answer.code == 0
    for path in data_folder("schemes", "beijing_2024").iterdir():
        assert path.read_bytes() == (tmp_path / "beijing_2024" / path.name).read_bytes()
    answer = run("scheme", "write", whole, tmp_path / "new", "--extends", "beijing_2024")
    assert answer.code == 3
    assert "SE14" in answer.err
    assert not (tmp_path / "new").exists()
