"""Conditions as decision graphs over numbered atoms: what the kernel walks on its slow path.

A node tests one atom and names the node to go to when it holds and when it does not; the targets
`YES` and `NO` end the walk. So `and`, `or` and `not` cost nothing and nothing needs a stack.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

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
    NumberName,
    RelOp,
    Sites,
    Term,
)

YES = -1
NO = -2

#: numbers of a record in the kernel's order, with the scale of their column (records.batch)
FIELDS: dict[NumberName, int] = {
    "sex": 1,
    "age": 1,
    "age_days": 1,
    "weight": 1000,
    "los": 1,
    "leaving": 1,
    "icu_hours": 1000,
}
FIELD_IDS = {name: index for index, name in enumerate(FIELDS)}
LOWEST = -(2**31) + 1  # the smallest int32 means missing
HIGHEST = 2**31 - 1
EMPTY = (HIGHEST, LOWEST)
_RELOPS: tuple[RelOp, ...] = ("<", "<=", ">", ">=", "==")


class AtomKind(IntEnum):
    """What an atom tests; `a`, `b`, `low`, `high` are its numbers (see `ProgramBuilder`)."""

    MAIN_DX = 0
    OTHER_DX = 1
    ANY_DX = 2
    MAIN_PX = 3
    OTHER_PX = 4
    ANY_PX = 5
    FLAG = 6
    INTERVAL = 7
    PAIR = 8


class TermKind(IntEnum):
    """A quantity in a comparison: a number of the record, or a count over its codes."""

    FIELD = 0
    SITES = 1
    HITS = 2


_CODES = {
    "main_dx": AtomKind.MAIN_DX,
    "other_dx": AtomKind.OTHER_DX,
    "any_dx": AtomKind.ANY_DX,
    "main_px": AtomKind.MAIN_PX,
    "other_px": AtomKind.OTHER_PX,
    "any_px": AtomKind.ANY_PX,
}


def interval(op: RelOp, bound: Decimal, scale: int) -> tuple[int, int]:
    """The scaled integers v with `v / scale op bound`, as (low, high); empty when low > high."""
    scaled = bound * scale
    low, high = math.ceil(scaled), math.floor(scaled)
    ends = {
        "<": (LOWEST, low - 1),
        "<=": (LOWEST, high),
        ">": (high + 1, HIGHEST),
        ">=": (low, HIGHEST),
        "==": (low, high),
    }[op]
    low, high = max(ends[0], LOWEST), min(ends[1], HIGHEST)
    return (low, high) if low <= high else EMPTY


@dataclass(frozen=True, slots=True)
class Program:
    """Arrays of the decision graphs; see `ProgramBuilder` for the meaning of the columns."""

    node_atom: NDArray[np.int32]
    node_yes: NDArray[np.int32]
    node_no: NDArray[np.int32]
    atom_kind: NDArray[np.int32]
    atom_a: NDArray[np.int32]
    atom_b: NDArray[np.int32]
    atom_low: NDArray[np.int32]
    atom_high: NDArray[np.int32]
    term_kind: NDArray[np.int32]
    term_codes: NDArray[np.int32]
    term_start: NDArray[np.int32]
    term_stop: NDArray[np.int32]
    term_lists: NDArray[np.int32]


@dataclass
class ProgramBuilder:
    """Collects atoms, terms and nodes; equal ones are kept once.

    dx_bits, px_bits: position of a list in the bit rows of diagnosis and procedure codes.
    Atoms: codes kinds have a = bit; FLAG a = 1 for cc, 2 for mcc; INTERVAL a = term,
    low <= value <= high; PAIR a, b = terms, low = index of the operator in < <= > >= ==.
    Terms: FIELD term_codes = field; SITES lists = term_lists[start:stop];
    HITS term_codes = AtomKind of the codes, start = bit of the list.
    """

    dx_bits: dict[str, int]
    px_bits: dict[str, int]
    nodes: dict[tuple[int, int, int], int] = field(default_factory=dict)
    atoms: dict[tuple[int, int, int, int, int], int] = field(default_factory=dict)
    terms: dict[tuple[int, int, int, int], int] = field(default_factory=dict)
    lists: list[int] = field(default_factory=list)
    _known: dict[tuple[Condition, int, int], int] = field(default_factory=dict)
    _sites: dict[tuple[str, ...], tuple[int, int]] = field(default_factory=dict)

    def entry(self, condition: Condition) -> int:
        """The node where the walk for `condition` begins, or YES or NO."""
        return self._build(condition, YES, NO)

    def _build(self, condition: Condition, yes: int, no: int) -> int:
        key = (condition, yes, no)
        if key not in self._known:
            self._known[key] = self._node(condition, yes, no)
        return self._known[key]

    def _node(self, condition: Condition, yes: int, no: int) -> int:
        match condition:
            case Constant(value=value):
                return yes if value else no
            case Not(operand=operand):
                return self._build(operand, no, yes)
            case And(operands=operands):
                for operand in reversed(operands):
                    yes = self._build(operand, yes, no)
                return yes
            case Flag() | Member() | Compare():
                return self.nodes.setdefault((self._atom(condition), yes, no), len(self.nodes))
        for operand in reversed(condition.operands):
            no = self._build(operand, yes, no)
        return no

    def _atom(self, atom: Flag | Member | Compare) -> int:
        match atom:
            case Flag(name=name):
                key = (AtomKind.FLAG, {"cc": 1, "mcc": 2}[name], 0, 0, 0)
            case Member(codes=codes, list_name=name):
                bits = self.dx_bits if codes.endswith("dx") else self.px_bits
                key = (_CODES[codes], bits[name], 0, 0, 0)
            case Compare(terms=(left, Number(value=bound)), ops=(op,)):
                low, high = interval(op, bound, scale_of(left))
                key = (AtomKind.INTERVAL, self._term(left), 0, low, high)
            case Compare(terms=(left, right), ops=(op,)):
                a, b = self._term(left), self._term(right)
                key = (AtomKind.PAIR, a, b, _RELOPS.index(op), 0)
        return self.atoms.setdefault(key, len(self.atoms))

    def _term(self, term: Term) -> int:
        match term:
            case Field(name=name):
                key = (TermKind.FIELD, FIELD_IDS[name], 0, 0)
            case Sites(lists=lists):
                if lists not in self._sites:
                    start = len(self.lists)
                    self.lists.extend(self.dx_bits[name] for name in lists)
                    self._sites[lists] = (start, len(self.lists))
                key = (TermKind.SITES, 0, *self._sites[lists])
            case Hits(codes=codes, list_name=name):
                bits = self.dx_bits if codes.endswith("dx") else self.px_bits
                key = (TermKind.HITS, _CODES[codes], bits[name], 0)
            case Number():
                raise AssertionError("a pair has its number on the right")
        return self.terms.setdefault(key, len(self.terms))

    def finish(self) -> Program:
        """The collected graphs as arrays."""
        node_atom, node_yes, node_no = _columns(self.nodes, 3)
        kind, a, b, low, high = _columns(self.atoms, 5)
        term_kind, term_codes, term_start, term_stop = _columns(self.terms, 4)
        return Program(
            node_atom=node_atom,
            node_yes=node_yes,
            node_no=node_no,
            atom_kind=kind,
            atom_a=a,
            atom_b=b,
            atom_low=low,
            atom_high=high,
            term_kind=term_kind,
            term_codes=term_codes,
            term_start=term_start,
            term_stop=term_stop,
            term_lists=np.array(self.lists, np.int32),
        )


def _columns(rows: Iterable[tuple[int, ...]], width: int) -> list[NDArray[np.int32]]:
    table = np.array(list(rows), np.int32).reshape(-1, width)
    return [np.ascontiguousarray(table[:, k]) for k in range(width)]


def scale_of(term: Term) -> int:
    """By how much the value of a term is multiplied to be an integer."""
    return FIELDS[term.name] if isinstance(term, Field) else 1
