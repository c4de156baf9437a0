"""`grouper reconcile`: our results against the payer's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grouper.cli.chain import check_suffix, reading
from grouper.cli.options import Command, as_json, common, file_options, option, terminal
from grouper.cli.output import DONE, FINDINGS, Terminal, sums

if TYPE_CHECKING:
    from grouper.report.reconciliation import ReconciliationReport
    from grouper.run.reconciliation import Reconciliation


def _equations(
    ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    """`--official-column drg=HEADER` as a mapping; wrong usage without both sides."""
    found = {}
    for text in values:
        name, _, header = text.partition("=")
        if not name.strip() or not header.strip():
            option_name = parameter.opts[0]
            raise click.UsageError(
                terminal(ctx).text("usage.equation", option=option_name, text=text), ctx
            )
        found[name.strip()] = header.strip()
    return found


@click.command(cls=Command, name="reconcile", help="help.reconcile")
@click.argument("ours", metavar="OURS")
@click.argument("official", metavar="OFFICIAL")
@option("--key", required=True, metavar="NAMES", help="options.key")
@option("-s", "--scheme", metavar="SCHEME", help="options.reconcile_scheme")
@option("--area", metavar="AREA", help="options.reconcile_area")
@option("--allow-unverified", is_flag=True, help="options.allow_unverified")
@option("-o", "--out", metavar="OUT", help="options.reconcile_out")
@option("--official-map", metavar="FILE", help="options.official_map")
@option(
    "--official-column",
    "columns",
    multiple=True,
    callback=_equations,
    metavar="NAME=HEADER",
    help="options.official_column",
)
@file_options
@option("--force", is_flag=True, help="options.force")
@as_json
@common
@click.pass_context
def reconcile(
    ctx: click.Context,
    /,
    ours: str,
    official: str,
    out: str | None,
    force: bool,
    json_: bool,
    **_: Any,
) -> int:
    """Bring the rows together, class what differs, write the evidence."""
    from grouper.records.outfile import check_output
    from grouper.report.reconciliation import ReconciliationReport, reconciliation_dict
    from grouper.report.save import save

    screen, paths = terminal(ctx), [Path(ours), Path(official)]
    target = check_suffix(ctx, out, tuple(_forms())) if out else None
    overwrite: Any = "replace" if force else "refuse"
    if target:
        check_output(target, paths, overwrite=overwrite)
    report = ReconciliationReport(_reconciled(ctx, *paths), screen.lang)
    if target:
        content = _forms()[target.suffix.lower()](report)
        save(target, content, inputs=paths, overwrite=overwrite)
    if json_:
        screen.json(reconciliation_dict(report) | ({"out": out} if out else {}))
    elif not out:
        _print_differences(report, screen)
    _print_summary(report, screen)
    if out:
        screen.say("say.wrote", path=out)
    return DONE if report.is_clean else FINDINGS


def _reconciled(ctx: click.Context, ours: Path, official: Path) -> Reconciliation:
    from grouper.api import load_scheme
    from grouper.run.reconciliation import reconcile as reconcile_results
    from grouper.run.settlement import scheme_of
    from grouper.run.verdicts import read_results

    how = ctx.params
    parts = [part.partition("=") for part in how["key"].split(",")]
    mine = ",".join(name.strip() for name, _, _ in parts)
    other = ",".join((header or name).strip() for name, _, header in parts)
    name = how["scheme"] or (scheme_of(how["area"]) if how["area"] else None)
    scheme = load_scheme(name) if name else None
    return reconcile_results(
        read_results(ours, mine, **reading(how)),
        read_results(official, other, mapping=how["official_map"], columns=how["columns"]),
        scheme=scheme,
        area=how["area"],
        allow="unverified" if how["allow_unverified"] else "verified",
    )


def _forms() -> dict[str, Callable[[ReconciliationReport], bytes]]:
    """Suffix -> how the file is made."""
    from grouper.report.reconciliation import reconciliation_csv, reconciliation_dict
    from grouper.report.reconciliation_book import render_reconciliation_book
    from grouper.report.save import json_file

    def as_json(report: ReconciliationReport) -> bytes:
        return json_file(reconciliation_dict(report))

    return {".xlsx": render_reconciliation_book, ".csv": reconciliation_csv, ".json": as_json}


def _print_differences(report: ReconciliationReport, screen: Terminal) -> None:
    from grouper.report.reconciliation import difference_rows, difference_titles

    # the places are in the files; on a terminal there is no room for them
    titles, rows = difference_titles(report)[:-2], difference_rows(report)
    if rows:
        screen.table(titles, [row[:-2] for row in rows])


def _print_summary(report: ReconciliationReport, screen: Terminal) -> None:
    """The figures on stderr; what did not occur is left out."""
    from grouper.report.words import Words, grouped

    words = Words(screen.lang)
    always = ("rows_ours", "rows_theirs", "matched", "equal", "different")
    lines: list[tuple[str, object]] = [
        (words(f"reconcile.{name}"), f"{n:,}")
        for name, n in report.counts().items()
        if n or name in always
    ]
    found = report.found.standards()
    if found is not None:
        for key, value in zip(("ours", "theirs"), found, strict=True):
            lines.append((words(f"reconcile.standard_{key}"), grouped(f"{value:.2f}")))
    screen.log(report.title)
    screen.log(sums(lines))
    if report.found.regrouped:
        screen.log(words("reconcile.regrouped", n=report.found.regrouped))
