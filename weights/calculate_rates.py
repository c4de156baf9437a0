"""Worked examples of base rates and point values, computed by the functions that settle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from grouper.errors import GrouperError, WeightError
from grouper.money import round_half_up, to_fen, yuan
from grouper.worked import Worked
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
        raise _wrong("deductions", deductions)
    made = pool(
        _fen(inputs, "budget"),
        _number(inputs, "reserve_ratio", words().reserve_ratio),
        [_fen(deductions, key) for key in deductions],
    )
    amount = made.pool_fen
    steps = {"reserve": yuan(made.reserve_fen), "pool": yuan(amount)}
    if _basis(inputs) == "total":
        amount = total_cost_fen(amount, _number(inputs, "fund_share"))
        steps["predicted_total_cost"] = yuan(amount)
    weight = _number(inputs, "predicted_weight")
    rate = round_half_up(base_rate(amount, weight))
    outputs = {"base_rate": yuan(rate)}
    if inputs.get("levels"):
        levels = {
            _code(one, "level"): (_number(one, "coef"), _number(one, "weight"))
            for one in _objects(inputs, "levels")
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
    hospitals = {_code(one, "code"): one for one in _objects(inputs, "hospitals")}
    others = None
    if _basis(inputs) == "total":
        others = {code: _fen(one, "patient") for code, one in hospitals.items()}
    points = {code: _number(one, "points") for code, one in hospitals.items()}
    found = point_value(_fen(inputs, "pool"), points, others_fen=others)
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
        raise _wrong("basis", basis)
    return str(basis)


def _objects(inputs: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    found = inputs.get(key)
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise _wrong(key, found)
    return found


def _code(one: Mapping[str, Any], key: str) -> str:
    if not isinstance(one.get(key), str | int):
        raise _wrong(key, one.get(key))
    return str(one[key])


def _fen(values: Mapping[str, Any], key: str) -> int:
    try:
        return to_fen(values[key])
    except (KeyError, GrouperError, TypeError):
        raise _wrong(key, values.get(key)) from None


def _number(values: Mapping[str, Any], key: str, default: str | None = None) -> Fraction:
    value = values.get(key, default)
    try:
        if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
            return Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        pass
    raise _wrong(key, value)


def _wrong(key: str, value: object) -> WeightError:
    return WeightError("WT120", f"inputs.{key}", key=key, value=value)
