"""`sample`, `settle`, `monitor`, `report` and `demo`: the chain after grouping."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

import weights
from grouper import cli

pytestmark = pytest.mark.cli


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hundred made-up discharges of June 2025."""
    path = tmp_path_factory.mktemp("sample") / "sample.csv"
    assert cli.run(["sample", "200", "-o", str(path), "--seed", "7", "--quiet"]) == 0
    return path


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_same_seed_makes_the_same_file(run, sample, tmp_path):
    again, other = tmp_path / "a.csv", tmp_path / "b.csv"
    run("sample", 200, "-o", again, "--seed", 7)
    run("sample", 200, "-o", other, "--seed", 8)
    assert again.read_bytes() == sample.read_bytes()
    assert other.read_bytes() != sample.read_bytes()


@pytest.mark.parametrize(("lang", "mark"), [("en", "invented"), ("zh", "示范数据（虚构）")])
def test_a_workbook_of_bills_says_what_its_amounts_rest_on(run, sample, tmp_path, lang, mark):
    book = tmp_path / "bills.xlsx"
    run("settle", "bill", sample, "--area", "demo", "-o", book, "--lang", lang)
    notes = dict(openpyxl.load_workbook(book).worksheets[-1].iter_rows(values_only=True))
    values = list(notes.values())
    assert {"demo", "constructed"} <= set(values)
    assert any(str(value).startswith(mark) for value in values)


def test_a_sample_has_the_rows_and_period_asked_for(run, tmp_path):
    path = tmp_path / "s.jsonl"
    assert run("sample", 30, "-o", path, "-s", "chs_drg_11", "--period", "2024-02").code == 0
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert len(rows) == 30
    assert {str(row["discharge_time"])[:7] for row in rows} == {"2024-02"}


@pytest.mark.parametrize("words", [["x"], ["-1"], ["5", "--period", "2024-13"]], ids=" ".join)
def test_a_sample_that_cannot_be_meant_is_wrong_usage(run, tmp_path, words):
    assert run("sample", *words, "-o", tmp_path / "s.csv").code == 2


def test_a_bill_shows_its_steps(run, sample):
    answer = run("settle", "bill", sample, "--row", 3, "--area", "demo", "--lang", "zh")
    assert answer.code == 0
    for words in ("第 3 行", "权重", "费率", "支付标准", "虚构"):
        assert words in answer.out
    found = json.loads(run("settle", "bill", sample, "--row", 3, "--area", "demo", "--json").out)
    case = found["cases"][0]
    assert case["row"] == 3
    assert Decimal(case["payment"]) == Decimal(case["steps"]["pay"])
    assert run("settle", "bill", sample, "--row", 201, "--area", "demo").code == 2


@pytest.mark.parametrize(
    ("lang", "title"), [("zh", "住院费用结算单"), ("en", "Settlement statement")]
)
def test_one_row_becomes_a_page_to_sign(run, sample, tmp_path, lang, title):
    page = tmp_path / "statement.xlsx"
    words = ("settle", "bill", sample, "--row", 3, "--area", "demo", "--lang", lang)
    told = json.loads(run(*words, "--json").out)["cases"][0]
    assert run(*words, "-o", page).code == 0
    cells = [
        str(value)
        for line in openpyxl.load_workbook(page).worksheets[0].iter_rows(values_only=True)
        for value in line
        if value is not None
    ]
    assert cells[0].startswith(title)
    assert "虚构" in cells[1] if lang == "zh" else "invented" in cells[1]
    assert {told["payment"], told["fund_payment"]} <= set(cells)
    assert any("盖章" in cell if lang == "zh" else "seal" in cell for cell in cells)
    assert run(*words, "-o", page).code == 3, "a file that is there is not replaced unasked"
    again = tmp_path / "again.xlsx"
    run(*words, "-o", again)
    assert again.read_bytes() == page.read_bytes()
    assert run(*words, "-o", tmp_path / "x.csv").code == 2


def test_bills_of_all_rows_come_as_columns(run, sample, tmp_path):
    out = tmp_path / "bills.csv"
    answer = run("settle", "bill", sample, "--area", "demo", "-o", out, "--lang", "en")
    assert answer.code in (0, 1)
    rows = read_csv(out)
    assert len(rows) == 200
    columns = list(rows[0])
    after_groups = columns[columns.index("drg_name") + 1 :]
    assert after_groups[0] == "case_type"
    assert "fund_payment" in after_groups
    single = run("settle", "bill", sample, "--row", 1, "--area", "demo", "--json").out
    assert rows[0]["payment"] == json.loads(single)["cases"][0]["payment"]


def test_the_parts_of_the_month_sum_to_its_total(run, sample, tmp_path):
    words = ["settle", "month", sample, "--area", "demo", "--month", "2025-06"]
    made = json.loads(run(*words, "--json").out)["statements"]
    bills = tmp_path / "bills.csv"
    run("settle", "bill", sample, "--area", "demo", "-o", bills, "--lang", "en")
    counted = [row for row in read_csv(bills) if row["payment"] and not row["payment_issue"]]
    assert sum(int(one["lines"]["M1"]) for one in made) == len(counted)
    for line, column in (("M3", "payment"), ("M6", "fund_payment")):
        total = sum(Decimal(one["lines"][line]) for one in made)
        assert total == sum(Decimal(row[column]) for row in counted), line


def test_a_month_is_written_as_workbook_page_and_json(run, sample, tmp_path):
    for suffix in ("xlsx", "html", "json"):
        out = tmp_path / f"month.{suffix}"
        words = ["settle", "month", sample, "--area", "demo", "--month", "2025-06", "-o", out]
        assert run(*words, "--lang", "zh").code in (0, 1)
        assert run(*words, "--lang", "zh").code == 3, "it exists already"
    assert json.loads((tmp_path / "month.json").read_text("utf-8"))["statements"]
    assert "虚构" in (tmp_path / "month.html").read_text("utf-8")
    assert openpyxl.load_workbook(tmp_path / "month.xlsx").worksheets


def test_a_month_without_policy_or_with_a_wrong_form(run, sample):
    words = ["settle", "month", sample, "--area", "demo", "--month"]
    assert run(*words, "2025-6").code == 2
    assert run("settle", "month", sample, "--area", "nowhere", "--month", "2025-06").code == 3


def test_a_draft_scheme_is_not_settled_with(run, sample):
    answer = run("settle", "bill", sample, "--area", "demo", "-s", "chs_drg_30", "--lang", "en")
    assert answer.code == 3
    assert answer.err.startswith("ST311")


def test_coverage_is_held_against_documents(run, sample):
    words = ["monitor", "coverage", sample, "--area", "demo", "--targets", "xifeng-2022-47"]
    answer = run(*words, "--json")
    assert answer.code == 0
    rows = json.loads(answer.out)["rows"]
    held = {row["measure"]: row for row in rows if row["target"]}
    assert held["disease_types"]["target"] == "90.00%"
    assert held["fund_eligible"]["status"] in ("met", "not_met")
    table = run(*words, "--lang", "zh", "--by", "insurance", "--period", "month").out
    assert "2025-06" in table
    assert run("monitor", "coverage", sample, "--area", "demo", "--targets", "none").code == 3


def test_a_report_is_a_page_or_a_workbook(run, sample, tmp_path):
    page, book = tmp_path / "r.html", tmp_path / "r.xlsx"
    words = ["report", sample, "--area", "demo", "--month", "2025-06"]
    for out in (page, book):
        assert run(*words, "-o", out, "--lang", "zh").code == 0
    text = page.read_text("utf-8")
    assert "chs_drg_20" in text
    assert "虚构" in text
    assert "说明" in openpyxl.load_workbook(book).sheetnames[0]
    assert run(*words, "-o", tmp_path / "r.pdf").code == 2
    assert run(*words, "-o", page).code == 3


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_demo_runs_the_whole_chain_and_names_its_files(run, tmp_path, lang):
    folder = tmp_path / "demo"
    answer = run("demo", folder, "--lang", lang)
    assert answer.code == 0, answer.err
    names = answer.out.splitlines()
    assert len(names) == 10
    assert {Path(name) for name in names} == set(folder.iterdir())
    assert all(Path(name).stat().st_size for name in names)
    assert ("虚构" if lang == "zh" else "invented") in answer.err
    grouped = openpyxl.load_workbook(folder / "grouped.xlsx", read_only=True).worksheets[0]
    assert grouped.max_row == 1001
    if lang == "en":
        assert run("demo", folder, "--json").code == 0, "an earlier demo is made anew"
        (folder / "report.html").unlink()
        assert run("demo", folder).code == 3, "but files of others are not replaced"


def test_the_trail_of_one_case_in_both_languages(tmp_path, capsys):
    path = tmp_path / "cases.csv"
    assert cli.run(["sample", "20", "--seed", "5", "-o", str(path), "--quiet"]) == 0
    capsys.readouterr()
    words = ["settle", "explain", str(path), "--row", "3", "--area", "demo"]
    assert cli.run([*words, "--lang", "zh"]) in (0, 1)
    assert "示范办法" in capsys.readouterr().out
    assert cli.run([*words, "--lang", "en", "--json"]) in (0, 1)
    told = json.loads(capsys.readouterr().out)
    assert {"name", "formula", "value", "parameter", "document", "key"} == set(told["trail"][0])
    assert told["payment"] == next(one["value"] for one in told["trail"] if one["key"] == "pay")
    assert cli.run([*words[:4], "99", *words[5:]]) == 2


def test_an_area_known_by_its_lead_is_priced_by_a_table_of_the_user(tmp_path, sample, capsys):
    table = tmp_path / "w.csv"
    demo = weights.load("demo")
    rows = [f"{code},{demo.find_weight(code)}" for code in demo.group_codes]
    table.write_text("\n".join(["group,weight", *rows]) + "\n", "utf-8")
    out = tmp_path / "bills.csv"
    words = ["settle", "bill", str(sample), "--area", "庆阳", "-o", str(out), "--lang", "en"]
    assert cli.run(words) == 3
    assert "ST122" in capsys.readouterr().err
    words += ["-s", "chs_drg_20", "--weights", str(table)]
    assert cli.run(words) == 3  # a table of one's own is nobody's published one
    assert "PO112" in capsys.readouterr().err
    assert cli.run([*words, "--allow-unverified"]) in (0, 1)
    bills = read_csv(out)
    assert {row["case_type"] for row in bills} >= {"inlier", "high_outlier", "case_rule"}
    paid = [row for row in bills if row["case_type"] == "inlier"]
    coefficients = {"三级": "1.52", "二级": "1.0315", "一级": "0.5715"}
    for row in paid[:50]:
        factors = (row["relative_weight"], "4200", coefficients[row["hospital_level"]])
        exact = Decimal(factors[0]) * Decimal(factors[1]) * Decimal(factors[2])
        assert abs(Decimal(row["payment"]) - exact) <= Decimal("0.005")
        assert row["fund_payment"] == ""
