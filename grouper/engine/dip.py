"""Batch and catalogue -> DIP groups: each distinct question is answered once."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from grouper.engine.dip_reference import DipCase, DipOutcome, DipReference
from grouper.engine.groups import Status
from grouper.records.batch import MISSING, MISSING_FEN, THOUSANDTHS, CaseBatch, CodeColumn

_FEN = 100


@dataclass(frozen=True, slots=True)
class DipEnd:
    """One of the ways in which cases end: what result rows say.

    reason: a token, or the RE code for which the reader rejected the record; row: position in the
    catalogue, None when not grouped.
    """

    status: Status
    reason: str
    row: int | None
    kind: str


@dataclass(frozen=True, slots=True)
class DipGroups:
    """One result a case: `end` (n,) uint32 positions in `ends`, status (n,) uint8 (Status)."""

    end: NDArray[np.uint32]
    ends: tuple[DipEnd, ...]
    status: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.end)


def group_batch(reference: DipReference, batch: CaseBatch) -> DipGroups:
    """The group of every case, in order.

    Cases with the same principal diagnosis and operations have the same group, unless the cost
    decides between rows; in 3.0 other diagnoses, age and weight count too.
    """
    numbers: dict[DipEnd, int] = {}
    known: dict[Hashable, tuple[int, bool]] = {}
    end = np.zeros(len(batch), np.uint32)
    costs = batch.total_cost_fen
    for at, key in enumerate(_keys(batch, layered=reference.catalogue.is_layered)):
        found = known.get(key)
        if found is not None and found[1]:
            found = known.get((key, int(costs[at]) if len(costs) else None))
        if found is None:
            outcome = _outcome(reference, batch, at)
            this = DipEnd(outcome.status, outcome.reason, outcome.row, outcome.kind)
            found = (numbers.setdefault(this, len(numbers)), outcome.cost_used)
            known[key] = found
            if outcome.cost_used:
                known[key, int(costs[at]) if len(costs) else None] = (found[0], False)
        end[at] = found[0]
    ends = tuple(numbers)
    statuses = np.array([one.status for one in ends], np.uint8)
    return DipGroups(end, ends, statuses[end] if ends else np.zeros(0, np.uint8))


def case_at(batch: CaseBatch, at: int) -> DipCase:
    """One row of a batch as DIP grouping sees it."""
    cost = int(batch.total_cost_fen[at]) if len(batch.total_cost_fen) else MISSING_FEN
    days, weight = int(batch.age_days[at]), int(batch.admission_weight[at])
    return DipCase(
        batch.dx.codes(at),
        batch.px.codes(at),
        None if cost == MISSING_FEN else Decimal(cost) / _FEN,
        None if days == MISSING else days,
        None if weight == MISSING else Decimal(weight) / THOUSANDTHS,
    )


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
    days, weights = batch.age_days.tolist(), batch.admission_weight.tolist()
    yield from zip(dx, px, rejects, days, weights, strict=True)


def _slices(column: CodeColumn, *, first_only: bool = False) -> Iterator[bytes]:
    """The codes of each case, as bytes that are equal where the codes are."""
    index = np.ascontiguousarray(column.index, np.int32).tobytes()
    offsets = (column.offsets.astype(np.int64) * 4).tolist()
    for start, stop in pairwise(offsets):
        yield index[start : min(stop, start + 4) if first_only else stop]
