"""`grouper settle`: what discharges are paid, one by one or as a month."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grouper.cli import streams
from grouper.cli.chain import (
    check_suffix,
    money_options,
    month_value,
    row_index,
    settle_inputs,
)
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

if TYPE_CHECKING:
    from grouper.run.settlement import SettledRun
    from grouper.settle.statement import Statement

#: lines of the statement that fit on a terminal; the file has all of them
_SHOWN = ("M1", "M2", "M3", "M6", "M11", "M15")


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
        if out is not None:
            return _write_bills(ctx, paths, out, how, json_)
        settled = settle_inputs(paths, how)
    rows = range(len(settled.amounts))
    if row is not None:
        position = row_index(ctx, row, len(settled.amounts))
        rows = range(position, position + 1)
    _print_bills(settled, rows, screen, json_)
    return _code(settled)


@settle.command("month", cls=Command, help="help.settle_month")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@option("--month", required=True, callback=month_value, metavar="YYYY-MM", help="options.month")
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
    out: str | None,
    force: bool,
    json_: bool,
    **how: Any,
) -> int:
    """One statement for each hospital and insurance; their parts sum to the total."""
    from grouper.run.settlement import statements

    screen = terminal(ctx)
    if out is not None:
        check_suffix(ctx, out, (".xlsx", ".html", ".json"))
    with streams.inputs(ctx, files) as paths:
        settled = settle_inputs(paths, how)
        made = statements(settled, month)
        if out is not None:
            _write_statements(Path(out), settled, made, month, paths, screen, force)
    if json_:
        screen.json({"month": month, "statements": [one.to_dict() for one in made]})
    elif out is None:
        _print_statements(made, screen)
    _print_counts(settled, made, screen)
    if out is not None:
        screen.say("say.wrote", path=out)
    return _code(settled)


def _code(settled: SettledRun) -> int:
    """1 if there is a case that could not be priced or counted."""
    return DONE if settled.amounts.counted.all() else FINDINGS


def _write_bills(
    ctx: click.Context, paths: Sequence[Path], out: str, how: dict[str, Any], json_: bool
) -> int:
    """The rows of the input with groups and amounts appended."""
    from grouper.records.write import check_output, write_results
    from grouper.run.results import run_info
    from grouper.run.settlement import settled_columns

    screen = terminal(ctx)
    if json_ and out == "-":
        raise click.UsageError(screen.text("usage.two_on_stdout"), ctx)
    overwrite: Any = "replace" if how["force"] else "refuse"
    with streams.output(out) as target:
        check_output(target, paths, overwrite=overwrite)
        settled = settle_inputs(paths, how)
        write_results(
            target,
            settled.run.records.user,
            settled_columns(settled, screen.lang),
            lang=screen.lang,
            encoding=how["encoding"],
            overwrite=overwrite,
            info=run_info(settled.run, screen.lang),
        )
    if json_:
        types = {kind.word("en"): n for kind, n in settled.amounts.type_counts().items()}
        issues = [{"count": n, **i.to_dict(screen.lang)} for i, n in settled.amounts.issue_counts()]
        screen.json({"out": out, "rows": len(settled.amounts), **types, "issues": issues})
    _print_counts(settled, [], screen)
    if out != "-":
        screen.say("say.wrote", path=out)
    return _code(settled)


def _print_bills(settled: SettledRun, rows: range, screen: Terminal, json_: bool) -> None:
    from grouper.run.settlement import settle_row

    amounts = [(row, settle_row(settled, row)) for row in rows]
    if json_:
        screen.json({"cases": [{"row": r + 1, **one.to_dict(screen.lang)} for r, one in amounts]})
        return
    for row, one in amounts:
        screen.data(screen.text("settle.row", row=row + 1, group=one.group_code or "-"))
        screen.data(one.text(screen.lang))


def _print_statements(made: Sequence[Statement], screen: Terminal) -> None:
    zh = screen.lang == "zh"
    titles = [screen.text("settle.hospital"), screen.text("settle.insurance")]
    first = made[0] if made else None
    for key in _SHOWN if first else ():
        line = first.line(key)  # type: ignore[union-attr]
        titles.append(f"{key} {line.label_zh if zh else line.label_en}")
    rows = [
        [
            one.hospital_name or one.hospital,
            one.insurance_zh if zh else one.insurance_en,
            *(one.line(key).text for key in _SHOWN),
        ]
        for one in made
    ]
    screen.table(titles, rows)


def _write_statements(
    out: Path,
    settled: SettledRun,
    made: Sequence[Statement],
    month: str,
    paths: Sequence[Path],
    screen: Terminal,
    force: bool,
) -> None:
    from grouper.report.assemble import settled_report
    from grouper.report.save import json_file, save, save_report

    overwrite: Any = "replace" if force else "refuse"
    if out.suffix.lower() == ".json":
        content = json_file({"month": month, "statements": [one.to_dict() for one in made]})
        save(out, content, inputs=paths, overwrite=overwrite)
        return
    data = settled_report(settled, lang=screen.lang, month=month)
    save_report(out, data, inputs=paths, overwrite=overwrite)


def _print_counts(settled: SettledRun, made: Sequence[Statement], screen: Terminal) -> None:
    """How the cases were paid, and why some were not."""
    for kind, n in settled.amounts.type_counts().items():
        if n:
            screen.log(f"{kind.word(screen.lang)}: {n:,}")
    for issue, n in settled.amounts.issue_counts():
        what, fix = issue.what(screen.lang), issue.fix(screen.lang)
        screen.say("summary.problem", n=n, code=issue.code, what=what)
        if fix:
            screen.say("summary.problem_fix", fix=fix)
    if made:
        screen.say("settle.statements", n=len(made))
    if mark := settled.amounts.mark(screen.lang):
        screen.log(mark)
