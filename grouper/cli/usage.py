"""Wrong usage and failing files, said in the user's language."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from dataclasses import replace

import click

from grouper.cli.output import Terminal
from grouper.cli.texts import texts
from grouper.errors import DataFileError, GrouperError, Issue, Lang


def explain(error: click.UsageError, terminal: Terminal) -> None:
    """Write what is wrong with the command line and where its help is."""
    terminal.error(terminal.text("usage.wrong", text=_text(error, terminal)))
    path = error.ctx.command_path if error.ctx else "grouper"
    terminal.error(terminal.text("usage.help", command=path))


def _text(error: click.UsageError, terminal: Terminal) -> str:
    if terminal.lang == "en":
        return error.format_message()
    if isinstance(error, click.NoSuchOption):
        return terminal.text("usage.no_option", name=error.option_name)
    if isinstance(error, click.MissingParameter):
        return terminal.text("usage.missing", name=_name(error))
    if isinstance(error, click.BadParameter):
        return terminal.text("usage.bad", name=_name(error), text=error.message)
    return error.format_message()


def _name(error: click.BadParameter) -> str:
    if error.param is None or error.ctx is None:
        return str(error.param_hint or "")
    return error.param.get_error_hint(error.ctx)


def reason(error: OSError, lang: Lang) -> str:
    """Why the operating system refused, in the user's language where we know the words."""
    known = texts(lang)["oserror"]
    name = errno.errorcode.get(error.errno or 0, "")
    return known.get(name) or error.strerror or str(error)


def file_error(error: OSError, lang: Lang) -> DataFileError:
    """An error of the operating system as a data-file issue with path and remedy."""
    path = os.fsdecode(error.filename) if error.filename else ""
    return DataFileError("DF101", path=path, detail=reason(error, lang))


def error_text(error: GrouperError, lang: Lang) -> str:
    """All messages of an error; words of the operating system are said in the same language."""
    return "\n".join(issue.text(lang) for issue in _localized(error.issues, lang))


def _localized(issues: Iterable[Issue], lang: Lang) -> list[Issue]:
    known = {
        os.strerror(getattr(errno, name)): text
        for name, text in texts(lang)["oserror"].items()
        if hasattr(errno, name)
    }
    return [
        replace(issue, params={k: known.get(str(v), v) for k, v in issue.params.items()})
        for issue in issues
    ]
