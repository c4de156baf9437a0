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
    Sites,
    atoms,
    list_uses,
)
from grouper.scheme.model import Scheme
from grouper.scheme.program import Program, ProgramBuilder
from grouper.scheme.residuals import Candidates, Remainder, Residuals, principal_lists
from grouper.scheme.simplify import conjunction, in_pairs, substitute

CC, MCC = 1, 2
# a word of 32 bits: 2 level, 14 exclusion table, 16 quiet bits
TABLE_BITS = 14
QUIET_BITS = 16
NO_TABLE = 2**TABLE_BITS - 1
NO_ROW = 0xFFFFFFFF
SPLIT = 1 << 31
MAX_WORDS = 64

U16 = NDArray[np.uint16]
U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Candidacy:
    """From the principal diagnosis to the first rule that can take the case.

    dx_cell (nd)        cell of a principal diagnosis, or SPLIT | number of its split
    split_base, split_strides (ns, 7)   where the cells of a split begin; by number of the record,
                        how far its next interval is
    cell_mask (nc, 2)   quiet bits that matter to a cell; those that matter whatever its gates say
    gate_start (nc + 1), gate   entries of the conditions of MDCs that other diagnoses can open
    variants (2 nc, 4)  of a cell in general, then of it when quiet: where its rows begin in
                        `first` and `other` (NO_ROW = nothing there), its span in cand_*
    cand_rule           position in scheme.adrgs
    cand_gate, cand_entry   entries of what remains of the MDC's and of the rule's condition
    first, other        rows of one number a class of procedures (see `booking`), end to end; the
                        last class is "no procedure"
    """

    dx_cell: U32
    split_base: U32
    split_strides: U32
    cell_mask: U32
    gate_start: U32
    gate: I32
    variants: U32
    cand_rule: U32
    cand_gate: I32
    cand_entry: I32
    first: U16
    other: U16


@dataclass(frozen=True, slots=True)
class Refinement:
    """From a rule (by position in scheme.adrgs) to its DRG.

    table            group id by flags (CC | MCC), four for each rule; 0 = none, or not by flags
    flags            3 where the refinement asks for MCC or CC, else 0
    plain            1 where `table` says all; status: what a case is that the rule takes
    start, stop      span in entry and group, where not plain
    entry, group     of each DRG in order: entry of its condition, group id
    """

    table: U32
    flags: U8
    plain: U8
    status: U8
    start: U32
    stop: U32
    entry: I32
    group: U32


@dataclass(frozen=True, slots=True)
class CompiledScheme:
    """The arrays of one scheme. Id 0 of a diagnosis or procedure is "in no list".

    dx_ids, px_ids   code -> id
    dx_table (nd)    exclusion table of a principal diagnosis or NO_TABLE
    dx_word (nd)     bits 30-31 level (1 CC, 2 MCC), 16-29 exclusion table, 0-15 quiet bits
    dx_bits (nd, w)  memberships in the lists that conditions test on the slow path
    px_class (np)    class of a procedure; px_bits (classes, w) memberships of a class
    bounds, bound_start (8)   by number of the record, where its cells begin
    """

    scheme_id: str
    digest: str
    dx_ids: dict[str, int]
    px_ids: dict[str, int]
    dx_table: U32
    dx_word: U32
    dx_bits: U64
    px_class: U16
    px_bits: U64
    bounds: I32
    bound_start: I32
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
    drgs: dict[str, list[tuple[int, Condition]]] = {rule.adrg: [] for rule in scheme.adrgs}
    for position, drg in enumerate(scheme.drgs):
        drgs[drg.adrg].append((position + 1, in_pairs(drg.when)))

    dx_lists = _slow_dx_lists(scheme)
    px_lists = _used_lists(scheme, "px")
    table_ids = _table_ids(scheme)
    _check_size(scheme, "lists", max(len(dx_lists), len(px_lists)), 64 * MAX_WORDS)
    _check_size(scheme, "exclusion tables", len(table_ids), NO_TABLE - 1)
    quiet_bits = _quiet_bits(scheme, dx_lists)
    builder = ProgramBuilder(
        {name: bit for bit, name in enumerate(dx_lists)},
        {name: bit for bit, name in enumerate(px_lists)},
    )
    residuals = Residuals(
        scheme, {adrg: any(when == TRUE for _, when in rows) for adrg, rows in drgs.items()}
    )
    px_class, px_bits, bookings = _procedure_classes(scheme, px_ids, px_lists)
    candidacy = _CandidacyBuilder(scheme, residuals, bookings, builder).build(dx_ids, quiet_bits)
    refinement = _refinement(scheme, drgs, builder)
    return CompiledScheme(
        scheme_id=scheme.id,
        digest=scheme.digest,
        dx_ids=dx_ids,
        px_ids=px_ids,
        dx_table=_tables(scheme, dx_ids, table_ids),
        dx_word=_words(scheme, dx_ids, table_ids, quiet_bits),
        dx_bits=_bit_rows(scheme, dx_ids, dx_lists),
        px_class=px_class,
        px_bits=px_bits,
        bounds=np.array([b for bounds in residuals.bounds for b in bounds], np.int32),
        bound_start=np.cumsum([0, *map(len, residuals.bounds)]).astype(np.int32),
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


def _check_size(scheme: Scheme, what: str, size: int, most: int) -> None:
    if size > most:
        raise SchemeError("SE20", scheme.folder, what=f"{most} {what}")


def _quiet_bits(scheme: Scheme, dx_lists: list[str]) -> dict[str, int]:
    """For each slow list its bit in `dx_word`; the lists of a `sites` share one.

    There are few bits, so lists may share them: a hit then only looks closer than it needs.
    """
    owner = {name: name for name in dx_lists}
    for when in _entry_conditions(scheme):
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
) -> tuple[U16, U64, Bookings]:
    rows = _bit_rows(scheme, px_ids, px_lists)
    bits, inverse = np.unique(rows, axis=0, return_inverse=True)
    _check_size(scheme, "classes of procedures", len(bits), 2**16 - 1)
    classes: U16 = inverse.reshape(-1).astype(np.uint16)
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

    def build(self, dx_ids: dict[str, int], quiet_bits: dict[str, int]) -> Candidacy:
        dx_class = self._classify(dx_ids)
        splits = [self.residuals.split(remainder) for remainder in self.classes]
        base = np.cumsum([0, *(len(split.cells) for split in splits)])[:-1].astype(np.uint32)
        strides = np.array([split.strides for split in splits], np.uint32)
        is_split = (strides != 0).any(axis=1)
        number = np.cumsum(is_split) - 1
        of_class = np.where(is_split, SPLIT | number, base).astype(np.uint32)
        cells = [cell for split in splits for cell in split.cells]

        def mask(lists: frozenset[str]) -> int:
            return reduce(or_, (quiet_bits[name] for name in lists), 0)

        every = self.residuals.conditions.all
        rows = _CandidateRows(self.bookings.n_classes)
        variants = [self._list(rows, part) for cell in cells for part in (cell.full, cell.quiet)]
        return Candidacy(
            dx_cell=of_class[dx_class],
            split_base=base[is_split],
            split_strides=strides[is_split],
            cell_mask=np.array(
                [[mask(cell.lists), mask(cell.strict)] for cell in cells], np.uint32
            ),
            gate_start=np.cumsum([0, *(len(cell.gates) for cell in cells)]).astype(np.uint32),
            gate=np.array(
                [self.builder.entry(every[gate]) for cell in cells for gate in cell.gates], np.int32
            ),
            variants=np.array(variants, np.uint32),
            cand_rule=np.array(rows.rules, np.uint32),
            cand_gate=np.array(rows.gates, np.int32),
            cand_entry=np.array(rows.entries, np.int32),
            first=rows.first.table(),
            other=rows.other.table(),
        )

    def _list(self, rows: _CandidateRows, candidates: Candidates) -> tuple[int, int, int, int]:
        """Where the rows of a candidate list begin and which span its candidates have."""
        if candidates in rows.known:
            return rows.known[candidates]
        _check_size(self.scheme, "rules", len(candidates), MAX_CANDIDATES)
        every = self.residuals.conditions.all
        mdcs = [every[entry] for _, entry, _ in candidates]
        rests = [every[rest] for _, _, rest in candidates]
        first, other = self.bookings.rows(list(map(self._joined, mdcs, rests)))
        start = len(rows.rules)
        rows.rules += [position for position, _, _ in candidates]
        rows.gates += [self.builder.entry(mdc) for mdc in mdcs]
        rows.entries += [self.builder.entry(rest) for rest in rests]
        rows.known[candidates] = (
            rows.first.add(first),
            NO_ROW if (other == NOTHING).all() else rows.other.add(other),
            start,
            len(rows.rules),
        )
        return rows.known[candidates]

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


class _CandidateRows:
    """What belongs to candidate lists, as it is met."""

    def __init__(self, width: int) -> None:
        self.first, self.other = _Rows(width), _Rows(width)
        self.rules: list[int] = []
        self.gates: list[int] = []
        self.entries: list[int] = []
        self.known: dict[Candidates, tuple[int, int, int, int]] = {}


class _Rows:
    """Rows of equal width, end to end; equal ones are kept once."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.known: dict[bytes, int] = {}

    def add(self, row: U16) -> int:
        """Where the row begins."""
        return self.known.setdefault(row.tobytes(), len(self.known) * self.width)

    def table(self) -> U16:
        return np.frombuffer(b"".join(self.known), np.uint16).copy()


def _refinement(
    scheme: Scheme, drgs: dict[str, list[tuple[int, Condition]]], builder: ProgramBuilder
) -> Refinement:
    spans: dict[str, tuple[int, int]] = {}
    entries: list[int] = []
    groups: list[int] = []
    asked = {
        adrg: [atom for _, when in rows for atom in atoms(when)] for adrg, rows in drgs.items()
    }
    plain = {adrg: all(isinstance(a, Flag) for a in asked[adrg]) for adrg in drgs}
    table = {adrg: [0] * 4 for adrg in drgs}
    for adrg, rows in drgs.items():
        start = len(entries)
        if plain[adrg]:
            table[adrg] = [_first_group(rows, seen) for seen in range(4)]
        else:
            entries += [builder.entry(when) for _, when in rows]
            groups += [group for group, _ in rows]
        spans[adrg] = (start, len(entries))
    rules = [rule.adrg for rule in scheme.adrgs]
    by_flags = {adrg: any(isinstance(a, Flag) for a in asked[adrg]) for adrg in drgs}
    return Refinement(
        table=np.array([table[adrg] for adrg in rules], np.uint32).reshape(-1),
        flags=np.array([(CC | MCC) * by_flags[adrg] for adrg in rules], np.uint8),
        plain=np.array([plain[adrg] for adrg in rules], np.uint8),
        status=np.array([rule.is_ambiguous for rule in scheme.adrgs], np.uint8),
        start=np.array([spans[adrg][0] for adrg in rules], np.uint32),
        stop=np.array([spans[adrg][1] for adrg in rules], np.uint32),
        entry=np.array(entries, np.int32),
        group=np.array(groups, np.uint32),
    )


def _first_group(rows: Iterable[tuple[int, Condition]], seen: int) -> int:
    def known(atom: Condition) -> Condition:
        assert isinstance(atom, Flag)
        return Constant(bool(seen & (MCC if atom.name == "mcc" else CC)))

    return next((group for group, when in rows if substitute(when, known) != FALSE), 0)
