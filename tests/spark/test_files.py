"""`grouper group --on spark`: Parquet in, a Parquet folder out, manners as on one machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pa_parquet
import pytest
from spark_here import NEEDS_SPARK

import grouper
from grouper import cli
from grouper.run import spark_files

pytestmark = NEEDS_SPARK

CASES = pa.table(
    {
        "id": ["1", "2", "3", "4"],
        "sex": [1, 2, 2, None],
        "dx": [["J18.900", "J96.000"], ["K35.800x001"], ["J18.900"], ["J18.900"]],
        "px": [[], ["47.0100"], ["47.0100"], None],
    }
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "cases.parquet"
    pa_parquet.write_table(CASES, path)
    return path


def group(*words: object, lang: str = "en") -> int:
    given = ["group", *words, "-s", "chs_drg_20", "--on", "spark", "--lang", lang]
    return cli.run([str(word) for word in [*given, "--master", "local[2]"]])


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_folder_holds_what_one_machine_gives(
    spark: Any, source: Path, tmp_path: Path, lang: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.parquet"
    pa_parquet.write_table(CASES, other)
    out = tmp_path / "out.parquet"
    assert group(source, other, "-o", out, "--json", lang=lang) == 1
    summary = json.loads(capsys.readouterr().out)
    assert (summary["rows"], summary["rejected"], summary["reasons"]) == (8, 2, {"sex": 2})
    assert (out / "_SUCCESS").is_file()
    expected = grouper.group_table(CASES, scheme="chs_drg_20", lang=lang)
    got = pa_parquet.read_table(out).sort_by("id")
    assert got.column_names == expected.column_names
    assert got.to_pylist() == [row for row in expected.to_pylist() for _ in range(2)]


def test_an_output_is_replaced_only_when_asked(
    spark: Any, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.parquet"
    assert group(source, "-o", out) == 1
    assert "rows" in capsys.readouterr().err
    assert group(source, "-o", out) == 3
    assert "DF140" in capsys.readouterr().err
    assert group(source, "-o", out, "--force") == 1
    assert group(source, "-o", source, "--force") == 3
    assert "DF141" in capsys.readouterr().err
    assert pa_parquet.read_table(source).equals(CASES)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"PAR1 cut", id="cut"),
        pytest.param(b"", id="empty"),
        pytest.param(None, id="missing"),
    ],
)
def test_a_broken_input_is_one_clear_error(
    spark: Any,
    tmp_path: Path,
    content: bytes | None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    broken = tmp_path / "broken.parquet"
    if content is not None:
        broken.write_bytes(content)
    assert group(broken, "-o", tmp_path / "out.parquet") == 3
    told = capsys.readouterr().err
    assert "RN203" in told
    assert "broken.parquet" in told
    assert "error occurred" not in told
    assert len(told.splitlines()) < 8
    assert not (tmp_path / "out.parquet" / "_SUCCESS").exists()


def test_inputs_of_different_columns_are_refused(
    spark: Any, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.parquet"
    pa_parquet.write_table(CASES.drop_columns("px"), other)
    assert group(source, other, "-o", tmp_path / "out.parquet") == 3
    assert "RE16" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["cases.csv", "-o", "out.parquet"], 3, "RN205"),
        (["cases.parquet", "-o", "out.csv"], 3, "RN205"),
        (["cases.parquet", "-o", "out.parquet", "--engine", "reference"], 2, "--engine"),
        (["cases.parquet", "-o", "out.parquet", "--encoding", "gb18030"], 2, "--encoding"),
        (["cases.parquet", "-o", "out.parquet", "--run", "folder"], 2, "--run"),
        (["-", "-o", "out.parquet"], 2, "-"),
    ],
)
def test_what_spark_cannot_do_is_said_before_it_starts(
    words: list[str], code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert group(*words) == code
    assert told in capsys.readouterr().err


def test_master_without_spark_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["group", "a.csv", "-o", "b.csv", "-s", "chs_drg_20", "--master", "local[2]"]
    assert cli.run(words) == 2
    assert "--on spark" in capsys.readouterr().err


def test_the_sentence_of_an_error_is_found() -> None:
    text = (
        "An exception was thrown from the Python worker:\nTraceback (most recent call last):\n"
        '  File "x.py", line 3, in run\ngrouper.errors.RunError: RN204 partition 3  versions\n'
        "\n\tat org.apache.spark.api"
    )
    assert spark_files.said(RuntimeError(text)) == "RN204 partition 3  versions"
    missing = "boom\nModuleNotFoundError: No module named 'grouper'\n"
    assert spark_files.said(RuntimeError(missing)) == "No module named 'grouper'"
    assert spark_files.said(RuntimeError("[PATH_NOT_FOUND] x\n\tat y")) == "[PATH_NOT_FOUND] x"
