"""Files and tables of discharges in, columns out: the door of the package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pyarrow as pa

from grouper.errors import Issue
from grouper.records.batch import CaseBatch
from grouper.records.user import UserTable

Cleaning = Literal["standard", "as_is"]


@dataclass(frozen=True)
class Records:
    """What was read: the columns to group, the user's own columns, what was found, facts.

    notes: `sources` (list of {path, form, encoding, delimiter, layout, rows, header_row, sheet}),
    `rows`, `mapping` (field -> headers), `counts` (issue code -> how often), `repairs`
    (kind -> how many cells), `unknown_codes` (list of {kind, code, count, suggestion}).
    """

    batch: CaseBatch
    user: UserTable
    issues: list[Issue] = field(default_factory=list)
    notes: dict[str, object] = field(default_factory=dict)


def read_records(
    paths: str | Path | Sequence[str | Path],
    *,
    layout: str | None = None,
    mapping: str | Path | Mapping[str, object] | None = None,
    cleaning: Cleaning = "standard",
    encoding: str | None = None,
) -> Records:
    """Records of one or more files of the same columns, rows in order of files and lines."""
    raise NotImplementedError


def records_from_table(
    table: pa.Table,
    *,
    layout: str | None = None,
    mapping: str | Path | Mapping[str, object] | None = None,
    cleaning: Cleaning = "standard",
    name: str = "table",
) -> Records:
    """Records of an Arrow table in memory; column types are kept for writing back."""
    raise NotImplementedError
