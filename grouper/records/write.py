"""Results out: the user's columns, then ours, to CSV, TSV, XLSX, Parquet, JSON lines or JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pyarrow as pa

from grouper.errors import Lang
from grouper.records.user import UserTable

Overwrite = Literal["refuse", "replace"]
#: (column key, values): the key is the English header; the Chinese one is data
Results = Sequence[tuple[str, pa.Array | pa.ChunkedArray]]


def write_results(
    path: str | Path,
    user: UserTable,
    results: Results,
    *,
    lang: Lang = "zh",
    encoding: str | None = None,
    overwrite: Overwrite = "refuse",
    info: Sequence[tuple[str, object]] = (),
) -> Path:
    """Write rows to `path`; the suffix chooses the form. Nothing is left half-written."""
    raise NotImplementedError


def result_table(user: UserTable, results: Results, *, lang: Lang = "zh") -> pa.Table:
    """The same columns as an Arrow table, for callers that stay in memory."""
    raise NotImplementedError


def check_output(
    path: str | Path, inputs: Sequence[str | Path] = (), *, overwrite: Overwrite = "refuse"
) -> Path:
    """Complain early about an output that cannot or must not be written."""
    raise NotImplementedError
