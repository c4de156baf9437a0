"""Made-up discharges of a scheme, priced about as the demonstration area pays for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

import weights
from grouper.codes.dictionary import CodeKind, CodeTable, load_dictionary
from grouper.money import to_fen
from grouper.policy.load import load_policy
from grouper.records.synthetic import synthesize
from grouper.records.user import UserTable
from grouper.scheme.model import Scheme
from grouper.scheme.recipe import Pool, Recipe, complication_pools, recipes

#: the invented area whose rates the costs of samples lie around
DEMO = "demo"


def sample_table(n: int, seed: int, scheme: Scheme, *, period: str = "2025-06") -> pa.Table:
    """Make n discharges that left in `period` (2025 or 2025-06), in plain columns.

    The same arguments give the same table.
    """
    pools = complication_pools(scheme)
    means = mean_costs(scheme)
    usual = _without_gray(recipes(scheme))
    return synthesize(n, seed, usual, pools, period=period, means=means)


def _without_gray(found: Sequence[Recipe]) -> list[Recipe]:
    """Recipes with the codes in first place that payers accept, as far as they have any.

    Gray codes (灰码) are refused there, so real files seldom have them.
    """
    codes = load_dictionary()
    kept: dict[tuple[CodeKind, int], Pool] = {}

    def accepted(pool: Pool, table: CodeTable) -> Pool:
        # recipes share pools of up to 30,000 codes: each is gone through once, and stays shared
        key = table.kind, id(pool)
        if key not in kept:
            kept[key] = tuple(code for code in pool if not table.is_gray(code)) or pool
        return kept[key]

    return [
        replace(
            recipe,
            principal=accepted(recipe.principal, codes.dx),
            px=tuple((position, accepted(pool, codes.px)) for position, pool in recipe.px),
        )
        for recipe in found
    ]


def mean_costs(scheme: Scheme) -> Mapping[str, int]:
    """DRG -> a plausible mean cost in fen: its weight in the demonstration area times the rate.

    Empty for schemes that area does not pay by; costs are then made up as well.
    """
    terms = load_policy(DEMO).terms[-1]
    if terms.scheme_id != scheme.id:
        return {}
    table = weights.load(terms.weight_table)
    rate = max(terms.base_rate.values.values())
    found = {drg.drg: table.find_weight(drg.drg) for drg in scheme.drgs}
    return {
        drg: to_fen(rate * weight, rounding="half_up")
        for drg, weight in found.items()
        if weight is not None
    }


def as_user_table(table: pa.Table) -> UserTable:
    """An Arrow table as the writer of results takes it."""
    return UserTable(
        names=tuple(table.column_names),
        columns=tuple(table.columns),
        form="arrow",
        rows=table.num_rows,
        fields={name: name for name in table.column_names},
    )
