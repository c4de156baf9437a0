"""`grouper report`: a page or a workbook of settled discharges."""

from __future__ import annotations

from typing import Any

import click

from grouper.cli import streams
from grouper.cli.chain import check_suffix, money_options, month_value, settle_inputs
from grouper.cli.options import Command, as_json, common, option, terminal
from grouper.cli.output import DONE


@click.command(cls=Command, name="report", help="help.report")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@option("-o", "--out", required=True, metavar="OUT", help="options.report_out")
@option("--month", callback=month_value, metavar="YYYY-MM", help="options.month_report")
@option("--targets", multiple=True, metavar="ID", help="options.targets")
@money_options
@option("--force", is_flag=True, help="options.force")
@as_json
@common
@click.pass_context
def report(
    ctx: click.Context,
    /,
    files: tuple[str, ...],
    out: str,
    month: str | None,
    targets: tuple[str, ...],
    force: bool,
    json_: bool,
    **how: Any,
) -> int:
    """Counts, coverage, the month's statements and the cost of every group."""
    from grouper.monitor.targets import load_targets
    from grouper.records.write import check_output
    from grouper.report.assemble import settled_report
    from grouper.report.save import FORMS, save_report
    from grouper.run.coverage import coverage_of

    screen = terminal(ctx)
    target = check_suffix(ctx, out, tuple(FORMS))
    overwrite: Any = "replace" if force else "refuse"
    wanted = load_targets(targets or None)
    with streams.inputs(ctx, files) as paths:
        check_output(target, paths, overwrite=overwrite)
        settled = settle_inputs(paths, how)
        found = coverage_of(settled, lang=screen.lang, targets=wanted)
        data = settled_report(settled, lang=screen.lang, month=month, coverage=found)
        save_report(target, data, inputs=paths, overwrite=overwrite)
    if json_:
        counts = {one.status: one.count for one in data.counts}
        rows = [row.to_dict() for row in data.coverage]
        screen.json({"out": out, "rows": data.total, **counts, "coverage": rows})
    screen.say("say.wrote", path=out)
    return DONE
