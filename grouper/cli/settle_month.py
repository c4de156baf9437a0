"""`grouper settle month`: the statements of a month, alone or closed in a book."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grouper.cli import streams
from grouper.cli.chain import (
    check_suffix,
    date_value,
    money_options,
    month_value,
    reading,
    settle_inputs,
)
from grouper.cli.options import Command, as_json, common, option, terminal
from grouper.cli.output import DONE, FINDINGS, Terminal, issue_list

if TYPE_CHECKING:
    from grouper.run.month import MonthRun
    from grouper.run.settlement import SettledRun
    from grouper.settle.statement import Statement

#: lines of the statement for a terminal, and those shown where they are not zero everywhere
_SHOWN = ("M1", "M2", "M3", "M6", "M11", "M15")
_SHOWN_IF_ANY = ("M7", "M8", "M8b", "M9", "M13", "M14", "M16")
_SUFFIXES = (".xlsx", ".html", ".json", ".csv", ".tsv", ".parquet")
#: issues that a terminal lists one by one; `--json` has all of them
_MOST = 20


@click.command(cls=Command, name="month", help="help.settle_month")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@option("--month", required=True, callback=month_value, metavar="YYYY-MM", help="options.month")
@option("--book", metavar="DIR", help="options.book")
@option("--entries", metavar="FILE", help="options.entries")
@option("--paid-on", callback=date_value, metavar="YYYY-MM-DD", help="options.paid_on")
@option("--calendar", metavar="FILE", help="options.calendar")
@option("-o", "--out", metavar="OUT", help="options.statement_out")
@money_options
@option("--force", is_flag=True, help="options.force")
@as_json
@common
@click.pass_context
def month(
    ctx: click.Context,
    /,
    files: tuple[str, ...],
    month: str,
    book: str | None,
    entries: str | None,
    paid_on: date | None,
    calendar: str | None,
    out: str | None,
    force: bool,
    json_: bool,
    **how: Any,
) -> int:
    """One statement for each hospital, insurance and place; their parts sum to the total."""
    from grouper.records.outfile import as_it_was, check_output
    from grouper.run.month import close_month, manifest

    screen = terminal(ctx)
    target = check_suffix(ctx, out, _SUFFIXES) if out is not None else None
    overwrite: Any = "replace" if force else "refuse"
    with streams.inputs(ctx, files) as paths:
        given = [*paths, *(Path(name) for name in (entries, calendar) if name)]
        if target is not None:
            check_output(target, given, overwrite=overwrite)
        settled = settled_lists(paths, how)

        def write(made: MonthRun) -> None:
            if target is not None:
                _write(target, settled, made, manifest(settled, made, given), screen)

        with as_it_was(target):
            made = close_month(
                settled,
                how["area"],
                month,
                book=Path(book) if book else None,
                entries=Path(entries) if entries else None,
                calendar=Path(calendar) if calendar else None,
                paid_on=paid_on,
                inputs=given,
                write=write,
            )
        if json_:
            screen.json(_as_object(made, manifest(settled, made, given), screen))
        elif out is None:
            _print(made.closed.statements, screen)
    _print_counts(settled, made, screen)
    for name in (book, out):
        if name is not None:
            screen.say("say.wrote", path=name)
    return _code(settled, made)


def settled_lists(paths: Sequence[Path], how: dict[str, Any]) -> SettledRun:
    """The lists of some files, priced by the scheme asked for, or each by that of its day."""
    from grouper.api import load_scheme
    from grouper.records.read import read_records
    from grouper.run.month import settle_records
    from grouper.run.settlement import is_lead, pays_by_dip

    alone = is_lead(how["area"]) or pays_by_dip(how["area"])
    if how["scheme"] or how["weights"] or alone:
        return settle_inputs(paths, how)
    allow: Any = "unverified" if how["allow_unverified"] else "verified"
    records = read_records(paths, **reading(how))
    return settle_records(records, how["area"], allow=allow, load=load_scheme)


def _code(settled: SettledRun, made: MonthRun) -> int:
    """1 if a case could not be priced or counted, or a list could not enter."""
    wrong = any(issue.severity == "error" for issue in made.issues)
    return DONE if settled.amounts.counted.all() and not wrong else FINDINGS


def _as_object(made: MonthRun, rests_on: dict[str, Any], screen: Terminal) -> dict[str, Any]:
    return {
        "month": made.closed.month,
        "statements": [one.to_dict() for one in made.closed.statements],
        "manifest": rests_on,
        "issues": issue_list(made.issues, screen.lang),
    }


def _write(
    target: Path, settled: SettledRun, made: MonthRun, rests_on: dict[str, Any], screen: Terminal
) -> None:
    from grouper.report.assemble import settled_report
    from grouper.report.save import FORMS, json_file, save
    from grouper.run.month_table import statement_table, table_file

    suffix = target.suffix.lower()
    if suffix == ".json":
        content = json_file(_as_object(made, rests_on, screen))
    elif suffix in FORMS:
        data = settled_report(
            settled, lang=screen.lang, month=made.closed.month, closed=made.closed.statements
        )
        content = FORMS[suffix](data)
    else:
        content = table_file(statement_table(made, screen.lang), target)
    save(target, content, overwrite="replace")


def _print(made: Sequence[Statement], screen: Terminal) -> None:
    from grouper.settle.place import Place

    zh = screen.lang == "zh"
    keys = ("hospital", "insurance", "place")
    titles = [screen.text(f"settle.{key}") for key in keys]
    shown = [
        line
        for line in (made[0].lines if made else ())
        if line.id in _SHOWN
        or (line.id in _SHOWN_IF_ANY and any(one.line(line.id).amount_fen for one in made))
    ]
    titles += [f"{line.id} {line.label_zh if zh else line.label_en}" for line in shown]
    rows = [
        [
            one.hospital_name or one.hospital,
            one.insurance_zh if zh else one.insurance_en,
            Place[one.place.upper()].word(screen.lang),
            *(one.line(line.id).text for line in shown),
        ]
        for one in made
    ]
    screen.table(titles, rows)


def _print_counts(settled: SettledRun, made: MonthRun, screen: Terminal) -> None:
    """How the cases were paid, which lists entered, and what is to be said of the month."""
    for kind, n in settled.amounts.type_counts().items():
        if n:
            screen.log(f"{kind.word(screen.lang)}: {n:,}")
    for issue, n in settled.amounts.issue_counts():
        what, fix = issue.what(screen.lang), issue.fix(screen.lang)
        screen.say("summary.problem", n=n, code=issue.code, what=what)
        if fix:
            screen.say("summary.problem_fix", fix=fix)
    screen.issues(made.issues, limit=_MOST)
    for what, n in made.closed.counts.items():
        if n and what != "other_months":
            screen.say(f"settle.rows_{what}", n=n)
    if made.closed.statements:
        screen.say("settle.statements", n=len(made.closed.statements))
        screen.say("settle.due", until=made.rules.claims_until, due=made.due)
    else:
        screen.say("settle.no_statement", month=made.closed.month)
    if mark := settled.amounts.mark(screen.lang):
        screen.log(mark)
