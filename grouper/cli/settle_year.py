"""`grouper settle year`: the clearing of a year, from lists or from a book of closed months."""

from __future__ import annotations

from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grouper.cli import streams
from grouper.cli.chain import check_suffix, date_value, money_options
from grouper.cli.options import Command, as_json, common, option, terminal
from grouper.cli.output import DONE, FINDINGS, Terminal
from grouper.cli.settle_month import settled_lists

if TYPE_CHECKING:
    from grouper.run.year import YearRun

_YEARS = click.IntRange(2000, 9998)
#: columns of the table that fit on a terminal; the file has all of them
_SHOWN = ("entitled", "recorded", "final", "payable", "before", "clearing", "cash")
_SUFFIXES = (".xlsx", ".html", ".json", ".csv", ".tsv", ".parquet")
#: issues that a terminal lists one by one; `--json` has all of them
_MOST = 20


@click.command(cls=Command, name="year", help="help.settle_year")
@click.argument("files", nargs=-1, metavar="[FILE...]")
@option(
    "--year", required=True, type=click.IntRange(2000, 9998), metavar="YYYY", help="options.year"
)
@option("--book", metavar="DIR", help="options.year_book")
@option("--entries", multiple=True, metavar="FILE", help="options.year_entries")
@option("--frozen", callback=date_value, metavar="YYYY-MM-DD", help="options.frozen")
@option("--paid-on", callback=date_value, metavar="YYYY-MM-DD", help="options.paid_on")
@option("--correction", is_flag=True, help="options.year_correction")
@option("-o", "--out", metavar="OUT", help="options.statement_out")
@money_options
@option("--force", is_flag=True, help="options.force")
@as_json
@common
@click.pass_context
def year(
    ctx: click.Context,
    /,
    files: tuple[str, ...],
    year: int,
    book: str | None,
    entries: tuple[str, ...],
    frozen: date | None,
    paid_on: date | None,
    correction: bool,
    out: str | None,
    force: bool,
    json_: bool,
    **how: Any,
) -> int:
    """One row for each hospital, insurance and place; the parts sum to the area's totals."""
    from grouper.records.outfile import as_it_was, check_output
    from grouper.run.year import settle_year

    screen = terminal(ctx)
    if not files and book is None:
        raise click.UsageError(screen.text("usage.year_source"), ctx)
    if correction and book is None:
        raise click.UsageError(screen.text("usage.year_correction"), ctx)
    target = check_suffix(ctx, out, _SUFFIXES) if out is not None else None
    overwrite: Any = "replace" if force else "refuse"
    allow: Any = "unverified" if how["allow_unverified"] else "verified"
    with streams.inputs(ctx, files) as paths:
        given = [*paths, *(Path(name) for name in entries)]
        if target is not None:
            check_output(target, given, overwrite=overwrite)

        def write(made: YearRun) -> None:
            if target is not None:
                _write(target, made, screen)

        with as_it_was(target):
            made = settle_year(
                how["area"],
                year,
                settled=partial(settled_lists, paths, how) if files else None,
                book=Path(book) if book else None,
                entries=[Path(name) for name in entries],
                frozen=frozen,
                done=paid_on,
                correction=correction,
                allow=allow,
                inputs=given,
                write=write,
            )
    if json_:
        from grouper.run.year_object import year_object

        screen.json(year_object(made, screen.lang))
    elif out is None:
        _print(made, screen)
    _say(made, screen)
    for name in (book, out):
        if name is not None:
            screen.say("say.wrote", path=name)
    return DONE if not made.annual.not_counted else FINDINGS


def _write(target: Path, made: YearRun, screen: Terminal) -> None:
    from grouper.report.save import json_file, save
    from grouper.report.year import YearReport, render_year_book, render_year_page
    from grouper.run.month_table import table_file
    from grouper.run.year_object import year_object, year_table

    report = YearReport(made, screen.lang)
    suffix = target.suffix.lower()
    if suffix == ".json":
        content = json_file(year_object(made, screen.lang))
    elif suffix == ".xlsx":
        content = render_year_book(report)
    elif suffix == ".html":
        content = render_year_page(report).encode()
    else:
        content = table_file(year_table(made, screen.lang), target)
    save(target, content, overwrite="replace")


def _print(made: YearRun, screen: Terminal) -> None:
    from grouper.run.year_object import amount_text, hospital_name
    from grouper.settle.place import Place
    from grouper.settle.year_lines import COLUMNS

    columns = [one for one in COLUMNS if one.id in _SHOWN]
    titles = [screen.text(f"settle.{key}") for key in ("hospital", "insurance", "place")]
    titles += [one.label(screen.lang) for one in columns]
    rows = [
        [
            hospital_name(made.policy, code, screen.lang) or code,
            fund.insurance,
            Place[fund.place.upper()].word(screen.lang),
            *(amount_text(one.of(account), one.kind) or "" for one in columns),
        ]
        for fund in made.annual.funds
        for code, account in fund.clearing.accounts.items()
    ]
    screen.table(titles, rows)


def _say(made: YearRun, screen: Terminal) -> None:
    """What did not count, what is to be said, and the sums."""
    from grouper.settle.amounts import mark_text

    for code, n in made.annual.not_counted.items():
        screen.say("settle.year_not_counted", code=code, n=n)
    if made.annual.after_freeze:
        screen.say("settle.year_after_freeze", n=made.annual.after_freeze)
    screen.issues(made.issues, limit=_MOST)
    sums = made.manifest["sums"]
    screen.say("settle.year_sums", funds=len(made.annual.funds), **sums)
    if made.differences is not None:
        screen.say("settle.year_differences", n=len(made.differences))
    annual = made.annual
    if mark := mark_text(annual.confidence, is_demo=annual.is_demo, lang=screen.lang):
        screen.log(mark)
