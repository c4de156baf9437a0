"""How far DRG payment reaches in an area: settled cases as the monitor takes them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from grouper.engine.groups import Status
from grouper.errors import Lang
from grouper.monitor.cases import (
    Area,
    Cases,
    Category,
    Hospital,
    PeriodKind,
    hospitals_in,
    months_of,
)
from grouper.monitor.coverage import Coverage, measure_coverage
from grouper.monitor.measures import Dimension
from grouper.monitor.targets import Target
from grouper.policy.model import Allow, Policy
from grouper.records.batch import MISSING, MISSING_FEN
from grouper.run.settlement import SettledRun
from grouper.settle.amounts import CaseType

#: paid as a case of its group; ambiguous and ungrouped cases are paid by their cost
_PAID = (CaseType.INLIER, CaseType.LOW_OUTLIER, CaseType.HIGH_OUTLIER)


def coverage_of(
    settled: SettledRun,
    *,
    lang: Lang,
    period: PeriodKind = "year",
    by: Sequence[Dimension] = ("area",),
    targets: Sequence[Target] = (),
    allow: Allow = "verified",
) -> Coverage:
    """The coverage of the settled cases' area against some targets.

    The register of institutions is the area's own; one without a register counts every
    institution that has cases.
    """
    cases = cases_of(settled, lang)
    return measure_coverage(
        cases,
        _hospitals(settled.policy, cases, lang),
        period=period,
        by=by,
        areas=(Area(area_name(settled.policy, lang)),),
        targets=targets,
        allow=allow,
    )


def area_name(policy: Policy, lang: Lang) -> str:
    """The name of the area in the reader's language."""
    return policy.area.title if lang == "zh" else policy.area.title_en


def cases_of(settled: SettledRun, lang: Lang) -> Cases:
    """Settled discharges as the monitor's columns, all of the policy's own area."""
    batch, groups, amounts = settled.run.records.batch, settled.run.groups, settled.amounts
    n = len(groups)
    # the ADRG is the disease type; a case without group has none
    typed = (groups.status == Status.GROUPED) | (groups.status == Status.AMBIGUOUS)
    dates = batch.discharge_date if len(batch.discharge_date) else np.full(n, MISSING, np.int32)
    pool = batch.fund_basic_fen
    return Cases(
        hospital=_texts(batch.hospital, n),
        area=Category.same(area_name(settled.policy, lang), n),
        insurance=_insurances(settled, n, lang),
        disease_type=Category.coded(groups.codes.adrg, np.where(typed, groups.rule_id, 0)),
        month=months_of(dates),
        paid=np.isin(amounts.case_type, _PAID) & amounts.counted,
        pool_fen=pool if len(pool) else np.full(n, MISSING_FEN, np.int64),
        excluded=np.zeros(n, np.bool_),
    )


def _texts(values: Sequence[str], n: int) -> Category:
    return Category.of(list(values)) if len(values) else Category.same("", n)


def _insurances(settled: SettledRun, n: int, lang: Lang) -> Category:
    """The insurances under their titles, however the records spell them."""
    policy, found = settled.policy, _texts(settled.run.records.batch.insurance, n)
    titles = []
    for text in found.names:
        named = policy.insurance_title(policy.insurance(text) or text)
        titles.append(named.title if lang == "zh" else named.title_en)
    return Category.coded(titles, found.index)


def _hospitals(policy: Policy, cases: Cases, lang: Lang) -> tuple[Hospital, ...]:
    area = area_name(policy, lang)
    listed = [
        Hospital(
            one.code,
            area,
            one.level,
            one.name if lang == "zh" else one.name_en,
            contract=one.contract,
            inpatient=one.inpatient,
        )
        for one in policy.area.hospitals
    ]
    return tuple(listed) or hospitals_in(cases)
