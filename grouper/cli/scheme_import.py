"""`grouper scheme import`: a workbook or catalogue as a scheme folder, and what was met in it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from grouper.cli.options import Command, as_json, common, dialect_options, option, terminal
from grouper.cli.output import DONE, Terminal, issue_list
from grouper.cli.scheme_catalogue import dialect_asked, import_catalogue
from grouper.errors import messages

if TYPE_CHECKING:
    from grouper.errors import Issue
    from grouper.scheme.workbook_import import Import

_ID = re.compile(r"[a-z0-9_]+")
#: how many findings of one kind are shown; `--json` has all
_SHOWN = 5


@click.command("import", cls=Command, help="help.scheme_import")
@click.argument("file", metavar="FILE")
@click.argument("folder", metavar="OUT")
@dialect_options
@option("--preset", metavar="NAME", help="options.preset_written")
@option("--force", is_flag=True, help="options.force")
@as_json
@common
@click.pass_context
def import_(
    ctx: click.Context,
    file: str,
    folder: str,
    dialect: str | None,
    mapping: str | None,
    preset: str | None,
    force: bool,
    json_: bool,
) -> int:
    """Read a workbook, write the scheme, lint it, and report."""
    from grouper.run.catalogues import is_catalogue
    from grouper.run.schemes import import_file
    from grouper.scheme.lint import lint
    from grouper.scheme.write import write_scheme

    form = dialect_asked(ctx)
    if form or is_catalogue(file):
        return import_catalogue(ctx, file, folder, form, force=force, json_=json_)
    if preset:
        text = terminal(ctx).text("usage.dip_only", name="--preset", scheme=file)
        raise click.UsageError(text, ctx)
    out = terminal(ctx)
    # a scheme folder bears the id of its scheme: a name that can be no id holds it instead
    name = Path(folder).absolute().name
    found = import_file(Path(file), scheme_id=name if _ID.fullmatch(name) else "")
    scheme = found.scheme
    target = Path(folder) if name == scheme.id else Path(folder) / scheme.id
    write_scheme(scheme, target, overwrite="replace" if force else "refuse")
    findings = lint(target)
    if json_:
        out.json(_as_json(found, findings, target, out))
    else:
        _print(found, findings, out)
    out.say("say.wrote", path=target)
    return DONE


def _problem(issue: Issue) -> str:
    return str(issue.params["problem"])


def _as_json(found: Import, findings: Sequence[Issue], target: Path, out: Terminal) -> Any:
    from grouper.cli.scheme import head_of

    amended = [issue for issue in found.repairs if _problem(issue) == "amended"]
    return {
        "scheme": head_of(found.scheme),
        "counts": {
            name: {"found": n, "published": published}
            for name, (n, published) in found.counts.items()
        },
        "differences": issue_list(found.differences, out.lang),
        "amendments": issue_list(amended, out.lang),
        "repairs": issue_list([one for one in found.repairs if one not in amended], out.lang),
        "findings": issue_list(findings, out.lang),
        "out": str(target),
    }


def _print(found: Import, findings: Sequence[Issue], out: Terminal) -> None:
    titles = [out.text(f"import.{key}") for key in ("what", "found", "published", "differs")]
    words = cast(Mapping[str, str], messages(out.lang)["SW32"]["problem"])
    rows = [
        (words[name], n, published, "" if n == published else n - published)
        for name, (n, published) in found.counts.items()
    ]
    out.table(titles, rows)
    out.data("")
    for title, issues in (("repairs", found.repairs), ("findings", findings)):
        out.data(out.text(f"import.{title}", n=len(issues)))
        _print_kinds(issues, out)
    out.data(out.text("import.digest", id=found.scheme.id, digest=found.scheme.digest))


def _print_kinds(issues: Sequence[Issue], out: Terminal) -> None:
    """The first of each kind, and how many more there are."""
    kinds: dict[tuple[str, str], list[Issue]] = {}
    for issue in issues:
        kinds.setdefault((issue.code, _problem(issue)), []).append(issue)
    for alike in kinds.values():
        for issue in alike[:_SHOWN]:
            out.data(f"  {issue.code} {issue.where}  {issue.what(out.lang)}")
        if len(alike) > _SHOWN:
            out.data("  " + out.text("say.more", n=len(alike) - _SHOWN))
