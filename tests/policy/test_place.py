"""Findings name the line of the TOML file they are about."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from grouper.datafile import data_folder
from grouper.errors import PolicyError
from grouper.policy.lint import lint
from grouper.policy.load import load_policy
from grouper.policy.place import line_of

POLICY = "policy-2025.toml"


@pytest.fixture
def broken(tmp_path):
    """`broken(old, new)`: the demo area with one text of its policy replaced, and where."""

    def make(old: str, new: str) -> tuple[Path, int]:
        folder = tmp_path / "area"
        shutil.copytree(data_folder("areas", "demo"), folder, dirs_exist_ok=True)
        text = (folder / POLICY).read_text("utf-8")
        assert old in text
        (folder / POLICY).write_text(text.replace(old, new, 1), "utf-8", newline="\n")
        return folder, text[: text.index(old)].count("\n") + 1

    return make


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('unit = "yuan/weight"', 'unit = "yuan"'),
        ("valid_from = 2025-01-01", 'valid_from = "2025"'),
        ("{ from = 2025-07-01, 310 = 8206.55", "{ from = 2025-07-01, 311 = 8206.55"),
        ("{ from = 2025-07-01, 310 = 8206.55", '{ from = 2025-07-01, 310 = "x"'),
        (
            'values = [{ from = 2025-01-01, rule = "L1"',
            'values = [{ from = 2025-01-01, rule = "L9"',
        ),
        ('  { from = 2025-01-01, rule = "H3"', '  { from = 2025-01-01, rule = "H9"'),
        ("[hospital_coefficient]", "[hospital_factor]"),
    ],
)
def test_a_defect_names_its_line(broken, old, new):
    folder, line = broken(old, new)
    with pytest.raises(PolicyError) as caught:
        load_policy(folder)
    places = [issue.where.partition(f"{POLICY}:")[2] for issue in caught.value.issues]
    assert any(place.startswith(f"{line}: ") for place in places), places


def test_a_doubt_names_its_line(broken):
    folder, line = broken("value = 0.05", "value = 0.06")
    (issue,) = lint(folder)
    assert issue.code == "ST110"
    assert f"{POLICY}:" in issue.where
    header = (folder / POLICY).read_text("utf-8").splitlines().index("[deposit] # 质量保证金") + 1
    assert header <= int(issue.where.partition(f"{POLICY}:")[2].partition(":")[0]) <= line


TEXT = """format = 1
[level."三级"]
title = "x"
[base_rate]
by = "level/insurance"
[[base_rate.values]]
from = 2024-01-01
"三级/310" = 1
[[base_rate.values]]
from = 2025-01-01
"三级/310" = 2
[class_rules]
values = [{ from = 2024-01-01, rules = [
  "a coef=1",
  "b coef=x",
] }]
[parameters.reserve]
values = [{ from = 2024-01-01, value = 1 }]
""".splitlines()


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("format", 1),
        ("level.三级.title", 3),
        ("base_rate.by", 5),
        ("base_rate.values.2025-01-01", 10),
        ("base_rate.values.1.from", 10),
        ("base_rate.unit", 4),
        ("class_rules.values.2024-01-01.rules.1", 15),
        ("parameters.reserve.values.2024-01-01", 18),
        ("parameters.reserve.source", 17),
        ("nothing.like.it", 1),
    ],
)
def test_key_paths_mean_lines(key, line):
    assert line_of(TEXT, key) == line


def test_an_empty_file_has_a_first_line():
    assert line_of([], "base_rate.unit") == 1
