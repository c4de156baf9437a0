"""`grouper weights`: a city's table from file to price, on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.cli

CITY = (
    "某市权重表,,,,\n编码,名称,权重,系数-三级,标准-三级\n"
    'BR21,脑缺血，重,1.2504,1.08,"13,504.32"\nBR25,脑缺血，轻,0.612,1,6120\n注：试行,,,,\n'
)
MAP = """
format = 1
[table]
id = "city-2025"
title = "某市"
title_en = "a city"
scheme = "chs_drg_20"
area = "999900"
area_name = "某市"
valid_from = 2025-01-01
valid_to = 2026-01-01
source = "某市医保发〔2025〕1号"
confidence = "constructed"
base_rate = 10000
[table.proof]
formula = "w r c"
[columns]
group = "编码"
name = "名称"
weight = "权重"
[[wide]]
level = "三级"
coefficient = "系数-{level}"
standard = "标准-{level}"
"""


@pytest.fixture
def city(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with city.csv (GB18030) and city.toml, and an empty data folder."""
    monkeypatch.setenv("GROUPER_DATA", str(tmp_path / "data"))
    (tmp_path / "city.csv").write_bytes(CITY.encode("gb18030"))
    (tmp_path / "city.toml").write_text(MAP, "utf-8")
    return tmp_path


@pytest.fixture
def install(run, city):
    """`install(...)`: the city's table, installed."""

    def call(*words):
        return run("weights", "install", city / "city.csv", "--map", city / "city.toml", *words)

    return call


SHOW = ("weights", "show", "BR21", "--area", "999900", "--on", "2025-06-30")


def test_install_list_show(run, city, install):
    answer = install("--json")
    assert answer.code == 0
    told = json.loads(answer.out)
    assert (told["table"], told["groups"], told["with_weight"]) == ("city-2025", 2, 2)
    assert (told["amounts_compared"], told["errors"]) == (2, 0)
    assert [one["text"] for one in told["left_out"]] == ["注：试行"]
    folder = city / "data" / "weights" / "city-2025"
    assert sorted(path.name for path in folder.iterdir()) == ["table.toml", "weights.tsv"]

    tables = json.loads(run("weights", "list", "--json").out)["tables"]
    assert {one["id"]: one["place"] for one in tables}["city-2025"] == str(folder)

    worth = json.loads(run(*SHOW, "--level", "三级", "--insurance", "职工", "--json").out)
    assert (worth["weight"], worth["coefficient"], worth["standard"]) == (
        "1.2504",
        "1.08",
        "13504.32",
    )
    assert worth["computed_standard"] == "13504.32"
    assert worth["insurance"] == "310"
    assert worth["table"]["valid_to"] == "2026-01-01"
    assert [row["holds"] for row in worth["rows"]] == [True, True]


def test_without_a_level_no_standard_is_computed(run, install):
    install()
    worth = json.loads(run(*SHOW, "--json").out)
    assert (worth["weight"], worth["computed_standard"]) == ("1.2504", None)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--on", "2026-01-01"), "WT107"),
        (("--area", "999901"), "WT109"),
        (("--level", "四级"), "WT111"),
    ],
)
def test_nothing_is_made_up(run, install, words, code):
    install()
    answer = run(*SHOW, *words)
    assert answer.code == 3
    assert not answer.out
    assert answer.err.startswith(code)


def test_installing_twice_needs_force(run, city, install):
    assert install().code == 0
    assert install().code == 3
    assert install("--force").code == 0


def test_a_defect_of_form_writes_nothing(city, install):
    (city / "city.csv").write_text(CITY.replace("0.612", "约0.6"), "utf-8")
    answer = install()
    assert answer.code == 3
    assert answer.err.startswith("WT103 city.csv:4:C")
    assert not (city / "data").exists()


def test_findings_are_told_and_exit_1(run, city, install):
    (city / "city.csv").write_text(
        CITY.replace("6120", "6120.01").replace("BR25", "BR29X"), "utf-8"
    )
    answer = run("weights", "check", city / "city.csv", "--map", city / "city.toml", "--json")
    assert answer.code == 1
    issues = json.loads(answer.out)["issues"]
    told = {(one["code"], one["where"]) for one in issues if one["severity"] == "error"}
    assert told == {("WT114", "city.csv:4:A"), ("WT115", "city.csv:4:A")}
    assert install().code == 1


def test_check_of_an_embedded_table(run):
    answer = run("weights", "check", "demo")
    assert (answer.code, answer.out) == (0, "")
    answer = run("weights", "check", "guangan-2024")
    assert answer.code == 0
    assert answer.out.count("WT203") == 6
    assert run("weights", "check", "guangan-2024", "--strict").code == 1


def test_diff(run, city, install):
    install()
    (city / "city.csv").write_text(CITY.replace("0.612,1,6120", "0.65,1,6500"), "utf-8")
    later = MAP.replace("city-2025", "city-2026").replace("2025-01-01", "2026-01-01")
    (city / "city.toml").write_text(later.replace("valid_to = 2026-01-01\n", ""), "utf-8")
    assert install().code == 0
    told = json.loads(run("weights", "diff", "city-2025", "city-2026", "--json").out)
    assert (told["added"], told["removed"], told["changed"]) == (0, 0, 1)
    assert told["changes"][0] == {
        "kind": "changed",
        "group": "BR25",
        "name": "脑缺血，轻",
        "facts": "*",
        "column": "weight",
        "old": "0.612",
        "new": "0.65",
        "ratio": "1.0621",
    }
    text = run("weights", "diff", "city-2025", "city-2026", "--lang", "zh").out
    assert "改变\tBR25" in text


@pytest.mark.parametrize(
    "words",
    [
        ("show", "AA19"),
        ("show", "AA19", "--area", "310000"),
        ("show", "AA19", "--area", "310000", "--on", "2023"),
        ("install", "x.csv"),
    ],
)
def test_wrong_usage(run, words):
    answer = run("weights", *words)
    assert answer.code == 2
    assert not answer.out


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_price_for_readers(run, lang):
    on = ("--area", "310000", "--on", "2023-06-01", "--lang", lang)
    answer = run("weights", "show", "AA19", *on)
    assert answer.code == 0
    assert "376416.60" in answer.out
    assert "16.91" in answer.out
