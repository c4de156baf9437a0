"""The grouper that one would write in an afternoon: sets of codes, a closure for each condition.

Honest work with what a scheme says, no explanations and no tricks: MDC by MDC, rule by rule, the
first that holds takes the case. It is a yardstick for the benchmarks, not a part of the program.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import eq, ge, gt, le, lt

from grouper.engine.reference import Record, record_at
from grouper.records.batch import CaseBatch
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
    Sites,
    Term,
)
from grouper.scheme.model import Scheme

_COMPARE = {"<": lt, "<=": le, ">": gt, ">=": ge, "==": eq}


class Case:
    """A record with its codes as sets and its severity flags."""

    __slots__ = (
        "any_dx",
        "any_px",
        "flags",
        "main_dx",
        "main_px",
        "other_dx",
        "other_px",
        "record",
    )

    def __init__(self, record: Record, scheme: Scheme) -> None:
        self.record = record
        self.main_dx, self.other_dx = set(record.dx[:1]), set(record.dx[1:])
        self.main_px, self.other_px = set(record.px[:1]), set(record.px[1:])
        self.any_dx, self.any_px = set(record.dx), set(record.px)
        excluded = scheme.exclusions.get(record.dx[0]) if record.dx else None
        self.flags = set()
        for code in record.dx[1:]:
            found = scheme.cc.get(code)
            if found and not (found.table and found.table == excluded):
                self.flags.add(found.level.lower())


Test = Callable[[Case], bool]


class DictionaryGrouper:
    """A scheme as closures."""

    def __init__(self, scheme: Scheme) -> None:
        self._scheme = scheme
        self._lists = {name: frozenset(each.codes) for name, each in scheme.lists.items()}
        drgs: dict[str, list[tuple[Test, str]]] = {}
        for drg in scheme.drgs:
            drgs.setdefault(drg.adrg, []).append((self._test(drg.when), drg.drg))
        self._mdcs = [
            (
                self._test(mdc.when),
                [
                    (self._test(rule.when), None if rule.is_ambiguous else drgs.get(rule.adrg, []))
                    for rule in scheme.adrgs
                    if rule.mdc == mdc.mdc
                ],
            )
            for mdc in scheme.mdcs
        ]

    def records(self, batch: CaseBatch) -> list[Record]:
        """The records of a batch."""
        return [record_at(batch, row) for row in range(len(batch))]

    def group(self, record: Record) -> str:
        """The DRG of a record, "" if it has none."""
        if record.sex not in (1, 2) or not record.dx:
            return ""
        case = Case(record, self._scheme)
        for enters, rules in self._mdcs:
            if not enters(case):
                continue
            for takes, drgs in rules:
                if not takes(case):
                    continue
                if drgs is None:
                    return ""
                for fits, drg in drgs:
                    if fits(case):
                        return drg
        return ""

    def _test(self, when: Condition) -> Test:
        match when:
            case Constant(value=value):
                return lambda case: value
            case Flag(name=name):
                return lambda case: name in case.flags
            case Member(codes=codes, list_name=list_name):
                held = self._lists[list_name]
                return lambda case: not held.isdisjoint(getattr(case, codes))
            case Not(operand=operand):
                inner = self._test(operand)
                return lambda case: not inner(case)
            case And(operands=operands):
                parts = [self._test(each) for each in operands]
                return lambda case: all(part(case) for part in parts)
            case Or(operands=operands):
                parts = [self._test(each) for each in operands]
                return lambda case: any(part(case) for part in parts)
            case Compare(terms=terms, ops=ops):
                return self._comparison([self._term(term) for term in terms], list(ops))

    def _comparison(self, terms: list[Callable[[Case], object]], ops: list[str]) -> Test:
        tests = [_COMPARE[op] for op in ops]

        def compare(case: Case) -> bool:
            values = [term(case) for term in terms]
            if None in values:
                return False
            return all(test(a, b) for test, a, b in zip(tests, values, values[1:], strict=False))

        return compare

    def _term(self, term: Term) -> Callable[[Case], object]:
        match term:
            case Number(value=value):
                return lambda case: value
            case Field(name=name):
                return lambda case: getattr(case.record, name)
            case Sites(lists=names):
                sites = [self._lists[name] for name in names]
                return lambda case: sum(not site.isdisjoint(case.any_dx) for site in sites)
            case Hits(codes=codes, list_name=list_name):
                held = self._lists[list_name]
                return lambda case: len(held & getattr(case, codes))
