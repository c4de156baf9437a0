"""Worked examples of estimating weights, computed by the functions that estimate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from grouper.errors import GrouperError, WeightError
from grouper.money import round_half_up, to_fen
from weights.choices import Choices
from weights.estimate import estimate
from weights.history import History, history
from weights.trim import Trim

_KEYS = ("cases", "year_weights", "trim_min_n", "small_n")


def calculate_weights(inputs: Mapping[str, Any]) -> dict[str, str | None]:
    """The worked example of kind `weights`: cases with costs -> RW and CV of every group.

    cases: `{adrg, suffix, year, cost}`, cost in yuan as text; year_weights: year -> weight;
    trim_min_n, small_n: cases below which a group is not trimmed, or is small. Everything else is
    as `Choices` has it. Raises WeightError: WT144 for inputs that cannot be used, and what
    `estimate` raises.
    """
    for key in inputs:
        if key not in _KEYS:
            raise _wrong(key, inputs[key], ", ".join(_KEYS))
    weights = inputs.get("year_weights", {})
    if not isinstance(weights, Mapping):
        raise _wrong("year_weights", weights, '{"2020": 1, "2021": 2}')
    choices = Choices(
        trim=Trim(min_cases=_whole(inputs, "trim_min_n", 8)),
        year_weights={
            _whole({"year": year}, "year", 0): _fraction(f"year_weights.{year}", value)
            for year, value in weights.items()
        },
        small_cases=_whole(inputs, "small_n", 5),
    )
    found = estimate(_history(inputs.get("cases")), choices)
    outputs: dict[str, str | None] = {}
    for one in found.groups:
        outputs[f"RW_{one.code}"] = str(one.printed)
        outputs[f"CV_{one.code}"] = None if one.cv is None else f"{one.cv:.4f}"
    total = found.total_weight
    return outputs | {
        "total_weight": _four(total),
        "residual": _four(total - found.kept),
    }


def _history(cases: Any) -> History:
    if not isinstance(cases, Sequence) or isinstance(cases, str) or not cases:
        raise _wrong("cases", cases, "[{adrg, suffix, year, cost}, ...]")
    codes, adrgs, years, fen = [], dict[str, str](), [], []
    for number, case in enumerate(cases):
        where = f"cases[{number}]"
        if not isinstance(case, Mapping):
            raise _wrong(where, case, "{adrg, suffix, year, cost}")
        for key in ("adrg", "suffix"):
            if not isinstance(case.get(key), str) or not case[key]:
                raise _wrong(f"{where}.{key}", case.get(key), "text")
        code = case["adrg"] + case["suffix"]
        adrgs[code] = case["adrg"]
        codes.append(code)
        years.append(_whole(case, "year", 0))
        fen.append(_cost(case.get("cost"), where))
    groups = list(adrgs)
    at = {code: k for k, code in enumerate(groups)}
    return history(
        groups,
        np.array([at[code] for code in codes]),
        np.array(fen, np.int64),
        adrgs=[adrgs[code] for code in groups],
        year=np.array(years),
        where=lambda row: f"cases[{row}]",
    )


def _cost(value: Any, where: str) -> int:
    try:
        return to_fen(value)
    except (GrouperError, TypeError):
        raise _wrong(f"{where}.cost", value, '"12345.67"') from None


def _whole(values: Mapping[str, Any], key: str, default: int) -> int:
    value = values.get(key, default)
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdigit()):
        raise _wrong(key, value, "0, 1, 2, ...")
    return int(text)


def _fraction(key: str, value: Any) -> Fraction:
    if isinstance(value, int | Decimal | str) and not isinstance(value, bool):
        try:
            return Fraction(str(value))
        except (ValueError, ZeroDivisionError):
            pass
    raise _wrong(key, value, "1, 2, 0.5")


def _four(value: Fraction) -> str:
    return str(Decimal(round_half_up(value * 10_000)).scaleb(-4))


def _wrong(key: str, value: Any, expected: str) -> WeightError:
    return WeightError("WT144", key, key=key, value=value, expected=expected)
