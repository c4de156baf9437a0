"""Which column of a file is which field: layouts as data, detection, `--map` files."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from grouper.datafile import data_folder, read_toml
from grouper.errors import RecordError
from grouper.records.fields import base_field, fields, header_synonyms

#: a layout is taken when this share of its key columns is there
_ENOUGH = 0.75
#: lists of codes that may be spread over columns
LISTS = ("dx", "px")
_NUMBERED = re.compile(r"(?P<head>.*?)[_-]?\(?(?P<number>\d{1,3})\)?")
_SLOT = re.compile(r"(?P<list>\w+)\[(?P<kind>\+?n|\d+)\]")


@dataclass(frozen=True)
class Layout:
    """One layout: how it is recognised and which names its columns have.

    exact: cleaned header -> field expression; numbered: cleaned head of a numbered header -> the
    same. key_headers must be there as written, key_fields under any name.
    """

    id: str
    title_zh: str
    title_en: str
    key_headers: tuple[str, ...]
    key_fields: tuple[str, ...]
    exact: Mapping[str, str]
    numbered: Mapping[str, str]

    def field_of(self, header: str) -> str | None:
        """The field expression of a header as written, with its number filled in: `dx[n]3`."""
        for text in _readings(header):
            if text in self.exact:
                return self.exact[text]
            match = _NUMBERED.fullmatch(text)
            if match and match["head"] in self.numbered:
                return f"{self.numbered[match['head']]}{int(match['number'])}"
        return None


@dataclass(frozen=True)
class ColumnMap:
    """The reading of one header row.

    fields: column position -> field expression; scalars: field -> column position; lists: `dx`,
    `px` -> column positions, principal or main first; separators: list -> separator asked for;
    units: field -> unit asked for; unused: positions of a second column for a field; joined: column
    position -> separator found in the whole table, for those who read it in parts.
    """

    layout: str
    headers: tuple[str, ...]
    fields: Mapping[int, str]
    scalars: Mapping[str, int]
    lists: Mapping[str, tuple[int, ...]]
    separators: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    unused: tuple[int, ...] = ()
    joined: Mapping[int, str] = field(default_factory=dict)

    @property
    def found(self) -> frozenset[str]:
        """The fields that have a column."""
        return frozenset(self.scalars) | {name for name, columns in self.lists.items() if columns}

    def described(self) -> dict[str, list[str]]:
        """Field -> headers, for the summary."""
        shown = {name: [self.headers[at]] for name, at in self.scalars.items()}
        return shown | {n: [self.headers[at] for at in c] for n, c in self.lists.items() if c}


def clean_header(text: str) -> str:
    """A header for comparison: half width, no blanks, no line breaks, lower case."""
    half = unicodedata.normalize("NFKC", text).replace("\ufeff", "").replace("\u200b", "")
    return "".join(half.split()).lower()


def _readings(header: str) -> Iterable[str]:
    """The header itself, then its parts: `主要诊断编码(C03C)` and `C03C 主要诊断编码` name two."""
    whole = clean_header(header)
    yield whole
    match = re.fullmatch(r"(.+?)\((\w+)\)", whole)
    if match:
        yield match[2]
        yield match[1]
    parts = header.split()
    if len(parts) > 1:
        yield from map(clean_header, parts)


@cache
def layouts() -> Mapping[str, Layout]:
    """The layouts that come as data, by id, `plain` first."""
    found = [_layout(read_toml(path)) for path in sorted(data_folder("layouts").glob("*.toml"))]
    return {layout.id: layout for layout in sorted(found, key=lambda layout: layout.id != "plain")}


def _layout(head: Mapping[str, object]) -> Layout:
    tables: dict[str, Mapping[str, str]] = {
        "titles": {field.title_zh: name for name, field in fields().items()},
        "headers": header_synonyms(),
        "fields": {name: name for name in fields()},
    }
    names: dict[str, str] = {}
    # later tables win: a field's own name is never taken for a synonym of another field
    for table in [t for t in tables if t in _texts(head["names"])]:
        names |= tables[table]
    own = head.get("headers", {})
    assert isinstance(own, dict)
    names |= own
    exact = {clean_header(name): target for name, target in names.items() if "{n}" not in name}
    numbered = {
        clean_header(name.replace("{n}", "")): target
        for name, target in names.items()
        if "{n}" in name
    }
    return Layout(
        str(head["id"]),
        str(head["title_zh"]),
        str(head["title_en"]),
        _texts(head.get("key_headers", ())),
        _texts(head.get("key_fields", ())),
        exact,
        numbered,
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list | tuple) else ()


def known(headers: Sequence[str]) -> int:
    """How many cells of a row are headers of some layout."""
    return sum(
        any(layout.field_of(header) for layout in layouts().values())
        for header in headers
        if header and len(header) < 60
    )


def choose(headers: Sequence[str], where: str, *, layout: str | None = None) -> ColumnMap:
    """The reading of a header row by the layout that fits best, or by the one asked for.

    Of layouts that fit equally well the one that reads more columns is taken. Raises RecordError:
    RE13 for a header that occurs twice, RE11 if no layout fits, RE10 for an unknown layout.
    """
    refuse_duplicates(headers, where)
    if layout is not None:
        if layout not in layouts():
            raise RecordError("RE10", where, layout=layout, known=", ".join(layouts()))
        return read_headers(layouts()[layout], headers)
    readings = [read_headers(each, headers) for each in layouts().values()]
    ranked = sorted(
        readings,
        key=lambda reading: (_share(reading), len(reading.fields)),
        reverse=True,
    )
    if _share(ranked[0]) < _ENOUGH:
        raise RecordError(
            "RE11",
            where,
            headers=_shown(headers),
            missing=_missing(ranked[0]),
            layout=ranked[0].layout,
            near=near_headers(headers),
        )
    return ranked[0]


def _share(reading: ColumnMap) -> float:
    """The share of a layout's key columns that is there."""
    layout = layouts()[reading.layout]
    written = {clean_header(header) for header in reading.headers}
    there = [clean_header(header) in written for header in layout.key_headers]
    there += [name in reading.found for name in layout.key_fields]
    return sum(there) / len(there)


def _missing(reading: ColumnMap) -> str:
    layout = layouts()[reading.layout]
    wanted = (*layout.key_headers, *layout.key_fields)
    return ", ".join(name for name in wanted if name not in reading.found)


def refuse_duplicates(headers: Sequence[str], where: str) -> None:
    """Raise RecordError (RE13) if a header occurs twice: neither may silently win."""
    seen: dict[str, int] = {}
    for at, header in enumerate(headers):
        cleaned = header.strip()
        if cleaned and cleaned in seen:
            raise RecordError("RE13", where, header=cleaned, first=seen[cleaned] + 1, second=at + 1)
        seen[cleaned] = at


def read_headers(layout: Layout, headers: Sequence[str]) -> ColumnMap:
    """What each column is by the names of one layout; columns it does not know are left out."""
    found = {
        at: expression
        for at, header in enumerate(headers)
        if (expression := layout.field_of(header)) is not None
    }
    return arrange(layout.id, headers, found)


def arrange(layout: str, headers: Sequence[str], found: Mapping[int, str]) -> ColumnMap:
    """Column positions by field, code columns in their order."""
    scalars: dict[str, int] = {}
    slots: dict[str, list[tuple[int, int, int]]] = {name: [] for name in LISTS}
    unused = []
    for at, expression in found.items():
        match = _SLOT.match(expression)
        name = match["list"] if match else expression
        if name in slots:
            number = expression[match.end() :] if match else ""
            slots[name].append((_rank(match), int(number or 0), at))
        elif match is None and name in scalars:
            unused.append(at)
        elif match is None:
            scalars[name] = at
    lists = {name: _ordered(places) for name, places in slots.items()}
    return ColumnMap(layout, tuple(headers), dict(found), scalars, lists, unused=tuple(unused))


def _rank(match: re.Match[str] | None) -> int:
    """Order of code columns: principal, whole list, numbered, other diagnoses only."""
    if match is None:
        return 1
    return {"n": 2, "+n": 3}.get(match["kind"], 0)


def _ordered(places: list[tuple[int, int, int]]) -> tuple[int, ...]:
    """Positions by rank and number; columns of others alone are no list: no principal in them."""
    if places and min(places)[0] == 3:
        return ()
    return tuple(at for _, _, at in sorted(places))


def near_headers(headers: Sequence[str]) -> str:
    """Known headers that resemble unknown ones: `主要诊断编吗 -> 主要诊断编码`."""
    names = {name for layout in layouts().values() for name in layout.exact}
    pairs = []
    for header in headers[:50]:
        text = clean_header(header)[:40]
        if not text or text in names:
            continue
        close = difflib.get_close_matches(text, names, 1, 0.6)
        pairs += [f"{text} -> {close[0]}"] if close else []
    return ", ".join(pairs[:5]) or "-"


def _shown(headers: Sequence[str], *, limit: int = 20) -> str:
    """Headers for a message, long ones and long lists cut."""
    cut = [header.strip()[:30] for header in headers[:limit]]
    return ", ".join(cut) + (" ..." if len(headers) > limit else "")


def require(reading: ColumnMap, needed: Sequence[str], where: str) -> None:
    """Raise RecordError (RE12) naming needed fields without a column and the headers there are."""
    missing = [name for name in needed if name not in reading.found]
    if missing:
        titles = ", ".join(f"{name} ({fields()[base_field(name)].title_zh})" for name in missing)
        raise RecordError(
            "RE12",
            where,
            missing=titles,
            headers=_shown(reading.headers),
            near=near_headers(reading.headers),
        )
