"""Batches made of plain tuples, and the demo area with its table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pytest

import weights
from grouper.dated import day_number
from grouper.engine.groups import GroupCodes, Groups, Status
from grouper.policy.load import load_policy
from grouper.records.batch import MISSING, MISSING_FEN, CaseBatch, CodeColumn

SCHEME = "chs_drg_20"


@dataclass(frozen=True)
class Row:
    """One case of a test; None = missing."""

    group: str = "BR11"
    total: int | None = 800_000
    pool: int | None = 500_000
    other: int | None = 0
    level: str = "三级"
    insurance: str = "310"
    hospital: str = "H99000000001"
    day: date | None = date(2025, 6, 15)
    status: Status = Status.GROUPED
    insured: str = ""
    los: int | None = 8
    leave: int = 1
    age: int | None = 50
    list_id: str = ""


def fen(values: Sequence[int | None]) -> np.ndarray:
    return np.array([MISSING_FEN if value is None else value for value in values], np.int64)


def whole(values: Sequence[int | None]) -> np.ndarray:
    return np.array([MISSING if value is None else value for value in values], np.int32)


def make(rows: Sequence[Row], scheme_id: str = SCHEME) -> tuple[CaseBatch, Groups]:
    """A batch and its groups."""
    n = len(rows)
    no_codes = CodeColumn.from_lists([()] * n)
    nothing = np.zeros(n, np.int32)
    batch = CaseBatch(
        dx=no_codes,
        px=no_codes,
        sex=np.zeros(n, np.uint8),
        age_years=whole([row.age for row in rows]),
        age_days=nothing,
        admission_weight=nothing,
        los_days=whole([row.los for row in rows]),
        icu_hours=nothing,
        discharge_disposition=np.array([row.leave for row in rows], np.uint8),
        reject=np.zeros(n, np.uint16),
        case_id=[row.list_id for row in rows],
        hospital=[row.hospital for row in rows],
        hospital_level=[row.level for row in rows],
        insurance=[row.insurance for row in rows],
        area_insured=[row.insured for row in rows],
        discharge_date=np.array(
            [MISSING if row.day is None else day_number(row.day) for row in rows], np.int32
        ),
        total_cost_fen=fen([row.total for row in rows]),
        fund_basic_fen=fen([row.pool for row in rows]),
        other_funds_fen=fen([row.other for row in rows]),
    )
    drg = ("", *sorted({row.group for row in rows}))
    grouped = [row.status == Status.GROUPED for row in rows]
    ids = [drg.index(row.group) if own else 0 for row, own in zip(rows, grouped, strict=True)]
    names = ("",) * len(drg)
    groups = Groups(
        rule_id=np.zeros(n, np.uint32),
        group_id=np.array(ids, np.uint32),
        severity=np.zeros(n, np.uint8),
        status=np.array([row.status for row in rows], np.uint8),
        reason=np.zeros(n, np.uint16),
        reasons=(),
        codes=GroupCodes(("",), ("",), ("",), drg, names, names),
        scheme_id=scheme_id,
        scheme_digest="",
    )
    return batch, groups


@pytest.fixture(scope="session")
def row() -> type[Row]:
    return Row


@pytest.fixture(scope="session")
def make_batch() -> Callable[..., tuple[CaseBatch, Groups]]:
    return make


@pytest.fixture(scope="session")
def table():
    return weights.load("demo")


@pytest.fixture(scope="session")
def policy():
    return load_policy("demo")


@pytest.fixture(scope="session")
def settle(table, policy):
    """`settle(rows)` -> (batch, groups, amounts) under the demo area."""
    from grouper.settle.case import settle_batch

    def run(rows, *, table=table, policy=policy, **options):
        batch, groups = make(rows)
        options = {"scheme_status": "national", **options}
        return batch, groups, settle_batch(batch, groups, table, policy, **options)

    return run
