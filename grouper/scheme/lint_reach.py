"""Warnings about what code lists can reach: W03, W04, W08, W10.

A principal diagnosis p *may* enter an MDC unless its condition is false whatever else the record
holds. That is worked out for all diagnoses at once, as two bit rows a condition: the codes for
which it may be true, and those for which it must be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from grouper.datafile import Table
from grouper.errors import Issue
from grouper.scheme.condition import (
    And,
    Compare,
    Condition,
    Constant,
    Member,
    Not,
    Or,
    Sites,
    atoms,
)
from grouper.scheme.lint_codes import CODE_FILES, Run, runs
from grouper.scheme.lint_conditions import Conditions
from grouper.scheme.source import RULES, Source, finding

Bits = NDArray[np.bool_]


class Principals:
    """The diagnoses of a scheme's lists as columns, its lists as bit rows over them."""

    def __init__(self, lists: Table) -> None:
        names, kinds, codes = lists.cells
        self.rows = [run for run in runs(names) if kinds[run.start] == "dx"]
        of_dx = dict.fromkeys(c for r in self.rows for c in codes[r.start : r.stop])
        self.column = {code: number for number, code in enumerate(of_dx)}
        self.lists: dict[str, Bits] = {}
        for run in self.rows:
            bits = self.lists.setdefault(run.name, np.zeros(len(self.column), np.bool_))
            bits[[self.column[code] for code in codes[run.start : run.stop]]] = True

    def may_must(self, condition: Condition) -> tuple[Bits, Bits]:
        """The principal diagnoses for which a condition may, and for which it must, be true."""
        every = np.ones(len(self.column), np.bool_)
        none = np.zeros(len(self.column), np.bool_)
        match condition:
            case Constant(value=value):
                return (every, every) if value else (none, none)
            case Member(codes="main_dx", list_name=name):
                return self.lists.get(name, none), self.lists.get(name, none)
            case Member(codes="any_dx", list_name=name):
                return every, self.lists.get(name, none)
            case Not(operand=inner):
                may, must = self.may_must(inner)
                return ~must, ~may
            case And(operands=operands) | Or(operands=operands):
                join = np.logical_and if isinstance(condition, And) else np.logical_or
                pairs = [self.may_must(operand) for operand in operands]
                return (
                    join.reduce([may for may, _ in pairs]),
                    join.reduce([must for _, must in pairs]),
                )
        return every, none


def check_reach(source: Source, conditions: Conditions) -> Iterator[Issue]:
    """W03, W04: lists of principal diagnoses, and entries of them, that never come to the MDC."""
    lists = source.tables["lists.tsv"]
    principals = Principals(lists)
    codes = lists.column("code")
    runs_of: dict[str, list[Run]] = {}
    for run in principals.rows:
        runs_of.setdefault(run.name, []).append(run)
    enters = {
        row["mdc"]: principals.may_must(when)[0]
        for row, when in zip(source.tables["mdc.tsv"], conditions.of["mdc.tsv"], strict=True)
        if when is not None
    }
    reported: set[tuple[str, str]] = set()
    for row, when in zip(source.tables["adrg.tsv"], conditions.of["adrg.tsv"], strict=True):
        may = enters.get(row["mdc"])
        if when is None or may is None:
            continue
        for name in dict.fromkeys(_principal_lists(when)):
            # a surgical rule may rest on its procedures; a medical one has nothing else
            if row["kind"] == "medical" and not (principals.lists[name] & may).any():
                yield finding("SW03", row.where("when"), "", name, mdc=row["mdc"])
                continue
            if (row["mdc"], name) in reported:
                continue
            reported.add((row["mdc"], name))
            for run in runs_of[name]:
                for index in range(run.start, run.stop):
                    if not may[principals.column[codes[index]]]:
                        yield finding("SW04", lists.where(index, "code"), "", codes[index],
                                      list=name, mdc=row["mdc"])  # fmt: skip


def _principal_lists(condition: Condition, *, sign: bool = True) -> Iterator[str]:
    """The lists that a condition wants the principal diagnosis in."""
    match condition:
        case Member(codes="main_dx", list_name=name):
            if sign:
                yield name
        case Not(operand=inner):
            yield from _principal_lists(inner, sign=not sign)
        case And(operands=operands) | Or(operands=operands):
            for operand in operands:
                yield from _principal_lists(operand, sign=sign)


def check_sites(source: Source, conditions: Conditions) -> Iterator[Issue]:
    """W08: codes that two lists of the same `sites` share."""
    lists = source.tables["lists.tsv"]
    names, _, codes = lists.cells
    runs_of: dict[str, list[Run]] = {}
    for run in runs(names):
        runs_of.setdefault(run.name, []).append(run)
    seen: set[tuple[str, str]] = set()
    for name in RULES:
        for when in conditions.of[name]:
            for sites in _sites(when):
                seen.update(combinations(sites.lists, 2))
    for first, second in sorted(seen):
        shared = {codes[i] for run in runs_of[first] for i in range(run.start, run.stop)}
        for run in runs_of[second]:
            for index in range(run.start, run.stop):
                if codes[index] in shared:
                    yield finding("SW08", lists.where(index, "code"), "", codes[index],
                                  first=first, second=second)  # fmt: skip


def _sites(condition: Condition | None) -> Iterator[Sites]:
    for atom in atoms(condition) if condition is not None else ():
        if isinstance(atom, Compare):
            yield from (term for term in atom.terms if isinstance(term, Sites))


def check_known(source: Source, known_codes: Mapping[str, Set[str]]) -> Iterator[Issue]:
    """W10: codes that the code table does not have, each once a file."""
    for file in CODE_FILES:
        table = source.tables[file]
        codes = table.column("code")
        kinds = table.column("kind") if "kind" in table.columns else ["dx"] * len(codes)
        seen: set[tuple[str, str]] = set()
        for index, key in enumerate(zip(kinds, codes, strict=True)):
            kind, code = key
            if key in seen or kind not in known_codes or code in known_codes[kind]:
                continue
            seen.add(key)
            yield finding("SW10", table.where(index, "code"), "", code, kind=kind)
