"""`grouper policy calendar`: what an agency owes by which day of a year."""

from __future__ import annotations

from pathlib import Path

import click

from grouper.cli.options import Command, as_json, common, option, terminal
from grouper.cli.output import DONE

_COLUMNS = ("date", "duty", "period", "source", "confidence")


@click.command("calendar", cls=Command, help="help.policy_calendar")
@click.argument("area", metavar="[AREA]", required=False)
@option("--year", type=click.IntRange(2000, 9998), required=True, help="options.calendar_year")
@option("--calendar", "listed", metavar="FILE", type=click.Path(path_type=Path),
        help="options.calendar")  # fmt: skip
@as_json
@common
@click.pass_context
def calendar(
    ctx: click.Context, area: str | None, year: int, listed: Path | None, json_: bool
) -> int:
    """The dates of a year, by the area's parameters or the national ones."""
    from grouper.errors import Issue
    from grouper.policy.load import load_policy
    from grouper.policy.parameter_files import national_parameters
    from grouper.run.month import CALENDAR_FILE, own_calendar, read_calendar
    from grouper.settle.duties import duties

    out = terminal(ctx)
    days = read_calendar(listed or (own_calendar(area) if area else None))
    parameters = load_policy(area).parameters if area else national_parameters()
    rows = [
        {
            "date": one.day.isoformat(),
            "duty": one.name,
            "period": one.period,
            "source": one.source,
            "confidence": one.confidence,
        }
        for one in duties(parameters, year, days)
    ]
    if not days.knows(year):
        out.issues([Issue("ST108", area or "", {"key": f"{CALENDAR_FILE} {year}"})])
    if json_:
        out.json({"area": area, "year": year, "duties": rows})
        return DONE
    titles = [out.text(f"column.{key}") for key in _COLUMNS]
    shown = [{**row, "duty": out.text(f"duty.{row['duty']}")} for row in rows]
    out.table(titles, [[row[key] for key in _COLUMNS] for row in shown])
    return DONE
