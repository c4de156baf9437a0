"""Bad input through the command: one clear message, no traceback, nothing half-written."""

from __future__ import annotations

import errno
import io
import json
import os
import zipfile
from pathlib import Path

import pytest
import xlsxwriter

pytestmark = pytest.mark.cli

MINI = Path(__file__).parents[1] / "data" / "schemes" / "mini"
GOOD = "id,sex,age,dx\n1,1,70,I63.900\n"
#: the first bytes of a compound file and the name of the stream that holds an encrypted workbook
ENCRYPTED = (
    bytes.fromhex("d0cf11e0a1b11ae1")
    + b"\0" * 504
    + "EncryptedPackage".encode("utf-16-le")
    + b"\0" * 512
)


def workbook_bytes() -> bytes:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for row, cells in enumerate((("id", "sex", "dx"), ("1", 1, "I63.900"))):
            sheet.write_row(row, 0, cells)
    return target.getvalue()


def cut_short() -> bytes:
    return workbook_bytes()[:-200]


def without_sheets() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("readme.txt", "not a workbook")
    return target.getvalue()


#: name of the file, its bytes, the code that is said
BROKEN = {
    "wrong delimiter": ("in.csv", b"id!sex!age!dx\n1!1!70!I63.900\n", "RE1"),
    "missing columns": ("in.csv", b"id,age\n1,70\n", "RE1"),
    "no diagnosis column": ("in.csv", "病案号,性别,年龄\n1,1,70\n".encode(), "RE1"),
    "header twice": ("in.csv", b"id,sex,sex,dx\n1,1,1,I63.900\n", "RE13"),
    "names in the code column": (
        "in.csv",
        "id,sex,主要诊断编码\n1,1,脑梗死\n2,1,肺炎\n".encode(),
        "RE15",
    ),
    "empty": ("in.csv", b"", "DF131"),
    "only blanks": ("in.csv", b"\n  \n", "DF13|RE1"),
    "header only": ("in.csv", b"id,sex,age,dx\n", "RE17"),
    "a workbook called csv": ("in.csv", workbook_bytes(), "DF132"),
    "a text called xlsx": ("in.xlsx", GOOD.encode(), "DF132"),
    "an unknown suffix": ("in.doc", GOOD.encode(), "DF136"),
    "password-protected": ("in.xlsx", ENCRYPTED, "DF134"),
    "workbook cut short": ("in.xlsx", cut_short(), "DF135"),
    "archive without sheets": ("in.xlsx", without_sheets(), "DF13"),
    "broken parquet": ("in.parquet", b"PAR1nonsensePAR1", "DF135"),
    "broken json lines": ("in.jsonl", b'{"id": 1\n', "DF13|RE1"),
    "json of another kind": ("in.json", b'"text"', "DF13|RE1"),
}


def group(run, path, *more, out=None):
    target = out or path.with_name("out.csv")
    return run("group", path, "-s", MINI, "-o", target, "--force", *more)


def is_one_clear_message(answer, codes: str, lang: str) -> None:
    assert answer.code == 3, answer.err
    assert not answer.out
    assert "Traceback" not in answer.err
    first, *more = answer.err.splitlines()
    assert first.startswith(tuple(codes.split("|"))), answer.err
    assert len(more) <= 2, "one message has at most three lines"
    remedy = {"zh": "处理", "en": "fix"}[lang]
    assert any(line.strip().startswith(remedy) for line in more), answer.err


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_is_none(run, tmp_path, case, lang):
    name, content, codes = BROKEN[case]
    path = tmp_path / name
    path.write_bytes(content)
    is_one_clear_message(group(run, path, "--lang", lang), codes, lang)
    assert [one.name for one in tmp_path.iterdir()] == [name]


#: content of a file whose other rows are fine, and the status of each row
PARTLY = {
    "NUL bytes": (
        b"id,sex,dx\n1,1,I63.900\n2,1,I63\0.900\n3,1,G45.900\n",
        "grouped rejected grouped",
    ),
    "a row of too many cells": (
        b"id,sex,dx\n1,1,I63.900\n2,1,I63.900,x,y\n3,1,G45.900\n",
        "grouped rejected grouped",
    ),
    "bytes of no encoding": (
        b"id,sex,dx\n1,1,I63.900\n2,1,\xff\xff\xff\n3,1,G45.900\n",
        "grouped rejected grouped",
    ),
    "mixed encodings": (
        "id,sex,dx,备注\n1,1,I63.900,好\n".encode() + "2,1,G45.900,好\n".encode("gb18030"),
        "grouped grouped",
    ),
    "a cell of 10,000 characters": (
        b"id,sex,dx,note\n1,1,I63.900," + b"x" * 10_000 + b"\n",
        "grouped",
    ),
    "formula texts": (b"id,sex,dx,note\n1,1,I63.900,=1+1\n2,1,#REF!,\n", "grouped rejected"),
    "an impossible age": (b"id,sex,age,dx\n1,1,170,I63.900\n2,1,70,I63.900\n", "rejected grouped"),
    "no principal diagnosis": (
        b"id,sex,dx1,dx2\n1,1,,I63.900\n2,1,I63.900,\n",
        "rejected grouped",
    ),
}


@pytest.mark.parametrize("case", PARTLY)
def test_a_bad_row_is_rejected_and_the_others_are_grouped(run, tmp_path, case):
    content, expected = PARTLY[case]
    path, out = tmp_path / "in.csv", tmp_path / "out.jsonl"
    path.write_bytes(content)
    answer = group(run, path, "--lang", "en", out=out)
    assert answer.code == (1 if "rejected" in expected else 0), answer.err
    assert "Traceback" not in answer.err
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert " ".join(row["status"] for row in rows) == expected
    rejected = [row for row in rows if row["status"] == "rejected"]
    assert all(row["reason"] and row["drg"] is None for row in rejected)


def test_a_formula_cell_counts_by_its_stored_value(run, tmp_path):
    path, out = tmp_path / "in.xlsx", tmp_path / "out.csv"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["id", "sex", "age", "dx"])
        sheet.write_row(1, 0, ["1", 1])
        sheet.write_formula(1, 2, "=60+10", None, 70)
        sheet.write_formula(1, 3, '="I63"&".900"', None, "I63.900")
    assert group(run, path, out=out).code == 0
    assert "BR11" in out.read_text("utf-8-sig")


def test_an_unreadable_or_locked_input(run, tmp_path, monkeypatch):
    path = tmp_path / "in.csv"
    path.write_text(GOOD, "utf-8")

    plain = Path.read_bytes

    def refuse(self: Path) -> bytes:
        if self != path:
            return plain(self)
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    answer = group(run, path, "--lang", "zh")
    is_one_clear_message(answer, "DF130", "zh")
    assert "没有权限，或文件正被其他程序" in answer.err


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_missing_input_and_a_folder_as_input(run, tmp_path, lang):
    is_one_clear_message(group(run, tmp_path / "no.csv", "--lang", lang), "DF130", lang)
    (tmp_path / "folder.csv").mkdir()
    is_one_clear_message(group(run, tmp_path / "folder.csv", "--lang", lang), "DF138", lang)


def test_an_output_that_cannot_be_written(run, tmp_path):
    path = tmp_path / "in.csv"
    path.write_text(GOOD, "utf-8")
    (tmp_path / "folder.csv").mkdir()
    for out in (tmp_path / "nowhere" / "out.csv", tmp_path / "folder.csv"):
        answer = group(run, path, "--lang", "zh", out=out)
        is_one_clear_message(answer, "DF142", "zh")
        assert "文件夹" in answer.err
    is_one_clear_message(group(run, path, out=tmp_path / "out.doc"), "DF136", "en")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["folder.csv", "in.csv"]


def test_an_output_that_fails_half_way_leaves_nothing(run, tmp_path, monkeypatch):
    path, out = tmp_path / "in.csv", tmp_path / "out.csv"
    path.write_text(GOOD, "utf-8")
    out.write_text("precious", "utf-8")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    answer = group(run, path, "--lang", "zh", out=out)
    is_one_clear_message(answer, "DF142", "zh")
    assert "磁盘已满" in answer.err
    assert out.read_text("utf-8") == "precious"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["in.csv", "out.csv"]


def test_an_output_equal_to_an_input(run, tmp_path):
    path = tmp_path / "in.csv"
    path.write_text(GOOD, "utf-8")
    link = tmp_path / "link.csv"
    link.symlink_to(path)
    for out in (path, link, tmp_path / "x" / ".." / "in.csv"):
        is_one_clear_message(group(run, path, out=out), "DF141|DF142", "en")
    assert path.read_text("utf-8") == GOOD


def test_a_scheme_that_is_none(run, tmp_path):
    path = tmp_path / "in.csv"
    path.write_text(GOOD, "utf-8")
    for scheme in ("chs_drg_99", tmp_path / "nowhere", tmp_path):
        answer = run("group", path, "-s", scheme, "-o", tmp_path / "out.csv")
        assert answer.code == 3
        assert answer.err.startswith("SE")
        assert "Traceback" not in answer.err
    assert [one.name for one in tmp_path.iterdir()] == ["in.csv"]


def test_a_text_that_the_asked_encoding_lacks(run, tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("id,sex,dx,note\n1,1,I63.900,𠮷\n", "utf-8")
    assert group(run, path, "--encoding", "gb18030").code == 0
    assert "𠮷" in path.with_name("out.csv").read_text("gb18030")
