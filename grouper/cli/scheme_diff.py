"""`grouper scheme diff`: what changed from one scheme to another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from grouper import __version__
from grouper.cli.chain import check_suffix
from grouper.cli.options import Command, as_json, common, option, terminal
from grouper.cli.output import DONE, Terminal
from grouper.cli.scheme_catalogue import diff_catalogues

if TYPE_CHECKING:
    from grouper.report.changes import CodeNames
    from grouper.scheme.change import Diff

Word = TypeVar("Word", bound=str)
_SUFFIXES = (".xlsx", ".json", ".txt")


@click.command("diff", cls=Command, help="help.scheme_diff")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@option("--only", metavar="LIST", help="options.only")
@option("--mdc", "mdcs", metavar="LIST", help="options.mdc")
@option("--full", is_flag=True, help="options.full")
@option("-o", "--out", type=click.Path(path_type=Path), metavar="OUT", help="options.diff_out")
@option("--force", is_flag=True, help="options.force")
@as_json
@common
@click.pass_context
def diff(
    ctx: click.Context,
    first: str,
    second: str,
    only: str | None,
    mdcs: str | None,
    full: bool,
    out: Path | None,
    force: bool,
    json_: bool,
) -> int:
    """What changed from A to B, by meaning."""
    from grouper.api import load_scheme
    from grouper.report.changes import LINES, as_data, text
    from grouper.run.explain import code_name
    from grouper.scheme.change import SUBJECTS
    from grouper.scheme.diff import diff as compare

    screen = terminal(ctx)
    if out is not None:
        check_suffix(ctx, str(out), _SUFFIXES)
    if of_catalogues(ctx, first, second):
        return diff_catalogues(ctx, first, second, out, full=full, json_=json_)
    subjects = _words(ctx, only, SUBJECTS) if only else SUBJECTS
    before, after = load_scheme(first), load_scheme(second)
    known = sorted({mdc.mdc for scheme in (before, after) for mdc in scheme.mdcs})
    letters = _words(ctx, mdcs.upper().replace("MDC", ""), known) if mdcs else None
    found = compare(before, after).only(subjects=subjects, mdcs=letters)
    screen.issues(found.notes)
    if out is not None:
        _write(out, found, code_name, screen, force=force)
    if json_:
        screen.json(as_data(found, screen.lang, code_name))
    elif out is None:
        limit = None if full else LINES
        screen.data("\n".join(text(found, screen.lang, code_name, limit=limit)))
    return DONE


def of_catalogues(ctx: click.Context, first: str, second: str) -> bool:
    """Whether two DIP catalogues are compared; wrong usage for one, or with options of DRG."""
    from grouper.run.catalogues import is_catalogue

    dip = [is_catalogue(name) for name in (first, second)]
    if any(dip) and not all(dip):
        text = terminal(ctx).text("usage.one_dip", dip=(first, second)[dip.index(True)])
        raise click.UsageError(text, ctx)
    for name in ("only", "mdcs") if all(dip) else ():
        if ctx.params[name]:
            flag = {"only": "--only", "mdcs": "--mdc"}[name]
            raise click.UsageError(terminal(ctx).text("usage.not_for_dip", name=flag), ctx)
    return all(dip)


def _words(ctx: click.Context, asked: str, known: Sequence[Word]) -> tuple[Word, ...]:
    """The words of a list `a,b`, in the order of those known; wrong usage for another one."""
    words = [word.strip() for word in asked.replace("，", ",").split(",") if word.strip()]
    unknown = [word for word in words if word not in known]
    if unknown or not words:
        text = terminal(ctx).text("usage.not_among", text=" ".join(unknown) or asked,
                                  known=", ".join(known))  # fmt: skip
        raise click.UsageError(text, ctx)
    return tuple(word for word in known if word in words)


def _write(out: Path, found: Diff, names: CodeNames, screen: Terminal, *, force: bool) -> None:
    from grouper.report.changes import as_data, text
    from grouper.report.changes_book import render_changes
    from grouper.report.save import json_file, save

    match out.suffix.lower():
        case ".xlsx":
            program = f"chs-grouper {__version__}"
            content = render_changes(found, screen.lang, names, program=program)
        case ".json":
            content = json_file(as_data(found, screen.lang, names))
        case _:
            lines = text(found, screen.lang, names, limit=None)
            content = ("\n".join(lines) + "\n").encode("utf-8-sig")
    overwrite: Any = "replace" if force else "refuse"
    save(out, content, overwrite=overwrite)
    screen.say("say.wrote", path=out)
