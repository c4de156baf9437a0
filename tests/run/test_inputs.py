"""Folders as inputs: which of their files are read, in which order, and what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from xlsxwriter import Workbook

from grouper import cli
from grouper.errors import GrouperError
from grouper.records.read import SUFFIXES
from grouper.run.inputs import files_of

HEADER = ["id", "sex", "age", "dx"]


def write(path, *ids: str):
    """A file of discharges in the form of its suffix."""
    rows = [[each, "1", "70", "I63.900"] for each in ids]
    if path.suffix == ".xlsx":
        with Workbook(path) as book:
            sheet = book.add_worksheet()
            for at, cells in enumerate([HEADER, *rows]):
                sheet.write_row(at, 0, cells)
    elif path.suffix == ".parquet":
        columns = [list(cells) for cells in zip(*rows, strict=True)]
        pq.write_table(pa.table(columns, names=HEADER), path)
    elif path.suffix == ".jsonl":
        lines = [json.dumps(dict(zip(HEADER, cells, strict=True))) for cells in rows]
        path.write_text("\n".join(lines), "utf-8")
    else:
        path.write_text("\n".join(map(",".join, [HEADER, *rows])), "utf-8")
    return path


@pytest.fixture
def months(tmp_path):
    folder = tmp_path / "months"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("suffix", [".csv", ".CSV", ".xlsx", ".parquet", ".jsonl"])
@pytest.mark.parametrize("way", ["-o", "--run"])
def test_a_folder_is_its_files_in_the_order_of_their_names(
    months, tmp_path, mini_path, suffix, way, capsys
):
    write(months / f"2024-02{suffix}", "3")
    write(months / f"2024-01{suffix}", "1", "2")
    # of programs, of other kinds, of other folders: not discharges
    for name in (f".hidden{suffix}", f"~$2024-01{suffix}", "readme.md"):
        (months / name).write_bytes(b"\0")
    (months / "2023.csv").mkdir()
    target = tmp_path / ("run" if way == "--run" else "out.csv")
    words = ["group", months, "-s", mini_path, way, target, "--json", "--lang", "en"]
    assert cli.run([str(word) for word in words]) == 0
    said = capsys.readouterr()
    summary = json.loads(said.out)
    names = [Path(source["path"]).name for source in summary["sources"]]
    assert names == [f"2024-01{suffix}", f"2024-02{suffix}"]
    assert [source["rows"] for source in summary["sources"]] == [2, 1]
    assert "files" in said.err
    out = target / ("results.parquet" if suffix == ".parquet" else "results.csv")
    out = out if way == "--run" else target
    if out.suffix == ".csv":
        lines = out.read_text("utf-8-sig").splitlines()[1:]
        assert [line.partition(",")[0] for line in lines] == ["1", "2", "3"]
    else:
        assert pq.read_table(out)["id"].to_pylist() == ["1", "2", "3"]


def test_files_and_folders_stand_in_the_order_given(months, tmp_path):
    inside = write(months / "b.csv", "2")
    before, after = write(tmp_path / "z.csv", "1"), write(tmp_path / "a.csv", "3")
    assert files_of([before, months, after]) == [before, inside, after]
    # what is named is read, whatever its name; whether it is there is found when it is opened
    assert files_of([tmp_path / "~$none.csv"]) == [tmp_path / "~$none.csv"]


def test_a_folder_of_several_forms_is_refused(months, tmp_path, mini_path, capsys):
    for name in ("a.csv", "b.csv", "c.xlsx"):
        write(months / name, "1")
    out = tmp_path / "out.csv"
    words = ["group", months, "-s", mini_path, "-o", out, "--lang", "en"]
    assert cli.run([str(word) for word in words]) == 3
    said = capsys.readouterr().err
    assert said.startswith("DF137")
    assert "2 .csv, 1 .xlsx" in said
    assert not out.exists()


def test_a_folder_without_a_file_is_refused(months):
    (months / "report.pdf").write_bytes(b"%PDF")
    write(months / ".hidden.csv", "1")
    with pytest.raises(GrouperError, match="DF138"):
        files_of([months])


def test_the_suffixes_that_are_read_are_documented():
    page = Path(__file__).parents[2] / "docs" / "reference" / "run.md"
    assert set(SUFFIXES) <= set(re.findall(r"\.[a-z]+", page.read_text("utf-8")))


def test_the_output_must_not_be_one_of_the_inputs_of_a_folder(months, mini_path, capsys):
    write(months / "a.csv", "1")
    words = ["group", months, "-s", mini_path, "-o", months / "a.csv", "--force"]
    assert cli.run([str(word) for word in words]) == 3
    assert "DF141" in capsys.readouterr().err
