"""What differs in code lists, complications, exclusion tables and codes not to be grouped by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from grouper.scheme.change import Change, Side
from grouper.scheme.condition import list_uses
from grouper.scheme.matching import matched
from grouper.scheme.model import CodeKind, CodeList, Complication, Scheme

Code = tuple[CodeKind, str]


class Uses:
    """Where a scheme uses its lists and codes: groups by list, MDCs by list and by code."""

    def __init__(self, scheme: Scheme) -> None:
        self.groups: dict[str, dict[str, None]] = defaultdict(dict)
        for mdc in scheme.mdcs:
            self._add(f"MDC{mdc.mdc}", list_uses(mdc.when))
        for rule in scheme.adrgs:
            self._add(rule.adrg, list_uses(rule.when))
        for drg in scheme.drgs:
            self._add(drg.drg, list_uses(drg.when))
        self.mdcs = {name: mdcs_of(groups) for name, groups in self.groups.items()}
        of_code: dict[Code, set[str]] = defaultdict(set)
        for name, part in scheme.lists.items():
            for code in part.codes if name in self.mdcs else ():
                of_code[part.kind, code].update(self.mdcs[name])
        self.of_code = of_code

    def _add(self, group: str, uses: Iterable[tuple[str, str]]) -> None:
        for name, _ in uses:
            self.groups[name][group] = None


def mdcs_of(groups: Iterable[str]) -> tuple[str, ...]:
    """The letters of the MDCs that groups (`MDCB`, `BB2`, `BB21`) belong to, sorted."""
    return tuple(sorted({group.removeprefix("MDC")[0] for group in groups}))


def matched_lists(first: Scheme, second: Scheme) -> dict[str, str]:
    """The lists of a scheme with their counterparts in another.

    The same name counts for half of the codes: a list keeps its name unless another one holds
    clearly more of its codes.
    """
    found: dict[str, str] = {}
    for kind in ("dx", "px"):
        ours, theirs = _lists(first.lists, kind), _lists(second.lists, kind)
        bonus = {(name, name): 0.5 for name in ours.keys() & theirs.keys()}
        found |= matched(ours, theirs, bonus=bonus)
    return found


def _lists(lists: Mapping[str, CodeList], kind: str) -> dict[str, frozenset[str]]:
    return {name: frozenset(part.codes) for name, part in lists.items() if part.kind == kind}


class CodeChanges:
    """The changes of codes between two schemes."""

    def __init__(self, first: Scheme, second: Scheme, lists: Mapping[str, str]) -> None:
        self.schemes = first, second
        self.uses = Uses(first), Uses(second)
        self.lists = lists
        self.principals = ours, theirs = _principals(first), _principals(second)
        # the same number means nothing: versions number their tables anew
        same = {(table, table): 0.001 for table in ours.keys() & theirs.keys()}
        self.tables = matched(ours, theirs, bonus=same)

    def all(self) -> Iterator[Change]:
        """Every change, in no order."""
        yield from self._lists()
        yield from self._members()
        yield from self._complications()
        yield from self._exclusions()
        yield from self._not_grouped()

    def _mdcs(self, code: Code) -> tuple[str, ...]:
        before, after = (uses.of_code.get(code, set()) for uses in self.uses)
        return tuple(sorted(before | after))

    # lists

    def _lists(self) -> Iterator[Change]:
        first, second = self.schemes
        back = {other: one for one, other in self.lists.items()}
        for name in first.lists:
            other = self.lists.get(name)
            if other is None:
                yield self._list("list_removed", name, None)
            elif other != name:
                yield self._list("list_renamed", name, other)
        for name in second.lists:
            if name not in back:
                yield self._list("list_added", None, name)

    def _list(self, kind: str, one: str | None, other: str | None) -> Change:
        before, after = self._list_side(0, one), self._list_side(1, other)
        groups = [group for side in (before, after) if side for group in side.groups]
        part = self.schemes[0].lists[one] if one else self.schemes[1].lists[other or ""]
        return Change("lists", kind, before, after, mdcs_of(groups), part.kind)

    def _list_side(self, number: int, name: str | None) -> Side | None:
        if name is None:
            return None
        groups = tuple(self.uses[number].groups.get(name, ()))
        return Side((name,), groups=groups, count=len(self.schemes[number].lists[name].codes))

    def _members(self) -> Iterator[Change]:
        """Codes that left lists, came to lists, or went from one to another."""
        lost: dict[Code, list[str]] = defaultdict(list)
        gained: dict[Code, list[str]] = defaultdict(list)
        first, second = self.schemes
        for one, other in self._pairs():
            had = set(first.lists[one].codes) if one else set()
            has = set(second.lists[other].codes) if other else set()
            kind = first.lists[one].kind if one else second.lists[other].kind
            for text in had - has:
                lost[kind, text].append(one)
            for text in has - had:
                gained[kind, text].append(other)
        for code in lost.keys() | gained.keys():
            left, joined = sorted(lost.get(code, ())), sorted(gained.get(code, ()))
            change = "code_moved" if left and joined else "code_removed" if left else "code_added"
            before = self._holder(code[1], left, self.uses[0])
            after = self._holder(code[1], joined, self.uses[1])
            groups = [group for side in (before, after) if side for group in side.groups]
            yield Change("lists", change, before, after, mdcs_of(groups), code[0])

    def _pairs(self) -> Iterator[tuple[str, str]]:
        """Every list with its counterpart, "" for none."""
        first, second = self.schemes
        yield from ((name, self.lists.get(name, "")) for name in first.lists)
        known = set(self.lists.values())
        yield from (("", name) for name in second.lists if name not in known)

    @staticmethod
    def _holder(code: str, lists: list[str], uses: Uses) -> Side | None:
        if not lists:
            return None
        groups = dict.fromkeys(group for name in lists for group in uses.groups.get(name, ()))
        return Side((code,), lists=tuple(lists), groups=tuple(groups))

    # complications and exclusions

    def _complications(self) -> Iterator[Change]:
        first, second = (scheme.cc for scheme in self.schemes)
        names, other_names = self._tables()
        for code in first.keys() | second.keys():
            one, other = first.get(code), second.get(code)
            if one is None or other is None:
                kind = "cc_added" if one is None else "cc_removed"
            elif one.level != other.level:
                kind = "cc_to_mcc" if other.level == "MCC" else "mcc_to_cc"
            elif names.get(one.table, "") != other_names.get(other.table, ""):
                kind = "cc_table"
            else:
                continue
            before, after = _complication(code, one), _complication(code, other)
            yield Change("cc", kind, before, after, self._mdcs(("dx", code)), "dx")

    def _exclusions(self) -> Iterator[Change]:
        first, second = (scheme.exclusions for scheme in self.schemes)
        names, other_names = self._tables()
        for code in first.keys() | second.keys():
            one, other = first.get(code), second.get(code)
            if one is None or other is None:
                kind = "principal_added" if one is None else "principal_removed"
            elif names[one] != other_names[other]:
                kind = "principal_moved"
            else:
                continue
            before, after = _labelled(code, one), _labelled(code, other)
            yield Change("exclusions", kind, before, after, self._mdcs(("dx", code)), "dx")
        yield from self._table_changes()

    def _table_changes(self) -> Iterator[Change]:
        ours, theirs = self.principals
        for table in ours.keys() - self.tables.keys():
            yield self._table("table_removed", table, None)
        for table in theirs.keys() - self.tables.values():
            yield self._table("table_added", None, table)
        for table, other in self.tables.items():
            if other != table:
                yield self._table("table_renumbered", table, other)

    def _table(self, kind: str, one: str | None, other: str | None) -> Change:
        had, has = (
            codes[table] if table else set()
            for codes, table in zip(self.principals, (one, other), strict=True)
        )
        mdcs = {mdc for code in had | has for mdc in self._mdcs(("dx", code))}
        before = Side((one,), count=len(had)) if one else None
        after = Side((other,), count=len(has)) if other else None
        return Change("exclusions", kind, before, after, tuple(sorted(mdcs)), "dx")

    def _tables(self) -> tuple[dict[str, str], dict[str, str]]:
        """A name for every table with principals, the same in both schemes for the same table.

        A table without principals excludes nothing, whatever its number.
        """
        ours, theirs = self.principals
        names = {table: f"1 {table}" for table in ours}
        back = {other: names[one] for one, other in self.tables.items()}
        return names, {table: back.get(table, f"2 {table}") for table in theirs}

    # codes not to be grouped by

    def _not_grouped(self) -> Iterator[Change]:
        first, second = (scheme.not_for_grouping for scheme in self.schemes)
        for key in first.keys() | second.keys():
            one, other = first.get(key), second.get(key)
            if one == other:
                continue
            kind = "added" if one is None else "removed" if other is None else "reason"
            before, after = _labelled(key[1], one), _labelled(key[1], other)
            yield Change("notgrouped", f"notgrouped_{kind}", before, after, self._mdcs(key), key[0])


def _labelled(code: str, text: str | None) -> Side | None:
    return Side((code,), text=text) if text is not None else None


def _complication(code: str, found: Complication | None) -> Side | None:
    return _labelled(code, f"{found.level} {found.table}".strip() if found else None)


def _principals(scheme: Scheme) -> dict[str, set[str]]:
    tables: dict[str, set[str]] = defaultdict(set)
    for code, table in scheme.exclusions.items():
        tables[table].add(code)
    return tables
