"""`grouper reconcile`: exit codes, forms of the result, messages in both languages."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import openpyxl
import pytest

pytestmark = pytest.mark.cli

MINI = Path(__file__).parents[1] / "data" / "schemes" / "mini"


@pytest.fixture
def ours(run, records, tmp_path) -> Path:
    path = tmp_path / "ours.csv"
    run("group", records, "-s", MINI, "--as-is", "-o", path, "--lang", "zh")
    return path


def payer_file(tmp_path, **changed) -> Path:
    groups = {"1": "BR11", "2": "BB11", "3": "BB13", "4": "BQY", "5": "0000"} | changed
    path = tmp_path / "payer.csv"
    lines = ["病例号,DRG组代码", *(f"{key},{code}" for key, code in groups.items() if code)]
    path.write_text("\n".join(lines) + "\n", "gb18030")
    return path


def test_what_differs_is_found(run, ours, tmp_path):
    payer = payer_file(tmp_path, **{"3": "BB11", "6": "BR15"})
    answer = run("reconcile", ours, payer, "--key", "id", "--json")
    assert answer.code == 1
    found = json.loads(answer.out)
    assert (found["matched"], found["equal"], found["different"]) == (6, 4, 2)
    steps = {
        one["key"]: (one["step"], one["ours"], one["official"]) for one in found["differences"]
    }
    assert steps == {"3": ("severity", "BB13", "BB11"), "6": ("input", None, "BR15")}
    assert found["steps"] == {
        "input": 1, "code": 0, "mdc": 0, "adrg": 0, "severity": 1, "price": 0,
    }  # fmt: skip
    assert (found["only_ours"], found["only_official"]) == (1, 0)
    assert [one["key"] for one in found["rows_only_ours"]] == ["7"]


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".xlsx", ".parquet", ".tsv"])
def test_our_results_may_have_any_form(run, records, tmp_path, suffix):
    mine = tmp_path / f"ours{suffix}"
    run("group", records, "-s", MINI, "--as-is", "-o", mine, "--lang", "en")
    payer = payer_file(tmp_path, **{"3": "BB11"})
    for more in ([], ["-s", MINI, "--as-is"]):
        found = json.loads(run("reconcile", mine, payer, "--key", "id", *more, "--json").out)
        assert (found["matched"], found["different"], found["steps"]["severity"]) == (5, 1, 1)
        assert not found["regrouped"]


@pytest.mark.parametrize(("lang", "word"), [("zh", "没有计入的 MCC"), ("en", "no counting MCC")])
def test_with_a_scheme_the_rules_are_the_evidence(run, ours, tmp_path, lang, word):
    payer = payer_file(tmp_path, **{"3": "BB11"})
    words = ["reconcile", ours, payer, "--key", "id", "-s", MINI, "--as-is", "--lang", lang]
    answer = run(*words)
    assert answer.code == 1
    assert word in answer.out
    for name in ("out.xlsx", "out.csv", "out.json"):
        out = tmp_path / name
        assert run(*words, "-o", out).code == 1
        first = out.read_bytes()
        assert run(*words, "-o", out, "--force").code == 1
        assert out.read_bytes() == first
    text = (tmp_path / "out.csv").read_text("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[1][0] == "3"
    assert word in rows[1][5]
    book = openpyxl.load_workbook(tmp_path / "out.xlsx")
    assert [cell.value for cell in book.worksheets[2][2]][:4] == rows[1][:4]


def test_equal_files_exit_0(run, ours, tmp_path):
    payer = payer_file(tmp_path)
    rows = ours.read_text("utf-8-sig").splitlines(keepends=True)
    ours.write_text("".join(rows[:6]), "utf-8")
    answer = run("reconcile", ours, payer, "--key", "id")
    assert answer.code == 0
    assert answer.out == ""
    assert "5" in answer.err


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize(
    ("key", "changed", "code"),
    [
        ("id=DRG组代码", {}, "RN133"),
        ("登记号", {}, "RN131"),
        ("id", {"3": "BB13\n3,BB13"}, "RN132"),
    ],
)
def test_what_cannot_be_reconciled(run, ours, tmp_path, lang, key, changed, code):
    answer = run("reconcile", ours, payer_file(tmp_path, **changed), "--key", key, "--lang", lang)
    assert answer.code == 3
    assert code in answer.err
    assert ("处理" if lang == "zh" else "fix") in answer.err


def test_columns_may_be_named(run, ours, tmp_path):
    payer = tmp_path / "payer.csv"
    payer.write_text("编号,结果\n1,BR11\n2,BB11\n", "utf-8")
    words = [
        "reconcile",
        ours,
        payer,
        "--key",
        "id=编号",
        "--official-column",
        "drg=结果",
        "--json",
    ]
    assert json.loads(run(*words).out)["equal"] == 2
    assert run("reconcile", ours, payer, "--key", "id", "--official-column", "drg").code == 2


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_draft_cannot_settle(run, tmp_path, lang):
    sample = tmp_path / "s.csv"
    run("sample", 20, "-o", sample)
    payer = tmp_path / "payer.csv"
    payer.write_text("id,drg,standard\nS00000001,BR11,1.00\n", "utf-8")
    words = ["--key", "id", "--area", "demo", "-s", "chs_drg_30", "--lang", lang]
    answer = run("reconcile", sample, payer, *words)
    assert answer.code == 3
    assert "ST311" in answer.err


@pytest.mark.parametrize(
    ("lang", "word"), [("zh", "我方价格依据：权重 "), ("en", "our price: relative weight ")]
)
def test_what_our_price_is_made_of_is_the_evidence(run, tmp_path, lang, word):
    sample, mine, payer = (tmp_path / name for name in ("sample.csv", "ours.csv", "payer.csv"))
    run("sample", 12, "-o", sample, "--seed", 4)
    run("settle", "bill", sample, "--area", "demo", "-o", mine, "--lang", "en")
    with mine.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    paid = next(row for row in rows if row["standard"])
    standard, paid["standard"] = paid["standard"], "1.00"
    with payer.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, list(rows[0]))
        out.writeheader()
        out.writerows(rows)
    answer = run("reconcile", mine, payer, "--key", "id", "--json", "--lang", lang)
    (one,) = json.loads(answer.out)["differences"]
    assert one["step"] == "price"
    assert one["text"].startswith(word + paid["relative_weight"])
    assert f" {standard}" in one["text"]
