"""`grouper policy`: what areas decided; packs, which are settled with, and leads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grouper.cli.options import Command, Family, as_json, common, option, terminal
from grouper.cli.output import DONE, FINDINGS, Terminal, issue_list
from grouper.cli.policy_new import new

if TYPE_CHECKING:
    from grouper.errors import Issue
    from grouper.policy.leads import Lead
    from grouper.policy.model import KeyedValues, OutlierRule, Policy, Terms
    from grouper.settle.jumps import Jump

_LIST = ("area", "kind", "area_code", "scheme", "year", "title", "confidence")
_SHOW = ("valid_from", "valid_to", "key", "value", "source")
_JUMPS = ("area", "valid_from", "side", "threshold", "form", "weights", "holds_for", "at", "jump")


@click.command(cls=Family, name="policy", help="help.policy")
@common
def policy() -> None:
    """The family; its help text stands in the command texts."""


policy.add_command(new)


@policy.command("list", cls=Command, help="help.policy_list")
@as_json
@common
@click.pass_context
def list_(ctx: click.Context, json_: bool) -> int:
    """One line for each area that comes with the program."""
    from grouper.policy.leads import leads
    from grouper.policy.load import area_ids, load_policy

    rows = [_pack_head(load_policy(name)) for name in area_ids()]
    rows += [_lead_head(lead) for lead in leads().values()]
    _print(terminal(ctx), "areas", _LIST, rows, json_)
    return DONE


@policy.command("show", cls=Command, help="help.policy_show")
@click.argument("area", metavar="AREA")
@as_json
@common
@click.pass_context
def show(ctx: click.Context, area: str, json_: bool) -> int:
    """Every rule of an area."""
    out = terminal(ctx)
    if (lead := _lead(area, bare=True)) is not None:
        head, rows = _lead_head(lead), _lead_rules(lead)
    else:
        from grouper.policy.load import load_policy

        pack = load_policy(area)
        head, rows = _pack_head(pack), _pack_rules(pack)
    if json_:
        out.json({"area": head, "rules": rows})
    else:
        _print(out, "rules", _SHOW, rows, json_)
    return DONE


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
    from grouper.settle.jumps import lead_jumps, policy_jumps

    if (lead := _lead(area)) is not None:
        return lint_lead(lead), lead_jumps(lead)
    issues = lint_pack(area)
    if any(issue.severity == "error" for issue in issues):
        return issues, []
    return issues, policy_jumps(load_policy(area))


def _lead(area: str, *, bare: bool = False) -> Lead | None:
    """The lead of that name, unless a pack has it; `bare`: also one that has numbers alone.

    Raises PolicyError PO115, PO116.
    """
    from grouper.policy.leads import leads, load_lead
    from grouper.policy.load import area_ids

    is_pack = area in area_ids() or (Path(area) / "area.toml").is_file()
    if is_pack:
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


def _lead_rules(lead: Lead) -> list[dict[str, str]]:
    hidden = ("area", "code", "source")
    source = lead.texts["source"]
    return [
        {"valid_from": "", "valid_to": "", "key": key, "value": value, "source": source}
        for key, value in lead.texts.items()
        if value and key not in hidden
    ]


def _pack_rules(pack: Policy) -> list[dict[str, str]]:
    rows = []
    for terms in pack.terms:
        end = terms.span.end.isoformat() if terms.span.end else ""
        days = {"valid_from": terms.span.start.isoformat(), "valid_to": end}
        for key, value in _values(terms).items():
            rows.append(days | {"key": key, "value": value, "source": terms.sources.get(key, "")})
    return rows


def _values(terms: Terms) -> dict[str, str]:
    """The rules of an era under the keys of the policy file, as text."""
    costs = {"ambiguous": terms.ambiguous, "ungrouped": terms.ungrouped}
    values = {
        "scheme": terms.scheme_id,
        "weight_table": terms.weight_table,
        "base_rate": _keyed(terms.base_rate),
        "hospital_coefficient": _keyed(terms.coefficient),
        "standard": f"{terms.standard.rule}, x = C / ({terms.standard.ratio_base})",
        "low_outlier": _outlier(terms.low),
        "high_outlier": _outlier(terms.high),
        **{key: f"{one.rule} x {one.factor}" for key, one in costs.items() if one},
        "fund": f"{terms.fund.rule}, {terms.fund.negative}",
        "deposit": str(terms.deposit_rate),
    }
    return {key: value for key, value in values.items() if value}


def _keyed(values: KeyedValues | None) -> str:
    pairs = values.values.items() if values else ()
    return ";".join(f"{'/'.join(key)}={value}" for key, value in pairs)


def _outlier(rule: OutlierRule | None) -> str:
    if rule is None:
        return ""
    steps = []
    for one in rule.steps:
        tests = [one.level, one.insurance]
        tests += [f"w<={one.weight_up_to}"] if one.weight_up_to is not None else []
        tests += [f"w<{one.weight_below}"] if one.weight_below is not None else []
        steps.append(f"{'&'.join(filter(None, tests)) or '*'}:{one.multiple}")
    return f"{rule.rule}, x {rule.operator} {'|'.join(steps)}"


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
