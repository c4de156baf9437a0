"""`grouper weights estimate`: from grouped cases to a table, its reports, and every refusal."""

from __future__ import annotations

import csv
import json
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest
from weights_histories import drawn

import weights

pytestmark = pytest.mark.cli

#: what a user could have written into a name
HOSTILE = "</script><img src=x onerror=alert(1)>"


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    """3,000 grouped cases of three years, 60 groups of 20 ADRGs and 40 hospitals."""
    data, path = drawn(3000, 60, 6), tmp_path / "cases.csv"
    codes = [f"A{chr(65 + k // 9)}{k // 3 % 3 + 1}{'135'[k % 3]}" for k in range(60)]
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["total_cost", "discharge_date", "hospital", "status", "drg", "drg_name"])
        rows = zip(data.fen, data.year, data.hospital, data.group, strict=True)
        for fen, year, hospital, group in rows:
            name = HOSTILE if group == 3 else f"group {group}"
            place = data.hospitals[hospital]
            out.writerow(
                [f"{fen / 100:.2f}", f"{year}-05-06", place, "grouped", codes[group], name]
            )
        out.writerow(["5.00", "2022-05-06", "H000", "ungrouped", "", ""])
    return path


def few(path: Path, *rows: str, head: str = "drg,total_cost,year,hospital") -> Path:
    path.write_text("\n".join([head, *rows, ""]), "utf-8")
    return path


def test_a_table_in_normal_form_with_every_choice_in_its_head(run, cases, tmp_path):
    out = tmp_path / "city-2023"
    words = ("--year-weights", "1:2:7", "-s", "chs_drg_20", "--area", "990000")
    answer = run("weights", "estimate", cases, out, *words, "--trim", "percentile:1:99", "--json")
    assert answer.code == 0
    told = json.loads(answer.out)
    table = weights.load(out)
    assert table.id == "city-2023"
    assert table.scheme_id == "chs_drg_20"
    assert table.head.span.start.isoformat() == "2023-01-01"
    assert {one["group"]: Decimal(one["weight"]) for one in told["groups"]} == {
        code: table.weight(code) for code in table.group_codes
    }
    head = tomllib.loads((out / "table.toml").read_text("utf-8"))["estimate"]
    assert head["trim"] == "percentile"
    assert (head["trim_low"], head["trim_high"]) == ("1", "99")
    assert head["year_weights"] == {"2020": "1", "2021": "2", "2022": "7"}
    assert head["left_out"] == {"no_group": "1"}
    assert head["cases"] == 3000
    assert told["choices"].keys() | told["facts"].keys() == head.keys()
    assert [one["code"] for one in told["issues"]] == ["WT231"]
    assert all(step["after"] == f"{head['kept']}.000000000" for step in told["steps"][:-1])
    assert "1 rows left out" in answer.err


def test_the_same_cases_give_the_same_bytes_in_any_order(run, cases, tmp_path):
    head, *rows = cases.read_text("utf-8").splitlines()
    first, second = tmp_path / "one" / "table", tmp_path / "two" / "table"
    assert run("weights", "estimate", cases, first, "--year-weights", "1:2:7").code == 0
    cases.write_text("\n".join([head, *reversed(rows), ""]), "utf-8")
    assert run("weights", "estimate", cases, second, "--year-weights", "1:2:7").code == 0
    for path in sorted(first.iterdir()):
        assert path.read_bytes() == (second / path.name).read_bytes(), path.name


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_reports(run, cases, tmp_path, lang):
    import openpyxl

    reports = [tmp_path / f"r{suffix}" for suffix in (".html", ".xlsx", ".json")]
    words = [word for path in reports for word in ("--report", path)]
    out = tmp_path / "table"
    base = ("weights", "estimate", cases, out, "--lang", lang, "--year-weights", "1:2:7")
    answer = run(*base, "--old", "demo", "--outliers", "0.4:3", *words)
    assert answer.code == 0
    page = reports[0].read_text("utf-8")
    assert HOSTILE not in page
    assert "<img" not in page[: page.index("Licensed to the Apache")]
    assert 'http-equiv="Content-Security-Policy"' in page
    assert {"zh": "高倍率病例", "en": "High outliers"}[lang] in page
    book = openpyxl.load_workbook(reports[1])
    assert len(book.sheetnames) == 5
    rows = list(book.worksheets[1].values)
    table = weights.load(out)
    assert {row[0]: Decimal(str(row[2])) for row in rows[1:]} == {
        code: table.weight(code).normalize() for code in table.group_codes
    }
    told = json.loads(reports[2].read_text("utf-8"))
    assert told["table"] == "table"
    assert told["comparison"]["old"] == "demo"
    again = tmp_path / "again"
    again.mkdir()
    (again / "cases.csv").write_bytes(cases.read_bytes())
    more = [w for p in reports for w in ("--report", again / p.name)]
    words = (*base[:2], again / "cases.csv", again / "table", *base[4:])
    assert run(*words, "--old", "demo", "--outliers", "0.4:3", *more).code == 0
    for path in reports:
        assert path.read_bytes() == (again / path.name).read_bytes(), path.name


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize(
    ("rows", "options", "code"),
    [
        (["AB11,5.00,2022,H1", "AB11,0,2022,H2"], (), "WT133"),
        (["AB11,5.00,2022,H1", "AB11,-3,2022,H2"], (), "WT134"),
        (["AB11,5.00,2022,H1", "AB11,,2022,H2"], (), "WT135"),
        ([",5.00,2022,H1"], (), "WT131"),
        (["AB11,5.00,2022,H1", "AB11,6.00,2022,H1"], (), "WT141"),
        (["AB11,5.00,2021,H1", "AB11,6.00,2022,H2"], (), "WT139"),
        (["AB11,5.00,2021,H1", "AB11,6.00,2022,H2"], ("--year-weights", "1:2:7"), "WT140"),
        (["AB11,5.00,2022,H1", "AB11,6,,H2"], (), "WT145"),
        (
            ["AB11,1,2022,H1", "AB11,3,2022,H2"],
            ("--trim", "mean:0.9:1.1", "--trim-min-cases", "1"),
            "WT142",
        ),
        (["AB11,1,2022,H1", "AB11,3,2022,H2"], ("--trim", "percentile:9:5"), "WT138"),
        (["AB11,1,2022,H1", "AB11,3,2022,H2"], ("--incentive", "ZZ9=1.1"), "WT144"),
        (["AB11,1,2022,H1"], ("--cost-column", "price"), "WT132"),
    ],
)
def test_what_cannot_be_estimated_leaves_nothing(run, tmp_path, rows, options, code, lang):
    path, out = few(tmp_path / "in.csv", *rows), tmp_path / "out"
    answer = run("weights", "estimate", path, out, "--lang", lang, *options)
    assert answer.code == 3
    assert answer.err.startswith(code)
    assert len(answer.err.splitlines()) == 3
    assert not out.exists()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--trim", "halves"),
        ("--trim", "iqr:x"),
        ("--trim", "iqr:1:2:3"),
        ("--year-weights", "1:x"),
        ("--year-weights", "y=1"),
        ("--incentive", "AB1"),
        ("--incentive", "AB1=x"),
        ("--outliers", "3"),
        ("--level", "ninety"),
        ("--valid-from", "soon"),
        ("--report", "report.pdf"),
    ],
)
def test_wrong_usage(run, tmp_path, option, value):
    path = few(tmp_path / "in.csv", "AB11,1,2022,H1", "AB11,3,2022,H2")
    answer = run("weights", "estimate", path, tmp_path / "out", option, value)
    assert answer.code == 2
    assert not (tmp_path / "out").exists()
    assert run("weights", "estimate", path).code == 2


def test_what_the_user_accepts_is_recorded(run, tmp_path):
    rows = ["AB11,1,2022,H1", "AB11,0,2022,H1", "AB13,3,2022,H1"]
    path, out = few(tmp_path / "in.csv", *rows), tmp_path / "out"
    words = ("--bad-costs", "leave-out", "--one-hospital", "--small", "mark", "--severity", "keep")
    assert run("weights", "estimate", path, out, *words).code == 0
    head = tomllib.loads((out / "table.toml").read_text("utf-8"))["estimate"]
    assert head["left_out"] == {"zero": "1"}
    assert head["hospitals"] == "any"
    assert (out / "weights.tsv").read_text("utf-8").splitlines()[1:] == [
        "AB11\t\t0.5000\t非稳定病组\t1.00",
        "AB13\t\t1.5000\t非稳定病组\t3.00",
    ]


def test_a_table_is_not_overwritten_unasked(run, tmp_path):
    path, out = few(tmp_path / "in.csv", "AB11,1,2022,H1", "AB11,3,2022,H2"), tmp_path / "out"
    assert run("weights", "estimate", path, out).code == 0
    before = (out / "weights.tsv").read_bytes()
    assert run("weights", "estimate", path, out).code == 3
    assert (out / "weights.tsv").read_bytes() == before
    assert run("weights", "estimate", path, out, "--force").code == 0
    # a folder that is no table is never replaced
    other = tmp_path / "other"
    other.mkdir()
    (other / "notes.txt").write_text("kept")
    assert run("weights", "estimate", path, other, "--force").code == 3


def test_cases_without_years_or_hospitals(run, tmp_path):
    path = few(tmp_path / "in.csv", "AB11,1", "AB13,3", head="drg,total_cost")
    answer = run("weights", "estimate", path, tmp_path / "out", "--json")
    assert answer.code == 0
    assert [one["code"] for one in json.loads(answer.out)["issues"]] == ["WT232"]
    assert "--valid-from" in answer.err


def test_the_worked_examples_of_weights(run):
    examples = Path(__file__).parents[1] / "data" / "settlement" / "examples.json"
    answer = run("calc", examples, "--kind", "weights", "--check", "--json")
    assert answer.code == 0
    assert {one["id"] for one in json.loads(answer.out)["examples"]} == {"E06", "E07"}


@pytest.mark.parametrize(
    ("folder", "name"), [("City 2026", "city-2026"), ("本市权重", "estimate"), ("权重v2", "v2")]
)
def test_a_folder_of_any_name_holds_a_table_that_loads(run, tmp_path, folder, name):
    path, out = few(tmp_path / "in.csv", "AB11,1,2022,H1", "AB11,3,2022,H2"), tmp_path / folder
    assert run("weights", "estimate", path, out).code == 0
    table = weights.load(out)
    assert (table.id, table.head.title) == (name, folder)


@pytest.mark.parametrize("words", [("--id", "A/B"), ("--valid-to", "2022-12-31"), ("--area", "")])
def test_a_head_that_no_table_may_have(run, tmp_path, words):
    path = few(tmp_path / "in.csv", "AB11,1,2022,H1", "AB11,3,2022,H2")
    report = tmp_path / "r.html"
    answer = run("weights", "estimate", path, tmp_path / "out", *words, "--report", report)
    assert answer.code == 3
    assert answer.err.startswith("WT106")
    assert not (tmp_path / "out").exists()
    assert not report.exists()


def test_a_folder_of_files_is_one_history(run, cases, tmp_path):
    head, *rows = cases.read_text("utf-8").splitlines()
    folder, words = tmp_path / "years", ("--year-weights", "1:2:7", "--title", "t", "--id", "t")
    folder.mkdir()
    for part in range(3):
        (folder / f"{part}.csv").write_text("\n".join([head, *rows[part::3], ""]), "utf-8")
    assert run("weights", "estimate", cases, tmp_path / "one", *words).code == 0
    assert run("weights", "estimate", folder, tmp_path / "two", *words).code == 0
    for name in ("weights.tsv", "estimate.tsv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
