"""The flow from files to groups: read, compile, group; the same for every command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, overload

import numpy as np

from grouper.engine import dip, reference
from grouper.engine.dip import DipGrouper, DipGroups
from grouper.engine.drg import grouper_of
from grouper.engine.groups import Groups, Status
from grouper.records.batch import CaseBatch
from grouper.records.read import Cleaning, Records, read_records
from grouper.scheme.model import Scheme

Engine = Literal["kernel", "reference"]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows came to which end; `reasons` counts the rejected ones by reason token."""

    rows: int
    grouped: int
    ambiguous: int
    ungrouped: int
    rejected: int
    reasons: Mapping[str, int]


@dataclass(frozen=True)
class GroupedRun:
    """Records with their groups, row for row."""

    records: Records
    groups: Groups
    scheme: Scheme
    engine: Engine
    counts: Counts


def group_files(
    paths: str | Path | Sequence[str | Path],
    scheme: Scheme,
    *,
    layout: str | None = None,
    mapping: str | Path | Mapping[str, object] | None = None,
    cleaning: Cleaning = "standard",
    encoding: str | None = None,
    engine: Engine = "kernel",
) -> GroupedRun:
    """Read files of discharges and group every row."""
    records = read_records(
        paths, layout=layout, mapping=mapping, cleaning=cleaning, encoding=encoding
    )
    return group_records(records, scheme, engine=engine)


def group_records(records: Records, scheme: Scheme, *, engine: Engine = "kernel") -> GroupedRun:
    """Group every row of what was read."""
    groups = group_batch(records.batch, scheme, engine=engine)
    return GroupedRun(records, groups, scheme, engine, count(groups))


@overload
def group_batch(batch: CaseBatch, scheme: Scheme, *, engine: Engine = "kernel") -> Groups: ...
@overload
def group_batch(
    batch: CaseBatch, scheme: DipGrouper, *, engine: Engine = "kernel"
) -> DipGroups: ...
def group_batch(
    batch: CaseBatch, scheme: Scheme | DipGrouper, *, engine: Engine = "kernel"
) -> Groups | DipGroups:
    """The group of every case, by the fast engine or by the one written to be read."""
    if isinstance(scheme, DipGrouper):
        if engine == "reference":
            return dip.group_batch(scheme.reference, batch)
        return scheme.group(batch)
    if engine == "reference":
        return reference.group_batch(scheme, batch)
    return grouper_of(scheme).group(batch)


def count(groups: Groups | DipGroups) -> Counts:
    """The rows by status; the rejected ones by reason, with DIP all that have no group."""
    by_status = np.bincount(groups.status, minlength=len(Status))
    return Counts(
        rows=len(groups),
        grouped=int(by_status[Status.GROUPED]),
        ambiguous=int(by_status[Status.AMBIGUOUS]),
        ungrouped=int(by_status[Status.UNGROUPED]),
        rejected=int(by_status[Status.REJECTED]),
        reasons=groups.reason_counts(),
    )
