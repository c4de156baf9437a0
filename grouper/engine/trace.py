"""Why a record got its group: the steps of the reference as data, and texts made from them.

The order is that of the explanation in docs/reference/grouping.md 7. Nothing here decides: the
reference has grouped the record before, and the trace goes the same way again up to its result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from grouper.engine.evidence import Evidence, plain_number
from grouper.engine.findings import findings
from grouper.engine.groups import Status
from grouper.engine.near import near_misses
from grouper.engine.reference import Outcome, Record, Reference, holds
from grouper.engine.trace_text import trace_text
from grouper.engine.trace_words import Names
from grouper.errors import Lang
from grouper.scheme.condition import NUMBER_NAMES, to_text
from grouper.scheme.model import AdrgRule, CodeKind, Mdc, Scheme

Step = dict[str, Any]
_Rule = tuple[int, AdrgRule]

#: 有效手术, the list that the QY rows of a scheme test
VALID_PROCEDURES = "VALID_PX"


@dataclass(frozen=True, slots=True)
class Trace:
    """The explanation of one result.

    steps: in order, each a mapping with `step` (finding, exclusion, complication, procedure, mdc,
    hint, rule, drg, near, result) and the keys mdc, adrg, drg, list, codes, parts, result ... that
    it needs; made of the record and the scheme alone.
    """

    scheme: Scheme
    record: Record
    outcome: Outcome
    steps: tuple[Step, ...]

    def to_dict(self, *, names: Names | None = None) -> dict[str, object]:
        """The explanation for `--json`: scheme, digest, record, names of its codes, steps."""
        record = asdict(self.record) | {"dx": list(self.record.dx), "px": list(self.record.px)}
        for name in NUMBER_NAMES:
            record[name] = plain_number(record[name])
        named: dict[str, dict[str, str]] = {"dx": {}, "px": {}}
        for kind, code in _codes(self.record):
            if names is not None and names(kind, code):
                named[kind][code] = names(kind, code)
        return {
            "scheme": self.scheme.id,
            "digest": self.scheme.digest,
            "record": record,
            "names": named,
            "steps": list(self.steps),
        }

    def text(self, lang: Lang, *, names: Names | None = None) -> str:
        """The explanation for people; `names` gives the names of codes ("" = none known)."""
        return trace_text(self, lang, names=names)


def trace(
    reference: Reference,
    record: Record,
    *,
    mdcs: Literal["entered", "all"] = "entered",
    near: Literal["omit", "show"] = "omit",
) -> Trace:
    """Explain `reference.group(record)`.

    `mdcs="all"` also lists the MDCs not entered, and why; `near="show"` the rules that failed by
    one condition.
    """
    outcome = reference.group(record)
    steps = [*findings(reference, record, outcome)]
    if outcome.status is not Status.REJECTED:
        evidence = Evidence(reference.facts(record), tuple(reference.complications(record)))
        path = _Path(reference, record, outcome, evidence, mdcs)
        steps += [*path.complications(), *path.procedures(), *path.walk()]
        if near == "show":
            steps += near_misses(reference, outcome, evidence)
    steps.append(_result(reference.scheme, outcome))
    return Trace(reference.scheme, record, outcome, tuple(steps))


@dataclass(frozen=True, slots=True)
class _Path:
    """The way of one record through the scheme, up to a result that is known."""

    reference: Reference
    record: Record
    outcome: Outcome
    evidence: Evidence
    mdcs: Literal["entered", "all"]

    def complications(self) -> Iterator[Step]:
        """The principal diagnosis's exclusion table; each MCC and CC and whether it counts."""
        principal = self.record.dx[0]
        table = self.reference.scheme.exclusions.get(principal, "")
        yield {"step": "exclusion", "code": principal, "table": table}
        for found in dict.fromkeys(self.evidence.complications):
            yield {
                "step": "complication",
                "code": found.code,
                "level": found.level.upper(),
                "table": found.table,
                "principal": principal,
                "result": "excluded" if found.excluded else "counts",
            }

    def procedures(self) -> Iterator[Step]:
        """Each procedure with the lists that hold it; `valid` where the scheme has such a list."""
        holding = self.reference.holding["px"]
        for position, code in enumerate(self.record.px, 1):
            lists = holding.get(code, frozenset())
            step: Step = {"step": "procedure", "position": position, "code": code}
            if VALID_PROCEDURES in self.reference.scheme.lists:
                step["valid"] = VALID_PROCEDURES in lists
            yield step | {"lists": sorted(lists - {VALID_PROCEDURES})}

    def walk(self) -> Iterator[Step]:
        """Each MDC entered, what happened to its rules, and the DRGs that were tried."""
        for mdc in self.reference.scheme.mdcs:
            entered = holds(mdc.when, self.evidence.facts)
            if entered or self.mdcs == "all":
                yield _mdc_step(mdc, "entered" if entered else "not_entered") | {
                    "when": to_text(mdc.when),
                    "parts": self.evidence.parts(mdc.when),
                }
            if not entered:
                continue
            tried = list(self._tried(mdc))
            yield from self._misplaced_procedures(mdc, tried)
            yield from self._rules(mdc, tried)
            if tried and tried[-1][0] == self.outcome.rule_id:
                return
            yield _mdc_step(mdc, "passed_on") | {"tried": len(tried)}

    def _tried(self, mdc: Mdc) -> Iterator[_Rule]:
        """The rules of an entered MDC up to the one that took the record."""
        for rule_id, rule in self.reference.rules[mdc.mdc]:
            yield rule_id, rule
            if rule_id == self.outcome.rule_id:
                return

    def _rules(self, mdc: Mdc, tried: list[_Rule]) -> Iterator[Step]:
        """The rules that are true of the record, and the DRGs tried for each."""
        for before, (rule_id, rule) in enumerate(tried):
            if not holds(rule.when, self.evidence.facts):
                continue
            took = rule_id == self.outcome.rule_id
            result = "ambiguous" if rule.is_ambiguous else "taken" if took else "no_drg_fits"
            yield {
                "step": "rule",
                "mdc": f"MDC{mdc.mdc}",
                "adrg": rule.adrg,
                "name": rule.name,
                "kind": rule.kind,
                "order": rule.order,
                "tried_before": before,
                "when": to_text(rule.when),
                "parts": self.evidence.parts(rule.when),
                "result": result,
            }
            yield from self._refinement(rule, took)

    def _refinement(self, rule: AdrgRule, took: bool) -> Iterator[Step]:
        for group_id, drg in self.reference.drgs[rule.adrg]:
            yield {
                "step": "drg",
                "adrg": rule.adrg,
                "drg": drg.drg,
                "name": drg.name,
                "when": to_text(drg.when),
                "parts": self.evidence.parts(drg.when),
                "result": holds(drg.when, self.evidence.facts),
            }
            if took and group_id == self.outcome.group_id:
                return

    def _misplaced_procedures(self, mdc: Mdc, tried: list[_Rule]) -> Iterator[Step]:
        """Rules that failed here only because a procedure is not the main one.

        Found by trial: the rule is false of the record, true with that procedure put first.
        """
        failed = [rule for _, rule in tried if not holds(rule.when, self.evidence.facts)]
        px = self.record.px
        for position, code in enumerate(px[1:], 2):
            if code in px[: position - 1]:
                continue
            moved = (code, *px[: position - 1], *px[position:])
            facts = self.reference.facts(replace(self.record, px=moved))
            rule = next((rule for rule in failed if holds(rule.when, facts)), None)
            if rule is not None:
                yield _hint(mdc, rule, position, px, Evidence(facts, ()))


def _mdc_step(mdc: Mdc, result: str) -> Step:
    return {"step": "mdc", "mdc": f"MDC{mdc.mdc}", "name": mdc.name, "result": result}


def _hint(mdc: Mdc, rule: AdrgRule, position: int, px: Sequence[str], moved: Evidence) -> Step:
    parts = (part for part in moved.parts(rule.when) if part.get("of") == "main_px")
    return {
        "step": "hint",
        "what": "not_main_procedure",
        "mdc": f"MDC{mdc.mdc}",
        "adrg": rule.adrg,
        "name": rule.name,
        "kind": rule.kind,
        "code": px[position - 1],
        "position": position,
        "main": px[0],
        "lists": [part["list"] for part in parts if part["result"]],
    }


def _result(scheme: Scheme, outcome: Outcome) -> Step:
    rule = scheme.adrgs[outcome.rule_id - 1] if outcome.rule_id else None
    drg = scheme.drgs[outcome.group_id - 1] if outcome.group_id else None
    return {
        "step": "result",
        "status": outcome.status.word,
        "reason": outcome.reason,
        "mdc": f"MDC{rule.mdc}" if rule else None,
        "adrg": rule.adrg if rule else None,
        "drg": drg.drg if drg else rule.adrg if rule else None,
        "name": drg.name if drg else rule.name if rule else None,
        "severity": outcome.severity.name,
        "scheme": scheme.id,
        "digest": scheme.digest,
    }


def _codes(record: Record) -> Iterator[tuple[CodeKind, str]]:
    yield from (("dx", code) for code in record.dx)
    yield from (("px", code) for code in record.px)
