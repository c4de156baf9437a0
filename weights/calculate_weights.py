"""Worked examples of estimating weights, computed by the functions that estimate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from grouper.money import round_half_up, yuan
from grouper.worked import Worked
from weights.choices import Choices
from weights.estimate import estimate
from weights.estimated import Estimate
from weights.history import NO_YEAR, History, history
from weights.inputs import Inputs
from weights.record import places, root_places
from weights.trim import Trim


def calculate_weights(inputs: Mapping[str, Any]) -> Worked:
    """The worked example of kind `weights`: cases with costs -> RW and CV of every group.

    cases: `{adrg, suffix, year, cost}`, cost in yuan, year only if there are several; year_weights:
    year -> weight; trim_min_n, small_n: cases below which a group is not trimmed, or is small.
    Everything else is as `Choices` has it. Raises WeightError: WT120 for inputs that cannot be
    used, and what `estimate` raises.
    """
    given = Inputs(inputs)
    weights = given.object_of("year_weights")
    choices = Choices(
        trim=Trim(min_cases=given.whole("trim_min_n", "8")),
        year_weights={_year(weights, key): weights.number(key) for key in weights.values},
        small_cases=given.whole("small_n", "5"),
    )
    found = estimate(_history(given.list_of("cases")), choices)
    outputs: dict[str, str | None] = {}
    for one in found.groups:
        outputs[f"RW_{one.code}"] = str(one.printed)
        square = one.cv_squared
        outputs[f"CV_{one.code}"] = None if square is None else root_places(square, 4)
    total = found.total_weight
    outputs |= {"total_weight": places(total, 4), "residual": places(total - found.kept, 4)}
    return Worked(outputs, _steps(found))


def _steps(found: Estimate) -> dict[str, object]:
    steps: dict[str, object] = {"overall_mean": yuan(round_half_up(found.mean_fen))}
    for one in found.groups:
        if one.limits.quartiles is not None:
            places_of_trim = zip(
                ("p25", "p75", "low", "high"),
                (*one.limits.quartiles, *one.limits.shown),
                strict=True,
            )
            steps[f"trim_{one.code}"] = {
                **{
                    name: yuan(round_half_up(end))
                    for name, end in places_of_trim
                    if end is not None
                },
                "dropped": one.trimmed,
            }
        steps[f"mean_{one.code}"] = yuan(round_half_up(one.taken_fen))
        steps[f"raw_{one.code}"] = places(one.taken_fen / found.mean_fen, 6)
        if "small" in one.marks and one.adrg:
            steps[f"small_{one.code}"] = "ADRG mean used"
        if one.pooled and one.code == one.pooled[0]:
            steps[f"merged_{one.code}"] = "+".join(one.pooled)
    steps["conservation_factor"] = places(found.conservation_factor, 8)
    return steps | {"cases": found.kept}


def _history(cases: Sequence[Inputs]) -> History:
    codes = [(one.code("adrg"), one.code("adrg") + one.code("suffix")) for one in cases]
    adrgs = {group: adrg for adrg, group in codes}
    at = {group: k for k, group in enumerate(adrgs)}
    return history(
        list(adrgs),
        np.array([at[group] for _, group in codes], np.int64),
        np.array([one.fen("cost") for one in cases], np.int64),
        adrgs=list(adrgs.values()),
        year=np.array([one.whole("year", str(NO_YEAR)) for one in cases], np.int64),
        where=lambda row: cases[row].place,
    )


def _year(weights: Inputs, key: str) -> int:
    if not (key.isascii() and key.isdigit() and len(key) == 4):
        raise weights.wrong(key)
    return int(key)
