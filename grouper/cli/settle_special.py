"""`grouper settle special`: which cases to apply for as special ones, and the places left."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import click

from grouper import __version__
from grouper.cli import streams
from grouper.cli.chain import check_suffix, money_options, settle_inputs
from grouper.cli.options import Command, as_json, common, option, terminal
from grouper.cli.output import DONE

if TYPE_CHECKING:
    from grouper.cli.output import Terminal
    from grouper.run.settlement import SettledRun
    from grouper.settle.desk import Desk

#: candidates that the terminal shows; the file has all of them
_SHOWN = 20
_COLUMNS = ("rank", "row", "case_id", "group", "total", "standard", "gain", "place", "situations")


@click.command("special", cls=Command, help="help.settle_special")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@option("--discharges", type=click.IntRange(0), metavar="N", help="options.discharges")
@option("--used", type=click.IntRange(0), default=0, metavar="N", help="options.quota_used")
@option("--approved-ratio", default="1", metavar="R", help="options.approved_ratio")
@option("-o", "--out", metavar="OUT", help="options.special_out")
@money_options
@option("--force", is_flag=True, help="options.force")
@as_json
@common
@click.pass_context
def special(
    ctx: click.Context,
    /,
    files: tuple[str, ...],
    discharges: int | None,
    used: int,
    approved_ratio: str,
    out: str | None,
    force: bool,
    json_: bool,
    **how: Any,
) -> int:
    """Candidates by expected gain, the evidence they need, and the places that are left."""
    from grouper.report.desk_book import desk_dict, render_desk
    from grouper.report.save import json_file, save
    from grouper.run.settlement import special_desk

    screen = terminal(ctx)
    ratio = _ratio(ctx, approved_ratio)
    target = check_suffix(ctx, out, (".xlsx", ".json")) if out else None
    overwrite: Any = "replace" if force else "refuse"
    with streams.inputs(ctx, files) as paths:
        settled = settle_inputs(paths, how)
        desk = special_desk(settled, discharges=discharges, used=used, approved_ratio=ratio)
        if target:
            content = (
                json_file(desk_dict(desk, settled, screen.lang))
                if target.suffix.lower() == ".json"
                else render_desk(desk, settled, screen.lang, program=f"chs-grouper {__version__}")
            )
            save(target, content, inputs=paths, overwrite=overwrite)
    if json_:
        screen.json(desk_dict(desk, settled, screen.lang))
    elif out is None:
        _print(desk, screen)
    _say(desk, settled, screen, out)
    return DONE


def _ratio(ctx: click.Context, text: str) -> Fraction:
    try:
        ratio = Fraction(Decimal(text))
    except (InvalidOperation, ValueError, OverflowError):
        ratio = Fraction(-1)
    if not 0 < ratio <= 1:
        text = terminal(ctx).text("usage.approved_ratio", text=text)
        raise click.UsageError(text, ctx)
    return ratio


def _print(desk: Desk, screen: Terminal) -> None:
    from grouper.money import yuan
    from grouper.report.desk_book import desk_rows
    from grouper.report.words import Words

    words, money = Words(screen.lang), ("total", "standard", "gain")
    rows = [
        [yuan(int(row[key] or 0)) if key in money else str(row[key]) for key in _COLUMNS]
        for row, _ in zip(desk_rows(desk, screen.lang), range(_SHOWN), strict=False)
    ]
    screen.table([words(f"desk.{key}") for key in _COLUMNS], rows)


def _say(desk: Desk, settled: SettledRun, screen: Terminal, out: str | None) -> None:
    screen.say("settle.desk", n=len(desk.candidates), left=desk.left, quota=desk.places)
    if mark := settled.amounts.mark(screen.lang):
        screen.log(mark)
    if out is not None:
        screen.say("say.wrote", path=out)
