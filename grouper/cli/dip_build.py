"""`grouper dip`: a local DIP catalogue from a history of discharges."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grouper.cli import streams
from grouper.cli.numbers import decimal_value, trim_value, weights_by_year, year_weights_value
from grouper.cli.options import (
    Command,
    Family,
    Function,
    as_json,
    common,
    file_options,
    option,
    terminal,
)
from grouper.cli.output import DONE, Terminal
from grouper.cli.progress import Progress
from grouper.cli.run_folder import stream_options

if TYPE_CHECKING:
    from grouper.run.dip_build import BuildChoices, Built
    from grouper.run.dip_build_files import Auxiliary
    from grouper.run.dip_history import KeyedCases
    from grouper.scheme.dip import Published
    from grouper.scheme.dip_keys import Key

#: what OUT is not
_NO_FOLDER = (".xlsx", ".xls", ".parquet", ".jsonl", ".html", ".toml")
_REST = ("chapter", "blank")
_UNNAMED = "catalogue"
#: inversions shown; the report lists all
_SHOWN = 5


@click.command(cls=Family, name="dip", help="help.dip")
@common
def dip() -> None:
    """The family; its help text stands in the command texts."""


def _gain(ctx: click.Context, param: click.Parameter, value: str) -> Fraction | None:
    """Percent of extra cost that related operations need; None = any."""
    percent = decimal_value(ctx, param, None if value == "any" else value)
    return None if percent is None else percent / 100


def _years(ctx: click.Context, _: click.Parameter, value: str | None) -> tuple[int, ...]:
    years = [part.strip() for part in (value or "").split(",") if part.strip()]
    if not all(len(year) == 4 and year.isascii() and year.isdigit() for year in years):
        raise click.BadParameter(terminal(ctx).text("usage.dip_years", text=value))
    return tuple(map(int, years))


def _rest(ctx: click.Context, _: click.Parameter, value: str) -> tuple[str, ...]:
    ways = tuple(part.strip() for part in value.split(",") if part.strip() not in ("", "none"))
    if not set(ways) <= set(_REST):
        known = ", ".join((*_REST, "none"))
        raise click.BadParameter(terminal(ctx).text("usage.dip_rest", text=value, known=known))
    return ways


def _group_options(function: Function) -> Function:
    """Which groups there are."""
    for add in (
        option("--op-classes", metavar="FILE", help="options.op_classes"),
        option("--preset", default="national", metavar="NAME", show_default=True,
               help="options.dip_preset"),
        option("--rest", default="chapter,blank", callback=_rest, metavar="WAYS",
               show_default=True, help="options.dip_rest"),
        option("--comprehensive-max-cv", "max_cv", callback=decimal_value, metavar="CV",
               help="options.dip_max_cv"),
        option("--comprehensive-threshold", "comprehensive", type=int, metavar="N",
               help="options.dip_comprehensive"),
        option("--listed-threshold", type=int, metavar="N", help="options.dip_listed_threshold"),
        option("--listed", metavar="CATALOGUE", help="options.dip_listed"),
        option("--related-gain", default="10", callback=_gain, metavar="PERCENT",
               show_default=True, help="options.dip_gain"),
        option("--threshold-share", "share", callback=decimal_value, metavar="SHARE",
               help="options.dip_share"),
        option("--threshold", type=int, metavar="N", help="options.dip_threshold"),
    ):  # fmt: skip
        function = add(function)
    return function


def _score_options(function: Function) -> Function:
    """How scores are computed."""
    for add in (
        option("--repair-inversions", "repair", is_flag=True, help="options.dip_repair"),
        option("--standard", callback=decimal_value, metavar="YUAN", help="options.dip_standard"),
        option("--reference", metavar="GROUP", help="options.dip_reference"),
        option("--base", type=click.Choice(["all", "kept"]), default="all", show_default=True,
               help="options.dip_base"),
        option("--trim-min-cases", type=int, default=20, metavar="N", show_default=True,
               help="options.est_trim_cases"),
        option("--trim", default="percentile:2.5:97.5", callback=trim_value, metavar="METHOD",
               show_default=True, help="options.est_trim"),
        option("--year-mean", type=click.Choice(["years", "cases"]), default="years",
               show_default=True, help="options.est_year_mean"),
        option("--year-weights", callback=year_weights_value, metavar="W:W:W",
               help="options.dip_year_weights"),
        option("--year-column", metavar="HEADER", help="options.dip_year_column"),
        option("--years", callback=_years, metavar="YEAR,YEAR", help="options.dip_years"),
    ):  # fmt: skip
        function = add(function)
    return function


@dip.command("build", cls=Command, help="help.dip_build")
@click.argument("files", nargs=-1, required=True, metavar="IN... OUT")
@_group_options
@_score_options
@option("--auxiliary", is_flag=True, help="options.dip_auxiliary")
@option("--auxiliary-rules", metavar="FILE", help="options.dip_auxiliary_rules")
@option("--name", metavar="ID", help="options.dip_name")
@stream_options
@file_options
@option("--force", is_flag=True, help="options.est_force")
@as_json
@common
@click.pass_context
def build(
    ctx: click.Context, /, files: tuple[str, ...], force: bool, json_: bool, **how: Any
) -> int:
    """Read the history, build, write the catalogue and its report."""
    from grouper.records.outfile import check_output
    from grouper.run.dip_build_files import TABLES, build_record, published, report_files
    from grouper.scheme.dip_folder import HEAD

    screen = terminal(ctx)
    if len(files) < 2:
        raise click.UsageError(screen.text("usage.dip_files"), ctx)
    if sum(how[name] is not None for name in ("threshold", "share")) > 1:
        raise click.UsageError(screen.text("usage.dip_two_thresholds"), ctx)
    if how["standard"] is not None and how["reference"]:
        raise click.UsageError(screen.text("usage.dip_two_bases"), ctx)
    if how["listed_threshold"] is not None and not how["listed"]:
        raise click.UsageError(screen.text("usage.dip_listed"), ctx)
    out = Path(files[-1]).absolute()
    if out.suffix.lower() in _NO_FOLDER:
        text = screen.text("usage.suffix", path=files[-1], suffixes=" ".join(TABLES))
        raise click.UsageError(text, ctx)
    is_table = out.suffix.lower() in TABLES
    overwrite: Any = "replace" if force else "refuse"
    name = how["name"] or re.sub(r"[^\w.]+", "-", out.stem).strip("-.") or _UNNAMED
    with streams.inputs(ctx, files[:-1]) as paths:
        # said before anything is read, not after
        if is_table or out.exists():
            check_output(out / HEAD if out.is_dir() else out, paths, overwrite=overwrite)
        found, auxiliary = _built(paths, how, screen)
        inputs = sorted(path.name for path in paths)
        classes = Path(how["op_classes"]).read_bytes() if how["op_classes"] else None
        reports = report_files(found, name, inputs, auxiliary, op_classes=classes)
        _write(out, published(found, name, inputs), reports, overwrite=overwrite)
    if json_:
        screen.json({"out": files[-1], **build_record(found, name, inputs, auxiliary)})
    _summarize(found, screen)
    if auxiliary is not None:
        groups = auxiliary.groups
        types = sum(len(one.types) for one in groups)
        screen.say("dip_build.auxiliary", groups=len(groups), types=types)
    screen.say("say.wrote", path=files[-1])
    return DONE


def _built(
    paths: Sequence[Path], how: Mapping[str, Any], screen: Terminal
) -> tuple[Built, Auxiliary | None]:
    from grouper.records.mapfile import load_map
    from grouper.run.dip_auxiliary import auxiliary_groups
    from grouper.run.dip_build import build as built
    from grouper.run.dip_build_files import Auxiliary
    from grouper.run.dip_history import Reading, read_keys
    from grouper.scheme.dip_auxiliary import load_auxiliary
    from grouper.scheme.dip_preset import load_classes, load_layers, load_preset

    is_typed = how["auxiliary"] or how["auxiliary_rules"]
    rules = load_auxiliary(how["auxiliary_rules"]) if is_typed else None
    preset, classes = load_preset(how["preset"]), load_classes(how["op_classes"])
    reading = Reading(
        layout=how["layout"],
        mapping=dict(load_map(how["mapping"])[1]) if how["mapping"] else None,
        cleaning="as_is" if how["as_is"] else "standard",
        encoding=how["input_encoding"],
        excluded_ops=preset.excluded_ops,
        years=how["years"],
        year_header=how["year_column"] or "",
        auxiliary=rules,
    )
    more = {"batch": how["batch"]} if how["batch"] else {}
    with Progress(screen) as progress:
        cases = read_keys(paths, reading, threads=how["threads"], progress=progress, **more)
    found = built(cases, _choices(how, cases), preset, classes, load_layers())
    if rules is None:
        return found, None
    return found, Auxiliary(auxiliary_groups(cases, found, rules), rules)


def _choices(how: Mapping[str, Any], cases: KeyedCases) -> BuildChoices:
    from grouper.engine.dip_directory import DirectoryChoices
    from grouper.run.dip_build import BuildChoices
    from weights.dip_scores import Base, ScoreChoices
    from weights.trim import Trim

    usual = DirectoryChoices()
    threshold = usual.threshold if how["threshold"] is None else how["threshold"]
    base: Base = how["base"]
    if how["reference"]:
        base = "group"
    elif how["standard"] is not None:
        base = "standard"
    method, low, high = how["trim"]
    return BuildChoices(
        DirectoryChoices(
            threshold,
            threshold if how["comprehensive"] is None else how["comprehensive"],
            how["related_gain"],
            how["rest"],
            listed=_listed(how["listed"]),
            listed_threshold=how["listed_threshold"],
        ),
        ScoreChoices(
            Trim(method, low, high, how["trim_min_cases"]),
            weights_by_year(how["year_weights"], sorted(cases.of_years())),
            how["year_mean"],
            base,
            how["reference"] or "",
            None if how["standard"] is None else how["standard"] * 100,
        ),
        how["share"],
        how["max_cv"],
        how["repair"],
    )


def _listed(name: str | None) -> frozenset[Key]:
    """The keys of a wider directory."""
    if name is None:
        return frozenset()
    from grouper.run.catalogues import read_catalogue
    from grouper.scheme.dip_keys import keys_of_rows

    return keys_of_rows(read_catalogue(name).catalogue.rows)


def _write(
    out: Path, catalogue: Published, reports: Mapping[str, bytes], *, overwrite: Any
) -> None:
    """A folder with all files; or the catalogue alone with the reports beside it."""
    from grouper.datafile import write_folder
    from grouper.report.save import save
    from grouper.run.dip_build_files import TABLES, catalogue_alone, folder_files
    from grouper.scheme.dip_folder import HEAD

    suffix = out.suffix.lower()
    if suffix not in TABLES:
        write_folder(out, folder_files(catalogue, reports), mark=HEAD, overwrite=overwrite)
        return
    # the catalogue last: who sees it finds the rest
    for name, content in reports.items():
        save(out.with_name(f"{out.stem}.{name}"), content, overwrite=overwrite)
    save(out, catalogue_alone(catalogue, suffix), overwrite=overwrite)


def _summarize(found: Built, screen: Terminal) -> None:
    account = found.account
    dropped = sum(account.dropped.values())
    screen.say(
        "dip_build.cases",
        rows=account.rows,
        kept=account.kept,
        merged=account.merged,
        dropped=dropped,
    )
    for reason, count in account.dropped.items():
        screen.say("dip_build.dropped", reason=_reason(reason, screen), count=count)
    kinds = {row.code: row.kind for row in found.directory.rows}
    for kind in dict.fromkeys(kinds.values()):
        own = [one for one in found.scores.groups if kinds[one.code] == kind]
        screen.say(
            "dip_build.groups",
            kind=screen.text(f"dip_build.{kind}"),
            groups=len(own),
            cases=sum(one.cases for one in own),
        )
    from weights.record import places

    screen.say(
        "dip_build.base",
        threshold=found.choices.directory.threshold,
        base=places(found.scores.base_fen / 100, 2),
        trimmed=sum(one.trimmed for one in found.scores.groups),
    )
    key = "repaired" if found.choices.repair else "inverted"
    if found.inversions:
        shown = ", ".join(f"{one.code} < {one.milder}" for one in found.inversions[:_SHOWN])
        more = " ..." if len(found.inversions) > _SHOWN else ""
        screen.say(f"dip_build.{key}", count=len(found.inversions), shown=shown + more)


def _reason(token: str, screen: Terminal) -> str:
    from grouper.cli.texts import texts
    from grouper.run.results import reason_text

    said = texts(screen.lang)["dip_dropped"]
    return said[token] if token in said else reason_text(token, screen.lang)
