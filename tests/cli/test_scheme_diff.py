"""`grouper scheme diff`: text, workbook and JSON of one small difference, and its limits."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import openpyxl
import pytest

from grouper.report.changes import ChangeWords
from grouper.scheme.change import KINDS

pytestmark = pytest.mark.cli

MINI = Path(__file__).parents[1] / "data" / "schemes" / "mini"
GOLDEN = Path(__file__).parent / "golden"
EDITS = [
    ("drg", "age >= 70", "age >= 65"),
    ("drg", "脑梗死，≥70岁", "脑梗死，≥65岁"),
    ("drg", "13\tBZ1\tBZ19\t", "13\tBZ1\tBZ11\t其他神经系统疾患，重症\tmcc\n14\tBZ1\tBZ19\t"),
    ("adrg", "any_px in ZB1_px", "main_px in ZB1_px"),
    ("lists", "ZB1_px\t", "ZB1_px\tpx\t54.1200\nZB1_px\t"),
    ("lists", "MDCZ_site2\tdx\tS27.100\n", ""),
    ("lists", "MDCZ_site1\t", "MDCZ_site1\tdx\tS27.100\nMDCZ_site1\t"),
    ("cc", "E87.600\tCC", "E87.600\tMCC"),
    ("exclusions", "P59.900\t1\n", ""),
    ("notgrouped", "dx\t", "dx\tR50.900\tgray\ndx\t"),
    ("scheme", "drg_count = 13", "drg_count = 14"),
]


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """Mini with one change of every subject."""
    folder = tmp_path / "mini"
    shutil.copytree(MINI, folder)
    for name, old, new in EDITS:
        path = folder / (f"{name}.toml" if name == "scheme" else f"{name}.tsv")
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf-8", newline="\n")
    return folder


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_text_counts_first_and_then_tells(run, golden, newer, lang):
    answer = run("scheme", "diff", MINI, newer, "--lang", lang)
    assert (answer.code, answer.err) == (0, "")
    golden(GOLDEN / f"scheme_diff_{lang}.txt", answer.out)


def test_json_has_stable_keys_and_zero_counts(run, newer):
    found = json.loads(run("scheme", "diff", MINI, newer, "--json").out)
    assert list(found) == ["from", "to", "same", "only", "notes", "counts", "changes"]
    assert {s: set(kinds) for s, kinds in found["counts"].items()} == {
        subject: set(kinds) for subject, kinds in KINDS.items()
    }
    assert found["counts"]["cc"]["cc_to_mcc"] == 1
    (change,) = [one for one in found["changes"] if one["kind"] == "cc_to_mcc"]
    assert change["before"]["text"] == "CC 1"
    assert change["after"]["text"] == "MCC 1"
    assert change["name"] == "低钾血症"
    (change,) = [one for one in found["changes"] if one["kind"] == "code_moved"]
    assert (change["before"]["lists"], change["after"]["lists"]) == (["MDCZ_site2"], ["MDCZ_site1"])
    (change,) = [one for one in found["changes"] if one["kind"] == "rule_condition"]
    assert (change["relation"], change["mdcs"]) == ("narrower", ["Z"])


def test_the_answer_is_limited_to_subjects_and_mdcs(run, newer):
    def kinds(*words: str) -> set[str]:
        answer = run("scheme", "diff", MINI, newer, "--json", *words)
        return {one["kind"] for one in json.loads(answer.out)["changes"]}

    assert kinds("--only", "cc,exclusions") == {"cc_to_mcc", "principal_removed"}
    assert kinds("--mdc", "Z") == {"rule_condition", "code_moved", "code_added"}
    assert kinds("--mdc", "MDCB", "--only", "groups") == {"drg_renamed", "drg_split"}
    assert kinds("--mdc", "A") == set()
    nothing = run("scheme", "diff", MINI, newer, "--mdc", "a", "--only", "cc").out
    assert "only: MCC and CC; MDCA\n" in nothing
    assert "what was asked for" in nothing


@pytest.mark.parametrize("words", [["--only", "group"], ["--mdc", "Q"], ["--only", ","]])
def test_an_unknown_subject_or_mdc_is_wrong_usage(run, newer, words):
    answer = run("scheme", "diff", MINI, newer, *words)
    assert answer.code == 2
    assert "not one of" in answer.err


def test_long_details_are_cut_unless_all_are_asked_for(run):
    words = ("scheme", "diff", "chs_drg_20", "beijing_2024", "--only", "groups", "--mdc", "B,C,D")
    short, full = run(*words).out, run(*words, "--full").out
    assert "more (--full shows all)" in short
    assert "--full" not in full
    assert len(full) > len(short)


def test_the_same_scheme_twice_is_said_and_is_no_failure(run, tmp_path):
    answer = run("scheme", "diff", "qingyang_2023", "qingyang_2023")
    assert answer.code == 0
    assert "SW21" in answer.err
    assert "No difference." in answer.out
    shutil.copytree(MINI, tmp_path / "mini")
    drg = tmp_path / "mini" / "drg.tsv"
    drg.write_text(drg.read_text("utf-8").replace("mcc or cc", "cc"), "utf-8", newline="\n")
    answer = run("scheme", "diff", MINI, tmp_path / "mini", "--lang", "zh")
    assert "含义上没有差异" in answer.out
    assert answer.err == ""


def test_another_code_edition_is_named(run, tmp_path):
    shutil.copytree(MINI, tmp_path / "mini")
    head, cc = tmp_path / "mini" / "scheme.toml", tmp_path / "mini" / "cc.tsv"
    text = head.read_text("utf-8")
    head.write_text(text.replace('codes = "', 'codes = "国临版 '), "utf-8")
    cc.write_text(cc.read_text("utf-8").replace("E87.600\tCC", "E87.600\tMCC"), "utf-8")
    answer = run("scheme", "diff", MINI, tmp_path / "mini", "--json")
    assert [note["code"] for note in json.loads(answer.out)["notes"]] == ["SW22"]
    assert "国临版" in answer.err


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_workbook_has_a_sheet_a_subject_and_codes_as_text(run, newer, tmp_path, lang):
    path = tmp_path / "changes.xlsx"
    assert run("scheme", "diff", MINI, newer, "-o", path, "--lang", lang).code == 0
    words = ChangeWords(lang)
    book = openpyxl.load_workbook(path)
    names = ["notes", "summary", *KINDS]
    assert book.sheetnames == [words(f"sheet.{name}") for name in names]
    rows = [[c.value for c in row] for row in book[words("sheet.lists")].iter_rows(min_row=2)]
    assert [words("kind.code_added"), "Z", words("code_kind.px"), "54.1200"] in [
        r[:4] for r in rows
    ]
    again = tmp_path / "again.xlsx"
    run("scheme", "diff", MINI, newer, "-o", again, "--lang", lang)
    assert again.read_bytes() == path.read_bytes()


def test_files_are_written_whole_and_never_over_another_unasked(run, newer, tmp_path):
    path = tmp_path / "changes.json"
    assert run("scheme", "diff", MINI, newer, "-o", path).code == 0
    assert run("scheme", "diff", MINI, newer, "-o", path).code == 3
    assert run("scheme", "diff", MINI, newer, "-o", path, "--force").code == 0
    told = json.loads(run("scheme", "diff", MINI, newer, "--json").out)
    assert json.loads(path.read_text("utf-8")) == told
    text = tmp_path / "changes.txt"
    assert run("scheme", "diff", MINI, newer, "-o", text, "--lang", "zh").code == 0
    assert "脑梗死，≥65岁" in text.read_text("utf-8-sig")
    assert run("scheme", "diff", MINI, newer, "-o", tmp_path / "changes.pdf").code == 2


def test_a_scheme_that_cannot_be_used_is_named(run, newer):
    (newer / "cc.tsv").unlink()
    answer = run("scheme", "diff", MINI, newer)
    assert answer.code == 3
    assert "SE01 cc.tsv" in answer.err
    assert "SE13" in run("scheme", "diff", "nowhere", MINI).err
