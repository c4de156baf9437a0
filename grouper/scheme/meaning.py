"""What a condition says, whatever its wording: which of two conditions is true more often.

Two conditions are compared on a grid: every combination of the answers that their parts can have
(a code is in a list or not, a number is missing, below, at or above each threshold). The parts are
taken as independent, so that a difference may be found where the lists happen to rule it out, but
never an equality where there is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import reduce
from itertools import pairwise
from math import prod
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from grouper.scheme.condition import (
    And,
    Codes,
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
    Sites,
    Term,
    atoms,
    to_text,
)
from grouper.scheme.model import Scheme

#: `wider`: the second condition is true wherever the first is, and elsewhere; `unknown`: not
#: decided, since there are too many combinations
Relation = Literal["same", "wider", "narrower", "other", "unknown"]
#: names under which the lists of one and of the other scheme may be compared
Names = tuple[Mapping[str, str], Mapping[str, str]]
Part = Flag | Member | Field | Sites | Hits
Bits = NDArray[np.bool_]

_MOST = 1 << 16
#: numbers that come as whole numbers only, so that `> 6` and `>= 7` are the same
_WHOLE = ("age", "age_days", "los", "sex", "leaving")
#: a record of another sex, or of none, is rejected before any condition is looked at
_SEXES = (1.0, 2.0)
_OPS = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal}


def with_names(condition: Condition, names: Mapping[str, str]) -> Condition:
    """The condition with other names for its lists, operands sorted and each but once."""
    match condition:
        case Member(codes=codes, list_name=name):
            return Member(codes, names[name])
        case Compare(terms=terms, ops=ops):
            return Compare(tuple(_with_names(term, names) for term in terms), ops)
        case Not(operand=inner):
            return Not(with_names(inner, names))
        case And(operands=operands) | Or(operands=operands):
            parts = {to_text(p): p for p in (with_names(each, names) for each in operands)}
            if len(parts) == 1:
                return next(iter(parts.values()))
            return type(condition)(tuple(parts[text] for text in sorted(parts)))
    return condition


def _with_names(term: Term, names: Mapping[str, str]) -> Term:
    match term:
        case Sites(lists=lists):
            return Sites(tuple(sorted(names[name] for name in lists)))
        case Hits(codes=codes, list_name=name):
            return Hits(codes, names[name])
    return term


def relation(first: Condition, second: Condition) -> Relation:
    """How the second condition stands to the first, both in the same names of lists."""
    if first == second:
        return "same"
    grid = Grid.of((first, second))
    return "unknown" if grid is None else compared(grid.truth(first), grid.truth(second))


def compared(first: Bits, second: Bits) -> Relation:
    """The relation of two rows of answers over the same combinations."""
    lost, gained = bool((first & ~second).any()), bool((second & ~first).any())
    if lost and gained:
        return "other"
    return "narrower" if lost else "wider" if gained else "same"


class Grid:
    """All combinations of the answers that the parts of some conditions can have.

    Every part has an axis of its own, so that an answer is a small array until it is combined.
    """

    def __init__(self, axes: Mapping[Part, tuple[float, ...]]) -> None:
        self.shape = tuple(len(values) for values in axes.values())
        self.axes = {
            part: np.array(values).reshape([-1 if k == axis else 1 for k in range(len(axes))])
            for axis, (part, values) in enumerate(axes.items())
        }

    @classmethod
    def of(cls, conditions: Iterable[Condition]) -> Grid | None:
        """The grid of some conditions; None if it is too large, or numbers meet each other."""
        thresholds: dict[Part, set[Decimal]] = {}
        for atom in (atom for condition in conditions for atom in atoms(condition)):
            if not isinstance(atom, Compare):
                for part in _parts(atom):
                    thresholds.setdefault(part, set())
                continue
            numbers = {term.value for term in atom.terms if isinstance(term, Number)}
            asked = {term for term in atom.terms if not isinstance(term, Number)}
            if len(asked) > 1:
                return None
            for term in asked:
                thresholds.setdefault(term, set()).update(numbers)
        axes = {part: _answers(part, values) for part, values in thresholds.items()}
        # NumPy has at most 32 axes
        if len(axes) > 20 or prod(map(len, axes.values())) > _MOST:
            return None
        return cls(axes)

    def truth(self, condition: Condition) -> Bits:
        """Where a condition is true, over all combinations."""
        return np.broadcast_to(self._truth(condition), self.shape)

    def _truth(self, condition: Condition) -> Bits:
        match condition:
            case Constant(value=value):
                return np.array(value)
            case Flag() | Member():
                return reduce(np.logical_or, [self.axes[p] > 0 for p in _parts(condition)])
            case Not(operand=inner):
                return ~self._truth(inner)
            case And(operands=operands):
                return reduce(np.logical_and, map(self._truth, operands))
            case Or(operands=operands):
                return reduce(np.logical_or, map(self._truth, operands))
            case Compare(terms=terms, ops=ops):
                values = [self._value(term) for term in terms]
                # a missing number is NaN, with which every comparison is false
                links = zip(values, ops, values[1:], strict=False)
                return reduce(np.logical_and, [_OPS[op](left, right) for left, op, right in links])

    def _value(self, term: Term) -> NDArray[np.float64]:
        return np.array(float(term.value)) if isinstance(term, Number) else self.axes[term]


def _parts(atom: Flag | Member) -> Iterator[Flag | Member]:
    """`any` codes are the main one and the others, each of which may be asked for alone."""
    if isinstance(atom, Member) and atom.codes.startswith("any_"):
        kind = atom.codes[-2:]
        yield Member(cast(Codes, f"main_{kind}"), atom.list_name)
        yield Member(cast(Codes, f"other_{kind}"), atom.list_name)
    else:
        yield atom


def _answers(part: Part, thresholds: set[Decimal]) -> tuple[float, ...]:
    """The values of a part that some condition can tell apart; NaN is a missing number."""
    match part:
        case Flag() | Member():
            return (0.0, 1.0)
        case Field(name="sex"):
            return _SEXES
        case Field(name=name):
            known = _whole(thresholds) if name in _WHOLE else _dense(thresholds)
            return (*sorted(known), float("nan"))
        case Sites(lists=lists):
            return tuple(sorted(n for n in _whole(thresholds) if n <= len(lists)))
        case Hits():
            return tuple(sorted(_whole(thresholds)))


def _whole(thresholds: set[Decimal]) -> set[float]:
    found = {0.0}
    for value in thresholds:
        low = int(value.to_integral_value(ROUND_FLOOR))
        high = int(value.to_integral_value(ROUND_CEILING))
        found.update(float(n) for n in (high - 1, low, high, low + 1) if n >= 0)
    return found


def _dense(thresholds: set[Decimal]) -> set[float]:
    ordered = sorted(thresholds | {Decimal(0)})
    between = [(low + high) / 2 for low, high in pairwise(ordered)]
    return {float(value) for value in (*ordered, *between, ordered[-1] + 1)}


def list_names(first: Scheme, second: Scheme, lists: Mapping[str, str]) -> tuple[Names, ...]:
    """Ways to name the lists of both schemes under which conditions can be compared.

    By counterpart: paired lists bear one name, whatever codes came or went. By content: lists of
    the same codes bear one name, whichever a rule happens to use. As they are: a rule of the same
    wording has not changed, even where its list has now the codes of another.
    """
    paired = {name: lists.get(name, f"1 {name}") for name in first.lists}
    ours, theirs = ({name: name for name in scheme.lists} for scheme in (first, second))
    numbers: dict[object, str] = {}
    by_content: list[dict[str, str]] = []
    for scheme in (first, second):
        named = {}
        for name, part in scheme.lists.items():
            named[name] = numbers.setdefault((part.kind, part.codes), f"L{len(numbers)}")
        by_content.append(named)
    return (paired, theirs), (by_content[0], by_content[1]), (ours, theirs)


@dataclass(frozen=True)
class Comparer:
    """Compares conditions of two schemes, whose lists have other names."""

    names: tuple[Names, ...]

    def relation(self, first: Condition, second: Condition) -> Relation:
        """`same` if the conditions say the same by some way of naming lists, else by the first."""
        found: list[Relation] = []
        for ours, theirs in self.names:
            found.append(relation(with_names(first, ours), with_names(second, theirs)))
            if found[-1] == "same":
                return "same"
        return found[0]

    def in_common(self, first: Condition, second: Condition) -> int:
        """How many flags, memberships and comparisons both have."""
        ours, theirs = self.names[0]
        return len({*atoms(with_names(first, ours))} & {*atoms(with_names(second, theirs))})
