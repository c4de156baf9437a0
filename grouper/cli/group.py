"""`grouper group` and `grouper columns`: files of discharges in, the same rows with groups out."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grouper.cli import streams
from grouper.cli.chain import check_suffix, reading
from grouper.cli.dip import dip_to_file, is_dip
from grouper.cli.on_spark import group_on_spark
from grouper.cli.options import (
    Command,
    as_json,
    common,
    file_options,
    option,
    output_options,
    scheme_or_catalogue_options,
    terminal,
)
from grouper.cli.output import DONE, FINDINGS, Terminal, sums
from grouper.cli.run_folder import FORMS, is_streamed, stream_options, to_file, to_folder
from grouper.errors import Issue

if TYPE_CHECKING:
    from grouper.records.read import Records
    from grouper.run.tally import Outcome

#: how many of the commonest problems the summary shows
_SHOWN = 5


@click.command(cls=Command, name="group", help="help.group")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@scheme_or_catalogue_options
@option("-o", "--out", metavar="OUT", help="options.out")
@option("--run", metavar="DIR", help="options.run")
@stream_options
@file_options
@output_options
@option(
    "--engine",
    type=click.Choice(["kernel", "reference"]),
    default="kernel",
    show_default=True,
    help="options.engine",
)
@option("--on", type=click.Choice(["here", "spark"]), default="here", help="options.on")
@option("--master", metavar="URL", help="options.master")
@as_json
@common
@click.pass_context
def group(
    ctx: click.Context,
    files: tuple[str, ...],
    scheme: str,
    preset: str | None,
    op_classes: str | None,
    auxiliary: str | None,
    auxiliary_rules: str | None,
    out: str | None,
    run: str | None,
    batch: int | None,
    threads: int | None,
    layout: str | None,
    mapping: str | None,
    as_is: bool,
    input_encoding: str | None,
    encoding: str | None,
    force: bool,
    engine: Any,
    on: str,
    master: str | None,
    json_: bool,
) -> int:
    """Group every row of the files and write them with their groups appended."""
    from grouper.records.write import check_output

    screen, started = terminal(ctx), time.perf_counter()
    if not out and not run:
        raise click.UsageError(screen.text("usage.no_output"), ctx)
    if json_ and out == "-":
        raise click.UsageError(screen.text("usage.two_on_stdout"), ctx)
    is_dip(ctx)
    if auxiliary and (run or on == "spark" or master):
        raise click.UsageError(screen.text("usage.auxiliary_alone"), ctx)
    if on == "spark" or master:
        return group_on_spark(ctx)
    if run and "-" in files:
        raise click.UsageError(screen.text("usage.run_stdin"), ctx)
    if run and out and out != "-":
        check_suffix(ctx, out, FORMS)
    overwrite: Any = "replace" if force else "refuse"
    with streams.inputs(ctx, files) as paths:
        if out is None:
            found = to_folder(ctx, paths, None)
        else:
            with streams.output(out, ".csv" if run else _like(paths)) as target:
                check_output(target, paths, overwrite=overwrite)
                found = _grouped(ctx, paths, target)
    seconds = time.perf_counter() - started
    wrote = {"out": out} if out else {}
    wrote |= {"run": run} if run else {}
    if json_:
        screen.json(summary(found, screen) | {**wrote, "seconds": round(seconds, 3)})
    print_summary(found, screen, files, out or str(run), seconds)
    return FINDINGS if found.counts.rejected else DONE


def _grouped(ctx: click.Context, paths: list[Path], target: Path) -> Outcome:
    """Into a folder, in parts, or at once; the rows written are the same."""
    if ctx.params["run"]:
        return to_folder(ctx, paths, target)
    if is_streamed(ctx, paths, target):
        return to_file(ctx, paths, target)
    return dip_to_file(ctx, paths, target) if is_dip(ctx) else _at_once(ctx, paths, target)


def _at_once(ctx: click.Context, paths: list[Path], target: Path) -> Outcome:
    from grouper.api import load_scheme
    from grouper.records.write import write_results
    from grouper.run.pipeline import group_files
    from grouper.run.results import result_columns, run_info
    from grouper.run.tally import Outcome

    how, lang = ctx.params, terminal(ctx).lang
    run = group_files(paths, load_scheme(how["scheme"]), engine=how["engine"], **reading(how))
    write_results(
        target,
        run.records.user,
        result_columns(run.groups, lang),
        lang=lang,
        encoding=how["encoding"],
        overwrite="replace" if how["force"] else "refuse",
        info=run_info(run, lang),
    )
    records = run.records
    return Outcome(
        run.counts, records.issues, records.notes, run.scheme, run.engine, run.groups.slow
    )


@click.command(cls=Command, name="columns", help="help.columns")
@click.argument("file", metavar="FILE")
@file_options
@as_json
@common
@click.pass_context
def columns(
    ctx: click.Context,
    file: str,
    layout: str | None,
    mapping: str | None,
    as_is: bool,
    input_encoding: str | None,
    json_: bool,
) -> int:
    """The field of every column, with its first values."""
    from grouper.records.read import read_records

    screen = terminal(ctx)
    with streams.inputs(ctx, [file]) as paths:
        records = read_records(
            paths,
            layout=layout,
            mapping=mapping,
            cleaning="as_is" if as_is else "standard",
            encoding=input_encoding,
        )
    rows = _column_rows(records, screen)
    if json_:
        screen.json({"sources": _sources(records.notes), "columns": rows})
        return DONE
    titles = [screen.text(f"column.{key}") for key in ("header", "field", "meaning", "values")]
    shown = [[r["column"], r["field"], r["meaning"], " | ".join(r["values"])] for r in rows]
    screen.table(titles, shown)
    return DONE


def _like(paths: list[Path]) -> str:
    """The form of stdout: that of the input where it is text or JSON."""
    suffix = paths[0].suffix.lower()
    return suffix if suffix in (".jsonl", ".json", ".tsv") else ".csv"


def _column_rows(records: Records, screen: Terminal) -> list[dict[str, Any]]:
    user = records.user
    return [
        {
            "column": name,
            "field": user.fields.get(name, "").partition("[")[0],
            "meaning": _meaning(user.fields.get(name, ""), screen),
            "values": [str(value) for value in column[:3]],
        }
        for name, column in zip(user.names, user.columns, strict=True)
    ]


def _meaning(expression: str, screen: Terminal) -> str:
    """What a column is used as, in words; `dx[0]` and `dx[+n]` are first and other codes."""
    from grouper.records.fields import fields

    name, bracket, _ = expression.partition("[")
    if bracket and name in ("dx", "px"):
        place = "first" if expression.endswith("[0]") else "other"
        return screen.text(f"field.{name}_{place}")
    return fields()[name].title(screen.lang) if name in fields() else ""


def _sources(notes: Mapping[str, object]) -> list[dict[str, Any]]:
    found = notes.get("sources", [])
    return [dict(source) for source in found] if isinstance(found, list) else []


def problems(issues: list[Issue], notes: Mapping[str, object]) -> list[tuple[int, Issue]]:
    """The commonest issues: how often, and the first of each code as the example."""
    found = Counter(issue.code for issue in issues)
    counted = notes.get("counts")
    # the reader keeps a limited number of issues but counts them all
    if isinstance(counted, dict):
        found |= Counter({str(code): int(n) for code, n in counted.items()})
    first = {issue.code: issue for issue in reversed(issues)}
    common_first = sorted(first, key=lambda code: (-found[code], code))
    return [(found[code], first[code]) for code in common_first]


def summary(run: Outcome, screen: Terminal) -> dict[str, Any]:
    """The keys of `group --json`."""
    counts = run.counts
    return {
        "scheme": run.scheme.id,
        "digest": run.scheme.digest,
        **({"rules": run.notes["rules"]} if "rules" in run.notes else {}),
        "engine": run.engine,
        "rows": counts.rows,
        "grouped": counts.grouped,
        "ambiguous": counts.ambiguous,
        "ungrouped": counts.ungrouped,
        "rejected": counts.rejected,
        "reasons": dict(counts.reasons),
        "slow_path": run.slow,
        "sources": _sources(run.notes),
        "unknown_codes": run.notes.get("unknown_codes", []),
        "problems": [
            {"count": n, **issue.to_dict(screen.lang)}
            for n, issue in problems(run.issues, run.notes)
        ],
    }


def print_summary(
    run: Outcome, screen: Terminal, files: tuple[str, ...], out: str, seconds: float
) -> None:
    """The summary on stderr."""
    from grouper.run.results import reason_text, words

    counts, sources = run.counts, _sources(run.notes)
    lines: list[tuple[str, object]] = []
    if len(sources) > 1:
        lines.append((screen.text("summary.files"), len(sources)))
    for key in ("rows", "grouped", "ambiguous", "ungrouped", "rejected"):
        lines.append((screen.text(f"summary.{key}"), f"{getattr(counts, key):,}"))
    for token, n in counts.reasons.items():
        title = screen.text("summary.by_reason", reason=reason_text(token, screen.lang))
        lines.append((title, f"{n:,}"))
    for key in ("encoding", "layout"):
        named = sorted({str(source[key]) for source in sources if source.get(key)})
        if named:
            lines.append((screen.text(f"summary.{key}"), ", ".join(named)))
    lines.append((screen.text("summary.scheme"), f"{run.scheme.id} {run.scheme.digest[:12]}"))
    rules = run.notes.get("rules")
    if isinstance(rules, dict):
        lines.append((words(screen.lang)["info"]["preset"], rules["preset"]))
    lines.append((screen.text("summary.seconds"), f"{seconds:.1f}"))
    screen.say("summary.title", files=", ".join(files))
    screen.log(sums(lines))
    _print_problems(run, screen)
    if run.scheme.is_draft:
        screen.say("summary.draft")
    if out != "-":
        screen.say("say.wrote", path=out)


def _print_problems(run: Outcome, screen: Terminal) -> None:
    found = problems(run.issues, run.notes)
    if found:
        screen.say("summary.problems")
    for n, issue in found[:_SHOWN]:
        screen.say("summary.problem", n=n, code=issue.code, what=issue.what(screen.lang))
        if fix := issue.fix(screen.lang):
            screen.say("summary.problem_fix", fix=fix)
    if len(found) > _SHOWN:
        screen.say("say.more", n=len(found) - _SHOWN)
