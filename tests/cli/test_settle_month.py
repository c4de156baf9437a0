"""`settle month` in a book: months one after the other, entries, and every form of output."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest

from grouper import cli

pytestmark = pytest.mark.cli

JUNE = ("--area", "demo", "--month", "2025-06")


@pytest.fixture(scope="module")
def june(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eighty made-up discharges of June 2025, three of them insured elsewhere."""
    folder = tmp_path_factory.mktemp("june")
    path = folder / "sample.csv"
    assert cli.run(["sample", "80", "-o", str(path), "--seed", "5", "--quiet"]) == 0
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        row["area_insured"] = "110000" if number < 3 else ""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def none(june: Path) -> Path:
    """A file of the same columns with a single list of August."""
    lines = june.read_text("utf-8").splitlines()
    path = june.with_name("none.csv")
    path.write_text("\n".join([lines[0], lines[1].replace("2025-06", "2025-08")]) + "\n", "utf-8")
    return path


def test_two_months_in_a_book(run, june, none, tmp_path):
    book, entries = tmp_path / "book", tmp_path / "entries.csv"
    first = run("settle", "month", june, *JUNE, "--book", book, "--json")
    made = json.loads(first.out)
    assert first.code in (0, 1)
    assert {one["place"] for one in made["statements"]} == {"local", "cross_province"}
    head = json.loads((book / "2025-06" / "month.json").read_text("utf-8"))
    assert head["sums"] == made["manifest"]["sums"]
    with (book / "2025-06" / "lists.csv").open(encoding="utf-8", newline="") as file:
        listed = list(csv.DictReader(file))
    audited = max(listed, key=lambda row: int(row["accrued_fen"]))
    entries.write_text(
        "类型,医疗机构,清单号,金额,原因,依据\n"
        f"审核扣款,{audited['hospital']},{audited['list']},100.00,重复收费,F09\n",
        "utf-8",
    )
    words = ["settle", "month", none, "--area", "demo", "--month", "2025-07"]
    july = run(*words, "--book", book, "--entries", entries, "--json")
    (statement,) = json.loads(july.out)["statements"]
    assert statement["lines"]["M9"] == "100.00"
    assert statement["lines"]["M16"] == "-100.00"
    assert statement["deductions"][0]["reason"] == "重复收费"
    again = run(*words, "--book", book)
    assert again.code == 3
    assert again.err.startswith("ST306 2025-07")


def test_the_lines_of_every_form_are_the_same(run, june, tmp_path):
    told = json.loads(run("settle", "month", june, *JUNE, "--json").out)
    lines = [Decimal(one["lines"]["M15"]) for one in told["statements"]]
    for suffix in ("csv", "tsv", "parquet"):
        out = tmp_path / f"m.{suffix}"
        assert run("settle", "month", june, *JUNE, "-o", out, "--lang", "en").code in (0, 1)
        if suffix == "parquet":
            found = pq.read_table(out)["M15"].to_pylist()
        else:
            text = out.read_text("utf-8-sig")
            sign = "\t" if suffix == "tsv" else ","
            rows = csv.DictReader(io.StringIO(text), delimiter=sign)
            found = [Decimal(row["M15"]) for row in rows]
        assert found == lines, suffix
    written = tmp_path / "m.json"
    run("settle", "month", june, *JUNE, "-o", written)
    assert json.loads(written.read_text("utf-8")) == told


def test_places_stand_in_the_workbook(run, june, tmp_path):
    out = tmp_path / "m.xlsx"
    assert run("settle", "month", june, *JUNE, "-o", out, "--lang", "zh").code in (0, 1)
    cells = {
        str(cell.value)
        for sheet in openpyxl.load_workbook(out).worksheets
        for row in sheet.iter_rows()
        for cell in row
    }
    assert any("跨省" in text for text in cells)


def test_wrong_entries_write_nothing(run, june, tmp_path):
    book, entries, out = tmp_path / "book", tmp_path / "entries.csv", tmp_path / "m.json"
    entries.write_text("类型,医疗机构,清单号,金额,原因,依据\n审核扣款,X,Y,1.00,r,F01\n", "utf-8")
    words = ["settle", "month", june, *JUNE, "--book", book, "--entries", entries, "-o", out]
    for lang, what in (("zh", "没有清单 Y"), ("en", "there is no list Y")):
        answer = run(*words, "--lang", lang)
        assert answer.code == 3
        assert answer.err.startswith("ST321 entries.csv:2:A")
        assert what in answer.err
    assert not out.exists()
    assert not (book / "2025-06").exists()


def test_a_month_without_lists_is_said_to_have_no_statement(run, june):
    answer = run("settle", "month", june, "--area", "demo", "--month", "2025-02")
    assert answer.code == 0
    assert "no list counts in 2025-02" in answer.err


def test_what_is_said_of_a_month(run, june):
    answer = run("settle", "month", june, *JUNE, "--paid-on", "2025-09-01", "--lang", "zh")
    assert "ST308" in answer.err
    assert "拨付期限 2025-08-21" in answer.err
    assert run("settle", "month", june, *JUNE, "--paid-on", "yesterday").code == 2


def test_a_lead_settles_a_month_with_a_table_that_is_named(run, june):
    words = [
        "--area",
        "金华",
        "-s",
        "chs_drg_20",
        "--weights",
        "demo",
        "--month",
        "2025-06",
        "--json",
    ]
    assert run("settle", "month", june, *words).code == 3, "its rules are not verified"
    answer = run("settle", "month", june, *words, "--allow-unverified")
    assert answer.code in (0, 1), answer.err
    assert json.loads(answer.out)["statements"]
