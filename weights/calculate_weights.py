"""Worked examples of estimating weights, computed by the functions that estimate."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from grouper.money import round_half_up, yuan
from grouper.worked import Worked
from weights.choices import Choices
from weights.estimate import estimate
from weights.estimated import Estimate
from weights.history import History, history
from weights.inputs import code_of, fen_of, number_of, objects_of, wrong
from weights.record import places
from weights.trim import Trim


def calculate_weights(inputs: Mapping[str, Any]) -> Worked:
    """The worked example of kind `weights`: cases with costs -> RW and CV of every group.

    cases: `{adrg, suffix, year, cost}`, cost in yuan; year_weights: year -> weight; trim_min_n,
    small_n: cases below which a group is not trimmed, or is small. Everything else is as `Choices`
    has it. Raises WeightError: WT120 for inputs that cannot be used, and what `estimate` raises.
    """
    weights = inputs.get("year_weights", {})
    if not isinstance(weights, Mapping):
        raise wrong("year_weights", weights)
    choices = Choices(
        trim=Trim(min_cases=_whole(inputs, "trim_min_n", "8")),
        year_weights={_whole({"year": y}, "year"): number_of(weights, y) for y in weights},
        small_cases=_whole(inputs, "small_n", "5"),
    )
    found = estimate(_history(inputs), choices)
    outputs: dict[str, str | None] = {}
    for one in found.groups:
        outputs[f"RW_{one.code}"] = str(one.printed)
        outputs[f"CV_{one.code}"] = None if one.cv is None else f"{one.cv:.4f}"
    total = found.total_weight
    outputs |= {"total_weight": places(total, 4), "residual": places(total - found.kept, 4)}
    return Worked(outputs, _steps(found))


def _steps(found: Estimate) -> dict[str, object]:
    steps: dict[str, object] = {"overall_mean": yuan(round_half_up(found.mean_fen))}
    for one in found.groups:
        low, high = (None if end is None else yuan(round_half_up(end)) for end in one.limits.shown)
        if low is not None:
            steps[f"trim_{one.code}"] = {"low": low, "high": high, "dropped": one.trimmed}
        steps[f"mean_{one.code}"] = yuan(round_half_up(one.mean_fen))
        steps[f"raw_{one.code}"] = places(one.raw, 6)
        if "small" in one.marks and one.adrg:
            steps[f"small_{one.code}"] = "ADRG mean used"
        if one.pooled and one.code == one.pooled[0]:
            steps[f"merged_{one.code}"] = "+".join(one.pooled)
    steps["conservation_factor"] = places(found.conservation_factor, 8)
    return steps | {"cases": found.kept}


def _history(inputs: Mapping[str, Any]) -> History:
    cases = objects_of(inputs, "cases")
    adrgs = {code_of(one, "adrg") + code_of(one, "suffix"): code_of(one, "adrg") for one in cases}
    at = {code: k for k, code in enumerate(adrgs)}
    return history(
        list(adrgs),
        np.array([at[code_of(one, "adrg") + code_of(one, "suffix")] for one in cases], np.int64),
        np.array([fen_of(one, "cost") for one in cases], np.int64),
        adrgs=list(adrgs.values()),
        year=np.array([_whole(one, "year") for one in cases], np.int64),
        where=lambda row: f"inputs.cases[{row}]",
    )


def _whole(values: Mapping[str, Any], key: str, default: str | None = None) -> int:
    number: Fraction = number_of(values, key, default)
    if number.denominator != 1 or not 0 <= number < 10_000:
        raise wrong(key, values.get(key))
    return int(number)
