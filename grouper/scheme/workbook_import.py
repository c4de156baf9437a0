"""The official DRG workbook -> Scheme, with counts, amendments and repairs.

Behaviour of the result: `workbook_order`; layout, published counts and amendments: data/workbooks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from grouper.datafile import data_folder
from grouper.errors import Issue, SchemeError
from grouper.scheme.condition import TRUE, Member
from grouper.scheme.lint_rules import conventions
from grouper.scheme.model import AdrgRule, Drg, Mdc, RuleKind, Scheme
from grouper.scheme.source import finding
from grouper.scheme.workbook_codes import (
    Complications,
    Notes,
    Sets,
    not_for_grouping,
    read_complications,
    read_sets,
)
from grouper.scheme.workbook_layout import Cells, SheetTable, facts, read_layout
from grouper.scheme.workbook_order import (
    Way,
    alternatives,
    arrange,
    is_infant_test,
    names_procedures,
    newborn_days_of_infants,
)
from grouper.scheme.workbook_tree import Node, Tree, read_tree
from grouper.scheme.write import digest


@dataclass(frozen=True)
class Import:
    """A scheme read from a workbook.

    counts: of what -> (in the workbook, as published); repairs: what was read otherwise than it
    stands, or left out (SW31), amendments included; differences: counts that differ (SW32).
    """

    scheme: Scheme
    counts: Mapping[str, tuple[int, int]]
    repairs: tuple[Issue, ...]
    differences: tuple[Issue, ...]


def import_workbook(cells: Cells, file: str, sha256: str, *, scheme_id: str = "") -> Import:
    """The scheme in the sheets of a workbook.

    file: its name, for messages; sha256: of its bytes, named as the source; scheme_id: instead of
    the usual one. Raises SchemeError with every error found: SE31 (sheets, headers), else SE33 of
    the sets, else SE32 (rules) and SE33 (other cells), each with sheet and cell.
    """
    tables = read_layout(cells, file)
    notes = Notes()
    sets = read_sets(tables["sets"], notes)
    if notes.errors:
        # rules are read against the sets: what is wrong there would be said twice
        raise SchemeError.of(notes.errors)
    complications = read_complications(tables["cc"], tables["exclusions"], notes)
    tree = read_tree(tables, sets.kinds, notes)
    if notes.errors:
        raise SchemeError.of(notes.errors)
    scheme = _scheme(tree, sets, complications, tables, notes, sha256, scheme_id)
    counts = _counts(tables, tree, sets, complications)
    differences = tuple(
        finding("SW32", file, name, found, published=published)
        for name, (found, published) in counts.items()
        if found != published
    )
    return Import(scheme, counts, tuple(notes.repairs), differences)


def _scheme(
    tree: Tree,
    sets: Sets,
    complications: Complications,
    tables: Mapping[str, SheetTable],
    notes: Notes,
    sha256: str,
    scheme_id: str,
) -> Scheme:
    head: dict[str, Any] = facts()["head"] | ({"id": scheme_id} if scheme_id else {})
    special = facts()["surgical"]["set"]
    if special not in sets.lists:
        notes.repair(tables["sets"].file, "no_surgical", special)
    adrgs = _adrgs(tree, tables["adrg"], special in sets.lists, notes)
    scheme = Scheme(
        **head,
        source=f"workbook with SHA-256 {sha256}; {facts()['source']}",
        folder="",
        mdcs=tuple(
            Mdc(n, mdc.code, mdc.name, newborn_days_of_infants(mdc.when, of_infant=False), n + 1)
            for n, mdc in enumerate(tree.mdcs, 1)
        ),
        adrgs=tuple(adrgs),
        drgs=tuple(_drgs(tree, dict.fromkeys(rule.adrg for rule in adrgs))),
        lists=sets.lists,
        cc=complications.cc,
        exclusions=complications.exclusions,
        not_for_grouping=not_for_grouping(sets.lists),
        digest="",
    )
    return replace(scheme, digest=digest(scheme), readme=_readme(scheme))


def _readme(scheme: Scheme) -> str:
    text = data_folder("workbooks", "drg_3_readme.md").read_text("utf-8")
    return text.format(
        id=scheme.id,
        mdcs=len(scheme.mdcs),
        adrgs=len(scheme.adrgs),
        drgs=len(scheme.drgs),
        entries=sum(len(one.codes) for one in scheme.lists.values()),
        lists=len(scheme.lists),
        cc=len(scheme.cc),
        exclusions=len(scheme.exclusions),
        source=scheme.source,
        confidence=scheme.confidence,
    )


def _adrgs(tree: Tree, table: SheetTable, has_surgical: bool, notes: Notes) -> list[AdrgRule]:
    """The rules of all MDCs in the order they are tried."""
    special = facts()["surgical"]
    found: list[AdrgRule] = []
    for mdc in tree.mdcs:
        nodes = tree.adrgs.get(mdc.code, [])
        ways = [way for node in nodes for way in _ways(node, tree, mdc)]
        has_ambiguous = any(node.is_ambiguous for node in nodes)
        is_known = has_ambiguous or mdc.code in special["without_ambiguous"]
        if nodes and not is_known:
            notes.repair(table.where(nodes[0].index, "above"), "no_ambiguous", f"{mdc.code}QY")
        surgical = Member("main_px", special["set"])
        arranged = arrange(ways, surgical, guarded=is_known and has_surgical)
        names = {node.code: node.name for node in nodes}
        for way in arranged:
            n = len(found) + 1
            name = names[way.adrg] or (special["ambiguous_name"] if way.is_ambiguous else "")
            found.append(AdrgRule(n, mdc.code, way.adrg, name, _kind(way), way.when, n + 1))
    return found


def _ways(node: Node, tree: Tree, mdc: Node) -> list[Way]:
    drgs = tree.drgs.get(node.code, [])
    when = newborn_days_of_infants(node.when, of_infant=is_infant_test(mdc.when))
    asks = names_procedures(when) or any(names_procedures(drg.when) for drg in drgs)
    takes_all = any(drg.when == TRUE for drg in drgs)
    return [Way(node.code, part, node.is_ambiguous, takes_all, asks) for part in alternatives(when)]


def _drgs(tree: Tree, adrgs: Iterable[str]) -> Iterator[Drg]:
    """The DRGs of all ADRGs, these being in the order they are tried."""
    infants = {mdc.code: is_infant_test(mdc.when) for mdc in tree.mdcs}
    nodes = ((adrg, drg) for adrg in adrgs for drg in tree.drgs.get(adrg, ()))
    for n, (adrg, drg) in enumerate(nodes, 1):
        when = newborn_days_of_infants(drg.when, of_infant=infants[adrg[0]])
        yield Drg(n, adrg, drg.code, drg.name, when, n + 1)


def _kind(way: Way) -> RuleKind:
    if way.is_ambiguous:
        return "ambiguous"
    kinds: Mapping[RuleKind, str] = conventions()["kinds"]
    return next((kind for kind, letters in kinds.items() if way.adrg[1] in letters), "medical")


def _counts(
    tables: Mapping[str, SheetTable], tree: Tree, sets: Sets, complications: Complications
) -> dict[str, tuple[int, int]]:
    special = facts()["surgical"]["set"]
    adrgs = [node for nodes in tree.adrgs.values() for node in nodes]
    found = {
        "mdc": len(tables["mdc"].rows),
        "adrg": len(tables["adrg"].rows),
        "adrg_groups": sum(not node.is_ambiguous for node in adrgs),
        "ambiguous": sum(node.is_ambiguous for node in adrgs),
        "drg": len(tables["drg"].rows),
        "drg_groups": sum(map(len, tree.drgs.values())),
        "set_rows": sets.rows,
        "set_repeats": sets.repeats,
        "surgical": len(sets.lists[special].codes) if special in sets.lists else 0,
        "cc": complications.cc_rows,
        "mcc": sum(one.level == "MCC" for one in complications.cc.values()),
        "exclusions": complications.exclusion_rows,
        "exclusion_tables": complications.tables,
    }
    return {name: (found[name], published) for name, published in facts()["counts"].items()}
