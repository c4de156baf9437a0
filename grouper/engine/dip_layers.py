"""Catalogues of the 3.0 form: exclusions, then the layers (先期, 并项, 辅助细分, 基础)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from grouper.engine.dip_ties import Round
from grouper.scheme.dip import Catalogue, CatalogueRow, dx_key, fits, in_range
from grouper.scheme.dip_operations import hits
from grouper.scheme.dip_preset import Layer, Layers

if TYPE_CHECKING:
    from grouper.engine.dip_reference import DipCase


@dataclass(frozen=True, slots=True)
class Chosen:
    """The row of the first layer that takes the case, and its operations after exclusion."""

    row: int | None
    main: str
    others: tuple[str, ...]
    rounds: tuple[Round, ...]


@dataclass(frozen=True, slots=True)
class _Fit:
    """A row that fits: how long its key is (0 = `*`), how many operations it asks for."""

    at: int
    key: int
    asks: int
    related: bool


@dataclass(frozen=True, slots=True)
class _Facts:
    """A case with its operations after exclusion."""

    principal: str
    others_dx: tuple[str, ...]
    main: str
    others: tuple[str, ...]
    age_days: int | None
    weight: Decimal | int | None
    resistant: bool

    @property
    def px(self) -> tuple[str, ...]:
        """All operations left."""
        return (self.main, *self.others) if self.main else self.others


def choose_by_layers(
    catalogue: Catalogue, layers: Layers, principal: str, case: DipCase, px: tuple[str, ...]
) -> Chosen:
    """The row that takes a case, by layers."""
    main, others = allowed(catalogue, layers, principal, px)
    others_dx = tuple(map(dx_key, case.dx[1:]))
    facts = _Facts(
        principal,
        others_dx,
        main,
        others,
        case.age_days,
        case.weight,
        catalogue.is_resistant(principal)
        or any(fits(layers.resistant_other_dx, code) for code in others_dx),
    )
    rounds: list[Round] = []
    for layer in layers.layers:
        found = list(_fitting(catalogue, layers, layer, facts))
        if not found:
            continue
        rounds.append(Round(f"layer_{layer.code}", tuple(one.at for one in found)))
        for step in layer.prefer:
            kept = _PREFER[step](found)
            if len(kept) < len(found):
                dropped = tuple(one.at for one in found if one not in kept)
                rounds.append(Round(step, tuple(one.at for one in kept), dropped))
                found = kept
        return Chosen(found[0].at, main, others, tuple(rounds))
    return Chosen(None, main, others, ())


def allowed(
    catalogue: Catalogue, layers: Layers, principal: str, px: tuple[str, ...]
) -> tuple[str, tuple[str, ...]]:
    """The main operation and the others after exclusion; an excluded code is that code only.

    A code that may not be main stays among the others; the next one becomes main.
    """
    listed = catalogue.excluded_ops
    conservative = [code for code in px if _is_conservative(catalogue, principal, code)]
    if conservative and layers.conservative_scope == "case":
        return "", ()
    left = [code for code in px if code not in conservative]
    main = next(
        (c for c in left if c not in listed or listed[c].problem != "not_main"),
        "",
    )
    return main, tuple(code for code in left if code != main)


def _is_conservative(catalogue: Catalogue, principal: str, code: str) -> bool:
    exclusion = catalogue.excluded_ops.get(code)
    if exclusion is None or exclusion.problem == "not_main":
        return False
    return exclusion.problem == "conservative" or not fits(exclusion.scope, principal)


def _fitting(catalogue: Catalogue, layers: Layers, layer: Layer, facts: _Facts) -> Iterator[_Fit]:
    for at, width in rows_of_layer(catalogue, layer.code, facts.principal):
        row = catalogue.rows[at]
        if not _conditions(row, facts):
            continue
        asks = _operations(row, layers, layer, facts)
        if asks is not None:
            yield _Fit(at, width, asks, bool(row.related))


def rows_of_layer(catalogue: Catalogue, code: str, principal: str) -> Iterator[tuple[int, int]]:
    """The rows of a layer under which a diagnosis falls, and how long the key is (`_Fit.key`)."""
    for key in keys_under(catalogue, principal):
        width = 0 if key == "*" else 1 if "-" in key else len(key)
        for at in catalogue.by_key.get(key, ()):
            if catalogue.rows[at].layer == code:
                yield at, width


def keys_under(catalogue: Catalogue, principal: str) -> Iterator[str]:
    """The keys of rows under which a diagnosis falls: longer ones first, then ranges, then `*`."""
    yield from dict.fromkeys((principal, principal[:5], principal[:3]))
    yield from (key for key in catalogue.ranges if in_range(key, principal))
    yield "*"


def _operations(row: CatalogueRow, layers: Layers, layer: Layer, facts: _Facts) -> int | None:
    """How many operations the row asks for, None where the case does not have them."""
    match = layers.ext_match
    if not row.main:
        return 0 if layer.without == "any" or not facts.main else None
    asked = [
        len(part)
        for part in row.main
        if all(any(hits(token, code, match) for code in facts.px) for token in part)
        and (
            layer.operations == "anywhere" or any(hits(token, facts.main, match) for token in part)
        )
    ]
    if not asked:
        return None
    if layer.related == "ignored" or not row.related:
        return max(asked)
    related = [
        len(part)
        for part in row.related
        if all(any(hits(token, code, match) for code in facts.px) for token in part)
    ]
    return max(asked) + max(related) if related else None


def _conditions(row: CatalogueRow, facts: _Facts) -> bool:
    """Whether what the row asks besides operations holds; what is not known never holds."""
    if row.age_days_below is not None and not (
        facts.age_days is not None and facts.age_days < row.age_days_below
    ):
        return False
    weight = facts.weight
    if row.weight_lo is not None and not (weight is not None and weight >= row.weight_lo):
        return False
    # bands are whole grams: 999.5 g is in that of 999
    if row.weight_hi is not None and not (weight is not None and weight < row.weight_hi + 1):
        return False
    if row.resistant and facts.resistant != (row.resistant == "yes"):
        return False
    return not row.other_dx or any(fits(row.other_dx, code) for code in facts.others_dx)


def _most(value: Callable[[_Fit], int]) -> Callable[[Sequence[_Fit]], list[_Fit]]:
    def step(found: Sequence[_Fit]) -> list[_Fit]:
        best = max(map(value, found))
        return [one for one in found if value(one) == best]

    return step


_PREFER: Mapping[str, Callable[[Sequence[_Fit]], list[_Fit]]] = {
    "longest_key": _most(lambda one: one.key),
    "with_related": _most(lambda one: one.related),
    "most_operations": _most(lambda one: one.asks),
    "first": lambda found: [min(found, key=lambda one: one.at)],
}
