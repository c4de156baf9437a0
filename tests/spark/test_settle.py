"""Settlement by Spark's workers is that of `settle bill`, row for row and fen for fen."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from spark_here import NEEDS_SPARK

import grouper
from grouper.errors import PolicyError, SettlementError
from grouper.run import spark_settle
from grouper.run.pipeline import group_files
from grouper.run.sample import sample_table
from grouper.run.settlement import settle_run, settled_columns

pytestmark = NEEDS_SPARK

ROWS = 400


@pytest.fixture(scope="module")
def cases() -> pa.Table:
    return sample_table(ROWS, 11, grouper.load_scheme("chs_drg_20"))


def test_workers_pay_what_the_command_pays(spark: Any, cases: pa.Table, tmp_path: Any) -> None:
    texts = pa.table({name: cases.column(name).cast(pa.string()) for name in cases.column_names})
    df = spark.createDataFrame(texts.to_pandas()).repartition(3)
    rows = spark_settle.settle(df, "demo").toArrow().sort_by("id").to_pylist()
    path = tmp_path / "cases.csv"
    import pyarrow.csv as pa_csv

    pa_csv.write_csv(texts.sort_by("id"), path)
    run = settle_run(group_files([path], grouper.load_scheme("chs_drg_20")), "demo")
    assert len(rows) == ROWS
    for name, column in settled_columns(run, "en"):
        assert [row[name] for row in rows] == column.to_pylist(), name
    assert any(row["case_type"] == "high_outlier" for row in rows)


def test_what_cannot_be_settled_is_said_at_once(spark: Any, cases: pa.Table) -> None:
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
