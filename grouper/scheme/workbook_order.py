"""What the rules of the official workbook leave unsaid, made plain in conditions and their order.

A *surgical case* is a record whose main procedure is a valid one (`OP_ALL`). Medical ADRGs never
take it; where no ADRG that asks for procedures does, the ambiguous row of the MDC decides. A test
of newborn days is false for anyone of a year or more. Confidence `published`: seen in the frozen
expectations of a public program that loads the workbook.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from grouper.scheme.condition import (
    TRUE,
    And,
    Compare,
    Condition,
    Field,
    Hits,
    Member,
    Not,
    Number,
    Or,
    RelOp,
    atoms,
)
from grouper.scheme.workbook_rules import joined

_ONE = Number(Decimal(1))
_IS_OLDER = Compare((Field("age"), _ONE), (">=",))


@dataclass(frozen=True)
class Way:
    """One way into an ADRG, or an ambiguous row.

    takes_all: whether the DRGs of the ADRG cover every record; asks_procedures: whether its own
    rule or that of one of its DRGs names procedures.
    """

    adrg: str
    when: Condition
    is_ambiguous: bool
    takes_all: bool
    asks_procedures: bool


def names_procedures(condition: Condition) -> bool:
    """Whether a condition asks for procedures anywhere, also under `not` or `or`."""
    return any(
        (isinstance(atom, Member) and atom.codes.endswith("px"))
        or (
            isinstance(atom, Compare)
            and any(isinstance(t, Hits) and t.codes.endswith("px") for t in atom.terms)
        )
        for atom in atoms(condition)
    )


def alternatives(condition: Condition) -> tuple[Condition, ...]:
    """The ways a rule offers: each operand of its outermost `or` becomes a row of its own."""
    return condition.operands if isinstance(condition, Or) else (condition,)


def arrange(ways: Sequence[Way], surgical: Member, *, guarded: bool) -> list[Way]:
    """The rows of an MDC, given in sheet order, in the order they are tried.

    The ambiguous rows come after the last row that a surgical case may enter, whatever their own
    place. guarded: a medical row that such a case could still reach gets `not main_px in OP_ALL`.
    """
    rows = [way for way in ways if not way.is_ambiguous]
    may_enter = [way.asks_procedures and Not(surgical) not in _parts(way.when) for way in rows]
    last = max((n for n, entry in enumerate(may_enter, 1) if entry), default=0)
    ambiguous = [way for way in ways if way.is_ambiguous]
    ordered = [*rows[:last], *ambiguous, *rows[last:]]
    if not guarded:
        return ordered
    found: list[Way] = []
    for way in ordered:
        is_medical = not way.is_ambiguous and not way.asks_procedures
        is_open = is_medical and not any(_leaves_none(before, way, surgical) for before in found)
        found.append(_guarded(way, surgical) if is_open else way)
    return found


def _parts(condition: Condition) -> tuple[Condition, ...]:
    return condition.operands if isinstance(condition, And) else (condition,)


def _leaves_none(before: Way, way: Way, surgical: Member) -> bool:
    """Whether every surgical case that fits `way` has been taken by the row `before`."""
    asked = set(_parts(before.when))
    if surgical not in asked or not (before.is_ambiguous or before.takes_all):
        return False
    return asked - {surgical} <= set(_parts(way.when))


def _guarded(way: Way, surgical: Member) -> Way:
    own = [] if way.when == TRUE else [way.when]
    return replace(way, when=joined(And, [*own, Not(surgical)]))


def is_infant_test(condition: Condition) -> bool:
    """Whether a condition holds for infants (age 0) only."""
    match condition:
        case Compare(terms=(Field(name="age"), Number(value=value)), ops=(op,)):
            return _admits_zero_only(op, value)
        case And(operands=operands):
            return any(map(is_infant_test, operands))
        case Or(operands=operands):
            return all(map(is_infant_test, operands))
    return False


def _admits_zero_only(op: RelOp, value: Decimal) -> bool:
    return (op in ("==", "<=") and 0 <= value < 1) or (op == "<" and 0 < value <= 1)


def newborn_days_of_infants(condition: Condition, *, of_infant: bool) -> Condition:
    """The condition with every test of newborn days false from the age of one year on.

    of_infant: the record is known to be of age 0 where the condition is asked.
    """
    match condition:
        case Compare(terms=terms) if Field("age_days") in terms and not of_infant:
            return And((Not(_IS_OLDER), condition))
        case Not(operand=inner):
            return Not(newborn_days_of_infants(inner, of_infant=of_infant))
        case And(operands=operands):
            known = of_infant or any(map(is_infant_test, operands))
            return joined(And, [newborn_days_of_infants(o, of_infant=known) for o in operands])
        case Or(operands=operands):
            return joined(Or, [newborn_days_of_infants(o, of_infant=of_infant) for o in operands])
    return condition
