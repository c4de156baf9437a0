"""The codes of a scheme as numbers, and what the kernel has to know of each of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grouper.errors import SchemeError
from grouper.scheme.condition import Compare, Condition, Member, Sites, atoms, list_uses
from grouper.scheme.model import CodeKind, Scheme

CC, MCC = 1, 2
# a word of 32 bits: 2 level, 14 exclusion table, 16 quiet bits
TABLE_BITS = 14
QUIET_BITS = 16
NO_TABLE = 2**TABLE_BITS - 1
#: words of a bit row that the kernel has room for
MAX_WORDS = 64

U16 = NDArray[np.uint16]
U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Codes and lists of one scheme. Id 0 of a diagnosis or procedure is "in no list".

    dx_ids, px_ids   code -> id
    dx_table (nd)    exclusion table of a principal diagnosis or NO_TABLE
    dx_word (nd)     bits 30-31 level (1 CC, 2 MCC), 16-29 exclusion table, 0-15 quiet bits
    dx_bits (nd, w)  memberships in `dx_lists`: those that conditions test on the slow path
    px_class (np)    class of a procedure; px_bits (classes, w) memberships of a class in
                     `px_lists`; the last class is "no procedure"
    quiet_bits       by list of dx_lists, its bit in dx_word
    """

    dx_ids: dict[str, int]
    px_ids: dict[str, int]
    dx_table: U32
    dx_word: U32
    dx_bits: U64
    px_class: U16
    px_bits: U64
    dx_lists: tuple[str, ...]
    px_lists: tuple[str, ...]
    quiet_bits: dict[str, int]


def vocabulary_of(scheme: Scheme) -> Vocabulary:
    """The vocabulary of a scheme. Raises SchemeError (SE20) when its numbers have no room."""
    dx_ids, px_ids = _ids(scheme, "dx"), _ids(scheme, "px")
    dx_lists, px_lists = _slow_dx_lists(scheme), _used_lists(scheme, "px")
    table_ids = _table_ids(scheme)
    check_size(scheme, "lists", max(len(dx_lists), len(px_lists)), 64 * MAX_WORDS)
    check_size(scheme, "exclusion tables", len(table_ids), NO_TABLE - 1)
    quiet_bits = _quiet_bits(scheme, dx_lists)
    px_class, px_bits = _procedure_classes(scheme, px_ids, px_lists)
    return Vocabulary(
        dx_ids=dx_ids,
        px_ids=px_ids,
        dx_table=_tables(scheme, dx_ids, table_ids),
        dx_word=_words(scheme, dx_ids, table_ids, quiet_bits),
        dx_bits=_bit_rows(scheme, dx_ids, dx_lists),
        px_class=px_class,
        px_bits=px_bits,
        dx_lists=tuple(dx_lists),
        px_lists=tuple(px_lists),
        quiet_bits=quiet_bits,
    )


def check_size(scheme: Scheme, what: str, size: int, most: int) -> None:
    """Raise SchemeError (SE20) when there are more of something than fits."""
    if size > most:
        raise SchemeError("SE20", scheme.folder, what=f"{most} {what}")


def entry_conditions(scheme: Scheme) -> list[Condition]:
    """The conditions of MDCs and rules: all that stands before the refinement."""
    return [*(mdc.when for mdc in scheme.mdcs), *(rule.when for rule in scheme.adrgs)]


def _ids(scheme: Scheme, kind: CodeKind) -> dict[str, int]:
    codes: set[str] = set()
    for code_list in scheme.lists.values():
        if code_list.kind == kind:
            codes.update(code_list.codes)
    if kind == "dx":
        codes.update(scheme.cc, scheme.exclusions)
    return {code: index for index, code in enumerate(sorted(codes), 1)}


def _used_lists(scheme: Scheme, kind: CodeKind) -> list[str]:
    whens = [*entry_conditions(scheme), *(drg.when for drg in scheme.drgs)]
    return sorted({name for when in whens for name, of in list_uses(when) if of == kind})


def _slow_dx_lists(scheme: Scheme) -> list[str]:
    """Diagnosis lists that are tested on more than the principal diagnosis, or by a refinement.

    Those of MDCs and rules come first: they get quiet bits of their own as long as these last.
    """
    early: set[str] = set()
    for when in entry_conditions(scheme):
        for atom in atoms(when):
            if isinstance(atom, Compare) or (
                isinstance(atom, Member) and atom.codes in ("other_dx", "any_dx")
            ):
                early.update(name for name, kind in list_uses(atom) if kind == "dx")
    late = {name for drg in scheme.drgs for name, kind in list_uses(drg.when) if kind == "dx"}
    return [*sorted(early), *sorted(late - early)]


def _table_ids(scheme: Scheme) -> dict[str, int]:
    tables = {entry.table for entry in scheme.cc.values()} | set(scheme.exclusions.values())
    return {table: index for index, table in enumerate(sorted(tables - {""}), 1)}


def _quiet_bits(scheme: Scheme, dx_lists: list[str]) -> dict[str, int]:
    """For each slow list its bit in `dx_word`; the lists of a `sites` share one.

    There are few bits, so lists may share them: a hit then only looks closer than it needs.
    """
    owner = {name: name for name in dx_lists}
    for when in entry_conditions(scheme):
        for atom in atoms(when):
            for term in atom.terms if isinstance(atom, Compare) else ():
                if isinstance(term, Sites):
                    owner.update(dict.fromkeys(term.lists, term.lists[0]))
    places = {name: place for place, name in enumerate(dict.fromkeys(owner.values()))}
    return {name: 1 << places[owner[name]] % QUIET_BITS for name in dx_lists}


def _tables(scheme: Scheme, dx_ids: dict[str, int], table_ids: dict[str, int]) -> U32:
    tables = np.full(len(dx_ids) + 1, NO_TABLE, np.uint32)
    for code, table in scheme.exclusions.items():
        if table:
            tables[dx_ids[code]] = table_ids[table]
    return tables


def _words(
    scheme: Scheme,
    dx_ids: dict[str, int],
    table_ids: dict[str, int],
    quiet_bits: dict[str, int],
) -> U32:
    words = np.zeros(len(dx_ids) + 1, np.uint32)
    for code, entry in scheme.cc.items():
        level = MCC if entry.level == "MCC" else CC
        # an empty table has id 0, which no principal diagnosis has: it never excludes
        table = table_ids.get(entry.table, 0)
        words[dx_ids[code]] = (level << TABLE_BITS | table) << QUIET_BITS
    for name, bit in quiet_bits.items():
        members = [dx_ids[code] for code in scheme.lists[name].codes]
        words[members] |= np.uint32(bit)
    return words


def _bit_rows(scheme: Scheme, ids: dict[str, int], lists: list[str]) -> U64:
    width = max(1, -(-len(lists) // 64))
    rows = np.zeros((len(ids) + 1, width), np.uint64)
    for bit, name in enumerate(lists):
        members = [ids[code] for code in scheme.lists[name].codes]
        rows[members, bit // 64] |= np.uint64(1 << bit % 64)
    return rows


def _procedure_classes(
    scheme: Scheme, px_ids: dict[str, int], px_lists: list[str]
) -> tuple[U16, U64]:
    rows = _bit_rows(scheme, px_ids, px_lists)
    bits, inverse = np.unique(rows, axis=0, return_inverse=True)
    check_size(scheme, "classes of procedures", len(bits), 2**16 - 1)
    classes: U16 = inverse.reshape(-1).astype(np.uint16)
    # "no procedure" is one more class, in no list
    bits = np.vstack([bits, np.zeros((1, bits.shape[1]), np.uint64)])
    return classes, np.ascontiguousarray(bits)
