"""`grouper weights estimate`: weights from grouped cases with their costs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grouper.cli import streams
from grouper.cli.chain import check_suffix, date_value
from grouper.cli.numbers import (
    decimal_value,
    fraction,
    trim_value,
    weights_by_year,
    year_weights_value,
)
from grouper.cli.options import Command, Function, as_json, common, option, terminal
from grouper.cli.output import DONE, Terminal, issue_list
from grouper.cli.progress import Progress

if TYPE_CHECKING:
    from weights.choices import Choices
    from weights.estimated import Estimate
    from weights.history import History
    from weights.older import Comparison
    from weights.table import Head

_COLUMNS = ("group", "cost", "adrg", "name", "year", "date", "hospital", "status")
#: the id of a table whose folder has no letter that an id may have
_UNNAMED = "estimate"
#: what a head says where nobody said anything
_UNKNOWN = "unknown"
#: the first day of a table whose cases have no year
_ALWAYS = date(2000, 1, 1)


def _incentives(
    ctx: click.Context, _: click.Parameter, values: Sequence[str]
) -> dict[str, Fraction]:
    found = {}
    for value in values:
        code, mark, factor = value.partition("=")
        if not code or not mark:
            raise click.BadParameter(terminal(ctx).text("usage.est_incentive", text=value))
        found[code.strip()] = fraction(ctx, factor, "est_incentive", value)
    return found


def _multiples(
    ctx: click.Context, _: click.Parameter, value: str | None
) -> tuple[Fraction, Fraction] | None:
    if value is None:
        return None
    low, _mark, high = value.partition(":")
    return (
        fraction(ctx, low, "est_multiples", value),
        fraction(ctx, high, "est_multiples", value),
    )


def _head_options(function: Function) -> Function:
    """What the table is called, and where and when it holds."""
    for add in (
        option("--valid-to", callback=date_value, metavar="DATE", help="options.est_to"),
        option("--valid-from", callback=date_value, metavar="DATE", help="options.est_from"),
        option("--title", metavar="TEXT", help="options.est_title"),
        option("--id", "id_", metavar="ID", help="options.est_id"),
        option("--area", default=_UNKNOWN, metavar="AREA", help="options.est_area"),
        option("-s", "--scheme", default=_UNKNOWN, metavar="SCHEME", help="options.est_scheme"),
    ):
        function = add(function)
    return function


def _choice_options(function: Function) -> Function:
    """Everything that is chosen about an estimate."""
    some = click.Choice
    for add in (
        option("--one-hospital", is_flag=True, help="options.est_one_hospital"),
        option("--level", default="0.95", callback=decimal_value, metavar="P", show_default=True,
               help="options.est_level"),
        option("--incentive", "incentives", multiple=True, callback=_incentives,
               metavar="CODE=FACTOR", help="options.est_incentive"),
        option("--severity-order", default="135", metavar="LETTERS", show_default=True,
               help="options.est_order"),
        option("--severity", type=some(["pool", "keep"]), default="pool", show_default=True,
               help="options.est_severity"),
        option("--prior-cases", default="30", callback=decimal_value, metavar="N",
               show_default=True, help="options.est_prior"),
        option("--small-cases", type=int, default=5, metavar="N", show_default=True,
               help="options.est_small_cases"),
        option("--small", type=some(["merge", "shrink", "mark"]), default="merge",
               show_default=True, help="options.est_small"),
        option("--year-mean", type=some(["years", "cases"]), default="years", show_default=True,
               help="options.est_year_mean"),
        option("--year-weights", callback=year_weights_value, metavar="W:W:W",
               help="options.est_year_weights"),
        option("--trim-min-cases", type=int, default=8, metavar="N", show_default=True,
               help="options.est_trim_cases"),
        option("--trim", default="iqr:1.5", callback=trim_value, metavar="METHOD",
               show_default=True, help="options.est_trim"),
    ):  # fmt: skip
        function = add(function)
    return function


def _column_options(function: Function) -> Function:
    """Which column of the files is what."""
    function = option("--input-encoding", metavar="NAME", help="options.input_encoding")(function)
    for name in reversed(_COLUMNS):
        function = option(f"--{name}-column", metavar="HEADER", help="options.est_column")(function)
    return function


@click.command(cls=Command, name="estimate", help="help.weights_estimate")
@click.argument("files", nargs=-1, required=True, metavar="IN... OUT")
@_head_options
@_choice_options
@option("--bad-costs", type=click.Choice(["refuse", "leave-out"]), default="refuse",
        show_default=True, help="options.est_bad")  # fmt: skip
@option("--old", metavar="TABLE", help="options.est_old")
@option("--outliers", callback=_multiples, metavar="LOW:HIGH", help="options.est_outliers")
@option("--report", "reports", multiple=True, metavar="FILE", help="options.est_report")
@_column_options
@option("--force", is_flag=True, help="options.est_force")
@as_json
@common
@click.pass_context
def estimate(
    ctx: click.Context,
    /,
    files: tuple[str, ...],
    old: str | None,
    reports: tuple[str, ...],
    force: bool,
    json_: bool,
    **how: Any,
) -> int:
    """Read, estimate, compare, write: the table's folder, then the reports."""
    from grouper.datafile import write_folder
    from grouper.records.outfile import check_output
    from grouper.report.save import save
    from grouper.report.weighing import FORMS, report_of
    from weights.estimate import estimate as estimated
    from weights.load import HEAD_FILE, load
    from weights.older import compare, lacking
    from weights.record import estimate_files

    screen = terminal(ctx)
    if len(files) < 2:
        raise click.UsageError(screen.text("usage.est_files"), ctx)
    out = Path(files[-1]).absolute()
    overwrite: Any = "replace" if force else "refuse"
    targets = [check_suffix(ctx, name, tuple(FORMS)) for name in reports]
    older = load(old) if old else None
    with streams.inputs(ctx, files[:-1]) as paths:
        # said before anything is read, not after
        for target in targets:
            check_output(target, paths, overwrite=overwrite)
        if out.exists():
            check_output(out / HEAD_FILE if out.is_dir() else out, paths, overwrite=overwrite)
        history = _read(paths, how, screen)
    found = estimated(history, _choices(how, history))
    comparison = None if older is None else compare(found, older)
    if comparison is not None:
        found = replace(found, issues=(*found.issues, *lacking(comparison)))
    head = _head(how, out, paths, found, screen)
    table = estimate_files(found, head)
    report = report_of(
        found, head, history, comparison, multiples=how["outliers"], lang=screen.lang
    )
    pages = [(target, FORMS[target.suffix.lower()](report)) for target in targets]
    write_folder(out, table, mark=HEAD_FILE, overwrite=overwrite)
    for target, content in pages:
        save(target, content, inputs=paths, overwrite=overwrite)
    if json_:
        issues = issue_list(found.issues, screen.lang)
        screen.json({"out": files[-1], **report.to_dict(issues)})
    _summarize(found, comparison, screen)
    for name in (files[-1], *targets):
        screen.say("say.wrote", path=name)
    return DONE


def _read(paths: Sequence[Path], how: Mapping[str, Any], screen: Terminal) -> History:
    from grouper.run.history import read_history

    with Progress(screen) as progress:
        return read_history(
            paths,
            named={k: how[f"{k}_column"] for k in _COLUMNS if how[f"{k}_column"]},
            bad_costs=how["bad_costs"].replace("-", "_"),
            encoding=how["input_encoding"],
            progress=progress,
        )


def _choices(how: Mapping[str, Any], history: History) -> Choices:
    from weights.choices import Choices
    from weights.trim import Trim

    method, low, high = how["trim"]
    given = weights_by_year(how["year_weights"], history.years)
    return Choices(
        trim=Trim(method, low, high, how["trim_min_cases"]),
        year_weights=given,
        year_mean=how["year_mean"],
        small=how["small"],
        small_cases=how["small_cases"],
        prior_cases=how["prior_cases"],
        severity=how["severity"],
        severity_order=how["severity_order"],
        incentives=how["incentives"],
        level=how["level"],
        hospitals="any" if how["one_hospital"] else "several",
    )


def _head(
    how: Mapping[str, Any], out: Path, paths: Sequence[Path], found: Estimate, screen: Terminal
) -> Head:
    from grouper import __version__
    from grouper.dated import Span
    from weights.record import head_of

    start = how["valid_from"]
    if start is None:
        last = max(found.years, default=0)
        start = date(last + 1, 1, 1) if last else _ALWAYS
        if not last:
            screen.say("estimate.no_years", day=start)
    # an id is made of small letters, digits and - _ .
    name = how["id_"] or re.sub(r"[^a-z0-9_.]+", "-", out.name.lower()).strip("-.") or _UNNAMED
    files = ", ".join(path.name for path in paths)
    return head_of(
        found,
        id=name,
        title=how["title"] or out.name,
        scheme_id=how["scheme"],
        area=how["area"],
        span=Span(start, how["valid_to"]),
        source=f"estimated by chs-grouper {__version__} from {files}",
    )


def _summarize(found: Estimate, comparison: Comparison | None, screen: Terminal) -> None:
    from weights.estimated import WEAK
    from weights.record import facts_record, places

    facts = facts_record(found)
    years = ", ".join(str(year) for year in found.years if year) or "-"
    left_out = sum(found.left_out.values())
    screen.say(
        "estimate.cases",
        cases=facts["cases"],
        trimmed=facts["trimmed"],
        left_out=left_out,
        groups=facts["groups"],
        hospitals=found.hospitals or "-",
        years=years,
    )
    screen.say("estimate.mean", mean=facts["mean_cost"], riv=facts["riv"])
    marks = Counter(mark for one in found.groups for mark in one.marks if mark in WEAK)
    said = ", ".join(f"{screen.text(f'estimate.{m}')} {n}" for m, n in marks.most_common())
    screen.say(
        "estimate.carried",
        carried=facts["groups_carried"],
        groups=facts["groups"],
        marks=said or screen.text("say.none"),
    )
    screen.say(
        "estimate.total",
        total=facts["total_weight"],
        kept=found.kept,
        residual=facts["residual"],
    )
    if comparison is not None:
        rows = comparison.rows
        screen.say(
            "estimate.compared",
            old=comparison.old_id,
            both=sum(row.old is not None and row.new is not None for row in rows),
            new=sum(row.old is None for row in rows),
            gone=sum(row.new is None for row in rows),
            scale="-" if comparison.scale is None else places(comparison.scale, 6),
        )
    screen.issues(found.issues, limit=10)
