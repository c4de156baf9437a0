"""What a record needs to reach each rule and DRG of a scheme, as plain data.

Made for synthetic discharges and for test generators: they read tuples, strings and integers and
need to know nothing of conditions. A recipe says what is *sufficient for its own rule*; an earlier
rule may still take the record, as in any grouping.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
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
    list_uses,
)
from grouper.scheme.model import AdrgRule, Drg, Mdc, Scheme

Pool = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recipe:
    """One way to satisfy MDC condition, rule condition and DRG condition together.

    mdc, adrg, drg  where it leads; `drg` is "" for an ambiguous rule (adrg is then e.g. `BQY`)
    rule            `order` of the row in adrg.tsv; alternative: 0, 1 ... of the same rule and DRG
    principal       candidate principal diagnoses: take one; empty only when a scheme names none
    dx              further diagnoses: one (position, pool) for each code needed; position is
                    `other` (after the first) or `any` (the principal may serve when it is in the
                    pool); take one code of each pool, all different
    px              procedures likewise; position is `main`, `other` or `any`; at most one `main`
    no_dx, no_px    (position, codes) that must not occur there; position `other` or `any`
                    for dx; `main`, `other` or `any` for px ("main" = as first procedure)
    numbers         (field, lowest, highest), both inclusive; field is `age`, `age_days`, `weight`,
                    `los`, `icu_hours`, `sex` or `leaving`; `weight` and `icu_hours` count
                    thousandths (of a gram, of an hour), the others whole units
    mcc, cc         1 such a complication must count, 0 none may count, -1 either
    """

    mdc: str
    adrg: str
    drg: str
    rule: int
    alternative: int
    principal: Pool
    dx: tuple[tuple[str, Pool], ...]
    px: tuple[tuple[str, Pool], ...]
    no_dx: tuple[tuple[str, Pool], ...]
    no_px: tuple[tuple[str, Pool], ...]
    numbers: tuple[tuple[str, int, int], ...]
    mcc: int
    cc: int


@dataclass(frozen=True, slots=True)
class ComplicationPools:
    """The MCC and CC codes, sorted, and what keeps them from counting.

    An other diagnosis c counts with principal p unless `table_of[c]` is not empty and equals
    `excluded_table.get(p)`. A code not in `table_of` is no complication.
    """

    mcc_codes: Pool
    cc_codes: Pool
    table_of: Mapping[str, str]
    excluded_table: Mapping[str, str]


#: how many conjunctions of a rule are looked at, of which `alternatives` are kept
_TRIES = 64
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
class _Bound:
    """`term op number`: one side of a comparison, already free of negation."""

    term: Field | Sites | Hits
    op: RelOp
    value: Decimal


_Literal = tuple[bool, Flag | Member] | _Bound
_Conjunction = tuple[_Literal, ...]


def recipes(scheme: Scheme, *, alternatives: int = 4) -> tuple[Recipe, ...]:
    """Recipes for every rule x DRG row and every ambiguous rule, at most `alternatives` of each.

    A DRG that no record can reach (`False`, contradictions) has none. Comparisons of two fields,
    and upper bounds of `sites` and `hits`, are not followed: such a recipe is a guess.
    """
    kitchen = _Kitchen(scheme)
    mdcs = {mdc.mdc: mdc for mdc in scheme.mdcs}
    drgs: dict[str, list[Drg]] = {}
    for drg in scheme.drgs:
        drgs.setdefault(drg.adrg, []).append(drg)
    found: list[Recipe] = []
    for rule in scheme.adrgs:
        if rule.is_ambiguous:
            found += kitchen.cook(mdcs[rule.mdc], rule, "", (), alternatives)
            continue
        earlier: list[Condition] = []
        for drg in drgs.get(rule.adrg, ()):
            exact = (drg.when, *(Not(condition) for condition in earlier))
            cooked = kitchen.cook(mdcs[rule.mdc], rule, drg.drg, exact, alternatives)
            found += cooked or kitchen.cook(
                mdcs[rule.mdc], rule, drg.drg, (drg.when,), alternatives
            )
            earlier.append(drg.when)
    return tuple(found)


def complication_pools(scheme: Scheme) -> ComplicationPools:
    """The complications of a scheme for whoever has to make or avoid an MCC or CC."""
    by_level: dict[str, list[str]] = {"MCC": [], "CC": []}
    for code, complication in sorted(scheme.cc.items()):
        by_level[complication.level].append(code)
    return ComplicationPools(
        mcc_codes=tuple(by_level["MCC"]),
        cc_codes=tuple(by_level["CC"]),
        table_of={code: complication.table for code, complication in scheme.cc.items()},
        excluded_table=scheme.exclusions,
    )


class _Kitchen:
    """Turns conjunctions into recipes; keeps the sets and intersections of a scheme's lists."""

    def __init__(self, scheme: Scheme) -> None:
        self._codes = {name: part.codes for name, part in scheme.lists.items()}
        self._sets = {name: frozenset(codes) for name, codes in self._codes.items()}
        named = {name for m in scheme.mdcs for name, kind in list_uses(m.when) if kind == "dx"}
        named = named or {name for name, part in scheme.lists.items() if part.kind == "dx"}
        self._any_principal = tuple(sorted({c for name in named for c in self._codes[name]}))
        self._pool = cache(self._intersection)

    def cook(
        self,
        mdc: Mdc,
        rule: AdrgRule,
        drg: str,
        more: tuple[Condition, ...],
        alternatives: int,
    ) -> list[Recipe]:
        """The recipes of one rule and DRG, spread over the conjunctions that can be satisfied."""
        wanted = _conjunctions(And((mdc.when, rule.when, *more)), sign=True)
        dishes: list[Recipe] = []
        for conjunction in islice(wanted, _TRIES):
            dish = self._recipe(conjunction, mdc.mdc, rule, drg)
            if dish is not None and dish not in dishes:
                dishes.append(dish)
        step = max(1, -(-len(dishes) // alternatives))
        return [_numbered(dish, number) for number, dish in enumerate(dishes[::step])]

    def _recipe(
        self, conjunction: _Conjunction, mdc: str, rule: AdrgRule, drg: str
    ) -> Recipe | None:
        flags: dict[str, int] = {"mcc": -1, "cc": -1}
        wanted: list[Member] = []
        barred: list[Member] = []
        bounds: list[_Bound] = []
        for literal in conjunction:
            if isinstance(literal, _Bound):
                bounds.append(literal)
                continue
            sign, atom = literal
            if isinstance(atom, Flag):
                if flags[atom.name] == 1 - sign:
                    return None
                flags[atom.name] = int(sign)
            elif atom not in (wanted if sign else barred):
                (wanted if sign else barred).append(atom)
        for bound in bounds:
            wanted += _members(bound)
        numbers = _numbers(bounds)
        dx = self._needs(wanted, barred, "dx")
        px = self._needs(wanted, barred, "px")
        if numbers is None or dx is None or px is None:
            return None
        principal = next((pool for position, pool in dx if position == "main"), None)
        if principal is None:
            barred_lists = frozenset(m.list_name for m in barred if m.codes in _AT_FIRST["dx"])
            principal = self._pool(frozenset(), barred_lists) or self._any_principal
        return Recipe(
            mdc=mdc,
            adrg=rule.adrg,
            drg=drg,
            rule=rule.order,
            alternative=0,
            principal=principal,
            dx=tuple(need for need in dx if need[0] != "main"),
            px=px,
            no_dx=self._barred(barred, "dx"),
            no_px=self._barred(barred, "px"),
            numbers=numbers,
            mcc=flags["mcc"],
            cc=flags["cc"],
        )

    def _needs(
        self, wanted: list[Member], barred: list[Member], kind: str
    ) -> tuple[tuple[str, Pool], ...] | None:
        """One (position, pool) for each code needed; None if a pool is empty."""
        needs: list[tuple[str, Pool]] = []
        mains = frozenset(m.list_name for m in wanted if m.codes == f"main_{kind}")
        first = frozenset(m.list_name for m in barred if m.codes in _AT_FIRST[kind])
        if mains:
            needs.append(("main", self._pool(mains, first)))
        for member in wanted:
            position, _, of = member.codes.partition("_")
            if of != kind or position == "main":
                continue
            shut = frozenset(
                m.list_name for m in barred if m.codes in (f"any_{kind}", f"{position}_{kind}")
            )
            needs.append((position, self._pool(frozenset({member.list_name}), shut)))
        return tuple(needs) if all(pool for _, pool in needs) else None

    def _barred(self, barred: list[Member], kind: str) -> tuple[tuple[str, Pool], ...]:
        parts = ((m.codes.partition("_"), self._codes[m.list_name]) for m in barred)
        return tuple(
            (position, codes)
            for (position, _, of), codes in parts
            if of == kind and (kind, position) != ("dx", "main")
        )

    def _intersection(self, wanted: frozenset[str], barred: frozenset[str]) -> Pool:
        """Codes in all the wanted lists (none: any principal diagnosis) and in no barred one."""
        names = sorted(wanted, key=lambda name: (len(self._codes[name]), name))
        pool = self._codes[names[0]] if names else self._any_principal
        for name in names[1:]:
            pool = tuple(code for code in pool if code in self._sets[name])
        for name in barred:
            pool = tuple(code for code in pool if code not in self._sets[name])
        return pool


_AT_FIRST = {"dx": ("main_dx", "any_dx"), "px": ("main_px", "any_px")}


def _numbered(recipe: Recipe, number: int) -> Recipe:
    from dataclasses import replace

    return replace(recipe, alternative=number)


def _conjunctions(condition: Condition, *, sign: bool) -> Iterator[_Conjunction]:
    """The disjunctive normal form of a condition (or of its negation), lazily."""
    match condition:
        case Constant(value=value):
            if value is sign:
                yield ()
        case Not(operand=inner):
            yield from _conjunctions(inner, sign=not sign)
        case And(operands=operands) | Or(operands=operands):
            if isinstance(condition, And) is not sign:
                for operand in operands:
                    yield from _conjunctions(operand, sign=sign)
                return
            parts = [
                list(islice(_conjunctions(operand, sign=sign), _TRIES)) for operand in operands
            ]
            for choice in product(*parts):
                yield tuple(literal for part in choice for literal in part)
        case Compare():
            yield from _compared(condition, sign=sign)
        case Flag() | Member():
            yield ((sign, condition),)


def _compared(condition: Compare, *, sign: bool) -> Iterator[_Conjunction]:
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
            yield (_Bound(pair.term, op, pair.value),)


def _bound(left: Term, op: RelOp, right: Term) -> _Bound | None:
    if isinstance(right, Number) and not isinstance(left, Number):
        return _Bound(left, op, right.value)
    if isinstance(left, Number) and not isinstance(right, Number):
        return _Bound(right, _FLIP[op], left.value)
    return None


def _members(bound: _Bound) -> list[Member]:
    """The codes that a lower bound of `sites` or `hits` asks for."""
    if isinstance(bound.term, Field) or bound.op in ("<", "<="):
        return []
    count = int(bound.value) + (bound.op == ">" or bound.value != int(bound.value))
    if isinstance(bound.term, Hits):
        return [Member(bound.term.codes, bound.term.list_name)] * count
    return [Member("any_dx", name) for name in bound.term.lists[:count]]


def _numbers(bounds: list[_Bound]) -> tuple[tuple[str, int, int], ...] | None:
    """The inclusive range of every field that is compared; None if one is empty."""
    lows: dict[str, int] = {}
    highs: dict[str, int] = {}
    for bound in bounds:
        if not isinstance(bound.term, Field):
            continue
        name = bound.term.name
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
