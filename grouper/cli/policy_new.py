"""`grouper policy new`: the folder of an area, commented, to be filled in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grouper.cli.options import Command, common, option, terminal
from grouper.cli.output import DONE

if TYPE_CHECKING:
    from grouper.policy.leads import Lead
    from weights.table import WeightTable

_CODE_DIGITS = 6
#: what a new area groups by where nothing else is known
_USUAL_SCHEME = "chs_drg_20"


@click.command("new", cls=Command, help="help.policy_new")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@option("--from", "source", metavar="LEAD", help="options.from_lead")
@option("--id", "id_", metavar="ID", help="options.area_id")
@option("--code", metavar="CODE", help="options.area_code")
@option("--title", metavar="TEXT", help="options.area_title")
@option("--title-en", metavar="TEXT", help="options.area_title_en")
@option("--year", type=click.IntRange(2000, 9998), metavar="YEAR", help="options.policy_year")
@option("--scheme", metavar="SCHEME", help="options.policy_scheme")
@option("--weights", "table", metavar="TABLE", help="options.policy_table")
@option("--force", is_flag=True, help="options.force")
@common
@click.pass_context
def new(
    ctx: click.Context,
    folder: Path,
    source: str | None,
    id_: str | None,
    code: str | None,
    title: str | None,
    title_en: str | None,
    year: int | None,
    scheme: str | None,
    table: str | None,
    force: bool,
) -> int:
    """Write the folder of a new area."""
    from grouper.datafile import write_folder
    from grouper.policy.draft import draft_files
    from grouper.policy.draft_parts import Draft
    from grouper.policy.leads import load_lead

    lead = load_lead(source) if source else None
    code = code or (lead.texts["code"] if lead else "")
    year = year or _year(lead)
    out = terminal(ctx)
    if len(code) != _CODE_DIGITS or not code.isdigit():
        raise click.UsageError(out.text("usage.area_code"), ctx)
    if year is None:
        raise click.UsageError(out.text("usage.policy_year"), ctx)
    found = _table(table)
    named = id_ or folder.resolve().name
    draft = Draft(
        id=named,
        code=code,
        title=title or (lead.area if lead else named),
        title_en=title_en or named,
        year=year,
        scheme=scheme or (found.scheme_id if found else _scheme(lead)),
        weight_table=table or f"{named}-{year}",
        levels=_levels(found),
        lead=lead,
    )
    write_folder(
        folder,
        draft_files(draft),
        mark="area.toml",
        overwrite="replace" if force else "refuse",
    )
    out.say("say.wrote", path=folder)
    return DONE


def _scheme(lead: Lead | None) -> str:
    return (lead.texts["scheme"] if lead else "") or _USUAL_SCHEME


def _year(lead: Lead | None) -> int | None:
    text = lead.texts["year"] if lead else ""
    return int(text) if text.isdecimal() else None


def _table(table: str | None) -> WeightTable | None:
    """The weight table that was named, None if it is not there yet."""
    import weights
    from grouper.errors import WeightError

    try:
        return weights.load(table) if table else None
    except WeightError:
        return None


def _levels(table: WeightTable | None) -> tuple[str, ...]:
    """The hospital levels a weight table speaks of."""
    if table is None:
        return ()
    rows = (facts.level for facts in table.facts if facts.level)
    return tuple(dict.fromkeys([*table.head.levels, *rows]))
