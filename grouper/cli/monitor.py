"""`grouper monitor`: what the figures of an area say."""

from __future__ import annotations

from typing import Any

import click

from grouper.cli import streams
from grouper.cli.chain import money_options, settle_inputs
from grouper.cli.options import Command, Family, as_json, common, option, terminal
from grouper.cli.output import DONE, Terminal, issue_list


@click.command(cls=Family, name="monitor", help="help.monitor")
@common
def monitor() -> None:
    """The family; its help text stands in the command texts."""


@monitor.command("coverage", cls=Command, help="help.monitor_coverage")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@option("--targets", multiple=True, metavar="ID", help="options.targets")
@option(
    "--period",
    type=click.Choice(["month", "quarter", "year", "cumulative"]),
    default="year",
    show_default=True,
    help="options.period",
)
@option(
    "--by",
    type=click.Choice(["area", "institution", "level", "insurance"]),
    multiple=True,
    default=["area"],
    help="options.by",
)
@money_options
@as_json
@common
@click.pass_context
def coverage(
    ctx: click.Context,
    /,
    files: tuple[str, ...],
    targets: tuple[str, ...],
    period: Any,
    by: tuple[Any, ...],
    json_: bool,
    **how: Any,
) -> int:
    """Every measure of every period, held against the chosen documents."""
    from grouper.monitor.targets import load_targets
    from grouper.run.coverage import coverage_of

    screen = terminal(ctx)
    wanted = load_targets(targets or None)
    with streams.inputs(ctx, files) as paths:
        settled = settle_inputs(paths, how)
    found = coverage_of(
        settled,
        lang=screen.lang,
        period=period,
        by=by,
        targets=wanted,
        allow="unverified" if how["allow_unverified"] else "verified",
    )
    if json_:
        rows = [row.to_dict() for row in found.rows]
        screen.json({"rows": rows, "issues": issue_list(found.issues, screen.lang)})
    else:
        _print(found.rows, screen)
        screen.issues(found.issues)
        if mark := settled.amounts.mark(screen.lang):
            screen.log(mark)
    return DONE


def _print(rows: Any, screen: Terminal) -> None:
    """One line a share: what, when, how much, against what."""
    from grouper.report.words import Words

    words = Words(screen.lang)
    keys = (
        "measure",
        "dimension",
        "period",
        "num",
        "den",
        "ratio",
        "target",
        "status",
        "gap",
        "document",
    )
    table = []
    for row in rows:
        cells = row.to_dict()
        shown = {
            "measure": words(f"measure.{row.measure}"),
            "dimension": words.coverage_place(row),
            "status": words(f"verdict.{row.status}"),
            "target": f"{cells['target'] or ''} {words.due(row)}".strip(),
        }
        table.append([shown.get(key, cells[key] if cells[key] is not None else "") for key in keys])
    screen.table([words(f"column.{key}") for key in keys], table)
