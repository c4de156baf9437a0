"""`grouper run`, and how `grouper group` works on files of any size."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grouper.cli.options import (
    Command,
    Family,
    Function,
    as_json,
    common,
    option,
    terminal,
)
from grouper.cli.output import DONE, FINDINGS, Terminal, sums
from grouper.cli.progress import Progress

if TYPE_CHECKING:
    from grouper.errors import Lang
    from grouper.run.grouping import Grouping
    from grouper.run.stream import Options
    from grouper.run.tally import Outcome

#: forms that results can be streamed to
FORMS = (".csv", ".tsv", ".parquet")
#: inputs below this size (bytes) are read at once
_LARGE = 16 << 20


def stream_options(function: Function) -> Function:
    """How much is in memory at a time, and how many threads work."""
    for add in (
        option(
            "--batch", type=click.IntRange(1), default=None, metavar="ROWS", help="options.batch"
        ),
        option("--threads", type=click.IntRange(1), metavar="N", help="options.threads"),
    ):
        function = add(function)
    return function


def is_streamed(ctx: click.Context, paths: Sequence[Path], target: Path) -> bool:
    """Whether files go through in parts: large ones whose form allows it."""
    from grouper.run.chunks import is_streamed as streams_well

    if target.suffix.lower() not in FORMS or not streams_well(paths):
        return False
    sizes = [path.stat().st_size for path in paths if path.is_file()]
    return bool(ctx.params["batch"]) or sum(sizes) >= _LARGE


def run_options(how: Mapping[str, Any], form: str, lang: Lang) -> Options:
    """How a command that streams reads its files and writes a result of a form such as `.csv`."""
    from grouper.records.mapfile import load_map
    from grouper.run.stream import Options

    return Options(
        layout=how["layout"],
        mapping=dict(load_map(how["mapping"])[1]) if how["mapping"] else None,
        cleaning="as_is" if how["as_is"] else "standard",
        input_encoding=how["input_encoding"],
        engine=how.get("engine", "kernel"),
        form=form.removeprefix("."),  # type: ignore[arg-type]
        encoding=how["encoding"],
        lang=lang,
    )


def to_file(ctx: click.Context, paths: Sequence[Path], target: Path) -> Outcome:
    """Group large files into one result file."""
    from grouper.cli.dip import typing_of
    from grouper.run.stream import BATCH, group_to_file

    with Progress(terminal(ctx)) as progress:
        return group_to_file(
            paths,
            grouping(ctx),
            target,
            run_options(ctx.params, target.suffix.lower(), terminal(ctx).lang),
            threads=ctx.params["threads"],
            batch=ctx.params["batch"] or BATCH,
            progress=progress,
            typing=typing_of(ctx),
        )


def grouping(ctx: click.Context) -> Grouping:
    """The scheme or catalogue that the command names, with the rules that it asks for."""
    from grouper.run.grouping import load_grouping

    how = ctx.params
    return load_grouping(how["scheme"], preset=how["preset"], op_classes=how["op_classes"])


def _lasting(name: str) -> str:
    """A name or path that means the same when a run is resumed elsewhere."""
    return str(Path(name).resolve()) if Path(name).exists() else name


def to_folder(ctx: click.Context, paths: Sequence[Path], target: Path | None) -> Outcome:
    """Group files into a run folder; `target` gets a copy of the results."""
    from grouper.run.folder import start_run
    from grouper.run.stream import BATCH

    folder = Path(ctx.params["run"])
    parquet = all(path.suffix.lower() == ".parquet" for path in paths)
    form = target.suffix.lower() if target else ".parquet" if parquet else ".csv"
    options = run_options(ctx.params, form, terminal(ctx).lang)
    with Progress(terminal(ctx)) as progress, _resumable(terminal(ctx), folder):
        return start_run(
            folder,
            paths,
            grouping(ctx),
            scheme_name=_lasting(ctx.params["scheme"]),
            rules={
                name: _lasting(ctx.params[name])
                for name in ("preset", "op_classes")
                if ctx.params[name]
            },
            options=options,
            batch=ctx.params["batch"] or BATCH,
            threads=ctx.params["threads"],
            overwrite=ctx.params["force"],
            out=target,
            progress=progress,
        )


@contextmanager
def _resumable(screen: Terminal, folder: Path) -> Iterator[None]:
    """Say after Ctrl-C how the run goes on."""
    try:
        yield
    except KeyboardInterrupt:
        screen.error(screen.text("say.run_interrupted", folder=folder))
        raise


@click.group(cls=Family, name="run", help="help.run")
@common
def run() -> None:
    """The run family; its help text stands in the command texts."""


@run.command(cls=Command, name="resume", help="help.run_resume")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@option("--threads", type=click.IntRange(1), metavar="N", help="options.threads")
@as_json
@common
@click.pass_context
def resume(ctx: click.Context, folder: Path, threads: int | None, json_: bool) -> int:
    """Finish a run."""
    from grouper.cli.group import print_summary, summary
    from grouper.run.folder import resume_run
    from grouper.run.grouping import load_grouping
    from grouper.run.plan import read_plan

    screen, started = terminal(ctx), time.perf_counter()
    plan = read_plan(folder)
    with Progress(screen) as progress, _resumable(screen, folder):
        scheme = load_grouping(plan.scheme, **plan.rules)
        outcome = resume_run(folder, scheme, threads=threads, progress=progress)
    if outcome is None:
        return _show(ctx, folder, json_=json_)
    seconds = time.perf_counter() - started
    if json_:
        screen.json(summary(outcome, screen) | {"run": str(folder), "seconds": round(seconds, 3)})
    names = tuple(Path(each.path).name for each in plan.inputs)
    print_summary(outcome, screen, names, str(folder), seconds)
    return FINDINGS if outcome.counts.rejected else DONE


@run.command(cls=Command, name="status", help="help.run_status")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@as_json
@common
@click.pass_context
def status(ctx: click.Context, folder: Path, json_: bool) -> int:
    """Show how far a run is."""
    return _show(ctx, folder, json_=json_)


def _show(ctx: click.Context, folder: Path, *, json_: bool) -> int:
    from grouper.run.folder import status as status_of

    screen, found = terminal(ctx), status_of(folder)
    if json_:
        screen.json(
            {
                "run": str(folder),
                "state": found.state,
                "rows": found.rows,
                "parts": found.parts,
                "share": round(found.share, 4),
                "pid": found.pid,
                "scheme": found.plan.scheme_id,
                "digest": found.plan.digest,
                "program": found.plan.program,
                "inputs": [each.path for each in found.plan.inputs],
            }
        )
        return DONE
    key = "run_interrupted" if found.state == "interrupted" else found.state
    lines: list[tuple[str, object]] = [
        (screen.text("say.run_state"), screen.text(f"say.{key}", folder=folder)),
        (screen.text("summary.rows"), f"{found.rows:,}"),
        (screen.text("say.run_share"), f"{found.share:.1%}"),
        (screen.text("summary.scheme"), f"{found.plan.scheme_id} {found.plan.digest[:12]}"),
    ]
    if found.parts:
        lines.append((screen.text("say.run_parts"), found.parts))
    if found.pid:
        lines.append((screen.text("say.run_pid"), found.pid))
    screen.data(sums(lines))
    return DONE
