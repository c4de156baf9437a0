"""Settlement by Spark's workers is that of `settle bill`, row for row and fen for fen."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from spark_here import NEEDS_SPARK

import grouper
from grouper import cli
from grouper.errors import PolicyError, SettlementError
from grouper.run import spark_settle
from grouper.run.pipeline import group_files
from grouper.run.settlement import settle_run, settled_columns

pytestmark = NEEDS_SPARK

ROWS = 400


@pytest.fixture(scope="module")
def cases(tmp_path_factory: Any) -> Path:
    path: Path = tmp_path_factory.mktemp("settle") / "cases.csv"
    assert cli.run(["sample", str(ROWS), "--seed", "11", "-o", str(path), "--quiet"]) == 0
    return path


def test_workers_pay_what_the_command_pays(spark: Any, cases: Path) -> None:
    rows = list(csv.DictReader(cases.read_text("utf-8-sig").splitlines()))
    schema = ", ".join(f"{name} string" for name in rows[0])
    df = spark.createDataFrame([tuple(row.values()) for row in rows], schema).repartition(3)
    found = spark_settle.settle(df, "demo").toArrow().sort_by("id").to_pylist()
    run = settle_run(group_files([cases], grouper.load_scheme("chs_drg_20")), "demo")
    assert [row["id"] for row in found] == list(run.run.records.batch.case_id)
    for name, column in settled_columns(run, "en"):
        told = [None if value == "" else value for value in column.to_pylist()]
        assert [None if row[name] == "" else row[name] for row in found] == told, name
    assert any(row["case_type"] == "high_outlier" for row in found)


def test_what_cannot_be_settled_is_said_at_once(spark: Any) -> None:
    df = spark.createDataFrame(
        [("1", "1", "70", "J18.900")], "id string, sex string, age string, dx string"
    )
    with pytest.raises(PolicyError):
        spark_settle.settle(df, "nowhere")
    with pytest.raises(SettlementError):
        spark_settle.settle(df, "庆阳")


def test_a_lead_settles_by_a_table_of_the_driver(spark: Any, tmp_path: Any) -> None:
    table = tmp_path / "w.csv"
    table.write_text("group,weight\nES31,0.9566\nES33,0.8\n", "utf-8")
    row = ("1", "1", "70", "8", "J18.900|J96.000", "三级", "310", "9338.16", "5000.00")
    schema = ", ".join(
        f"{name} string"
        for name in (
            "id",
            "sex",
            "age",
            "los",
            "dx",
            "hospital_level",
            "insurance",
            "total_cost",
            "fund_basic",
        )
    )
    df = spark.createDataFrame([row], schema)
    found = (
        spark_settle.settle(df, "庆阳", "chs_drg_20", table=str(table), allow="unverified")
        .toArrow()
        .to_pylist()[0]
    )
    assert found["drg"] == "ES31"
    assert str(found["payment"]) == "6106.93"
