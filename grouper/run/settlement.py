"""From groups to money: the policy of an area and its weight table applied to a grouped run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

import weights
from grouper.dated import from_day_number
from grouper.engine.groups import Status
from grouper.errors import Lang
from grouper.policy.load import load_policy
from grouper.policy.model import Allow, Policy, Terms
from grouper.policy.variant import Setting
from grouper.records.batch import MISSING, MISSING_FEN, CaseBatch
from grouper.run.pipeline import GroupedRun
from grouper.run.results import result_columns
from grouper.settle.amounts import Amounts
from grouper.settle.case import settle_batch
from grouper.settle.month import month_statements
from grouper.settle.single import CaseAmount, CaseFacts, settle_case
from grouper.settle.statement import Statement
from weights.table import WeightTable


@dataclass(frozen=True)
class SettledRun:
    """A grouped run with what every case is paid, row for row."""

    run: GroupedRun
    policy: Policy
    table: WeightTable
    amounts: Amounts
    allow: Allow

    def same_rules(self, other: SettledRun) -> bool:
        """Whether scheme, weight table and policy are those of another run."""
        mine, theirs = self.policy, other.policy
        return (
            self.run.scheme.digest == other.run.scheme.digest
            and self.table.id == other.table.id
            and (mine.area, mine.terms) == (theirs.area, theirs.terms)
        )


def latest_terms(policy: Policy, batch: CaseBatch) -> Terms:
    """What the policy says on the last day of discharge; the newest terms where no day is known."""
    days = batch.discharge_date[batch.discharge_date != MISSING]
    found = policy.find_terms(from_day_number(int(days.max()))) if len(days) else None
    return found or policy.terms[-1]


def scheme_of(area: str | Path, settings: Sequence[Setting] = ()) -> str:
    """The scheme by which an area groups at present."""
    return load_policy(area, settings=settings).terms[-1].scheme_id


def settle_run(
    run: GroupedRun,
    area: str | Path,
    *,
    allow: Allow = "verified",
    settings: Sequence[Setting] = (),
) -> SettledRun:
    """What each case is paid in an area, with some of its values set otherwise.

    Raises PolicyError, WeightError, SettlementError.
    """
    policy = load_policy(area, settings=settings)
    table = weights.load(latest_terms(policy, run.records.batch).weight_table)
    amounts = settle_batch(
        run.records.batch,
        run.groups,
        table,
        policy,
        scheme_status=run.scheme.status,
        allow=allow,
    )
    return SettledRun(run, policy, table, amounts, allow)


def statements(settled: SettledRun, month: str) -> list[Statement]:
    """The month's statement of every hospital and insurance."""
    run = settled.run
    return month_statements(
        run.records.batch, run.groups, settled.amounts, settled.policy, month=month
    )


def settle_row(settled: SettledRun, row: int) -> CaseAmount:
    """One row (0-based) step by step; the same amounts as in the batch."""
    run = settled.run
    return settle_case(
        facts_at(run.records.batch, row),
        run.groups.codes.drg[int(run.groups.group_id[row])],
        settled.table,
        settled.policy,
        scheme_id=run.scheme.id,
        scheme_status=run.scheme.status,
        status=Status(int(run.groups.status[row])),
        allow=settled.allow,
    )


def facts_at(batch: CaseBatch, row: int) -> CaseFacts:
    """What settlement needs to know of one row (0-based)."""

    def text(column: Sequence[str]) -> str:
        return str(column[row]) if len(column) else ""

    def fen(column: NDArray[np.int64]) -> int | None:
        value = int(column[row]) if len(column) else MISSING_FEN
        return None if value == MISSING_FEN else value

    day = int(batch.discharge_date[row]) if len(batch.discharge_date) else MISSING
    return CaseFacts(
        hospital=text(batch.hospital),
        hospital_level=text(batch.hospital_level),
        insurance=text(batch.insurance),
        discharge_date=None if day == MISSING else from_day_number(day),
        total_cost_fen=fen(batch.total_cost_fen),
        fund_basic_fen=fen(batch.fund_basic_fen),
        other_funds_fen=fen(batch.other_funds_fen),
        area_insured=text(batch.area_insured),
    )


def settled_columns(settled: SettledRun, lang: Lang) -> list[tuple[str, pa.Array]]:
    """The result columns of grouping, then those of settlement."""
    return [*result_columns(settled.run.groups, lang), *settled.amounts.to_columns(lang)]
