"""What the commands after grouping share: files in, settled run out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grouper.cli.options import Function, file_options, option, terminal

if TYPE_CHECKING:
    from grouper.run.pipeline import GroupedRun
    from grouper.run.settlement import SettledRun

_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


def money_options(function: Function) -> Function:
    """Which area's rules apply, by which scheme, to which columns."""
    for add in (
        file_options,
        option("--allow-unverified", is_flag=True, help="options.allow_unverified"),
        option("--weights", metavar="TABLE", help="options.area_weights"),
        option("-s", "--scheme", metavar="SCHEME", help="options.area_scheme"),
        option("--area", required=True, metavar="AREA", help="options.area"),
    ):
        function = add(function)
    return function


def reading(how: Mapping[str, Any]) -> dict[str, Any]:
    """The file options as the reader takes them."""
    return {
        "layout": how["layout"],
        "mapping": how["mapping"],
        "cleaning": "as_is" if how["as_is"] else "standard",
        "encoding": how["input_encoding"],
    }


def group_inputs(
    paths: Sequence[Path], scheme: str, how: Mapping[str, Any], *, engine: Any = "kernel"
) -> GroupedRun:
    """Read and group some files as the file options say."""
    from grouper.api import load_scheme
    from grouper.run.pipeline import group_files

    return group_files(paths, load_scheme(scheme), engine=engine, **reading(how))


def settle_inputs(paths: Sequence[Path], how: Mapping[str, Any]) -> SettledRun:
    """Read, group and settle some files as the money options say."""
    from grouper.run.settlement import pays_by_dip, scheme_of, settle_run

    allow: Any = "unverified" if how["allow_unverified"] else "verified"
    if pays_by_dip(how["area"]):
        from grouper.records.read import read_records
        from grouper.run.dip_settlement import settle_dip_records

        records = read_records(paths, needs=("dx",), **reading(how))
        return settle_dip_records(records, how["area"], catalogue=how["scheme"], allow=allow)
    run = group_inputs(paths, how["scheme"] or scheme_of(how["area"]), how)
    return settle_run(run, how["area"], table=how["weights"], allow=allow)


def row_index(ctx: click.Context, row: int, rows: int) -> int:
    """A row as users count (from 1) as a position; wrong usage if it is not there."""
    if not 1 <= row <= rows:
        text = terminal(ctx).text("usage.row_range", row=row, n=rows)
        raise click.UsageError(text, ctx)
    return row - 1


def month_value(ctx: click.Context, _: click.Parameter, value: str | None) -> str | None:
    """A month in the form 2025-03; wrong usage otherwise."""
    if value is not None and not _MONTH.fullmatch(value):
        raise click.UsageError(terminal(ctx).text("usage.month_form", text=value), ctx)
    return value


def date_value(ctx: click.Context, _: click.Parameter, value: str | None) -> date | None:
    """A day in the form 2024-06-30; wrong usage otherwise."""
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(terminal(ctx).text("usage.date_form", text=value)) from None


def check_suffix(ctx: click.Context, path: str, suffixes: Sequence[str]) -> Path:
    """The output path, if its form is one we write; wrong usage otherwise."""
    if Path(path).suffix.lower() not in suffixes:
        text = terminal(ctx).text("usage.suffix", path=path, suffixes=" ".join(suffixes))
        raise click.UsageError(text, ctx)
    return Path(path)
