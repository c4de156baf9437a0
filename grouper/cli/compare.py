"""`grouper compare`: the same discharges under two schemes, and what moves."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grouper.cli import streams
from grouper.cli.chain import check_suffix
from grouper.cli.options import Command, as_json, common, file_options, option, terminal
from grouper.cli.output import DONE, FINDINGS, Terminal, sums
from grouper.cli.progress import Progress
from grouper.cli.run_folder import stream_options

if TYPE_CHECKING:
    from grouper.report.comparison import ComparisonReport
    from grouper.run.comparison import Comparison, Side

#: flows that the terminal shows
_SHOWN = 15


def _dimensions(ctx: click.Context, _: click.Parameter, values: tuple[str, ...]) -> list[str]:
    """`--by hospital,dept` or `--by` repeated; wrong usage for other words."""
    from grouper.run.comparison import DIMENSIONS

    asked = [word.strip() for value in values for word in value.split(",") if word.strip()]
    for word in asked:
        if word not in DIMENSIONS:
            known = ", ".join(DIMENSIONS)
            raise click.UsageError(terminal(ctx).text("usage.by", word=word, known=known), ctx)
    return list(dict.fromkeys(asked))


def rate_value(ctx: click.Context, _: click.Parameter, value: str | None) -> Decimal | None:
    """A rate in yuan; wrong usage if it is no positive number."""
    if value is None:
        return None
    try:
        rate = Decimal(value)
    except InvalidOperation:
        rate = Decimal(0)
    if not rate.is_finite() or rate <= 0:
        raise click.UsageError(terminal(ctx).text("usage.rate", text=value), ctx)
    return rate


@click.command(cls=Command, name="compare", help="help.compare")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@option("--from", "before", required=True, metavar="SCHEME", help="options.from")
@option("--to", "after", required=True, metavar="SCHEME", help="options.to")
@option("--by", multiple=True, callback=_dimensions, metavar="NAMES", help="options.compare_by")
@option("--weights-from", metavar="TABLE", help="options.weights_from")
@option("--weights-to", metavar="TABLE", help="options.weights_to")
@option("--rate-from", callback=rate_value, metavar="YUAN", help="options.rate_from")
@option("--rate-to", callback=rate_value, metavar="YUAN", help="options.rate_to")
@option(
    "--samples",
    type=click.IntRange(0),
    default=50,
    show_default=True,
    metavar="N",
    help="options.samples",
)
@option("-o", "--out", metavar="OUT", help="options.compare_out")
@stream_options
@file_options
@option("--force", is_flag=True, help="options.force")
@as_json
@common
@click.pass_context
def compare(
    ctx: click.Context,
    /,
    files: tuple[str, ...],
    out: str | None,
    force: bool,
    json_: bool,
    **_: Any,
) -> int:
    """Count what moves; write it as workbook, page or JSON."""
    from grouper.records.outfile import check_output
    from grouper.report.comparison import ComparisonReport, comparison_dict
    from grouper.report.save import save

    screen = terminal(ctx)
    target = check_suffix(ctx, out, tuple(_forms())) if out else None
    overwrite: Any = "replace" if force else "refuse"
    with streams.inputs(ctx, files) as paths:
        if target:
            check_output(target, paths, overwrite=overwrite)
        found = _compared(ctx, paths)
        report = ComparisonReport(found, screen.lang)
        if target:
            content = _forms()[target.suffix.lower()](report)
            save(target, content, inputs=paths, overwrite=overwrite)
    if json_:
        screen.json(comparison_dict(report) | ({"out": out} if out else {}))
    elif not out:
        _print_flows(report, screen)
    _print_summary(report, screen)
    if out:
        screen.say("say.wrote", path=out)
    return FINDINGS if found.outcome.counts.rejected else DONE


def _compared(ctx: click.Context, paths: list[Path]) -> Comparison:
    from grouper.api import load_scheme
    from grouper.records.mapfile import load_map
    from grouper.run.comparison import check_sides, compare_files
    from grouper.run.stream import BATCH, Options

    how = ctx.params
    for side in ("from", "to"):
        if how[f"rate_{side}"] and not how[f"weights_{side}"]:
            raise click.UsageError(terminal(ctx).text("usage.rate_alone", side=side), ctx)
    before, after = load_scheme(how["before"]), load_scheme(how["after"])
    check_sides(before, after)
    options = Options(
        layout=how["layout"],
        mapping=dict(load_map(how["mapping"])[1]) if how["mapping"] else None,
        cleaning="as_is" if how["as_is"] else "standard",
        input_encoding=how["input_encoding"],
    )
    with Progress(terminal(ctx)) as progress:
        return compare_files(
            paths,
            _side(before, how["weights_from"], how["rate_from"]),
            _side(after, how["weights_to"], how["rate_to"]),
            options,
            by=how["by"],
            samples=how["samples"],
            threads=how["threads"],
            batch=how["batch"] or BATCH,
            progress=progress,
        )


def _side(scheme: Any, table: str | None, rate: Decimal | None) -> Side:
    from grouper.run.comparison import Side
    from grouper.run.worth import load_worth

    return Side(scheme, load_worth(table, scheme, rate=rate) if table else None)


def _forms() -> dict[str, Callable[[ComparisonReport], bytes]]:
    """Suffix -> how the file is made."""
    from grouper.report.comparison import comparison_dict
    from grouper.report.comparison_book import render_comparison_book
    from grouper.report.comparison_page import render_comparison_page
    from grouper.report.save import json_file

    def page(report: ComparisonReport) -> bytes:
        return render_comparison_page(report).encode()

    def as_json(report: ComparisonReport) -> bytes:
        return json_file(comparison_dict(report))

    return {".xlsx": render_comparison_book, ".html": page, ".htm": page, ".json": as_json}


def _print_flows(report: ComparisonReport, screen: Terminal) -> None:
    from grouper.report.words import Words, money

    words = Words(screen.lang)
    titles = [words(f"compare.{key}") for key in ("from_code", "to_code", "kinds")]
    titles += [words("column.cases"), words("column.cost"), words("compare.to_name")]
    rows = [
        [
            report.label(flow.before),
            report.label(flow.after),
            words(f"move.{flow.kind}"),
            flow.totals["cases"],
            money(flow.totals["cost"]),
            flow.after.name,
        ]
        for flow in report.movement.moves[:_SHOWN]
    ]
    screen.table(titles, rows)


def _print_summary(report: ComparisonReport, screen: Terminal) -> None:
    """The figures on stderr."""
    from grouper.engine.groups import Status
    from grouper.monitor.movement import KINDS
    from grouper.monitor.ratio import percent
    from grouper.report.words import Words, money, share

    words, whole = Words(screen.lang), report.whole
    cases, moved = whole.totals["cases"], whole.moved["cases"]
    lines: list[tuple[str, object]] = [
        (words("compare.cases"), f"{cases:,}"),
        (words("compare.moved"), f"{moved:,} ({share(moved, cases)})"),
        (words("compare.unmoved"), f"{cases - moved:,}"),
    ]
    for kind in KINDS[1:]:
        lines.append((f"  {words(f'move.{kind}')}", f"{whole.of_kind(kind)['cases']:,}"))
    if whole.recoded:
        lines.append((f"  {words('compare.of_name')}", f"{whole.recoded:,}"))
    if rejected := whole.status("from", Status.REJECTED):
        lines.append((words("status.rejected"), f"{rejected:,}"))
    lines.append((words("compare.cost_moved"), money(whole.moved["cost"])))
    for (side, _), name in zip(report.sides(), report.scheme_names, strict=True):
        rate = report.rate_bp(whole, side)
        found = [] if rate is None else [f"{words('compare.rate_grouped')} {percent(rate)}"]
        if (cmi := report.cmi(whole, side)) is not None:
            found.append(f"CMI {cmi // 10_000}.{cmi % 10_000:04d}")
        if (payment := whole.payment_fen(side)) is not None:
            found.append(f"{words('compare.payment')} {money(payment)}")
        lines.append((name, ", ".join(found)))
    if (difference := whole.payment_difference_fen) is not None:
        lines.append((words("compare.difference"), money(difference)))
    screen.log(report.title)
    screen.log(sums(lines))
    for note in report.warnings():
        screen.log(note)
    if any(side.scheme.is_draft for _, side in report.sides()):
        screen.say("summary.draft")
