"""Targets are dated data with a document behind every figure."""

from fractions import Fraction

import pytest

from grouper.errors import SettlementError
from grouper.monitor.targets import (
    UNITS,
    document_ids,
    in_force,
    lint_targets,
    load_targets,
)

GOOD = """\
document = "某市通知"
number = "某医保〔2023〕1号"
date = 2023-01-05
area = "某市"
area_code = "990100"
source = "某医保〔2023〕1号"
confidence = "official"

[[targets]]
row = "X1"
measure = "fund"
scope = "each"
period = "2023"
value = 0.55
text_zh = "过半"
text_en = "more than half"
"""


def write(tmp_path, text):
    path = tmp_path / "city.toml"
    path.write_text(text, "utf-8")
    return path


def test_package_holds_the_four_documents():
    assert document_ids() == (
        "henan-2022-5",
        "national-2021-48",
        "national-2022-20",
        "xifeng-2022-47",
    )


def test_every_shipped_target_is_complete():
    targets = load_targets()
    assert len(targets) == 17
    assert {target.unit for target in targets} == {"count", "yuan"}
    for target in targets:
        assert target.measure in UNITS
        assert 0 < target.value <= 1
        assert target.document
        assert target.source


@pytest.mark.parametrize(
    ("row", "period", "measure", "value", "confidence"),
    [
        ("S09", "2022", "institution", "1/2", "official"),
        ("S10", "2022", "fund", "1/2", "official"),
        ("S26", "2025", "disease_types", "9/10", "official"),
        ("S27", "2025", "fund_eligible", "7/10", "official"),
        ("S49", "2022", "area", "2/5", "official"),
        ("N01", "2023", "area", "7/10", "published"),
        ("N02", "year 3", "institution", "1", "published"),
        ("N03", "year 2", "disease_cases", "4/5", "unofficial"),
        ("N03", "year 3", "disease_cases", "9/10", "published"),
        ("N04", "year 2", "fund", "1/2", "unofficial"),
    ],
)
def test_figures_are_those_of_the_source_table(row, period, measure, value, confidence):
    (target,) = [t for t in load_targets() if (t.row, t.period) == (row, period)]
    assert (target.measure, target.value) == (measure, Fraction(value))
    assert target.confidence == confidence


def test_area_code_keeps_the_documents_that_bind_the_area():
    numbers = {target.number for target in load_targets(area_code="410100")}
    assert numbers == {"豫医保〔2022〕5号", "医保发〔2021〕48号", "医保发〔2022〕20号"}
    # a district's own document does not bind its city
    assert "区政府办发〔2022〕47号" not in {t.number for t in load_targets(area_code="621000")}


def test_year_keeps_the_documents_that_speak_then():
    assert {t.number for t in load_targets(year=2025)} == {
        "豫医保〔2022〕5号",
        "区政府办发〔2022〕47号",
    }
    assert {t.number for t in load_targets(year=2021)} == {"医保发〔2021〕48号"}


def test_users_own_file_is_as_good_as_ours(tmp_path):
    (target,) = load_targets([write(tmp_path, GOOD)])
    assert (target.value, target.date, target.unit) == (Fraction(11, 20), "2023-01-05", "yuan")


def test_unknown_document_names_the_nearest():
    with pytest.raises(SettlementError) as caught:
        load_targets(["henan-2022"])
    assert caught.value.issues[0].code == "ST406"
    assert "henan-2022-5" in caught.value.text("zh")


KEYS = ["document", "number", "date", "area", "area_code", "source", "confidence"]
ROW_KEYS = ["row", "measure", "scope", "period", "value", "text_zh", "text_en"]


@pytest.mark.parametrize("key", KEYS + ROW_KEYS)
def test_missing_key_makes_the_target_incomplete(tmp_path, key):
    lines = [line for line in GOOD.splitlines() if not line.startswith(f"{key} =")]
    (issue,) = lint_targets(write(tmp_path, "\n".join(lines)))
    assert issue.code == "ST402"
    assert issue.params["key"] == key
    assert key in issue.where


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("date = 2023-01-05", 'date = "2023"'),
        ('area_code = "990100"', 'area_code = "99"'),
        ('confidence = "official"', 'confidence = "sure"'),
        ('measure = "fund"', 'measure = "money"'),
        ('scope = "each"', 'scope = "some"'),
        ('period = "2023"', 'period = "soon"'),
        ("value = 0.55", "value = 55"),
        ("value = 0.55", "value = true"),
        ("value = 0.55", "value = 0"),
        ('number = "某医保〔2023〕1号"', "number = 7"),
        ('row = "X1"', 'row = "X1"\nrwo = "X1"'),
        ('source = "某医保〔2023〕1号"', 'source = "a"\nuntil = "2024"'),
        ('source = "某医保〔2023〕1号"', 'source = "a"\nsorce = "b"'),
    ],
)
def test_unknown_key_or_bad_value_is_one_named_defect(tmp_path, old, new):
    assert old in GOOD
    (issue,) = lint_targets(write(tmp_path, GOOD.replace(old, new)))
    assert issue.code == "ST405"
    assert issue.text("zh") != issue.text("en")


def test_all_defects_are_reported_at_once(tmp_path):
    text = GOOD.replace('measure = "fund"', 'measure = "money"').replace("0.55", "2")
    with pytest.raises(SettlementError) as caught:
        load_targets([write(tmp_path, text)])
    assert [issue.code for issue in caught.value.issues] == ["ST405", "ST405"]


def test_file_without_targets_is_incomplete(tmp_path):
    (issue,) = lint_targets(write(tmp_path, GOOD.split("[[targets]]")[0]))
    assert (issue.code, issue.params["key"]) == ("ST402", "targets")


def test_same_period_twice_is_refused(tmp_path):
    row = GOOD[GOOD.index("[[targets]]") :]
    (issue,) = lint_targets(write(tmp_path, GOOD + row))
    assert issue.code == "ST405"


def chosen(measure, year, start_year=None, documents=None):
    targets = load_targets(documents)
    return [(t.row, t.period) for t in in_force(targets, measure, year, start_year=start_year)]


def test_calendar_steps_follow_the_year_and_end_with_the_plan():
    plan = ["national-2021-48"]
    assert chosen("area", 2021, documents=plan) == [("N01", "2022")]
    assert chosen("area", 2023, documents=plan) == [("N01", "2023")]
    assert chosen("area", 2025, documents=plan) == []


def test_steps_from_the_start_need_the_start_year():
    plan = ["national-2021-48"]
    assert chosen("institution", 2023, 2022, plan) == [("N02", "year 2")]
    assert chosen("institution", 2024, 2019, plan) == [("N02", "year 3")]
    assert chosen("institution", 2023, None, plan) == []


def test_target_to_come_counts_before_its_year_and_stays_after_it():
    assert chosen("fund_eligible", 2023) == [("S27", "2025")]
    assert chosen("fund_eligible", 2026) == [("S27", "2025")]
    assert chosen("fund_eligible", 2021) == []


def test_every_document_gives_its_own_step():
    assert chosen("institution", 2022, 2022) == [("S09", "2022"), ("N02", "year 1")]
