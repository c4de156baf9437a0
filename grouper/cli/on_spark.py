"""`grouper group --on spark`: Parquet in, Parquet out, the rows grouped by Spark's workers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from grouper.cli.options import terminal
from grouper.cli.output import DONE, FINDINGS, Terminal, sums

if TYPE_CHECKING:
    from grouper.run.pipeline import Counts
    from grouper.scheme.dip import Catalogue
    from grouper.scheme.model import Scheme

#: options of `group` that mean nothing there, and what they are when nobody gave them
_HERE_ONLY = {
    "input_encoding": None,
    "encoding": None,
    "engine": "kernel",
    "run": None,
    "batch": None,
    "threads": None,
}


def group_on_spark(ctx: click.Context) -> int:
    """Run the command with the parameters of `group`; the exit codes are the same."""
    screen, started, asked = terminal(ctx), time.perf_counter(), ctx.params
    if asked["on"] != "spark":
        raise click.UsageError(screen.text("usage.master_alone"), ctx)
    for name, silent in _HERE_ONLY.items():
        if asked.get(name, silent) != silent:
            option = f"--{name.replace('_', '-')}"
            raise click.UsageError(screen.text("usage.not_on_spark", name=option), ctx)
    if "-" in (*asked["files"], asked["out"]):
        raise click.UsageError(screen.text("usage.not_on_spark", name="-"), ctx)

    from grouper.cli.run_folder import grouping
    from grouper.run.grouping import published, rules_of
    from grouper.run.spark_files import check_paths, group_parquet

    files, out = asked["files"], asked["out"]
    check_paths(files, out, replace=asked["force"])
    grouped_by = grouping(ctx)
    scheme = published(grouped_by)
    counts = group_parquet(
        files,
        out,
        grouped_by,
        master=asked["master"],
        layout=asked["layout"],
        mapping=asked["mapping"],
        cleaning="as_is" if asked["as_is"] else "standard",
        lang=screen.lang,
        replace=asked["force"],
    )
    seconds = time.perf_counter() - started
    if asked["json_"]:
        rules = {"rules": found} if (found := rules_of(grouped_by)) else {}
        summary = _summary(counts, scheme, files, out)
        screen.json(summary | rules | {"seconds": round(seconds, 3)})
    _print_summary(screen, counts, scheme, files, out, seconds)
    return FINDINGS if counts.rejected else DONE


def _summary(
    counts: Counts, scheme: Scheme | Catalogue, files: tuple[str, ...], out: str
) -> dict[str, Any]:
    """The keys of `group --json` that hold for Spark too."""
    return {
        "scheme": scheme.id,
        "digest": scheme.digest,
        "engine": "kernel",
        "on": "spark",
        "rows": counts.rows,
        "grouped": counts.grouped,
        "ambiguous": counts.ambiguous,
        "ungrouped": counts.ungrouped,
        "rejected": counts.rejected,
        "reasons": dict(counts.reasons),
        "sources": [{"path": path, "form": "parquet"} for path in files],
        "out": out,
    }


def _print_summary(
    screen: Terminal,
    counts: Counts,
    scheme: Scheme | Catalogue,
    files: tuple[str, ...],
    out: str,
    seconds: float,
) -> None:
    from grouper.run.results import reason_text

    lines = [
        (screen.text(f"summary.{key}"), f"{getattr(counts, key):,}")
        for key in ("rows", "grouped", "ambiguous", "ungrouped", "rejected")
    ]
    for token, n in counts.reasons.items():
        title = screen.text("summary.by_reason", reason=reason_text(token, screen.lang))
        lines.append((title, f"{n:,}"))
    lines.append((screen.text("summary.scheme"), f"{scheme.id} {scheme.digest[:12]}"))
    lines.append((screen.text("summary.seconds"), f"{seconds:.1f}"))
    screen.say("summary.title", files=", ".join(files))
    screen.log(sums(lines))
    if scheme.is_draft:
        screen.say("summary.draft")
    screen.say("say.wrote", path=out)
