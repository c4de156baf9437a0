"""Worked examples of base rates and point values, computed by the functions that settle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grouper.money import round_half_up, yuan
from grouper.worked import Worked
from weights.inputs import Inputs
from weights.rates import base_rate, level_rates, normaliser, point_value, pool, total_cost_fen
from weights.record import places
from weights.words import words


def calculate_base_rate(inputs: Mapping[str, Any]) -> Worked:
    """The worked example of kind `base_rate`: budget and expected weight -> rates in yuan.

    basis: `fund` or `total` (default; needs fund_share); budget, deductions {name: yuan},
    reserve_ratio, predicted_weight; levels: `{level, coef, weight}`, each giving `rate_<level>`.
    Raises WeightError WT120 for inputs that cannot be used; SettlementError ST106, ST301.
    """
    given = Inputs(inputs)
    deductions = given.object_of("deductions")
    made = pool(
        given.fen("budget"),
        given.number("reserve_ratio", words().reserve_ratio),
        [deductions.fen(key) for key in deductions.values],
    )
    amount = made.pool_fen
    steps = {"reserve": yuan(made.reserve_fen), "pool": yuan(amount)}
    if _basis(given) == "total":
        amount = total_cost_fen(amount, given.number("fund_share"))
        steps["predicted_total_cost"] = yuan(amount)
    weight = given.number("predicted_weight")
    rate = round_half_up(base_rate(amount, weight))
    outputs = {"base_rate": yuan(rate)}
    if inputs.get("levels"):
        levels = {
            level: (one.number("coef"), one.number("weight"))
            for level, one in given.named("levels", "level").items()
        }
        found = level_rates(rate, levels, weight=weight)
        outputs |= {f"rate_{level}": yuan(one.rate_fen) for level, one in found.items()}
        steps["normaliser"] = places(normaliser(list(levels.values()), total=weight), 8)
        steps |= {f"coef_{level}": places(one.coefficient, 4) for level, one in found.items()}
    return Worked(outputs, steps)


def calculate_point_value(inputs: Mapping[str, Any]) -> Worked:
    """The worked example of kind `point_value`: pool and points -> value and pay of each hospital.

    basis: `fund` or `total` (default; then `patient` of each hospital holds what patients and
    other funds have paid); pool in yuan; hospitals: `{code, points, patient}`, points with
    coefficients. Raises WeightError WT120; SettlementError ST301, ST304.
    """
    given = Inputs(inputs)
    hospitals = given.named("hospitals", "code")
    others = None
    if _basis(given) == "total":
        others = {code: one.fen("patient") for code, one in hospitals.items()}
    points = {code: one.number("points") for code, one in hospitals.items()}
    found = point_value(given.fen("pool"), points, others_fen=others)
    outputs = {"point_value": places(found.value, 4)}
    outputs |= {f"pay_{code}": yuan(share.net_fen) for code, share in found.shares.items()}
    steps: dict[str, object] = {
        "total_points": places(found.total_points, 4),
        "numerator": yuan(found.numerator_fen),
        "units_by_remainder": found.by_remainder,
    }
    return Worked(outputs, steps)


def _basis(given: Inputs) -> str:
    basis = given.values.get("basis")
    if basis not in ("fund", "total", None):
        raise given.wrong("basis")
    return basis or "total"
