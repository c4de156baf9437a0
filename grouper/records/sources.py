"""Several files of the same columns as one table, with the place of every row."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from grouper.errors import RecordError
from grouper.records.raw import Raw
from grouper.records.user import ABSENT, Column, Form, Lines


@dataclass(frozen=True)
class Sources:
    """Rows of one or more sources, in order.

    names, columns: as in `Raw`; starts: row at which each source begins; numbers: (n,) row number
    of each record in its own source; lines: of a single source of text, as in `Raw`.
    """

    raws: tuple[Raw, ...]
    names: tuple[str, ...]
    columns: tuple[Column, ...]
    form: Form
    starts: tuple[int, ...]
    numbers: NDArray[np.int64]
    faults: dict[int, str]
    lines: Lines | None = None

    def __len__(self) -> int:
        return len(self.numbers)

    def where(self, row: int, column: int | None = None) -> str:
        """The place of a row, or of its cell in a column (by position in `names`)."""
        at = bisect_right(self.starts, row) - 1
        raw = self.raws[at]
        if column is not None:
            name = self.names[column]
            column = raw.names.index(name) if name in raw.names else None
        return raw.where(row - self.starts[at], column)

    @property
    def label(self) -> str:
        """The names of all sources."""
        return ";".join(raw.name for raw in self.raws)


def join(raws: Sequence[Raw]) -> Sources:
    """One table out of several; JSON may differ in keys, all others must have the same headers.

    Raises RecordError (RE16) when headers differ.
    """
    starts = tuple(accumulate((len(raw) for raw in raws[:-1]), initial=0))
    faults = {
        start + row: fault
        for start, raw in zip(starts, raws, strict=True)
        for row, fault in raw.faults.items()
    }
    numbers = np.concatenate([raw.numbers for raw in raws])
    first = raws[0]
    if len(raws) == 1:
        names, columns, form = first.names, first.columns, first.form
        return Sources((first,), names, columns, form, starts, numbers, faults)
    json = all(raw.form == "json" for raw in raws)
    names = tuple(dict.fromkeys(name for raw in raws for name in raw.names))
    for raw in () if json else raws[1:]:
        if sorted(raw.names) != sorted(first.names):
            odd = sorted(set(raw.names) ^ set(first.names))
            raise RecordError("RE16", raw.name, path=raw.name, first=first.name, headers=odd[:10])
    names = names if json else first.names
    same = {raw.form for raw in raws} in ({"text"}, {"arrow"}, {"json"})
    orders = [order_of(raw.names, names) for raw in raws]
    columns = tuple(_joined(raws, places, same=same) for places in zip(*orders, strict=True))
    form = first.form if same or json else "cells"
    return Sources(tuple(raws), names, columns, form, starts, numbers, faults)


def order_of(headers: Sequence[str], wanted: Sequence[str]) -> list[int | None]:
    """Where each wanted header stands among those of a source, None nowhere.

    Headers may be empty, and then alike: each stands at its own place if it can, and no place is
    taken twice.
    """
    pairs = zip(headers, wanted, strict=False)
    same = {at for at, (header, name) in enumerate(pairs) if header == name}
    rest: dict[str, list[int]] = {}
    for at in reversed(range(len(headers))):
        if at not in same:
            rest.setdefault(headers[at], []).append(at)
    return [
        at if at in same else (rest[name].pop() if rest.get(name) else None)
        for at, name in enumerate(wanted)
    ]


def _joined(raws: Sequence[Raw], places: Sequence[int | None], *, same: bool) -> Column:
    """One column of all sources, from its place in each."""
    parts: list[Column] = [
        [ABSENT] * len(raw) if at is None else raw.columns[at]
        for raw, at in zip(raws, places, strict=True)
    ]
    arrays = [part for part in parts if isinstance(part, pa.ChunkedArray)]
    types = {array.type for array in arrays}
    if same and len(arrays) == len(parts) and len(types) == 1:
        return pa.chunked_array([chunk for array in arrays for chunk in array.chunks], types.pop())
    cells: list[object] = []
    for part in parts:
        cells += part if isinstance(part, list) else part.to_pylist()
    return cells
