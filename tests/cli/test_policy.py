"""`grouper policy`: list, show, lint."""

from __future__ import annotations

import json
import shutil

import pytest

from grouper.datafile import data_folder

pytestmark = pytest.mark.cli


def test_packs_and_leads_are_listed(run):
    rows = json.loads(run("policy", "list", "--json").out)["areas"]
    kinds = [one["kind"] for one in rows]
    assert kinds.count("lead") == 148
    assert kinds.count("numbers") == 6
    assert rows[0]["area"] == "demo"
    lines = run("policy", "list", "--lang", "zh").out.splitlines()
    assert len(lines) == len(rows) + 1
    assert lines[0].startswith("统筹区\t类别")


@pytest.mark.parametrize("area", ["demo", "武汉", "温州"])
def test_an_area_is_shown_with_its_sources(run, area):
    answer = run("policy", "show", area, "--json")
    assert answer.code == 0
    shown = json.loads(answer.out)
    assert shown["area"]["area"] == area
    assert all(row["key"] and row["value"] for row in shown["rules"])
    assert any(row["source"] for row in shown["rules"])
    assert run("policy", "show", area).out.count("\n") == len(shown["rules"]) + 1


def test_the_rules_of_an_era_are_told_with_their_days(run):
    rules = json.loads(run("policy", "show", "demo", "--json").out)["rules"]
    rates = [one["value"] for one in rules if one["key"] == "base_rate"]
    assert rates == ["310=8120.00;390=7260.00", "310=8206.55;390=7318.20"]
    (high, _) = [one["value"] for one in rules if one["key"] == "high_outlier"]
    assert high == "H3, x > w<=1:3|w<=2:2.5|*:2"


@pytest.mark.parametrize(("words", "code"), [(("show", "无此地"), 3), (("lint",), 2)])
def test_wrong_names_exit_with_one_message(run, words, code):
    answer = run("policy", *words)
    assert answer.code == code
    assert not answer.out
    assert "Traceback" not in answer.err


def test_lint_tells_every_threshold_of_every_area(run):
    answer = run("policy", "lint", "--all", "--json")
    assert answer.code == 0
    found = json.loads(answer.out)
    assert len(found["areas"]) == 149
    # the areas of public tables alone, without outliers, and of score bands have none
    without = {one["area"] for one in found["areas"] if not one["jumps"]}
    assert without == {"北京", "无锡", "楚雄", "银川", "CHS-DRG 3.0 reference"}
    doubtful = [one for one in found["areas"] if one["issues"]]
    assert len(doubtful) == found["warnings"] == 33
    chinese = run("policy", "lint", "武汉", "哈尔滨", "--lang", "zh")
    assert chinese.code == 0
    assert "哈尔滨\t\t高倍率\t> 2\tH7\t\t\t1.7\t0.7" in chinese.out
    assert "2 个统筹区" in chinese.err
    assert run("policy", "lint", "武汉", "--strict").code == 1


def test_lint_of_a_broken_pack_exits_1_and_tells_no_threshold(run, tmp_path):
    folder = tmp_path / "area"
    shutil.copytree(data_folder("areas", "demo"), folder)
    path = folder / "policy-2025.toml"
    path.write_text(path.read_text("utf-8").replace('rule = "H3"', 'rule = "H9"'), "utf-8")
    answer = run("policy", "lint", folder, "--json")
    assert answer.code == 1
    (report,) = json.loads(answer.out)["areas"]
    assert report["issues"]
    assert report["jumps"] == []


def test_a_new_area_is_written_and_lints(run, tmp_path):
    folder = tmp_path / "411600-zhoukou"
    answer = run("policy", "new", folder, "--from", "周口", "--weights", "guangan-2024")
    assert answer.code == 0
    # the levels are those of the weight table
    assert '[level."三级"]' in (folder / "area.toml").read_text("utf-8")
    assert run("policy", "lint", folder).code == 0
    shown = run("policy", "show", folder).out
    assert "S3, x = C / (w M c)" in shown
    assert run("policy", "new", folder, "--code", "411600", "--year", "2026").code == 3
    assert run("policy", "new", folder, "--code", "411600", "--year", "2026", "--force").code == 0


@pytest.mark.parametrize("words", [(), ("--code", "41160", "--year", "2026"), ("--code", "411600")])
def test_a_new_area_needs_code_and_year(run, tmp_path, words):
    answer = run("policy", "new", tmp_path / "x", *words)
    assert answer.code == 2
    assert not (tmp_path / "x").exists()
