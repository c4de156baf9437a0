"""`grouper settle explain`: the trail of one case from its cost to the fund's part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from grouper.cli import streams
from grouper.cli.chain import money_options, row_index, settle_inputs
from grouper.cli.options import Command, as_json, common, option, terminal
from grouper.cli.output import DONE, FINDINGS, Terminal

if TYPE_CHECKING:
    from grouper.settle.trail import CaseAmount

_COLUMNS = ("name", "formula", "value", "parameter", "document")


@click.command("explain", cls=Command, help="help.settle_explain")
@click.argument("file", metavar="FILE")
@option("--row", type=int, required=True, metavar="N", help="options.row")
@money_options
@as_json
@common
@click.pass_context
def explain(ctx: click.Context, /, file: str, row: int, json_: bool, **how: Any) -> int:
    """Every amount of one row: its formula, its value, the rule's place and its document."""
    from grouper.run.settlement import settle_row

    screen = terminal(ctx)
    with streams.inputs(ctx, [file]) as paths:
        settled = settle_inputs(paths, how)
    amount = settle_row(settled, row_index(ctx, row, len(settled.amounts)))
    if json_:
        screen.json({"row": row, **amount.to_dict(screen.lang), "trail": _trail(amount, screen)})
    else:
        _print(row, amount, screen)
    return FINDINGS if amount.issue else DONE


def _trail(amount: CaseAmount, screen: Terminal) -> list[dict[str, str]]:
    return [{"key": step.key, **step.said(screen.lang)} for step in amount.steps]


def _print(row: int, amount: CaseAmount, screen: Terminal) -> None:
    from grouper.settle.amounts import mark_text

    screen.data(screen.text("settle.row", row=row, group=amount.group_code or "-"))
    if amount.steps:
        titles = [screen.text(f"settle.trail_{name}") for name in _COLUMNS]
        said = [step.said(screen.lang) for step in amount.steps]
        screen.table(titles, [[one[name] for name in _COLUMNS] for one in said])
    for issue in (amount.issue, amount.notice):
        if issue:
            screen.data(issue.text(screen.lang))
    mark = mark_text(amount.confidence, is_demo=amount.is_demo, lang=screen.lang)
    if mark:
        screen.data(mark)
