"""`grouper explain`: why a discharge has its group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from grouper.cli import streams
from grouper.cli.chain import group_inputs, reading, row_index
from grouper.cli.dip import is_dip, print_dip, read_records, refuse_for_dip
from grouper.cli.options import (
    Command,
    Function,
    as_json,
    common,
    file_options,
    option,
    scheme_or_catalogue_options,
    terminal,
)
from grouper.cli.output import DONE, FINDINGS, Terminal, issue_list

if TYPE_CHECKING:
    from grouper.engine.trace import Trace
    from grouper.records.read import Records
    from grouper.run.pipeline import GroupedRun

#: options that describe a case on the command line, by the field they fill
_FIELDS = ("sex", "age", "age_days", "weight", "los", "leaving", "icu_hours", "total_cost")


def case_options(function: Function) -> Function:
    """A case on the command line; texts are read as the cells of a file would be."""
    for name in reversed(_FIELDS):
        flag = "--" + name.replace("_", "-")
        function = option(flag, name, metavar="N", help=f"options.{name}")(function)
    for name in ("px", "dx"):
        flag = f"--{name}"
        function = option(flag, multiple=True, metavar="CODE", help=f"options.{name}")(function)
    return function


@click.command(cls=Command, name="explain", help="help.explain")
@click.argument("file", required=False, metavar="[FILE]")
@option("--row", type=int, metavar="N", help="options.row")
@case_options
@scheme_or_catalogue_options
@option("--near", is_flag=True, help="options.near")
@option("--as-principal", "principals", multiple=True, metavar="CODE", help="options.as_principal")
@file_options
@as_json
@common
@click.pass_context
def explain(
    ctx: click.Context,
    /,
    file: str | None,
    row: int | None,
    scheme: str,
    dx: tuple[str, ...],
    px: tuple[str, ...],
    **how: Any,
) -> int:
    """The steps that led one case to its group."""
    screen = terminal(ctx)
    given = {name: how[name] for name in _FIELDS if how[name] is not None}
    from_codes = bool(dx or px or given)
    if from_codes == (file is not None) or (row is None) != (file is None):
        raise click.UsageError(screen.text("usage.one_of"), ctx)
    if is_dip(ctx):
        from grouper.run.dip import NEEDED

        refuse_for_dip(ctx, "--as-principal" if how["principals"] else "")
        if file is None:
            return print_dip(ctx, _records_of_case(given, dx, px, how, needs=NEEDED), 0)
        with streams.inputs(ctx, [file]) as paths:
            return print_dip(ctx, read_records(ctx, paths), row)
    if file is None:
        return _print(ctx, _run_of_case(given, dx, px, scheme, how), 0)
    with streams.inputs(ctx, [file]) as paths:
        run = group_inputs(paths, scheme, how)
    assert row is not None
    return _print(ctx, run, row_index(ctx, row, run.counts.rows))


def _run_of_case(
    given: dict[str, str],
    dx: tuple[str, ...],
    px: tuple[str, ...],
    scheme: str,
    how: dict[str, Any],
) -> GroupedRun:
    """The case of the command line, grouped."""
    from grouper.api import load_scheme
    from grouper.run.pipeline import group_records

    return group_records(_records_of_case(given, dx, px, how), load_scheme(scheme))


def _records_of_case(
    given: dict[str, str],
    dx: tuple[str, ...],
    px: tuple[str, ...],
    how: dict[str, Any],
    **needs: Any,
) -> Records:
    """The case of the command line as a table of one row, so that it is cleaned like any other."""
    import pyarrow as pa

    from grouper.records.read import records_from_table

    cells: dict[str, list[Any]] = {"id": ["1"], "dx": [list(dx)], "px": [list(px)]}
    cells |= {name: [text] for name, text in given.items()}
    codes = pa.list_(pa.string())
    schema = pa.schema([(name, codes if name in ("dx", "px") else pa.string()) for name in cells])
    table = pa.table(cells, schema)
    cleaning = reading(how)["cleaning"]
    return records_from_table(table, cleaning=cleaning, name="case", **needs)


def _print(ctx: click.Context, run: GroupedRun, row: int) -> int:
    """The trace of one row and the trials asked for; a row the reader rejected has none."""
    from grouper.run.explain import code_name, explain_row, rejected_by_reader
    from grouper.run.results import reason_text

    screen, json_ = terminal(ctx), ctx.params["json_"]
    issues = run.records.issues if run.counts.rows == 1 else []
    if token := rejected_by_reader(run, row):
        if json_:
            result = {"status": "rejected", "reason": token, "scheme": run.scheme.id}
            screen.json(result | {"issues": issue_list(issues, screen.lang)})
        else:
            screen.data(f"{screen.text('status.rejected')}: {reason_text(token, screen.lang)}")
            screen.issues(issues)
        return FINDINGS
    trace = explain_row(run, row, near="show" if ctx.params["near"] else "omit")
    trials = _trials(ctx, run, trace)
    if json_:
        found: dict[str, object] = {"issues": issue_list(issues, screen.lang)} if issues else {}
        if trials:
            found["trials"] = [
                {"principal": one.record.dx[0], **one.to_dict(names=code_name)} for one in trials
            ]
        screen.json(trace.to_dict(names=code_name) | found)
    else:
        screen.data(trace.text(screen.lang, names=code_name).rstrip())
        if trials:
            _print_trials([trace, *trials], screen)
        screen.issues(issues)
    return DONE if trace.outcome.status.word != "rejected" else FINDINGS


def _trials(ctx: click.Context, run: GroupedRun, trace: Trace) -> list[Trace]:
    """The record with each diagnosis asked for as principal; wrong usage if it has no such one."""
    from grouper.codes.dictionary import load_dictionary
    from grouper.codes.normalize import repair
    from grouper.engine.trial import with_principal
    from grouper.run.explain import trace_of

    found = []
    for asked in ctx.params["principals"]:
        cleaned = () if ctx.params["as_is"] else repair(asked, load_dictionary().dx).codes
        code = cleaned[0] if len(cleaned) == 1 else asked
        others = trace.record.dx[1:]
        if code not in others:
            known = ", ".join(dict.fromkeys(others)) or "-"
            text = terminal(ctx).text("usage.no_other_diagnosis", code=asked, known=known)
            raise click.UsageError(text, ctx)
        near: Any = "show" if ctx.params["near"] else "omit"
        found.append(trace_of(run.scheme, with_principal(trace.record, code), near=near))
    return found


def _print_trials(traces: list[Trace], screen: Terminal) -> None:
    from grouper.engine.trace_words import texts
    from grouper.engine.trial import side_by_side
    from grouper.run.explain import code_name

    titles, rows = side_by_side(traces, screen.lang, names=code_name)
    screen.data("")
    screen.table(titles, rows)
    screen.data(texts(screen.lang)["trial"]["note"])
