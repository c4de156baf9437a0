"""Conditions as alternatives: a few conjunctions of plain requirements, and ranges of numbers.

Used to make records that satisfy a condition; never to decide one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice, pairwise, product

from grouper.scheme.condition import (
    And,
    Compare,
    Condition,
    Constant,
    Field,
    Flag,
    Hits,
    Member,
    Not,
    Number,
    Or,
    RelOp,
    Sites,
    Term,
)

#: no record has more codes of one kind
_MOST_CODES = 41
#: how many conjunctions of a condition are followed
TRIES = 64
#: what a number may be when the condition leaves a side open; weight and ICU hours in thousandths
_DOMAIN: Mapping[str, tuple[int, int]] = {
    "age": (0, 100),
    "age_days": (0, 364),
    "weight": (0, 6_000_000),
    "los": (1, 90),
    "icu_hours": (0, 720_000),
    "sex": (1, 2),
    "leaving": (1, 9),
}
_THOUSANDTHS = ("weight", "icu_hours")
_FLIP: Mapping[RelOp, RelOp] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}
_NEGATED: Mapping[RelOp, tuple[RelOp, ...]] = {
    "<": (">=",),
    "<=": (">",),
    ">": ("<=",),
    ">=": ("<",),
    "==": ("<", ">"),
}


@dataclass(frozen=True, slots=True)
class Bound:
    """`term op number`: one side of a comparison, already free of negation."""

    term: Field | Sites | Hits
    op: RelOp
    value: Decimal


Requirement = tuple[bool, Flag | Member] | Bound
Conjunction = tuple[Requirement, ...]


def conjunctions(condition: Condition, *, sign: bool) -> Iterator[Conjunction]:
    """The disjunctive normal form of a condition (or of its negation), lazily."""
    match condition:
        case Constant(value=value):
            if value is sign:
                yield ()
        case Not(operand=inner):
            yield from conjunctions(inner, sign=not sign)
        case And(operands=operands) | Or(operands=operands):
            if isinstance(condition, And) is not sign:
                for operand in operands:
                    yield from conjunctions(operand, sign=sign)
                return
            parts = [list(islice(conjunctions(operand, sign=sign), TRIES)) for operand in operands]
            for choice in product(*parts):
                yield tuple(literal for part in choice for literal in part)
        case Compare():
            yield from _compared(condition, sign=sign)
        case Flag() | Member():
            yield ((sign, condition),)


def _compared(condition: Compare, *, sign: bool) -> Iterator[Conjunction]:
    pairs = [
        _bound(left, op, right)
        for (left, right), op in zip(pairwise(condition.terms), condition.ops, strict=True)
    ]
    known = [pair for pair in pairs if pair is not None]
    if sign:
        yield tuple(known)
        return
    for pair in known:
        for op in _NEGATED[pair.op]:
            yield (Bound(pair.term, op, pair.value),)


def _bound(left: Term, op: RelOp, right: Term) -> Bound | None:
    if isinstance(right, Number) and not isinstance(left, Number):
        return Bound(left, op, right.value)
    if isinstance(left, Number) and not isinstance(right, Number):
        return Bound(right, _FLIP[op], left.value)
    return None


def members(bound: Bound) -> list[Member]:
    """The codes that a lower bound of `sites` or `hits` asks for."""
    if isinstance(bound.term, Field) or bound.op in ("<", "<="):
        return []
    count = int(bound.value) + (bound.op == ">" or bound.value != int(bound.value))
    count = min(count, _MOST_CODES)
    if isinstance(bound.term, Hits):
        return [Member(bound.term.codes, bound.term.list_name)] * count
    return [Member("any_dx", name) for name in bound.term.lists[:count]]


def ranges_of(bounds: Sequence[Bound]) -> tuple[tuple[str, int, int], ...] | None:
    """The inclusive range of every field that is compared; None if one is empty."""
    lows: dict[str, int] = {}
    highs: dict[str, int] = {}
    for bound in bounds:
        if not isinstance(bound.term, Field):
            continue
        name: str = bound.term.name
        value = bound.value * (1000 if name in _THOUSANDTHS else 1)
        whole = int(value)
        exact = value == whole
        if bound.op == "==" and not exact:
            return None
        if bound.op in (">", ">=", "=="):
            low = whole if exact and bound.op != ">" else whole + 1
            lows[name] = max(lows.get(name, low), low)
        if bound.op in ("<", "<=", "=="):
            high = whole - 1 if exact and bound.op == "<" else whole
            highs[name] = min(highs.get(name, high), high)
    ranges = []
    for name in sorted({*lows, *highs}):
        low = lows.get(name, _DOMAIN[name][0])
        ranges.append((name, low, highs.get(name, max(_DOMAIN[name][1], low))))
    return tuple(ranges) if all(low <= high for _, low, high in ranges) else None
