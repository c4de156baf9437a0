"""`settle bill`: pricing grouped cases against grouping them and against reading them.

The cases are the sample of the program, two hundred thousand rows repeated to a million, settled by
the invented area. Before anything is timed, cases drawn from the rows have to be paid alone, on
fractions, what the batch pays them. Time is that of all threads of the process.
"""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet
import pytest
from paired import paired, record

from grouper.engine.groups import Groups
from grouper.records.read import Records, read_records
from grouper.run.pipeline import GroupedRun, count, group_batch, group_records
from grouper.run.sample import sample_table
from grouper.run.settled import settle_to_file, settler_of
from grouper.run.settlement import SettledRun, settle_row
from grouper.run.stream import Options, group_to_file
from grouper.scheme.load import load_scheme
from grouper.settle.amounts import Amounts

ROWS, TIMES = 200_000, 5
AREA, SCHEME = "demo", "chs_drg_20"
#: rows that are also paid one by one
ALONE = 500


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("settle") / "cases.parquet"
    pa_parquet.write_table(
        pa.concat_tables([sample_table(ROWS, 1, load_scheme(SCHEME))] * TIMES), path
    )
    return path


@pytest.fixture(scope="module")
def records(source: Path) -> Records:
    return read_records([source])


@pytest.fixture(scope="module")
def run(records: Records) -> GroupedRun:
    return group_records(records, load_scheme(SCHEME))


def digest(amounts: Amounts) -> str:
    """SHA-256 over what every case is paid and by which type."""
    columns = (amounts.case_type, amounts.payable_fen, amounts.fund_fen, amounts.standard_fen)
    joined = b"".join(np.ascontiguousarray(column).tobytes() for column in columns)
    return hashlib.sha256(joined).hexdigest()[:12]


def agreed(run: GroupedRun) -> Amounts:
    """The amounts of the batch, some of which were also worked out alone."""
    settler = settler_of(AREA, run.scheme)
    amounts = settler.settle(run.records.batch, run.groups)
    settled = SettledRun(run, settler.policy, settler.table, amounts, "verified")
    for row in np.random.default_rng(1).integers(0, len(amounts), ALONE).tolist():
        alone = settle_row(settled, row)
        assert alone.case_type == amounts.case_type[row]
        assert alone.payable_fen in (None, int(amounts.payable_fen[row])), row
        assert alone.fund_fen in (None, int(amounts.fund_fen[row])), row
    return amounts


@pytest.mark.parametrize("cells", ["compiled", "kept"])
def test_pricing_a_million_cases_against_grouping_them(
    benchmark: Any, run: GroupedRun, cells: str
) -> None:
    """Compiled: by a settler made for it; kept: by one that has met the cells."""
    batch, amounts = run.records.batch, agreed(run)
    ready = settler_of(AREA, run.scheme)
    assert digest(ready.settle(batch, run.groups)) == digest(amounts)

    def price() -> Amounts:
        settler = ready if cells == "kept" else settler_of(AREA, run.scheme)
        return settler.settle(batch, run.groups)

    def group() -> Groups:
        return group_batch(batch, run.scheme)

    assert count(group()) == run.counts
    facts = {"rows": len(batch), "cells": len(amounts.cells), "digest": digest(amounts)}
    paired(benchmark, price, group, goal=None, pairs=5, clock=time.process_time, **facts)


def test_pricing_a_million_cases_against_reading_them(
    benchmark: Any, source: Path, run: GroupedRun
) -> None:
    settler, batch = settler_of(AREA, run.scheme), run.records.batch
    amounts = agreed(run)

    def price() -> Amounts:
        return settler.settle(batch, run.groups)

    def read() -> Records:
        return read_records([source])

    assert len(read().batch) == len(batch)
    facts = {"rows": len(batch), "digest": digest(amounts)}
    paired(benchmark, price, read, goal=None, pairs=5, clock=time.process_time, **facts)


def test_settle_bill_against_group_file_to_file(
    benchmark: Any, source: Path, run: GroupedRun
) -> None:
    """Parquet to Parquet, one thread, both through the same stream."""
    out, options = source.with_name("out.parquet"), Options(form="parquet", lang="en")

    def settle() -> None:
        settle_to_file([source], run.scheme, AREA, out, options, threads=1)

    def group() -> None:
        group_to_file([source], run.scheme, out, options, threads=1)

    settle()
    paid = pa_parquet.read_table(out, columns=["payment"]).column(0).to_pylist()
    amounts = agreed(run)
    assert [None if one is None else int(one * 100) for one in paid[:ROWS]] == [
        None if fen == -(2**63) else fen for fen in amounts.payable_fen[:ROWS].tolist()
    ]
    facts = {"rows": len(paid), "digest": digest(amounts)}
    paired(benchmark, settle, group, goal=None, pairs=3, clock=time.process_time, **facts)


def test_cases_priced_in_a_second(benchmark: Any, run: GroupedRun) -> None:
    settler, batch = settler_of(AREA, run.scheme), run.records.batch
    amounts = settler.settle(batch, run.groups)
    begun = time.process_time()
    benchmark.pedantic(lambda: settler.settle(batch, run.groups), rounds=3, iterations=1)
    seconds = (time.process_time() - begun) / 3
    record(benchmark, len(amounts) / seconds / 1e6, "M/s", None, digest=digest(amounts))
