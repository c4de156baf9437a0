"""`grouper demo`: the whole chain on made-up discharges."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grouper.cli import demo_dip
from grouper.cli.demo_year import clear_year
from grouper.cli.options import Command, as_json, common, option, terminal
from grouper.cli.output import DONE, Terminal

if TYPE_CHECKING:
    from grouper.run.settlement import SettledRun

AREA, ROWS, SEED, MONTH, YEAR = "demo", 1000, 2025, "2025-06", 2025
#: documents whose targets the invented area is held against
TARGETS = ("henan-2022-5", "xifeng-2022-47")

#: what is written, in this order
FILES = {
    "hospitals": "hospitals.tsv",
    "discharges_xlsx": "discharges.xlsx",
    "discharges_csv": "discharges.csv",
    "grouped": "grouped.xlsx",
    "statement": "statement-2025-06.xlsx",
    "entries": "entries-2025.csv",
    "clearing_book": "clearing-2025.xlsx",
    "clearing_page": "clearing-2025.html",
    "page": "report.html",
    "book": "report.xlsx",
}


@click.command(cls=Command, name="demo", help="help.demo")
@click.argument("folder", default="demo-output", metavar="[DIR]")
@option("--dip", is_flag=True, help="options.demo_dip")
@option("--force", is_flag=True, help="options.force")
@as_json
@common
@click.pass_context
def demo(ctx: click.Context, /, folder: str, dip: bool, force: bool, json_: bool) -> int:
    """Sample discharges, their groups, the month, the coverage and a report, all invented."""
    from grouper.records.outfile import check_output

    screen, started = terminal(ctx), time.perf_counter()
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    named = demo_dip.FILES if dip else FILES
    files = {key: target / name for key, name in named.items()}
    # a folder that holds all of a demo's files is an earlier demo and may be made anew
    again = all(path.is_file() for path in files.values())
    for path in files.values():
        check_output(path, overwrite="replace" if force or again else "refuse")
    screen.say("demo.invented")
    if dip:
        demo_dip.run_dip_demo(files, screen)
    else:
        _write_sample(files, screen)
        settled = _settle(files, screen)
        _report(settled, files, screen)
        clear_year(settled, AREA, YEAR, files, screen)
    seconds = time.perf_counter() - started
    screen.say("demo.done", seconds=f"{seconds:.1f}", n=len(files))
    names = {key: str(path) for key, path in files.items()}
    if json_:
        rows = demo_dip.ROWS if dip else ROWS
        screen.json({"files": names, "rows": rows, "month": MONTH, "seconds": round(seconds, 3)})
    else:
        screen.data("\n".join(names.values()))
    return DONE


def _write_sample(files: dict[str, Path], screen: Terminal) -> None:
    from grouper.api import load_scheme
    from grouper.datafile import data_folder
    from grouper.records.write import write_results
    from grouper.run.sample import as_user_table, sample_table

    shutil.copyfile(data_folder("areas", "demo", "hospitals.tsv"), files["hospitals"])
    user = as_user_table(sample_table(ROWS, SEED, load_scheme("chs_drg_20"), period=str(YEAR)))
    info = [(screen.text("demo.origin"), screen.text("demo.invented"))]
    for key in ("discharges_xlsx", "discharges_csv"):
        write_results(files[key], user, [], lang=screen.lang, overwrite="replace", info=info)
    screen.say("demo.sample", n=f"{ROWS:,}", seed=SEED)


def _settle(files: dict[str, Path], screen: Terminal) -> SettledRun:
    """Read the workbook back as a clerk's file, group it, price it, write it."""
    from grouper.api import load_scheme
    from grouper.records.write import write_results
    from grouper.run.pipeline import group_files
    from grouper.run.settlement import settle_run, settled_columns, settled_info

    run = group_files(files["discharges_xlsx"], load_scheme("chs_drg_20"))
    counts: Any = {key: getattr(run.counts, key) for key in ("grouped", "ambiguous", "ungrouped")}
    screen.say("demo.group", rejected=run.counts.rejected, scheme=run.scheme.id, **counts)
    settled = settle_run(run, "demo")
    write_results(
        files["grouped"],
        run.records.user,
        settled_columns(settled, screen.lang),
        lang=screen.lang,
        overwrite="replace",
        info=settled_info(settled, screen.lang),
    )
    return settled


def _report(settled: SettledRun, files: dict[str, Path], screen: Terminal) -> None:
    from grouper.money import yuan
    from grouper.monitor.targets import load_targets
    from grouper.report.assemble import settled_report
    from grouper.report.save import save_report
    from grouper.run.coverage import coverage_of
    from grouper.run.settlement import statements

    made = statements(settled, MONTH)
    paid = sum(one.line("M15").amount_fen for one in made)
    screen.say("demo.month", month=MONTH, area=AREA, n=len(made), paid=yuan(paid))
    coverage = coverage_of(settled, lang=screen.lang, targets=load_targets(TARGETS))
    for row in coverage.rows:
        if row.target is not None:
            verdict = screen.text(f"demo.{row.status}")
            screen.say(
                "demo.coverage",
                measure=screen.text(f"demo.measure_{row.measure}"),
                ratio=row.ratio_text,
                target=row.target_text,
                verdict=verdict,
            )
    month = settled_report(settled, lang=screen.lang, month=MONTH)
    save_report(files["statement"], month, overwrite="replace")
    whole = settled_report(settled, lang=screen.lang, month=MONTH, coverage=coverage)
    for key in ("page", "book"):
        save_report(files[key], whole, overwrite="replace")
