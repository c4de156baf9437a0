"""What remains of the rules once the principal diagnosis is known.

Rules of all MDCs form one ordered list (MDC condition and rule condition together). For each set of
lists that a principal diagnosis stands in, every rule becomes true, false, or a remainder; the
list ends after the first rule that certainly takes the case. Equal remainders make one class of
principal diagnoses, so tens of thousands of codes become a few hundred classes.

A class whose remainders ask for numbers (age, sex, weight ...) is split by the intervals those
numbers fall in. Of each remainder there is a second form, `quiet`, for cases in which no other
diagnosis is in any list that matters: most cases, and they need no further look.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import product
from math import prod
from typing import TypeVar

from grouper.scheme.condition import (
    FALSE,
    TRUE,
    Compare,
    Condition,
    Constant,
    Field,
    Hits,
    Member,
    Number,
    Sites,
    atoms,
    list_uses,
)
from grouper.scheme.model import Scheme
from grouper.scheme.program import FIELD_IDS, FIELDS, HIGHEST, LOWEST, interval
from grouper.scheme.simplify import Atom, in_pairs, substitute

#: (position in scheme.adrgs, what remains of the MDC's condition, of the rule's condition), the
#: conditions by their numbers, in the order of trying
Candidate = tuple[int, int, int]
Candidates = tuple[Candidate, ...]

_MOST_CELLS = 1024
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Remainder:
    """Candidates in general, candidates when quiet, and what tells whether it is.

    It is quiet when no other diagnosis is in one of `lists`. It is as good as quiet when none is in
    one of `strict` and none of `gates` holds: conditions of MDCs that open by other diagnoses only.
    """

    full: Candidates
    quiet: Candidates
    lists: frozenset[str] = frozenset()
    strict: frozenset[str] = frozenset()
    gates: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Split:
    """Remainders of one class by the cells of its numbers.

    strides: by field, how far a step to the next cell moves in `cells`; 0 = not asked for.
    """

    strides: tuple[int, ...]
    cells: tuple[Remainder, ...]


class Conditions:
    """Numbers conditions and works each question about one of them out only once."""

    def __init__(self) -> None:
        self._numbers: dict[Condition, int] = {}
        self.all: list[Condition] = []
        self.fields: list[frozenset[int]] = []  # numbers of the record compared with constants
        self.other_lists: list[frozenset[str]] = []  # lists that other diagnoses can hit
        self.counted_lists: list[frozenset[str]] = []  # lists that are counted

    def number(self, condition: Condition) -> int:
        """The number of a condition."""
        if condition not in self._numbers:
            self._numbers[condition] = len(self.all)
            self.all.append(condition)
            asked = [atom for atom in atoms(condition) if isinstance(atom, Compare)]
            self.fields.append(
                frozenset(
                    FIELD_IDS[atom.terms[0].name]
                    for atom in asked
                    if isinstance(atom.terms[0], Field) and isinstance(atom.terms[1], Number)
                )
            )
            self.other_lists.append(frozenset(_other_lists(condition)))
            self.counted_lists.append(
                frozenset(name for atom in asked for name, kind in list_uses(atom) if kind == "dx")
            )
        return self._numbers[condition]


class Residuals:
    """Works the remainders of a scheme out.

    covered: ADRG -> its DRGs take every case.
    bounds: by field, where each cell of its numbers but the first begins.
    """

    def __init__(self, scheme: Scheme, covered: Mapping[str, bool]) -> None:
        self.scheme = scheme
        self.covered = covered
        self.conditions = Conditions()
        by_mdc: dict[str, list[tuple[int, Condition, frozenset[str]]]] = {}
        for position, rule in enumerate(scheme.adrgs):
            when = in_pairs(rule.when)
            by_mdc.setdefault(rule.mdc, []).append((position, when, principal_lists(when)))
        self._rules: list[
            tuple[Condition, frozenset[str], list[tuple[int, Condition, frozenset[str]]]]
        ] = []
        for mdc in scheme.mdcs:
            when = in_pairs(mdc.when)
            self._rules.append((when, principal_lists(when), by_mdc.get(mdc.mdc, [])))
        self.bounds = _bounds(
            [when for when, _, _ in self._rules]
            + [when for _, _, rules in self._rules for _, when, _ in rules]
        )
        self._given: dict[tuple[int, frozenset[str]], Condition] = {}
        self._quiet: dict[tuple[int, frozenset[str]], int] = {}
        self._in_cell: dict[tuple[int, tuple[tuple[int, int], ...]], int] = {}

    def remainder(self, inside: frozenset[str]) -> Remainder:
        """What remains for a principal diagnosis that stands in the lists `inside`."""
        number = self.conditions.number
        never = number(FALSE)
        full: list[Candidate] = []
        for k, (mdc_when, mdc_lists, rules) in enumerate(self._rules):
            entry = number(self._knowing(~k, mdc_when, inside & mdc_lists))
            if entry == never:
                continue
            for position, when, lists in rules:
                rest = number(self._knowing(position, when, inside & lists))
                if rest != never:
                    full.append((position, entry, rest))
        return self._with_quiet(self._cut(full), inside)

    def split(self, remainder: Remainder) -> Split:
        """The remainder by the cells of the numbers that its quiet form asks for.

        The full form is left as it is: few cases need it, and they evaluate what remains.
        """
        asked = sorted(_all_of(self.conditions.fields, remainder.quiet))
        sizes = [len(self.bounds[field]) + 1 for field in asked]
        if not asked or prod(sizes) > _MOST_CELLS:
            return Split((0,) * len(FIELDS), (remainder,))
        strides = [0] * len(FIELDS)
        for k, field in enumerate(asked):
            strides[field] = prod(sizes[k + 1 :])
        cells = tuple(
            self._cell(remainder, dict(zip(asked, cell, strict=True)))
            for cell in product(*(range(size) for size in sizes))
        )
        return Split(tuple(strides), cells)

    def _knowing(self, key: int, when: Condition, inside: frozenset[str]) -> Condition:
        if (key, inside) not in self._given:
            self._given[key, inside] = substitute(when, lambda atom: _principal(atom, inside))
        return self._given[key, inside]

    def _cut(self, candidates: Iterable[Candidate]) -> Candidates:
        """The candidates up to the first that certainly takes the case."""
        always, never = self.conditions.number(TRUE), self.conditions.number(FALSE)
        kept = []
        for candidate in candidates:
            position, entry, rest = candidate
            if never in (entry, rest):
                continue
            kept.append(candidate)
            rule = self.scheme.adrgs[position]
            if entry == rest == always and (rule.is_ambiguous or self.covered[rule.adrg]):
                break
        return tuple(kept)

    def _with_quiet(self, full: Candidates, inside: frozenset[str]) -> Remainder:
        of = self.conditions.other_lists
        lists = _all_of(of, full)
        if not lists:
            return Remainder(full, full)
        quiet = self._cut(
            (position, self._when_quiet(entry, inside), self._when_quiet(rest, inside))
            for position, entry, rest in full
        )
        never = self.conditions.number(FALSE)
        shut = {
            entry: None
            for _, entry, _ in full
            if of[entry] and self._when_quiet(entry, inside) == never
        }
        strict = _all_of(of, tuple(c for c in full if c[1] not in shut))
        return Remainder(full, quiet, lists, strict, tuple(shut))

    def _when_quiet(self, rest: int, inside: frozenset[str]) -> int:
        key = (rest, inside & self.conditions.counted_lists[rest])
        if key not in self._quiet:
            condition = self.conditions.all[rest]
            self._quiet[key] = self.conditions.number(
                substitute(condition, lambda atom: _quiet(atom, inside))
            )
        return self._quiet[key]

    def _cell(self, remainder: Remainder, cell: Mapping[int, int]) -> Remainder:
        quiet = self._cut(
            (position, self._when_in(entry, cell), self._when_in(rest, cell))
            for position, entry, rest in remainder.quiet
        )
        full = remainder.full if remainder.lists else quiet
        return replace(remainder, full=full, quiet=quiet)

    def _when_in(self, rest: int, cell: Mapping[int, int]) -> int:
        fields = self.conditions.fields[rest]
        if not fields:
            return rest
        key = (rest, tuple((field, cell[field]) for field in sorted(fields)))
        if key not in self._in_cell:
            self._in_cell[key] = self.conditions.number(
                substitute(self.conditions.all[rest], lambda atom: self._decided(atom, cell))
            )
        return self._in_cell[key]

    def _decided(self, atom: Atom, cell: Mapping[int, int]) -> Condition:
        found = _bounded(atom)
        if found is None:
            return atom
        field, low, high = found
        if low > high:
            return FALSE
        bounds = self.bounds[field]
        return Constant(bisect_right(bounds, low) <= cell[field] <= bisect_right(bounds, high))


def _all_of(facts: list[frozenset[T]], candidates: Candidates) -> frozenset[T]:
    """What the conditions of all candidates have of some fact that is kept by their numbers."""
    numbers = {number for _, entry, rest in candidates for number in (entry, rest)}
    return frozenset[T]().union(*(facts[number] for number in numbers))


def principal_lists(condition: Condition) -> frozenset[str]:
    """The diagnosis lists whose test depends on the principal diagnosis."""
    found: set[str] = set()
    for atom in atoms(condition):
        if isinstance(atom, Member) and atom.codes in ("main_dx", "any_dx"):
            found.add(atom.list_name)
        elif isinstance(atom, Compare):
            for term in atom.terms:
                if isinstance(term, Sites):
                    found.update(term.lists)
                elif isinstance(term, Hits) and term.codes in ("main_dx", "any_dx"):
                    found.add(term.list_name)
    return frozenset(found)


def _principal(atom: Atom, inside: frozenset[str]) -> Condition:
    """An atom when the lists of the principal diagnosis are known."""
    if isinstance(atom, Member):
        if atom.codes == "main_dx":
            return Constant(atom.list_name in inside)
        if atom.codes == "any_dx":
            return TRUE if atom.list_name in inside else Member("other_dx", atom.list_name)
    return atom


def _quiet(atom: Atom, inside: frozenset[str]) -> Condition:
    """An atom when, besides, no other diagnosis is in a list that matters."""
    if isinstance(atom, Member) and atom.codes == "other_dx":
        return FALSE
    if isinstance(atom, Compare):
        terms = tuple(
            Number(count) if (count := _quiet_count(term, inside)) is not None else term
            for term in atom.terms
        )
        if all(isinstance(term, Number) for term in terms):
            return in_pairs(Compare(terms, atom.ops))
        # a count against a number of the record stays a count: evaluated, it is right as well
    return atom


def _quiet_count(term: object, inside: frozenset[str]) -> Decimal | None:
    match term:
        case Sites(lists=lists):
            return Decimal(sum(name in inside for name in lists))
        case Hits(codes="main_dx" | "any_dx", list_name=name):
            return Decimal(name in inside)
        case Hits(codes="other_dx"):
            return Decimal(0)
    return None


def _other_lists(condition: Condition) -> Iterable[str]:
    """The diagnosis lists whose hits among the other diagnoses can change the condition."""
    for atom in atoms(condition):
        if isinstance(atom, Member) and atom.codes == "other_dx":
            yield atom.list_name
        elif isinstance(atom, Compare):
            for term in atom.terms:
                if isinstance(term, Sites):
                    yield from term.lists
                elif isinstance(term, Hits) and term.codes in ("other_dx", "any_dx"):
                    yield term.list_name


def _bounded(atom: Atom) -> tuple[int, int, int] | None:
    """Field and interval of a comparison of a number of the record with a constant."""
    match atom:
        case Compare(terms=(Field(name=name), Number(value=bound)), ops=(op,)):
            return (FIELD_IDS[name], *interval(op, bound, FIELDS[name]))
    return None


def _bounds(conditions: Iterable[Condition]) -> list[list[int]]:
    """By field, where each cell but the first begins; the first holds the missing number."""
    bounds: list[set[int]] = [{LOWEST} for _ in FIELDS]
    for condition in conditions:
        for atom in atoms(condition):
            if (found := _bounded(atom)) is not None and found[1] <= found[2]:
                bounds[found[0]] |= {found[1], found[2] + 1}
    return [sorted(value for value in values if value <= HIGHEST) for values in bounds]
