"""How `grouper group` and `grouper explain` work where the scheme is a DIP catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grouper.cli.chain import reading, row_index
from grouper.cli.options import terminal
from grouper.cli.output import DONE, FINDINGS, issue_list

if TYPE_CHECKING:
    from grouper.engine.dip import DipGrouper
    from grouper.records.read import Records
    from grouper.run.dip_auxiliary import Typing
    from grouper.run.tally import Outcome


def is_dip(ctx: click.Context) -> bool:
    """Whether the scheme asked for is a DIP catalogue; wrong usage if DIP's options go with DRG."""
    from grouper.run.catalogues import is_catalogue

    scheme = ctx.params["scheme"]
    if is_catalogue(scheme):
        return True
    for name in ("preset", "op_classes", "auxiliary", "auxiliary_rules"):
        if ctx.params.get(name):
            flag = "--" + name.replace("_", "-")
            text = terminal(ctx).text("usage.dip_only", name=flag, scheme=scheme)
            raise click.UsageError(text, ctx)
    return False


def refuse_for_dip(ctx: click.Context, name: str) -> None:
    """Wrong usage for an option that DIP does not know yet; "" is none."""
    if name:
        raise click.UsageError(terminal(ctx).text("usage.not_for_dip", name=name), ctx)


def read_records(ctx: click.Context, paths: Sequence[Path]) -> Records:
    """The records of some files as the file options say."""
    from grouper.records import read
    from grouper.run.dip import NEEDED

    return read.read_records(paths, needs=NEEDED, **reading(ctx.params))


def dip_to_file(ctx: click.Context, paths: Sequence[Path], target: Path) -> Outcome:
    """Group files by a catalogue into one result file."""
    from grouper.records.write import write_results
    from grouper.run.dip import group_records, result_columns, run_info
    from grouper.run.dip_auxiliary import fields_of
    from grouper.run.grouping import rules_of
    from grouper.run.tally import Outcome

    lang, grouper = terminal(ctx).lang, _grouper(ctx)
    records, engine = read_records(ctx, paths), ctx.params["engine"]
    run = group_records(records, grouper, engine=engine)
    columns = result_columns(run, lang)
    if typing := typing_of(ctx):
        columns += typing.columns(records.batch, run.groups, fields_of(records.user))
    write_results(
        target,
        records.user,
        columns,
        lang=lang,
        encoding=ctx.params["encoding"],
        overwrite="replace" if ctx.params["force"] else "refuse",
        info=run_info(run, lang, engine),
    )
    notes = {**records.notes, "rules": rules_of(grouper)}
    catalogue = run.reference.catalogue
    return Outcome(run.counts, records.issues, notes, catalogue, engine, run.groups.slow)


def print_dip(ctx: click.Context, records: Records, row: int | None) -> int:
    """The way of one row (from 1; None or 0: the only one) to its group."""
    from grouper.engine.dip import case_at
    from grouper.run.explain import explain_dip_case
    from grouper.run.results import reason_text, words

    screen, json_ = terminal(ctx), ctx.params["json_"]
    batch = records.batch
    at = row_index(ctx, row, len(batch)) if row else 0
    issues = records.issues if len(batch) == 1 else []
    if number := int(batch.reject[at]):
        token = batch.reject_codes[number - 1]
        if json_:
            screen.json(
                {"status": "rejected", "reason": token, "issues": issue_list(issues, screen.lang)}
            )
        else:
            screen.data(f"{screen.text('status.rejected')}: {reason_text(token, screen.lang)}")
            screen.issues(issues)
        return FINDINGS
    trace = explain_dip_case(_grouper(ctx), case_at(batch, at))
    group = trace.group
    typed = _types(ctx, records, group.code if group else None, at)
    if json_:
        found: dict[str, object] = {"issues": issue_list(issues, screen.lang)} if issues else {}
        found |= {"auxiliary": typed} if typed else {}
        screen.json(trace.to_dict() | found)
    else:
        screen.data(trace.text(words(screen.lang)))
        if typed:
            screen.data(screen.text("dip_types.fitting", types=", ".join(typed["types"]) or "-"))
            key = "chosen" if typed["type"] else "none"
            screen.data(screen.text(f"dip_types.{key}", **typed))
        screen.issues(issues)
    return DONE if trace.outcome.status.word != "rejected" else FINDINGS


def typing_of(ctx: click.Context) -> Typing | None:
    """How cases get their auxiliary types, None where nobody asked."""
    how = ctx.params
    if not how["auxiliary"]:
        return None
    from grouper.run.dip_auxiliary import Typing, read_auxiliary
    from grouper.scheme.dip_auxiliary import load_auxiliary

    table = read_auxiliary(Path(how["auxiliary"]), load_auxiliary(how["auxiliary_rules"]))
    return Typing(table, terminal(ctx).lang)


def _types(ctx: click.Context, records: Records, code: str | None, at: int) -> dict[str, Any]:
    """The auxiliary types that fit a row, and the one that counts; {} where nobody asked."""
    typing = typing_of(ctx)
    if typing is None or code is None:
        return {}
    from grouper.run.dip_auxiliary import fields_of

    types = typing.types_of_row(records.batch, code, fields_of(records.user), at)
    worth = typing.table.chosen(code, types)
    return {
        "types": list(types),
        "type": worth.type if worth else None,
        "trigger": str(worth.trigger) if worth else None,
        "coefficient": str(worth.coefficient) if worth else "1",
    }


def _grouper(ctx: click.Context) -> DipGrouper:
    from grouper.run.grouping import load_catalogue

    how = ctx.params
    return load_catalogue(how["scheme"], preset=how["preset"], op_classes=how["op_classes"])
