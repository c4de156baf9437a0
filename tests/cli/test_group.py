"""`grouper group`: the contract of the result file, its forms, the summary."""

from __future__ import annotations

import csv
import io
import json
import lzma
import shutil
import subprocess
import sys
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from grouper.datafile import data_folder

pytestmark = pytest.mark.cli

DATA = Path(__file__).parents[1] / "data"
MINI = DATA / "schemes" / "mini"
COLUMNS = ["status", "reason", "mdc", "adrg", "drg", "drg_name"]
ENDS = [
    ("grouped", "MDCB", "BR1", "BR11"),
    ("grouped", "MDCB", "BB1", "BB11"),
    ("grouped", "MDCB", "BB1", "BB13"),
    ("ambiguous", "MDCB", "BQY", "BQY"),
    ("ungrouped", "", "", ""),
    ("rejected", "", "", ""),
    ("rejected", "", "", ""),
]


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("engine", ["kernel", "reference"])
def test_as_is_gives_the_columns_of_the_contract(run, records, tmp_path, engine):
    out = tmp_path / "out.csv"
    answer = run(
        "group", records, "-s", MINI, "-o", out, "--lang", "en", "--as-is", "--engine", engine
    )
    assert answer.code == 1  # two rows were rejected
    rows = read_csv(out)
    assert list(rows[0])[-6:] == COLUMNS
    assert [row["id"] for row in rows] == list("1234567")
    assert [(r["status"], r["mdc"], r["adrg"], r["drg"]) for r in rows] == ENDS
    assert [row["reason"] for row in rows[-2:]] == ["sex", "no_dx"]
    assert rows[0]["drg_name"] == "脑梗死，≥70岁"
    assert rows[0]["reason"] == "BR1: main_dx in BR1_dx; BR11: age >= 70"
    assert rows[3]["reason"] == "BQY: main_px in VALID_PX"
    assert all(row["reason"] for row in rows)


def test_all_rows_usable_exits_0(run, records, tmp_path):
    records.write_text("".join(records.read_text("utf-8").splitlines(True)[:5]), "utf-8")
    assert run("group", records, "-s", MINI, "-o", tmp_path / "o.csv", "--as-is").code == 0


def test_chinese_titles_and_words(run, records, tmp_path):
    out = tmp_path / "out.csv"
    run("group", records, "-s", MINI, "-o", out, "--lang", "zh", "--as-is")
    rows = read_csv(out)
    titles = ["分组状态", "原因", "MDC", "ADRG", "DRG编码", "DRG名称"]
    assert list(rows[0])[-6:] == titles
    words = ["入组", "入组", "入组", "歧义", "未入组", "拒绝", "拒绝"]
    assert [row["分组状态"] for row in rows] == words
    assert rows[0]["原因"] == "BR1：主要诊断 属于 BR1_dx；BR11：年龄 >= 70"
    assert rows[5]["原因"] == "性别缺失或不是 1、2"


def test_json_lines_and_parquet_write_missing_groups_as_null(run, records, tmp_path):
    lines, table = tmp_path / "o.jsonl", tmp_path / "o.parquet"
    for out in (lines, table):
        run("group", records, "-s", MINI, "-o", out, "--as-is")
    found = [json.loads(line) for line in lines.read_text("utf-8").splitlines()]
    assert found[4]["drg"] is None
    assert found[4]["dx"] == ["K35.900"]
    assert "sex" not in found[5]
    column = pq.read_table(table).column("drg").to_pylist()
    assert column == ["BR11", "BB11", "BB13", "BQY", None, None, None]


def test_a_users_column_of_the_same_name_is_kept_under_another(run, records, tmp_path):
    lines = [json.loads(line) for line in records.read_text("utf-8").splitlines()]
    for line in lines:
        line["drg"] = "mine"
    records.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    run("group", records, "-s", MINI, "-o", tmp_path / "o.csv", "--as-is", "--lang", "en")
    rows = read_csv(tmp_path / "o.csv")
    assert rows[0]["input_drg"] == "mine"
    assert rows[0]["drg"] == "BR11"


def test_several_files_of_the_same_columns_are_one_result(run, records, tmp_path):
    run("group", records, records, "-s", MINI, "-o", tmp_path / "o.csv", "--as-is")
    assert [row["id"] for row in read_csv(tmp_path / "o.csv")] == list("1234567") * 2


def test_stdin_and_stdout(records):
    command = [sys.executable, "-m", "grouper", "group", "-", "-s", MINI, "-o", "-", "--as-is"]
    done = subprocess.run(
        command, input=records.read_bytes(), capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 1
    rows = [json.loads(line) for line in done.stdout.decode("utf-8").splitlines()]
    assert [row["status"] for row in rows] == [end[0] for end in ENDS]


def test_the_summary_counts_and_names_what_it_rests_on(run, records, tmp_path):
    answer = run("group", records, "-s", MINI, "-o", tmp_path / "o.csv", "--as-is")
    assert not answer.out
    for words in ("rows", "7", "ambiguous", "of which sex", "of which no_dx", "mini", "o.csv"):
        assert words in answer.err
    quiet = run("group", records, "-s", MINI, "-o", tmp_path / "p.csv", "--as-is", "--quiet")
    assert (quiet.out, quiet.err) == ("", "")


def test_json_summary_has_stable_keys(run, records, tmp_path):
    out = tmp_path / "o.csv"
    answer = run("group", records, "-s", MINI, "-o", out, "--as-is", "--json", "--quiet")
    found = json.loads(answer.out)
    assert found["reasons"] == {"sex": 1, "no_dx": 1}
    counts = {key: found[key] for key in ("rows", "grouped", "ambiguous", "ungrouped", "rejected")}
    assert counts == {"rows": 7, "grouped": 3, "ambiguous": 1, "ungrouped": 1, "rejected": 2}
    assert {"scheme", "digest", "engine", "sources", "problems", "out", "seconds"} <= set(found)


def test_the_commonest_problems_come_with_a_remedy(run, tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("id,sex,age,dx\n1,1,70,I63.900\n2,1,70,I63.999X9\n3,1,70,I63.999X9\n", "utf-8")
    answer = run("group", path, "-s", MINI, "-o", tmp_path / "o.csv", "--lang", "zh")
    assert answer.code == 0
    assert "RW01" in answer.err
    assert "I63.999" in answer.err


def test_existing_output_needs_force(run, records, tmp_path):
    out = tmp_path / "o.csv"
    out.write_text("precious", "utf-8")
    answer = run("group", records, "-s", MINI, "-o", out, "--as-is")
    assert answer.code == 3
    assert answer.err.startswith("DF140")
    assert out.read_text("utf-8") == "precious"
    assert run("group", records, "-s", MINI, "-o", out, "--as-is", "--force").code == 1
    assert len(read_csv(out)) == 7


def test_the_sheet_of_a_workbook_keeps_codes_as_text_and_explains_itself(run, records, tmp_path):
    out = tmp_path / "o.xlsx"
    run("group", records, "-s", MINI, "-o", out, "--as-is", "--lang", "zh")
    book = openpyxl.load_workbook(out)
    sheet = book.worksheets[0]
    header = [cell.value for cell in sheet[1]]
    assert sheet.cell(3, header.index("px") + 1).value == "01.2400"
    assert sheet.freeze_panes
    notes = {row[0].value: row[1].value for row in book["说明"].iter_rows() if row[0].value}
    assert notes["分组方案"] == "mini"
    assert len(notes["方案摘要"]) == 64


def test_the_same_input_gives_the_same_bytes(run, records, tmp_path):
    for suffix in ("csv", "xlsx", "parquet", "jsonl"):
        first, second = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
        for out in (first, second):
            run("group", records, "-s", MINI, "-o", out, "--as-is", "--quiet")
        assert first.read_bytes() == second.read_bytes(), suffix


def test_groups_survive_every_form_of_file(run, tmp_path):
    """The result of one form is the input of the next; groups and codes stay what they were."""
    table = pa_csv.read_csv(
        io.BytesIO(
            "病案号,性别,年龄,主要诊断编码,其他诊断编码,主要手术操作编码\n"
            "0001,1,70,I63.900,,\n"
            "0002,2,50,I63.900,J96.000|E87.600,01.2400\n"
            "0003,1,50,G45.900,,47.0100\n".encode()
        ),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(
                ["病案号", "主要诊断编码", "其他诊断编码", "主要手术操作编码"], pa.string()
            )
        ),
    )
    start = tmp_path / "start.parquet"
    pq.write_table(table, start)
    results = {}
    for form, options in {
        "a.xlsx": (),
        "b.csv": ("--encoding", "gb18030"),
        "c.csv": (),
        "d.parquet": (),
        "e.jsonl": (),
        "f.tsv": (),
    }.items():
        middle, out = tmp_path / form, tmp_path / f"{form}.csv"
        assert run("group", start, "-s", MINI, "-o", middle, "--lang", "zh", *options).code == 0
        assert run("group", middle, "-s", MINI, "-o", out, "--lang", "en").code == 0
        rows = read_csv(out)
        results[form] = [(row["病案号"], row["主要手术操作编码"], row["drg"]) for row in rows]
    expected = [("0001", "", "BR11"), ("0002", "01.2400", "BB11"), ("0003", "47.0100", "BQY")]
    assert results == dict.fromkeys(results, expected)


def test_columns_shows_the_mapping_with_values(run, tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("病案号,性别,主要诊断编码,备注\n1,1,I63.900,好\n2,2,G45.900,\n", "utf-8-sig")
    answer = run("columns", path, "--json")
    assert answer.code == 0
    fields = {row["column"]: row["field"] for row in json.loads(answer.out)["columns"]}
    assert fields == {"病案号": "record_no", "性别": "sex", "主要诊断编码": "dx", "备注": ""}
    assert "principal diagnosis" in run("columns", path).out
    assert "I63.900 | G45.900" in run("columns", path).out


@pytest.mark.conformance
@pytest.mark.parametrize("scheme_id", ["henan_2024", "chs_drg_30"])
def test_the_command_gives_the_expected_groups_on_a_scheme_folder(run, tmp_path, scheme_id):
    """What an outside checker does: any folder, JSON lines as they are, a CSV to compare."""
    cases, out = tmp_path / "cases.jsonl", tmp_path / "out.csv"
    cases.write_bytes(lzma.decompress((DATA / "cases" / f"{scheme_id}.jsonl.xz").read_bytes()))
    folder = tmp_path / scheme_id
    shutil.copytree(data_folder("schemes", scheme_id), folder)
    run("group", cases, "-s", folder, "-o", out, "--lang", "en", "--as-is")
    expected = [json.loads(line) for line in cases.read_text("utf-8").splitlines()]
    rows = read_csv(out)
    assert [row["id"] for row in rows] == [case["id"] for case in expected]
    keys = ("status", "mdc", "adrg", "drg")
    wrong = [
        case["id"]
        for row, case in zip(rows, expected, strict=True)
        if any(row[key] != (case["expect"][key] or "") for key in keys)
    ]
    assert not wrong
