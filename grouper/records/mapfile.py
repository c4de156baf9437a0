"""`--map` files: a table of the user's own that says which header is which field."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from grouper.datafile import read_toml
from grouper.errors import RecordError
from grouper.records.fields import base_field, fields
from grouper.records.layout import (
    LISTS,
    ColumnMap,
    arrange,
    clean_header,
    layouts,
    read_headers,
    refuse_duplicates,
)

#: units a map may declare, by field; the first is the one of the field dictionary
UNITS = {
    "weight": ("g", "kg"),
    "birth_weight": ("g", "kg"),
    "icu_hours": ("hour", "day", "minute"),
    "age_days": ("day", "month"),
}


def load_map(source: str | Path | Mapping[str, object]) -> tuple[str, Mapping[str, object]]:
    """The name and entries of a map given as a TOML file or as a mapping."""
    if isinstance(source, Mapping):
        return "map", source
    return str(source), read_toml(Path(source))


def apply_map(
    source: str | Path | Mapping[str, object], headers: Sequence[str], where: str
) -> ColumnMap:
    """The reading of a header row by a map; headers it does not name are read as usual.

    Form: `field = "header"`, `dx = ["header 1", "header 2"]` (principal first), `dx_sep = ";"`,
    `weight_unit = "kg"`. Raises RecordError (RE14) for an unknown field, unit or header.
    """
    refuse_duplicates(headers, where)
    name, entries = load_map(source)
    places = {clean_header(header): at for at, header in enumerate(headers)}
    found: dict[int, str] = {}
    separators: dict[str, str] = {}
    units: dict[str, str] = {}
    for key, value in entries.items():
        stem, _, kind = key.rpartition("_")
        if kind == "sep" and stem in LISTS:
            separators[stem] = str(value)
        elif kind == "unit" and stem in UNITS:
            units[stem] = _unit(stem, value, name)
        else:
            found |= _columns(key, value, places, name)
    named = {base_field(expression) for expression in found.values()}
    # synonyms fill in what the map is silent about
    usual = read_headers(layouts()["wide"], headers).fields
    rest = {
        at: expression
        for at, expression in usual.items()
        if at not in found and base_field(expression) not in named
    }
    reading = arrange("map", headers, dict(sorted((rest | found).items())))
    return replace(reading, separators=separators, units=units)


def _unit(stem: str, value: object, name: str) -> str:
    if value not in UNITS[stem]:
        raise RecordError(
            "RE14",
            f"{name}: {stem}_unit",
            entry=f"{stem}_unit",
            text=value,
            near=", ".join(UNITS[stem]),
        )
    return str(value)


def _columns(key: str, value: object, places: Mapping[str, int], name: str) -> dict[int, str]:
    """Column position -> field expression for one entry."""
    if base_field(key) not in fields():
        raise RecordError(
            "RE14", f"{name}: {key}", entry=key, text=value, near=_near(key, list(fields()))
        )
    wanted = value if isinstance(value, list | tuple) else [value]
    found = {}
    for number, header in enumerate(wanted):
        at = places.get(clean_header(str(header)))
        if at is None:
            raise RecordError(
                "RE14",
                f"{name}: {key}",
                entry=key,
                text=header,
                near=_near(clean_header(str(header)), list(places)),
            )
        numbered = key in LISTS and isinstance(value, list | tuple)
        found[at] = f"{key}[n]{number}" if numbered else key
    return found


def _near(text: str, names: Sequence[str]) -> str:
    return ", ".join(difflib.get_close_matches(text, names, 3, 0.4)) or "-"
