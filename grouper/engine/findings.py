"""What is odd about a record, beside its group and without any effect on it (grouping.md 2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from grouper.engine.evidence import Evidence
from grouper.engine.groups import Status
from grouper.engine.reference import Outcome, Record, Reference, holds
from grouper.scheme.condition import Condition
from grouper.scheme.model import CodeKind, Mdc

Finding = dict[str, Any]

KINDS: tuple[CodeKind, ...] = ("dx", "px")
#: the settlement list has room for one principal and 40 other codes (grouping.md 2)
MOST_CODES = 41
#: day 28 is the last day of a newborn in all schemes (grouping.md 1)
LAST_NEWBORN_DAY = 28


def findings(reference: Reference, record: Record, outcome: Outcome) -> Iterator[Finding]:
    """The findings about a record, in a fixed order: codes, numbers, sex."""
    for kind in KINDS:
        codes: tuple[str, ...] = getattr(record, kind)
        yield from _about_codes(reference, kind, codes)
        if len(codes) > MOST_CODES:
            yield _finding("too_many_codes", kind=kind, count=len(codes), most=MOST_CODES)
    yield from _about_age(record)
    if outcome.status is not Status.REJECTED:
        yield from _sex_conflicts(reference, record, outcome)


def _finding(what: str, **details: object) -> Finding:
    return {"step": "finding", "what": what, **details}


def _about_codes(reference: Reference, kind: CodeKind, codes: tuple[str, ...]) -> Iterator[Finding]:
    unfit = reference.scheme.not_for_grouping
    for code, times in Counter(codes).items():
        where = {"kind": kind, "code": code, "position": codes.index(code) + 1}
        if not _known(reference, kind, code):
            near = next((c for c in _respelled(code) if _known(reference, kind, c)), "")
            yield _finding("not_in_scheme", **where, near=near)
        if (kind, code) in unfit:
            yield _finding(unfit[kind, code], **where)
        if times > 1:
            yield _finding("repeated_code", **where, times=times)


def _known(reference: Reference, kind: CodeKind, code: str) -> bool:
    """Whether a scheme names a code anywhere; what it does not name cannot matter to grouping."""
    scheme = reference.scheme
    if code in reference.holding[kind] or (kind, code) in scheme.not_for_grouping:
        return True
    return kind == "dx" and (code in scheme.cc or code in scheme.exclusions)


def _respelled(code: str) -> Iterator[str]:
    """The spellings that a code is most often mistaken for; `x` of an extension is lower case."""
    trimmed = code.strip()
    yield trimmed
    yield trimmed.upper()
    yield trimmed[:1].upper() + trimmed[1:].lower()


def _about_age(record: Record) -> Iterator[Finding]:
    days, newborn = record.age_days, record.age == 0
    if newborn and days is None:
        yield _finding("age_days_missing")
    if newborn and record.weight is None and (days is None or days <= LAST_NEWBORN_DAY):
        yield _finding("weight_missing")
    if record.age is not None and record.age > 0 and days is not None and days <= LAST_NEWBORN_DAY:
        yield _finding("age_and_age_days", age=record.age, age_days=days)


def _sex_conflicts(reference: Reference, record: Record, outcome: Outcome) -> Iterator[Finding]:
    """Where the record would have gone, had it been of the other sex.

    An MDC whose condition is false by the sex alone; or, for schemes that ask for the sex in the
    rules (MDCM of 2.0), a record without a group that would have one.
    """
    other = replace(record, sex=3 - (record.sex or 0))
    here, there = reference.facts(record), reference.facts(other)
    seen = Evidence(there, ())
    found = False
    for mdc in reference.scheme.mdcs:
        if holds(mdc.when, there) and not holds(mdc.when, here):
            found = True
            yield _sex_conflict(record, mdc, mdc.when, seen)
    if found or outcome.status is Status.GROUPED:
        return
    elsewhere = reference.group(other)
    if elsewhere.status is Status.GROUPED:
        rule = reference.scheme.adrgs[elsewhere.rule_id - 1]
        mdc = next(mdc for mdc in reference.scheme.mdcs if mdc.mdc == rule.mdc)
        yield _sex_conflict(record, mdc, rule.when, seen)


def _sex_conflict(record: Record, mdc: Mdc, when: Condition, seen: Evidence) -> Finding:
    parts = seen.parts(when)
    asked = [part for part in parts if part.get("of") in ("main_dx", "any_dx") and part["result"]]
    return _finding(
        "sex_conflict",
        sex=record.sex,
        mdc=f"MDC{mdc.mdc}",
        mdc_name=mdc.name,
        lists=[part["list"] for part in asked],
        codes=list(dict.fromkeys(code for part in asked for code in part["codes"])),
    )
