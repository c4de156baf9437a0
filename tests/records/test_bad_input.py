"""Input that cannot be read and output that cannot be written: one clear message each."""

from __future__ import annotations

import os
import zipfile

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from grouper.errors import GrouperError
from grouper.records.outfile import as_it_was, whole_file
from grouper.records.read import read_records
from grouper.records.write import check_output, write_results

GOOD = "id,sex,age,dx\n1,1,40,I10.x00x002\n"


def refused(action) -> GrouperError:
    """The one complaint of an action, which can be told in both languages."""
    with pytest.raises(GrouperError) as raised:
        action()
    error = raised.value
    assert len(error.issues) == 1
    assert error.text("zh") != error.text("en")
    assert len(error.text("en")) < 1500
    return error


def code_of(path, **options) -> str:
    return refused(lambda: read_records(path, **options)).issues[0].code


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty.csv", "", "DF131"),
        ("blank.csv", " \r\n\n", "DF131"),
        ("bom.csv", b"\xef\xbb\xbf", "DF131"),
        ("header.csv", "id,sex,dx\n", "RE17"),
        ("header.jsonl", "\n", "DF131"),
        ("none.json", "[]", "RE17"),
        ("separator.csv", GOOD.replace(",", "~"), "RE11"),
        ("foreign.csv", "a,b,c\n1,2,3\n", "RE11"),
        ("no_sex.csv", "id,age,dx\n1,40,I10.x00\n", "RE12"),
        ("no_dx.csv", "id,sex,age\n1,1,40\n", "RE11"),
        ("others_only.csv", "id,性别,其他诊断编码1\n1,1,I10.x00\n", "RE11"),
        ("twice.csv", "id,sex,dx,sex\n1,1,I10.x00,2\n", "RE13"),
        ("names.csv", "id,sex,dx\n1,1,高血压\n2,1,脑梗死\n", "RE15"),
        ("workbook.csv", b"PK\x03\x04....", "DF132"),
        ("text.xlsx", GOOD, "DF132"),
        ("page.xls", "<html><table><tr><td>id</td></tr></table></html>", "DF132"),
        ("page.csv", "\n<TABLE><tr><td>id</td></tr></TABLE>", "DF132"),
        ("text.parquet", GOOD, "DF132"),
        ("locked.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(3000), "DF134"),
        ("damaged.xlsx", b"PK\x03\x04" + bytes(100), "DF135"),
        ("damaged.parquet", b"PAR1" + bytes(100), "DF135"),
        ("damaged.json", '[{"id": 1', "DF135"),
        ("utf16.csv", b"\xff\xfei\x00d\x00\x00", "DF133"),
        ("strange.doc", GOOD, "DF136"),
    ],
)
def test_file_is_refused(tmp_path, name, content, code):
    assert code_of(write(tmp_path / name, content)) == code


def test_missing_file_and_folder_are_refused(tmp_path):
    assert code_of(tmp_path / "none.csv") == "DF130"
    assert code_of(tmp_path) == "DF130"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="may read everything")
def test_file_without_permission_is_refused(tmp_path):
    path = write(tmp_path / "a.csv", GOOD)
    path.chmod(0)
    assert code_of(path) == "DF130"


def test_a_truncated_workbook_is_refused(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["id", "sex", "dx"])
    book.save(tmp_path / "whole.xlsx")
    data = (tmp_path / "whole.xlsx").read_bytes()
    assert code_of(write(tmp_path / "a.xlsx", data[: len(data) // 2])) == "DF135"
    with zipfile.ZipFile(tmp_path / "zip.xlsx", "w") as archive:
        archive.writestr("nothing.txt", "x")
    assert code_of(tmp_path / "zip.xlsx") == "DF135"


def test_parquet_with_text_that_is_no_utf8_is_refused(tmp_path):
    offsets, text = pa.py_buffer(bytes([0, 0, 0, 0, 2, 0, 0, 0])), pa.py_buffer(b"\xd6\xd0")
    column = pa.Array.from_buffers(pa.string(), 1, [None, offsets, text])
    table = pa.table({"id": ["1"], "sex": [1], "dx": ["I10.x00"], "note": column})
    pq.write_table(table, tmp_path / "a.parquet", use_dictionary=False)
    assert code_of(tmp_path / "a.parquet") == "DF135"


def test_a_damaged_sheet_inside_a_sound_workbook_is_refused(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["id", "sex", "dx"])
    book.save(tmp_path / "a.xlsx")
    with (
        zipfile.ZipFile(tmp_path / "a.xlsx") as whole,
        zipfile.ZipFile(tmp_path / "b.xlsx", "w") as broken,
    ):
        for name in whole.namelist():
            data = whole.read(name)
            broken.writestr(name, data[:-60] if "sheet1" in name else data)
    assert code_of(tmp_path / "b.xlsx") == "DF135"


def test_workbooks_without_records_are_refused(tmp_path):
    book = openpyxl.Workbook()
    book.save(tmp_path / "empty.xlsx")
    assert code_of(tmp_path / "empty.xlsx") == "DF131"
    book.active.append(["id", "sex", "dx"])
    book.save(tmp_path / "header.xlsx")
    assert code_of(tmp_path / "header.xlsx") == "RE17"
    pq.write_table(pa.table({"id": pa.array([], pa.string())}), tmp_path / "none.parquet")
    assert code_of(tmp_path / "none.parquet") == "RE17"


def test_a_wrong_header_is_answered_with_the_nearest_known_one(tmp_path):
    path = write(tmp_path / "a.csv", "病案号,性别,主要诊断编玛\n1,1,I10.x00\n")
    error = refused(lambda: read_records(path))
    assert "主要诊断编玛 -> 主要诊断编码" in error.text("zh")


def test_files_of_different_columns_are_refused(tmp_path):
    first = write(tmp_path / "a.csv", GOOD)
    second = write(tmp_path / "b.csv", "id,sex,dx\n1,1,I10.x00\n")
    assert code_of([first, second]) == "RE16"


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ({"dx": "nothing"}, "RE14"),
        ({"dxx": "dx"}, "RE14"),
        ({"dx": "dx", "weight_unit": "pound"}, "RE14"),
    ],
)
def test_a_map_that_does_not_fit_is_refused(tmp_path, entries, code):
    assert code_of(write(tmp_path / "a.csv", GOOD), mapping=entries) == code


def test_unknown_layout_and_encoding_are_refused(tmp_path):
    path = write(tmp_path / "a.csv", GOOD)
    assert code_of(path, layout="hqmz") == "RE10"
    assert code_of(path, encoding="utf-99") == "DF133"


def test_a_cell_of_ten_thousand_characters_is_one_unknown_code_with_a_short_message(tmp_path):
    path = write(
        tmp_path / "a.csv", f"id,sex,dx,n\n1,1,I10.x00x002|{'Q' * 10_000},{'n' * 10_000}\n"
    )
    records = read_records(path)
    (issue,) = [issue for issue in records.issues if issue.code == "RW01"]
    assert len(issue.text("en")) < 400
    out = write_results(tmp_path / "o.xlsx", records.user, [])
    assert len(openpyxl.load_workbook(out)["结果"]["D2"].value) == 10_000


def test_rows_that_cannot_be_read_are_rejected_alone(tmp_path):
    content = GOOD.encode() + b"2,1,40\n3,1,40,\0\n4,1,40,\xff\xff\n5,1,40,I10.x00x002\n"
    records = read_records(write(tmp_path / "a.csv", content))
    names = [records.batch.reject_codes[k - 1] if k else "" for k in records.batch.reject]
    assert names == ["", "RE03", "RE03", "RE03", ""]
    assert [i.where for i in records.issues if i.code == "RE03"] == [
        "a.csv:3",
        "a.csv:4",
        "a.csv:5",
    ]
    out = write_results(tmp_path / "o.csv", records.user, [])
    assert len(out.read_text("utf-8-sig").splitlines()) == 6


def test_lines_of_json_that_are_no_objects_are_rejected_alone(tmp_path):
    lines = ['{"id":"1","sex":1,"dx":["I10.x00x002"]}', "[1]", "{", '{"id":"4","sex":2,"dx":[]}']
    records = read_records(write(tmp_path / "a.jsonl", "\n".join(lines)))
    assert records.batch.reject.tolist() == [0, 3, 3, 0]
    assert records.batch.dx.codes(0) == ("I10.x00x002",)


def test_formula_cells_without_a_value_are_told(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["id", "sex", "dx", "age"])
    book.active.append(["1", 1, "I10.x00x002", "=20+20"])
    book.save(tmp_path / "a.xlsx")
    records = read_records(tmp_path / "a.xlsx")
    (issue,) = [issue for issue in records.issues if issue.code == "RW13"]
    assert issue.params == {"count": 1, "cells": "D2"}
    assert records.batch.reject.tolist() == [0]


@pytest.fixture
def user(tmp_path):
    return read_records(write(tmp_path / "in.csv", GOOD)).user


def test_output_that_exists_is_replaced_only_on_request(tmp_path, user):
    path = write(tmp_path / "o.csv", "precious")
    assert refused(lambda: write_results(path, user, [])).issues[0].code == "DF140"
    assert path.read_text() == "precious"
    write_results(path, user, [], overwrite="replace")
    assert path.read_text("utf-8-sig") == GOOD


def test_output_equal_to_an_input_is_refused_even_on_request(tmp_path, user):
    os.symlink(tmp_path / "in.csv", tmp_path / "link.csv")
    for name in ("in.csv", "link.csv", "../" + tmp_path.name + "/in.csv"):
        error = refused(
            lambda name=name: write_results(tmp_path / name, user, [], overwrite="replace")
        )
        assert error.issues[0].code == "DF141"
    assert (tmp_path / "in.csv").read_text() == GOOD


def test_output_that_cannot_be_written_is_refused(tmp_path, user):
    for path in (tmp_path, tmp_path / "none" / "o.csv", "/proc/o.csv"):
        action = lambda path=path: write_results(path, user, [], overwrite="replace")  # noqa: E731
        assert refused(action).issues[0].code in ("DF136", "DF142")
    assert refused(lambda: write_results(tmp_path / "o.doc", user, [])).issues[0].code == "DF136"
    assert refused(lambda: check_output(tmp_path)).issues[0].code == "DF142"


def test_a_locked_output_is_told_and_leaves_nothing_behind(tmp_path, user, monkeypatch):
    def locked(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", locked)
    assert refused(lambda: write_results(tmp_path / "o.csv", user, [])).issues[0].code == "DF142"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv"]


def test_nothing_is_left_half_written_when_writing_stops(tmp_path):
    def stopped():
        with whole_file(tmp_path / "o.csv") as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert list(tmp_path.iterdir()) == []


def test_text_that_an_encoding_lacks_is_told(tmp_path):
    user = read_records(write(tmp_path / "a.csv", "id,sex,dx,n\n1,1,I10.x00,姓\n")).user
    error = refused(lambda: write_results(tmp_path / "o.csv", user, [], encoding="latin-1"))
    assert error.issues[0].code == "DF144"
    assert not (tmp_path / "o.csv").exists()


def test_more_rows_than_a_sheet_holds_are_refused(tmp_path, user, monkeypatch):
    monkeypatch.setattr("grouper.records.workbook_out.MAX_ROWS", 0)
    assert refused(lambda: write_results(tmp_path / "o.xlsx", user, [])).issues[0].code == "DF143"
    assert not (tmp_path / "o.xlsx").exists()


def test_a_cell_longer_than_a_sheet_holds_is_refused(tmp_path):
    user = read_records(
        write(tmp_path / "a.csv", f"id,sex,dx,n\n1,1,I10.x00,{'n' * 40_000}\n")
    ).user
    error = refused(lambda: write_results(tmp_path / "o.xlsx", user, [("drg", pa.array(["X"]))]))
    assert error.issues[0].code == "DF145"


@pytest.mark.parametrize("earlier", [None, b"earlier"])
def test_an_output_that_is_not_confirmed_leaves_what_was_there(tmp_path, earlier):
    path = tmp_path / "statement.json"
    if earlier is not None:
        path.write_bytes(earlier)

    def unconfirmed():
        with as_it_was(path):
            path.write_bytes(b"later")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        unconfirmed()
    assert (path.read_bytes() if path.exists() else None) == earlier
    with as_it_was(path):
        path.write_bytes(b"later")
    assert path.read_bytes() == b"later"
    assert [one.name for one in tmp_path.iterdir()] == ["statement.json"]
