"""Made-up discharges for tests, demonstrations and benchmarks: from a seed, never from patients.

Most are steered into a group by a recipe of the scheme; ages, stays, code counts and costs follow
plausible distributions (constructed, from no hospital). Columns are those of the plain layout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from grouper.datafile import data_folder, read_tsv
from grouper.records import synthetic_bill
from grouper.records.synthetic_codes import (
    ComplicationsLike,
    Kitchen,
    Lists,
    RecipeLike,
    diagnoses,
    procedures,
)

#: rows made at a time; each piece has its own random stream, so pieces do not depend on n
_PIECE = 50_000
#: share of records steered into an ambiguous rule, of newborns, and of records left to chance
_AMBIGUOUS, _NEWBORN, _STRAY = 0.015, 0.03, 0.03
_LARGE = 2**31 - 1
_Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Hospital:
    """Where made-up discharges come from; share weighs how many."""

    code: str
    name: str
    level: str
    share: float


@dataclass(frozen=True)
class _Menu:
    """Recipes with how often each is taken, and what its cases are like."""

    kitchen: Kitchen
    share: NDArray[np.float64]
    mean_fen: _Ints
    mean_los: NDArray[np.float64]
    departments: tuple[str, ...]
    bounds: Mapping[str, tuple[_Ints, _Ints]]


def demo_hospitals() -> tuple[Hospital, ...]:
    """The hospitals of the invented demonstration area, large ones with more cases."""
    table = read_tsv(data_folder("areas", "demo", "hospitals.tsv"))
    rows = zip(table.column("code"), table.column("name"), table.column("level"), strict=True)
    weight = {"三级": 5.0, "二级": 2.0}
    return tuple(Hospital(code, name, level, weight.get(level, 0.6)) for code, name, level in rows)


def synthesize(
    n: int,
    seed: int,
    recipes: Sequence[RecipeLike],
    complications: ComplicationsLike,
    *,
    period: str = "2025-06",
    hospitals: Sequence[Hospital] | None = None,
    area: str = "990000",
    means: Mapping[str, int] | None = None,
    first: int = 1,
) -> pa.Table:
    """Make n discharges as a table with the columns of the plain layout.

    period: `2025` or `2025-06`, when they leave; means: DRG -> mean cost in fen, made up where it
    is silent; first: number of the first id. The same arguments give the same table.
    """
    menu = _menu(recipes, complications, seed, means or {})
    places = tuple(hospitals) if hospitals is not None else demo_hospitals()
    streams = np.random.SeedSequence(seed).spawn(-(-n // _PIECE) + 1)
    pieces = []
    for number, start in enumerate(range(0, n, _PIECE)):
        rng = np.random.Generator(np.random.PCG64(streams[number]))
        size = min(_PIECE, n - start)
        pieces.append(_piece(rng, size, menu, places, period, area, first + start))
    if not pieces:
        rng = np.random.Generator(np.random.PCG64(streams[0]))
        return _piece(rng, 1, menu, places, period, area, first).slice(0, 0)
    return pa.concat_tables(pieces).combine_chunks()


def _menu(
    recipes: Sequence[RecipeLike],
    complications: ComplicationsLike,
    seed: int,
    means: Mapping[str, int],
) -> _Menu:
    rng = np.random.Generator(np.random.PCG64([seed, 1]))
    letters = [recipe.adrg[:1] for recipe in recipes]
    table = read_tsv(data_folder("synthetic", "departments.tsv"))
    department = dict(zip(table.column("mdc"), table.column("department"), strict=True))
    stay = dict(zip(table.column("mdc"), map(float, table.column("los_days")), strict=True))
    bounds = {
        name: _bounds(recipes, name)
        for name in ("sex", "age", "age_days", "weight", "los", "leaving", "icu_hours")
    }
    groups: dict[str, float] = {}
    adrg_cost: dict[str, float] = {}
    mean_fen = np.empty(len(recipes), np.int64)
    for at, recipe in enumerate(recipes):
        groups.setdefault(recipe.drg or recipe.adrg, float(rng.pareto(1.1)) + 0.02)
        base = adrg_cost.setdefault(recipe.adrg, float(rng.lognormal(0, 0.55)))
        factor = (2.6 if recipe.px else 1.0) * {1: 1.7}.get(recipe.mcc, 1.0)
        made_up = 620_000 * base * factor * (1.25 if recipe.cc == 1 and recipe.mcc < 1 else 1.0)
        mean_fen[at] = means.get(recipe.drg, int(made_up))
    share = _shares(recipes, bounds["age"][1], groups)
    mean_los = np.array([stay.get(letter, 8.0) for letter in letters])
    names = tuple(department.get(letter, "普通内科") for letter in letters)
    return _Menu(Kitchen(recipes, complications, seed), share, mean_fen, mean_los, names, bounds)


def _bounds(recipes: Sequence[RecipeLike], name: str) -> tuple[_Ints, _Ints]:
    low = np.full(len(recipes), -1, np.int64)
    high = np.full(len(recipes), _LARGE, np.int64)
    for at, recipe in enumerate(recipes):
        for key, lowest, highest in recipe.numbers:
            if key == name:
                low[at], high[at] = max(low[at], lowest), min(high[at], highest)
    return low, high


def _shares(
    recipes: Sequence[RecipeLike], oldest: _Ints, groups: Mapping[str, float]
) -> NDArray[np.float64]:
    """How often each recipe is taken: Pareto-like over groups, fixed for newborns and ambiguity."""
    counts: dict[str, int] = {}
    for recipe in recipes:
        key = recipe.drg or recipe.adrg
        counts[key] = counts.get(key, 0) + 1
    share: NDArray[np.float64] = np.array(
        [
            groups[recipe.drg or recipe.adrg] / counts[recipe.drg or recipe.adrg]
            for recipe in recipes
        ]
    )
    ambiguous = np.array([not recipe.drg for recipe in recipes])
    newborn = ~ambiguous & (oldest == 0)
    plain = ~ambiguous & ~newborn
    parts = ((ambiguous, _AMBIGUOUS), (newborn, _NEWBORN), (plain, 1 - _AMBIGUOUS - _NEWBORN))
    for mask, part in parts:
        if mask.any():
            share[mask] *= part / share[mask].sum()
    share /= share.sum()
    return share


def _piece(
    rng: np.random.Generator,
    n: int,
    menu: _Menu,
    hospitals: Sequence[Hospital],
    period: str,
    area: str,
    first: int,
) -> pa.Table:
    chosen = rng.choice(len(menu.share), n, p=menu.share)
    dx = diagnoses(rng, menu.kitchen, chosen)
    px = procedures(rng, menu.kitchen, _strayed(rng, chosen, len(menu.share)))
    numbers = _numbers(rng, menu, chosen)
    shares = np.array([hospital.share for hospital in hospitals])
    place = rng.choice(len(hospitals), n, p=shares / shares.sum())
    level = [hospitals[k].level for k in place.tolist()]
    insurance = np.where(rng.random(n) < 0.42, "310", "390").tolist()
    factor = np.array(
        [{"三级": 1.1, "一级": 0.8}.get(hospital.level, 0.95) for hospital in hospitals]
    )
    stay = 0.7 + 0.3 * numbers["los"] / menu.mean_los[chosen]
    total = synthetic_bill.costs(rng, menu.mean_fen[chosen], factor[place] * stay)
    bill = synthetic_bill.bills(rng, total, insurance, level)
    left = _days(rng, period, n)
    columns = {
        "id": pa.array([f"S{number:08d}" for number in range(first, first + n)]),
        "hospital": _named([hospital.code for hospital in hospitals], place),
        "hospital_name": _named([hospital.name for hospital in hospitals], place),
        "hospital_level": pa.array(level),
        "area": pa.array([area] * n),
        "insurance": pa.array(insurance),
        **{name: _nullable(numbers[name]) for name in ("sex", "age", "age_days", "weight")},
        **{name: _nullable(numbers[name]) for name in ("los", "leaving", "icu_hours")},
        "dept": _named(menu.departments, chosen),
        "admit_time": _dates(left - np.where(numbers["los"] > 1, numbers["los"], 0)),
        "discharge_time": _dates(left),
        "dx": _lists(menu.kitchen, dx, n),
        "px": _lists(menu.kitchen, px, n),
        **{name: _yuan(fen) for name, fen in bill.columns.items()},
    }
    return pa.table(columns)


def _strayed(rng: np.random.Generator, chosen: _Ints, recipes: int) -> _Ints:
    """Recipes for the procedures: a few records get those of another one, and go astray."""
    stray = rng.random(len(chosen)) < _STRAY
    return np.where(stray, rng.integers(0, recipes, len(chosen)), chosen)


def _numbers(rng: np.random.Generator, menu: _Menu, chosen: _Ints) -> dict[str, _Ints]:
    """Sex, age, weight, stay and the like, inside what each recipe asks for; -1 = missing."""
    n = len(chosen)
    bounds = {name: (low[chosen], high[chosen]) for name, (low, high) in menu.bounds.items()}
    sex = _inside(rng, rng.integers(1, 3, n), bounds["sex"], 1, 2)
    age = _inside(rng, _ages(rng, n), bounds["age"], 0, 100)
    infant = age == 0
    newborn = infant & (bounds["age"][1] == 0)
    days = np.where(newborn, rng.integers(0, 12, n), rng.integers(29, 365, n))
    days = np.where(infant, _inside(rng, days, bounds["age_days"], 0, 364), -1)
    grams = _inside(
        rng, rng.normal(3250, 480, n).astype(np.int64), _grams(bounds["weight"]), 500, 6000
    )
    weight = np.where(infant & (days <= 28), grams, -1)
    stay = np.maximum(rng.lognormal(-0.15, 0.55, n) * menu.mean_los[chosen], 1).astype(np.int64)
    los = _inside(rng, stay, bounds["los"], 1, 120)
    ways = rng.choice([1, 2, 3, 4, 5, 9], n, p=[0.925, 0.02, 0.005, 0.035, 0.01, 0.005])
    asked = bounds["icu_hours"][0] > 0
    hours = np.where(rng.random(n) < 0.03, rng.integers(2, 200, n), -1)
    hours = np.where(asked, _inside(rng, hours, _hours(bounds["icu_hours"]), 1, 600), hours)
    return {
        "sex": sex,
        "age": age,
        "age_days": days,
        "weight": weight,
        "los": los,
        "leaving": _inside(rng, ways, bounds["leaving"], 1, 9),
        "icu_hours": hours,
    }


def _ages(rng: np.random.Generator, n: int) -> _Ints:
    """Ages of inpatients: children, adults in two humps, few infants."""
    hump = rng.choice(4, n, p=[0.09, 0.22, 0.29, 0.40])
    centre, spread = np.array([6, 32, 54, 70])[hump], np.array([4, 7, 8, 9])[hump]
    drawn = np.abs(rng.normal(centre, spread, n)).astype(np.int64)
    return np.where((drawn == 0) & (rng.random(n) < 0.7), 1, drawn).clip(0, 99)


def _inside(
    rng: np.random.Generator,
    drawn: _Ints,
    bounds: tuple[_Ints, _Ints],
    lowest: int,
    highest: int,
) -> _Ints:
    """The drawn numbers, drawn anew and evenly where a recipe's bounds leave them out."""
    low = np.clip(bounds[0], lowest, highest)
    high = np.clip(bounds[1], low, highest)
    # bounds that lie wholly above the usual range are kept as they are
    low = np.where(bounds[0] > highest, bounds[0], low)
    high = np.maximum(high, low)
    even = low + (rng.random(len(drawn)) * (high - low + 1)).astype(np.int64)
    return np.where((drawn < low) | (drawn > high), even, drawn)


def _grams(bounds: tuple[_Ints, _Ints]) -> tuple[_Ints, _Ints]:
    """Bounds in thousandths of a gram as whole grams inside them."""
    return -(-bounds[0] // 1000), bounds[1] // 1000


def _hours(bounds: tuple[_Ints, _Ints]) -> tuple[_Ints, _Ints]:
    return -(-bounds[0] // 1000), bounds[1] // 1000


def _days(rng: np.random.Generator, period: str, n: int) -> _Ints:
    """Days of discharge within a month (`2025-06`) or a year (`2025`), since 1970."""
    year, _, month = period.partition("-")
    start = date(int(year), int(month or 1), 1)
    if month:
        stop = date(int(year) + int(month) // 12, int(month) % 12 + 1, 1)
    else:
        stop = date(int(year) + 1, 1, 1)
    origin = date(1970, 1, 1).toordinal()
    return rng.integers(start.toordinal() - origin, stop.toordinal() - origin, n)


def _named(names: Sequence[str], index: _Ints) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(index.astype(np.int32)), pa.array(names)).cast(
        pa.string()
    )


def _nullable(numbers: _Ints) -> pa.Array:
    return pa.array(numbers.astype(np.int32), mask=numbers < 0)


def _dates(days: _Ints) -> pa.Array:
    return pa.array(days.astype(np.int32)).cast(pa.date32())


def _yuan(fen: _Ints) -> pa.Array:
    """Fen as decimal yuan: the digits are the same, only the scale is said."""
    pairs = np.zeros((len(fen), 2), np.int64)
    pairs[:, 0] = fen
    buffer = pa.py_buffer(pairs.tobytes())
    return pa.Array.from_buffers(pa.decimal128(18, 2), len(fen), [None, buffer])


def _lists(kitchen: Kitchen, lists: Lists, n: int) -> pa.Array:
    offsets = np.zeros(n + 1, np.int32)
    np.cumsum(np.bincount(lists.rows, minlength=n), out=offsets[1:])
    codes = pa.DictionaryArray.from_arrays(pa.array(lists.codes), pa.array(kitchen.names))
    return pa.ListArray.from_arrays(pa.array(offsets), codes.cast(pa.string()))
