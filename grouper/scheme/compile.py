"""Scheme -> CompiledScheme: dense arrays in which the kernel finds a group with a few look-ups.

1. Diagnoses with equal remaining rules form a class (`residuals`); a class that asks for numbers
   is split by their intervals into *cells*; each cell has a list of candidate rules, and a second,
   shorter one for cases whose other diagnoses touch none of its lists.
2. Procedures with equal list memberships form a class; two rows for each list of candidates say
   which candidate a procedure brings about (`booking`).
3. What these rows leave open is decided by decision graphs over bit rows (`program`).
4. MCC and CC are one word a diagnosis; an ADRG that is refined by them alone has a table of four.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_

import numpy as np
from numpy.typing import NDArray

from grouper.errors import SchemeError
from grouper.scheme.booking import MAX_CANDIDATES, NOTHING, Bookings
from grouper.scheme.condition import (
    FALSE,
    TRUE,
    Compare,
    Condition,
    Constant,
    Flag,
    Member,
    atoms,
    list_uses,
)
from grouper.scheme.model import Scheme
from grouper.scheme.program import Program, ProgramBuilder
from grouper.scheme.residuals import Candidates, Remainder, Residuals, principal_lists
from grouper.scheme.simplify import conjunction, in_pairs, substitute

CC, MCC = 1, 2
NO_TABLE = 2**30 - 1
NO_ROW = 0xFFFFFFFF
QUIET_BITS = 32
MAX_WORDS = 64

U16 = NDArray[np.uint16]
U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Candidacy:
    """From the principal diagnosis to the first rule that can take the case.

    dx_class (nd)       class of a principal diagnosis
    class_base, class_strides (nc, 7), class_splits   class and numbers -> index into `cell`
    cell                cell of remaining rules
    cell_mask, cell_full, cell_quiet   quiet bits that matter; the two candidate lists
    list_first, list_other   row numbers, NO_ROW = nothing; list_start, list_stop: span in cand_*
    cand_rule                position in scheme.adrgs
    cand_gate, cand_entry    entries of what remains of the MDC's and of the rule's condition
    first, other (rows, px classes)   see `booking`; the last class is "no procedure"
    """

    dx_class: U32
    class_base: U32
    class_strides: U32
    class_splits: U8
    cell: U32
    cell_mask: U32
    cell_full: U32
    cell_quiet: U32
    list_first: U32
    list_other: U32
    list_start: U32
    list_stop: U32
    cand_rule: U32
    cand_gate: I32
    cand_entry: I32
    first: U16
    other: U16


@dataclass(frozen=True, slots=True)
class Refinement:
    """From an ADRG to its DRG.

    flags (na)       the refinement asks for MCC or CC; simple: and for nothing else
    table (na, 4)    group id by flags (CC | MCC), 0 = none, where simple
    start, stop      span in entry and group, where not simple
    entry, group     of each DRG in order: entry of its condition, group id
    """

    flags: U8
    simple: U8
    table: U32
    start: U32
    stop: U32
    entry: I32
    group: U32


@dataclass(frozen=True, slots=True)
class CompiledScheme:
    """The arrays of one scheme. Id 0 of a diagnosis or procedure is "in no list".

    dx_ids, px_ids   code -> id
    dx_table (nd)    exclusion table of a principal diagnosis or NO_TABLE
    dx_word (nd)     bits 62-63 level (1 CC, 2 MCC), 32-61 exclusion table, 0-31 quiet bits
    dx_bits (nd, w)  memberships in the lists that conditions test on the slow path
    px_class (np)    class of a procedure; px_bits (classes, w) memberships of a class
    bounds, bound_start (8)   by number of the record, where its cells begin
    rule_adrg, rule_ambiguous   by position in scheme.adrgs
    """

    scheme_id: str
    digest: str
    dx_ids: dict[str, int]
    px_ids: dict[str, int]
    dx_table: U32
    dx_word: U64
    dx_bits: U64
    px_class: U32
    px_bits: U64
    bounds: I32
    bound_start: I32
    rule_adrg: U32
    rule_ambiguous: U8
    candidacy: Candidacy
    refinement: Refinement
    program: Program


def compile_scheme(scheme: Scheme) -> CompiledScheme:
    """The compiled form of a loaded scheme.

    Raises SchemeError (SE20) when a rule list or the number of tested lists exceeds what the
    kernel's tables can hold; no known scheme comes near.
    """
    dx_ids = _ids(scheme, "dx")
    px_ids = _ids(scheme, "px")
    adrg_ids = {adrg: index for index, adrg in enumerate({r.adrg: 0 for r in scheme.adrgs})}
    drgs: dict[str, list[tuple[int, Condition]]] = {adrg: [] for adrg in adrg_ids}
    for position, drg in enumerate(scheme.drgs):
        drgs[drg.adrg].append((position + 1, in_pairs(drg.when)))

    dx_lists = _slow_dx_lists(scheme)
    px_lists = _used_lists(scheme, "px")
    if max(len(dx_lists), len(px_lists)) > 64 * MAX_WORDS:
        raise SchemeError("SE20", scheme.folder, what=f"{64 * MAX_WORDS} lists")
    builder = ProgramBuilder(
        {name: bit for bit, name in enumerate(dx_lists)},
        {name: bit for bit, name in enumerate(px_lists)},
    )
    residuals = Residuals(
        scheme, {adrg: any(when == TRUE for _, when in rows) for adrg, rows in drgs.items()}
    )
    px_class, px_bits, bookings = _procedure_classes(scheme, px_ids, px_lists)
    candidacy = _CandidacyBuilder(scheme, residuals, bookings, builder).build(dx_ids, dx_lists)
    refinement = _refinement(drgs, builder)
    return CompiledScheme(
        scheme_id=scheme.id,
        digest=scheme.digest,
        dx_ids=dx_ids,
        px_ids=px_ids,
        dx_table=_tables(scheme, dx_ids),
        dx_word=_words(scheme, dx_ids, dx_lists),
        dx_bits=_bit_rows(scheme, dx_ids, dx_lists),
        px_class=px_class,
        px_bits=px_bits,
        bounds=np.array([b for bounds in residuals.bounds for b in bounds], np.int32),
        bound_start=np.cumsum([0, *map(len, residuals.bounds)]).astype(np.int32),
        rule_adrg=np.array([adrg_ids[rule.adrg] for rule in scheme.adrgs], np.uint32),
        rule_ambiguous=np.array([rule.is_ambiguous for rule in scheme.adrgs], np.uint8),
        candidacy=candidacy,
        refinement=refinement,
        program=builder.finish(),
    )


def _ids(scheme: Scheme, kind: str) -> dict[str, int]:
    codes: set[str] = set()
    for code_list in scheme.lists.values():
        if code_list.kind == kind:
            codes.update(code_list.codes)
    if kind == "dx":
        codes.update(scheme.cc, scheme.exclusions)
    return {code: index for index, code in enumerate(sorted(codes), 1)}


def _used_lists(scheme: Scheme, kind: str) -> list[str]:
    whens = [*_entry_conditions(scheme), *(drg.when for drg in scheme.drgs)]
    return sorted({name for when in whens for name, of in list_uses(when) if of == kind})


def _entry_conditions(scheme: Scheme) -> list[Condition]:
    """The conditions of MDCs and rules: all that stands before the refinement."""
    return [*(mdc.when for mdc in scheme.mdcs), *(rule.when for rule in scheme.adrgs)]


def _slow_dx_lists(scheme: Scheme) -> list[str]:
    """Diagnosis lists that are tested on more than the principal diagnosis, or by a refinement.

    Those of MDCs and rules come first: they get quiet bits of their own as long as these last.
    """
    early: set[str] = set()
    for when in _entry_conditions(scheme):
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


def _tables(scheme: Scheme, dx_ids: dict[str, int]) -> U32:
    table_ids = _table_ids(scheme)
    tables = np.full(len(dx_ids) + 1, NO_TABLE, np.uint32)
    for code, table in scheme.exclusions.items():
        if table:
            tables[dx_ids[code]] = table_ids[table]
    return tables


def _words(scheme: Scheme, dx_ids: dict[str, int], dx_lists: list[str]) -> U64:
    table_ids = _table_ids(scheme)
    words = np.zeros(len(dx_ids) + 1, np.uint64)
    for code, entry in scheme.cc.items():
        level = MCC if entry.level == "MCC" else CC
        # an empty table has id 0, which no principal diagnosis has: it never excludes
        words[dx_ids[code]] = (level << 62) | (table_ids.get(entry.table, 0) << 32)
    for bit, name in enumerate(dx_lists):
        members = [dx_ids[code] for code in scheme.lists[name].codes]
        words[members] |= np.uint64(1 << bit % QUIET_BITS)
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
) -> tuple[U32, U64, Bookings]:
    rows = _bit_rows(scheme, px_ids, px_lists)
    bits, inverse = np.unique(rows, axis=0, return_inverse=True)
    classes: U32 = inverse.reshape(-1).astype(np.uint32)
    # "no procedure" is one more class, in no list
    bits = np.vstack([bits, np.zeros((1, bits.shape[1]), np.uint64)])
    members = {
        name: (bits[:, bit // 64] >> np.uint64(bit % 64) & np.uint64(1)).astype(np.bool_)
        for bit, name in enumerate(px_lists)
    }
    sizes = {name: len(scheme.lists[name].codes) for name in px_lists}
    return classes, np.ascontiguousarray(bits), Bookings(members, sizes, len(bits))


class _CandidacyBuilder:
    """Numbers classes, cells, candidate lists and rows as they are met."""

    def __init__(
        self, scheme: Scheme, residuals: Residuals, bookings: Bookings, builder: ProgramBuilder
    ) -> None:
        self.scheme = scheme
        self.residuals = residuals
        self.bookings = bookings
        self.builder = builder
        self.classes: dict[Remainder, int] = {}
        self._both: dict[tuple[Condition, Condition], Condition] = {}

    def build(self, dx_ids: dict[str, int], dx_lists: list[str]) -> Candidacy:
        dx_class = self._classify(dx_ids)
        splits = [self.residuals.split(remainder) for remainder in self.classes]
        strides = np.array([split.strides for split in splits], np.uint32)
        cells: dict[Remainder, int] = {}
        cell = [cells.setdefault(c, len(cells)) for split in splits for c in split.cells]
        base = np.cumsum([0, *(len(split.cells) for split in splits)])[:-1]
        lists: dict[Candidates, int] = {}
        full = [lists.setdefault(c.full, len(lists)) for c in cells]
        quiet = [lists.setdefault(c.quiet, len(lists)) for c in cells]
        bit = {name: 1 << index % QUIET_BITS for index, name in enumerate(dx_lists)}
        masks = [reduce(or_, (bit[name] for name in c.lists), 0) for c in cells]
        first, other = _Rows(), _Rows()
        list_first, list_other, starts, rules, gates, entries = [], [], [0], [], [], []
        for candidates in lists:
            mdcs = [self.residuals.conditions.all[entry] for _, entry, _ in candidates]
            rests = [self.residuals.conditions.all[rest] for _, _, rest in candidates]
            if len(rests) > MAX_CANDIDATES:
                raise SchemeError("SE20", self.scheme.folder, what=f"{MAX_CANDIDATES} rules")
            rows = self.bookings.rows(list(map(self._joined, mdcs, rests)))
            list_first.append(first.add(rows[0]))
            list_other.append(NO_ROW if (rows[1] == NOTHING).all() else other.add(rows[1]))
            rules += [position for position, _, _ in candidates]
            gates += [self.builder.entry(mdc) for mdc in mdcs]
            entries += [self.builder.entry(rest) for rest in rests]
            starts.append(len(rules))
        return Candidacy(
            dx_class=dx_class,
            class_base=base.astype(np.uint32),
            class_strides=strides,
            class_splits=(strides != 0).any(axis=1).astype(np.uint8),
            cell=np.array(cell, np.uint32),
            cell_mask=np.array(masks, np.uint32),
            cell_full=np.array(full, np.uint32),
            cell_quiet=np.array(quiet, np.uint32),
            list_first=np.array(list_first, np.uint32),
            list_other=np.array(list_other, np.uint32),
            list_start=np.array(starts[:-1], np.uint32),
            list_stop=np.array(starts[1:], np.uint32),
            cand_rule=np.array(rules, np.uint32),
            cand_gate=np.array(gates, np.int32),
            cand_entry=np.array(entries, np.int32),
            first=first.table(self.bookings.n_classes),
            other=other.table(self.bookings.n_classes),
        )

    def _joined(self, mdc: Condition, rest: Condition) -> Condition:
        if (mdc, rest) not in self._both:
            self._both[mdc, rest] = conjunction((mdc, rest))
        return self._both[mdc, rest]

    def _classify(self, dx_ids: dict[str, int]) -> U32:
        whens = [in_pairs(when) for when in _entry_conditions(self.scheme)]
        names = sorted(frozenset[str]().union(*map(principal_lists, whens)))
        memberships: list[list[str]] = [[] for _ in range(len(dx_ids) + 1)]
        for name in names:
            for code in self.scheme.lists[name].codes:
                memberships[dx_ids[code]].append(name)
        known: dict[tuple[str, ...], int] = {}
        dx_class = np.zeros(len(memberships), np.uint32)
        for index, inside in enumerate(map(tuple, memberships)):
            if inside not in known:
                remainder = self.residuals.remainder(frozenset(inside))
                known[inside] = self.classes.setdefault(remainder, len(self.classes))
            dx_class[index] = known[inside]
        return dx_class


class _Rows:
    """Rows of a table, equal ones kept once."""

    def __init__(self) -> None:
        self.known: dict[bytes, int] = {}

    def add(self, row: U16) -> int:
        return self.known.setdefault(row.tobytes(), len(self.known))

    def table(self, width: int) -> U16:
        return np.frombuffer(b"".join(self.known), np.uint16).reshape(-1, width).copy()


def _refinement(
    drgs: dict[str, list[tuple[int, Condition]]], builder: ProgramBuilder
) -> Refinement:
    flags, simple, starts, entries, groups = [], [], [0], [], []
    table = np.zeros((len(drgs), 4), np.uint32)
    for adrg, rows in enumerate(drgs.values()):
        asked = [atom for _, when in rows for atom in atoms(when)]
        flags.append(any(isinstance(atom, Flag) for atom in asked))
        simple.append(all(isinstance(atom, Flag) for atom in asked))
        if simple[-1]:
            table[adrg] = [_first_group(rows, seen) for seen in range(4)]
        else:
            entries += [builder.entry(when) for _, when in rows]
            groups += [group for group, _ in rows]
        starts.append(len(entries))
    return Refinement(
        flags=np.array(flags, np.uint8),
        simple=np.array(simple, np.uint8),
        table=table,
        start=np.array(starts[:-1], np.uint32),
        stop=np.array(starts[1:], np.uint32),
        entry=np.array(entries, np.int32),
        group=np.array(groups, np.uint32),
    )


def _first_group(rows: Iterable[tuple[int, Condition]], seen: int) -> int:
    def known(atom: Condition) -> Condition:
        assert isinstance(atom, Flag)
        return Constant(bool(seen & (MCC if atom.name == "mcc" else CC)))

    return next((group for group, when in rows if substitute(when, known) != FALSE), 0)
