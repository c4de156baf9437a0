"""Grouping in Spark's workers against workers that hand every batch back as it came.

Both sides read the same cached rows, run in local[2] with the same session, and end in a sink that
throws the rows away, so the ratio is what grouping adds to a job that already goes through Python.
Time is the processor time of the driver, of Java and of all workers together: two tasks keep two
free processors busy, and where other work holds them the clock would tell of that.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pa_parquet
import pytest
from paired import Goal, paired

import grouper

ROWS = 200_000


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    pytest.importorskip("pyspark")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    from grouper.run.spark_files import session

    with session("local[2]") as found:
        yield found


@pytest.mark.parametrize("batch", [10_000])
@pytest.mark.parametrize("cleaning", ["as_is", "standard"])
def test_grouping_against_an_empty_map(
    benchmark: Any, spark: Any, tmp_path: Any, batch: int, cleaning: Any
) -> None:
    from grouper.run.sample import sample_table
    from grouper.run.spark import group

    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(batch))
    rows = ROWS if not benchmark.disabled else 20_000
    scheme = grouper.load_scheme("chs_drg_20")
    table = sample_table(rows, 1, scheme)
    path = str(tmp_path / "cases.parquet")
    pa_parquet.write_table(table, path)
    cases = spark.read.parquet(path).repartition(4).cache()
    assert cases.count() == rows
    grouped = group(cases, scheme, cleaning=cleaning)
    got = digest(grouped.select("id", "status", "drg").toArrow())
    expected = grouper.group_table(table, scheme=scheme, cleaning=cleaning)
    assert got == digest(expected.select(["id", "status", "drg"]))
    # a function of this module would travel by its name, which the workers cannot import
    empty = cases.mapInArrow(lambda batches: batches, cases.schema)
    paired(
        benchmark,
        lambda: run(grouped),
        lambda: run(empty),
        goal=Goal(1.3, 1.1),
        clock=all_processes,
        records=rows,
        partitions=4,
        batch=batch,
        digest=got[:12],
    )
    cases.unpersist()


def all_processes() -> float:
    """Seconds of processor time of this process and all that come of it, ended ones included."""
    parents, times = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # the name before may hold blanks and brackets
            fields = stat.read_text().rpartition(")")[2].split()
            pid = int(stat.parent.name)
            parents[pid], times[pid] = int(fields[1]), sum(map(int, fields[11:15]))
    ours = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
        ours |= more
    return sum(times[pid] for pid in ours) / os.sysconf("SC_CLK_TCK")


def run(frame: Any) -> None:
    frame.write.format("noop").mode("overwrite").save()


def digest(table: pa.Table) -> str:
    """SHA-256 over the groups in the order of the ids: Spark gives rows in any order."""
    ordered = table.sort_by("id").to_pylist()
    return hashlib.sha256(repr([tuple(row.values()) for row in ordered]).encode()).hexdigest()
