"""Plain tables and TOML: values with their places, every defect of form with its own."""

from __future__ import annotations

import os
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from grouper.datafile import data_folder, data_homes, read_toml, read_tsv
from grouper.errors import DataFileError

COLUMNS = ("code", "name")


def _table(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "codes.tsv"
    path.write_bytes(content)
    return path


def test_rows_know_their_line_and_fields(tmp_path: Path) -> None:
    table = read_tsv(_table(tmp_path, "code\tname\nA00\t霍乱\nA01\t\n".encode()), COLUMNS)
    assert [(row.line, row["code"], row["name"]) for row in table] == [
        (2, "A00", "霍乱"),
        (3, "A01", ""),
    ]
    assert next(iter(table)).where("name") == "codes.tsv:2:name"
    assert (len(table), table.column("code")) == (2, ["A00", "A01"])


def test_columns_may_be_taken_from_the_header(tmp_path: Path) -> None:
    table = read_tsv(_table(tmp_path, b"a\tb\tc\n1\t2\t3\n"))
    assert (table.columns, table.cells) == (("a", "b", "c"), (["1"], ["2"], ["3"]))


@pytest.mark.parametrize("content", [b"code\tname\n", b"code\tname\n\t\n"])
def test_a_table_may_be_empty_or_have_empty_fields(tmp_path: Path, content: bytes) -> None:
    assert len(read_tsv(_table(tmp_path, content), COLUMNS)) == content.count(b"\n") - 1


@pytest.mark.parametrize(
    ("content", "places"),
    [
        (b"", ["no_newline codes.tsv:1", "header codes.tsv:1"]),
        (b"code,name\nA,B\n", ["header codes.tsv:1"]),
        (b"code\tname\nA\nB\tC\tD\nE\tF\n", ["fields codes.tsv:2", "fields codes.tsv:3"]),
        (b"code\tname\nA\nB\tC\tD\n", ["fields codes.tsv:2", "fields codes.tsv:3"]),
        (b"code\tname\nA\tB", ["no_newline codes.tsv:2"]),
        (b"code\tname\r\nA\tB\r\n", ["cr codes.tsv:1"]),
        (b"\xef\xbb\xbfcode\tname\nA\tB\n", ["bom codes.tsv:1"]),
        ("code\tname\nA\t霍乱\n".encode("gb18030"), ["encoding codes.tsv:2"]),
        (b'code\tname\nA\t"B"\n', ["quote codes.tsv:2:name"]),
        (b"code\tname\nA\tB \n", ["blank codes.tsv:2:name"]),
        (b"code\tname\n\0\tB\n", ["control codes.tsv:2:code"]),
        (b"code\tname\n\t\n\n", ["fields codes.tsv:3"]),
    ],
)
def test_every_defect_of_form_is_named_with_its_place(
    tmp_path: Path, content: bytes, places: list[str]
) -> None:
    path = _table(tmp_path, content)
    with pytest.raises(DataFileError) as caught:
        read_tsv(path, COLUMNS)
    issues = caught.value.issues
    assert {issue.code for issue in issues} == {"DF120"}
    found = [f"{i.params['problem']} {i.where.removeprefix(f'{tmp_path}/')}" for i in issues]
    assert found == places
    assert all(issue.what("zh") and issue.what("en") for issue in issues)


def test_a_line_break_moved_between_rows_is_not_overlooked(tmp_path: Path) -> None:
    # as many fields as two sound rows, but not two in each
    with pytest.raises(DataFileError):
        read_tsv(_table(tmp_path, b"code\tname\nA\tB\tC\nD\n"), COLUMNS)


def test_a_missing_file_is_one_clear_message(tmp_path: Path) -> None:
    for read in (read_toml, read_tsv):
        with pytest.raises(DataFileError) as caught:
            read(tmp_path / "none")
        assert caught.value.issues[0].code == "DF101"


def test_toml_numbers_stay_exact_and_mistakes_name_their_line(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("rate = 10250.10\n", "utf-8")
    assert read_toml(path) == {"rate": Decimal("10250.10")}
    path.write_text("rate = 1\nrate : 2\n", "utf-8")
    with pytest.raises(DataFileError) as caught:
        read_toml(path)
    assert "line 2" in caught.value.issues[0].what("en")


def test_embedded_data_is_found() -> None:
    assert (data_folder("schemes", "chs_drg_20") / "scheme.toml").is_file()


def test_data_homes_are_named_or_those_of_the_platform(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GROUPER_DATA", os.pathsep.join(("here", "there")))
    assert data_homes() == (Path("here"), Path("there"))
    monkeypatch.setenv("GROUPER_DATA", "")
    for name in ("LOCALAPPDATA", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    assert data_homes() == (tmp_path / "grouper",)
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert data_homes() == (tmp_path / ".local" / "share" / "grouper",)


def test_a_user_without_a_home_has_no_data(monkeypatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError

    for name in ("GROUPER_DATA", "LOCALAPPDATA", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", nowhere)
    assert data_homes() == ()
