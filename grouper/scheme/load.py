"""A scheme folder -> Scheme, whole, or every reason why it cannot be used, all at once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Literal, cast

from grouper.datafile import Table, data_folder
from grouper.errors import Issue, SchemeError
from grouper.scheme.condition import Condition, nearest
from grouper.scheme.extends import read_flat
from grouper.scheme.lint_codes import (
    check_code_shapes,
    check_complications,
    check_list_rows,
    runs,
)
from grouper.scheme.lint_conditions import Conditions, check_lists, read_conditions
from grouper.scheme.lint_structure import (
    check_group_codes,
    check_head,
    check_orders,
    check_references,
    check_refinement,
    check_same_adrg,
)
from grouper.scheme.model import (
    AdrgRule,
    CodeKind,
    CodeList,
    Complication,
    Drg,
    Mdc,
    RuleKind,
    Scheme,
    Status,
)
from grouper.scheme.source import (
    EXTENDS,
    HEAD,
    OPTIONAL,
    Source,
    embedded_ids,
    finding,
    in_order,
)
from grouper.scheme.write import digest

__all__ = [
    "build",
    "embedded_ids",
    "find_scheme",
    "load_folder",
    "load_scheme",
    "structural_errors",
]

_CHECKS = (
    check_head,
    check_orders,
    check_group_codes,
    check_references,
    check_refinement,
    check_same_adrg,
    check_list_rows,
    check_code_shapes,
    check_complications,
)


def load_scheme(name_or_path: str | Path) -> Scheme:
    """The scheme with an embedded id, or in a folder.

    A folder wins when the text holds a path separator or names a folder with a scheme.toml.
    Raises SchemeError with every error found (SE01 to SE12), or SE13 for an unknown id.
    """
    return load_folder(find_scheme(name_or_path))


def find_scheme(name_or_path: str | Path) -> Path:
    """The folder meant by an embedded id or a path; SchemeError (SE13) if there is none."""
    path = Path(name_or_path)
    text = str(name_or_path)
    separators = {os.sep, os.altsep or os.sep}
    if isinstance(name_or_path, Path) or separators & set(text) or (path / HEAD).is_file():
        if path.is_dir():
            return path
        raise SchemeError.of([_unknown(text, "folder")])
    if text in embedded_ids():
        return data_folder("schemes", text)
    if path.is_dir():
        return path  # not a scheme, but a folder: the loader says what it lacks
    raise SchemeError.of([_unknown(text, "id")])


def _unknown(text: str, problem: str) -> Issue:
    known = embedded_ids()
    near = nearest(text, known)
    return finding("SE13", "", problem, text, near=near, known=", ".join(known))


def load_folder(folder: Path) -> Scheme:
    """The scheme in a folder. Raises SchemeError with every error found."""
    source = read_flat(folder)
    conditions = read_conditions(source)
    errors = structural_errors(source, conditions)
    if errors:
        raise SchemeError.of(errors)
    return build(source, conditions)


def structural_errors(source: Source, conditions: Conditions) -> tuple[Issue, ...]:
    """Every E finding, in the fixed order."""
    found: Iterable[Issue] = chain.from_iterable(check(source) for check in _CHECKS)
    lists = check_lists(source, conditions)
    return in_order(chain(source.issues, conditions.issues, lists, found))


def build(source: Source, conditions: Conditions) -> Scheme:
    """The scheme of a folder without errors."""
    head = source.head
    complications = {
        (level, table): Complication(cast(Literal["MCC", "CC"], level), table)
        for level, table in set(zip(*source.tables["cc.tsv"].cells[1:], strict=True))
    }
    scheme = Scheme(
        id=head["id"],
        title=head["title"],
        base=head["base"],
        status=cast(Status, head["status"]),
        publication=head["publication"],
        date=head["date"],
        source=head["source"],
        confidence=head["confidence"],
        codes=head["codes"],
        folder=str(source.folder),
        mdcs=tuple(_mdcs(source, conditions)),
        adrgs=tuple(_adrgs(source, conditions)),
        drgs=tuple(_drgs(source, conditions)),
        lists=_lists(source.tables["lists.tsv"]),
        cc={
            code: complications[level, table]
            for code, level, table in zip(*source.tables["cc.tsv"].cells, strict=True)
        },
        exclusions=dict(zip(*source.tables["exclusions.tsv"].cells, strict=True)),
        not_for_grouping={
            (cast(CodeKind, kind), code): reason
            for kind, code, reason in zip(*source.tables[OPTIONAL].cells, strict=True)
        },
        digest="",
        extends=head.get(EXTENDS, ""),
        readme=source.readme,
    )
    return replace(scheme, digest=digest(scheme))


def _conditioned(
    source: Source, conditions: Conditions, name: str
) -> Iterator[tuple[int, list[str], Condition, int]]:
    """Order, the fields between order and condition, condition and line of each row."""
    table = source.tables[name]
    rows = zip(zip(*table.cells, strict=True), conditions.of[name], table.lines, strict=True)
    for (order, *fields, _), when, line in rows:
        if when is not None:
            yield int(order), fields, when, line


def _mdcs(source: Source, conditions: Conditions) -> Iterator[Mdc]:
    for order, (mdc, name), when, line in _conditioned(source, conditions, "mdc.tsv"):
        yield Mdc(order, mdc, name, when, line)


def _adrgs(source: Source, conditions: Conditions) -> Iterator[AdrgRule]:
    for order, fields, when, line in _conditioned(source, conditions, "adrg.tsv"):
        mdc, adrg, name, kind = fields
        yield AdrgRule(order, mdc, adrg, name, cast(RuleKind, kind), when, line)


def _drgs(source: Source, conditions: Conditions) -> Iterator[Drg]:
    for order, (adrg, drg, name), when, line in _conditioned(source, conditions, "drg.tsv"):
        yield Drg(order, adrg, drg, name, when, line)


def _lists(table: Table) -> dict[str, CodeList]:
    names, kinds, codes = table.cells
    members: dict[str, list[str]] = {}
    kind_of: dict[str, str] = {}
    for run in runs(names):
        members.setdefault(run.name, []).extend(codes[run.start : run.stop])
        kind_of[run.name] = kinds[run.start]
    return {
        name: CodeList(name, cast(CodeKind, kind_of[name]), tuple(sorted(members[name])))
        for name in sorted(members)
    }
