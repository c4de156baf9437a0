"""`grouper scheme`: list, show, check, compare and write grouping schemes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grouper.cli.options import (
    Command,
    Family,
    as_json,
    common,
    dialect_options,
    option,
    terminal,
)
from grouper.cli.output import DONE, FINDINGS, Terminal, issue_list, sums
from grouper.cli.scheme_catalogue import (
    catalogue_titles,
    dialect_asked,
    list_catalogues,
    show_catalogue,
    write_folder,
)
from grouper.cli.scheme_diff import diff
from grouper.cli.scheme_import import import_

if TYPE_CHECKING:
    from grouper.errors import Issue
    from grouper.scheme.model import Scheme


@click.command(cls=Family, name="scheme", help="help.scheme")
@common
def scheme() -> None:
    """The family; its help text stands in the command texts."""


scheme.add_command(diff)


@scheme.command("list", cls=Command, help="help.scheme_list")
@as_json
@common
@click.pass_context
def list_(ctx: click.Context, json_: bool) -> int:
    """One line for each embedded scheme."""
    from grouper.api import load_scheme
    from grouper.scheme.load import embedded_ids, find_scheme
    from grouper.scheme.source import read_head

    out, catalogues = terminal(ctx), list_catalogues()
    if json_:
        schemes = [head_of(load_scheme(name)) for name in embedded_ids()]
        out.json({"schemes": schemes, "catalogues": catalogues})
        return DONE
    # the heads alone: to load every scheme takes seconds
    heads = [read_head(find_scheme(name), []) for name in embedded_ids()]
    keys = ("id", "title", "status", "date", "mdc_count", "adrg_count", "drg_count", "confidence",
            "extends")  # fmt: skip
    titles = {
        "id": "column.scheme_id",
        "title": "column.title",
        "status": "column.status",
        "date": "column.date",
        "confidence": "column.confidence",
        "extends": "column.extends",
    }
    named = [out.text(titles[key]) if key in titles else key[:-6].upper() for key in keys]
    out.table(named, [[head.get(key, "") for key in keys] for head in heads])
    if catalogues:
        shown = ("id", "title", "area_name", "groups", "preset", "confidence")
        rows = [[one[key] or "" for key in shown] for one in catalogues]
        out.data("")
        out.table(catalogue_titles(out, shown), rows)
    return DONE


@scheme.command("show", cls=Command, help="help.scheme_show")
@click.argument("scheme_name", metavar="SCHEME")
@click.argument("codes", nargs=-1, metavar="[CODE]...")
@option("--flat", is_flag=True, help="options.flat")
@as_json
@common
@click.pass_context
def show(
    ctx: click.Context, scheme_name: str, codes: tuple[str, ...], flat: bool, json_: bool
) -> int:
    """The head of a scheme, the rules of some of its groups, or its files, whole."""
    from grouper.api import load_scheme
    from grouper.run.catalogues import is_catalogue

    if is_catalogue(scheme_name):
        return show_catalogue(ctx, scheme_name, codes, flat=flat, json_=json_)
    out = terminal(ctx)
    loaded = load_scheme(scheme_name)
    if flat:
        return _show_files(ctx, loaded, codes, json_)
    rules = [row for code in codes for row in _rules(ctx, loaded, code)]
    if json_:
        out.json({"scheme": head_of(loaded), "rules": rules})
    elif codes:
        titles = [out.text(f"column.{key}") for key in ("code", "name", "kind", "rule")]
        out.table(titles, [[row[k] for k in ("code", "name", "kind", "when")] for row in rules])
    else:
        out.data(sums(head_of(loaded).items()))
    return DONE


def _show_files(ctx: click.Context, loaded: Scheme, names: tuple[str, ...], json_: bool) -> int:
    """The files of a scheme as it is when whole: those named, or all."""
    from grouper.scheme.write import canonical_files

    files = {name: content.decode() for name, content in canonical_files(loaded).items()}
    return print_files(ctx, files, names, head_of(loaded) if json_ else None)


def print_files(
    ctx: click.Context, files: dict[str, str], names: Sequence[str], head: dict[str, Any] | None
) -> int:
    """The files of a scheme or catalogue: those named, or all; with its head as JSON."""
    out = terminal(ctx)
    if unknown := [name for name in names if name not in files]:
        text = out.text("usage.no_file", file=unknown[0], files=" ".join(files))
        raise click.UsageError(text, ctx)
    shown = {name: files[name] for name in names or files}
    if head is not None:
        out.json({"scheme": head, "files": shown})
    elif len(shown) == 1:
        out.data(*(text.removesuffix("\n") for text in shown.values()))
    else:
        out.data("\n".join(f"==> {name} <==\n{text}" for name, text in shown.items()))
    return DONE


@scheme.command("lint", cls=Command, help="help.scheme_lint")
@click.argument("names", nargs=-1, metavar="[SCHEME]...")
@option("--all", "every", is_flag=True, help="options.all")
@option("--codes", metavar="EDITION", help="options.known")
@dialect_options
@option("--strict", is_flag=True, help="options.strict")
@as_json
@common
@click.pass_context
def lint(
    ctx: click.Context,
    names: tuple[str, ...],
    every: bool,
    codes: str | None,
    dialect: str | None,
    mapping: str | None,
    strict: bool,
    json_: bool,
) -> int:
    """All findings of one or more schemes."""
    from grouper.datafile import data_folder
    from grouper.run.catalogues import is_catalogue, lint_catalogue
    from grouper.run.schemes import lint_scheme
    from grouper.scheme.dip_folder import embedded_catalogues
    from grouper.scheme.load import embedded_ids

    out, form = terminal(ctx), dialect_asked(ctx)
    embedded = embedded_ids()
    asked = [*names, *((*embedded, *embedded_catalogues()) if every else ())]
    if not asked:
        raise click.UsageError(out.text("usage.no_folder"), ctx)
    known = _known_codes(codes) if codes else None
    reports: dict[str, list[Issue]] = {}
    for name in asked:
        folder = data_folder("schemes", name) if name in embedded else Path(name)
        reports[name] = (
            lint_catalogue(name, dialect=form)
            if form or is_catalogue(name)
            else lint_scheme(folder, known_codes=known)
        )
    errors = {name: _errors(issues) for name, issues in reports.items()}
    if json_:
        out.json({"schemes": [_report(name, issues, out) for name, issues in reports.items()]})
    else:
        _print_reports(reports, errors, out)
    bad = any(reports.values()) if strict else any(errors.values())
    return FINDINGS if bad else DONE


@scheme.command("write", cls=Command, help="help.scheme_write")
@click.argument("scheme_name", metavar="SCHEME")
@click.argument("folder", metavar="FOLDER")
@option("--extends", "base_name", metavar="BASE", help="options.extends")
@option("--force", is_flag=True, help="options.force")
@common
@click.pass_context
def write(
    ctx: click.Context, scheme_name: str, folder: str, base_name: str | None, force: bool
) -> int:
    """Write a loaded scheme as a folder, whole or as the difference from another one."""
    from grouper.api import load_scheme
    from grouper.run.catalogues import is_catalogue
    from grouper.scheme.write import write_scheme

    if is_catalogue(scheme_name):
        if base_name:
            text = terminal(ctx).text("usage.not_for_dip", name="--extends")
            raise click.UsageError(text, ctx)
        return write_folder(ctx, scheme_name, folder, force=force)
    loaded = load_scheme(scheme_name)
    base = load_scheme(base_name) if base_name else None
    # a scheme folder bears the id of its scheme; another folder is taken as the one to put it in
    target = Path(folder) if Path(folder).name == loaded.id else Path(folder) / loaded.id
    write_scheme(loaded, target, base=base, overwrite="replace" if force else "refuse")
    terminal(ctx).say("say.wrote", path=target)
    return DONE


scheme.add_command(import_)


def head_of(scheme: Scheme) -> dict[str, Any]:
    """What identifies a scheme, with its counts as scheme.toml has them."""
    keys = (
        "id",
        "title",
        "base",
        "extends",
        "status",
        "publication",
        "date",
        "source",
        "confidence",
        "codes",
    )
    return {key: getattr(scheme, key) for key in keys} | {
        "mdc_count": len(scheme.mdcs),
        "adrg_count": len({rule.adrg for rule in scheme.adrgs if not rule.is_ambiguous}),
        "drg_count": len({drg.drg for drg in scheme.drgs}),
        "digest": scheme.digest,
    }


def _rules(ctx: click.Context, scheme: Scheme, code: str) -> list[dict[str, str]]:
    """The rows of a scheme that carry the code: an MDC (`B` or `MDCB`), an ADRG or a DRG."""
    from grouper.scheme.condition import to_text

    rows = [
        *((f"MDC{mdc.mdc}", mdc.name, "mdc", mdc.when) for mdc in scheme.mdcs),
        *((rule.adrg, rule.name, rule.kind, rule.when) for rule in scheme.adrgs),
        *((drg.drg, drg.name, "drg", drg.when) for drg in scheme.drgs),
    ]
    wanted = f"MDC{code.upper()}" if len(code) == 1 else code.upper()
    # an ADRG is shown with the DRGs it is refined into
    found = [
        {"code": name, "name": title, "kind": kind, "when": to_text(when)}
        for name, title, kind, when in rows
        if name == wanted or (kind == "drg" and name[:3] == wanted)
    ]
    if not found:
        out = terminal(ctx)
        text = out.text("usage.no_group", code=code, scheme=scheme.id)
        raise click.UsageError(text, ctx)
    return found


def _known_codes(edition: str) -> dict[str, frozenset[str]]:
    """The codes of an edition of the dictionaries, by kind."""
    from grouper.codes.dictionary import load_dictionary

    dictionary = load_dictionary(edition)
    return {"dx": frozenset(dictionary.dx.names), "px": frozenset(dictionary.px.names)}


def _errors(issues: list[Issue]) -> int:
    return sum(issue.severity == "error" for issue in issues)


def _report(name: str, issues: list[Issue], out: Terminal) -> dict[str, Any]:
    errors = _errors(issues)
    return {
        "scheme": name,
        "errors": errors,
        "warnings": len(issues) - errors,
        "issues": issue_list(issues, out.lang),
    }


def _print_reports(reports: dict[str, list[Issue]], errors: dict[str, int], out: Terminal) -> None:
    for name, issues in reports.items():
        for issue in issues:
            out.data(issue.text(out.lang))
        warnings = len(issues) - errors[name]
        out.say("say.lint_counts", name=name, errors=errors[name], warnings=warnings)
