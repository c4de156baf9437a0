"""The forms of worked examples that `grouper calc` reads, brought to one.

The common form is {id, kind, inputs, outputs}. The intermediates in `steps` are compared too;
`tolerance` is how far an output may lie from a file that binary floats have made: one amount (yuan)
for all, or one for each name.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from grouper.cli.calc_dip_forms import dip_form, named_examples

#: keys of a single-case result that are no input
_RESULTS = ("id", "site", "site_bug", "rule_pay", "rule_kind")
_FLOAT_TOLERANCE = Decimal("0.01")


def examples_of(value: Any) -> list[Any]:
    """The examples that a document holds: a list, `{examples: []}`, several by name, or one."""
    if isinstance(value, dict):
        if isinstance(value.get("examples"), list):
            value = value["examples"]
        elif (named := named_examples(value)) is not None:
            value = named
    return [common_form(one) for one in (value if isinstance(value, list) else [value])]


def common_form(one: Any) -> Any:
    """An example in the common form; what has none of the known forms comes back as it is."""
    if not isinstance(one, dict) or "inputs" in one:
        return one
    if (dip := dip_form(one)) is not None:
        return dip
    if "kind" in one:
        return one
    if isinstance(one.get("input"), dict) and ("convention" in one or "area" in one["input"]):
        return _worked_case(one)
    if "area" in one and "weight" in one:
        return _single_case(one)
    return one


def _worked_case(one: Mapping[str, Any]) -> dict[str, Any]:
    """A payment case with its steps, or a case of a fund convention."""
    common = {"id": one.get("id"), "steps": one.get("steps", {})}
    if "convention" in one:
        inputs = {"convention": one["convention"], **one["input"]}
        return common | {"kind": "fund", "inputs": inputs, "outputs": {"fund": one.get("fund")}}
    return common | {"kind": "payment", "inputs": one["input"], "outputs": {"pay": one.get("pay")}}


def _single_case(one: Mapping[str, Any]) -> dict[str, Any]:
    """A line of results of a public site: its payment, or where it slips the rule's."""
    inputs = {key: value for key, value in one.items() if key not in _RESULTS}
    site = one["site"] if isinstance(one.get("site"), Mapping) else {}
    steps = {"class": one["rule_kind"]} if "rule_kind" in one else {}
    return {
        "id": one.get("id"),
        "kind": "payment",
        "inputs": inputs,
        "outputs": {"pay": one.get("rule_pay", site.get("pay"))},
        "steps": steps,
        "tolerance": _FLOAT_TOLERANCE,
    }
