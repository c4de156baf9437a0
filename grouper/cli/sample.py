"""`grouper sample`: made-up discharges, the same ones for the same seed."""

from __future__ import annotations

import re
from typing import Any

import click

from grouper.cli import streams
from grouper.cli.options import Command, as_json, common, option, output_options, terminal
from grouper.cli.output import DONE

_PERIOD = re.compile(r"\d{4}(-(0[1-9]|1[0-2]))?")


@click.command(cls=Command, name="sample", help="help.sample")
@click.argument("n", type=click.IntRange(min=0), metavar="N")
@option("-o", "--out", required=True, metavar="OUT", help="options.out")
@option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="options.seed")
@option(
    "-s",
    "--scheme",
    default="chs_drg_20",
    show_default=True,
    metavar="SCHEME",
    help="options.scheme",
)
@option("--period", default="2025-06", show_default=True, metavar="YYYY[-MM]", help="options.left")
@output_options
@as_json
@common
@click.pass_context
def sample(
    ctx: click.Context,
    /,
    n: int,
    out: str,
    seed: int,
    scheme: str,
    period: str,
    encoding: str | None,
    force: bool,
    json_: bool,
) -> int:
    """N made-up discharges with bills, drawn from the rules of the scheme."""
    from grouper.api import load_scheme
    from grouper.records.write import check_output, write_results
    from grouper.run.catalogues import is_catalogue
    from grouper.run.dip_sample import dip_sample_of
    from grouper.run.sample import as_user_table, sample_table

    screen = terminal(ctx)
    if not _PERIOD.fullmatch(period):
        raise click.UsageError(screen.text("usage.month_form", text=period), ctx)
    if json_ and out == "-":
        raise click.UsageError(screen.text("usage.two_on_stdout"), ctx)
    overwrite: Any = "replace" if force else "refuse"
    with streams.output(out) as target:
        check_output(target, overwrite=overwrite)
        if is_catalogue(scheme):
            table = dip_sample_of(n, seed, scheme, period=period)
        else:
            table = sample_table(n, seed, load_scheme(scheme), period=period)
        user = as_user_table(table)
        write_results(target, user, [], lang=screen.lang, encoding=encoding, overwrite=overwrite)
    if json_:
        screen.json({"out": out, "rows": n, "seed": seed, "scheme": scheme, "period": period})
    if out != "-":
        screen.say("say.wrote", path=out)
    return DONE
