"""Histories for `dip build`: discharges drawn from a known catalogue, by a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from grouper.codes.dictionary import load_dictionary
from grouper.scheme.dip import Catalogue, CatalogueRow, dx_key
from grouper.scheme.dip_operations import operation


@dataclass(frozen=True)
class Drawn:
    """Discharges, and the row of the catalogue that each was drawn from.

    mean_fen, cv: of the law that the costs of each row follow (lognormal).
    """

    table: pa.Table
    rows: tuple[CatalogueRow, ...]
    row: NDArray[np.int64]
    mean_fen: NDArray[np.float64]
    cv: NDArray[np.float64]


def draw(
    catalogue: Catalogue,
    n: int,
    seed: int,
    *,
    years: Sequence[int] = (2024,),
    cv: float = 0.5,
    rows: Sequence[CatalogueRow] | None = None,
) -> Drawn:
    """n discharges of core rows, popular ones much more often, each with exactly its operations.

    The diagnosis is any code of the dictionary that begins with the row's key; the main operation
    stands first, the others in any order.
    """
    rng = np.random.default_rng(seed)
    kept = tuple(rows) if rows is not None else core_rows(catalogue)
    share = rng.pareto(0.9, len(kept)) + 0.002
    at = rng.choice(len(kept), n, p=share / share.sum())
    means = rng.lognormal(13.2, 0.7, len(kept)).round() + 20_000
    sigma = np.sqrt(np.log1p(cv * cv))
    fen = np.exp(np.log(means)[at] - sigma**2 / 2 + sigma * rng.standard_normal(n))
    fen = np.maximum(np.rint(fen), 1).astype(np.int64)
    dx, px = _spellings(kept, rng)
    table = pa.table(
        {
            "id": pa.array(np.arange(1, n + 1)).cast(pa.string()),
            "dx": _taken(dx, at, rng),
            "px": _taken(px, at, rng),
            "total_cost": _yuan(fen),
            "discharge_time": _days(years, n, rng),
        }
    )
    return Drawn(table, kept, at, means, np.full(len(kept), cv))


def core_rows(catalogue: Catalogue) -> tuple[CatalogueRow, ...]:
    """The core rows of one diagnosis of five characters and codes that the dictionary has."""
    dictionary = load_dictionary()
    known = {operation(code) for code in dictionary.px.codes}
    starts = {dx_key(code)[:5] for code in dictionary.dx.codes}
    return tuple(
        row
        for row in catalogue.rows
        if row.kind == "core"
        and len(row.dx_keys) == 1
        and row.dx_keys[0] in starts
        and len(row.dx_keys[0]) == 5
        and len(row.operations) <= 1
        and all(code in known for part in row.operations for code in part)
    )


def _spellings(
    rows: Sequence[CatalogueRow], rng: np.random.Generator
) -> tuple[list[list[str]], list[list[str]]]:
    """Some ways to write the diagnosis and the operations of each row."""
    dictionary = load_dictionary()
    by_start: dict[str, list[str]] = {}
    for code in dictionary.dx.codes:
        # a dagger needs its asterisk; the cleaning of lone ones is not the matter here
        if "+" not in code and "*" not in code:
            by_start.setdefault(dx_key(code)[:5], []).append(code)
    printed = {operation(code): code for code in dictionary.px.codes}
    dx, px = [], []
    for row in rows:
        key = row.dx_keys[0]
        dx.append(by_start.get(key) or [f"{key}00".replace("X", "x")])
        main = [printed[code] for part in row.main for code in part]
        related = [printed[code] for part in row.related for code in part]
        ways = {"|".join([*main, *rng.permutation(related)]) for _ in range(3)}
        px.append(sorted(ways))
    return dx, px


def _taken(
    ways: Sequence[Sequence[str]], at: NDArray[np.int64], rng: np.random.Generator
) -> pa.DictionaryArray:
    """One of the ways of each row, at random."""
    flat = sorted({text for texts in ways for text in texts})
    number = {text: k for k, text in enumerate(flat)}
    many = np.array([len(texts) for texts in ways])
    start = np.cumsum(many) - many
    places = np.array([number[text] for texts in ways for text in texts], np.int32)
    chosen = start[at] + rng.integers(0, many[at])
    return pa.DictionaryArray.from_arrays(pa.array(places[chosen]), pa.array(flat))


def _yuan(fen: NDArray[np.int64]) -> pa.Array:
    """Whole fen as decimals of yuan, without a float."""
    words = np.zeros((len(fen), 2), np.int64)
    words[:, 0] = fen
    return pa.Array.from_buffers(pa.decimal128(18, 2), len(fen), [None, pa.py_buffer(words)])


def _days(years: Sequence[int], n: int, rng: np.random.Generator) -> pa.Array:
    start = np.array([np.datetime64(f"{year}-01-01", "D") for year in years])
    days = start[rng.integers(0, len(years), n)] + rng.integers(0, 365, n)
    return pa.array(days)
