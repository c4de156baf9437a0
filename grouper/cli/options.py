"""Commands, families of commands and the options they share, with help in the user's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any, TypeVar, cast

import click

from grouper.cli.output import Terminal
from grouper.cli.texts import say
from grouper.errors import Lang

Function = TypeVar("Function", bound=Callable[..., Any])

_HEADINGS = {"Options": "选项", "Commands": "命令"}
_REMARKS = {"[required]": "[必填]", "[default: ": "[默认: "}


def terminal(ctx: click.Context) -> Terminal:
    """The terminal of the running command, its language and quietness as asked for."""
    root = ctx.find_root()
    if not isinstance(root.obj, Terminal):
        root.obj = Terminal.default()
    return root.obj


def language(ctx: click.Context) -> Lang:
    """The language of the running command."""
    return terminal(ctx).lang


class Formatter(click.HelpFormatter):
    """click's layout of help pages with Chinese headings where the reader is Chinese."""

    lang: Lang = "en"

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """The usage line."""
        super().write_usage(prog, args, "用法: " if self.lang == "zh" else prefix)

    def write_heading(self, heading: str) -> None:
        """The title of a section."""
        super().write_heading(_HEADINGS[heading] if self.lang == "zh" else heading)


class Context(click.Context):
    """A context whose help pages are written in its terminal's language."""

    def make_formatter(self) -> click.HelpFormatter:
        """An empty help page."""
        formatter = Formatter(width=self.terminal_width, max_width=self.max_content_width)
        formatter.lang = language(self)
        return formatter


class Option(click.Option):
    """An option whose `help` is a key of the command texts."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Names and help text, as click prints them."""
        record = super().get_help_record(ctx)
        if record is None or not self.help:
            return record
        text = record[1].replace(self.help, say(language(ctx), self.help))
        for english, chinese in _REMARKS.items() if language(ctx) == "zh" else ():
            text = text.replace(english, chinese)
        return record[0], text


class Command(click.Command):
    """A command whose `help` is a key of the command texts."""

    context_class = Context

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """`--help`, described in the user's language."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = say(language(ctx), "options.help")
        return option

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The text between usage and options."""
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(say(language(ctx), self.help or ""))


class Family(Command, click.Group):
    """Commands found by name when they are called, so that help loads none of their libraries.

    `table` maps a command to `module:attribute`, or to the key of its help text alone when the
    command has been added in the usual way.
    """

    def __init__(self, *args: Any, table: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(*args, **more)
        self.table = dict(table or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order of a day's work."""
        return [*self.table, *self.commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now."""
        if cmd_name not in self.table:
            return self.commands.get(cmd_name)
        module, _, name = self.table[cmd_name].partition(":")
        return cast(click.Command, getattr(import_module(module), name))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands with the first line of their help."""
        lang, prefix = language(ctx), self.help or ""
        keys = {name: f"help.{name}" for name in self.table}
        keys |= {name: f"{prefix}_{name}" for name in self.commands}
        rows = [(name, say(lang, key).strip().splitlines()[0]) for name, key in keys.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def option(*names: str, **more: Any) -> Callable[[Function], Function]:
    """An option of click, its help taken from the command texts."""
    return click.option(*names, cls=Option, **more)


def _take_language(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.find_root().obj = replace(terminal(ctx), lang=cast(Lang, value))


def _take_quiet(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.find_root().obj = replace(terminal(ctx), quiet=True)


def common(function: Function) -> Function:
    """The options of every command: `--lang`, `--quiet`, `--debug`."""
    # eager: `--lang zh --help` must know the language before the help page is written
    for add in (
        option("--debug", is_flag=True, expose_value=False, hidden=True),
        option(
            "--quiet",
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_take_quiet,
            help="options.quiet",
        ),
        option(
            "--lang",
            type=click.Choice(["zh", "en"]),
            is_eager=True,
            expose_value=False,
            callback=_take_language,
            help="options.lang",
        ),
    ):
        function = add(function)
    return function


def as_json(function: Function) -> Function:
    """The option `--json` of a command that reports."""
    return option("--json", "json_", is_flag=True, help="options.json")(function)


def scheme_option(function: Function) -> Function:
    """The option `-s SCHEME` of a command that groups."""
    return option("-s", "--scheme", required=True, metavar="SCHEME", help="options.scheme")(
        function
    )


def scheme_or_catalogue_options(function: Function) -> Function:
    """The option `-s` of a command that groups by DRG or DIP, and the rules of DIP."""
    for add in (
        option("--auxiliary-rules", metavar="FILE", help="options.dip_auxiliary_rules"),
        option("--auxiliary", metavar="TABLE", help="options.auxiliary"),
        option("--op-classes", metavar="FILE", help="options.op_classes"),
        option("--preset", metavar="NAME", help="options.preset"),
        option(
            "-s", "--scheme", required=True, metavar="SCHEME", help="options.scheme_or_catalogue"
        ),
    ):
        function = add(function)
    return function


def dialect_options(function: Function) -> Function:
    """The form of a DIP catalogue's table, where it is not known by its headers."""
    for add in (
        option("--map", "mapping", metavar="FILE", help="options.catalogue_map"),
        option("--dialect", metavar="NAME", help="options.dialect"),
    ):
        function = add(function)
    return function


def file_options(function: Function) -> Function:
    """How the columns of input files are understood."""
    for add in (
        option("--input-encoding", metavar="NAME", help="options.input_encoding"),
        option("--as-is", is_flag=True, help="options.as_is"),
        option("--map", "mapping", metavar="FILE", help="options.map"),
        option("--layout", metavar="NAME", help="options.layout"),
    ):
        function = add(function)
    return function


def output_options(function: Function) -> Function:
    """How a result file is written."""
    for add in (
        option("--force", is_flag=True, help="options.force"),
        option(
            "--encoding",
            type=click.Choice(["utf-8-sig", "utf-8", "gb18030"]),
            help="options.encoding",
        ),
    ):
        function = add(function)
    return function
