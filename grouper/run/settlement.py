"""From groups to money: the policy of an area and its weight table applied to a grouped run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

import weights
from grouper.dated import from_day_number
from grouper.engine.groups import Groups, Status
from grouper.errors import Lang, PolicyError, SettlementError
from grouper.policy.lead_policy import policy_of_lead
from grouper.policy.leads import Lead, leads, load_lead
from grouper.policy.load import area_ids, load_policy
from grouper.policy.model import Allow, Policy, Terms
from grouper.policy.variant import Setting
from grouper.records.batch import MISSING, MISSING_FEN, CaseBatch
from grouper.run.dip import result_columns as dip_columns
from grouper.run.dip import run_info as dip_info
from grouper.run.dip_grouped import DipGrouped
from grouper.run.pipeline import GroupedRun
from grouper.run.received import received_of
from grouper.run.results import result_columns, run_info, words
from grouper.run.worth import load_worth
from grouper.scheme.model import Scheme
from grouper.settle.amounts import Amounts
from grouper.settle.batch import dates
from grouper.settle.case import SchemeStatus, place_of_row, settle_batch
from grouper.settle.desk import Desk, desk_list
from grouper.settle.month import month_statements
from grouper.settle.single import settle_case
from grouper.settle.statement import Statement
from grouper.settle.trail import CaseAmount, CaseFacts
from weights.table import WeightTable


@dataclass(frozen=True)
class SettledRun:
    """A grouped run with what every case is paid, row for row."""

    run: GroupedRun | DipGrouped
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
    """The scheme by which an area groups at present. Raises SettlementError ST122 for a lead."""
    if is_lead(area):
        raise SettlementError("ST122", str(area), area=area, lacking="scheme")
    return load_policy(area, settings=settings).terms[-1].scheme_id


def pays_by_dip(area: str | Path) -> bool:
    """Whether an area pays by DIP at present."""
    return not is_lead(area) and load_policy(area).terms[-1].dip is not None


def is_lead(area: str | Path) -> bool:
    """Whether an area is known by the case rules of a public table only."""
    return str(area) not in area_ids() and str(area) in leads()


def open_area(
    area: str | Path,
    scheme: Scheme,
    *,
    table: str | None = None,
    batch: CaseBatch | None = None,
    settings: Sequence[Setting] = (),
) -> tuple[Policy, WeightTable]:
    """The policy of a pack or a lead, and the weight table that prices its groups.

    settings: values of a pack's policy set otherwise.
    table: id, folder or file; without it that of the policy (on the last day of the batch), for a
    lead the published one of its area and this scheme. Raises SettlementError ST122 when a lead
    has none; PolicyError, WeightError, RunError RN126.
    """
    if is_lead(area):
        if settings:
            raise PolicyError("PO132", str(area), key=".".join(settings[0].path), known="-")
        lead = load_lead(str(area))
        name = table or _table_of(lead, scheme)
        found = load_worth(name, scheme).table
        return policy_of_lead(lead, scheme_id=scheme.id, weight_table=found.id), found
    policy = load_policy(area, settings=settings)
    terms = policy.terms[-1] if batch is None else latest_terms(policy, batch)
    return policy, load_worth(table, scheme).table if table else weights.load(terms.weight_table)


def _table_of(lead: Lead, scheme: Scheme) -> str:
    for name in (*weights.installed_ids(), *weights.table_ids()):
        head = weights.read_head(name)
        if head.area == lead.texts["code"] and head.scheme_id == scheme.id:
            return head.id
    raise SettlementError("ST122", lead.where, area=lead.area, lacking="weights")


def settle_run(
    run: GroupedRun,
    area: str | Path,
    *,
    table: str | None = None,
    allow: Allow = "verified",
    settings: Sequence[Setting] = (),
) -> SettledRun:
    """What each case is paid in an area. Raises what open_area and settle_batch raise."""
    batch = run.records.batch
    policy, found = open_area(area, run.scheme, table=table, batch=batch, settings=settings)
    amounts = settle_batch(
        run.records.batch,
        run.groups,
        found,
        policy,
        scheme_status=run.scheme.status,
        allow=allow,
    )
    return SettledRun(run, policy, found, amounts, allow)


def statements(settled: SettledRun, month: str) -> list[Statement]:
    """The month's statement of every hospital, insurance and place."""
    run = settled.run
    return month_statements(
        run.records.batch,
        run.groups,
        settled.amounts,
        settled.policy,
        month=month,
        received=received_of(run.records),
    )


def settle_row(settled: SettledRun, row: int) -> CaseAmount:
    """One row (0-based) step by step; the same amounts as in the batch."""
    run = settled.run
    facts = facts_at(run.records.batch, row)
    scheme_status: SchemeStatus = "regional"
    if isinstance(run, DipGrouped):
        facts = replace(
            facts,
            adjustment=run.adjustment(row),
            group_kind=run.kind(row),
        )
    else:
        scheme_status = run.scheme.status
    return settle_case(
        facts,
        group_code(run.groups, row),
        settled.table,
        settled.policy,
        scheme_id=run.scheme.id,
        scheme_status=scheme_status,
        status=Status(int(run.groups.status[row])),
        allow=settled.allow,
    )


def special_desk(
    settled: SettledRun, *, discharges: int | None, used: int, approved_ratio: Fraction
) -> Desk:
    """The desk list of special cases of a run, by the parameters of its newest terms."""
    policy, run = settled.policy, settled.run
    terms = policy.terms[-1]
    suffix = "_dip" if terms.dip is not None else ""
    days = settled.run.records.batch.discharge_date
    known = days[days != MISSING]
    day = from_day_number(int(known.max())) if len(known) else terms.span.start
    return desk_list(
        run.records.batch,
        run.groups,
        settled.amounts,
        rate=Fraction(policy.parameters.number(f"special_quota{suffix}", day)),
        min_ratio=Fraction(policy.parameters.number(f"special_min_ratio{suffix}", day)),
        approved_ratio=approved_ratio,
        discharges=discharges,
        used=used,
    )


def group_code(groups: Groups, row: int) -> str:
    """The group of a row, the rule's code (`BQY`) of an ambiguous one, "" without either."""
    if groups.status[row] == Status.AMBIGUOUS:
        return groups.codes.adrg[int(groups.rule_id[row])]
    return groups.codes.drg[int(groups.group_id[row])]


def facts_at(batch: CaseBatch, row: int) -> CaseFacts:
    """What settlement needs to know of one row (0-based)."""

    def text(column: Sequence[str]) -> str:
        return str(column[row]) if len(column) else ""

    def fen(column: NDArray[np.int64]) -> int | None:
        value = int(column[row]) if len(column) else MISSING_FEN
        return None if value == MISSING_FEN else value

    def whole(column: NDArray[np.int32]) -> int | None:
        value = int(column[row])
        return None if value == MISSING else value

    leave = int(batch.discharge_disposition[row])
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
        los_days=whole(batch.los_days),
        leave=str(leave) if leave else "",
        age_years=whole(batch.age_years),
        bill={name: fen(column) for name, column in batch.bill.items()},
        days={name: int(column[row]) for name, column in dates(batch).items()},
        where=place_of_row(batch, row),
    )


def settled_columns(settled: SettledRun, lang: Lang) -> list[tuple[str, pa.Array]]:
    """The result columns of grouping, then those of settlement."""
    run = settled.run
    if isinstance(run, DipGrouped):
        return [*dip_columns(run.dip, lang), *settled.amounts.to_columns(lang)]
    return [*result_columns(run.groups, lang), *settled.amounts.to_columns(lang)]


def settled_info(settled: SettledRun, lang: Lang) -> list[tuple[str, str]]:
    """What the grouping of a settled run rests on, and its amounts: area, weights, confidence."""
    run, amounts = settled.run, settled.amounts
    info = dip_info(run.dip, lang) if isinstance(run, DipGrouped) else run_info(run, lang)
    values = {
        "area": amounts.area_id,
        "weight_table": amounts.weight_table,
        "amounts_confidence": amounts.confidence,
        "mark": amounts.mark(lang),
    }
    titles = words(lang)["info"]
    return info + [(titles[key], value) for key, value in values.items() if value]
