"""`grouper settle simulate`: the same discharges under other rules, and what that changes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grouper import __version__
from grouper.cli import streams
from grouper.cli.chain import check_suffix, group_inputs, money_options, settle_inputs
from grouper.cli.options import Command, as_json, common, option, terminal
from grouper.cli.output import DONE, FINDINGS, Terminal

if TYPE_CHECKING:
    from grouper.policy.variant import Setting
    from grouper.run.settlement import SettledRun
    from grouper.run.simulation import Division, Simulated

#: lines of a division that the terminal shows, from either end
_SHOWN = 10
_COLUMNS = ("cases", "cost", "before", "after", "change", "surplus_before", "surplus_after")


@click.command("simulate", cls=Command, help="help.settle_simulate")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@option("--to-area", metavar="AREA", help="options.to_area")
@option("--to-scheme", metavar="SCHEME", help="options.to_scheme")
@option("--to-weights", metavar="TABLE", help="options.to_weights")
@option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="options.setting")
@option("--by", multiple=True, metavar="NAMES", help="options.simulate_by")
@option("-o", "--out", metavar="OUT", help="options.simulate_out")
@money_options
@option("--force", is_flag=True, help="options.force")
@as_json
@common
@click.pass_context
def simulate(
    ctx: click.Context,
    /,
    files: tuple[str, ...],
    out: str | None,
    by: tuple[str, ...],
    force: bool,
    json_: bool,
    **how: Any,
) -> int:
    """Who gains and who pays when a rate, weights, thresholds or the scheme change."""
    from grouper.report.save import json_file, save
    from grouper.report.simulation_book import render_simulation, simulation_dict

    screen = terminal(ctx)
    target = check_suffix(ctx, out, (".xlsx", ".json")) if out else None
    settings = _settings(ctx, how)
    overwrite: Any = "replace" if force else "refuse"
    with streams.inputs(ctx, files) as paths:
        found = _simulated(paths, how, settings, _divisions(ctx, by))
        if target:
            content = (
                json_file(simulation_dict(found, screen.lang))
                if target.suffix.lower() == ".json"
                else render_simulation(found, screen.lang, program=f"chs-grouper {__version__}")
            )
            save(target, content, inputs=paths, overwrite=overwrite)
    if json_:
        screen.json(simulation_dict(found, screen.lang) | ({"out": out} if out else {}))
    elif not out:
        _print(found, screen)
    _summary(found, screen)
    if out:
        screen.say("say.wrote", path=out)
    total = found.result.total
    return DONE if total.cases == total.all_cases else FINDINGS


def _settings(ctx: click.Context, how: dict[str, Any]) -> list[Setting]:
    """The changes that were asked for; wrong usage if there is none."""
    from grouper.policy.variant import parse_setting

    if not any(how[key] for key in ("settings", "to_area", "to_scheme", "to_weights")):
        raise click.UsageError(terminal(ctx).text("usage.nothing_to_simulate"), ctx)
    return [parse_setting(text) for text in how["settings"]]


def _divisions(ctx: click.Context, values: tuple[str, ...]) -> list[Division]:
    """`--by hospital,dept` or `--by` repeated; wrong usage for other words."""
    from grouper.run.simulation import DIVISIONS

    asked = [word.strip() for value in values for word in value.split(",") if word.strip()]
    for word in asked:
        if word not in DIVISIONS:
            known = ", ".join(DIVISIONS)
            raise click.UsageError(terminal(ctx).text("usage.by", word=word, known=known), ctx)
    return [name for name in DIVISIONS if name in asked]


def _simulated(
    paths: list[Path], how: dict[str, Any], settings: list[Setting], by: list[Division]
) -> Simulated:
    from grouper.run.dip_grouped import DipGrouped
    from grouper.run.dip_settlement import settle_dip_again
    from grouper.run.simulation import simulate_runs

    before = settle_inputs(paths, how)
    area = how["to_area"] or how["area"]
    if isinstance(before.run, DipGrouped):
        catalogue = how["to_scheme"] or how["to_weights"]
        after = settle_dip_again(
            before.run, before.table, area, catalogue=catalogue, settings=settings
        )
    else:
        after = _settled_again(before, paths, how, area, settings)
    return simulate_runs(before, after, settings=settings, by=by)


def _settled_again(
    before: SettledRun,
    paths: list[Path],
    how: dict[str, Any],
    area: str,
    settings: list[Setting],
) -> SettledRun:
    """DRG cases under the rules after, grouped anew where these name another scheme."""
    from grouper.api import load_scheme
    from grouper.policy.variant import parse_setting
    from grouper.run.pipeline import GroupedRun, group_records
    from grouper.run.settlement import is_lead, scheme_of, settle_run

    table = how["to_weights"] or (None if how["to_area"] else how["weights"])
    named = (("scheme", how["to_scheme"]), ("weight_table", table))
    if not is_lead(area):
        # a lead names no scheme and no table: it takes those that are given
        settings = [*settings, *(parse_setting(f'{k}="{name}"') for k, name in named if name)]
    scheme = how["to_scheme"] or (before.run.scheme.id if is_lead(area) else "")
    scheme = scheme or scheme_of(area, settings)
    regrouped = before.run
    assert isinstance(regrouped, GroupedRun)
    if scheme != regrouped.scheme.id:
        loaded = load_scheme(scheme)
        if loaded.codes == regrouped.scheme.codes:
            regrouped = group_records(regrouped.records, loaded)
        else:
            # other editions of codes are read and translated anew
            regrouped = group_inputs(paths, scheme, how)
    return settle_run(regrouped, area, table=table, allow="unverified", settings=settings)


def _print(found: Simulated, screen: Terminal) -> None:
    from grouper.report.simulation_book import shown
    from grouper.report.words import Words

    words = Words(screen.lang)
    titles = [words(f"simulate.{key}") for key in _COLUMNS]
    for name, parts in found.result.by.items():
        lines = list(parts.items())
        if len(lines) > 2 * _SHOWN:
            lines = [*lines[:_SHOWN], *lines[-_SHOWN:]]
        rows = [
            [" ".join(shown(found, name, label, screen.lang)).strip(), *_texts(sums)]
            for label, sums in lines
        ]
        rows.append([words("page.total"), *_texts(found.result.total)])
        screen.table([words(f"simulate.{name}"), *titles], rows)
        screen.data("")


def _texts(sums: Any) -> list[str]:
    from grouper.money import yuan

    return [str(sums.cases), *(yuan(getattr(sums, key)) for key in _COLUMNS[1:])]


def _summary(found: Simulated, screen: Terminal) -> None:
    from grouper.money import yuan

    total = found.result.total
    screen.say(
        "simulate.change",
        n=total.cases,
        before=yuan(total.before),
        after=yuan(total.after),
        change=yuan(total.change),
    )
    if left := total.all_cases - total.cases:
        screen.say("simulate.left_out", n=left)
    if mark := found.after.amounts.mark(screen.lang):
        screen.log(mark)
