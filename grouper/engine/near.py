"""Rules that failed by one condition: what a coder means by "why not that group".

A rule is near when turning a single flag, membership or comparison round would make its condition
true. Near misses stand in the order in which the rules were tried; nothing here knows what a group
is paid, so none is offered before another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from grouper.engine.evidence import Evidence, Part
from grouper.engine.reference import Outcome, Reference, holds
from grouper.scheme.condition import (
    And,
    Compare,
    Condition,
    Constant,
    Flag,
    Member,
    Not,
    Or,
    atoms,
    to_text,
)

Step = dict[str, Any]
Atom = Flag | Member | Compare


def near_misses(reference: Reference, outcome: Outcome, evidence: Evidence) -> Iterator[Step]:
    """The MDCs, rules and DRGs that were tried before the result and failed by one condition.

    Steps with level (mdc, adrg, drg), mdc, adrg, drg, name, when, lacks (parts, any one of which
    turned round would do) and meets (the parts that are true already). An MDC not entered is near
    only if the record meets some other part of its condition: of most, one condition is the whole.
    """
    for mdc in reference.scheme.mdcs:
        where = {"mdc": f"MDC{mdc.mdc}", "adrg": None, "drg": None, "name": mdc.name}
        if not holds(mdc.when, evidence.facts):
            step = _near(mdc.when, evidence)
            if step and step["meets"]:
                yield {"step": "near", "level": "mdc", **where, **step}
            continue
        for rule_id, rule in reference.rules[mdc.mdc]:
            where |= {"adrg": rule.adrg, "drg": None, "name": rule.name}
            fits = holds(rule.when, evidence.facts)
            if not fits and (step := _near(rule.when, evidence)):
                kind = {"kind": rule.kind, "order": rule.order}
                yield {"step": "near", "level": "adrg", **where, **kind, **step}
            for group_id, drg in reference.drgs[rule.adrg] if fits else ():
                if group_id == outcome.group_id:
                    break
                if not holds(drg.when, evidence.facts) and (step := _near(drg.when, evidence)):
                    where |= {"drg": drg.drg, "name": drg.name}
                    yield {"step": "near", "level": "drg", **where, **step}
            if rule_id == outcome.rule_id:
                return


def _near(condition: Condition, evidence: Evidence) -> Step:
    """What a false condition lacks and meets; empty if it fails by more than one part."""
    every = list(dict.fromkeys(atoms(condition)))
    lacking = [atom for atom in every if _would_hold(condition, atom, evidence)]
    if not lacking:
        return {}
    meets = [atom for atom in every if atom not in lacking and holds(atom, evidence.facts)]
    return {
        "when": to_text(condition),
        "lacks": _parts(lacking, evidence),
        "meets": _parts(meets, evidence),
    }


def _parts(wanted: Iterable[Atom], evidence: Evidence) -> list[Part]:
    return [evidence.part(atom) for atom in wanted]


def _would_hold(condition: Condition, atom: Atom, evidence: Evidence) -> bool:
    turned = Constant(not holds(atom, evidence.facts))
    return holds(_replaced(condition, atom, turned), evidence.facts)


def _replaced(condition: Condition, atom: Atom, value: Constant) -> Condition:
    """The condition with a value in place of every occurrence of one of its parts."""
    match condition:
        case Not(operand=inner):
            return Not(_replaced(inner, atom, value))
        case And(operands=operands):
            return And(tuple(_replaced(one, atom, value) for one in operands))
        case Or(operands=operands):
            return Or(tuple(_replaced(one, atom, value) for one in operands))
    return value if condition == atom else condition
