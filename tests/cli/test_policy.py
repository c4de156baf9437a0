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
    assert kinds.count("pack") >= 38
    silent = [one for one in rows if one["kind"] == "silent"]
    assert {one["area_code"] for one in silent} == {"150300", "150400", "150600", "150700"}
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
    leads = [
        one
        for one in found["areas"]
        if not one["area"][:1].isalnum()
        or not one["area"].isascii()
        or one["area"].startswith("CHS")
    ]
    assert len(leads) == 148
    # the areas of public tables alone, without outliers, and of score bands have none
    without = {one["area"] for one in found["areas"] if not one["jumps"]}
    assert without - {one["area"] for one in leads} == {
        "110000-beijing",
        "demo-dip",
        "310000-shanghai",
        "150300-wuhai",
        "150400-chifeng",
        "150600-ordos",
        "150700-hulunbuir",
    }
    assert without & {one["area"] for one in leads} == {
        "北京",
        "无锡",
        "楚雄",
        "银川",
        "CHS-DRG 3.0 reference",
    }
    doubtful = [one for one in leads if one["issues"]]
    assert len(doubtful) == 33
    codes = {issue["code"] for one in found["areas"] for issue in one["issues"]}
    assert codes == {"PO117", "PO202", "PO204", "PO206"}
    assert all(
        ".tsv:" in issue["where"] or ".toml:" in issue["where"]
        for one in found["areas"]
        for issue in one["issues"]
    )
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


def test_where_nothing_is_published_show_says_why(run):
    answer = run("policy", "show", "wuhai", "--lang", "zh")
    assert answer.code == 0
    assert "公开资料中没有找到" in answer.out
    shown = json.loads(run("policy", "show", "150300", "--json").out)
    assert shown["area"]["kind"] == "silent"
    assert shown["rules"][0]["key"] == "unpublished"
    assert len(shown["rules"]) > 1
    answer = run("policy", "lint", "wuhai")
    assert (answer.code, answer.out.count("\n")) == (0, 1)
    assert "PO117" in answer.err


CASE = ("--on", "2024-06-30", "--insurance", "职工", "--level")


def test_the_one_row_of_a_case_is_shown_or_the_nearest_named(run):
    shown = json.loads(run("policy", "show", "anyang", *CASE, "市二级", "--json").out)
    values = {one["key"]: one["value"] for one in shown["rules"]}
    assert values["base_rate"] == "6655"
    assert values["hospital_coefficient"] == "0.9961"
    answer = run("policy", "show", "anyang", *CASE, "市二")
    assert answer.code == 3
    assert "ST105" in answer.err
    assert "市二级" in answer.err
    late = [word.replace("2024", "2025") for word in CASE]
    answer = run("policy", "show", "anyang", *late, "市二级")
    assert answer.code == 3
    assert "ST101" in answer.err
    assert "[2024-01-01, 2025-01-01)" in answer.err
    assert run("policy", "show", "anyang", "--insurance", "职工").code == 2
    assert run("policy", "show", "anyang", "--on", "today").code == 2


def test_parameters_in_force_are_shown_with_their_articles(run):
    shown = json.loads(run("policy", "show", "guangan", "--parameters", "--json").out)["rules"]
    quota = next(one for one in shown if one["key"] == "parameters.special_quota")
    assert (quota["value"], quota["confidence"]) == ("0.05", "official")
    assert "第二十条" in quota["source"]
    months = next(one for one in shown if one["key"] == "parameters.advance_min_months")
    assert months["value"] == "310=12;390=6"
    few = json.loads(run("policy", "show", "guangan", "--json").out)["rules"]
    assert len(few) < len(shown)


def test_the_difference_of_two_days_of_an_area(run):
    words = ("policy", "diff", "mianyang@2024-06-30", "mianyang@2026-06-30")
    found = json.loads(run(*words, "--json").out)
    changes = {one["key"]: one for one in found["changes"]}
    assert found["count"] == len(changes)
    assert (changes["point_value[310]"]["left"], changes["point_value[310]"]["right"]) == (
        "46.3592", "43.98",
    )  # fmt: skip
    assert {"scheme", "weight_table", "parameters.clearing_due"} <= set(changes)
    assert changes["parameters.clearing_share"]["kind"] == "right"
    assert "high_outlier" not in changes
    chinese = run(*words, "--lang", "zh")
    assert chinese.out.startswith("项目\t类别\t左\t右")
    assert "处不同" in chinese.err
    assert json.loads(run("policy", "diff", "demo", "demo", "--json").out)["changes"] == []


def test_leads_and_packs_are_compared_under_the_same_keys(run):
    found = json.loads(run("policy", "diff", "guilin", "桂林", "--json").out)["changes"]
    assert {one["key"] for one in found} <= {"weight_table"}
    assert run("policy", "diff", "guilin@2031-01-01", "桂林").code == 3
    assert run("policy", "diff", "guilin@soon", "桂林").code == 2
    assert run("policy", "diff", "guilin", "温州").code == 3


def test_the_dates_of_a_year(run):
    found = json.loads(run("policy", "calendar", "guangan", "--year", "2026", "--json").out)
    clearing = next(one for one in found["duties"] if one["duty"] == "clearing")
    assert (clearing["date"], clearing["period"]) == ("2026-05-31", "2025")
    chinese = run("policy", "calendar", "--year", "2026", "--lang", "zh")
    assert chinese.code == 0
    assert "2026-05-31\t年度清算完成\t2025\t" in chinese.out
    # the days worked in the stead of holidays are arranged late in the year before
    assert "ST108" in run("policy", "calendar", "--year", "2040").err
    assert run("policy", "calendar", "guangan").code == 2
