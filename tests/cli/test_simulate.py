"""`settle simulate`: who gains and who pays, on the terminal, as workbook and as JSON."""

import csv
import json
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from grouper import cli

pytestmark = pytest.mark.cli


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("simulate") / "sample.csv"
    assert cli.run(["sample", "300", "-o", str(path), "--seed", "5", "--quiet"]) == 0
    return path


def test_sums_agree_between_json_workbook_and_terminal(run, sample, tmp_path):
    words = ["settle", "simulate", sample, "--area", "demo", "--set", "base_rate.310=9000"]
    book = tmp_path / "out.xlsx"
    answer = run(*words, "-o", book, "--json")
    found = json.loads(answer.out)
    total = found["total"]
    assert Decimal(total["after"]) - Decimal(total["before"]) == Decimal(total["change"]) > 0
    assert found["before"]["area"] == "demo"
    assert found["settings"] == ["base_rate.310=9000"]
    workbook = openpyxl.load_workbook(book)
    for name, parts in found["by"].items():
        assert sum(Decimal(part["change"]) for part in parts) == Decimal(total["change"]), name
        assert sum(part["cases"] for part in parts) == total["cases"]
    sheet = workbook["By hospital"]
    assert sheet.cell(sheet.max_row, 3).value == total["cases"]
    shown = run(*words, "--by", "insurance")
    assert total["change"] in shown.out + shown.err
    again = tmp_path / "again.xlsx"
    run(*words, "-o", again)
    assert again.read_bytes() == book.read_bytes()


def test_only_the_insurance_whose_rate_changes_is_moved(run, sample):
    words = ["--area", "demo", "--set", "base_rate.310=9000", "--by", "insurance", "--json"]
    found = json.loads(run("settle", "simulate", sample, *words).out)
    changes = {part["label"]: Decimal(part["change"]) for part in found["by"]["insurance"]}
    assert changes["390"] == 0
    assert changes["310"] > 0


def test_another_scheme_regroups(run, sample):
    words = ["--area", "demo", "--to-scheme", "chs_drg_11", "--to-weights", "demo"]
    answer = run("settle", "simulate", sample, *words)
    # weights of 2.0 do not price groups of 1.1
    assert answer.code == 3
    assert "RN126" in answer.err


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ([], 2, "--set KEY=VALUE"),
        (["--set", "base_rate.777=1"], 3, "PO132"),
        (["--to-area", "demo"], 3, "RN139"),
        (["--set", "base_rate.310=9000", "--by", "doctor"], 3, "RN138"),
        (["--set", "base_rate.310=9000", "--by", "colour"], 2, "colour"),
        (["--set", "base_rate.310=9000", "-o", "x.csv"], 2, "x.csv"),
    ],
)
def test_what_cannot_be_simulated_is_said(run, sample, tmp_path, monkeypatch, words, code, says):
    monkeypatch.chdir(tmp_path)
    answer = run("settle", "simulate", sample, "--area", "demo", *words)
    assert (answer.code, answer.out) == (code, "")
    assert says in answer.err
    assert not list(tmp_path.iterdir())


def test_an_area_by_dip_is_simulated_by_its_scores(run, tmp_path):
    folder = tmp_path / "dip"
    assert run("demo", folder, "--dip").code == 0
    source = folder / "discharges.csv"
    words = ("settle", "simulate", source, "--area", "demo-dip", "--by", "insurance", "--json")
    found = json.loads(run(*words, "--set", "point_value.310=7").out)
    changes = {part["label"]: Decimal(part["change"]) for part in found["by"]["insurance"]}
    assert changes["390"] == 0
    assert changes["310"] > 0
    bills = tmp_path / "bills.csv"
    assert (
        run("settle", "bill", source, "--area", "demo-dip", "-o", bills, "--lang", "en").code == 0
    )
    with bills.open(encoding="utf-8-sig") as file:
        paid = sum(Decimal(line["payment"] or 0) for line in csv.DictReader(file))
    assert Decimal(found["total"]["before"]) == paid
    # every score halved in another catalogue: nobody is paid more
    other = folder / "half.csv"
    with (folder / "demo_dip_2025.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    with other.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(row | {"score": str(Decimal(row["score"]) / 2)} for row in rows)
    found = json.loads(run(*words, "--to-scheme", other).out)
    assert Decimal(found["total"]["change"]) < 0
    assert all(Decimal(part["change"]) <= 0 for part in found["by"]["insurance"])
