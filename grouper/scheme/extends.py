"""A scheme as a difference from another one: how it becomes whole, and how it is written.

A regional scheme differs from the national version it builds on by a few codes. Where scheme.toml
has `extends`, the LONG tables hold only the rows that the other scheme, its base, has and this one
has not (`-`), and the reverse (`+`). MDCs, ADRGs and DRGs are whole: their order and their names
are local. A base is whole itself: one level, never a chain.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grouper.datafile import Table, data_folder
from grouper.errors import Issue, SchemeError
from grouper.scheme.condition import nearest
from grouper.scheme.model import Scheme
from grouper.scheme.source import (
    CHANGE,
    COLUMNS,
    EXTENDS,
    HEAD,
    LONG,
    OPTIONAL,
    Source,
    embedded_ids,
    file_of,
    finding,
    read_head,
    read_source,
    read_table,
)

DROPPED, ADDED = "-", "+"
_ID = re.compile(r"[a-z0-9_]+")
#: how many columns, from the first, say what a row is about
_KEYS = {"lists.tsv": 3, "cc.tsv": 1, "exclusions.tsv": 1, OPTIONAL: 2}
_PLACE = f"{HEAD}: {EXTENDS}"

Row = tuple[str, ...]
#: a row of the base to leave out (no number), or before which to put a row of ours, and its number
_Edit = tuple[int, str, int | None]


@dataclass(frozen=True, slots=True)
class FlatTable(Table):
    """Rows of a base and of a difference from it: `own` says which come from the difference."""

    base: str
    own: frozenset[int]

    def where(self, index: int, column: str) -> str:
        """`file:row:column`, after the name of the base for a row that stands there."""
        place = Table.where(self, index, column)
        return place if index in self.own else f"{self.base}/{place}"


def read_flat(folder: Path) -> Source:
    """The files of a folder, whole; never raises, what is wrong stands in `issues`."""
    source = read_source(folder)
    return flattened(source) if EXTENDS in source.head else source


def find_base(scheme_id: str, beside: Path) -> Path | None:
    """The folder of a base: one that comes with the package, else one in the folder `beside`."""
    if scheme_id in embedded_ids():
        return data_folder("schemes", scheme_id)
    folder = beside / scheme_id
    return folder if _ID.fullmatch(scheme_id) and (folder / HEAD).is_file() else None


def flattened(source: Source) -> Source:
    """A source whose long tables are whole.

    Adds to the issues: SE14 (the base cannot be one), SE15 (rows that do not fit the base), and
    what is wrong with the form of the base's tables.
    """
    issues: list[Issue] = []
    base = _base_of(source, issues)
    if base is None:
        tables = {name: _empty(name) for name in LONG}
        broken = source.broken.union(LONG)
    else:
        tables = {name: _whole(source, base, name, issues) for name in LONG}
        broken = source.broken.union(map(file_of, issues))
    return replace(
        source,
        tables={**source.tables, **tables},
        broken=broken,
        issues=(*source.issues, *issues),
    )


def check_base(scheme: Scheme, base: Scheme, folder: Path) -> None:
    """Raises SchemeError (SE14) when a scheme in `folder` could not extend a base."""
    problem = _base_problem(scheme.id, base.id, base.extends)
    found = find_base(base.id, folder.parent)
    if not problem and (found is None or found.resolve() != Path(base.folder).resolve()):
        problem = "elsewhere"
    if problem:
        where = base.folder if problem == "elsewhere" else _PLACE
        raise SchemeError.of([_unfit(problem, base.id, further=base.extends, where=str(where))])


def _base_problem(scheme_id: str, base_id: str, base_extends: object) -> str:
    """Why a scheme cannot extend another one, as a phrase of SE14; "" if it can."""
    if base_id == scheme_id:
        return "itself"
    return "chain" if base_extends else ""


def _unfit(problem: str, base_id: str, *, further: object = "", where: str = _PLACE) -> Issue:
    heads = {name: read_head(data_folder("schemes", name), []) for name in embedded_ids()}
    known = [name for name, head in heads.items() if EXTENDS not in head]
    near = nearest(base_id, known) if problem == "unknown" else ""
    return finding(
        "SE14", where, problem, base_id, near=near, further=further, known=", ".join(known)
    )


def _base_of(source: Source, issues: list[Issue]) -> Path | None:
    named = source.head[EXTENDS]
    if not isinstance(named, str):
        return None  # reported with the other keys of the head
    folder = find_base(named, Path(os.path.abspath(source.folder)).parent)
    if folder is None:
        issues.append(_unfit("unknown", named))
        return None
    found: list[Issue] = []
    further = read_head(folder, found).get(EXTENDS, "")
    issues += _in_base(found, folder)
    problem = _base_problem(source.name, named, further)
    if problem:
        issues.append(_unfit(problem, named, further=further))
    return None if problem or found else folder


def _in_base(issues: Iterable[Issue], base: Path) -> Iterator[Issue]:
    return (replace(issue, where=f"{base.name}/{issue.where}") for issue in issues)


def _empty(name: str) -> Table:
    return Table(name, COLUMNS[name], tuple([] for _ in COLUMNS[name]), ())


def _whole(source: Source, base: Path, name: str, issues: list[Issue]) -> Table:
    """A table of the base with the difference of the source put in."""
    if name == OPTIONAL and not (source.folder / name).is_file():
        return _empty(name)  # the scheme has none, whatever the base has
    found: list[Issue] = []
    table = read_table(base, name, found)
    issues += _in_base(found, base)
    return _merged(table, source.tables[name], base.name, issues)


def _merged(base: Table, own: Table, base_id: str, issues: list[Issue]) -> Table:
    marks, *cells = own.cells
    changes = _joined(cells)
    rows = _joined(base.cells) if changes else []
    wanted = set(changes)
    at = {row: index for index, row in enumerate(rows) if row in wanted}
    edits: list[_Edit] = []
    seen: set[str] = set()
    for index, (mark, row) in enumerate(zip(marks, changes, strict=True)):
        problem = _misfit(mark, row in at, row in seen)
        if problem:
            text = f"{mark} {row}".replace("\t", " ")
            issues.append(finding("SE15", own.where(index, CHANGE), problem, text, base=base_id))
        elif mark == DROPPED:
            edits.append((at[row], "", None))
        else:
            edits.append((bisect_left(rows, row), row, index))
        seen.add(row)
    pieces = list(_pieces(len(base), sorted(edits, key=lambda edit: edit[:2])))
    lines: list[int] = []
    own_rows: list[int] = []
    for start, stop, number in pieces:
        lines += base.lines[start:stop]
        if number is not None:
            own_rows.append(len(lines))
            lines.append(own.lines[number])
    columns = zip(base.cells, cells, strict=True)
    spliced = tuple(_spliced(theirs, ours, pieces) for theirs, ours in columns)
    return FlatTable(base.name, base.columns, spliced, lines, base_id, frozenset(own_rows))


def _joined(cells: Iterable[Sequence[str]]) -> list[str]:
    """Rows as text, in the same order as their fields have; far cheaper than as many tuples."""
    return list(map("\t".join, zip(*cells, strict=True)))


def _pieces(n_base: int, edits: Sequence[_Edit]) -> Iterator[tuple[int, int, int | None]]:
    """The merged table as rows start to stop of the base, each time followed by a row of ours.

    The base is taken as sorted; where it is not, rows come out of order, which means nothing.
    """
    start = 0
    for place, _, index in edits:
        yield start, place, index
        start = max(start, place + (index is None))
    yield start, n_base, None


def _spliced(
    theirs: Sequence[str], ours: Sequence[str], pieces: Iterable[tuple[int, int, int | None]]
) -> list[str]:
    cells: list[str] = []
    for start, stop, index in pieces:
        cells += theirs[start:stop]
        if index is not None:
            cells.append(ours[index])
    return cells


def _misfit(mark: str, in_base: bool, seen: bool) -> str:
    """What is wrong with a row of a difference, as a phrase of SE15; "" if nothing."""
    if mark not in (DROPPED, ADDED):
        return "mark"
    if seen:
        return "repeated"
    if in_base is (mark == ADDED):
        return "present" if in_base else "absent"
    return ""


def difference_files(scheme: Scheme, base: Scheme) -> dict[str, bytes]:
    """The LONG tables of a scheme as the shortest difference from a base: name -> content.

    Rows by what they say, the dropped one before the added one. Without codes that are not to be
    grouped by, OPTIONAL is left out, and such a scheme has none even where the base has.
    """
    files = {}
    for name in LONG:
        ours, theirs = set(long_rows(scheme, name)), set(long_rows(base, name))
        if name == OPTIONAL and not ours:
            continue
        marked = [(row, DROPPED) for row in theirs - ours] + [(row, ADDED) for row in ours - theirs]
        # "+" comes before "-" in Unicode, but a reader wants what was before what is
        marked.sort(key=lambda change: (change[0][: _KEYS[name]], change[1] == ADDED, change[0]))
        lines = ["\t".join((CHANGE, *COLUMNS[name]))]
        lines += ["\t".join((mark, *row)) for row, mark in marked]
        files[name] = "\n".join((*lines, "")).encode()
    return files


def long_rows(scheme: Scheme, name: str) -> Iterator[Row]:
    """The rows of one of the LONG tables of a scheme, in no order."""
    match name:
        case "lists.tsv":
            for part in scheme.lists.values():
                yield from ((part.name, part.kind, code) for code in part.codes)
        case "cc.tsv":
            yield from ((code, c.level, c.table) for code, c in scheme.cc.items())
        case "exclusions.tsv":
            yield from scheme.exclusions.items()
        case _:
            for (kind, code), reason in scheme.not_for_grouping.items():
                yield kind, code, reason
