"""`grouper compare`: forms of the result, its figures, and what cannot be compared."""

from __future__ import annotations

import json
import shutil
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from official_workbook import workbook
from small_workbook import small_sheets

from grouper.scheme import cache

pytestmark = pytest.mark.cli

MINI = Path(__file__).parents[1] / "data" / "schemes" / "mini"


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """The mini scheme with another border of age."""
    folder = tmp_path / "mini_b"
    shutil.copytree(MINI, folder)
    for name, old, new in (
        ("scheme.toml", 'id = "mini"', 'id = "mini_b"'),
        ("drg.tsv", "age >= 70", "age >= 80"),
    ):
        text = (folder / name).read_text("utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new), "utf-8", newline="\n")
    return folder


def test_json_has_every_case_once(run, records, other, tmp_path):
    words = ["compare", records, "--from", MINI, "--to", other, "--as-is"]
    answer = run(*words, "--json")
    assert answer.code == 1  # rejected rows
    found = json.loads(answer.out)
    run(*words, "-o", tmp_path / "moves.json")
    assert (tmp_path / "moves.json").read_text("utf-8") == answer.out
    assert (found["rows"], found["moved"], found["unmoved"]) == (7, 1, 6)
    assert sum(flow["cases"] for flow in found["flows"]) == 7
    moved = [flow for flow in found["flows"] if flow["kind"] != "same"]
    assert [(f["from"], f["to"], f["kind"], f["cases"]) for f in moved] == [
        ("BR11", "BR15", "drg", 1)
    ]
    (sample,) = found["samples"]
    assert sample["id"] == "1"
    assert sample["difference"]["rule"] == "BR11"
    assert sample["difference"]["verdict"]["parts"][0]["values"] == {"age": 70}


@pytest.mark.parametrize(("lang", "draft"), [("zh", "不可用于结算"), ("en", "do not settle")])
def test_a_draft_may_be_compared_and_says_so(run, records, lang, draft):
    words = ["compare", records, "--from", "chs_drg_20", "--to", "chs_drg_30", "--lang", lang]
    answer = run(*words)
    assert draft in answer.err


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_page_and_workbook_hold_the_same_flows(run, records, other, tmp_path, lang):
    words = ["compare", records, "--from", MINI, "--to", other, "--as-is", "--lang", lang]
    for name in ("moves.html", "moves.xlsx", "moves.json"):
        assert run(*words, "-o", tmp_path / name).code == 1
        first = (tmp_path / name).read_bytes()
        assert run(*words, "-o", tmp_path / name).code == 3  # is there already
        assert run(*words, "-o", tmp_path / name, "--force").code == 1
        assert (tmp_path / name).read_bytes() == first
    page = (tmp_path / "moves.html").read_text("utf-8")
    assert "<svg" in page
    assert "<script" not in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "BR11" in page
    book = openpyxl.load_workbook(BytesIO((tmp_path / "moves.xlsx").read_bytes()))
    sheet = book.worksheets[2]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    assert sum(row[6] for row in rows) == 7
    assert rows[0][0] == "BR11"
    assert rows[0][2] == "BR15"


def test_hospitals_add_up_in_the_workbook(run, tmp_path):
    sample, out = tmp_path / "s.csv", tmp_path / "moves.xlsx"
    assert run("sample", 300, "-o", sample, "--seed", 5).code == 0
    words = ["--from", "chs_drg_20", "--to", "chs_drg_30", "--by", "hospital,mdc"]
    words += ["--weights-from", "demo", "--rate-from", "10000", "--lang", "zh"]
    run("compare", sample, *words, "-o", out)
    book = openpyxl.load_workbook(out)
    sheet = book["分机构"]
    *rows, total = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    assert total[2] == 300
    assert all("虚构" in row[1] for row in rows)
    assert [sheet["A1"].value, sheet["B1"].value] == ["医疗机构", "名称"]
    for column in (2, 3, 5, 6):
        assert round(sum(row[column] for row in rows), 2) == total[column]
    flows = [[c.value for c in row] for row in book["分机构流向"].iter_rows(min_row=2)]
    assert sum(row[7] for row in flows) == 300


def test_the_official_workbook_is_a_side_like_any_other(run, records, tmp_path, monkeypatch):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    path = tmp_path / "official.xlsx"
    path.write_bytes(workbook(small_sheets()))
    words = ["compare", records, "--from", "chs_drg_20", "--to", path, "--as-is", "--json"]
    found = json.loads(run(*words).out)
    assert found["rows"] == found["moved"] + found["unmoved"] == 7
    assert found["to"]["status"] != "draft"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_schemes_of_one_id_are_told_apart_by_digest(run, records, other, tmp_path, lang):
    head = other / "scheme.toml"
    head.write_text(head.read_text("utf-8").replace("mini_b", "mini"), "utf-8", newline="\n")
    same_id = other.rename(tmp_path / "mini")
    words = ["compare", records, "--from", MINI, "--to", same_id, "--as-is", "--lang", lang]
    answer = run(*words, "--json")
    found = json.loads(answer.out)
    names = [f"mini {found[side]['digest'][:12]}" for side in ("from", "to")]
    assert names[0] != names[1]
    for name in names:
        assert name in found["samples"][0]["why"]
        assert answer.err.count(name) == 2  # the title, and the line of the side
    run(*words, "-o", tmp_path / "moves.html")
    page = (tmp_path / "moves.html").read_text("utf-8")
    assert all(f"<th>{name}</th>" in page for name in names)
    run(*words, "-o", tmp_path / "moves.xlsx")
    titles = {
        cell.value
        for sheet in openpyxl.load_workbook(tmp_path / "moves.xlsx")
        for row in sheet.iter_rows()
        for cell in row
    }
    assert titles >= set(names)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_worth_on_both_sides_gives_the_difference(run, records, other, tmp_path, lang):
    table = tmp_path / "w.csv"
    table.write_text("DRG编码,权重\nBR11,2\nBR15,0.5\nBB11,3\n", "utf-8")
    words = ["compare", records, "--from", MINI, "--to", other, "--as-is", "--lang", lang]
    for side, rate in (("from", "100"), ("to", "110.5")):
        words += [f"--weights-{side}", table, f"--rate-{side}", rate]
    answer = run(*words, "--json")
    found = json.loads(answer.out)
    # BR11 2 x 100 + BB11 3 x 100; after: BR15 0.5 x 110.5 + BB11 3 x 110.5
    assert found["sides"]["from"]["payment"] == "500.00"
    assert found["sides"]["to"]["payment"] == "386.75"
    assert found["payment_difference"] == "-113.25"
    assert (found["sides"]["from"]["cmi"], found["sides"]["to"]["cmi"]) == ("2.5", "1.75")
    assert "-113.25" in answer.err
    assert "w.csv" in answer.err  # BB13 has no weight
    for name in ("moves.html", "moves.xlsx"):
        assert run(*words, "--by", "mdc", "-o", tmp_path / name).code == 1
    assert "-113.25" in (tmp_path / "moves.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("lang", "words"),
    [("zh", ("RN121", "同一个方案", "处理")), ("en", ("RN121", "same scheme", "fix"))],
)
def test_the_same_scheme_twice(run, records, lang, words):
    answer = run("compare", records, "--from", MINI, "--to", MINI, "--lang", lang)
    assert answer.code == 3
    assert all(word in answer.err for word in words)


@pytest.mark.parametrize(("lang", "word"), [("zh", "编码版本不同"), ("en", "editions of codes")])
def test_other_editions_of_codes(run, records, other, lang, word):
    path = other / "scheme.toml"
    text = path.read_text("utf-8").replace("医保版 2.0 and", "国临版 2.0 and")
    path.write_text(text, "utf-8", newline="\n")
    answer = run("compare", records, "--from", MINI, "--to", other, "--lang", lang)
    assert answer.code == 3
    assert "RN122" in answer.err
    assert word in answer.err


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_draft_cannot_settle(run, tmp_path, lang):
    sample = tmp_path / "s.csv"
    run("sample", 20, "-o", sample)
    answer = run("settle", "bill", sample, "--area", "demo", "-s", "chs_drg_30", "--lang", lang)
    assert answer.code == 3
    assert "ST311" in answer.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--by", "doctor"], "doctor"),
        (["--rate-from", "much"], "much"),
        (["--rate-to", "9000"], "--weights-to"),
        (["-o", "moves.pdf"], "moves.pdf"),
    ],
)
def test_wrong_usage(run, records, words, said):
    answer = run("compare", records, "--from", "chs_drg_20", "--to", "chs_drg_30", *words)
    assert answer.code == 2
    assert said in answer.err
