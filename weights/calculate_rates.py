"""Worked examples of base rates and point values, computed by the functions that settle."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from grouper.money import round_half_up, yuan
from grouper.worked import Worked
from weights.inputs import code_of, fen_of, number_of, objects_of, wrong
from weights.rates import base_rate, level_rates, normaliser, point_value, pool, total_cost_fen
from weights.words import words


def calculate_base_rate(inputs: Mapping[str, Any]) -> Worked:
    """The worked example of kind `base_rate`: budget and expected weight -> rates in yuan.

    basis: `fund` or `total` (default; needs fund_share); budget, deductions {name: yuan},
    reserve_ratio, predicted_weight; levels: `{level, coef, weight}`, each giving `rate_<level>`.
    Raises WeightError WT120 for inputs that cannot be used; SettlementError ST106, ST301.
    """
    deductions = inputs.get("deductions", {})
    if not isinstance(deductions, Mapping):
        raise wrong("deductions", deductions)
    made = pool(
        fen_of(inputs, "budget"),
        number_of(inputs, "reserve_ratio", words().reserve_ratio),
        [fen_of(deductions, key) for key in deductions],
    )
    amount = made.pool_fen
    steps = {"reserve": yuan(made.reserve_fen), "pool": yuan(amount)}
    if _basis(inputs) == "total":
        amount = total_cost_fen(amount, number_of(inputs, "fund_share"))
        steps["predicted_total_cost"] = yuan(amount)
    weight = number_of(inputs, "predicted_weight")
    rate = round_half_up(base_rate(amount, weight))
    outputs = {"base_rate": yuan(rate)}
    if inputs.get("levels"):
        levels = {
            code_of(one, "level"): (number_of(one, "coef"), number_of(one, "weight"))
            for one in objects_of(inputs, "levels")
        }
        found = level_rates(rate, levels, weight=weight)
        outputs |= {f"rate_{level}": yuan(one.rate_fen) for level, one in found.items()}
        steps["normaliser"] = _shown(normaliser(list(levels.values()), total=weight), 8)
        steps |= {f"coef_{level}": _shown(one.coefficient, 4) for level, one in found.items()}
    return Worked(outputs, steps)


def calculate_point_value(inputs: Mapping[str, Any]) -> Worked:
    """The worked example of kind `point_value`: pool and points -> value and pay of each hospital.

    basis: `fund` or `total` (default; then `patient` of each hospital holds what patients and
    other funds have paid); pool in yuan; hospitals: `{code, points, patient}`, points with
    coefficients. Raises WeightError WT120; SettlementError ST301, ST304.
    """
    hospitals = {code_of(one, "code"): one for one in objects_of(inputs, "hospitals")}
    others = None
    if _basis(inputs) == "total":
        others = {code: fen_of(one, "patient") for code, one in hospitals.items()}
    points = {code: number_of(one, "points") for code, one in hospitals.items()}
    found = point_value(fen_of(inputs, "pool"), points, others_fen=others)
    outputs = {"point_value": _shown(found.value, 4)}
    outputs |= {f"pay_{code}": yuan(share.net_fen) for code, share in found.shares.items()}
    steps: dict[str, object] = {
        "total_points": _shown(found.total_points, 4),
        "numerator": yuan(found.numerator_fen),
        "units_by_remainder": found.by_remainder,
    }
    return Worked(outputs, steps)


def _shown(value: Fraction, places: int) -> str:
    return str(Decimal(round_half_up(value * 10**places)).scaleb(-places))


def _basis(inputs: Mapping[str, Any]) -> str:
    basis = inputs.get("basis", "total")
    if basis not in ("fund", "total"):
        raise wrong("basis", basis)
    return str(basis)
