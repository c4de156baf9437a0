"""`grouper monitor`: what the figures of an area say."""

from __future__ import annotations

from pathlib import Path
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


@monitor.command("indicators", cls=Command, help="help.monitor_indicators")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@option("-o", "--out", metavar="OUT", help="options.out")
@money_options
@option("--force", is_flag=True, help="options.force")
@as_json
@common
@click.pass_context
def indicators(
    ctx: click.Context,
    /,
    files: tuple[str, ...],
    out: str | None,
    force: bool,
    json_: bool,
    **how: Any,
) -> int:
    """The indicators of the area and of each hospital; of areas that pay by DIP."""
    from grouper.records.write import check_output, write_results
    from grouper.run.dip_indicators import indicator_dict, indicator_table, indicators_of
    from grouper.run.sample import as_user_table
    from grouper.run.settlement import pays_by_dip

    screen = terminal(ctx)
    if not pays_by_dip(how["area"]):
        raise click.UsageError(screen.text("usage.only_dip", area=how["area"]), ctx)
    overwrite: Any = "replace" if force else "refuse"
    with streams.inputs(ctx, files) as paths:
        if out is not None:
            check_output(Path(out), paths, overwrite=overwrite)
        settled = settle_inputs(paths, how)
    found = indicators_of(settled, screen.lang)
    table = indicator_table(found, screen.lang)
    if out is not None:
        user = as_user_table(table)
        write_results(Path(out), user, [], lang=screen.lang, overwrite=overwrite)
        screen.say("say.wrote", path=out)
    if json_:
        screen.json({"indicators": [indicator_dict(one) for one in found]})
    elif out is None:
        rows = [
            ["" if cell is None else str(cell) for cell in row.values()]
            for row in table.to_pylist()
        ]
        screen.table(table.column_names, rows)
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
