"""An area's policy: what holds on a day, and every kind of broken file, named by its key."""

import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from grouper.datafile import data_folder
from grouper.dated import day_number
from grouper.errors import PolicyError, SettlementError
from grouper.policy.lint import lint
from grouper.policy.load import area_ids, load_policy
from grouper.policy.model import RULE_NAMES, Step, require_verified
from grouper.policy.schema import CostVersion, FundVersion, HighVersion, LowVersion, StandardVersion

POLICY = "policy-2025.toml"


@pytest.fixture(scope="module")
def demo():
    return load_policy("demo")


@pytest.fixture
def broken(tmp_path):
    """`broken(file, old, new)`: a copy of the demo area with one text replaced."""

    def make(file: str, old: str, new: str) -> Path:
        folder = tmp_path / "area"
        if not folder.exists():
            shutil.copytree(data_folder("areas", "demo"), folder)
        text = (folder / file).read_text("utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1), "utf-8", newline="\n")
        return folder

    return make


def issues(folder):
    with pytest.raises(PolicyError) as caught:
        load_policy(folder)
    for lang in ("zh", "en"):
        assert caught.value.text(lang)
    return [(issue.code, issue.where.partition(": ")[2]) for issue in caught.value.issues]


def is_invented(area):
    """Whether an area is invented; False also for one without policy."""
    try:
        return load_policy(area).is_demo
    except PolicyError:
        return False


def test_the_demo_area_is_marked_as_invented(demo):
    assert [area for area in area_ids() if is_invented(area)] == [
        area for area in area_ids() if area.startswith("demo")
    ]
    assert demo.is_demo
    assert demo.confidence == "constructed"
    assert "虚构" in demo.area.title
    assert lint("demo") == []


def test_the_rate_changes_inside_the_year(demo):
    rates = [
        demo.terms_at(day).base_rate.find("310", "三级", "")
        for day in (date(2025, 1, 1), date(2025, 6, 30), date(2025, 7, 1), date(2031, 1, 1))
    ]
    assert rates == [Decimal("8120.00")] * 2 + [Decimal("8206.55")] * 2
    with pytest.raises(SettlementError) as caught:
        demo.terms_at(date(2024, 12, 31))
    assert caught.value.issues[0].code == "ST101"


def test_eras_of_many_days_equal_the_lookup_of_each(demo):
    days = np.arange(day_number(date(2024, 12, 1)), day_number(date(2025, 9, 1)), dtype=np.int32)
    for day, era in zip(days.tolist(), demo.era(days).tolist(), strict=True):
        terms = demo.find_terms(date.fromordinal(day + date(1970, 1, 1).toordinal()))
        assert terms is (None if era < 0 else demo.terms[era])


def test_spellings_of_codes_are_data(demo):
    assert demo.insurance("职工") == demo.insurance(" 310 ") == "310"
    assert demo.level("3") == demo.level("三级甲等") == "三级"
    assert demo.insurance("x") == demo.level("") == ""


def test_a_day_without_policy_is_refused():
    assert load_policy("demo", date="2025-06-30").terms
    with pytest.raises(PolicyError) as caught:
        load_policy("demo", date="2024-06-30")
    assert caught.value.issues[0].code == "PO113"
    with pytest.raises(PolicyError) as caught:
        load_policy("atlantis")
    assert caught.value.issues[0].code == "PO101"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("[fund] #", "[found] #", [("PO103", "fund"), ("PO102", "found")]),
        ("valid_from = 2025-01-01\n", "", [("PO103", "valid_from")]),
        ('unit = "yuan/weight"\n', "", [("PO103", "base_rate.unit")]),
        ('unit = "yuan/weight"', 'unit = "yuan"', [("PO104", "base_rate.unit")]),
        ('source = "示范办法第三条（虚构）"\n', "", [("PO103", "base_rate.source")]),
        ('source = "示范办法第三条（虚构）"', 'source = " "', [("PO104", "base_rate.source")]),
        (
            'confidence = "constructed"\nvalues = [{ from = 2025-01-01, value',
            'confidence = "maybe"\nvalues = [{ from = 2025-01-01, value',
            [("PO104", "deposit.confidence")],
        ),
        ("310 = 8120.00", '310 = "8120"', [("PO104", "base_rate.values.0.310")]),
        ("310 = 8120.00", "310 = -1", [("PO104", "base_rate.values.0.310")]),
        ("310 = 8120.00", "311 = 8120.00", [("PO108", "base_rate.values.2025-01-01.311")]),
        ('by = "insurance"', 'by = "age"', None),
        ("from = 2025-07-01", 'from = "2025-07-01"', [("PO104", "base_rate.values.1.from")]),
        ("to = 2025-07-01", "to = 2025-06-30", [("PO105", "base_rate.values")]),
        ("to = 2025-07-01", "to = 2025-08-01", [("ST102", "base_rate.values")]),
        ("to = 2025-07-01", "to = 2025-01-01", [("PO106", "base_rate.values")]),
        ("value = 0.05", "value = 1.5", [("PO104", "deposit.values.0.value")]),
        ('rule = "L1"', 'rule = "L9"', [("PO104", "low_outlier.values.0.rule")]),
        ('rule = "H3"', 'rule = "L1"', [("PO104", "high_outlier.values.0.rule")]),
        ('operator = "<"', 'operator = ">"', [("PO104", "low_outlier.values.2025-01-01.operator")]),
        ('operator = ">"', 'operator = "=="', [("PO104", "high_outlier.values.0.operator")]),
        ("    { k = 2 },\n", "", [("ST107", "high_outlier.values.2025-01-01.multiple")]),
        ("{ weight_up_to = 2, k", "{ k", [("ST107", "high_outlier.values.2025-01-01.multiple")]),
        ("weight_up_to = 2", "weight_up_to = 1", [("ST107", None)]),
        ("weight_up_to = 1,", 'level = "特级",', [("PO108", None)]),
        ("{ k = 0.4 }", "", [("PO104", "low_outlier.values.0.multiple")]),
        ("[hospital_coefficient]", "[hospital_coefficients]", None),
        ("valid_from = 2025-01-01", "valid_from = 2024-01-01", None),
    ],
)
def test_a_broken_policy_names_its_key(broken, old, new, expected):
    found = issues(broken(POLICY, old, new))
    if expected is None:
        assert found
    else:
        assert [code for code, _ in found] == [code for code, _ in expected]
        for (_, place), (_, wanted) in zip(found, expected, strict=True):
            assert wanted is None or place == wanted


def test_a_misspelt_key_names_the_nearest(broken):
    with pytest.raises(PolicyError) as caught:
        load_policy(broken(POLICY, "[deposit]", "[deposits]"))
    unknown = next(issue for issue in caught.value.issues if issue.code == "PO102")
    assert unknown.params["near"] == "deposit"


def test_a_standard_with_coefficient_needs_coefficients(broken):
    folder = broken(POLICY, "[hospital_coefficient] #", "[x] #")
    text = (folder / POLICY).read_text("utf-8")
    start = text.index("[x] #")
    end = text.index("[standard]")
    (folder / POLICY).write_text(text[:start] + text[end:], "utf-8")
    assert issues(folder) == [("PO103", "hospital_coefficient")]
    (folder / POLICY).write_text(
        (text[:start] + text[end:]).replace('"S2"', '"S1"').replace('"w r c"', '"w r"'), "utf-8"
    )
    assert load_policy(folder).terms[0].coefficient is None


def test_two_editions_follow_each_other_and_must_not_overlap(broken):
    folder = broken(POLICY, "valid_from = 2025-01-01", "valid_from = 2025-01-01")
    # without what the demo area decided for later years
    text = (folder / POLICY).read_text("utf-8").split("\n# 年度")[0]
    (folder / POLICY).write_text(text, "utf-8")
    later = text.replace("valid_from = 2025-01-01", "valid_from = 2026-01-01")
    later = later.replace("8206.55", "9000.00")
    (folder / "policy-2026.toml").write_text(later, "utf-8")
    assert [code for code, _ in issues(folder)] == ["ST102"]
    ended = text.replace(
        "valid_from = 2025-01-01\n", "valid_from = 2025-01-01\nvalid_to = 2026-01-01\n"
    )
    (folder / POLICY).write_text(ended, "utf-8")
    policy = load_policy(folder)
    rates = [terms.base_rate.find("310", "", "") for terms in policy.terms]
    assert rates == [Decimal("8120.00"), Decimal("8206.55"), Decimal("9000.00")]
    assert policy.terms[1].span.end == policy.terms[2].span.start == date(2026, 1, 1)


def test_broken_hospitals_and_areas(broken):
    folder = broken("hospitals.tsv", "一级\t1\t0", "四级\tyes\t0")
    assert [code for code, _ in issues(folder)] == ["PO110", "PO110"]
    folder = broken("hospitals.tsv", "四级\tyes\t0", "一级\t1\t0")
    folder = broken("hospitals.tsv", "H99000000002", "H99000000001")
    assert [code for code, _ in issues(folder)] == ["PO110"]
    folder = broken("area.toml", 'id = "demo"\n', "")
    assert issues(folder) == [("PO103", "id")]


def test_an_area_without_policy_says_so(broken):
    folder = broken("area.toml", "demo = true", "demo = true")
    (folder / POLICY).unlink()
    assert [code for code, _ in issues(folder)] == ["PO111"]


def test_doubts_are_warnings(broken):
    found = lint(broken(POLICY, "value = 0.05", "value = 0.051"))
    assert [issue.code for issue in found][:1] == ["ST110"]
    assert {issue.severity for issue in found} == {"warning"}
    found = lint(broken(POLICY, ", 390 = 7318.20", ""))
    assert [(issue.code, issue.params.get("value")) for issue in found][-1] == ("PO201", "390")


def test_unverified_values_are_refused_unless_the_area_is_a_demonstration(broken):
    assert require_verified(load_policy("demo")) == "constructed"
    policy = load_policy(broken("area.toml", "demo = true\n", ""))
    with pytest.raises(PolicyError) as caught:
        require_verified(policy)
    assert caught.value.issues[0].code == "PO112"
    assert require_verified(policy, allow="unverified") == "constructed"


def test_a_firm_policy_with_a_weak_table_is_refused(broken):
    folder = broken("area.toml", "demo = true\n", "")
    for file in ("area.toml", POLICY):
        text = (folder / file).read_text("utf-8").replace('"constructed"', '"official"')
        (folder / file).write_text(text, "utf-8")
    policy = load_policy(folder)
    assert require_verified(policy, "published") == "published"
    with pytest.raises(PolicyError):
        require_verified(policy, "unofficial")


def test_the_multiple_goes_by_the_first_step_that_fits(demo):
    high = demo.terms[0].high
    multiples = [high.multiple(Decimal(w), "310", "三级") for w in ("1", "1.0001", "2", "2.0001")]
    assert multiples == [3, Decimal("2.5"), Decimal("2.5"), 2]
    strict = Step(Decimal(3), weight_below=Decimal(4), level="三级")
    assert strict.fits(Decimal("3.9999"), "310", "三级")
    assert not strict.fits(Decimal(4), "310", "三级")
    assert not strict.fits(Decimal(1), "310", "二级")


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("standard", StandardVersion),
        ("low_outlier", LowVersion),
        ("high_outlier", HighVersion),
        ("cost", CostVersion),
        ("fund", FundVersion),
    ],
)
def test_a_policy_may_name_exactly_the_known_rules(kind, model):
    assert model.model_fields["rule"].annotation.__args__ == RULE_NAMES[kind]


def test_a_spelling_stands_for_one_code_only(broken):
    folder = broken("area.toml", 'aliases = ["2", "二"', 'aliases = ["2", "三甲"')
    assert [code for code, _ in issues(folder)] == ["PO118"]


FACTS = "key\tvalue\tunit\tvalid_from\tvalid_to\tsource\tconfidence\n"


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("premium\t350\tyuan\t2023-13-01\t\t某文件\tofficial", "valid_from"),
        ("premium\t350\tyuan\t\t\t某文件\tofficial", "valid_from"),
        ("premium\t350\tyuan\t2023-01-01\tsoon\t某文件\tofficial", "valid_to"),
        ("premium\t\tyuan\t2023-01-01\t\t某文件\tofficial", "value"),
        ("premium\t350\tyuan\t2023-01-01\t\t\tofficial", "source"),
        ("premium\t350\tyuan\t2023-01-01\t\t某文件\tsure", "confidence"),
    ],
)
def test_a_fact_names_its_broken_cell(broken, line, column):
    folder = broken("area.toml", "demo = true", "demo = true")
    (folder / "facts.tsv").write_text(f"{FACTS}{line}\n", "utf-8")
    with pytest.raises(PolicyError) as caught:
        load_policy(folder)
    (issue,) = caught.value.issues
    assert (issue.code, issue.where) == ("PO119", f"facts.tsv:2:{column}")
    (folder / "facts.tsv").write_text(
        f"{FACTS}premium\t350\tyuan\t2023-01-01\t\t某文件\tofficial\n", "utf-8"
    )
    (fact,) = load_policy(folder).area.facts
    assert (fact.key, fact.value, fact.span.start) == ("premium", "350", date(2023, 1, 1))


def test_a_spelling_of_a_new_area_goes_to_the_narrowest_level():
    policy = load_policy("nanning")
    spelt = {
        text: policy.level(text) for text in ("三级甲等", "三甲", "三级乙等", "三级", "二级甲等")
    }
    assert spelt == {
        "三级甲等": "三甲", "三甲": "三甲", "三级乙等": "三级", "三级": "三级", "二级甲等": "二级",
    }  # fmt: skip
