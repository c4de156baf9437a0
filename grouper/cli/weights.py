"""`grouper weights`: what groups are worth; tables shown, checked, compared and installed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from grouper.cli.chain import date_value
from grouper.cli.options import Command, Family, as_json, common, option, terminal
from grouper.cli.output import DONE, FINDINGS, Terminal, issue_list, sums
from grouper.cli.weights_estimate import estimate

if TYPE_CHECKING:
    from grouper.errors import Issue
    from weights.check import Report
    from weights.compare import Change
    from weights.convert import Converted
    from weights.lookup import Worth
    from weights.table import Facts, Head, WeightTable

#: how many rows that were left out are shown
_SHOWN = 5


@click.command(cls=Family, name="weights", help="help.weights")
@common
def weights() -> None:
    """The family; its help text stands in the command texts."""


@weights.command("list", cls=Command, help="help.weights_list")
@option("--area", metavar="AREA", help="options.weights_area")
@as_json
@common
@click.pass_context
def list_(ctx: click.Context, area: str | None, json_: bool) -> int:
    """Every table, and the maps that come with the program."""
    from weights.load import folders, read_head, table_ids
    from weights.mapfile import map_ids

    out = terminal(ctx)
    embedded = table_ids()
    rows = [
        {**_head(head), "place": "embedded" if head.id in embedded else str(folder)}
        for folder in folders().values()
        if area in (None, (head := read_head(folder)).area, head.area_name)
    ]
    if json_:
        out.json({"tables": rows, "maps": map_ids()})
        return DONE
    keys = ("id", "title", "scheme", "area", "area_name", "valid_from", "valid_to", "confidence")
    titles = [out.text(f"weights.{key}") for key in (*keys, "place")]
    out.table(titles, [[row[key] or "" for key in (*keys, "place")] for row in rows])
    out.say("weights.maps", names=", ".join(map_ids()))
    return DONE


@weights.command("show", cls=Command, help="help.weights_show")
@click.argument("group", metavar="GROUP")
@option("--area", metavar="AREA", help="options.weights_area")
@option("--on", "day", metavar="DATE", callback=date_value, help="options.on_day")
@option("--table", metavar="TABLE", help="options.weights_table")
@option("--scheme", "scheme_id", metavar="SCHEME", default="", help="options.weights_scheme")
@option("--insurance", default="", metavar="CODE", help="options.insurance")
@option("--level", default="", metavar="LEVEL", help="options.level")
@option("--hospital", default="", metavar="CODE", help="options.hospital")
@option("--condition", default="", metavar="TEXT", help="options.condition")
@as_json
@common
@click.pass_context
def show(
    ctx: click.Context,
    /,
    group: str,
    area: str | None,
    day: date | None,
    table: str | None,
    scheme_id: str,
    insurance: str,
    level: str,
    hospital: str,
    condition: str,
    json_: bool,
) -> int:
    """The worth of a group by the table in force, and all rows of the group."""
    from weights.load import load
    from weights.lookup import lookup, worth
    from weights.table import Facts

    out = terminal(ctx)
    facts = Facts(insurance, level, hospital, condition)
    if table is not None:
        found = worth(load(table), group, facts)
    elif area is not None and day is not None:
        found = lookup(group, area=area, day=day, facts=facts, scheme_id=scheme_id)
    else:
        raise click.UsageError(out.text("usage.area_and_day"), ctx)
    if json_:
        out.json(_worth(found))
    else:
        _print_worth(found, out)
    return DONE


@weights.command("check", cls=Command, help="help.weights_check")
@click.argument("name", metavar="TABLE")
@option("--map", "mapping", metavar="MAP", help="options.weights_map")
@option("--scheme", metavar="SCHEME", help="options.weights_scheme")
@option("--strict", is_flag=True, help="options.strict")
@as_json
@common
@click.pass_context
def check(
    ctx: click.Context,
    name: str,
    mapping: str | None,
    scheme: str | None,
    strict: bool,
    json_: bool,
) -> int:
    """All findings of a table; exit code 1 if there is an error."""
    from weights.load import load

    out = terminal(ctx)
    table = _converted(name, mapping).table if mapping else load(name)
    report = _report(table, scheme)
    if json_:
        out.json({"table": table.id, **_report_dict(report, out)})
    else:
        for issue in report.issues:
            out.data(issue.text(out.lang))
        _say_report(table.id, report, out)
    return FINDINGS if report.errors or (strict and report.issues) else DONE


@weights.command("diff", cls=Command, help="help.weights_diff")
@click.argument("old", metavar="A")
@click.argument("new", metavar="B")
@as_json
@common
@click.pass_context
def diff(ctx: click.Context, old: str, new: str, json_: bool) -> int:
    """Every value that differs between two tables."""
    from weights.compare import diff as compare
    from weights.load import load

    out = terminal(ctx)
    changes = compare(load(old), load(new))
    kinds = ("added", "removed", "changed")
    counts = {kind: len({c.group for c in changes if c.kind == kind}) for kind in kinds}
    rows = [_change(change) for change in changes]
    if json_:
        out.json({"a": old, "b": new, **counts, "changes": rows})
        return DONE
    keys = ("kind", "group", "name", "facts", "column", "old", "new", "ratio")
    titles = [out.text(f"weights.{key}") for key in keys]
    words = {key: out.text(f"weights.{key}") for key in kinds}
    shown = [{**row, "kind": words[str(row["kind"])]} for row in rows]
    out.table(titles, [[row[key] or "" for key in keys] for row in shown])
    out.say("weights.diff_counts", **counts)
    return DONE


@weights.command("install", cls=Command, help="help.weights_install")
@click.argument("file", metavar="FILE")
@option("--map", "mapping", required=True, metavar="MAP", help="options.weights_map")
@option("--scheme", metavar="SCHEME", help="options.weights_scheme")
@option("--force", is_flag=True, help="options.weights_force")
@as_json
@common
@click.pass_context
def install(
    ctx: click.Context, file: str, mapping: str, scheme: str | None, force: bool, json_: bool
) -> int:
    """Bring a city's table into normal form, check it, and put it into the user's data folder."""
    from weights.write import install as write

    out = terminal(ctx)
    made = _converted(file, mapping)
    report = _report(made.table, scheme)
    digest = hashlib.sha256(Path(file).read_bytes()).hexdigest()
    folder = write(
        made.head,
        made.columns,
        remarks=(f"{Path(file).name}, sha256 {digest}", f"map {Path(mapping).stem}"),
        overwrite="replace" if force else "refuse",
    )
    if json_:
        left = [{"where": one.where, "text": one.text} for one in made.left_out]
        facts = {"headers": made.headers, "left_out": left}
        out.json({"table": made.head.id, "folder": folder, **facts, **_report_dict(report, out)})
    else:
        _say_left_out(made, out)
        _say_findings(report, out)
        _say_report(made.head.id, report, out)
        out.say("say.wrote", path=folder)
    return FINDINGS if report.errors else DONE


def _converted(file: str, mapping: str) -> Converted:
    """A file read through a map."""
    from grouper.records.grids import read_grids
    from weights.convert import convert
    from weights.mapfile import read_map

    by = read_map(mapping)
    return convert(read_grids(Path(file), encoding=by.encoding), by)


def _report(table: WeightTable, scheme: str | None) -> Report:
    """The findings of a table, its groups held against a scheme where there is one."""
    from grouper.api import load_scheme
    from grouper.errors import GrouperError
    from weights.check import check as findings

    try:
        groups = [drg.drg for drg in load_scheme(scheme or table.scheme_id).drgs]
    except GrouperError:
        if scheme:
            raise
        return findings(table)
    return findings(table, scheme_groups=groups)


def _report_dict(report: Report, out: Terminal) -> dict[str, object]:
    return {
        "rows": report.rows,
        "groups": report.groups,
        "with_weight": report.priced,
        "amounts_compared": report.compared,
        "amounts_set_by_hand": report.by_hand,
        "errors": report.errors,
        "warnings": len(report.issues) - report.errors,
        "issues": issue_list(report.issues, out.lang),
    }


def _say_report(name: str, report: Report, out: Terminal) -> None:
    out.say(
        "weights.counts", name=name, rows=report.rows, groups=report.groups, priced=report.priced
    )
    if report.compared or report.by_hand:
        out.say("weights.compared", n=report.compared, by_hand=report.by_hand)
    warnings = len(report.issues) - report.errors
    out.say("say.lint_counts", name=name, errors=report.errors, warnings=warnings)


def _say_findings(report: Report, out: Terminal) -> None:
    """How often each code was found, with its first place; `check` shows all of them."""
    first: dict[str, Issue] = {}
    counts: dict[str, int] = {}
    for issue in report.issues:
        first.setdefault(issue.code, issue)
        counts[issue.code] = counts.get(issue.code, 0) + 1
    for code, issue in first.items():
        what = f"{issue.where}  {issue.what(out.lang)}"
        out.say("summary.problem", n=counts[code], code=code, what=what)


def _say_left_out(made: Converted, out: Terminal) -> None:
    out.say("weights.header", places=", ".join(made.headers))
    if made.left_out:
        out.say("weights.left_out", n=len(made.left_out))
        for one in made.left_out[:_SHOWN]:
            out.log(f"  {one.where}  {one.text}")


def _head(head: Head) -> dict[str, Any]:
    return {
        "id": head.id,
        "title": head.title,
        "title_en": head.title_en,
        "scheme": head.scheme_id,
        "area": head.area,
        "area_name": head.area_name,
        "valid_from": head.span.start.isoformat(),
        "valid_to": head.span.end.isoformat() if head.span.end else None,
        "source": head.source,
        "confidence": head.confidence,
    }


def _facts(facts: Facts) -> dict[str, str]:
    keys = ("insurance", "level", "hospital", "condition")
    return {key: getattr(facts, key) for key in keys}


def _row(table: WeightTable, row: int) -> dict[str, object]:
    """One row of a table as it is printed there."""
    numbers = {name: column.decimal(row) for name, column in table.numbers.items()}
    return {
        **_facts(table.facts[row]),
        **{name: None if value is None else format(value, "f") for name, value in numbers.items()},
        "class": table.classes[row],
        "where": table.places[row],
    }


def _worth(found: Worth) -> dict[str, object]:
    """Stable keys for `--json`; numbers as text, exactly as published."""
    from grouper.money import to_fen, yuan
    from weights.proof import amount, usual_formula
    from weights.table import NUMBERS

    table = found.table
    formula = usual_formula(table, found.group, found.facts)
    computed = amount(table, found.group, found.facts, formula) if formula else None
    return {
        "table": _head(table.head),
        "group": found.group,
        "name": found.name,
        **_facts(found.facts),
        **{
            name: format(found.numbers[name], "f") if name in found.numbers else None
            for name in NUMBERS
        },
        "class": found.class_text,
        "basic": found.is_basic,
        "adjusted": found.is_adjusted,
        "base_rate": None if table.head.base_rate is None else format(table.head.base_rate, "f"),
        "formula": formula or None,
        "computed_standard": None
        if computed is None
        else yuan(to_fen(computed, rounding="half_up")),
        "rows": [{**_row(table, row), "holds": True} for row in found.rows]
        + [{**_row(table, row), "holds": False} for row in found.others],
    }


def _print_worth(found: Worth, out: Terminal) -> None:
    value = _worth(found)
    head = cast(Mapping[str, Any], value["table"])
    span = f"{head['valid_from']} .. {head['valid_to'] or ''}"
    facts = [(key, value[key]) for key in ("insurance", "level", "hospital", "condition")]
    keys = ("weight", "points", "coefficient", "rate", "point_value", "base_rate", "standard")
    more = ("computed_standard", "mean_cost", "ref_stay", "class")
    lines = [
        (out.text("weights.group"), f"{found.group} {found.name}".strip()),
        (out.text("weights.table"), f"{head['id']} {head['title']} ({span})"),
        *((out.text(f"weights.{key}"), text) for key, text in facts if text),
        *((out.text(f"weights.{key}"), value[key]) for key in (*keys, *more) if value[key]),
        (out.text("weights.source"), f"{head['source']} [{head['confidence']}]"),
    ]
    out.data(sums(lines))
    rows = cast(Sequence[Mapping[str, object]], value["rows"])
    if len(rows) > 1:
        shown = [k for k in rows[0] if k != "holds" and (k == "where" or any(r[k] for r in rows))]
        out.data("")
        titles = [out.text(f"weights.{key}") for key in shown]
        out.table(titles, [[row[key] or "" for key in shown] for row in rows])


def _change(change: Change) -> dict[str, object]:
    from grouper.money import decimal_text

    return {
        "kind": change.kind,
        "group": change.group,
        "name": change.name,
        "facts": str(change.facts),
        "column": change.column,
        "old": None if change.old is None else format(change.old, "f"),
        "new": None if change.new is None else format(change.new, "f"),
        "ratio": None if change.ratio is None else decimal_text(change.ratio, places=4),
    }


weights.add_command(estimate)
