"""`grouper settle`: what discharges are paid, one by one as a month or a year."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grouper.cli import streams
from grouper.cli.chain import check_suffix, money_options, row_index, settle_inputs
from grouper.cli.options import (
    Command,
    Family,
    as_json,
    common,
    option,
    output_options,
    terminal,
)
from grouper.cli.output import DONE, FINDINGS, Terminal
from grouper.cli.progress import Progress
from grouper.cli.run_folder import FORMS, run_options
from grouper.cli.settle_explain import explain
from grouper.cli.settle_month import month
from grouper.cli.settle_simulate import simulate
from grouper.cli.settle_special import special
from grouper.cli.settle_year import year

if TYPE_CHECKING:
    from grouper.run.settled import SettledFile
    from grouper.run.settlement import SettledRun
    from grouper.settle.sums import CaseSums


@click.command(cls=Family, name="settle", help="help.settle")
@common
def settle() -> None:
    """The family; its help text stands in the command texts."""


@settle.command("bill", cls=Command, help="help.settle_bill")
@click.argument("file", metavar="FILE")
@option("--row", type=int, metavar="N", help="options.row")
@option("-o", "--out", metavar="OUT", help="options.out")
@money_options
@output_options
@as_json
@common
@click.pass_context
def bill(
    ctx: click.Context, /, file: str, row: int | None, out: str | None, json_: bool, **how: Any
) -> int:
    """The amount of one row or of all, with every step of the calculation."""
    screen = terminal(ctx)
    with streams.inputs(ctx, [file]) as paths:
        if out is not None and row is None:
            return _write_bills(ctx, paths, out, how, json_)
        if out is not None:
            check_suffix(ctx, out, (".xlsx",))
        settled = settle_inputs(paths, how)
    rows = range(len(settled.amounts))
    if row is not None:
        position = row_index(ctx, row, len(settled.amounts))
        rows = range(position, position + 1)
    if out is not None:
        _write_forms(Path(out), settled, rows, screen, force=how["force"])
    if out is None or json_:
        _print_bills(settled, rows, screen, json_)
    return _code(settled)


settle.add_command(explain)
settle.add_command(month)
settle.add_command(simulate)
settle.add_command(special)
settle.add_command(year)


def _code(settled: SettledRun) -> int:
    """1 if there is a case that could not be priced or counted."""
    return FINDINGS if settled.amounts.issue.any() else DONE


def _write_bills(
    ctx: click.Context, paths: Sequence[Path], out: str, how: dict[str, Any], json_: bool
) -> int:
    """The rows of the input with groups and amounts appended."""
    from grouper.records.write import check_output, write_results
    from grouper.run.chunks import is_streamed
    from grouper.run.settlement import pays_by_dip, settled_columns, settled_info
    from grouper.settle.sums import case_sums

    screen = terminal(ctx)
    if json_ and out == "-":
        raise click.UsageError(screen.text("usage.two_on_stdout"), ctx)
    overwrite: Any = "replace" if how["force"] else "refuse"
    with streams.output(out) as target:
        check_output(target, paths, overwrite=overwrite)
        # scores of DIP may rest on a column of the user's, which the streams do not hand on
        in_parts = target.suffix.lower() in FORMS and is_streamed(paths)
        if in_parts and not pays_by_dip(how["area"]):
            done = _stream_bills(paths, target, how, screen)
            return _report_bills(done.sums, done.settler.mark(screen.lang), out, json_, screen)
        settled = settle_inputs(paths, how)
        sums = case_sums(settled.amounts)
        write_results(
            target,
            settled.run.records.user,
            settled_columns(settled, screen.lang),
            lang=screen.lang,
            encoding=how["encoding"],
            overwrite=overwrite,
            info=settled_info(settled, screen.lang),
        )
    return _report_bills(sums, settled.amounts.mark(screen.lang), out, json_, screen)


def _stream_bills(
    paths: Sequence[Path], target: Path, how: dict[str, Any], screen: Terminal
) -> SettledFile:
    """Price files of any size in bounded memory."""
    from grouper.api import load_scheme
    from grouper.run.settled import settle_to_file
    from grouper.run.settlement import scheme_of

    options = run_options(how, target.suffix.lower(), screen.lang)
    with Progress(screen) as progress:
        return settle_to_file(
            paths,
            load_scheme(how["scheme"] or scheme_of(how["area"])),
            how["area"],
            target,
            options,
            table=how["weights"],
            allow="unverified" if how["allow_unverified"] else "verified",
            progress=progress,
        )


def _report_bills(sums: CaseSums, mark: str, out: str, json_: bool, screen: Terminal) -> int:
    """The counts and sums of a written file."""
    if json_:
        issues = [{"count": n, **i.to_dict(screen.lang)} for i, n in sums.issues]
        from grouper.settle.amounts import CaseType

        types = {kind.word("en"): sums.cases[kind] for kind in CaseType}
        screen.json({"out": out, **sums.to_dict(), **types, "issues": issues})
    _print_counts(sums, mark, screen)
    if out != "-":
        screen.say("say.wrote", path=out)
    return FINDINGS if any(issue.severity == "error" for issue, _ in sums.issues) else DONE


def _write_forms(
    out: Path, settled: SettledRun, rows: range, screen: Terminal, *, force: bool
) -> None:
    """The statement of a case as a page to print."""
    from grouper.report.bill import render_bills
    from grouper.report.save import save

    save(out, render_bills(settled, rows, screen.lang), overwrite="replace" if force else "refuse")
    screen.say("say.wrote", path=out)


def _print_bills(settled: SettledRun, rows: range, screen: Terminal, json_: bool) -> None:
    from grouper.run.settlement import settle_row

    amounts = [(row, settle_row(settled, row)) for row in rows]
    if json_:
        screen.json({"cases": [{"row": r + 1, **one.to_dict(screen.lang)} for r, one in amounts]})
        return
    for row, one in amounts:
        screen.data(screen.text("settle.row", row=row + 1, group=one.group_code or "-"))
        screen.data(one.text(screen.lang))


def _print_counts(sums: CaseSums, mark: str, screen: Terminal) -> None:
    """How the cases were paid, and why some were not."""
    for kind, n in sorted(sums.cases.items()):
        screen.log(f"{kind.word(screen.lang)}: {n:,}")
    for issue, n in sums.issues:
        what, fix = issue.what(screen.lang), issue.fix(screen.lang)
        screen.say("summary.problem", n=n, code=issue.code, what=what)
        if fix:
            screen.say("summary.problem_fix", fix=fix)
    if mark:
        screen.log(mark)
