"""Grouping by Spark's workers gives what `group_table` gives, whatever a partition holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pa_parquet
import pytest
from spark_here import NEEDS_SPARK

import grouper
from grouper.datafile import data_folder
from grouper.records.layout import choose
from grouper.run import spark as on_spark
from grouper.run.sample import sample_table

pytestmark = NEEDS_SPARK

RESULTS = ["status", "reason", "mdc", "adrg", "drg", "drg_name"]
GOOD = [
    {"id": "1", "sex": "1", "age": "70", "dx": "J18.900|J96.000", "px": "", "note": "a"},
    {"id": "2", "sex": "女", "age": "30岁", "dx": "K35.800x001", "px": "47.0100", "note": None},
    {"id": "3", "sex": "2", "age": "30", "dx": "J18.900", "px": "47.0100", "note": "c"},
]
BAD = [
    {"id": None, "sex": None, "age": None, "dx": None, "px": None, "note": None},
    {"id": "5", "sex": "3", "age": "old", "dx": "?", "px": "\x00", "note": ""},
    {"id": "6", "sex": "1", "age": "-7", "dx": "Z99.999x999", "px": "99", "note": "f"},
    {"id": "7", "sex": "1", "age": "999999999999", "dx": "", "px": "47.0100", "note": "g"},
    {"id": "8", "sex": "1", "age": "4", "dx": "|J18.900", "px": "||", "note": "h"},
    {"id": "9", "sex": "1", "age": "4", "dx": "肺炎", "px": "阑尾切除术", "note": "i"},
    {"id": "10", "sex": "1", "age": "4", "dx": "肺炎", "px": "x" * 5000, "note": "j"},
]
SCHEMA = "id string, sex string, age string, dx string, px string, note string"


KEY = ("a", "b")


def reading(names: tuple[str, ...] = ()) -> on_spark.Reading:
    """How the records above are read."""
    return on_spark.Reading(choose(tuple(GOOD[0]), "here"), "standard", "en", names)


def frame(spark: Any, *partitions: list[dict[str, Any]], schema: str = SCHEMA) -> Any:
    """A data frame with exactly these partitions."""
    parts = spark.sparkContext.parallelize(list(partitions), max(len(partitions), 1))
    return spark.createDataFrame(parts.flatMap(lambda rows: rows), schema)


def by_id(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: str(row["id"]))


@pytest.fixture(scope="module")
def regional() -> Path:
    return data_folder("schemes", "foshan_2022")


def test_a_bad_partition_among_good_ones_is_rejected_row_by_row(spark: Any) -> None:
    df = frame(spark, GOOD, BAD, [], GOOD[:1])
    assert df.rdd.getNumPartitions() == 4
    grouped = on_spark.group(df, "chs_drg_20")
    assert grouped.columns == [*df.columns, *RESULTS]
    rows = grouped.toArrow().to_pylist()
    expected = grouper.group_table(df.toArrow(), scheme="chs_drg_20").to_pylist()
    assert rows == expected
    assert [row["id"] for row in rows] == [r["id"] for r in [*GOOD, *BAD, GOOD[0]]]
    assert [row["drg"] for row in rows[:3]] == ["ES31", "GE29", "EQY"]
    assert {row["status"] for row in rows[3:10]} == {"rejected", "ungrouped"}


def test_a_partition_of_names_alone_does_not_stop_the_job(spark: Any) -> None:
    names = [row for row in BAD if row["dx"] == "肺炎"]
    rows = on_spark.group(frame(spark, GOOD, names), "chs_drg_20").toArrow().to_pylist()
    assert [row["status"] for row in rows[3:]] == ["ungrouped", "ungrouped"]


@pytest.mark.parametrize(("cleaning", "lang"), [("standard", "zh"), ("as_is", "en")])
def test_many_batches_equal_one_table(spark: Any, cleaning: Any, lang: Any) -> None:
    table = sample_table(1000, 3, grouper.load_scheme("chs_drg_20"))
    df = spark.createDataFrame(table).repartition(3)
    assert df.rdd.getNumPartitions() == 3
    grouped = on_spark.group(df, "chs_drg_20", cleaning=cleaning, lang=lang).toArrow()
    expected = grouper.group_table(table, scheme="chs_drg_20", cleaning=cleaning, lang=lang)
    assert grouped.column_names == expected.column_names
    assert by_id(grouped.to_pylist()) == by_id(expected.to_pylist())
    drgs = grouped[grouped.column_names[-2]]
    assert len(drgs.unique()) > 100


def test_a_scheme_folder_need_not_be_on_the_workers(
    spark: Any, regional: Path, tmp_path: Path
) -> None:
    moved = tmp_path / regional.name
    moved.mkdir()
    for file in regional.iterdir():
        (moved / file.name).write_bytes(file.read_bytes())
    df = frame(spark, GOOD, GOOD)
    grouped = on_spark.group(df, moved)
    for file in moved.iterdir():
        file.unlink()
    expected = grouper.group_table(df.toArrow(), scheme=regional)
    assert grouped.toArrow().to_pylist() == expected.to_pylist()


def test_a_map_file_of_the_driver_travels(spark: Any, tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_text('dx = ["haupt", "neben"]\nsex = "m_w"\ndx_sep = ";"\n', "utf-8")
    rows = [{"haupt": "J18.900", "neben": "J96.000;E11.900", "m_w": 1}]
    df = frame(spark, rows, rows, schema="haupt string, neben string, m_w int")
    grouped = on_spark.group(df, "chs_drg_20", mapping=path)
    path.unlink()
    assert [row["drg"] for row in grouped.collect()] == ["ES31", "ES31"]


def test_types_of_the_users_columns_stay(spark: Any) -> None:
    schema = (
        "id bigint, sex tinyint, dx array<string>, cost decimal(12,2), out date, at timestamp,"
        " seen boolean, more map<string,int>, deep struct<a:int,b:array<double>>, raw binary"
    )
    row = {
        "id": 2**60, "sex": 1, "dx": ["J18.900", None, "J96.000"], "cost": Decimal("12.30"),
        "out": date(2024, 2, 29), "at": None, "seen": True, "more": {"k": 1},
        "deep": {"a": 1, "b": [0.5]}, "raw": b"\xff\x00",
    }  # fmt: skip
    df = frame(spark, [row], [dict.fromkeys(row)], schema=schema)
    grouped = on_spark.group(df, "chs_drg_20")
    assert grouped.schema.fields[: len(row)] == df.schema.fields
    assert grouped.drop(*RESULTS).toArrow().equals(df.toArrow())
    assert [r["status"] for r in grouped.collect()] == ["grouped", "rejected"]


def test_dictionary_columns_of_parquet_group_alike(spark: Any, tmp_path: Path) -> None:
    table = pa.table(
        {
            "sex": pa.array(["1", "2", "1"]).dictionary_encode(),
            "dx": pa.array(["J18.900", "K35.800x001", "J18.900"]).dictionary_encode(),
            "px": pa.array([[], ["47.0100"], None], pa.list_(pa.string())),
        }
    )
    pa_parquet.write_table(table, tmp_path / "cases.parquet")
    df = spark.read.parquet(str(tmp_path / "cases.parquet"))
    got = on_spark.group(df, "chs_drg_20").toArrow()["drg"].to_pylist()
    assert got == grouper.group_table(table, scheme="chs_drg_20")["drg"].to_pylist()


@pytest.mark.parametrize("name", ["drg", "DRG", "Status"])
def test_a_users_column_of_the_same_name_is_kept_apart(spark: Any, name: str) -> None:
    rows = [{"sex": 1, "dx": "J18.900", name: "mine"}]
    grouped = on_spark.group(frame(spark, rows, schema=f"sex int, dx string, {name} string"),
                             "chs_drg_20")  # fmt: skip
    row = grouped.select(f"input_{name}", "status", "drg").collect()[0]
    assert list(row) == ["mine", "grouped", "ES35"]


def test_an_empty_frame_has_the_columns(spark: Any) -> None:
    grouped = on_spark.group(spark.createDataFrame([], SCHEMA), "chs_drg_20")
    assert grouped.collect() == []
    assert grouped.columns[-6:] == RESULTS


def test_wide_text_batches_group_alike(spark: Any) -> None:
    key = "spark.sql.execution.arrow.useLargeVarTypes"
    spark.conf.set(key, "true")
    try:
        rows = on_spark.group(frame(spark, GOOD), "chs_drg_20").collect()
    finally:
        spark.conf.unset(key)
    assert [row["drg"] for row in rows] == ["ES31", "GE29", "EQY"]


def test_columns_that_are_no_records_are_refused_before_any_work(spark: Any) -> None:
    with pytest.raises(grouper.GrouperError, match="dx"):
        on_spark.group(frame(spark, [{"a": 1}], schema="a int"), "chs_drg_20")


def test_a_scheme_is_broadcast_and_does_not_travel_with_every_task(spark: Any) -> None:
    from pyspark.cloudpickle import dumps

    data = on_spark.packed(grouper.load_scheme("chs_drg_20"))
    task = on_spark._task(on_spark._sender(frame(spark, GOOD), data), KEY, reading())
    assert len(dumps(task)) < len(data) // 100


def test_a_worker_unpacks_a_scheme_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_spark, "_ready", {})
    asked: list[str] = []

    def sent(data: bytes = on_spark.packed(grouper.load_scheme("chs_drg_20"))) -> bytes:
        asked.append("once")
        return data

    for _ in range(3):
        list(on_spark.group_batches([], sent, KEY, reading()))
    assert asked == ["once"]


def test_a_worker_of_another_version_says_so() -> None:
    with pytest.raises(grouper.GrouperError, match="RN204"):
        list(on_spark.group_batches([], lambda: b"", KEY, reading(), "0.0.0"))


def test_a_failure_names_its_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> Iterator[None]:
        raise ValueError("odd")

    monkeypatch.setattr(on_spark, "_grouped", fails)
    monkeypatch.setattr(on_spark, "_made_ready", lambda *_: None)
    batch = pa.RecordBatch.from_pydict({"a": [1, 2]})
    with pytest.raises(ValueError, match="odd") as caught:
        list(on_spark.group_batches([batch], lambda: b"", KEY, reading()))
    assert caught.value.__notes__ == ["in partition, rows 1 to 2"]


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
def test_groups_do_not_depend_on_the_size_of_chunks(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_spark, "_CHUNK_ROWS", rows)
    scheme = grouper.load_scheme("chs_drg_20")
    table = pa.Table.from_pylist([*GOOD, *BAD])
    expected = grouper.group_table(table, scheme=scheme)
    how, data = reading(tuple(expected.column_names)), on_spark.packed(scheme)
    nothing = table.slice(0, 0).to_batches() or [pa.RecordBatch.from_pylist([], table.schema)]
    batches = [*nothing, *table.to_batches(max_chunksize=1)]
    found = list(on_spark.group_batches(batches, lambda: data, KEY, how))
    assert [batch.num_rows for batch in found if batch.num_rows] == [1] * len(table)
    assert list(on_spark.group_batches(nothing, lambda: data, KEY, how)) == []
    assert pa.Table.from_batches(found).to_pylist() == expected.to_pylist()
