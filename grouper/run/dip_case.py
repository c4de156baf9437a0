"""One discharge grouped by a catalogue, as the Python interface gives it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from grouper.engine.dip import DipGrouper
from grouper.engine.dip_reference import DipCase, DipOutcome
from grouper.engine.dip_trace import DipTrace
from grouper.records.case import Case
from grouper.run.explain import explain_dip_case
from grouper.run.pipeline import Engine


@dataclass(frozen=True, slots=True)
class DipResult:
    """The DIP group of one case.

    status is `grouped`, `ungrouped` or `rejected`; reason a token of docs/reference/dip.md; codes,
    kind and layer are "" where there is none; score (分值) as printed, None where none is.
    """

    status: str
    reason: str
    group_code: str
    group_name: str
    kind: str
    layer: str
    score: Decimal | None
    scheme_id: str
    scheme_digest: str
    preset: str
    outcome: DipOutcome = field(repr=False)
    case: DipCase = field(repr=False)
    grouper: DipGrouper = field(repr=False)

    def explain(self) -> DipTrace:
        """Why: the candidates step by step. Raises RunError RN104 where the engines differ."""
        return explain_dip_case(self.grouper, self.case)


def dip_case(case: Case) -> DipCase:
    """A discharge as DIP grouping sees it; the weight is the only one that `Case` has."""
    dx = (case.principal_dx, *case.other_dx) if case.principal_dx else ()
    weight = None if case.admission_weight_g is None else Decimal(case.admission_weight_g)
    return DipCase(dx, case.procedures, case.total_cost, case.age_days, weight)


def group_dip_case(case: Case, grouper: DipGrouper, *, engine: Engine = "kernel") -> DipResult:
    """The group of one case; codes are taken as they stand."""
    seen = dip_case(case)
    if engine == "reference":
        outcome = grouper.reference.group(seen).without_way()
    else:
        outcome = grouper.group_case(seen)
    catalogue, figures = grouper.reference.catalogue, grouper.reference.figures
    row = None if outcome.row is None else catalogue.rows[outcome.row]
    return DipResult(
        status=outcome.status.word,
        reason=outcome.reason,
        group_code=row.code if row else "",
        group_name=row.name if row else "",
        kind=outcome.kind,
        layer=row.layer if row else "",
        score=None if outcome.row is None else figures.score(outcome.row),
        scheme_id=catalogue.id,
        scheme_digest=catalogue.digest,
        preset=grouper.reference.preset.id,
        outcome=outcome,
        case=seen,
        grouper=grouper,
    )
