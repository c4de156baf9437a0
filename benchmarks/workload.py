"""The load of the benchmarks: constructed records, vectorised, from a seed.

Shape: 6.7 diagnoses and 1.8 procedures a record, 38 % without procedure, 8 % long records (up to 41
codes), 3 % newborns, popularity of codes Pareto-like, 70 % steered into a rule of the scheme.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from grouper.records.batch import MISSING, THOUSANDTHS, CaseBatch, CodeColumn
from grouper.scheme.model import Scheme
from grouper.scheme.recipe import Recipe, recipes

_STEERED = 0.70
_LONG = 0.08
_NEWBORN = 0.03
_WITHOUT_PX = 0.38


def records(scheme: Scheme, n: int, seed: int = 1, shape: str = "mixed") -> CaseBatch:
    """n records for a scheme.

    shape: `mixed`; `medical` without procedures, `surgical` all with them, `newborn`, `long` with
    15 to 40 diagnoses, `unknown` codes only, `repeated` the same record n times.
    """
    rng = np.random.default_rng(seed)
    dx_codes = sorted({c for r in scheme.lists.values() if r.kind == "dx" for c in r.codes})
    px_codes = sorted({c for r in scheme.lists.values() if r.kind == "px" for c in r.codes})
    dx_at = {code: k for k, code in enumerate(dx_codes)}
    px_at = {code: k for k, code in enumerate(px_codes)}
    dx_popular = _popularity(rng, len(dx_codes))
    px_popular = _popularity(rng, len(px_codes))

    n_dx = 1 + rng.poisson(4.0, n)
    long = rng.random(n) < (1 if shape == "long" else _LONG)
    n_dx[long] = rng.integers(15, 41, long.sum())
    n_px = 1 + rng.poisson(1.4, n)
    without = {"medical": 1.0, "surgical": 0.0}.get(shape, _WITHOUT_PX)
    n_px[rng.random(n) < without] = 0
    main_dx = rng.choice(len(dx_codes), n, p=dx_popular)
    main_px = rng.choice(len(px_codes), n, p=px_popular)

    # without numbers of newborns: those come as numbers below
    usable = [r for r in recipes(scheme, alternatives=1) if r.drg]
    recipe = np.where(rng.random(n) < _STEERED, _skewed(rng, len(usable), n), -1)
    order = np.argsort(recipe, kind="stable")
    starts = np.searchsorted(recipe[order], np.arange(len(usable) + 1))
    for k, need in enumerate(usable):
        rows = order[starts[k] : starts[k + 1]]
        _steer(rng, need, rows, (dx_at, px_at), (main_dx, main_px), n_px)
    if shape == "medical":
        n_px[:] = 0

    newborn = rng.random(n) < (1 if shape == "newborn" else _NEWBORN)
    age = rng.integers(1, 95, n).astype(np.int32)
    age[newborn] = 0
    days = np.full(n, MISSING, np.int32)
    days[newborn] = rng.integers(0, 60, newborn.sum())
    weight = np.full(n, MISSING, np.int32)
    weight[newborn] = rng.integers(800, 4200, newborn.sum()) * THOUSANDTHS
    dx = _column(rng, dx_codes, main_dx, n_dx, dx_popular)
    px = _column(rng, px_codes, main_px, n_px, px_popular)
    if shape == "unknown":
        dx, px = (replace(c, texts=[f"?{text}" for text in c.texts]) for c in (dx, px))
    if shape == "repeated":
        dx, px = (CodeColumn.from_lists([c.codes(0)] * n) for c in (dx, px))
    return CaseBatch(
        dx=dx,
        px=px,
        sex=rng.integers(1, 3, n).astype(np.uint8),
        age_years=age,
        age_days=days,
        admission_weight=weight,
        los_days=rng.integers(1, 40, n).astype(np.int32),
        icu_hours=np.full(n, MISSING, np.int32),
        discharge_disposition=np.ones(n, np.uint8),
        reject=np.zeros(n, np.uint16),
    )


def _popularity(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    weights = 1.0 / np.arange(1, n + 1) ** 0.9
    rng.shuffle(weights)
    return weights / weights.sum()


def _skewed(rng: np.random.Generator, kinds: int, n: int) -> NDArray[np.int64]:
    return rng.permutation(kinds)[np.minimum(rng.pareto(0.8, n) * 8, kinds - 1).astype(np.int64)]


def _steer(
    rng: np.random.Generator,
    need: Recipe,
    rows: NDArray[np.int64],
    at: tuple[dict[str, int], dict[str, int]],
    main: tuple[NDArray[np.int64], NDArray[np.int64]],
    n_px: NDArray[np.int64],
) -> None:
    """Give the rows of one recipe a principal diagnosis and a main procedure of its pools."""
    principal = np.array([at[0][code] for code in need.principal if code in at[0]])
    if len(principal):
        main[0][rows] = rng.choice(principal, len(rows))
    pools = [pool for position, pool in need.px if position in ("main", "any")]
    if not need.px:
        return
    n_px[rows] = np.maximum(n_px[rows], 1)
    if pools:
        procedures = np.array([at[1][code] for code in pools[0]])
        main[1][rows] = rng.choice(procedures, len(rows))


def _column(
    rng: np.random.Generator,
    codes: list[str],
    main: NDArray[np.int64],
    counts: NDArray[np.int64],
    popularity: NDArray[np.float64],
) -> CodeColumn:
    offsets = np.zeros(len(counts) + 1, np.int32)
    np.cumsum(counts, out=offsets[1:])
    index = rng.choice(len(codes), offsets[-1], p=popularity).astype(np.int32)
    some = counts > 0
    index[offsets[:-1][some]] = main[some]
    return CodeColumn(codes, index, offsets)
