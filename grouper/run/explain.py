"""Why one row has its group: the reference's steps, held against the kernel's result."""

from __future__ import annotations

from typing import Literal

from grouper.codes.dictionary import load_dictionary
from grouper.engine import dip_trace
from grouper.engine.dip import DipGrouper
from grouper.engine.dip_reference import DipCase
from grouper.engine.dip_trace import DipTrace
from grouper.engine.reference import Record, Reference, record_at
from grouper.engine.trace import Trace
from grouper.errors import RunError
from grouper.run.pipeline import GroupedRun
from grouper.scheme.model import Scheme


def rejected_by_reader(run: GroupedRun, row: int) -> str:
    """The code for which the reader rejected a row (0-based), "" if it did not."""
    number = int(run.records.batch.reject[row])
    return run.records.batch.reject_codes[number - 1] if number else ""


def trace_of(scheme: Scheme, record: Record, *, near: Literal["omit", "show"] = "omit") -> Trace:
    """The steps that lead a record to its group."""
    return Reference(scheme).trace(record, near=near)


def explain_row(run: GroupedRun, row: int, *, near: Literal["omit", "show"] = "omit") -> Trace:
    """The steps that led a row (0-based) to its group.

    Raises RunError RN104 when the two engines differ, which is a defect of the program.
    """
    reference = Reference(run.scheme)
    record = record_at(run.records.batch, row)
    groups, outcome = run.groups, reference.group(record)
    ours = (outcome.status, outcome.rule_id, outcome.group_id)
    theirs = (groups.status[row], groups.rule_id[row], groups.group_id[row])
    if ours != tuple(int(value) for value in theirs):
        raise RunError("RN104", reference=ours, kernel=tuple(int(value) for value in theirs))
    return reference.trace(record, near=near)


def explain_dip_case(grouper: DipGrouper, case: DipCase) -> DipTrace:
    """Why a case has its group of a catalogue.

    Raises RunError RN104 when the two engines differ, which is a defect of the program.
    """
    trace, found = dip_trace.explain(grouper.reference, case), grouper.group_case(case)
    expected = trace.outcome.without_way()
    if found != expected:
        raise RunError("RN104", reference=expected, kernel=found)
    return trace


def code_name(kind: str, code: str) -> str:
    """The name of a diagnosis (`dx`) or procedure (`px`), "" if it is not in the dictionary."""
    return load_dictionary().table("dx" if kind == "dx" else "px").name(code)
