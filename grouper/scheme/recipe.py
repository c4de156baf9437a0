"""What a record needs to reach each rule and DRG of a scheme, as plain data.

Made for synthetic discharges and for test generators: they read tuples, strings and integers and
need to know nothing of conditions. A recipe says what is *sufficient for its own rule*; an earlier
rule may still take the record, as in any grouping.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice

from grouper.scheme.condition import And, Condition, Flag, Member, Not, list_uses
from grouper.scheme.conjunction import (
    TRIES,
    Bound,
    Conjunction,
    conjunctions,
    members,
    ranges_of,
)
from grouper.scheme.model import AdrgRule, Drg, Mdc, Scheme

Pool = tuple[str, ...]
#: what a list must not be tested with, for its codes to be free to stand first
_AT_FIRST = {"dx": ("main_dx", "any_dx"), "px": ("main_px", "any_px")}


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
        wanted = conjunctions(And((mdc.when, rule.when, *more)), sign=True)
        dishes: list[Recipe] = []
        for conjunction in islice(wanted, TRIES):
            dish = self._recipe(conjunction, mdc.mdc, rule, drg)
            if dish is not None and dish not in dishes:
                dishes.append(dish)
        step = max(1, -(-len(dishes) // alternatives))
        return [replace(dish, alternative=number) for number, dish in enumerate(dishes[::step])]

    def _recipe(
        self, conjunction: Conjunction, mdc: str, rule: AdrgRule, drg: str
    ) -> Recipe | None:
        bounds = [part for part in conjunction if isinstance(part, Bound)]
        literals = dict.fromkeys(part for part in conjunction if not isinstance(part, Bound))
        if any((not sign, atom) in literals for sign, atom in literals):
            return None
        flags = {atom.name: int(sign) for sign, atom in literals if isinstance(atom, Flag)}
        members_of = [(sign, atom) for sign, atom in literals if isinstance(atom, Member)]
        wanted = [atom for sign, atom in members_of if sign]
        barred = [atom for sign, atom in members_of if not sign]
        for bound in bounds:
            wanted += members(bound)
        numbers = ranges_of(bounds)
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
            mcc=flags.get("mcc", -1),
            cc=flags.get("cc", -1),
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
