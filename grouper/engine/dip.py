"""Batch and catalogue -> DIP groups: by the kernel, and by the twin that defines them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import pairwise
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from grouper.engine._dip import DipKernel
from grouper.engine.dip_layout import REASONS
from grouper.engine.dip_reference import DipCase, DipOutcome, DipReference
from grouper.engine.dip_tables import Meanings
from grouper.engine.encode import check_column, check_scalars
from grouper.engine.groups import Status
from grouper.records.batch import MISSING, MISSING_FEN, THOUSANDTHS, CaseBatch, CodeColumn
from grouper.records.spellings import Vocabulary
from grouper.scheme.dip import Catalogue
from grouper.scheme.program import HIGHEST

_FEN = 100
_HANDED = 0xFFFF
_KINDS = ("principal", "operation", "other")
#: a spelling that has not been looked up yet
_UNKNOWN = -(2**31)
_REASON_NUMBERS = {reason: number for number, reason in enumerate(REASONS)}


@dataclass(frozen=True, slots=True)
class DipGroups:
    """One result a case, (n,) arrays.

    row     int32: position in catalogue.rows, -1 when not grouped
    reason  uint16: position in `reasons`: tokens of docs/reference/dip.md, then codes of the reader
    marked  uint8: 1 where the catalogue's list makes the group a primary one
    status  uint8 (Status)
    slow    how many cases the kernel handed to the twin (0 from the twin itself)
    """

    row: NDArray[np.int32]
    reason: NDArray[np.uint16]
    marked: NDArray[np.uint8]
    status: NDArray[np.uint8]
    reasons: tuple[str, ...]
    catalogue: Catalogue
    slow: int = 0

    def __len__(self) -> int:
        return len(self.status)

    @property
    def n_decisions(self) -> int:
        """More than any number in `decisions`."""
        return 2 * (len(self.catalogue.rows) + 1) * len(self.reasons)

    def decisions(self) -> NDArray[np.int32]:
        """(n,) a number for each way to end: row, mark and reason."""
        row = (self.row + np.int32(1)) * np.int32(2) + self.marked
        return row * np.int32(len(self.reasons)) + self.reason

    def some(self, cases: NDArray[np.int64]) -> DipGroups:
        """The results of some cases."""
        return replace(
            self,
            row=self.row[cases],
            reason=self.reason[cases],
            marked=self.marked[cases],
            status=self.status[cases],
        )

    def reason_of(self, case: int) -> str:
        """The token that says how a case ended."""
        return self.reasons[int(self.reason[case])]

    @property
    def ends(self) -> tuple[DipOutcome, ...]:
        """The outcomes that occur, by their numbers in `decisions`."""
        return tuple(self.outcome(at) for at in self._distinct()[0].tolist())

    @property
    def end(self) -> NDArray[np.int64]:
        """(n,) which of `ends` each case is."""
        return self._distinct()[1]

    def _distinct(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        numbers = self.decisions()
        _, first, places = np.unique(numbers, return_index=True, return_inverse=True)
        return first, places

    def reason_counts(self) -> dict[str, int]:
        """How many cases have no group, by reason."""
        counts = np.bincount(self.reason[self.row < 0], minlength=len(self.reasons))
        return {r: int(n) for r, n in zip(self.reasons, counts, strict=True) if n}

    def outcome(self, at: int) -> DipOutcome:
        """The result of one case, without the way there."""
        row = int(self.row[at])
        kind = "" if row < 0 else "primary" if self.marked[at] else self.catalogue.rows[row].kind
        reason = self.reasons[int(self.reason[at])]
        return DipOutcome(Status(int(self.status[at])), reason, None if row < 0 else row, kind)


@dataclass(frozen=True)
class DipGrouper:
    """A catalogue and its rules ready to group; may be shared by threads."""

    reference: DipReference
    meanings: Meanings = field(repr=False)
    kernel: DipKernel = field(repr=False)
    _known: dict[str, WeakKeyDictionary[Vocabulary, NDArray[np.int64]]] = field(
        default_factory=lambda: {kind: WeakKeyDictionary() for kind in _KINDS}, repr=False
    )

    @classmethod
    def of(cls, reference: DipReference) -> DipGrouper:
        """Lay the catalogue out (some hundredths of a second)."""
        meanings = Meanings(reference)
        return cls(reference, meanings, DipKernel(meanings.layout, reference.catalogue.is_layered))

    def group(self, batch: CaseBatch) -> DipGroups:
        """The group of every case of a batch, in order.

        Raises RecordError (RE20) if columns do not fit, SchemeError (SE62) as the twin does.
        """
        n = len(batch)
        dx, px, cost = batch.dx, batch.px, batch.total_cost_fen
        check_column(dx, len(dx.texts), n, "dx")
        check_column(px, len(px.texts), n, "px")
        asked = ["age_days", "admission_weight", "reject"]
        asked += [name for name in ("birth_weight", "total_cost_fen") if len(getattr(batch, name))]
        check_scalars(batch, asked)
        first = dx.index[dx.offsets[:-1][dx.offsets[:-1] < dx.offsets[1:]]]
        principal = self._numbers("principal", dx.texts, first).astype(np.int32)
        op = self._numbers("operation", px.texts, px.index).astype(np.int32)
        others = np.zeros(0, np.uint64)
        if self.meanings.asks_others:
            others = self._numbers("other", dx.texts, dx.index).view(np.uint64)
        groups = _empty(n, self.reference.catalogue, batch)
        # the tables after the numbers: they hold whatever was numbered
        self.kernel.group(
            self.meanings.tables(),
            dx.index,
            dx.offsets,
            principal,
            others,
            px.index,
            px.offsets,
            op,
            batch.age_days,
            weights(batch),
            cost,
            batch.reject,
            groups.row,
            groups.reason,
            groups.marked,
            groups.status,
        )
        handed = np.flatnonzero(groups.reason == _HANDED).tolist()
        for at in handed:
            _put(groups, at, self.reference.group(case_at(batch, at)))
        return replace(groups, slow=len(handed))

    def group_case(self, case: DipCase) -> DipOutcome:
        """The group of one case, without the way there."""
        batch = _batch_of(case)
        if batch is None:
            return self.reference.group(case).without_way()
        return self.group(batch).outcome(0)

    def _numbers(
        self, kind: str, texts: Sequence[str], index: NDArray[np.int32]
    ) -> NDArray[np.int64]:
        """The number of every spelling that occurs; of others `_UNKNOWN`."""
        known = np.zeros(0, np.int64)
        if isinstance(texts, Vocabulary):
            # it only grows: what was found stays found
            known = self._known[kind].get(texts, known)
        if len(known) < len(texts):
            more = np.full(len(texts) - len(known), _UNKNOWN, np.int64)
            known = np.concatenate([known, more])
        unknown = np.take(known, index) == _UNKNOWN if len(index) else np.zeros(0, np.bool_)
        if unknown.any():
            new = np.unique(index[unknown])
            known = known.copy()
            known[new] = self.meanings.numbers(kind, [texts[k] for k in new.tolist()])
            if isinstance(texts, Vocabulary):
                # two threads may both do so: what one loses is looked up again
                self._known[kind][texts] = known
        return known


def group_batch(reference: DipReference, batch: CaseBatch) -> DipGroups:
    """The same by the twin; each distinct question is answered once.

    Cases with the same principal diagnosis and operations have the same group, unless the cost
    decides between rows; in 3.0 other diagnoses, age and weight count too.
    """
    groups = _empty(len(batch), reference.catalogue, batch)
    known: dict[Hashable, DipOutcome] = {}
    costs = batch.total_cost_fen
    for at, key in enumerate(_keys(batch, layered=reference.catalogue.is_layered)):
        found = known.get(key)
        if found is not None and found.cost_used:
            found = known.get((key, int(costs[at]) if len(costs) else None))
        if found is None:
            found = known[key] = _outcome(reference, batch, at)
            if found.cost_used:
                known[key, int(costs[at]) if len(costs) else None] = found
        _put(groups, at, found)
    return groups


def weights(batch: CaseBatch, cases: slice = slice(None)) -> NDArray[np.int32]:
    """Weight at birth, which 3.0 asks for; where it is not known that at admission."""
    admission, birth = batch.admission_weight[cases], batch.birth_weight[cases]
    return np.where(birth == MISSING, admission, birth) if len(birth) else admission


def case_at(batch: CaseBatch, at: int) -> DipCase:
    """One row of a batch as DIP grouping sees it."""
    cost = int(batch.total_cost_fen[at]) if len(batch.total_cost_fen) else MISSING_FEN
    days, weight = int(batch.age_days[at]), int(weights(batch, slice(at, at + 1))[0])
    return DipCase(
        batch.dx.codes(at),
        batch.px.codes(at),
        None if cost == MISSING_FEN else Decimal(cost) / _FEN,
        None if days == MISSING else days,
        None if weight == MISSING else Decimal(weight) / THOUSANDTHS,
    )


def _batch_of(case: DipCase) -> CaseBatch | None:
    """A batch of one; None for a number finer than columns keep it."""
    one = np.full(1, MISSING, np.int32)
    cost = MISSING_FEN if case.cost is None else _whole(case.cost, _FEN)
    weight = MISSING if case.weight is None else _whole(case.weight, THOUSANDTHS)
    if cost is None or weight is None or (case.age_days or 0) > HIGHEST or weight > HIGHEST:
        return None
    return CaseBatch(
        dx=CodeColumn.from_lists([case.dx]),
        px=CodeColumn.from_lists([case.px]),
        sex=np.zeros(1, np.uint8),
        age_years=one,
        age_days=np.array([MISSING if case.age_days is None else case.age_days], np.int32),
        admission_weight=np.array([weight], np.int32),
        los_days=one,
        icu_hours=one,
        discharge_disposition=np.zeros(1, np.uint8),
        reject=np.zeros(1, np.uint16),
        total_cost_fen=np.array([cost], np.int64),
    )


def _whole(value: Decimal, parts: int) -> int | None:
    exact = value * parts
    return int(exact) if exact == int(exact) and abs(exact) < -MISSING_FEN else None


def _empty(n: int, catalogue: Catalogue, batch: CaseBatch) -> DipGroups:
    return DipGroups(
        np.empty(n, np.int32),
        np.empty(n, np.uint16),
        np.empty(n, np.uint8),
        np.empty(n, np.uint8),
        (*REASONS, *batch.reject_codes),
        catalogue,
    )


def _put(groups: DipGroups, at: int, outcome: DipOutcome) -> None:
    """Write what the twin found."""
    rows, row = groups.catalogue.rows, outcome.row
    number = _REASON_NUMBERS.get(outcome.reason)
    groups.row[at] = -1 if row is None else row
    groups.reason[at] = groups.reasons.index(outcome.reason) if number is None else number
    groups.marked[at] = row is not None and outcome.kind != rows[row].kind
    groups.status[at] = outcome.status


def _outcome(reference: DipReference, batch: CaseBatch, at: int) -> DipOutcome:
    reject = int(batch.reject[at])
    if reject:
        return DipOutcome(Status.REJECTED, batch.reject_codes[reject - 1])
    return reference.group(case_at(batch, at))


def _keys(batch: CaseBatch, *, layered: bool) -> Iterator[Hashable]:
    """What a case's group depends on besides its cost."""
    dx, px = _slices(batch.dx, first_only=not layered), _slices(batch.px)
    rejects = batch.reject.tolist()
    if not layered:
        yield from zip(dx, px, rejects, strict=True)
        return
    yield from zip(dx, px, rejects, batch.age_days.tolist(), weights(batch).tolist(), strict=True)


def _slices(column: CodeColumn, *, first_only: bool = False) -> Iterator[bytes]:
    """The codes of each case, as bytes that are equal where the codes are."""
    index = np.ascontiguousarray(column.index, np.int32).tobytes()
    offsets = (column.offsets.astype(np.int64) * 4).tolist()
    for start, stop in pairwise(offsets):
        yield index[start : min(stop, start + 4) if first_only else stop]
