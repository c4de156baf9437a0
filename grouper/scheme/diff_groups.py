"""What differs in MDCs, ADRGs and DRGs: added, gone, renamed, moved, split; their conditions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TypeVar

from grouper.scheme.change import Change, Side
from grouper.scheme.condition import And, Compare, Condition, Hits, Member, Not, Or, to_text
from grouper.scheme.diff_codes import mdcs_of
from grouper.scheme.diff_refinement import refinement_changes
from grouper.scheme.matching import components, matched, out_of_order, regrouping
from grouper.scheme.meaning import Comparer, Relation, list_names
from grouper.scheme.model import AdrgRule, Drg, Mdc, Scheme

#: a share of the codes of a new group below which it does not stem from an old one
_ORIGIN = 0.5
Rows = TypeVar("Rows", AdrgRule, Drg)


class GroupChanges:
    """The changes of groups and of their conditions between two schemes."""

    def __init__(self, first: Scheme, second: Scheme, lists: Mapping[str, str]) -> None:
        self.schemes = first, second
        self.rules = _by_adrg(first.adrgs), _by_adrg(second.adrgs)
        self.drgs = _by_adrg(first.drgs), _by_adrg(second.drgs)
        self.entries = _entries(first), _entries(second)
        self.adrgs = self._matched_adrgs()
        self.families = self._families()
        #: counterparts that are one group, not parts of what was split, merged or drawn anew
        self.alone = {(code, code) for code in self.adrgs if self.adrgs[code] == code}
        self.alone |= {(a[0], b[0]) for a, b in self.families if len(a) == len(b) == 1}
        self.comparer = Comparer(list_names(first, second, lists))
        self.rule_pairs = [
            pair for one, other in self.adrgs.items() for pair in self._rule_pairs(one, other)
        ]

    def all(self) -> Iterator[Change]:
        """Every change, in no order."""
        yield from self._mdcs()
        yield from self._adrgs()
        yield from self._rule_conditions()
        yield from self._rule_order()
        for one, other in self.adrgs.items():
            ours, theirs = self.drgs[0].get(one, []), self.drgs[1].get(other, [])
            if ours and theirs:
                yield from refinement_changes(ours, theirs, self.comparer)

    # MDCs

    def _mdcs(self) -> Iterator[Change]:
        first, second = ({mdc.mdc: mdc for mdc in scheme.mdcs} for scheme in self.schemes)
        for letter in first.keys() - second.keys():
            yield Change("groups", "mdc_removed", _mdc_side(first[letter]), None, (letter,))
        for letter in second.keys() - first.keys():
            yield Change("groups", "mdc_added", None, _mdc_side(second[letter]), (letter,))
        common = [letter for letter in first if letter in second]
        for letter in common:
            one, other = first[letter], second[letter]
            if one.name != other.name:
                sides = _mdc_side(one), _mdc_side(other)
                yield Change("groups", "mdc_renamed", *sides, (letter,))
            found = self.comparer.relation(one.when, other.when)
            if found != "same":
                yield Change("conditions", "mdc_condition", _mdc_side(one, to_text(one.when)),
                             _mdc_side(other, to_text(other.when)), (letter,),
                             relation=found)  # fmt: skip
        then = [letter for letter in second if letter in first]
        for index in out_of_order([then.index(letter) for letter in common], common):
            letter = common[index]
            yield Change("groups", "mdc_moved", _mdc_side(first[letter], _before(common, letter)),
                         _mdc_side(second[letter], _before(then, letter)), (letter,))  # fmt: skip

    # ADRGs

    def _matched_adrgs(self) -> dict[str, str]:
        """ADRGs with their counterparts: by codes that lead into them, by name, by their own code.

        A code is often given to another group in the next version, so it alone decides nothing
        where the codes that lead into the group and its name say otherwise.
        """
        names = tuple(
            {code: rules[0].name for code, rules in one.items() if not rules[0].is_ambiguous}
            for one in self.rules
        )
        bonus: dict[tuple[str, str], float] = {}
        for code in names[0].keys() & names[1].keys():
            bonus[code, code] = 0.25
        by_name = defaultdict(list)
        for other, name in names[1].items():
            by_name[name].append(other)
        for one, name in names[0].items():
            for other in by_name.get(name, ()):
                bonus[one, other] = bonus.get((one, other), 0.0) + 0.5
        for code in names[0].keys() & names[1].keys():
            if not self.entries[0][code] and not self.entries[1][code]:
                bonus[code, code] += 0.5  # nothing but general lists leads there
        found = matched(*self.entries, bonus=bonus)
        ambiguous = (
            {code for code, rules in one.items() if rules[0].is_ambiguous} for one in self.rules
        )
        return found | {code: code for code in set.intersection(*ambiguous)}

    def _families(self) -> list[tuple[list[str], list[str]]]:
        """ADRGs of both schemes that hang together: counterparts, and what stems from them."""
        first, second = self.rules
        known = set(self.adrgs.values())
        edges = set(self.adrgs.items())
        edges |= {(self._origin(0, code), code) for code in second if code not in known}
        edges |= {(code, self._origin(1, code)) for code in first if code not in self.adrgs}
        edges = {(one, other) for one, other in edges if one and other}
        return components(list(first), list(second), edges)

    def _adrgs(self) -> Iterator[Change]:
        first, second = self.rules
        for before, after in self.families:
            yield from self._regrouped(before, after)
        for one, other in self.adrgs.items():
            ours, theirs = first[one][0], second[other][0]
            mdcs = mdcs_of((one, other))
            if ours.name != theirs.name and (one, other) in self.alone:
                sides = self._adrg(0, one), self._adrg(1, other)
                yield Change("groups", "adrg_renamed", *sides, mdcs)
            if ours.kind != theirs.kind:
                yield Change("groups", "adrg_kind", Side((one,), (ours.name,), ours.kind),
                             Side((other,), (theirs.name,), theirs.kind), mdcs)  # fmt: skip

    def _regrouped(self, before: Sequence[str], after: Sequence[str]) -> Iterator[Change]:
        """What became of ADRGs that hang together by where their codes went."""
        if len(before) == len(after) == 1 and before == after:
            return
        rules = self.rules[1][after[0]] if after else self.rules[0][before[0]]
        level = "ambiguous" if rules[0].is_ambiguous else "adrg"
        kind = f"{level}_{regrouping(len(before), len(after))}"
        mdcs = mdcs_of((*before, *after))
        yield Change("groups", kind, self._adrg(0, *before), self._adrg(1, *after), mdcs)

    def _origin(self, number: int, code: str) -> str:
        """The ADRG of scheme `number` into which codes of an ADRG of the other lead; or ""."""
        codes = self.entries[1 - number].get(code)
        if not codes:
            return ""
        best, most = "", 0.0
        # within the MDC only: a list such as that of multiple trauma holds codes of all the others
        for name, theirs in self.entries[number].items():
            common = len(codes & theirs) if name[0] == code[0] else 0
            alike = common / (len(codes) + len(theirs) - common)
            if common >= _ORIGIN * len(codes) and (alike, name) > (most, best):
                best, most = name, alike
        return best

    def _adrg(self, number: int, *codes: str) -> Side | None:
        if not codes:
            return None
        rules, drgs = self.rules[number], self.drgs[number]
        groups = tuple(drg.drg for code in codes for drg in drgs.get(code, ()))
        return Side(codes, tuple(rules[code][0].name for code in codes), groups=groups)

    # rules

    def _rule_pairs(
        self, one: str, other: str
    ) -> Iterator[tuple[AdrgRule | None, AdrgRule | None, Relation]]:
        """The rows of an ADRG with those of its counterpart, None for a row without one.

        First those that say the same are paired, then those that have most in common.
        """
        left, right = [*self.rules[0][one]], [*self.rules[1][other]]
        for rule in list(left):
            twin = next((r for r in right if self._relation(rule, r) == "same"), None)
            if twin is not None:
                left.remove(rule)
                right.remove(twin)
                yield rule, twin, "same"
        while left and right:
            rule, twin = max(
                ((a, b) for a in left for b in right),
                key=lambda pair: (
                    self.comparer.in_common(pair[0].when, pair[1].when),
                    -abs(pair[0].order - pair[1].order),
                    -pair[0].order - pair[1].order,
                ),
            )
            left.remove(rule)
            right.remove(twin)
            yield rule, twin, self._relation(rule, twin)
        yield from ((rule, None, "narrower") for rule in left)
        yield from ((None, rule, "wider") for rule in right)

    def _relation(self, rule: AdrgRule, twin: AdrgRule) -> Relation:
        return self.comparer.relation(rule.when, twin.when)

    def _rule_conditions(self) -> Iterator[Change]:
        for rule, twin, found in self.rule_pairs:
            if found == "same":
                continue
            before, after = _rule_side(rule), _rule_side(twin)
            change = "condition" if rule and twin else "removed" if rule else "added"
            mdcs = mdcs_of(side.codes[0] for side in (before, after) if side)
            yield Change("conditions", f"rule_{change}", before, after, mdcs, relation=found)

    def _rule_order(self) -> Iterator[Change]:
        """ADRGs that are tried at another place in their MDC."""
        found = ((a, b) for a, b, _ in self.rule_pairs if a and b and a.mdc == b.mdc)
        pairs = [(a, b) for a, b in found if (a.adrg, b.adrg) in self.alone]
        for letter in {a.mdc for a, _ in pairs}:
            here = sorted((p for p in pairs if p[0].mdc == letter), key=lambda p: p[0].order)
            then = sorted(here, key=lambda p: p[1].order)
            places = [then.index(pair) for pair in here]
            for index in out_of_order(places, [_either_way(*pair) for pair in here]):
                a, b = here[index]
                before = here[index - 1][0].adrg if index else ""
                place = places[index]
                after = then[place - 1][1].adrg if place else ""
                yield Change("groups", "rule_moved", Side((a.adrg,), (a.name,), before),
                             Side((b.adrg,), (b.name,), after), (letter,))  # fmt: skip


def _by_adrg(rows: Iterable[Rows]) -> dict[str, list[Rows]]:
    found: dict[str, list[Rows]] = {}
    for row in rows:
        found.setdefault(row.adrg, []).append(row)
    return found


def _entries(scheme: Scheme) -> dict[str, frozenset[tuple[str, str]]]:
    """The codes that lead into each ADRG: procedures where its rules ask for any, else diagnoses.

    Lists that MDCs use, or ADRGs of several MDCs (such as all valid procedures), lead nowhere in
    particular.
    """
    mdcs: dict[str, set[str]] = defaultdict(set)
    for rule in scheme.adrgs:
        for name in _wanted(rule.when):
            mdcs[name].add(rule.mdc)
    general = {name for name, letters in mdcs.items() if len(letters) > 1}
    general.update(chain.from_iterable(_wanted(mdc.when) for mdc in scheme.mdcs))
    found: dict[str, frozenset[tuple[str, str]]] = {}
    for adrg, rules in _by_adrg(scheme.adrgs).items():
        if rules[0].is_ambiguous:
            continue
        names = {name for rule in rules for name in _wanted(rule.when)} - general
        parts = [scheme.lists[name] for name in names]
        kind = "px" if any(part.kind == "px" for part in parts) else "dx"
        codes = ((kind, code) for part in parts if part.kind == kind for code in part.codes)
        found[adrg] = frozenset(codes)
    return found


def _wanted(condition: Condition, *, sign: bool = True) -> Iterator[str]:
    """The lists of which a condition wants a code."""
    match condition:
        case Member(list_name=name):
            if sign:
                yield name
        case Compare(terms=terms):
            yield from (term.list_name for term in terms if isinstance(term, Hits) and sign)
        case Not(operand=inner):
            yield from _wanted(inner, sign=not sign)
        case And(operands=operands) | Or(operands=operands):
            for operand in operands:
                yield from _wanted(operand, sign=sign)


def _mdc_side(mdc: Mdc, text: str = "") -> Side:
    return Side((f"MDC{mdc.mdc}",), (mdc.name,), text)


def _before(order: Sequence[str], letter: str) -> str:
    index = order.index(letter)
    return f"MDC{order[index - 1]}" if index else ""


def _either_way(rule: AdrgRule, twin: AdrgRule) -> str:
    """A name for two rules, whichever comes first."""
    return " ".join(sorted(f"{r.adrg} {r.name} {to_text(r.when)}" for r in (rule, twin)))


def _rule_side(rule: AdrgRule | None) -> Side | None:
    return Side((rule.adrg,), (rule.name,), to_text(rule.when)) if rule else None
