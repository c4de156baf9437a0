"""The reference of commands is made of their help pages; `--update` writes it anew."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from grouper import cli
from grouper.cli.options import Context, Family
from grouper.cli.output import Terminal

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
TITLES = {
    "en": "# Commands\n\nMade from the program's own help pages.\n",
    "zh": "# 命令\n\n由程序自身的帮助生成。\n",
}


def pages(command: click.Command, context: click.Context) -> list[str]:
    """The help page of a command, then those of the commands under it."""
    context.terminal_width = 88
    found = [f"## {context.command_path}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"]
    for name in command.list_commands(context) if isinstance(command, Family) else ():
        inner = command.get_command(context, name)
        assert inner is not None
        found += pages(inner, Context(inner, info_name=name, parent=context))
    return found


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_reference_of_commands_is_their_help(golden, lang):
    settings = cli.cli.context_settings
    context = Context(cli.cli, info_name="grouper", obj=Terminal(lang), **settings)
    text = "\n".join([TITLES[lang], *pages(cli.cli, context)])
    golden(FOLDER / ("cli.md" if lang == "en" else "cli.zh.md"), text)
