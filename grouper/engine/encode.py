"""Spellings -> ids of a compiled scheme: once for each distinct spelling, not for each row.

Codes that the scheme does not know become id 0. Nothing is cleaned or repaired here: grouping
takes codes as they stand, cleaning is the readers' work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from grouper.errors import RecordError
from grouper.records.batch import CaseBatch, CodeColumn
from grouper.records.spellings import Vocabulary
from grouper.scheme.compile import CompiledScheme

_SCALARS = (
    "sex",
    "age_years",
    "age_days",
    "admission_weight",
    "los_days",
    "discharge_disposition",
    "icu_hours",
    "reject",
)


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


class Encoder:
    """From the codes of batches to the ids of one compiled scheme."""

    def __init__(self, compiled: CompiledScheme) -> None:
        vocabulary = compiled.vocabulary
        self._ids = {"dx": vocabulary.dx_ids, "px": vocabulary.px_ids}
        self._known: WeakKeyDictionary[Vocabulary, NDArray[np.uint32]] = WeakKeyDictionary()

    def encode(self, batch: CaseBatch) -> EncodedBatch:
        """Ids for every code of a batch. Raises RecordError (RE20) if columns do not fit."""
        n = len(batch)
        check_scalars(batch, _SCALARS)
        dx = _encode_column(batch.dx, self._ids_of(batch.dx.texts, "dx"), n, "dx")
        px = _encode_column(batch.px, self._ids_of(batch.px.texts, "px"), n, "px")
        return EncodedBatch(dx, batch.dx.offsets, px, batch.px.offsets, batch)

    def _ids_of(self, texts: Sequence[str], kind: str) -> NDArray[np.uint32]:
        """The id of each distinct code.

        A vocabulary only grows, and holds codes of one kind: its texts are looked up once.
        """
        if not isinstance(texts, Vocabulary):
            return _looked_up(texts, self._ids[kind])
        known = self._known.get(texts, np.zeros(0, np.uint32))
        if len(known) < len(texts):
            # two threads may both do so: they find the same
            more = _looked_up(texts[len(known) :], self._ids[kind])
            known = self._known[texts] = np.concatenate([known, more])
        return known


def _looked_up(texts: Sequence[str], ids: Mapping[str, int]) -> NDArray[np.uint32]:
    return np.fromiter((ids.get(text, 0) for text in texts), np.uint32, len(texts))


def _encode_column(
    column: CodeColumn, known: NDArray[np.uint32], n: int, name: str
) -> NDArray[np.uint32]:
    check_column(column, len(known), n, name)
    return np.take(known, column.index) if len(column.index) else np.zeros(0, np.uint32)


def check_column(column: CodeColumn, spellings: int, n: int, name: str) -> None:
    """Prove that kernels, which check no bounds, need not. Raises RecordError (RE20)."""
    offsets, index = column.offsets, column.index
    if (
        len(offsets) != n + 1
        or offsets[0] != 0
        or offsets[-1] != len(index)
        or bool((offsets[1:] < offsets[:-1]).any())
    ):
        raise RecordError("RE20", name, what="offsets")
    if len(index) and (int(index.min()) < 0 or int(index.max()) >= spellings):
        raise RecordError("RE20", name, what="index")


def check_scalars(batch: CaseBatch, names: Sequence[str]) -> None:
    """The same of columns of numbers. Raises RecordError (RE20)."""
    for name in names:
        if len(getattr(batch, name)) != len(batch):
            raise RecordError("RE20", name, what="length")
