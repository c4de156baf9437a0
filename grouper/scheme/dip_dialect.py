"""The forms in which catalogues are published: column maps, kept as data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, cast

from grouper.datafile import data_folder, read_toml
from grouper.errors import SchemeError
from grouper.scheme.condition import nearest
from grouper.scheme.dip_map import SYNTAX, Scores, Short, check_map
from grouper.scheme.dip_operations import Form, Syntax
from grouper.scheme.workbook_layout import fold


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
    only: column -> the one value whose rows are taken; scores: `none` where no row has one; short:
    whether operations that are none are `repaired` where one code fits, or `kept`, as by rules for
    which a short one stands for all that begin with it.
    Of a sheet of the official workbook also: part of its title, fields it must have, the layer of
    its rows (by which they are numbered), the list they belong to instead, the key of a row that
    names no diagnosis, what remarks say, and the scope of operations that the remark leaves open.
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
    scores: Scores = "asked"
    short: Short = "repaired"
    part: str = ""
    needed: tuple[str, ...] = ()
    layer: str = ""
    listed: str = ""
    any_dx: str = ""
    treatments: tuple[Pattern, ...] = ()
    scope: tuple[str, ...] = ()


@dataclass(frozen=True)
class Workbook:
    """The official workbook: its sheets as dialects, groups by layer as published."""

    title: str
    document: str
    confidence: str
    least: int
    sheets: tuple[Dialect, ...]
    counts: Mapping[str, int]

    def sheet_of(self, title: str) -> Dialect | None:
        """The sheet that a title names: `一、先期分组`."""
        words = "".join(title.split())
        return next((one for one in self.sheets if one.part in words), None)


@cache
def official_workbook() -> Workbook:
    """What is known of the official workbook: data/workbooks/dip_3.toml."""
    raw = read_toml(data_folder("workbooks", "dip_3.toml"))
    shared = {key: raw[key] for key in ("confidence", "none", "operations")}
    shared |= {"title": raw["title"], "requires": [], "scores": "none"}
    sheets = ({**shared, **one, "scope": raw["scope"]["default"]} for one in raw["sheet"])
    return Workbook(
        title=raw["title"],
        document=raw["document"],
        confidence=raw["confidence"],
        least=raw["least"],
        sheets=tuple(_dialect(one["id"], one) for one in sheets),
        counts=raw["counts"],
    )


@cache
def dialects() -> tuple[Dialect, ...]:
    """All forms that come with the program; the one that asks for most headers first."""
    paths = sorted(data_folder("dip", "dialects").glob("*.toml"))
    found = [_dialect(path.stem, read_toml(path)) for path in paths]
    return tuple(sorted(found, key=lambda one: -len(one.requires)))


def load_dialect(name: str) -> Dialect:
    """The form of that id. Raises SchemeError SE71 for an unknown one."""
    found = {one.id: one for one in dialects()}
    if name not in found:
        near = nearest(name, tuple(found))
        known = ", ".join(sorted(found, key=lambda one: (one != near, one)))
        raise SchemeError("SE71", name, name=name, known=known)
    return found[name]


def read_dialect(path: Path) -> Dialect:
    """A column map of the user's own. Raises SchemeError SE72 with every key that is wrong."""
    raw = read_toml(path)
    check_map(raw, path.name)
    raw = {"title": "", "confidence": "unofficial", "requires": [], **raw}
    if not raw["requires"]:
        raw["needed"] = [name for name in ("code", "dx_key", "score") if name in raw["columns"]]
    return _dialect(path.stem, raw)


def clean_header(text: str) -> str:
    """A header without blanks, line breaks and the back-quotes of database exports."""
    return "".join(fold(text).split()).replace("`", "").replace("(", "（").replace(")", "）")


def is_form(dialect: Dialect, headers: Mapping[str, int]) -> bool:
    """Whether a row of headers (clean header -> column) is that of a form."""
    return all(clean_header(name) in headers for name in dialect.requires) and all(
        column(dialect.columns[name], headers) is not None for name in dialect.needed
    )


def column(texts: Iterable[str], headers: Mapping[str, int]) -> int | None:
    """The column with the first of some header texts; `*` stands for any text."""
    for text in map(clean_header, texts):
        if text in headers:
            return headers[text]
        if "*" in text:
            fitting = (at for header, at in headers.items() if fnmatchcase(header, text))
            found = next(fitting, None)
            if found is not None:
                return found
    return None


def _dialect(name: str, raw: Mapping[str, Any]) -> Dialect:
    joined = {**SYNTAX, **raw.get("operations", {})}
    return Dialect(
        id=name,
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
        conditions=_patterns(raw.get("conditions", ())),
        scores=raw.get("scores", "asked"),
        short=raw.get("short", "repaired"),
        part=raw.get("part", ""),
        needed=tuple(raw.get("needed", ())),
        layer=raw.get("layer", ""),
        listed=raw.get("listed", ""),
        any_dx=raw.get("dx", ""),
        treatments=_patterns(raw.get("treatments", ())),
        scope=tuple(raw.get("scope", ())),
    )


def _patterns(raw: Iterable[Mapping[str, Any]]) -> tuple[Pattern, ...]:
    return tuple(
        Pattern(re.compile(one["pattern"]), one.get("unusable", False), one.get("exclusion", ""))
        for one in raw
    )
