"""The three code sheets of the official workbook: sets, complications, exclusion tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast

from grouper.datafile import data_folder, read_tsv
from grouper.errors import Issue
from grouper.scheme.lint_codes import CODE, is_list_name, runs
from grouper.scheme.model import CodeKind, CodeList, Complication
from grouper.scheme.source import OPTIONAL, finding
from grouper.scheme.workbook_layout import SheetTable, amendments, facts, fold


@dataclass
class Notes:
    """What is wrong (the workbook cannot be used), and what was repaired or left out on reading."""

    errors: list[Issue] = field(default_factory=list)
    repairs: list[Issue] = field(default_factory=list)

    def error(self, where: str, problem: str, text: object, **more: object) -> None:
        """A cell that is not understood (SE33)."""
        self.errors.append(finding("SE33", where, problem, text, **more))

    def repair(self, where: str, problem: str, text: object, **more: object) -> None:
        """Something read otherwise than it stands (SW31)."""
        self.repairs.append(finding("SW31", where, problem, text, **more))


@dataclass(frozen=True)
class Sets:
    """The code lists; `rows` and `repeats` count rows of the sheet."""

    lists: dict[str, CodeList]
    rows: int
    repeats: int

    @property
    def kinds(self) -> dict[str, CodeKind]:
        """Set -> kind of its codes."""
        return {name: found.kind for name, found in self.lists.items()}


def read_sets(table: SheetTable, notes: Notes) -> Sets:
    """The sets of 集合; a repeated pair counts once."""
    codes = _codes(table, notes)
    names = _names(table, "set", notes)
    kinds = _kinds(table, names, notes)
    members: dict[str, set[str]] = {}
    for run in runs(names):
        members.setdefault(run.name, set()).update(codes[run.start : run.stop])
    repeats = len(names) - sum(map(len, members.values()))
    if repeats:
        first = _first_repeat(zip(names, codes, strict=True))
        text = f"{names[first]} {codes[first]}"
        notes.repair(table.where(first, "code"), "repeated_pair", text, count=repeats)
    lists = {
        name: CodeList(name, kinds[name], tuple(sorted(members[name])))
        for name in sorted(members)
        if name in kinds
    }
    return Sets(lists, len(names), repeats)


def _first_repeat(pairs: Iterable[tuple[str, str]]) -> int:
    """The place of the first pair that has stood before."""
    seen: set[tuple[str, str]] = set()
    for place, pair in enumerate(pairs):
        if pair in seen:
            return place
        seen.add(pair)
    raise ValueError("no pair is repeated")


def _codes(table: SheetTable, notes: Notes) -> list[str]:
    """The codes of a sheet; those that are none are "" and an error."""
    cells = table.column("code")
    is_code = CODE.fullmatch
    # nearly all are codes as they stand
    found = {
        cell: (cell if is_code(cell) else fold(cell)) if isinstance(cell, str) else ""
        for cell in set(cells)
    }
    bad = {cell for cell, code in found.items() if not is_code(code)}
    for index, cell in enumerate(cells) if bad else ():
        if cell in bad:
            problem = "number" if isinstance(cell, float | int) else "code"
            notes.error(table.where(index, "code"), problem, fold(cell))
            found[cell] = ""
    return [found[cell] for cell in cells]


def _names(table: SheetTable, key: str, notes: Notes) -> list[str]:
    """The set named in each row, in capitals; one that is no name is "" and an error."""
    texts = table.texts(key)
    found = {text: text.upper() if is_list_name(text) else "" for text in set(texts)}
    for index, text in enumerate(texts) if not all(found.values()) else ():
        if not found[text]:
            notes.error(table.where(index, key), "set_name", text)
    return [found[text] for text in texts]


def _kinds(table: SheetTable, names: Sequence[str], notes: Notes) -> dict[str, CodeKind]:
    """Set -> dx or px; every row of a set says the same."""
    known: Mapping[str, CodeKind] = facts()["kinds"]
    texts = [text.upper() for text in table.texts("kind")]
    kinds: dict[str, CodeKind] = {}
    wrong = set()
    for pair in dict.fromkeys(zip(names, texts, strict=True)):
        name, text = pair
        if text not in known or kinds.setdefault(name, known[text]) != known[text]:
            wrong.add(pair)
    for index, pair in enumerate(zip(names, texts, strict=True)) if wrong else ():
        if pair in wrong:
            problem = "kinds" if pair[1] in known else "kind"
            notes.error(table.where(index, "kind"), problem, pair[1], set=pair[0])
    return kinds


@dataclass(frozen=True)
class Complications:
    """MCC and CC, and the exclusion tables; `cc_rows` to `tables` count what the sheets hold."""

    cc: dict[str, Complication]
    exclusions: dict[str, str]
    cc_rows: int
    exclusion_rows: int
    tables: int


def read_complications(cc: SheetTable, exclusions: SheetTable, notes: Notes) -> Complications:
    """CC says which table a complication refers to, 排除表 to which a principal diagnosis belongs.

    These are two look-ups: neither sheet can stand for the other.
    """
    codes = _codes(cc, notes)
    levels = [text.upper() for text in cc.texts("level")]
    tables = [text.upper() for text in cc.texts("table")]
    found: dict[str, Complication] = {}
    kept: dict[tuple[str, str], Complication] = {}
    for index, (code, *pair) in enumerate(zip(codes, levels, tables, strict=True)):
        level, table = pair
        if level not in ("MCC", "CC"):
            notes.error(cc.where(index, "level"), "level", level)
        elif code:
            one = kept.setdefault(
                (level, table), Complication(cast(Literal["MCC", "CC"], level), table)
            )
            if found.get(code, one) != one:
                notes.error(cc.where(index, "code"), "cc_twice", code)
            elif code in found:
                notes.repair(cc.where(index, "code"), "repeated_row", code)
            found[code] = one
    principals = _principals(exclusions, notes)
    n_tables = len(set(principals.values()))
    for code, table in amendments():
        if code not in principals:
            principals[code] = table
            notes.repair(f"{exclusions.file}:{exclusions.title}", "amended", f"{table} {code}")
    return Complications(found, principals, len(cc.rows), len(exclusions.rows), n_tables)


def _principals(table: SheetTable, notes: Notes) -> dict[str, str]:
    codes = _codes(table, notes)
    tables = [text.upper() for text in table.texts("table")]
    found: dict[str, str] = {}
    for index, (code, name) in enumerate(zip(codes, tables, strict=True)):
        if not name:
            notes.error(table.where(index, "table"), "no_table", "")
        elif code and found.get(code, name) != name:
            notes.error(table.where(index, "code"), "two_tables", code, first=found[code])
        elif code:
            if code in found:
                notes.repair(table.where(index, "code"), "repeated_row", code)
            found[code] = name
    return found


def not_for_grouping(lists: Mapping[str, CodeList]) -> dict[tuple[CodeKind, str], str]:
    """Gray codes and codes not for grouping, which the workbook does not hold; findings only.

    They are those of the scheme that the facts name. A procedure that the workbook groups by (robot
    assistance) is for grouping, whatever an older list says.
    """
    path = data_folder("schemes", facts()["not_for_grouping"]["scheme"], OPTIONAL)
    if not path.is_file():
        return {}
    used = {code for found in lists.values() if found.kind == "px" for code in found.codes}
    rows = zip(*read_tsv(path).cells, strict=True)
    return {
        (cast(CodeKind, kind), code): reason
        for kind, code, reason in rows
        if not (kind == "px" and reason == "not_for_grouping" and code in used)
    }
