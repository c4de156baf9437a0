"""The short way in: load a scheme, group one case or a table, ask why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from grouper.engine.dip import DipGrouper
from grouper.engine.drg import grouper_of
from grouper.engine.groups import REASONS, Severity, Status
from grouper.engine.reference import Outcome, Record, Reference
from grouper.errors import SchemeError
from grouper.records.batch import MISSING, THOUSANDTHS
from grouper.records.case import Case
from grouper.run import schemes
from grouper.run.catalogues import is_catalogue
from grouper.run.dip_case import DipResult, group_dip_case
from grouper.run.grouping import Grouping, decisions_of, load_catalogue, manner_of
from grouper.scheme.load import embedded_ids
from grouper.scheme.model import Scheme
from grouper.scheme.program import HIGHEST

if TYPE_CHECKING:
    from grouper.engine.dip_trace import DipTrace
    from grouper.engine.trace import Trace

Engine = Literal["kernel", "reference"]


@cache
def _embedded(scheme_id: str) -> Scheme:
    return schemes.load_scheme(scheme_id)


def load_scheme(scheme: str | Path | Scheme) -> Scheme:
    """A scheme by its embedded id, its folder, or the official workbook (.xlsx).

    Embedded ones are read once a process; a workbook is read once and kept in the user's cache.
    Raises SchemeError with every structural defect that was found, SE63 for a DIP catalogue (see
    `load_catalogue`).
    """
    if isinstance(scheme, Scheme):
        return scheme
    if isinstance(scheme, str) and scheme in embedded_ids():
        return _embedded(scheme)
    if is_catalogue(scheme):
        raise SchemeError("SE63", str(scheme))
    return schemes.load_scheme(scheme)


def _grouping(
    scheme: str | Path | Grouping, preset: str | None, op_classes: str | Path | None
) -> Grouping:
    """Whatever names a scheme or a catalogue, loaded."""
    if isinstance(scheme, DipGrouper):
        return scheme
    if not isinstance(scheme, Scheme) and is_catalogue(scheme):
        return load_catalogue(scheme, preset=preset, op_classes=op_classes)
    return load_scheme(scheme)


@dataclass(frozen=True, slots=True)
class GroupResult:
    """The group of one case.

    status is `grouped`, `ambiguous`, `ungrouped` or `rejected`; reason the token of a rejection,
    else the condition that decided; codes are "" where there is none (an ambiguous case has the
    ambiguous group as adrg_code and group_code). severity: NONE too where the ADRG does not split.
    """

    status: str
    reason: str
    mdc_code: str
    adrg_code: str
    group_code: str
    group_name: str
    severity: Severity
    scheme_id: str
    scheme_digest: str
    outcome: Outcome = field(repr=False)
    record: Record = field(repr=False)
    scheme: Scheme = field(repr=False)

    def explain(self) -> Trace:
        """Why: the steps of the reference, which must come to the same result.

        Raises AssertionError if it does not; that is a defect of the kernel.
        """
        reference = _reference(self.scheme)
        again = reference.group(self.record)
        if again != self.outcome:
            raise AssertionError(f"kernel {self.outcome} but reference {again}: {self.record}")
        return reference.trace(self.record)


@overload
def group_case(
    case: Case | Mapping[str, Any], *, scheme: Scheme, engine: Engine = "kernel"
) -> GroupResult: ...
@overload
def group_case(
    case: Case | Mapping[str, Any], *, scheme: DipGrouper, engine: Engine = "kernel"
) -> DipResult: ...
@overload
def group_case(
    case: Case | Mapping[str, Any],
    *,
    scheme: str | Path,
    preset: str | None = None,
    op_classes: str | Path | None = None,
    engine: Engine = "kernel",
) -> Any: ...
def group_case(
    case: Case | Mapping[str, Any],
    *,
    scheme: str | Path | Grouping,
    preset: str | None = None,
    op_classes: str | Path | None = None,
    engine: Engine = "kernel",
) -> GroupResult | DipResult:
    """The group of one case, given as a Case or as a mapping of plain field names.

    scheme: a DRG scheme, or a DIP catalogue (then a DipResult comes back), loaded or by name;
    preset, op_classes: the rules of a catalogue that is named. Codes are taken as they stand.
    Raises RecordError (RE08) for impossible values.
    """
    scheme = _grouping(scheme, preset, op_classes)
    if not isinstance(case, Case):
        case = Case.from_mapping(case)
    if isinstance(scheme, DipGrouper):
        return group_dip_case(case, scheme, engine=engine)
    record = record_of(case)
    if engine == "reference":
        outcome = _reference(scheme).group(record)
    else:
        outcome = _by_kernel(record, scheme)
    return _result(outcome, record, scheme)


def explain_case(
    case: Case | Mapping[str, Any],
    *,
    scheme: str | Path | Grouping,
    preset: str | None = None,
    op_classes: str | Path | None = None,
) -> Trace | DipTrace:
    """Why a case gets its group: `group_case(...).explain()`."""
    grouping = _grouping(scheme, preset, op_classes)
    if isinstance(grouping, DipGrouper):
        return group_case(case, scheme=grouping).explain()
    return group_case(case, scheme=grouping).explain()


def record_of(case: Case) -> Record:
    """A case as grouping sees it."""
    dx = (case.principal_dx, *case.other_dx) if case.principal_dx else ()
    return Record(
        sex=case.sex,
        age=case.age_years,
        age_days=case.age_days,
        weight=case.admission_weight_g,
        los=case.los_days,
        leaving=case.discharge_disposition,
        icu_hours=case.icu_hours,
        dx=dx,
        px=case.procedures,
    )


def _by_kernel(record: Record, scheme: Scheme) -> Outcome:
    grouper = grouper_of(scheme)
    rule_id, group_id, severity, status, reason = grouper.kernel.group_one(
        grouper.ids(record.dx, "dx"),
        grouper.ids(record.px, "px"),
        record.sex if record.sex in (1, 2) else 0,
        MISSING if record.age is None else record.age,
        MISSING if record.age_days is None else record.age_days,
        _thousandths(record.weight),
        MISSING if record.los is None else record.los,
        record.leaving or 0,
        _thousandths(record.icu_hours),
    )
    return Outcome(
        Status(status), REASONS[reason - 1] if reason else "", rule_id, group_id, Severity(severity)
    )


def _thousandths(value: Decimal | int | None) -> int:
    return MISSING if value is None else min(int(value * THOUSANDTHS), HIGHEST)


def _result(outcome: Outcome, record: Record, scheme: Scheme) -> GroupResult:
    codes = grouper_of(scheme).codes
    rule, group = outcome.rule_id, outcome.group_id
    ambiguous = outcome.status is Status.AMBIGUOUS
    return GroupResult(
        status=outcome.status.word,
        reason=outcome.reason or codes.rule_text[rule],
        mdc_code=codes.mdc[rule],
        adrg_code=codes.adrg[rule],
        group_code=codes.adrg[rule] if ambiguous else codes.drg[group],
        group_name=codes.drg_name[group],
        severity=outcome.severity,
        scheme_id=scheme.id,
        scheme_digest=scheme.digest,
        outcome=outcome,
        record=record,
        scheme=scheme,
    )


_REFERENCES: dict[tuple[str, str], Reference] = {}


def _reference(scheme: Scheme) -> Reference:
    key = (scheme.id, scheme.digest)
    if key not in _REFERENCES:
        _REFERENCES[key] = Reference(scheme)
    return _REFERENCES[key]


def group_table(
    data: Any,
    *,
    scheme: str | Path | Grouping,
    preset: str | None = None,
    op_classes: str | Path | None = None,
    layout: str | None = None,
    mapping: str | Path | Mapping[str, object] | None = None,
    cleaning: Literal["standard", "as_is"] = "standard",
    lang: Literal["zh", "en"] = "en",
    engine: Engine = "kernel",
) -> Any:
    """A table of cases with the result columns appended, rows in order.

    scheme, preset, op_classes: as in `group_case`;
    data: a pandas or polars frame comes back as the same kind; a path, or anything that speaks the
    Arrow PyCapsule stream interface (pyarrow, DuckDB ...), as a pyarrow Table. A column of the
    user's that bears the name of a result column becomes `input_<name>`.
    """
    import pyarrow as pa

    from grouper.records.read import read_records, records_from_table
    from grouper.records.write import result_table
    from grouper.run.pipeline import group_batch

    grouping = _grouping(scheme, preset, op_classes)
    how: dict[str, Any] = {"layout": layout, "mapping": mapping, "cleaning": cleaning}
    how["needs"] = manner_of(grouping).needs
    if isinstance(data, str | Path):
        records = read_records(data, **how)
    else:
        table = data if isinstance(data, pa.Table) else pa.table(data)
        records = records_from_table(table, **how)
    groups = group_batch(records.batch, grouping, engine=engine)
    columns = decisions_of(grouping, lang).columns_of(groups, lang)
    table = result_table(records.user, columns, lang=lang)
    kind = type(data).__module__.partition(".")[0]
    if kind == "pandas":
        return table.to_pandas()
    if kind == "polars":
        import polars

        return polars.from_arrow(table)
    return table
