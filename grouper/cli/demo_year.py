"""The end of a demonstration: special cases apply, and the year is cleared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from grouper.cli.output import Terminal

if TYPE_CHECKING:
    from grouper.run.settlement import SettledRun

#: so many of the dearest cases apply for special review; the quota takes fewer
_APPLY = 8


def clear_year(
    settled: SettledRun, area: str, year: int, files: dict[str, Path], screen: Terminal
) -> None:
    """Clear the year of a settled run, its dearest cases applying for special review."""
    from grouper.report.save import save
    from grouper.report.year import YearReport, render_year_book, render_year_page
    from grouper.run.year import settle_year

    applied = _applications(settled)
    rows = [
        f"approved,{hospital},{case},{screen.text('demo.special_reason')}"
        for hospital, case in applied
    ]
    text = "\n".join(["kind,hospital,list,reason", *rows, ""])
    save(files["entries"], text.encode("utf-8-sig"), overwrite="replace")
    made = settle_year(area, year, settled=settled, entries=[files["entries"]])
    report = YearReport(made, screen.lang)
    save(files["clearing_book"], render_year_book(report), overwrite="replace")
    save(files["clearing_page"], render_year_page(report).encode(), overwrite="replace")
    taken = len(made.annual.review.paid_fen)
    sums = made.manifest["sums"]
    screen.say(
        "demo.year",
        year=year,
        area=area,
        funds=len(made.annual.funds),
        clearing=sums["clearing"],
        applied=len(applied),
        taken=taken,
    )


def _applications(settled: SettledRun) -> list[tuple[str, str]]:
    """Hospital and id of the cases that lose most."""
    import numpy as np

    batch, amounts = settled.run.records.batch, settled.amounts
    order = np.lexsort((np.arange(len(amounts)), amounts.difference_fen))
    counted = [row for row in order.tolist() if amounts.counted[row]]
    return [(str(batch.hospital[row]), str(batch.case_id[row])) for row in counted[:_APPLY]]
