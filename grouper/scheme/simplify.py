"""Conditions made simpler by what is already known: the algebra behind compilation.

The results mean the same as their inputs; they are never printed. Constants disappear, equal
operands are kept once, chains of comparisons become pairs with the number on the right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise

from grouper.scheme.condition import (
    FALSE,
    TRUE,
    And,
    Compare,
    Condition,
    Constant,
    Flag,
    Member,
    Not,
    Number,
    Or,
    RelOp,
)

Atom = Flag | Member | Compare
Literal = tuple[Atom, bool]

_FLIPPED: dict[RelOp, RelOp] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}


def conjunction(parts: Iterable[Condition]) -> Condition:
    """All parts hold."""
    kept: dict[Condition, None] = {}
    for part in parts:
        if part == FALSE:
            return FALSE
        for operand in part.operands if isinstance(part, And) else (part,):
            if operand != TRUE:
                kept[operand] = None
    if len(kept) < 2:
        return next(iter(kept), TRUE)
    return And(tuple(kept))


def disjunction(parts: Iterable[Condition]) -> Condition:
    """At least one part holds."""
    kept: dict[Condition, None] = {}
    for part in parts:
        if part == TRUE:
            return TRUE
        for operand in part.operands if isinstance(part, Or) else (part,):
            if operand != FALSE:
                kept[operand] = None
    if len(kept) < 2:
        return next(iter(kept), FALSE)
    return Or(tuple(kept))


def negation(part: Condition) -> Condition:
    """The part does not hold."""
    if isinstance(part, Constant):
        return Constant(not part.value)
    return part.operand if isinstance(part, Not) else Not(part)


def substitute(condition: Condition, known: Callable[[Atom], Condition]) -> Condition:
    """`condition` with every atom replaced by `known(atom)`, simplified."""
    match condition:
        case Constant():
            return condition
        case Not(operand=operand):
            return negation(substitute(operand, known))
        case And(operands=operands):
            return conjunction(substitute(operand, known) for operand in operands)
        case Or(operands=operands):
            return disjunction(substitute(operand, known) for operand in operands)
    return known(condition)


def in_pairs(condition: Condition) -> Condition:
    """`condition` with each chain of comparisons as a conjunction of pairs.

    A chain with a missing number is false, and so is the pair the number stands in: the
    conjunction means the same. A pair of two numbers is decided; a number stands on the right.
    """
    return substitute(condition, lambda atom: _pairs(atom) if isinstance(atom, Compare) else atom)


def _pairs(chain: Compare) -> Condition:
    parts: list[Condition] = []
    for (left, right), op in zip(pairwise(chain.terms), chain.ops, strict=True):
        if isinstance(left, Number) and isinstance(right, Number):
            order = (left.value > right.value) - (left.value < right.value)
            parts.append(Constant(order in _ORDERS[op]))
        elif isinstance(left, Number):
            parts.append(Compare((right, left), (_FLIPPED[op],)))
        else:
            parts.append(Compare((left, right), (op,)))
    return conjunction(parts)


_ORDERS: dict[RelOp, tuple[int, ...]] = {
    "<": (-1,),
    "<=": (-1, 0),
    ">": (1,),
    ">=": (0, 1),
    "==": (0,),
}


def alternatives(condition: Condition, limit: int) -> list[frozenset[Literal]] | None:
    """The disjunctive normal form: sets of literals, one of which holds as a whole.

    None when there would be more than `limit` of them. Contradictory sets are left out.
    """
    return _alternatives(condition, True, limit)


def _alternatives(
    condition: Condition, wanted: bool, limit: int
) -> list[frozenset[Literal]] | None:
    match condition:
        case Constant(value=value):
            return [frozenset()] if value == wanted else []
        case Not(operand=operand):
            return _alternatives(operand, not wanted, limit)
        case And(operands=operands) | Or(operands=operands):
            parts = [_alternatives(operand, wanted, limit) for operand in operands]
            if isinstance(condition, And) == wanted:
                return _product(parts, limit)
            return _union(parts, limit)
    return [frozenset({(condition, wanted)})]


def _union(
    parts: list[list[frozenset[Literal]] | None], limit: int
) -> list[frozenset[Literal]] | None:
    found: dict[frozenset[Literal], None] = {}
    for part in parts:
        if part is None:
            return None
        found.update(dict.fromkeys(part))
    return list(found) if len(found) <= limit else None


def _product(
    parts: list[list[frozenset[Literal]] | None], limit: int
) -> list[frozenset[Literal]] | None:
    found: list[frozenset[Literal]] = [frozenset()]
    for part in parts:
        if part is None:
            return None
        joined = (one | other for one in found for other in part)
        found = [
            literals
            for literals in joined
            if not any((atom, not wanted) in literals for atom, wanted in literals)
        ]
        if len(found) > limit:
            return None
    return found
