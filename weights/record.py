"""An estimate as a weight table folder: table.toml with every choice, the weights, the details."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction

from grouper.datafile import parse_toml, toml_text
from grouper.dated import Span
from grouper.errors import WeightError
from grouper.money import decimal_text, round_half_up, yuan
from weights.choices import Choices
from weights.estimated import Estimate, GroupWeight
from weights.head import head_issues
from weights.load import HEAD_FILE
from weights.table import Head
from weights.write import table_files

DETAILS_FILE = "estimate.tsv"
#: how weights and their intervals are rounded, by the name of grouper.money
ROUNDING = "half_up"
#: class of a group whose costs vary too much; the word most area rules use (非稳定病组)
UNSTABLE = "非稳定病组"

Plain = str | int | Decimal | list[str] | dict[str, str]


def head_of(
    found: Estimate,
    *,
    id: str,
    title: str,
    scheme_id: str,
    area: str,
    span: Span,
    source: str,
) -> Head:
    """The head of the table of an estimate, which binds nobody until the area publishes it."""
    return Head(
        id=id,
        title=title,
        title_en=title,
        scheme_id=scheme_id,
        area=area,
        span=span,
        source=source,
        confidence="constructed",
        severity_order=tuple(found.choices.severity_order),
    )


def estimate_files(found: Estimate, head: Head) -> dict[str, bytes]:
    """The files of the table's folder: name -> content; the same estimate, the same bytes.

    table.toml: head and, under `[estimate]`, facts and choices; weights.tsv: the weights in normal
    form; estimate.tsv: one line a group with all that was found about it. Raises WeightError
    WT106 for a head that no table may have.
    """
    files = table_files(head, _weights(found))
    record = {**facts_record(found), **choices_record(found.choices)}
    lines = ["", "[estimate]", *(f"{key} = {_toml(value)}" for key, value in record.items()), ""]
    files[HEAD_FILE] += "\n".join(lines).encode()
    raw = parse_toml(files[HEAD_FILE], HEAD_FILE)
    raw.pop("format")
    if issues := head_issues(raw, HEAD_FILE):
        raise WeightError.of(issues)
    return files | {DETAILS_FILE: _tsv(details(found))}


def choices_record(choices: Choices) -> dict[str, Plain]:
    """Every choice by its name, exact numbers as text of decimals."""
    trim = choices.trim
    return {
        "trim": trim.method,
        "trim_low": decimal_text(trim.low),
        "trim_high": decimal_text(trim.high),
        "trim_min_cases": trim.min_cases,
        "year_weights": {str(y): _number(w) for y, w in sorted(choices.year_weights.items())},
        "year_mean": choices.year_mean,
        "small": choices.small,
        "small_cases": choices.small_cases,
        "prior_cases": _number(choices.prior_cases),
        "severity": choices.severity,
        "severity_order": choices.severity_order,
        "incentives": {code: _number(f) for code, f in sorted(choices.incentives.items())},
        "unstable_cv": _number(choices.unstable_cv),
        "level": _number(choices.level),
        "imprecise": _number(choices.imprecise),
        "changing": _number(choices.changing),
        "hospitals": choices.hospitals,
        "decimals": choices.decimals,
        "rounding": ROUNDING,
    }


def facts_record(found: Estimate) -> dict[str, Plain]:
    """What the estimate rests on and what it comes to."""
    carried = sum(one.carried for one in found.groups)
    return {
        "years": [str(year) for year in found.years if year],
        "groups": len(found.groups),
        "groups_carried": carried,
        "cases": sum(one.cases for one in found.groups),
        "trimmed": sum(one.trimmed for one in found.groups),
        "kept": found.kept,
        "left_out": {reason: str(count) for reason, count in found.left_out.items()},
        "hospitals_seen": found.hospitals,
        "mean_cost": yuan(round_half_up(found.mean_fen)),
        "riv": places(found.riv, 4),
        "conservation_factor": places(found.conservation_factor, 8),
        "total_weight": places(found.total_weight, 4),
        "residual": places(found.total_weight - found.kept, 4),
    }


def details(found: Estimate) -> list[list[str]]:
    """A header and one line a group."""
    years = [year for year in found.years if year]
    header = [
        "group", "adrg", "name", "cases", "kept", "trimmed", "low", "high", "mean_cost", "raw",
        "exact", "weight", "interval_low", "interval_high", "cv", "hospitals", "largest_share",
        "pooled", "marks",
    ]  # fmt: skip
    header += [f"{name}_{year}" for year in years for name in ("cases", "mean_cost", "weight")]
    return [header, *(_detail(one, years, found.choices.decimals) for one in found.groups)]


def _detail(one: GroupWeight, years: Sequence[int], decimals: int) -> list[str]:
    ends = [places(Fraction(end), decimals) for end in one.interval or ()]
    by_year = {year.year: year for year in one.years}
    cells = [
        one.code,
        one.adrg,
        one.name,
        str(one.cases),
        str(one.kept),
        str(one.trimmed),
        *map(_fen, one.limits.shown),
        _fen(one.mean_fen),
        places(one.raw, 10),
        places(one.weight, 10),
        str(one.printed),
        *(ends or ("", "")),
        "" if one.cv_squared is None else root_places(one.cv_squared, 4),
        str(one.hospitals) if one.hospitals else "",
        places(one.largest_share, 4) if one.hospitals else "",
        " ".join(one.pooled),
        " ".join(one.marks),
    ]
    for at in years:
        year = by_year.get(at)
        cells += (
            ["0", "", ""]
            if year is None
            else [str(year.cases), _fen(year.mean_fen), places(year.weight, decimals)]
        )
    return cells


def _weights(found: Estimate) -> dict[str, list[str]]:
    """The columns of the normal form."""
    groups = found.groups
    return {
        "group": [one.code for one in groups],
        "name": [_one_line(one.name) for one in groups],
        "weight": [str(one.printed) for one in groups],
        "class": [UNSTABLE if "unstable" in one.marks else "" for one in groups],
        "mean_cost": [_fen(one.mean_fen) for one in groups],
    }


def _toml(value: Plain) -> str:
    if isinstance(value, str):
        return toml_text(value)
    if isinstance(value, list):
        return f"[{', '.join(map(toml_text, value))}]"
    if isinstance(value, dict):
        pairs = (f"{toml_text(key)} = {toml_text(text)}" for key, text in value.items())
        return f"{{ {', '.join(pairs)} }}" if value else "{}"
    return str(value)


def _tsv(rows: Iterable[Sequence[str]]) -> bytes:
    lines = ("\t".join(map(_one_line, row)) for row in rows)
    return "".join(f"{line}\n" for line in lines).encode()


def _one_line(text: str) -> str:
    """A text without what a table file must not hold."""
    return " ".join(text.split())


def _number(value: Fraction) -> str:
    """A number that was given as a decimal, or the fraction if it is none."""
    text = decimal_text(value)
    return text if Fraction(text) == value else str(value)


def _fen(value: Fraction | None) -> str:
    return "" if value is None else yuan(round_half_up(value))


def places(value: Fraction, decimals: int) -> str:
    """A ratio with a fixed number of decimals, half up."""
    return f"{Decimal(round_half_up(value * 10**decimals)).scaleb(-decimals):f}"


def root_places(square: Fraction, decimals: int) -> str:
    """The square root of a ratio with a fixed number of decimals, half up, by integers alone."""
    # k is the rounded root where (2k - 1)^2 <= 4 x square < (2k + 1)^2, all in last decimals
    doubled = math.isqrt(math.floor(4 * square * 100**decimals))
    return f"{Decimal((doubled + 1) // 2).scaleb(-decimals):f}"
