"""`dip build` against the pandas groupby with which an analyst would begin.

The analyst's script reads the same Parquet file, makes the key of each row (subcategory, main
operation, the others sorted), and counts cases and sums costs by key: the first step only. Ours
does that step on cleaned records, and with `build` everything else: groups, cases below the
threshold sent on, trimming, scores, files. Time is CPU time of the process.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from paired import paired

from grouper.run.dip_build import BuildChoices, build
from grouper.run.dip_build_files import folder_files, published, report_files
from grouper.run.dip_history import KeyedCases, Reading, read_keys
from grouper.scheme.dip_preset import load_classes, load_layers, load_preset

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from dip_catalogues import real
from dip_histories import draw

MILLION = 1_000_000


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A million discharges of the rows of a real catalogue, codes as text."""
    table = draw(real().catalogue, MILLION, 1, years=(2022, 2023, 2024)).table
    columns = [
        column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
        for column in table.columns
    ]
    path = tmp_path_factory.mktemp("history") / "cases.parquet"
    pq.write_table(pa.table(columns, names=table.column_names), path)
    return path


def canonical(px: str) -> str:
    """The main operation and the set of the others."""
    main, *others = px.upper().split("|")
    return main + "".join(f"+{code}" for code in sorted({*others} - {main}))


def by_pandas(path: Path) -> pd.DataFrame:
    """Cases and cost of every key, as an analyst writes it."""
    frame = pd.read_parquet(path, columns=["dx", "px", "total_cost"])
    frame["key"] = frame["dx"].str.upper().str[:5] + ":" + frame["px"].map(canonical)
    frame["fen"] = (frame["total_cost"] * 100).astype("int64")
    return frame.groupby("key")["fen"].agg(["size", "sum"])


def ours(path: Path) -> KeyedCases:
    return read_keys([path], Reading(), threads=1)


def whole(path: Path) -> Mapping[str, bytes]:
    """The first step and all others."""
    rules = load_preset("national"), load_classes(), load_layers()
    built = build(ours(path), BuildChoices(), *rules)
    reports = report_files(built, "city", [path.name])
    return folder_files(published(built, "city", [path.name]), reports)


def same_keys(found: KeyedCases, frame: pd.DataFrame) -> None:
    """Both agree on every key, its cases and its cost, or nothing is timed."""
    cases, fen = found.of_keys()
    keys = ["+".join((f"{key.dx}:{key.main}", *key.related)) for key in found.keys]
    assert dict(zip(keys, zip(cases.tolist(), fen.tolist(), strict=True), strict=True)) == {
        key: (int(n), int(total))
        for key, n, total in zip(frame.index, frame["size"], frame["sum"], strict=True)
    }


@pytest.mark.parametrize("step", ["keys", "build"])
def test_build_against_pandas(benchmark: Any, history: Path, step: str) -> None:
    same_keys(ours(history), by_pandas(history))
    work = ours if step == "keys" else whole
    begun = time.process_time()
    work(history)
    seconds = time.process_time() - begun
    paired(
        benchmark,
        lambda: work(history),
        lambda: by_pandas(history),
        goal=None,
        pairs=5,
        clock=time.process_time,
        rows=MILLION,
        seconds_per_million=round(seconds, 2),
    )


def test_memory_of_ten_million(benchmark: Any, tmp_path: Path) -> None:
    """Peak of a process of its own that builds from ten million rows; the clock on the wall."""
    path = tmp_path / "cases.parquet"
    pq.write_table(draw(real().catalogue, 10 * MILLION, 1, years=(2022, 2023, 2024)).table, path)
    command = [sys.executable, "-m", "grouper", "dip", "build", str(path), str(tmp_path / "city")]
    begun = time.perf_counter()
    benchmark.pedantic(subprocess.run, (command,), {"check": True}, rounds=1)
    benchmark.extra_info["seconds"] = round(time.perf_counter() - begun, 1)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    benchmark.extra_info["peak_mb"] = peak // 1024
    print(f"\nten million rows: {benchmark.extra_info}")
