"""From the principal diagnosis and the procedures to the first rule that can take a case."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_

import numpy as np
from numpy.typing import NDArray

from grouper.scheme.booking import MAX_CANDIDATES, NOTHING, Bookings
from grouper.scheme.condition import Condition
from grouper.scheme.model import Scheme
from grouper.scheme.program import ProgramBuilder
from grouper.scheme.residuals import Candidates, Remainder, Residuals, principal_lists
from grouper.scheme.simplify import conjunction, in_pairs
from grouper.scheme.vocabulary import Vocabulary, check_size, entry_conditions

NO_ROW = 0xFFFFFFFF
SPLIT = 1 << 31

U16 = NDArray[np.uint16]
U32 = NDArray[np.uint32]
I32 = NDArray[np.int32]


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


def candidacy_of(
    scheme: Scheme, vocabulary: Vocabulary, residuals: Residuals, builder: ProgramBuilder
) -> Candidacy:
    """The candidacy of a scheme; adds the conditions that stay open to `builder`."""
    return _CandidacyBuilder(scheme, vocabulary, residuals, builder).build()


def _bookings(scheme: Scheme, vocabulary: Vocabulary) -> Bookings:
    bits = vocabulary.px_bits
    members = {
        name: (bits[:, bit // 64] >> np.uint64(bit % 64) & np.uint64(1)).astype(np.bool_)
        for bit, name in enumerate(vocabulary.px_lists)
    }
    sizes = {name: len(scheme.lists[name].codes) for name in vocabulary.px_lists}
    return Bookings(members, sizes, len(bits))


class _CandidacyBuilder:
    """Numbers classes, cells, candidate lists and rows as they are met."""

    def __init__(
        self,
        scheme: Scheme,
        vocabulary: Vocabulary,
        residuals: Residuals,
        builder: ProgramBuilder,
    ) -> None:
        self.scheme = scheme
        self.vocabulary = vocabulary
        self.residuals = residuals
        self.bookings = _bookings(scheme, vocabulary)
        self.builder = builder
        self.classes: dict[Remainder, int] = {}
        self._both: dict[tuple[Condition, Condition], Condition] = {}

    def build(self) -> Candidacy:
        dx_class = self._classify(self.vocabulary.dx_ids)
        splits = [self.residuals.split(remainder) for remainder in self.classes]
        base = np.cumsum([0, *(len(split.cells) for split in splits)])[:-1].astype(np.uint32)
        strides = np.array([split.strides for split in splits], np.uint32)
        is_split = (strides != 0).any(axis=1)
        number = np.cumsum(is_split) - 1
        of_class = np.where(is_split, SPLIT | number, base).astype(np.uint32)
        cells = [cell for split in splits for cell in split.cells]

        def mask(lists: frozenset[str]) -> int:
            return reduce(or_, (self.vocabulary.quiet_bits[name] for name in lists), 0)

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
        check_size(self.scheme, "rules", len(candidates), MAX_CANDIDATES)
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
        whens = [in_pairs(when) for when in entry_conditions(self.scheme)]
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
