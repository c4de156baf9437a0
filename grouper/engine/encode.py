"""Spellings -> ids of a compiled scheme: once for each distinct spelling, not for each row.

Codes that the scheme does not know become id 0. Nothing is cleaned or repaired here: grouping
takes codes as they stand, cleaning is the readers' work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grouper.errors import RecordError
from grouper.records.batch import CaseBatch, CodeColumn
from grouper.scheme.compile import CompiledScheme


@dataclass(frozen=True, slots=True)
class EncodedBatch:
    """A batch as the kernel takes it: ids and offsets, numbers shared with the batch."""

    dx: NDArray[np.uint32]
    dx_offsets: NDArray[np.int32]
    px: NDArray[np.uint32]
    px_offsets: NDArray[np.int32]
    batch: CaseBatch

    def __len__(self) -> int:
        return len(self.batch)


def encode(batch: CaseBatch, compiled: CompiledScheme) -> EncodedBatch:
    """Ids for every code of a batch. Raises RecordError (RE20) when columns do not fit together."""
    n = len(batch)
    _check_scalars(batch, n)
    dx = _encode_column(batch.dx, compiled.vocabulary.dx_ids, n, "dx")
    px = _encode_column(batch.px, compiled.vocabulary.px_ids, n, "px")
    return EncodedBatch(dx, batch.dx.offsets, px, batch.px.offsets, batch)


def _encode_column(
    column: CodeColumn, ids: Mapping[str, int], n: int, name: str
) -> NDArray[np.uint32]:
    offsets, index = column.offsets, column.index
    # the kernel does not check bounds: here is where it is proved that it need not
    if (
        len(offsets) != n + 1
        or offsets[0] != 0
        or offsets[-1] != len(index)
        or bool((offsets[1:] < offsets[:-1]).any())
    ):
        raise RecordError("RE20", name, what="offsets")
    if len(index) and (int(index.min()) < 0 or int(index.max()) >= len(column.texts)):
        raise RecordError("RE20", name, what="index")
    known = np.fromiter((ids.get(text, 0) for text in column.texts), np.uint32, len(column.texts))
    return np.take(known, index) if len(index) else np.zeros(0, np.uint32)


def _check_scalars(batch: CaseBatch, n: int) -> None:
    for name in (
        "sex",
        "age_years",
        "age_days",
        "admission_weight",
        "los_days",
        "discharge_disposition",
        "icu_hours",
        "reject",
    ):
        if len(getattr(batch, name)) != n:
            raise RecordError("RE20", name, what="length")
