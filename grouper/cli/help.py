"""`grouper help`: what an issue code means."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import click

from grouper.cli.options import Command, as_json, common, terminal
from grouper.cli.output import DONE
from grouper.errors import messages

_TITLES = {"zh": {"why": "原因", "fix": "处理"}, "en": {"why": "why", "fix": "fix"}}


class _Names(dict[str, str]):
    """Placeholders of a message shown by their own names, as no case gives them values."""

    def __missing__(self, key: str) -> str:
        return f"<{key}>"


@click.command(cls=Command, name="help", help="help.help")
@click.argument("code", required=False)
@as_json
@common
@click.pass_context
def help_(ctx: click.Context, code: str | None, json_: bool) -> int:
    """Print the text of a code, or the list of all codes."""
    out = terminal(ctx)
    table: Mapping[str, Mapping[str, Any]] = messages(out.lang)
    if code is None:
        rows = {name: _filled(table[name])["what"] for name in sorted(table)}
        if json_:
            out.json({"codes": rows})
        else:
            out.table((out.text("column.code"), out.text("column.name")), rows.items())
        return DONE
    name = code.upper()
    if name not in table:
        near = difflib.get_close_matches(name, table, n=3, cutoff=0.5)
        text = out.text("usage.no_code", code=code, near=", ".join(near) or "grouper help")
        raise click.UsageError(text, ctx)
    entry = _filled(table[name])
    if json_:
        out.json({"code": name, **entry})
        return DONE
    out.data(f"{name}  {entry['what']}")
    for part, title in _TITLES[out.lang].items():
        if entry.get(part):
            out.data(f"  {title}  {entry[part]}")
    for key, phrases in table[name].items():
        if isinstance(phrases, Mapping):
            out.data(f"  <{key}>")
            out.data("\n".join(f"    {text.format_map(_Names())}" for text in phrases.values()))
    return DONE


def _filled(entry: Mapping[str, Any]) -> dict[str, str]:
    """The texts of a code with the names of its placeholders in their places."""
    return {
        part: text.format_map(_Names()) for part, text in entry.items() if isinstance(text, str)
    }
