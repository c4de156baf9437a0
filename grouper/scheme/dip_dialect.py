"""The forms in which catalogues are published: column maps, kept as data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, cast

from grouper.datafile import data_folder, read_toml
from grouper.scheme.dip_operations import Form, Syntax


@dataclass(frozen=True, slots=True)
class Split:
    """One of several groups that a row of the table stands for."""

    score: str
    kind: str
    cls: str
    code: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text of the column of conditions and what it says."""

    pattern: re.Pattern[str]
    unusable: bool = False
    exclusion: str = ""


@dataclass(frozen=True)
class Dialect:
    """Which header holds which field.

    requires: the headers a table is known by; columns: field -> headers, the first that is there;
    none: texts that stand for an empty cell; kinds, layers, lists: words of the table -> ours;
    only: column -> the one value whose rows are taken; scores: `none` where no row has one.
    """

    id: str
    title: str
    confidence: str
    requires: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    syntax: Syntax
    none: frozenset[str] = frozenset()
    kinds: Mapping[str, str] = field(default_factory=dict)
    layers: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, str] = field(default_factory=dict)
    only: Mapping[str, str] = field(default_factory=dict)
    splits: tuple[Split, ...] = ()
    conditions: tuple[Pattern, ...] = ()
    scores: str = "asked"


@cache
def dialects() -> tuple[Dialect, ...]:
    """All forms that come with the program; the one that asks for most headers first."""
    found = [_dialect(path) for path in sorted(data_folder("dip", "dialects").glob("*.toml"))]
    return tuple(sorted(found, key=lambda one: -len(one.requires)))


def clean_header(text: str) -> str:
    """A header without blanks, line breaks and the back-quotes of database exports."""
    return "".join(text.split()).replace("`", "").replace("(", "（").replace(")", "）")


def dialect_of(headers: Mapping[str, int]) -> Dialect | None:
    """The form whose headers all stand in a row (clean header -> column)."""
    return next(
        (one for one in dialects() if all(clean_header(name) in headers for name in one.requires)),
        None,
    )


def _dialect(path: Path) -> Dialect:
    raw: dict[str, Any] = read_toml(path)
    joined = raw["operations"]
    return Dialect(
        id=path.stem,
        title=raw["title"],
        confidence=raw["confidence"],
        requires=tuple(raw["requires"]),
        columns={name: tuple(headers) for name, headers in raw["columns"].items()},
        syntax=Syntax(tuple(joined["any"]), tuple(joined["all"]), cast(Form, joined["form"])),
        none=frozenset(raw.get("none", ())),
        kinds=raw.get("kinds", {}),
        layers=raw.get("layers", {}),
        lists=raw.get("lists", {}),
        only=raw.get("only", {}),
        splits=tuple(Split(**one) for one in raw.get("split", ())),
        conditions=tuple(
            Pattern(
                re.compile(one["pattern"]), one.get("unusable", False), one.get("exclusion", "")
            )
            for one in raw.get("conditions", ())
        ),
        scores=raw.get("scores", "asked"),
    )
