"""The three rule sheets of the official workbook: MDC, ADRG, DRG, their rows and conditions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from grouper.scheme.condition import TRUE, Condition, nearest
from grouper.scheme.model import CodeKind
from grouper.scheme.source import finding
from grouper.scheme.workbook_codes import Notes
from grouper.scheme.workbook_layout import SheetTable, fold
from grouper.scheme.workbook_rules import RuleError, translate

#: 0000, 000, X00, X000: what no rule takes; in our form that is *ungrouped*
_CATCH_ALL = re.compile(r"[0A-Z]000?")
_SHAPES = {
    "mdc": re.compile(r"(?:MDC)?[A-Z]"),
    "adrg": re.compile(r"[A-Z][A-Z0-9]{2}"),
    "drg": re.compile(r"[A-Z][A-Z0-9]{3}"),
}
_AMBIGUOUS = re.compile(r"[A-Z]QY")
_LAST = float("inf")
#: what an escaped or odd blank inside a rule looks like; plain blanks and line ends are usual
_ODD_BLANK = re.compile(r"_x000[9AaDd]_|[\t\r\u00a0\u200b-\u200d\u2060\u3000\ufeff]")


@dataclass(frozen=True)
class Node:
    """A row of a rule sheet.

    index: its place in the table; above: the code it belongs to; has_rule: whether its rule is
    more than an empty cell.
    """

    index: int
    code: str
    name: str
    above: str
    sort: float
    has_rule: bool
    when: Condition

    @property
    def is_ambiguous(self) -> bool:
        """Whether it is an ambiguous row (`BQY`)."""
        return bool(_AMBIGUOUS.fullmatch(self.code))


@dataclass(frozen=True)
class Tree:
    """MDCs in order, the ADRGs of each, the DRGs of each ADRG; catch-alls left out."""

    mdcs: list[Node]
    adrgs: Mapping[str, list[Node]]
    drgs: Mapping[str, list[Node]]


def read_tree(
    tables: Mapping[str, SheetTable], kinds: Mapping[str, CodeKind], notes: Notes
) -> Tree:
    """The rows in the order they are tried: by 排序, equal ones in the order of the sheet."""
    mdcs = _nodes("mdc", tables["mdc"], kinds, notes)
    adrgs = _nodes("adrg", tables["adrg"], kinds, notes)
    drgs = _nodes("drg", tables["drg"], kinds, notes)
    if not notes.errors:
        # only of rows that can be read: one fault should give one error
        _check_above(adrgs, {m.code for m in mdcs}, tables["adrg"], "mdc", notes)
        _check_above(drgs, {a.code for a in adrgs}, tables["drg"], "adrg", notes)
    if not notes.errors:
        _check_mdc_of_drgs(drgs, tables["drg"], notes)
        _check_refined(adrgs, {drg.above for drg in drgs}, tables["adrg"], notes)
    mdcs = _sorted(mdcs, tables["mdc"], "MDC", notes)
    by_mdc = _by_above(adrgs, tables["adrg"], notes)
    by_adrg = _by_above([d for d in drgs if not d.is_ambiguous], tables["drg"], notes)
    return Tree(mdcs, by_mdc, _unconditional_last(by_adrg, tables["drg"], notes))


def _nodes(
    level: str, table: SheetTable, kinds: Mapping[str, CodeKind], notes: Notes
) -> list[Node]:
    """The rows of a sheet that are no catch-alls; faulty ones are errors."""
    codes = [text.upper() for text in table.texts("code")]
    names, rules = table.texts("name"), table.column("rule")
    above = [text.upper() for text in table.texts("above")] if level != "mdc" else codes
    sorts = table.texts("sort")
    found: dict[str, Node] = {}
    for index, code in enumerate(codes):
        if _CATCH_ALL.fullmatch(code):
            notes.repair(table.where(index, "code"), "catch_all", code)
            continue
        if not (_SHAPES[level].fullmatch(code) or (level == "drg" and _AMBIGUOUS.fullmatch(code))):
            notes.error(table.where(index, "code"), level, code)
            continue
        node = Node(
            index,
            _letter(code) if level == "mdc" else code,
            names[index],
            _letter(above[index]) if level == "adrg" else above[index],
            _sort(table, index, sorts[index], notes),
            bool(fold(rules[index])),
            _condition(table, index, code, rules[index], kinds, notes),
        )
        if level != "drg" and not node.has_rule:
            notes.repair(table.where(index, "rule"), "always", code)
        if node.code in found:
            first = table.where(found[node.code].index, "code")
            notes.error(table.where(index, "code"), "repeated", code, first=first)
        else:
            found[node.code] = node
    return list(found.values())


def _letter(code: str) -> str:
    return code.removeprefix("MDC")


def _sort(table: SheetTable, index: int, text: str, notes: Notes) -> float:
    """排序 as a number; an empty one stands last."""
    if not text:
        notes.repair(table.where(index, "sort"), "no_sort", table.texts("code")[index])
        return _LAST
    try:
        return float(text)
    except ValueError:
        notes.error(table.where(index, "sort"), "sort", text)
        return _LAST


def _condition(
    table: SheetTable,
    index: int,
    code: str,
    cell: Any,
    kinds: Mapping[str, CodeKind],
    notes: Notes,
) -> Condition:
    text, where = fold(cell), table.where(index, "rule")
    if isinstance(cell, str) and _ODD_BLANK.search(cell):
        notes.repair(where, "blanks", code)
    try:
        return translate(text, kinds)
    except RuleError as error:
        notes.errors.append(
            finding(
                "SE32", where, error.problem, _around(text, error.at), near=error.near,
                subject=error.word, expected=error.expected, at=error.at, group=code,
            )
        )  # fmt: skip
        return TRUE


def _around(text: str, at: int, *, width: int = 30) -> str:
    """The text near a character (from 1)."""
    start, end = max(0, at - 1 - width), at - 1 + width
    return ("..." if start else "") + text[start:end] + ("..." if end < len(text) else "")


def _check_above(
    nodes: list[Node], known: set[str], table: SheetTable, level: str, notes: Notes
) -> None:
    for node in nodes:
        if node.above not in known:
            near = nearest(node.above, sorted(known))
            notes.error(table.where(node.index, "above"), f"unknown_{level}", node.above, near=near)
        elif not node.code.startswith(node.above):
            notes.error(table.where(node.index, "code"), "above", node.code, above=node.above)


def _check_mdc_of_drgs(drgs: list[Node], table: SheetTable, notes: Notes) -> None:
    mdcs = [_letter(text.upper()) for text in table.texts("mdc")]
    for drg in drgs:
        if mdcs[drg.index] != drg.code[0]:
            text = table.texts("mdc")[drg.index]
            notes.error(table.where(drg.index, "mdc"), "other_mdc", text, group=drg.code)


def _check_refined(adrgs: list[Node], refined: set[str], table: SheetTable, notes: Notes) -> None:
    for adrg in adrgs:
        if not adrg.is_ambiguous and adrg.code not in refined:
            notes.error(table.where(adrg.index, "code"), "no_drg", adrg.code)
        if adrg.is_ambiguous and adrg.when == TRUE:
            notes.error(table.where(adrg.index, "rule"), "ambiguous_always", adrg.code)


def _by_above(nodes: list[Node], table: SheetTable, notes: Notes) -> dict[str, list[Node]]:
    by_above: dict[str, list[Node]] = {}
    for node in nodes:
        by_above.setdefault(node.above, []).append(node)
    return {above: _sorted(found, table, above, notes) for above, found in by_above.items()}


def _sorted(nodes: list[Node], table: SheetTable, scope: str, notes: Notes) -> list[Node]:
    ordered = sorted(nodes, key=lambda node: (node.sort, node.index))
    for sort, run in groupby(ordered, key=lambda node: node.sort):
        equal = list(run)
        if len(equal) > 1 and sort != _LAST:
            codes = " ".join(node.code for node in equal)
            notes.repair(
                table.where(equal[1].index, "sort"),
                "equal_sort",
                codes,
                sort=f"{sort:g}",
                scope=scope,
            )
    return ordered


def _unconditional_last(
    drgs: Mapping[str, list[Node]], table: SheetTable, notes: Notes
) -> dict[str, list[Node]]:
    """DRGs without a rule take what the others leave, so they stand last in their ADRG."""
    found: dict[str, list[Node]] = {}
    for adrg, nodes in drgs.items():
        ordered = sorted(nodes, key=lambda node: not node.has_rule)
        for before, after in zip(nodes, ordered, strict=True):
            if before is not after and not before.has_rule:
                notes.repair(table.where(before.index, "sort"), "moved_last", before.code)
        found[adrg] = ordered
    return found
