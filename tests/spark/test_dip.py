"""DIP by Spark's workers: what `group_table` gives, scores as exact numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pa_parquet
import pytest
from dip_catalogues import cases, real_text
from spark_here import NEEDS_SPARK

import grouper
from grouper import cli
from grouper.run import spark as on_spark

pytestmark = NEEDS_SPARK


@pytest.fixture
def city(tmp_path: Path) -> Path:
    path = tmp_path / "city.tsv"
    path.write_text(real_text(), "utf-8")
    return path


def discharges() -> pa.Table:
    """The published cases, and one that is none."""
    rows = [
        {"id": one["id"], "dx": [one["principal_dx"]], "px": one["procedures"],
         "total_cost": one["total_cost"]}
        for one in cases()
    ]  # fmt: skip
    return pa.Table.from_pylist([*rows, {"id": "none", "dx": [], "px": [], "total_cost": None}])


@pytest.mark.parametrize(("cleaning", "lang"), [("standard", "zh"), ("as_is", "en")])
def test_workers_give_what_one_table_gives(
    spark: Any, city: Path, cleaning: Any, lang: Any
) -> None:
    table = discharges()
    df = spark.createDataFrame(table).repartition(3)
    grouped = on_spark.group(df, city, preset="jining", cleaning=cleaning, lang=lang)
    # catalogue and rules travel: no worker needs the file
    city.rename(city.with_suffix(".gone"))
    found = grouped.toArrow()
    city.with_suffix(".gone").rename(city)
    how = {"scheme": city, "preset": "jining", "cleaning": cleaning, "lang": lang}
    expected = grouper.group_table(table, **how)
    assert found.schema.field(found.column_names[-1]).type == pa.decimal128(38, 6)
    assert found.column_names == expected.column_names
    assert found.sort_by("id").to_pylist() == expected.sort_by("id").to_pylist()


def test_the_command(
    spark: Any, city: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = tmp_path / "cases.parquet", tmp_path / "out.parquet"
    pa_parquet.write_table(discharges(), source)
    words = [source, "-s", city, "--preset", "base", "-o", out, "--as-is", "--on", "spark",
             "--master", "local[2]", "--lang", "en", "--json"]  # fmt: skip
    assert cli.run(["group", *map(str, words)]) == 1
    summary = json.loads(capsys.readouterr().out)
    assert (summary["scheme"], summary["rows"], summary["rejected"]) == ("city", 168, 1)
    assert summary["rules"]["preset"] == "base"
    assert summary["reasons"]["dx_missing"] == 1
    assert summary["reasons"]["op_not_in_catalogue"] == summary["ungrouped"] - sum(
        n for token, n in summary["reasons"].items()
        if token not in ("dx_missing", "op_not_in_catalogue")
    )  # fmt: skip
    expected = {one["id"]: one["expected"]["base"] for one in cases()} | {"none": None}
    found = pa_parquet.read_table(out)
    assert dict(zip(found["id"].to_pylist(), found["dip"].to_pylist(), strict=True)) == expected
