"""Rows and rules of a catalogue as arrays, laid out once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grouper.engine.dip_reference import DipReference
from grouper.records.batch import MISSING, THOUSANDTHS
from grouper.scheme.dip import CatalogueRow
from grouper.scheme.dip_preset import STEPS

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

#: why a case ended as it did; the kernel knows them by position. STEPS follow
REASONS = (
    "",
    "dx_missing",
    "dx_excluded",
    "dx_not_in_catalogue",
    "op_not_in_catalogue",
    "no_conservative_row",
    "conservative",
    "comprehensive",
    "layer",
    "blank",
    "letter",
    "default",
    "only_candidate",
    "by_class",
    "unmatched_surgery",
    *STEPS,
)
#: a number that the kernel cannot hold: it hands such a case to the twin
HAND = 2**63 - 1
#: sets of other diagnoses, or scopes of operations, that fit in a word
BITS = 63
_LARGEST = 2**62
#: decimals of mean costs beyond those of money
_MOST_DECIMALS = 12
_STEP_NUMBERS = {
    step: number for number, step in enumerate((*STEPS, "longest_key", "with_related"))
}


@dataclass(frozen=True, slots=True)
class Layout:
    """Rows and rules, R rows.

    row_parts     (R, 3): alternatives of main operations [0, 1) and of related ones [1, 2)
    part_start    where the tokens of an alternative begin; part_tokens: the tokens
    related       how many operations the first related alternative has; has_related: any
    is_primary    a row of kind primary
    mean          mean cost in 1/scale fen, -HAND for none, HAND for one that does not fit;
                  most_cost (fen): a cost times scale still fits; score, code: ranks
    age_below, weight_low, weight_below  conditions, MISSING for none (weights in thousandths)
    resistant     1 yes, 2 no, 0 either; other_dx: bit of its set, -1 none, -2 too many sets
    steps         the rule for ties; layers (L, 3): main must take part, without any, related asked;
    prefer (L, S) steps of layers, -1 behind the last
    fallback      1 letter, 2 blank, 3 chapter; blank: the row of it, -1 for none
    by_highest ... case_scope  options of the preset and of the layers
    """

    row_parts: I32
    part_start: I32
    part_tokens: I32
    related: I32
    has_related: U8
    is_primary: U8
    mean: I64
    score: I32
    code: I32
    age_below: I32
    weight_low: I64
    weight_below: I64
    resistant: U8
    other_dx: I32
    steps: I32
    layers: I32
    prefer: I32
    fallback: I32
    blank: int
    by_highest: bool
    core_vs_comp: int
    conservative_by_class: bool
    case_scope: bool
    scale: int
    most_cost: int
    n_tokens: int


def layout_of(
    reference: DipReference,
    tokens: Mapping[str, int],
    sets: Mapping[tuple[str, ...], int],
) -> Layout:
    """The arrays of a catalogue.

    tokens: numbers of the operations that rows name; sets: bits of sets of other diagnoses.
    """
    catalogue, preset, layers = reference.catalogue, reference.preset, reference.layers
    rows, layered = catalogue.rows, catalogue.is_layered
    parts = list[tuple[str, ...]]()
    row_parts = []
    for row in rows:
        main, related = (row.main, row.related) if layered else (row.operations, ())
        row_parts.append((len(parts), len(parts) + len(main), len(parts) + len(main + related)))
        parts += [*main, *related]
    places = range(len(rows))
    means = [reference.figures.mean_cost(at) for at in places]
    decimals = _decimals(means)
    prefer = [[_STEP_NUMBERS[step] for step in each.prefer] for each in layers.layers]
    longest = max(map(len, prefer))
    scale = 10 ** (decimals - 2)
    return Layout(
        row_parts=np.array(row_parts, np.int32).reshape(-1, 3),
        part_start=starts(parts),
        part_tokens=np.array([tokens[t] for part in parts for t in part], np.int32),
        related=np.array([len(r.related[0]) if r.related else 0 for r in rows], np.int32),
        has_related=np.array([bool(row.related) for row in rows], np.uint8),
        is_primary=np.array([row.kind == "primary" for row in rows], np.uint8),
        mean=np.array([_scaled(mean, decimals) for mean in means], np.int64),
        score=_ranks([reference.figures.score(at) or 0 for at in places]),
        code=_ranks([row.code for row in rows]),
        age_below=np.array([_or_missing(row.age_days_below) for row in rows], np.int32),
        weight_low=np.array([_grams(row.weight_lo) for row in rows], np.int64),
        # bands are whole grams: 999.5 g is in that of 999
        weight_below=np.array([_grams(row.weight_hi, 1) for row in rows], np.int64),
        resistant=np.array([("", "yes", "no").index(r.resistant) for r in rows], np.uint8),
        other_dx=np.array([_set_of(row, sets) for row in rows], np.int32),
        steps=np.array([_STEP_NUMBERS[step] for step in preset.tie], np.int32),
        layers=np.array(
            [
                (one.operations == "main", one.without == "any", one.related == "asked")
                for one in layers.layers
            ],
            np.int32,
        ),
        prefer=np.array([p + [-1] * (longest + 1 - len(p)) for p in prefer], np.int32),
        fallback=np.array(
            [("letter", "blank", "chapter").index(way) + 1 for way in preset.fallback], np.int32
        ),
        blank=-1 if reference.blank_row is None else reference.blank_row,
        by_highest=preset.op_class_of_case == "highest",
        core_vs_comp=("core_first", "by_class", "unmatched_surgery").index(preset.core_vs_comp),
        conservative_by_class=preset.conservative_def == "class",
        case_scope=layers.conservative_scope == "case",
        scale=scale,
        most_cost=_LARGEST // scale,
        n_tokens=len(tokens),
    )


def _set_of(row: CatalogueRow, sets: Mapping[tuple[str, ...], int]) -> int:
    if not row.other_dx:
        return -1
    bit = sets[row.other_dx]
    return bit if bit < BITS else -2


def starts(parts: Iterable[Sequence[object]]) -> I32:
    """Where each of some parts begins when they stand one behind the other, and the end."""
    return np.cumsum([0, *map(len, parts)]).astype(np.int32)


def _or_missing(value: int | None) -> int:
    return MISSING if value is None else min(value, 2**31 - 1)


def _grams(value: int | None, more: int = 0) -> int:
    return MISSING if value is None else min((value + more) * THOUSANDTHS, _LARGEST)


def _ranks(values: Sequence[Any]) -> I32:
    """Equal numbers for equal values, greater ones for greater."""
    order = {value: rank for rank, value in enumerate(sorted(set(values)))}
    return np.array([order[value] for value in values], np.int32)


def _decimals(means: Iterable[Decimal | None]) -> int:
    """Decimals in which mean costs are exact, at least those of money."""
    printed = [mean.as_tuple().exponent for mean in means if mean is not None]
    return max(
        2, min(_MOST_DECIMALS, max((-one for one in printed if isinstance(one, int)), default=0))
    )


def _scaled(mean: Decimal | None, decimals: int) -> int:
    if mean is None:
        return -HAND
    exact = Fraction(mean) * 10**decimals
    fits_in = exact.denominator == 1 and abs(exact) < _LARGEST
    return int(exact) if fits_in else HAND
