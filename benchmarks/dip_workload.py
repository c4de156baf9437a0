"""The load of the DIP benchmarks: cases drawn from a published catalogue, vectorised, from a seed.

Each core row gives sixteen kinds of cases: its own operations in any order, mostly with operations
of other rows of the diagnosis or with any others; popularity of kinds is Pareto-like, one case in
ten has a diagnosis that the catalogue lacks. 5 diagnoses a case; costs scatter around the mean.
"""

from __future__ import annotations

import lzma
import random
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from grouper.engine.dip_reference import DipReference
from grouper.records.batch import MISSING, CaseBatch, CodeColumn
from grouper.records.spellings import Vocabulary
from grouper.run.catalogues import PricedCatalogue, priced
from grouper.scheme.dip_load import load_catalogue
from grouper.scheme.dip_operations import tokens
from grouper.scheme.dip_preset import load_classes, load_layers, load_preset
from grouper.sheet import Grid

_FILE = "catalogue-pingdingshan-2025.tsv.xz"
_PATH = Path(__file__).parents[1] / "tests" / "data" / "dip" / _FILE
_KINDS = 16
_UNKNOWN = 0.1


@cache
def catalogue() -> PricedCatalogue:
    """1,957 groups of a city: five chapters, blank group and defaults."""
    lines = lzma.decompress(_PATH.read_bytes()).decode().splitlines()
    rows = tuple(tuple(line.split("\t")) for line in lines)
    grid = Grid(_FILE, "", rows, tuple(range(1, len(rows) + 1)))
    return priced(load_catalogue([grid], digest=_FILE))


def reference(preset: str) -> DipReference:
    """The catalogue with the rules of a region."""
    read = catalogue()
    return DipReference(
        read.catalogue, load_preset(preset), load_classes(), load_layers(), read.tie_figures
    )


def cases(n: int, seed: int = 1) -> CaseBatch:
    """n cases."""
    rng, draw = np.random.default_rng(seed), random.Random(seed)
    kinds, means = _kinds(draw)
    weights = 1.0 / np.arange(1, len(kinds) + 1) ** 0.9
    rng.shuffle(weights)
    of = rng.choice(len(kinds), n, p=weights / weights.sum())
    dx, px = CodeColumn.from_lists([[k[0]] for k in kinds]), [k[1] for k in kinds]
    missing = np.full(n, MISSING, np.int32)
    return CaseBatch(
        dx=_with_others(rng, dx, of),
        px=_taken(CodeColumn.from_lists(px), of),
        sex=np.ones(n, np.uint8),
        age_years=missing,
        age_days=missing,
        admission_weight=missing,
        los_days=missing,
        icu_hours=missing,
        discharge_disposition=np.ones(n, np.uint8),
        reject=np.zeros(n, np.uint16),
        total_cost_fen=(means[of] * rng.lognormal(0, 0.4, n)).astype(np.int64),
    )


def _kinds(draw: random.Random) -> tuple[list[tuple[str, list[str]]], NDArray[np.float64]]:
    """Principal diagnosis and operations of each kind of case, and its mean cost in fen."""
    read = catalogue()
    core = [(at, row) for at, row in enumerate(read.catalogue.rows) if row.kind == "core"]
    every = sorted({t for _, row in core for t in tokens(row.operations)})
    near: dict[str, list[str]] = {}
    for _, row in core:
        near.setdefault(row.dx_keys[0], []).extend(tokens(row.operations))
    figures = read.tie_figures
    kinds, means = [], []
    for at, row in core:
        key = row.dx_keys[0]
        for _ in range(_KINDS):
            px = [*tokens(row.operations)]
            px += draw.choices(near[key] or every, k=draw.choice((0, 0, 1)))
            px += draw.choices(every, k=draw.choice((0, 0, 0, 1, 2)))
            draw.shuffle(px)
            known = draw.random() >= _UNKNOWN
            dx = key.replace("X", "x") + ("00" if len(key) < 6 else "")
            kinds.append((dx if known else "R99.900", px))
            means.append(float(figures.mean_cost(at) or 5000) * 100)
    return kinds, np.array(means)


def _taken(column: CodeColumn, of: NDArray[np.int64]) -> CodeColumn:
    """The codes of kind `of[i]` for case i."""
    counts = np.diff(column.offsets)[of]
    offsets = np.zeros(len(of) + 1, np.int32)
    np.cumsum(counts, out=offsets[1:])
    within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], counts)
    index = column.index[np.repeat(column.offsets[:-1][of], counts) + within]
    return CodeColumn(Vocabulary(column.texts), index, offsets)


def _with_others(rng: np.random.Generator, first: CodeColumn, of: NDArray[np.int64]) -> CodeColumn:
    counts = 1 + rng.poisson(4.0, len(of))
    offsets = np.zeros(len(of) + 1, np.int32)
    np.cumsum(counts, out=offsets[1:])
    index = rng.integers(0, len(first.texts), offsets[-1]).astype(np.int32)
    index[offsets[:-1]] = first.index[of]
    return CodeColumn(Vocabulary(first.texts), index, offsets)
