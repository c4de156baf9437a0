"""Whether what a policy names is there: tables, their scheme, levels and labels."""

from __future__ import annotations

import shutil

import pytest

from grouper.datafile import data_folder
from grouper.policy.load import load_policy
from grouper.settle.fit import fit_issues

CLASS = """
[class_rules]
source = "某办法"
confidence = "official"
values = [{ from = 2025-01-01, rules = [
  "any基础病组 coef=1", "anyflag coef=1", "ES31@any=说明 coef=1", "any无此列 coef=1", "any coef=1",
] }]
"""


@pytest.fixture
def changed(tmp_path):
    """`changed((old, new)..., more)`: what does not fit in a changed demo area."""

    def make(*pairs: tuple[str, str], more: str = ""):
        folder = tmp_path / "area"
        shutil.copytree(data_folder("areas", "demo"), folder, dirs_exist_ok=True)
        path = folder / "policy-2025.toml"
        text = path.read_text("utf-8")
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new, 1)
        path.write_text(text + more, "utf-8")
        found = fit_issues(load_policy(folder))
        assert all("policy-2025.toml:" in one.where for one in found)
        assert all(one.text("zh") != one.text("en") for one in found)
        return [(one.code, sorted(map(str, one.params.values()))) for one in found]

    return make


def test_the_demo_area_fits():
    assert fit_issues(load_policy("demo")) == []


def test_a_table_that_is_not_at_hand(changed):
    ((code, values),) = changed(('weight_table = "demo"', 'weight_table = "demo-2031"'))
    assert code == "PO204"
    assert "demo-2031" in values


def test_a_table_of_another_scheme(changed):
    ((code, _),) = changed(('weight_table = "demo"', 'weight_table = "guangan-2024"'))
    assert code == "ST109"


def test_a_scheme_that_does_not_come_with_the_program(changed):
    found = changed(('scheme = "chs_drg_20"', 'scheme = "chs_drg_29"'))
    assert [code for code, _ in found] == ["PO206", "ST109"]


def test_levels_without_coefficient_in_the_table(changed):
    own = ', "三级" = 1.0850, "二级" = 1.0000, "一级" = 0.8575'
    found = changed(
        ('weight_table = "demo"', 'weight_table = "mianyang-2024"'),
        ('by = "level"', 'by = "table"'),
        (own, ""),
    )
    assert [code for code, _ in found] == ["ST109", "PO205", "PO205"]
    assert {values[-1] for code, values in found if code == "PO205"} == {"三级", "二级"}


def test_rules_that_ask_for_unknown_columns(changed):
    found = changed(more=CLASS)
    assert [code for code, _ in found] == ["PO203", "PO203"]
