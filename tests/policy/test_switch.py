"""The switch of version: scheme, table, coefficients, thresholds change on the area's own day."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest

import weights
from grouper.datafile import data_folder
from grouper.dated import day_number
from grouper.errors import PolicyError, SettlementError, WeightError
from grouper.policy.diff import all_lines, compare
from grouper.policy.load import load_policy
from grouper.policy.model import require_verified
from grouper.policy.pick import pick
from grouper.settle.single import CaseFacts, settle_case

#: no national date: this area changes its version in the middle of March
SWITCH = date(2026, 3, 16)
OLD = {"三级": "1.0850", "multiple": "3", "table": "demo", "scheme": "chs_drg_20"}
NEW = {"三级": "1.2500", "multiple": "2.75", "table": "demo-new", "scheme": "chs_drg_11"}


def edition(text: str, start: date, end: date | None, values: dict[str, str], rate: str) -> str:
    """The demo policy from a day on, without what month and year add, with other values."""
    text = text[: text.index("[parameters.")] if "[parameters." in text else text
    text = text.replace(
        "  { from = 2025-01-01, to = 2025-07-01, 310 = 8120.00, 390 = 7260.00 },\n", ""
    )
    text = text.replace("from = 2025-07-01, 310 = 8206.55", f"from = {start}, 310 = {rate}")
    text = text.replace("2025-01-01", start.isoformat(), text.count("2025-01-01"))
    closing = f"valid_from = {start}" + (f"\nvalid_to = {end}" if end else "")
    text = text.replace(f"valid_from = {start}", closing)
    for key, old in OLD.items():
        new = values[key]
        pattern = {
            "三级": f'"三级" = {old}', "multiple": f"weight_up_to = 1, k = {old}",
            "table": f'weight_table = "{old}"', "scheme": f'scheme = "{old}"',
        }[key]  # fmt: skip
        assert pattern in text, pattern
        text = text.replace(pattern, pattern.replace(old, new))
    return text


@pytest.fixture(scope="module")
def area(tmp_path_factory):
    folder = tmp_path_factory.mktemp("switch") / "area"
    shutil.copytree(data_folder("areas", "demo"), folder)
    text = (folder / "policy-2025.toml").read_text("utf-8")
    start = date(2025, 1, 1)
    (folder / "policy-2025.toml").write_text(edition(text, start, SWITCH, OLD, "8000.00"), "utf-8")
    (folder / "policy-2026.toml").write_text(edition(text, SWITCH, None, NEW, "9000.00"), "utf-8")
    return folder


@pytest.fixture(scope="module")
def policy(area):
    return load_policy(area)


def seen(terms):
    """Everything that must change together."""
    return (
        terms.scheme_id,
        terms.weight_table,
        terms.base_rate.find("310", "三级", ""),
        terms.coefficient.find("310", "三级", ""),
        terms.high.multiple(Decimal(1), "310", "三级"),
    )


BEFORE = ("chs_drg_20", "demo", Decimal("8000.00"), Decimal("1.0850"), Decimal(3))
AFTER = ("chs_drg_11", "demo-new", Decimal("9000.00"), Decimal("1.2500"), Decimal("2.75"))


def test_all_values_change_on_the_areas_own_day(policy):
    assert seen(policy.terms_at(SWITCH - timedelta(days=1))) == BEFORE
    assert seen(policy.terms_at(SWITCH)) == AFTER
    # the first of January, when others change, is a day like any other
    assert seen(policy.terms_at(date(2026, 1, 1))) == BEFORE
    keys = {one.key for one in compare(all_lines(policy, date(2026, 3, 15)),
                                       all_lines(policy, SWITCH))}  # fmt: skip
    assert {"scheme", "weight_table", "base_rate[310]", "high_outlier"} <= keys


def settled(policy, day, table="demo", scheme="chs_drg_20"):
    case = CaseFacts("H99000000001", "三级", "310", day, 900_000, 500_000, 0)
    return settle_case(
        case, "BR11", weights.load(table), policy, scheme_id=scheme, scheme_status="national"
    )


def test_a_stay_is_priced_by_the_version_of_its_discharge(policy):
    # admitted in December, discharged in January: the rules of January, which are the old ones
    january = settled(policy, date(2026, 1, 3))
    assert january.steps[1:] == settled(policy, date(2025, 12, 30)).steps[1:]
    # admitted before the switch, discharged after it: nothing of the old version is taken
    late = settled(policy, SWITCH)
    assert late.payable_fen is None
    assert late.issue.code == "ST109"


def test_a_month_that_holds_both_is_cut_at_the_switch(policy):
    first = day_number(date(2026, 3, 1))
    eras = policy.era(np.arange(first, first + 31, dtype=np.int32)).tolist()
    assert [seen(policy.terms[era]) for era in eras] == [BEFORE] * 15 + [AFTER] * 16


def test_a_missing_new_table_is_named(policy):
    with pytest.raises(WeightError) as caught:
        weights.load(policy.terms_at(SWITCH).weight_table)
    (issue,) = caught.value.issues
    assert issue.code == "WT105"
    assert "demo-new" in issue.text("zh")
    assert "demo-new" in issue.text("en")
    with pytest.raises(SettlementError) as caught:
        settled(policy, SWITCH, scheme="chs_drg_11")
    assert caught.value.issues[0].code == "ST109"


def test_the_clearing_of_a_year_is_untouched_by_what_follows(area, policy, tmp_path):
    """Run in April 2027, when the rules of 2027 are in force: those of 2026 are still the same."""
    later = tmp_path / "area"
    shutil.copytree(area, later)
    start = date(2027, 1, 1)
    text = (data_folder("areas", "demo") / "policy-2025.toml").read_text("utf-8")
    own = '\n[parameters.reserve]\nunit = "1"\nsource = "某办法"\nconfidence = "official"\n'
    values = f"values = [{{ from = {start}, value = 0.02 }}]\n"
    (later / "policy-2027.toml").write_text(
        edition(text, start, None, NEW | {"multiple": "2.9"}, "9999.00") + own + values, "utf-8"
    )
    ended = (later / "policy-2026.toml").read_text("utf-8")
    ended = ended.replace(f"valid_from = {SWITCH}", f"valid_from = {SWITCH}\nvalid_to = {start}")
    (later / "policy-2026.toml").write_text(ended, "utf-8")
    now = load_policy(later, date="2027-04-15")
    for day in (date(2026, 1, 1), SWITCH, date(2026, 12, 31)):
        assert compare(all_lines(policy, day), all_lines(now, day)) == []
    assert now.terms_at(date(2027, 4, 15)).base_rate.find("310", "", "") == Decimal("9999.00")
    reserve = [str(now.parameters.number("reserve", date(year, 12, 31))) for year in (2026, 2027)]
    assert reserve == ["0.05", "0.02"]
    assert now.parameters.due_day("clearing_due", 2026) == date(2027, 4, 30)


def test_the_one_row_for_a_case_or_the_nearest(policy):
    found = pick(policy, SWITCH, insurance="职工", level="三级甲等", group="BR11")
    assert (found.rate, found.coefficient) == (Decimal("9000.00"), Decimal("1.2500"))
    assert [step.multiple for step in found.high] == [Decimal("2.75"), Decimal("2.5"), Decimal(2)]
    for text, insurance, level, day, code in (
        ("2025-01-01", "职工", "三级", date(2024, 12, 31), "ST101"),
        ("三级", "职工", "三级医院", SWITCH, "ST105"),
        ("居民", "居民险", "三级", SWITCH, "ST105"),
    ):
        with pytest.raises(SettlementError) as caught:
            pick(policy, day, insurance=insurance, level=level)
        assert caught.value.issues[0].code == code
        for lang in ("zh", "en"):
            assert text in caught.value.text(lang)


def test_a_key_without_value_names_the_nearest(area, tmp_path):
    folder = tmp_path / "area"
    shutil.copytree(area, folder)
    for file in folder.glob("policy-*.toml"):
        text = file.read_text("utf-8").replace(', "一级" = 0.8575', "")
        file.write_text(text, "utf-8")
    with pytest.raises(SettlementError) as caught:
        pick(load_policy(folder), SWITCH, insurance="310", level="一级")
    (issue,) = caught.value.issues
    assert issue.code == "ST101"
    assert "hospital_coefficient" in issue.text("zh")
    assert "三级 = 1.2500" in issue.text("en")


def test_rows_that_overlap_are_refused(area, tmp_path):
    folder = tmp_path / "area"
    shutil.copytree(area, folder)
    text = (folder / "policy-2025.toml").read_text("utf-8")
    (folder / "policy-2025.toml").write_text(text.replace(f"valid_to = {SWITCH}\n", ""), "utf-8")
    with pytest.raises(PolicyError) as caught:
        load_policy(folder)
    assert [issue.code for issue in caught.value.issues] == ["ST102"]


def test_a_run_rests_on_the_editions_whose_table_it_uses(area, tmp_path):
    folder = tmp_path / "area"
    shutil.copytree(area, folder)
    for name in ("area.toml", "policy-2025.toml"):
        text = (folder / name).read_text("utf-8").replace("demo = true\n", "")
        (folder / name).write_text(text.replace('"constructed"', '"official"'), "utf-8")
    policy = load_policy(folder)
    assert policy.confidence == "constructed"
    assert require_verified(policy, "published", tables=["demo"]) == "published"
    for tables in (["demo-new"], ["demo", "demo-new"], None):
        with pytest.raises(PolicyError) as caught:
            require_verified(policy, "published", tables=tables)
        (issue,) = caught.value.issues
        assert issue.code == "PO112"
        assert "base_rate (constructed)" in issue.text("zh")
        assert require_verified(policy, tables=tables, allow="unverified") == "constructed"
