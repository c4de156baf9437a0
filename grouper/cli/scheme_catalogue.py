"""How the commands of `grouper scheme` work where the scheme is a DIP catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grouper import __version__
from grouper.cli.options import terminal
from grouper.cli.output import DONE, Terminal, issue_list, sums

if TYPE_CHECKING:
    from grouper.errors import Issue
    from grouper.scheme.dip import CatalogueRow, Published
    from grouper.scheme.dip_dialect import Dialect

#: how many findings of a kind, and changes, are shown; `--json` and files have all
_SHOWN = 5
_LINES = 10


def dialect_asked(ctx: click.Context) -> Dialect | None:
    """The form that `--dialect` or `--map` names. Raises SchemeError SE71, SE72."""
    from grouper.scheme.dip_dialect import load_dialect, read_dialect

    name, mapping = ctx.params.get("dialect"), ctx.params.get("mapping")
    if name and mapping:
        raise click.UsageError(terminal(ctx).text("usage.dialect_or_map"), ctx)
    if mapping:
        return read_dialect(Path(mapping))
    return load_dialect(name) if name else None


def list_catalogues() -> list[dict[str, Any]]:
    """The heads of the catalogues that can be named by an id."""
    from grouper.report.catalogue import head_of
    from grouper.run.catalogues import published
    from grouper.scheme.dip_folder import catalogue_ids

    return [head_of(published(name)) for name in catalogue_ids()]


def catalogue_titles(screen: Terminal, keys: Sequence[str]) -> list[str]:
    """The titles of columns about groups or catalogues."""
    from grouper.report.changes import ChangeWords

    return [ChangeWords(screen.lang)(f"catalogue.{key}") for key in keys]


def show_catalogue(
    ctx: click.Context, name: str, codes: Sequence[str], *, flat: bool, json_: bool
) -> int:
    """The head of a catalogue, some of its groups (by code or diagnosis), or its files."""
    from grouper.report.catalogue import head_lines, head_of
    from grouper.run.catalogues import published
    from grouper.run.results import words

    screen, found = terminal(ctx), published(name)
    if flat:
        return _show_files(ctx, found, codes, json_=json_)
    rules = [row for code in codes for row in _rules(ctx, found, code)]
    if json_:
        screen.json({"scheme": head_of(found), "rules": rules})
    elif codes:
        kinds, keys = words(screen.lang)["kind"], ("code", "name", "kind", "when", "score")
        titles = [screen.text(f"column.{key}") for key in ("code", "name", "kind", "rule")]
        rules = [row | {"kind": kinds.get(row["kind"], row["kind"])} for row in rules]
        screen.table(
            [*titles, *catalogue_titles(screen, ["score"])],
            [[row[key] or "" for key in keys] for row in rules],
        )
    else:
        screen.data(sums(head_lines(found, screen.lang)))
    return DONE


def _rules(ctx: click.Context, found: Published, code: str) -> list[dict[str, Any]]:
    """The groups with a code, or those of a diagnosis: `K35.3:47.0100`, `K35.3`, `K35`."""
    from grouper.report.catalogue import when_text
    from grouper.scheme.dip import dx_key

    wanted = dx_key(code)
    rules = [
        {
            "code": row.code,
            "name": row.name,
            "kind": row.kind,
            "layer": row.layer or None,
            "when": when_text(row),
            "score": None if printed.score is None else format(printed.score, "f"),
            "where": row.where,
        }
        for row, printed in zip(found.catalogue.rows, found.figures, strict=True)
        if _is_of(row, wanted)
    ]
    if not rules:
        text = terminal(ctx).text("usage.no_dip", code=code, scheme=found.catalogue.id)
        raise click.UsageError(text, ctx)
    return rules


def _is_of(row: CatalogueRow, wanted: str) -> bool:
    return row.code.upper() == wanted or any(key.startswith(wanted) for key in row.dx_keys)


def _show_files(ctx: click.Context, found: Published, names: Sequence[str], *, json_: bool) -> int:
    from grouper.cli.scheme import print_files
    from grouper.report.catalogue import head_of
    from grouper.scheme.dip_folder import catalogue_files

    files = {name: content.decode() for name, content in catalogue_files(found).items()}
    return print_files(ctx, files, names, head_of(found) if json_ else None)


def write_folder(ctx: click.Context, name: str, folder: str, *, force: bool) -> int:
    """A catalogue as a folder in canonical form."""
    from grouper.run.catalogues import published
    from grouper.scheme.dip_folder import write_catalogue

    found = published(name)
    target = Path(folder)
    if target.name != found.catalogue.id:
        target = target / found.catalogue.id
    write_catalogue(found, target, overwrite="replace" if force else "refuse")
    terminal(ctx).say("say.wrote", path=target)
    return DONE


def import_catalogue(
    ctx: click.Context, file: str, out: str, dialect: Dialect | None, *, force: bool, json_: bool
) -> int:
    """Read a catalogue in any form, write it as folder or JSON, and report what was met."""
    from grouper.report.catalogue import head_lines, head_of
    from grouper.report.save import save
    from grouper.run.catalogues import published
    from grouper.scheme.dip_folder import catalogue_json, write_catalogue

    screen, target = terminal(ctx), Path(out)
    found = _named(ctx, published(file, dialect=dialect), Path(file), target)
    overwrite: Any = "replace" if force else "refuse"
    if target.suffix.lower() == ".json":
        save(target, catalogue_json(found), overwrite=overwrite)
    else:
        write_catalogue(found, target, overwrite=overwrite)
    issues = found.catalogue.issues
    if json_:
        findings = issue_list(issues, screen.lang)
        screen.json({"scheme": head_of(found), "findings": findings, "out": str(target)})
    else:
        screen.data(sums(head_lines(found, screen.lang)))
        screen.data("")
        screen.data(screen.text("import.findings", n=len(issues)))
        _print_kinds(issues, screen)
    screen.say("say.wrote", path=target)
    return DONE


def _named(ctx: click.Context, found: Published, file: Path, target: Path) -> Published:
    """A catalogue with the id of its new place, its source, its rules and its digest."""
    import hashlib

    from grouper.scheme.dip_dialect import dialects
    from grouper.scheme.dip_form import digest
    from grouper.scheme.dip_preset import load_preset
    from grouper.sheet import read_bytes

    catalogue, preset = found.catalogue, ctx.params.get("preset")
    if preset:
        load_preset(preset)
    head = catalogue.head
    if not head.source and file.is_file():
        total = hashlib.sha256(read_bytes(file)).hexdigest()
        head = replace(head, source=f"{file.name}, SHA-256 {total}")
    name = target.absolute().name
    # a table that bears no title of its own has that of its form until now
    is_form = catalogue.title in {one.title for one in dialects()}
    new = replace(
        catalogue,
        title=file.stem if is_form else catalogue.title,
        id=name.removesuffix(target.suffix) if target.suffix.lower() == ".json" else name,
        head=replace(head, preset=preset or head.preset),
    )
    named = replace(found, catalogue=new)
    return replace(named, catalogue=replace(new, digest=digest(named)))


def _print_kinds(issues: Sequence[Issue], screen: Terminal) -> None:
    """The first of each code, and how many more there are."""
    kinds: dict[str, list[Issue]] = {}
    for issue in issues:
        kinds.setdefault(issue.code, []).append(issue)
    for alike in kinds.values():
        for issue in alike[:_SHOWN]:
            screen.data(f"  {issue.code} {issue.where}  {issue.what(screen.lang)}")
        if len(alike) > _SHOWN:
            screen.data("  " + screen.text("say.more", n=len(alike) - _SHOWN))


def diff_catalogues(
    ctx: click.Context, first: str, second: str, out: Path | None, *, full: bool, json_: bool
) -> int:
    """What changed from one catalogue to another: text, JSON, or a workbook."""
    from grouper.report.catalogue import as_data, render, text
    from grouper.report.save import json_file, save
    from grouper.run.catalogues import published

    screen = terminal(ctx)
    before, after = published(first), published(second)
    if out is not None:
        match out.suffix.lower():
            case ".xlsx":
                program = f"chs-grouper {__version__}"
                content = render(before, after, screen.lang, program=program)
            case ".json":
                content = json_file(as_data(before, after))
            case _:
                lines = text(before, after, screen.lang, limit=None)
                content = ("\n".join(lines) + "\n").encode("utf-8-sig")
        overwrite: Any = "replace" if ctx.params["force"] else "refuse"
        save(out, content, overwrite=overwrite)
        screen.say("say.wrote", path=out)
    if json_:
        screen.json(as_data(before, after))
    elif out is None:
        limit = None if full else _LINES
        screen.data("\n".join(text(before, after, screen.lang, limit=limit)))
    return DONE
