"""Codes of made-up discharges: drawn so that a record reaches the group it was steered into."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from grouper.codes.dictionary import load_dictionary

Ids = NDArray[np.int32]
#: codes a record has at most beside its principal diagnosis or main operation
MAX_CODES = 40
#: how many different codes make up the comorbidities and the examinations
_COMMON = 600
#: share of records in which one code is wrong
_WRONG = 0.004
#: share of records whose principal diagnosis is any code at all
_WILD = 0.08
#: tries at a complication that the principal diagnosis does not exclude
_TRIES = 6


class RecipeLike(Protocol):
    """What is needed to reach one group: the fields of a scheme's recipe that are used here."""

    @property
    def mdc(self) -> str:
        """The MDC it leads to."""

    @property
    def adrg(self) -> str:
        """The ADRG it leads to."""

    @property
    def drg(self) -> str:
        """The DRG it leads to, "" for an ambiguous rule."""

    @property
    def principal(self) -> tuple[str, ...]:
        """Candidate principal diagnoses."""

    @property
    def dx(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """(position, pool) of each further diagnosis needed."""

    @property
    def px(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """(position, pool) of each procedure needed; position `main` comes first."""

    @property
    def no_dx(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """(position, codes) that must not occur."""

    @property
    def no_px(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """(position, codes) that must not occur."""

    @property
    def numbers(self) -> tuple[tuple[str, int, int], ...]:
        """(field, lowest, highest), both inclusive; weight and icu_hours in thousandths."""

    @property
    def mcc(self) -> int:
        """1 an MCC must count, 0 none may, -1 either."""

    @property
    def cc(self) -> int:
        """1 a CC must count, 0 none may, -1 either."""


class ComplicationsLike(Protocol):
    """The complications of a scheme and what keeps them from counting."""

    @property
    def mcc_codes(self) -> tuple[str, ...]:
        """All MCC."""

    @property
    def cc_codes(self) -> tuple[str, ...]:
        """All CC."""

    @property
    def table_of(self) -> Mapping[str, str]:
        """Exclusion table of each complication."""

    @property
    def excluded_table(self) -> Mapping[str, str]:
        """Exclusion table of each principal diagnosis."""


@dataclass(frozen=True)
class Lists:
    """Codes of m records: `codes[k]` stands in row `rows[k]`, in order within a row."""

    codes: Ids
    rows: NDArray[np.int64]


@dataclass
class Kitchen:
    """Pools of codes as ids, and what goes on top of what a recipe asks for."""

    recipes: Sequence[RecipeLike]
    complications: ComplicationsLike
    seed: int
    names: list[str] = field(default_factory=list)
    _ids: dict[str, int] = field(default_factory=dict)
    _pools: dict[int, tuple[tuple[str, ...], Ids]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        tables = self.complications
        self.anything = self.pool(load_dictionary().dx.codes)
        self.mcc = self.pool(tables.mcc_codes)
        self.cc = self.pool(tables.cc_codes)
        rng = np.random.Generator(np.random.PCG64([self.seed, 2]))
        self.comorbidities = rng.permutation(self._quiet_dx())[:_COMMON]
        self.examinations = rng.permutation(self._quiet_px())[:_COMMON]
        for recipe in self.recipes:
            self.pool(recipe.principal)
            for _, codes in (*recipe.dx, *recipe.px, *recipe.no_dx, *recipe.no_px):
                self.pool(codes)
        numbers = {"": 0}
        self.table = np.zeros(len(self.names), np.int32)
        self.excluded = np.zeros(len(self.names), np.int32)
        for array, tables_of in (
            (self.table, tables.table_of),
            (self.excluded, tables.excluded_table),
        ):
            for code, table in tables_of.items():
                if code in self._ids:
                    array[self._ids[code]] = numbers.setdefault(table, len(numbers))

    def pool(self, codes: tuple[str, ...]) -> Ids:
        """Codes as ids; the same tuple is translated once."""
        # hashing tuples of 30,000 codes again and again is slow, so identity serves; the tuple is
        # kept, or its identity could pass to another one
        key = id(codes)
        if key not in self._pools:
            self._pools[key] = codes, np.array([self._number(code) for code in codes], np.int32)
        return self._pools[key][1]

    def _number(self, code: str) -> int:
        if code not in self._ids:
            self._ids[code] = len(self.names)
            self.names.append(code)
        return self._ids[code]

    def wrong(self, code: int) -> int:
        """The id of a misspelling of a code."""
        return self._number(f"{self.names[code].rstrip('*')}x9")

    def _quiet_dx(self) -> Ids:
        """Comorbidities of either sex and any age that no rule asks for, no complications."""
        loud = set(self.complications.table_of)
        calm: dict[str, None] = {}
        for recipe in self.recipes:
            for _, codes in recipe.dx:
                loud.update(codes)
        for recipe in self.recipes:
            # a rule that takes nearly every principal diagnosis says nothing about them
            if len(recipe.principal) < len(self.anything) // 4 and _is_for_some(recipe):
                loud.update(recipe.principal)
            calm.update(dict.fromkeys(recipe.principal))
        return self.pool(tuple(code for code in sorted(calm) if code not in loud))

    def _quiet_px(self) -> Ids:
        """Procedures that no rule asks for, such as imaging."""
        loud = {code for recipe in self.recipes for _, codes in recipe.px for code in codes}
        loud |= {code for recipe in self.recipes for _, codes in recipe.no_px for code in codes}
        known = load_dictionary().px
        # an examination may be a record's only procedure; gray codes are refused in first place
        return self.pool(
            tuple(code for code in known.codes if code not in loud and not known.is_gray(code))
        )


def _is_for_some(recipe: RecipeLike) -> bool:
    """Whether a recipe is for one sex or for infants: its codes do not fit everybody."""
    return any(name == "sex" or (name == "age" and high < 18) for name, _, high in recipe.numbers)


def skewed(rng: np.random.Generator, pool: Ids, size: int, *, power: float = 3.0) -> Ids:
    """Codes of a pool, the first ones far more often than the last: few codes make most cases."""
    drawn: Ids = pool[(len(pool) * rng.random(size) ** power).astype(np.int64)]
    return drawn


def diagnoses(rng: np.random.Generator, kitchen: Kitchen, chosen: NDArray[np.int64]) -> Lists:
    """Diagnoses of each record, the principal one first; `chosen` is its recipe."""
    n = len(chosen)
    principal = np.empty(n, np.int32)
    parts: list[tuple[NDArray[np.int64], Ids]] = []
    barred: list[tuple[NDArray[np.int64], Ids]] = []
    wants = np.array([[r.mcc, r.cc] for r in kitchen.recipes], np.int8)[chosen]
    for number, rows in _by_recipe(chosen):
        recipe = kitchen.recipes[number]
        principal[rows] = skewed(rng, kitchen.pool(recipe.principal), len(rows))
        for _, codes in recipe.dx:
            parts.append((rows, _other_than(rng, kitchen.pool(codes), principal[rows])))
        barred += [(rows, kitchen.pool(codes)) for _, codes in recipe.no_dx]
    wild = np.flatnonzero(rng.random(n) < _WILD)
    principal[wild] = skewed(rng, kitchen.anything, len(wild), power=1.0)
    parts += _complications(rng, kitchen, principal, wants)
    parts.append(_comorbidities(rng, kitchen, n, barred))
    return _merged(rng, kitchen, principal, np.arange(n), parts)


def procedures(rng: np.random.Generator, kitchen: Kitchen, chosen: NDArray[np.int64]) -> Lists:
    """Procedures of each record, the main one first; none where the recipe asks for none."""
    n = len(chosen)
    mains: list[tuple[NDArray[np.int64], Ids]] = []
    others: list[tuple[NDArray[np.int64], Ids]] = []
    for number, rows in _by_recipe(chosen):
        ordered = sorted(kitchen.recipes[number].px, key=lambda need: need[0] != "main")
        for place, (_, codes) in enumerate(ordered):
            drawn = skewed(rng, kitchen.pool(codes), len(rows))
            (others if place else mains).append((rows, drawn))
    extra = np.flatnonzero(rng.random(n) < 0.45)
    if len(kitchen.examinations) and len(extra):
        rows = np.repeat(extra, rng.geometric(0.5, len(extra)).clip(1, 8))
        others.append((rows, skewed(rng, kitchen.examinations, len(rows), power=2.0)))
    empty = np.zeros(0, np.int64), np.zeros(0, np.int32)
    rows = np.concatenate([rows for rows, _ in mains] or [empty[0]])
    first = np.concatenate([codes for _, codes in mains] or [empty[1]])
    return _merged(rng, kitchen, first, rows, others)


def _by_recipe(chosen: NDArray[np.int64]) -> Iterable[tuple[int, NDArray[np.int64]]]:
    """Each recipe in use and the rows steered by it."""
    order = np.argsort(chosen, kind="stable")
    numbers, starts = np.unique(chosen[order], return_index=True)
    return zip(numbers.tolist(), np.split(order, starts[1:]), strict=True)


def _other_than(rng: np.random.Generator, pool: Ids, taken: Ids) -> Ids:
    """A code of the pool for each row, another one than is taken already if there is one."""
    drawn = skewed(rng, pool, len(taken))
    same = np.flatnonzero(drawn == taken)
    if len(pool) > 1:
        drawn[same] = skewed(rng, pool, len(same), power=1.0)
    return drawn


def _complications(
    rng: np.random.Generator, kitchen: Kitchen, principal: Ids, wants: NDArray[np.int8]
) -> list[tuple[NDArray[np.int64], Ids]]:
    """An MCC or CC that counts where one must, and now and then where one may."""
    found = []
    either = rng.random(len(principal))
    needed = {
        "mcc": (wants[:, 0] == 1) | ((wants[:, 0] < 0) & (wants[:, 1] < 0) & (either < 0.08)),
        "cc": (wants[:, 0] != 1) & (wants[:, 1] == 1) | ((wants[:, 1] < 0) & (either > 0.8)),
    }
    for kind, pool in (("mcc", kitchen.mcc), ("cc", kitchen.cc)):
        rows = np.flatnonzero(needed[kind])
        if not len(pool) or not len(rows):
            continue
        drawn = skewed(rng, pool, len(rows))
        for _ in range(_TRIES):
            table = kitchen.table[drawn]
            void = (table > 0) & (table == kitchen.excluded[principal[rows]])
            void |= drawn == principal[rows]
            drawn[void] = skewed(rng, pool, int(void.sum()), power=1.0)
        found.append((rows, drawn))
    return found


def _comorbidities(
    rng: np.random.Generator,
    kitchen: Kitchen,
    n: int,
    barred: list[tuple[NDArray[np.int64], Ids]],
) -> tuple[NDArray[np.int64], Ids]:
    """Further diagnoses that decide nothing: five or so, in one record of thirteen many more."""
    counts = rng.poisson(rng.gamma(2.2, 2.0, n))
    long = rng.random(n) < 0.08
    counts[long] += rng.integers(6, 34, int(long.sum()))
    rows = np.repeat(np.arange(n), counts.clip(0, MAX_CODES - 4))
    if not len(kitchen.comorbidities):
        return np.zeros(0, np.int64), np.zeros(0, np.int32)
    codes = skewed(rng, kitchen.comorbidities, len(rows), power=2.0)
    keep = np.ones(len(rows), bool)
    for these, pool in barred:
        marked = np.zeros(n, bool)
        marked[these] = True
        at = np.flatnonzero(marked[rows])
        keep[at[np.isin(codes[at], pool)]] = False
    return rows[keep], codes[keep]


def _merged(
    rng: np.random.Generator,
    kitchen: Kitchen,
    first: Ids,
    first_rows: NDArray[np.int64],
    parts: list[tuple[NDArray[np.int64], Ids]],
) -> Lists:
    """First codes and all further ones, row by row, without repetitions, a few of them wrong."""
    rows = np.concatenate([first_rows, *(rows for rows, _ in parts)])
    codes = np.concatenate([first, *(codes for _, codes in parts)])
    order = np.argsort(rows, kind="stable")
    rows, codes = rows[order], codes[order]
    keys = rows * (len(kitchen.names) + 1) + codes
    keep = np.zeros(len(rows), bool)
    keep[np.unique(keys, return_index=True)[1]] = True
    rows, codes = rows[keep], codes[keep].copy()
    wrong = np.flatnonzero(rng.random(len(codes)) < _WRONG / 4)
    later = wrong[(wrong > 0) & (rows[wrong] == rows[wrong - 1])]
    for at in later.tolist():
        codes[at] = kitchen.wrong(int(codes[at]))
    return Lists(codes, rows)
