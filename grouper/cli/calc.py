"""`grouper calc`: worked examples through the very functions that settle."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import click

from grouper.cli.calc_forms import examples_of
from grouper.cli.options import Command, as_json, common, option, terminal
from grouper.cli.output import DONE, FAILED, FINDINGS, Terminal
from grouper.errors import GrouperError, RunError
from grouper.worked import Worked

#: kind of example -> the function that computes its outputs from its inputs
KINDS: Mapping[str, str] = {
    "cover": "grouper.monitor.coverage:calculate_cover",
    "payment": "grouper.settle.worked_case:calculate_payment",
    "fund": "grouper.settle.worked_case:calculate_fund",
    "case_quota": "grouper.settle.worked_bill:calculate_case_quota",
    "bcheck": "grouper.settle.worked_bill:calculate_bill_check",
    "month": "grouper.settle.worked_month:calculate_month",
    "advance": "grouper.settle.worked_month:calculate_advance",
    "deposit": "grouper.settle.worked_month:calculate_deposit",
    "band": "grouper.settle.worked_shares:calculate_band",
    "remainder": "grouper.settle.worked_shares:calculate_remainder",
    "year": "grouper.settle.worked_year:calculate_year",
    "year_full": "grouper.settle.worked_year:calculate_year_full",
    "dip_case": "grouper.settle.worked_dip:calculate_dip_case",
    "dip_month": "grouper.settle.worked_dip:calculate_dip_month",
    "dip_year": "grouper.settle.worked_dip_year:calculate_dip_year",
    "dip_special": "grouper.settle.worked_dip_year:calculate_dip_special",
    "dip_score": "grouper.settle.worked_dip_year:calculate_dip_score",
    "base_rate": "weights.calculate_rates:calculate_base_rate",
    "point_value": "weights.calculate_rates:calculate_point_value",
    "weights": "weights.calculate_weights:calculate_weights",
}

#: gives the outputs alone, or with the steps that led there
Calculate = Callable[[Mapping[str, Any]], Mapping[str, Any] | Worked]


@click.command(cls=Command, name="calc", help="help.calc")
@click.argument("file", metavar="FILE")
@option("--check", is_flag=True, help="options.check")
@option("--kind", "kinds", multiple=True, metavar="KIND", help="options.kind")
@as_json
@common
@click.pass_context
def calc(ctx: click.Context, file: str, check: bool, kinds: tuple[str, ...], json_: bool) -> int:
    """Compute every example of a file; with `--check` compare with its results."""
    out = terminal(ctx)
    examples = [one for one in read_examples(file) if not kinds or one["kind"] in kinds]
    functions = {kind: _function(kind, file) for kind in sorted({e["kind"] for e in examples})}
    results = [_computed(one, functions[one["kind"]], check, out) for one in examples]
    bad = [one for one in results if "error" in one or one.get("differences")]
    counts = {"equal": len(results) - len(bad), "different": len(bad)} if check else {}
    if json_:
        out.json({"examples": results, **counts})
    else:
        for one in results:
            _print(one, check, out)
        if check:
            out.say("say.calc_counts", **counts)
    if results and all("error" in one for one in results):
        return FAILED
    return FINDINGS if bad else DONE


def read_examples(file: str) -> list[dict[str, Any]]:
    """The examples of a file (`-` = stdin): an object, a list, JSON lines, or {examples: []}.

    Numbers with a point are read as Decimal. Raises RunError (RN101, RN103).
    """
    text = sys.stdin.read() if file == "-" else Path(file).read_text("utf-8-sig")
    found: list[dict[str, Any]] = []
    for place, value in _documents(file, text):
        for one in examples_of(value):
            for key, kind in (("kind", str), ("inputs", dict)):
                if not isinstance(one, dict) or not isinstance(one.get(key), kind):
                    name = one.get("id") if isinstance(one, dict) else None
                    raise RunError("RN103", f"{place} {name}" if name else place, key=key)
            found.append(one)
    return found


def _documents(file: str, text: str) -> Iterator[tuple[str, Any]]:
    """(place, value): the file as one value, else every line as one."""
    try:
        yield file, json.loads(text, parse_float=Decimal)
        return
    except json.JSONDecodeError as error:
        first = error
    lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
    for number, line in lines:
        try:
            yield f"{file}:{number}", json.loads(line, parse_float=Decimal)
        except json.JSONDecodeError as error:
            # a single broken document is complained of where it breaks, not at its first line
            lost = first if number == lines[0][0] else error
            where = f"{file}:{lost.lineno if lost is first else number}:{lost.colno}"
            raise RunError("RN101", where, path=file, detail=lost.msg) from None
    if not lines:
        raise RunError("RN101", file, path=file, detail=first.msg)


def _function(kind: str, file: str) -> Calculate:
    if kind not in KINDS:
        raise RunError("RN102", file, kind=kind, known=", ".join(KINDS))
    module, _, name = KINDS[kind].partition(":")
    return cast(Calculate, getattr(import_module(module), name))


def _computed(
    example: Mapping[str, Any], function: Calculate, check: bool, out: Terminal
) -> dict[str, Any]:
    """One example's outputs, or its error; with `check` the differences to the file."""
    result: dict[str, Any] = {"id": example.get("id"), "kind": example["kind"]}
    try:
        made = function(example["inputs"])
    except GrouperError as error:
        return result | {"error": [issue.to_dict(out.lang) for issue in error.issues]}
    worked = made if isinstance(made, Worked) else Worked(made)
    result["outputs"] = worked.outputs
    if worked.steps:
        result["steps"] = worked.steps
    if check:
        result["differences"] = _all_differences(example, worked)
    return result


def _all_differences(example: Mapping[str, Any], worked: Worked) -> list[dict[str, Any]]:
    """Where the outputs, and the steps that both tell, differ from the file's."""
    told = example.get("steps")
    theirs: Mapping[str, Any] = told if isinstance(told, Mapping) else {}
    # an example need not tell every step, nor the same ones as we
    both = [key for key in theirs if key in worked.steps]
    found = _differences(worked.outputs, example.get("outputs"))
    for key in both:
        found += _differences(worked.steps[key], theirs[key], f"steps.{key}")
    near = example.get("tolerance", Decimal(0))
    return [one for one in found if not _lies_near(one, near)]


def _lies_near(one: Mapping[str, Any], near: Decimal | Mapping[str, Decimal]) -> bool:
    """Whether two numbers differ by no more than the tolerance of their file."""
    if isinstance(near, Mapping):
        near = near.get(one["name"].rpartition(".")[2], Decimal(0))
    try:
        return abs(Decimal(one["ours"]) - Decimal(one["theirs"])) <= near
    except (InvalidOperation, TypeError, ValueError):
        return False


def _differences(ours: Any, theirs: Any, name: str = "outputs") -> list[dict[str, Any]]:
    """Every place where two results differ; objects are compared key by key."""
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        keys = dict.fromkeys([*theirs, *ours])
        return [
            one
            for key in keys
            for one in _differences(ours.get(key), theirs.get(key), f"{name}.{key}")
        ]
    return [] if ours == theirs else [{"name": name, "ours": ours, "theirs": theirs}]


def _print(result: Mapping[str, Any], check: bool, out: Terminal) -> None:
    head = {"id": result["id"] or "", "kind": result["kind"]}
    for error in result.get("error", ()):
        text = " ".join(filter(None, (error["code"], error.get("where"), error["what"])))
        out.data(out.text("say.calc_error", text=text, **head))
    if check and result.get("differences"):
        for one in result["differences"]:
            out.data(out.text("say.calc_differs", **head, **one))
    elif check and "outputs" in result:
        out.data(out.text("say.calc_equal", **head))
    elif "outputs" in result:
        shown = {key: result[key] for key in ("steps", "outputs") if key in result}
        text = json.dumps(shown, ensure_ascii=False, indent=2, default=str)
        out.data(f"{head['id']} {head['kind']}\n{text}")
