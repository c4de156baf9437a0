"""The forms in which DIP examples come, brought to the common one of `grouper calc`.

A line of settlement cases with the answers of several variants, and the three examples of a month,
a year and a score, each an object under its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

#: the answers were computed with binary floats: the last digit of each
_TOLERANCE = {
    "deviation_factor": Decimal("0.000001"),
    "settled_score": Decimal("0.0001"),
    "settled_amount": Decimal("0.01"),
    "standard_amount": Decimal("0.01"),
}
_NO_INPUT = ("id", "expected", "oracle")
#: `kind` is the kind of example in the common form
_NAMES = {"kind": "group_kind", "auxiliary": "adjustment", "auxiliary_coefficient": "adjustment"}
_ANSWERS = ("ratio", "deviation", "deviation_factor", "case_score", "standard_amount")
_HOSPITAL = ("score", "share_of_budget", "payable", "use_rate", "final", "clearing")


def dip_form(one: Mapping[str, Any]) -> dict[str, Any] | None:
    """An example of a known DIP form in the common form, else None."""
    if "score" in one and "mean_cost" in one and "total_cost" in one:
        return _case(one)
    if "cases" in one and isinstance(one.get("rules"), Mapping):
        return _month(one)
    if "hospitals" in one and "budget" in one:
        return _year(one)
    if "group_years" in one:
        return _score(one)
    return None


def named_examples(value: Mapping[str, Any]) -> list[Any] | None:
    """The examples of `{"E1": {...}, "E2": {...}}` with their names as ids, else None."""
    made = []
    for name, one in value.items():
        if not isinstance(one, Mapping) or (form := dip_form(one)) is None:
            return None
        made.append(form | {"id": name})
    return made or None


def _case(one: Mapping[str, Any]) -> dict[str, Any]:
    answers = one.get("expected")
    inputs = {_NAMES.get(key, key): value for key, value in one.items() if key not in _NO_INPUT}
    expected: Mapping[str, Any] = answers if isinstance(answers, Mapping) else {}
    if expected:
        inputs["variants"] = list(expected)
    return {
        "id": one.get("id"),
        "kind": "dip_case",
        "inputs": inputs,
        "outputs": expected,
        "tolerance": _TOLERANCE,
    }


def _month(one: Mapping[str, Any]) -> dict[str, Any]:
    listed = [case for case in one["cases"] if isinstance(case, Mapping)]
    outputs: dict[str, Any] = {
        "cases": {case.get("case"): _only(case, _ANSWERS) for case in listed},
        "month": one.get("month"),
    }
    others: dict[str, list[str]] = {}
    for key in one:
        name = key.removeprefix("variants_case_")
        told = one[key]
        if name == key or not isinstance(told, Mapping):
            continue
        inner = told.get("variants", told)
        others[name] = list(inner)
        outputs[key] = inner
    inputs = {key: one[key] for key in ("rules", "cases")} | {"otherwise": others}
    return {"id": one.get("id"), "kind": "dip_month", "inputs": inputs, "outputs": outputs}


def _year(one: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("total_score", "total_cost", "recorded_fund", "pay_ratio", "settlement_point_value")
    listed = [row for row in one["hospitals"] if isinstance(row, Mapping)]
    outputs = _only(one, keys) | {
        "hospitals": {row.get("hospital"): _only(row, _HOSPITAL) for row in listed},
        "identities": one.get("identities"),
    }
    value = one.get("budget_point_value")
    if isinstance(value, Mapping):
        answers = ("weighted_cost", "weighted_score", "budget_point_value")
        outputs["budget_point_value"] = _only(value, answers)
    inputs = {key: told for key, told in one.items() if key not in (*keys, "title", "identities")}
    return {"id": one.get("id"), "kind": "dip_year", "inputs": inputs, "outputs": outputs}


def _score(one: Mapping[str, Any]) -> dict[str, Any]:
    inputs = {key: one[key] for key in ("weights", "group_years", "all_years") if key in one}
    outputs = _only(one, ("mean_of_means", "pooled"))
    if isinstance(trim := one.get("trim"), Mapping):
        inputs["trim"] = {key: trim[key] for key in ("costs", "low", "high") if key in trim}
        outputs["trim"] = {
            key: value for key, value in trim.items() if key not in ("costs", "method", "cv")
        }
    if isinstance(told := one.get("auxiliary"), Mapping):
        types = told.get("types", {})
        inputs["types"] = types
        inputs["cases"] = {
            key.removesuffix("_case"): _only(value, ("score", "K"))
            for key, value in told.items()
            if key.endswith("_case")
        }
        outputs["auxiliary"] = {
            **_only(told, ("group_mean", "cv_before", "cv_within", "reduction", "applies")),
            "types": {name: _only(row, ("trigger",)) for name, row in types.items()},
            **{
                key: _only(value, ("coefficient", "case_score"))
                for key, value in told.items()
                if key.endswith("_case")
            },
        }
    return {"id": one.get("id"), "kind": "dip_score", "inputs": inputs, "outputs": outputs}


def _only(row: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: row[key] for key in keys if key in row}
