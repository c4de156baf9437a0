"""`grouper scheme import`, and the official workbook wherever a scheme is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from official_workbook import workbook
from small_workbook import Sheets, small_sheets

import grouper

pytestmark = pytest.mark.cli

RECORDS = [
    {"id": "1", "sex": 1, "age": 75, "los": 9, "dx": ["I63.900", "J96.000"], "px": []},
    {"id": "2", "sex": 1, "age": 50, "los": 9, "dx": ["I63.900"], "px": ["02.0000", "17.4100"]},
    {"id": "3", "sex": 1, "age": 50, "los": 9, "dx": ["I63.900"], "px": ["47.0100"]},
    {"id": "4", "sex": 1, "age": 50, "los": 2, "dx": ["N80.000"], "px": []},
]


def saved(sheets: Sheets, path: Path) -> Path:
    path.write_bytes(workbook(sheets))
    return path


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Path:
    return saved(small_sheets(), tmp_path_factory.mktemp("books") / "官方 3.0.xlsx")


@pytest.fixture
def records(tmp_path) -> Path:
    path = tmp_path / "records.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in RECORDS), "utf-8")
    return path


def test_import_writes_a_folder_that_loads_and_lints(run, book, tmp_path):
    target = tmp_path / "my_30"
    answer = run("scheme", "import", book, target, "--json")
    assert answer.code == 0, answer.err
    report = json.loads(answer.out)
    assert report["scheme"]["id"] == "my_30"
    assert report["counts"]["drg_groups"] == {"found": 25, "published": 825}
    assert len(report["amendments"]) == 7
    assert {one["code"] for one in report["repairs"]} == {"SW31"}
    assert {one["code"] for one in report["differences"]} == {"SW32"}
    assert report["out"] == str(target)
    shown = json.loads(run("scheme", "show", target, "--json").out)["scheme"]
    assert shown == report["scheme"]
    assert run("scheme", "lint", target).code == 0
    assert "my_30" in (target / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("lang", "words"),
    [("en", ["rows of ADRG", "538", "EX_103 P22.100", "catch-all", "digest"]),
     ("zh", ["ADRG 表行数", "538", "补入公布文本有而排除表缺少的一行", "兜底行略去", "摘要"])],
)  # fmt: skip
def test_the_report_says_counts_amendments_repairs_findings(run, book, tmp_path, lang, words):
    answer = run("scheme", "import", book, tmp_path / "x", "--lang", lang)
    assert answer.code == 0
    assert not [word for word in words if word not in answer.out]


def test_a_folder_name_that_is_no_id_holds_the_scheme(run, book, tmp_path):
    assert run("scheme", "import", book, tmp_path / "My-Schemes").code == 0
    assert (tmp_path / "My-Schemes" / "chs_drg_30" / "scheme.toml").is_file()


def test_an_existing_folder_is_replaced_only_on_request(run, book, tmp_path):
    target = tmp_path / "x"
    target.mkdir()
    assert run("scheme", "import", book, target).code == 0, "an empty folder may be filled"
    answer = run("scheme", "import", book, target)
    assert answer.code == 3
    assert "DF122" in answer.err
    assert run("scheme", "import", book, target, "--force").code == 0


def test_the_workbook_groups_explains_shows_and_lints(run, book, records, tmp_path):
    answer = run("group", records, "-s", book, "-o", tmp_path / "out.jsonl", "--json")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["scheme"] == "chs_drg_30"
    lines = (tmp_path / "out.jsonl").read_text("utf-8").splitlines()
    found = [(json.loads(line)["status"], json.loads(line)["drg"]) for line in lines]
    assert found == [
        ("grouped", "BR1E"), ("grouped", "BB10"), ("ambiguous", "BQY"), ("ungrouped", None),
    ]  # fmt: skip
    assert "BR1E" in run("explain", records, "--row", 1, "-s", book).out
    assert "OP3" in run("scheme", "show", book, "BB1").out
    assert run("scheme", "lint", book).code == 0


def test_python_takes_the_workbook_too(book):
    case = {"sex": 1, "age": 70, "dx": ["I63.900", "J96.000"]}
    assert grouper.group_case(case, scheme=book).group_code == "BR1E"
    assert grouper.load_scheme(str(book)).folder == str(book)


def test_the_workbook_and_the_imported_folder_give_the_same_rows(run, book, records, tmp_path):
    assert run("scheme", "import", book, tmp_path / "chs_drg_30").code == 0
    for scheme, out in ((book, "a.csv"), (tmp_path / "chs_drg_30", "b.csv")):
        assert run("group", records, "-s", scheme, "-o", tmp_path / out).code == 0
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize(
    ("title", "row", "column", "value", "place"),
    [
        ("ADRG", 1, 2, "ZYSS in OP_NONE", "ADRG!C2"),
        ("DRG", 10, 2, "QTZD in {MCC", "DRG!C11"),
        ("CC", 1, 3, "XX", "CC!D2"),
        ("ADRG", 0, 2, "别的", "ADRG!A1"),
    ],
)
def test_a_fault_names_sheet_and_cell(run, tmp_path, lang, title, row, column, value, place):
    sheets = small_sheets()
    sheets[title][row][column] = value
    bad = saved(sheets, tmp_path / "坏.xlsx")
    for words in (
        ("scheme", "import", bad, tmp_path / "x"),
        ("group", "none.csv", "-s", bad, "-o", tmp_path / "o.csv"),
    ):
        answer = run(*words, "--lang", lang)
        if words[0] == "scheme":
            assert answer.code == 3
            assert f"坏.xlsx:{place}" in answer.err
        assert answer.code == 3
    assert not (tmp_path / "x").exists()
    lint = run("scheme", "lint", bad, "--lang", lang)
    assert lint.code == 1
    assert f"坏.xlsx:{place}" in lint.out


def test_what_is_no_workbook_is_said(run, tmp_path):
    assert "DF130" in run("scheme", "show", tmp_path / "none.xlsx").err
    text = tmp_path / "text.xlsx"
    text.write_text("id,dx\n1,A00.000\n")
    assert "DF132" in run("scheme", "import", text, tmp_path / "x").err
    cut = tmp_path / "cut.xlsx"
    cut.write_bytes(workbook(small_sheets())[:3000])
    assert "DF135" in run("scheme", "import", cut, tmp_path / "x").err
    assert not (tmp_path / "x").exists()
