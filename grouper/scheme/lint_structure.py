"""Errors in scheme.toml and in how MDCs, ADRGs and DRGs hang together: E02 to E07."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import get_args

from grouper.datafile import Row, Table
from grouper.errors import Issue
from grouper.scheme.condition import nearest
from grouper.scheme.model import RuleKind, Status
from grouper.scheme.source import EXTENDS, HEAD, RULES, Source, finding

CONFIDENCES = ("official", "published", "unofficial", "constructed")
#: keys of scheme.toml in canonical order
TEXT_KEYS = (
    "id", "title", "base", "status", "publication", "date", "source", "confidence", "codes",
)  # fmt: skip
COUNT_KEYS = ("mdc_count", "adrg_count", "drg_count")
HEAD_KEYS = (*TEXT_KEYS, "format", *COUNT_KEYS)
_KNOWN_KEYS = (*HEAD_KEYS, EXTENDS)
FORMAT = 1
_ID = re.compile(r"[a-z0-9_]+")
_DATE = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")
_ORDER = re.compile(r"[1-9][0-9]*")
_CHOICES = {"status": get_args(Status), "confidence": CONFIDENCES}


def check_head(source: Source) -> Iterator[Issue]:
    """E02: keys, their types and values, and the counts against the files."""
    if HEAD in source.broken and not source.head:
        return
    head = source.head
    for key in HEAD_KEYS:
        if key not in head:
            yield finding("SE02", f"{HEAD}: {key}", "missing", key)
    for key, value in head.items():
        if key not in _KNOWN_KEYS:
            near = nearest(key, _KNOWN_KEYS)
            yield finding("SE02", f"{HEAD}: {key}", "unknown", key, near=near)
            continue
        wanted = str if key in (*TEXT_KEYS, EXTENDS) else int
        if type(value) is not wanted:
            yield finding("SE02", f"{HEAD}: {key}", wanted.__name__, value)
    yield from _check_values(source)
    yield from _check_counts(source)


def _check_values(source: Source) -> Iterator[Issue]:
    head = {key: value for key, value in source.head.items() if isinstance(value, str)}
    for key, known in _CHOICES.items():
        if key in head and head[key] not in known:
            near = nearest(head[key], known)
            yield finding("SE02", f"{HEAD}: {key}", key, head[key], near=near)
    for key, shape in (("id", _ID), ("date", _DATE)):
        if key in head and not shape.fullmatch(head[key]):
            yield finding("SE02", f"{HEAD}: {key}", key, head[key])
    if _ID.fullmatch(head.get("id", "")) and head["id"] != source.name:
        yield finding("SE02", f"{HEAD}: id", "folder", head["id"], near=source.name)
    number = source.head.get("format", FORMAT)
    if type(number) is int and number != FORMAT:
        yield finding("SE02", f"{HEAD}: format", "format", number)


def _check_counts(source: Source) -> Iterator[Issue]:
    adrg = source.tables["adrg.tsv"]
    grouping = {
        code for code, kind in zip(adrg.column("adrg"), adrg.column("kind"), strict=True)
        if kind != "ambiguous"
    }  # fmt: skip
    counts = {
        "mdc": len(source.tables["mdc.tsv"]),
        "adrg": len(grouping),
        "drg": len(source.tables["drg.tsv"]),
    }
    for name, count in counts.items():
        key, file = f"{name}_count", f"{name}.tsv"
        stated = source.head.get(key)
        # a file with rows left out has already been reported; its count would only confuse
        if type(stated) is int and stated != count and file not in source.broken:
            yield finding("SE02", f"{HEAD}: {key}", "count", stated, count=count, file=file)


def check_orders(source: Source) -> Iterator[Issue]:
    """E03: `order` not a positive integer, repeated, or rows not sorted by it."""
    for name in RULES:
        table = source.tables[name]
        seen: set[int] = set()
        last = 0
        for index, text in enumerate(table.column("order")):
            where = table.where(index, "order")
            if not _ORDER.fullmatch(text):
                yield finding("SE03", where, "number", text)
                continue
            order = int(text)
            if order in seen:
                yield finding("SE03", where, "repeated", text)
            elif order < last:
                yield finding("SE03", where, "unsorted", text)
            seen.add(order)
            last = order


def check_group_codes(source: Source) -> Iterator[Issue]:
    """E04: shapes of the codes, and each code beginning with the one above it."""
    shapes: tuple[tuple[str, str, str, int, Callable[[Row], str]], ...] = (
        ("mdc.tsv", "mdc", "[A-Z]", 1, lambda row: ""),
        ("adrg.tsv", "adrg", "[0-9A-Z]{3}", 1, lambda row: row["mdc"]),
        ("drg.tsv", "drg", "[0-9A-Z]{4}", 3, lambda row: row["adrg"]),
    )
    for name, column, shape, length, above in shapes:
        seen: set[str] = set()
        for row in source.tables[name]:
            code = row[column]
            if not re.fullmatch(shape, code):
                yield finding("SE04", row.where(column), column, code)
            elif above(row) and code[:length] != above(row):
                yield finding("SE04", row.where(column), "above", code, above=above(row))
            if code in seen and column != "adrg":
                yield finding("SE04", row.where(column), "repeated", code)
            seen.add(code)


def check_references(source: Source) -> Iterator[Issue]:
    """E05: unknown MDC or ADRG; the rules of an MDC apart, or not in the order of mdc.tsv."""
    mdcs = source.tables["mdc.tsv"].column("mdc")
    adrg, drg = source.tables["adrg.tsv"], source.tables["drg.tsv"]
    adrgs = adrg.column("adrg")
    yield from _unknown(adrg, "mdc", mdcs, "mdc.tsv" in source.broken)
    yield from _unknown(drg, "adrg", adrgs, "adrg.tsv" in source.broken)
    place = {mdc: number for number, mdc in enumerate(mdcs)}
    ended: set[str] = set()
    current = ""
    highest = -1
    for index, mdc in enumerate(adrg.column("mdc")):
        if mdc == current:
            continue
        where = adrg.where(index, "mdc")
        if mdc in ended:
            yield finding("SE05", where, "apart", mdc)
        elif place.get(mdc, highest) < highest:
            yield finding("SE05", where, "order", mdc)
        ended.add(current)
        current = mdc
        highest = max(highest, place.get(mdc, highest))


def _unknown(table: Table, column: str, known: list[str], broken: bool) -> Iterator[Issue]:
    if broken:
        return  # the row that defines the code may be the one that was left out
    words = set(known)
    near: dict[str, str] = {}
    for index, code in enumerate(table.column(column)):
        if code not in words:
            if code not in near:
                near[code] = nearest(code, known)
            yield finding("SE05", table.where(index, column), column, code, near=near[code])


def check_refinement(source: Source) -> Iterator[Issue]:
    """E06: an ADRG without DRGs; an ambiguous rule with DRGs, or with another code than <mdc>QY."""
    drg_of = source.tables["drg.tsv"].column("adrg")
    refined = set(drg_of)
    seen: set[str] = set()
    for row in source.tables["adrg.tsv"]:
        code = row["adrg"]
        if row["kind"] == "ambiguous":
            if code != f"{row['mdc']}QY":
                yield finding("SE06", row.where("adrg"), "name", code, mdc=row["mdc"])
            if code in refined and code not in seen:
                yield finding("SE06", row.where("adrg"), "ambiguous", code)
        elif code not in refined and code not in seen and "drg.tsv" not in source.broken:
            yield finding("SE06", row.where("adrg"), "empty", code)
        seen.add(code)


def check_same_adrg(source: Source) -> Iterator[Issue]:
    """E07: unknown kind; rows of one ADRG that differ in name, kind or MDC."""
    first: dict[str, Row] = {}
    kinds = get_args(RuleKind)
    for row in source.tables["adrg.tsv"]:
        if row["kind"] not in kinds:
            near = nearest(row["kind"], kinds)
            yield finding("SE07", row.where("kind"), "unknown", row["kind"], near=near)
        earlier = first.setdefault(row["adrg"], row)
        for column in ("name", "kind", "mdc"):
            if row[column] != earlier[column]:
                yield finding("SE07", row.where(column), column, row[column],
                              adrg=row["adrg"], line=earlier.line)  # fmt: skip
