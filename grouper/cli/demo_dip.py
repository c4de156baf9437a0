"""`grouper demo --dip`: the whole chain of an area that pays by DIP, on made-up discharges."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from grouper.cli.demo_year import clear_year
from grouper.cli.output import Terminal

if TYPE_CHECKING:
    from grouper.run.settlement import SettledRun

AREA, ROWS, SEED, MONTH, YEAR = "demo-dip", 1200, 32, "2025-06", 2025
#: documents whose targets the invented area is held against
TARGETS = ("henan-2022-5",)

#: what is written, in this order
FILES = {
    "hospitals": "hospitals.tsv",
    "catalogue": "demo_dip_2025.tsv",
    "discharges_xlsx": "discharges.xlsx",
    "discharges_csv": "discharges.csv",
    "grouped": "grouped.xlsx",
    "statement": "statement-2025-06.xlsx",
    "indicators": "indicators-2025.xlsx",
    "entries": "entries-2025.csv",
    "clearing_book": "clearing-2025.xlsx",
    "clearing_page": "clearing-2025.html",
    "page": "report.html",
    "book": "report.xlsx",
}


def run_dip_demo(files: dict[str, Path], screen: Terminal) -> None:
    """Sample, groups, bills, the month, the year with special cases, indicators, report."""
    _write_sample(files, screen)
    settled = _settle(files, screen)
    _close_month(settled, files, screen)
    _write_indicators(settled, files, screen)
    clear_year(settled, AREA, YEAR, files, screen)


def _write_sample(files: dict[str, Path], screen: Terminal) -> None:
    from grouper.datafile import data_folder
    from grouper.policy.load import load_policy
    from grouper.records.write import write_results
    from grouper.run.catalogues import read_catalogue
    from grouper.run.dip_sample import dip_sample
    from grouper.run.dip_settlement import catalogue_path
    from grouper.run.sample import as_user_table

    policy = load_policy(AREA)
    catalogue = catalogue_path(AREA, policy)
    shutil.copyfile(data_folder("areas", AREA, "hospitals.tsv"), files["hospitals"])
    shutil.copyfile(catalogue, files["catalogue"])
    table = dip_sample(ROWS, SEED, read_catalogue(catalogue), policy, period=str(YEAR))
    info = [(screen.text("demo.origin"), screen.text("demo.invented"))]
    for key in ("discharges_xlsx", "discharges_csv"):
        write_results(
            files[key],
            as_user_table(table),
            [],
            lang=screen.lang,
            overwrite="replace",
            info=info,
        )
    screen.say("demo.sample", n=f"{ROWS:,}", seed=SEED)


def _settle(files: dict[str, Path], screen: Terminal) -> SettledRun:
    """Read the workbook back as a clerk's file, group it, score it, write it."""
    from grouper.records.read import read_records
    from grouper.records.write import write_results
    from grouper.run.dip_settlement import settle_dip_records
    from grouper.run.settlement import settled_columns, settled_info

    records = read_records([files["discharges_xlsx"]], needs=("dx",))
    settled = settle_dip_records(records, AREA)
    counts = settled.run.counts
    screen.say(
        "demo.group",
        scheme=settled.run.scheme.id,
        grouped=counts.grouped,
        ambiguous=counts.ambiguous,
        ungrouped=counts.ungrouped,
        rejected=counts.rejected,
    )
    write_results(
        files["grouped"],
        records.user,
        settled_columns(settled, screen.lang),
        lang=screen.lang,
        overwrite="replace",
        info=settled_info(settled, screen.lang),
    )
    return settled


def _close_month(settled: SettledRun, files: dict[str, Path], screen: Terminal) -> None:
    from grouper.money import yuan
    from grouper.monitor.targets import load_targets
    from grouper.report.assemble import settled_report
    from grouper.report.save import save_report
    from grouper.run.coverage import coverage_of
    from grouper.run.month import close_month

    closed = close_month(settled, AREA, MONTH).closed
    paid = sum(one.line("M15").amount_fen for one in closed.statements)
    n = len(closed.statements)
    screen.say("demo.month", month=MONTH, area=AREA, n=n, paid=yuan(paid))
    month = settled_report(settled, lang=screen.lang, month=MONTH, closed=closed.statements)
    save_report(files["statement"], month, overwrite="replace")
    coverage = coverage_of(settled, lang=screen.lang, targets=load_targets(TARGETS))
    whole = settled_report(
        settled, lang=screen.lang, month=MONTH, closed=closed.statements, coverage=coverage
    )
    for key in ("page", "book"):
        save_report(files[key], whole, overwrite="replace")


def _write_indicators(settled: SettledRun, files: dict[str, Path], screen: Terminal) -> None:
    from grouper.records.write import write_results
    from grouper.run.dip_indicators import indicator_table, indicators_of
    from grouper.run.sample import as_user_table

    found = indicators_of(settled, screen.lang)
    table = as_user_table(indicator_table(found, screen.lang))
    write_results(files["indicators"], table, [], lang=screen.lang, overwrite="replace")
