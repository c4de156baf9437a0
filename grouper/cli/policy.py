"""`grouper policy`: what areas decided; packs, which are settled with, and leads."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import click

from grouper.cli.chain import date_value
from grouper.cli.options import Command, Family, as_json, common, option, terminal
from grouper.cli.output import DONE, FINDINGS, Terminal, issue_list
from grouper.cli.policy_calendar import calendar
from grouper.cli.policy_new import new
from grouper.dated import Span

if TYPE_CHECKING:
    from grouper.errors import Issue, Lang
    from grouper.policy.describe import Line
    from grouper.policy.leads import Lead
    from grouper.policy.model import Area, Policy
    from grouper.settle.jumps import Jump

_LIST = ("area", "kind", "area_code", "scheme", "year", "title", "confidence")
#: nothing is published about an area: there is nothing to look at
_SILENT = "PO117"
_SHOW = ("valid_from", "valid_to", "key", "value", "source", "confidence")
_DIFF = (
    "key",
    "kind",
    "left",
    "right",
    "left_source",
    "right_source",
    "left_confidence",
    "right_confidence",
)
_JUMPS = ("area", "valid_from", "side", "threshold", "form", "weights", "holds_for", "at", "jump")


@click.command(cls=Family, name="policy", help="help.policy")
@common
def policy() -> None:
    """The family; its help text stands in the command texts."""


policy.add_command(new)
policy.add_command(calendar)


@policy.command("list", cls=Command, help="help.policy_list")
@as_json
@common
@click.pass_context
def list_(ctx: click.Context, json_: bool) -> int:
    """One line for each area that comes with the program."""
    from grouper.policy.area import area_ids
    from grouper.policy.leads import leads

    rows = [_area_head(name) for name in area_ids()]
    rows += [_lead_head(lead) for lead in leads().values()]
    _print(terminal(ctx), "areas", _LIST, rows, json_)
    return DONE


@policy.command("show", cls=Command, help="help.policy_show")
@click.argument("area", metavar="AREA")
@option("--on", metavar="DATE", callback=date_value, help="options.policy_on")
@option("--insurance", metavar="TEXT", help="options.policy_insurance")
@option("--level", metavar="TEXT", help="options.policy_level")
@option("--hospital", metavar="CODE", default="", help="options.policy_hospital")
@option("--group", metavar="CODE", default="", help="options.policy_group")
@option("--parameters", "every", is_flag=True, help="options.policy_parameters")
@as_json
@common
@click.pass_context
def show(
    ctx: click.Context,
    area: str,
    on: date | None,
    insurance: str | None,
    level: str | None,
    hospital: str,
    group: str,
    every: bool,
    json_: bool,
) -> int:
    """Every rule of an area, or the one row that holds for a case."""
    from grouper.policy.describe import lead_lines

    out = terminal(ctx)
    if (insurance is None) != (level is None) or (insurance is not None and on is None):
        raise click.UsageError(out.text("usage.policy_case"), ctx)
    if (lead := _lead(area, bare=True)) is not None:
        head, lines = _lead_head(lead), list(lead_lines(lead))
    elif insurance is not None and level is not None and on is not None:
        head, lines = _picked_lines(area, on, insurance, level, hospital, group)
    else:
        head, lines = _pack_lines(area, on, every=every, lang=out.lang)
    rows = [_line(one) for one in lines]
    if json_:
        out.json({"area": head, "rules": rows})
    else:
        _print(out, "rules", _SHOW, rows, json_)
    return DONE


def _pack_lines(
    area: str, on: date | None, *, every: bool, lang: Lang
) -> tuple[dict[str, str], list[Line]]:
    """The line of a pack and its rules; of one without policy the reason and the facts."""
    from grouper.policy.area import area_folder, read_about
    from grouper.policy.describe import Line, fact_lines, parameter_lines, policy_lines
    from grouper.policy.load import load_policy

    about, issues = read_about(area_folder(area))
    if about is not None and about.unpublished is not None and not issues:
        why = about.unpublished
        reason = why.reason if lang == "zh" else why.reason_en
        first = Line("unpublished", reason, about.source, about.confidence, Span(why.searched))
        return _silent_head(about), [first, *fact_lines(about)]
    pack = load_policy(area, date=on)
    lines = [
        one for one in policy_lines(pack) if on is None or one.span is None or one.span.covers(on)
    ]
    day = on or pack.terms[-1].span.start
    lines += parameter_lines(pack, day, origin="" if every else pack.area.id)
    return _pack_head(pack), [*lines, *fact_lines(pack.area)]


def _picked_lines(
    area: str, on: date, insurance: str, level: str, hospital: str, group: str
) -> tuple[dict[str, str], list[Line]]:
    """The one row for a case: only the numbers of its key. Raises ST101, ST105."""
    from grouper.policy.describe import picked_lines
    from grouper.policy.load import load_policy
    from grouper.policy.pick import pick

    pack = load_policy(area)
    found = pick(pack, on, insurance=insurance, level=level, hospital=hospital, group=group)
    return _pack_head(pack), list(picked_lines(found))


@policy.command("diff", cls=Command, help="help.policy_diff")
@click.argument("left", metavar="LEFT[@DATE]")
@click.argument("right", metavar="RIGHT[@DATE]")
@as_json
@common
@click.pass_context
def diff(ctx: click.Context, left: str, right: str, json_: bool) -> int:
    """What is not the same in two areas, or on two days of one."""
    from grouper.policy.diff import all_lines, compare

    out = terminal(ctx)
    sides = []
    for text in (left, right):
        area, _, day = text.rpartition("@") if "@" in text else (text, "", "")
        on = date_value(ctx, ctx.command.params[0], day or None)
        sides.append(all_lines(_policy(area), on))
    changes = compare(*sides)
    rows = [{key: str(getattr(one, key)) for key in _DIFF} for one in changes]
    if json_:
        out.json({"left": left, "right": right, "changes": rows, "count": len(rows)})
    else:
        _print(out, "changes", _DIFF, rows, json_)
        out.say("say.policy_changes", n=len(rows))
    return DONE


def _policy(area: str) -> Policy:
    """The policy of a pack, or one drawn from a lead."""
    from grouper.policy.draft import drawn
    from grouper.policy.load import load_policy

    lead = _lead(area)
    return load_policy(area) if lead is None else drawn(lead)


@policy.command("lint", cls=Command, help="help.policy_lint")
@click.argument("areas", nargs=-1, metavar="[AREA]...")
@option("--all", "every", is_flag=True, help="options.all_areas")
@option("--strict", is_flag=True, help="options.strict")
@as_json
@common
@click.pass_context
def lint(ctx: click.Context, areas: tuple[str, ...], every: bool, strict: bool, json_: bool) -> int:
    """The findings of some areas, and what every threshold does to the payment."""
    from grouper.policy.leads import leads
    from grouper.policy.load import area_ids

    out = terminal(ctx)
    priced = [lead.area for lead in leads().values() if lead.can_price]
    asked = list(dict.fromkeys([*areas, *([*area_ids(), *priced] if every else ())]))
    if not asked:
        raise click.UsageError(out.text("usage.no_area"), ctx)
    reports = {area: _findings(area) for area in asked}
    issues = [issue for found, _ in reports.values() for issue in found]
    errors = sum(issue.severity == "error" for issue in issues)
    jumps = {area: [_jump(area, one) for one in found] for area, (_, found) in reports.items()}
    if json_:
        found = [
            {"area": area, "issues": issue_list(own, out.lang), "jumps": jumps[area]}
            for area, (own, _) in reports.items()
        ]
        out.json({"areas": found, "errors": errors, "warnings": len(issues) - errors})
    else:
        out.issues(issues)
        _print(out, "jumps", _JUMPS, [one for own in jumps.values() for one in own], json_)
        name = asked[0] if len(asked) == 1 else out.text("policy.counted", n=len(asked))
        out.say("say.lint_counts", name=name, errors=errors, warnings=len(issues) - errors)
    return FINDINGS if errors or (strict and issues) else DONE


def _findings(area: str) -> tuple[list[Issue], list[Jump]]:
    from grouper.policy.lint import lint as lint_pack
    from grouper.policy.lint import lint_lead
    from grouper.policy.load import load_policy
    from grouper.settle.fit import fit_issues
    from grouper.settle.jumps import lead_jumps, policy_jumps

    if (lead := _lead(area)) is not None:
        return lint_lead(lead), lead_jumps(lead)
    issues = lint_pack(area)
    if any(issue.severity == "error" or issue.code == _SILENT for issue in issues):
        return issues, []
    pack = load_policy(area)
    return [*issues, *fit_issues(pack)], policy_jumps(pack)


def _lead(area: str, *, bare: bool = False) -> Lead | None:
    """The lead of that name, unless a pack has it; `bare`: also one that has numbers alone.

    Raises PolicyError PO115, PO116.
    """
    from grouper.errors import PolicyError
    from grouper.policy.area import area_folder
    from grouper.policy.leads import leads, load_lead

    try:
        area_folder(area)
    except PolicyError:
        pass
    else:
        return None
    return leads()[area] if bare and area in leads() else load_lead(area)


def _print(
    out: Terminal, name: str, keys: tuple[str, ...], rows: list[dict[str, str]], json_: bool
) -> None:
    if json_:
        out.json({name: rows})
        return

    def cell(key: str, text: str) -> str:
        return out.text(f"policy.{text}") if key in ("kind", "side") else text

    titles = [out.text(f"column.{key}") for key in keys]
    out.table(titles, [[cell(key, row.get(key, "")) for key in keys] for row in rows])


def _area_head(area: str) -> dict[str, str]:
    """The line of an area that comes with the program, with or without policy."""
    from grouper.policy.area import area_folder, read_about
    from grouper.policy.load import load_policy

    about, issues = read_about(area_folder(area))
    if about is None or about.unpublished is None or issues:
        return _pack_head(load_policy(area))
    return _silent_head(about)


def _silent_head(about: Area) -> dict[str, str]:
    return {
        "area": about.id,
        "kind": "silent",
        "area_code": about.code,
        "scheme": "",
        "year": "",
        "title": about.title,
        "confidence": about.confidence,
    }


def _pack_head(pack: Policy) -> dict[str, str]:
    last = pack.terms[-1]
    return {
        "area": pack.area.id,
        "kind": "pack",
        "area_code": pack.area.code,
        "scheme": last.scheme_id,
        "year": f"{last.span.start:%Y}",
        "title": pack.titles[-1],
        "confidence": pack.confidence,
    }


def _lead_head(lead: Lead) -> dict[str, str]:
    texts = lead.texts
    names = ("standard", "low_form", "high_form")
    return {
        "area": lead.area,
        "kind": "lead" if lead.can_price else "numbers",
        "area_code": texts["code"],
        "scheme": texts["scheme"],
        "year": texts["year"],
        "title": " ".join(texts[name] for name in names if texts[name]),
        "confidence": texts["confidence"],
    }


def _line(line: Line) -> dict[str, str]:
    span = line.span
    return {
        "valid_from": span.start.isoformat() if span else "",
        "valid_to": span.end.isoformat() if span and span.end else "",
        "key": line.key,
        "value": line.value,
        "source": line.source,
        "confidence": line.confidence,
    }


def _jump(area: str, jump: Jump) -> dict[str, str]:
    """A threshold as text; payments in standards, to four decimals."""
    from grouper.money import decimal_text

    low, high = (None if one is None else decimal_text(one) for one in jump.weights)
    return {
        "area": area,
        "valid_from": jump.span.start.isoformat() if jump.span else "",
        "side": jump.side,
        "threshold": f"{jump.operator} {decimal_text(jump.k)}",
        "form": jump.form,
        "weights": f"{low or '0'} .. {high or ''}".strip() if low or high else "",
        "holds_for": " ".join(jump.holds_for),
        "at": decimal_text(jump.at, places=4),
        "jump": decimal_text(jump.jump, places=4),
    }
