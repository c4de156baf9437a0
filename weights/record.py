"""An estimate as a weight table folder: table.toml with every choice, the weights, the details."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from grouper.datafile import toml_text
from grouper.dated import Span
from grouper.money import decimal_text, round_half_up, yuan
from weights.choices import Choices
from weights.estimated import Estimate, GroupWeight

#: how weights and their intervals are rounded, by the name of grouper.money
ROUNDING = "half_up"
#: class of a group whose costs vary too much; the word most area rules use (非稳定病组)
UNSTABLE = "非稳定病组"

Plain = str | int | Decimal | list[str] | dict[str, str]


@dataclass(frozen=True, slots=True)
class Label:
    """What a new table is called and where it holds."""

    id: str
    title: str
    title_en: str
    scheme_id: str
    area: str
    span: Span
    source: str


def table_files(found: Estimate, label: Label) -> dict[str, bytes]:
    """The files of the table's folder: name -> content; the same estimate, the same bytes.

    table.toml: head and choices; weights.tsv: the weights in normal form; estimate.tsv: one line a
    group with all that was found about it.
    """
    return {
        "table.toml": _head(found, label).encode(),
        "weights.tsv": _tsv(_weights(found)),
        "estimate.tsv": _tsv(details(found)),
    }


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
        "" if one.cv is None else f"{one.cv:.4f}",
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


def _weights(found: Estimate) -> list[list[str]]:
    """The normal form of payment.md, section 10."""
    rows = [["group", "name", "weight", "class", "mean_cost"]]
    rows += [
        [
            one.code,
            one.name,
            str(one.printed),
            UNSTABLE if "unstable" in one.marks else "",
            _fen(one.mean_fen),
        ]
        for one in found.groups
    ]
    return rows


def _head(found: Estimate, label: Label) -> str:
    head: dict[str, Plain | date] = {
        "format": 1,
        "id": label.id,
        "title": label.title,
        "title_en": label.title_en,
        "scheme": label.scheme_id,
        "area": label.area,
        "valid_from": label.span.start,
        **({} if label.span.end is None else {"valid_to": label.span.end}),
        "source": label.source,
        # an estimate binds nobody until the area publishes it
        "confidence": "constructed",
    }
    record = {**facts_record(found), **choices_record(found.choices)}
    lines = [f"{key} = {_toml(value)}" for key, value in head.items()]
    lines += ["", "[estimate]", *(f"{key} = {_toml(value)}" for key, value in record.items())]
    return "\n".join(lines) + "\n"


def _toml(value: Plain | date) -> str:
    if isinstance(value, str):
        return toml_text(value)
    if isinstance(value, list):
        return f"[{', '.join(map(toml_text, value))}]"
    if isinstance(value, dict):
        pairs = (f"{toml_text(key)} = {toml_text(text)}" for key, text in value.items())
        return f"{{ {', '.join(pairs)} }}" if value else "{}"
    return value.isoformat() if isinstance(value, date) else str(value)


def _tsv(rows: Iterable[Sequence[str]]) -> bytes:
    # a name may hold what a table file must not
    lines = ("\t".join(" ".join(cell.split()) for cell in row) for row in rows)
    return "".join(f"{line}\n" for line in lines).encode()


def _number(value: Fraction) -> str:
    """A number that was given as a decimal, or the fraction if it is none."""
    text = decimal_text(value)
    return text if Fraction(text) == value else str(value)


def _fen(value: Fraction | None) -> str:
    return "" if value is None else yuan(round_half_up(value))


def places(value: Fraction, decimals: int) -> str:
    """A ratio with a fixed number of decimals, half up."""
    return f"{Decimal(round_half_up(value * 10**decimals)).scaleb(-decimals):f}"
