"""Parameters of month and year: the national defaults, an area's own values, what is refused."""

from __future__ import annotations

import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from grouper.datafile import data_folder
from grouper.errors import PolicyError, SettlementError
from grouper.policy.lint import lint
from grouper.policy.load import load_policy
from grouper.policy.parameter_files import national_parameters
from grouper.policy.parameters import Band, ScoreStep

POLICY = "policy-2025.toml"


@pytest.fixture
def area(tmp_path):
    """`area(text, deposit)`: the demo area with a text added to its policy."""

    def make(text: str = "", *, deposit: bool = True) -> Path:
        folder = tmp_path / "area"
        shutil.copytree(data_folder("areas", "demo"), folder, dirs_exist_ok=True)
        # without what the demo area decided for its years
        policy = (folder / POLICY).read_text("utf-8").split("\n# 年度")[0]
        if not deposit:
            policy = policy[: policy.index("[deposit]")]
        (folder / POLICY).write_text(f"{policy}\n{text}", "utf-8")
        return folder

    return make


def section(name: str, values: str, *, unit: str = "1", confidence: str = "official") -> str:
    head = f'[parameters.{name}]\nunit = "{unit}"\nsource = "某办法第一条"\n'
    return f'{head}confidence = "{confidence}"\nvalues = [{values}]\n'


def test_the_nation_sets_a_default_where_the_area_has_none():
    parameters = national_parameters()
    day = date(2026, 6, 1)
    assert parameters.number("advance_min_months", day, "310") == 12
    assert parameters.number("advance_min_months", day, "390") == 6
    assert parameters.number("special_quota", day) == Decimal("0.05")
    assert parameters.number("special_quota_dip", day) == Decimal("0.005")
    assert parameters.text("quota_scope", day) == "area"
    assert parameters.bands("overspend_bands", day)[0] == Band(Decimal("0.10"), Decimal("0.5"))
    assert parameters.bands("surplus_bands", day)[-1] == Band(None, Decimal(0))
    assert parameters.score_steps("score_steps", day)[1] == ScoreStep(Decimal(60), None)
    found = parameters.at("special_quota", day)
    assert (found.origin, found.confidence) == ("national", "official")
    assert "第二十条" in found.source


def test_national_values_change_on_their_day():
    national = national_parameters()
    days = [date(2025, 9, 30), date(2025, 10, 1)]
    assert [national.number("due_working_days", day) for day in days] == [30, 20]
    due = [national.due_day("clearing_due", year).isoformat() for year in range(2024, 2029)]
    assert due == ["2025-06-30", "2026-05-31", "2027-04-30", "2028-03-31", "2029-03-31"]
    # a deposit given back at clearing is by itself a clearing share: 3 percent from 2027 on
    rates = [national.number("deposit", date(year, 1, 1)) for year in (2026, 2027)]
    assert rates == [Decimal("0.05"), Decimal("0.03")]


def test_nothing_is_guessed_where_nobody_gives_a_value():
    with pytest.raises(SettlementError) as caught:
        national_parameters().at("correction_days", date(2026, 1, 1))
    assert caught.value.issues[0].code == "ST101"
    with pytest.raises(SettlementError):
        national_parameters().at("advance_min_months", date(2026, 1, 1), "999")
    with pytest.raises(KeyError):
        national_parameters().find("no_such_parameter", date(2026, 1, 1))


def test_an_area_overrides_by_name_and_for_its_own_days(area):
    text = section("reserve", "{ from = 2026-01-01, to = 2027-01-01, value = 0.02 }")
    text += section(
        "advance_min_months", "{ from = 2025-01-01, 310 = 9 }", unit="month", confidence="published"
    )
    parameters = load_policy(area(text)).parameters
    found = [parameters.at("reserve", date(year, 5, 1)) for year in (2025, 2026, 2027)]
    assert [str(one.value) for one in found] == ["0.05", "0.02", "0.05"]
    assert [one.origin for one in found] == ["national", "demo", "national"]
    # an insurance that the area does not name keeps the national value
    day = date(2026, 1, 1)
    assert parameters.number("advance_min_months", day, "310") == 9
    assert parameters.number("advance_min_months", day, "390") == 6


def test_a_policy_without_deposit_follows_the_nation(area):
    policy = load_policy(area(deposit=False))
    days = [date(2026, 12, 31), date(2027, 1, 1)]
    assert [policy.terms_at(day).deposit_rate for day in days] == [Decimal("0.05"), Decimal("0.03")]
    own = load_policy(area())
    assert own.terms_at(date(2027, 1, 1)).deposit_rate == Decimal("0.05")
    assert own.parameters.at("deposit", date(2027, 1, 1)).origin == "demo"


def test_values_beyond_a_national_limit_are_reported(area):
    text = section("special_quota", "{ from = 2025-01-01, value = 0.06 }")
    text += section("month_share", "{ from = 2025-01-01, value = 0.9 }")
    found = lint(area(text))
    assert [(one.code, one.params["key"], one.params["limit"]) for one in found] == [
        ("ST110", "special_quota", Decimal("0.05")),
        ("ST110", "month_share", Decimal("0.95")),
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (section("reserves", "{ from = 2025-01-01, value = 0.02 }"), "PO102"),
        (section("reserve", "{ from = 2025-01-01, value = 0.02 }", unit="yuan"), "PO104"),
        (section("reserve", "{ from = 2025-01-01, value = -1 }"), "PO104"),
        (section("reserve", "{ from = 2025-01-01, value = 'much' }"), "PO104"),
        (section("reserve", "{ from = 2025-01-01 }"), "PO104"),
        (section("reserve", "{ from = 2025-01-01, 310 = 0.1 }"), "PO104"),
        (section("reserve", "{ from = 2024-01-01, value = 0.02 }"), "PO107"),
        (section("reserve", "{ from = 2025-02-01, to = 2025-01-01, value = 0.02 }"), "PO106"),
        (section("band_mode", "{ from = 2025-01-01, value = 'steep' }", unit="choice"), "PO104"),
        (section("clearing_due", "{ from = 2025-01-01, value = '31-03' }", unit="MM-DD"), "PO104"),
        (
            section("reserve", "{ from = 2025-01-01, to = 2026-01-01, value = 0 }, "
                               "{ from = 2025-06-01, value = 0.1 }"),
            "ST102",
        ),
        (section("surplus_bands", "{ from = 2025-01-01, value = [{ rate = 1 }, { rate = 0 }] }"),
         "ST107"),
        (section("surplus_bands", "{ from = 2025-01-01, value = [{ up_to = 1, rate = 2 }] }"),
         "PO104"),
        (section("score_steps", "{ from = 2025-01-01, value = [{ lowest = 60, factor = 1 }] }"),
         "ST107"),
        (section("deposit", "{ from = 2025-01-01, value = 0.04 }"), "ST102"),
        (section("advance_min_months", "{ from = 2025-01-01, 311 = 9 }", unit="month"), "PO108"),
    ],
)  # fmt: skip
def test_a_broken_parameter_names_its_key(area, text, code):
    with pytest.raises(PolicyError) as caught:
        load_policy(area(text))
    issues = caught.value.issues
    assert [one.code for one in issues] == [code]
    assert "parameters." in issues[0].where
    assert caught.value.text("zh") != caught.value.text("en")
