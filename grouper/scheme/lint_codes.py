"""Errors in code lists and complication tables: E10, E11, E12."""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from grouper.datafile import Table
from grouper.errors import Issue
from grouper.scheme.condition import nearest
from grouper.scheme.source import OPTIONAL, Source, finding

#: A code as it may stand in a scheme: `+` and `*` join a dagger-asterisk pair, `x` extends
CODE = re.compile(r"[A-Z0-9][0-9A-Za-z.+*†]*")
_CODE_CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.+*†\n"
_BAD_FIRST = re.compile(r"\n[^A-Z0-9]")
_GLUED = re.compile(CODE.pattern + r"[\u4e00-\u9fff].*")
CODE_FILES = ("lists.tsv", "cc.tsv", "exclusions.tsv", OPTIONAL)
_LIST_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
KINDS = ("dx", "px")
LEVELS = ("MCC", "CC")
REASONS = ("gray", "not_for_grouping")


@dataclass(frozen=True, slots=True)
class Run:
    """Adjacent rows of lists.tsv that name the same list: rows start to stop (exclusive)."""

    name: str
    start: int
    stop: int


def runs(names: list[str]) -> list[Run]:
    """The runs of equal names; a list in canonical order is one run."""
    found: list[Run] = []
    start = 0
    for name in dict.fromkeys(names):
        start = names.index(name, start)
        found.append(Run(name, start, len(names)))
    # scans at C speed, for 100,000 rows and about 500 lists; rows out of order take the slow way
    for place, (run, following) in enumerate(pairwise(found)):
        found[place] = Run(run.name, run.start, following.start)
    if all(names[r.start : r.stop].count(r.name) == r.stop - r.start for r in found):
        return found
    starts = [i for i, name in enumerate(names) if not i or names[i - 1] != name]
    return [Run(names[a], a, b) for a, b in pairwise([*starts, len(names)])]


def is_list_name(name: str) -> bool:
    """Whether conditions can name a list so."""
    return bool(_LIST_NAME.fullmatch(name)) and not keyword.iskeyword(name)


def check_list_rows(source: Source) -> Iterator[Issue]:
    """E10: bad list name, kind not dx or px, list with two kinds, repeated code, empty list."""
    table = source.tables["lists.tsv"]
    names, kinds, codes = table.cells
    for kind in set(kinds) - set(KINDS):
        yield from _each(table, "kind", kind, "SE10", "kind", near=nearest(kind, KINDS))
    found: dict[str, list[Run]] = {}
    for run in runs(names):
        found.setdefault(run.name, []).append(run)
    for name, parts in found.items():
        first = parts[0].start
        if not is_list_name(name):
            yield finding("SE10", table.where(first, "list"), "name", name)
        rows = [row for run in parts for row in range(run.start, run.stop)]
        if set(kinds[first : parts[0].stop]) != {kinds[first]} or len(parts) > 1:
            other = next((row for row in rows if kinds[row] != kinds[first]), None)
            if other is not None and {kinds[first], kinds[other]} <= set(KINDS):
                yield finding("SE10", table.where(other, "kind"), "kinds", name)
        members = [codes[row] for row in rows] if len(parts) > 1 else codes[first : parts[0].stop]
        distinct = set(members)
        if distinct == {""}:
            yield finding("SE10", table.where(first, "code"), "empty", name)
        elif len(distinct) < len(members):
            yield from _repeated(table, "code", rows, members, "SE10", name)


def check_code_shapes(source: Source) -> Iterator[Issue]:
    """E11: codes with blanks, full-width or Chinese characters, or not shaped like a code."""
    for file in CODE_FILES:
        table = source.tables[file]
        codes = table.column("code")
        if _all_shaped(codes):
            continue
        empty = _empty_lists(table) if file == "lists.tsv" else set()
        for index, code in enumerate(codes):
            if CODE.fullmatch(code) or (not code and table.cells[0][index] in empty):
                continue
            if not is_glued(file, code):
                yield finding("SE11", table.where(index, "code"), _shape_problem(code), code)


def is_glued(file: str, code: str) -> bool:
    """A complication's code with its Chinese name behind it, as one published table has.

    Such a row can never take effect, so it is harmless: a warning (W13), not an error.
    """
    return file in ("cc.tsv", "exclusions.tsv") and bool(_GLUED.fullmatch(code))


def _all_shaped(codes: list[str]) -> bool:
    """Whether every code has the shape of CODE: one pass over the joined text."""
    text = "\n".join(codes)
    return not (text.strip(_CODE_CHARACTERS) or _BAD_FIRST.search("\n" + text + "\n"))


def _empty_lists(table: Table) -> set[str]:
    names, _, codes = table.cells
    filled = {name for name, code in zip(names, codes, strict=True) if code}
    return set(names) - filled


def check_complications(source: Source) -> Iterator[Issue]:
    """E12: cc.tsv, exclusions.tsv and notgrouped.tsv: repeated codes, unknown or absent values."""
    cc, exclusions = source.tables["cc.tsv"], source.tables["exclusions.tsv"]
    for level in set(cc.column("level")) - set(LEVELS):
        yield from _each(cc, "level", level, "SE12", "level", near=nearest(level, LEVELS))
    for table in (cc, exclusions):
        codes = table.column("code")
        if len(set(codes)) < len(codes):
            yield from _repeated(table, "code", range(len(codes)), codes, "SE12")
    if "" in exclusions.column("table"):
        yield from _each(exclusions, "table", "", "SE12", "table")
    other = source.tables[OPTIONAL]
    for column, known in (("kind", KINDS), ("reason", REASONS)):
        for value in set(other.column(column)) - set(known):
            yield from _each(other, column, value, "SE12", column, near=nearest(value, known))
    keys = [f"{kind} {code}" for kind, code, _ in zip(*other.cells, strict=True)]
    if len(set(keys)) < len(keys):
        yield from _repeated(other, "code", range(len(keys)), keys, "SE12")


def _each(
    table: Table, column: str, value: str, code: str, problem: str, *, near: str = ""
) -> Iterator[Issue]:
    for index, cell in enumerate(table.column(column)):
        if cell == value:
            yield finding(code, table.where(index, column), problem, value, near=near)


def _repeated(
    table: Table, column: str, rows: Iterable[int], values: Sequence[str], code: str, name: str = ""
) -> Iterator[Issue]:
    counts = Counter(values)
    seen: set[str] = set()
    for row, value in zip(rows, values, strict=True):
        if counts[value] > 1 and value in seen:
            text = f"{name} {value}".strip()
            yield finding(code, table.where(row, column), "repeated", text)
        seen.add(value)


def _shape_problem(code: str) -> str:
    if not code:
        return "empty"
    if any(char.isspace() for char in code):
        return "blank"
    return "shape" if code.isascii() else "wide"
