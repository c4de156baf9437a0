"""Text columns without a Python string a row: distinct texts with an index, or Arrow's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from grouper.records import _cells


class Strings(NamedTuple):
    """Arrow's text buffers: text i is `data[offsets[i]:offsets[i + 1]]`, n + 1 int32 offsets."""

    offsets: NDArray[np.int32]
    data: NDArray[np.uint8]


def strings_of(texts: pa.Array) -> Strings | None:
    """The buffers of an array of text, nulls as ""; None for any other type."""
    if pa.types.is_large_string(texts.type) and texts.nbytes < 1 << 31:
        texts = texts.cast(pa.string())
    if not pa.types.is_string(texts.type):
        return None
    if texts.null_count:
        texts = pc.fill_null(texts, "")
    _, offsets, data = texts.buffers()
    first, last = texts.offset, texts.offset + len(texts) + 1
    if offsets is None or not offsets.size:
        return Strings(np.zeros(1, np.int32), np.zeros(0, np.uint8))
    letters = np.frombuffer(data, np.uint8) if data else np.zeros(0, np.uint8)
    return Strings(np.frombuffer(offsets, np.int32)[first:last], letters)


@dataclass(frozen=True, slots=True)
class Texts(Sequence[str]):
    """n texts: text i is `values[which[i]]`."""

    values: Sequence[str]
    which: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.which)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> Texts: ...
    def __getitem__(self, at: int | slice) -> str | Texts:
        if isinstance(at, slice):
            return Texts(self.values, self.which[at])
        return self.values[int(self.which[at])]

    def __iter__(self) -> Iterator[str]:
        values = self.values
        return (values[k] for k in self.which.tolist())


@dataclass(frozen=True, slots=True)
class ArrowTexts(Sequence[str]):
    """n texts as an Arrow array without nulls."""

    array: pa.Array

    def __len__(self) -> int:
        return len(self.array)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> ArrowTexts: ...
    def __getitem__(self, at: int | slice) -> str | ArrowTexts:
        found = self.array[at]
        return ArrowTexts(found) if isinstance(at, slice) else str(found.as_py())

    def __iter__(self) -> Iterator[str]:
        return iter(self.array.to_pylist())


_NONE = np.zeros(0, np.uint64)


def fingerprints(texts: Sequence[str]) -> NDArray[np.uint64]:
    """A number for each text, equal for equal texts; 0 for an empty one.

    A random linear form of its bytes modulo 2**64: two of five million different texts meet with
    a probability below 1 in 1,000.
    """
    strings = strings_of(texts.array if isinstance(texts, ArrowTexts) else _arrow(texts))
    if strings is None or not len(texts):
        return _NONE
    longest = int(np.diff(strings.offsets).max())
    found = np.empty(len(texts), np.uint64)
    _cells.fingerprints(strings.offsets, strings.data, _scrambled(longest + 1), found)
    return found


def _arrow(texts: Sequence[str]) -> pa.Array:
    return pa.array(texts if isinstance(texts, list | tuple) else list(texts), pa.string())


def _scrambled(count: int) -> NDArray[np.uint64]:
    """Fixed random-looking numbers (the finisher of SplitMix64)."""
    z = (np.arange(count, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
