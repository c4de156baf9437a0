"""Columns as distinct cells and an index, so that every spelling is looked at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from grouper.records.batch import MISSING_FEN
from grouper.records.user import ABSENT, Column
from grouper.records.values import cell_text

#: types whose values are equal to those of others, or cannot be looked up
_UNSAFE = frozenset({bool, list, dict})


@dataclass(frozen=True, slots=True)
class Cells:
    """A column of n cells: cell i is `values[index[i]]`; None = nothing there."""

    values: Sequence[object]
    index: NDArray[np.int32]

    def take(self, results: Sequence[int], dtype: type[np.generic]) -> NDArray[np.generic]:
        """One number a row from one number a distinct value."""
        return np.array(results, dtype)[self.index]

    def rows(self, of: Sequence[bool] | NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The rows whose distinct value is marked."""
        return np.asarray(of, bool)[self.index]

    def map(self, function: Callable[[object], object]) -> list[object]:
        """The result for each row of a function of its cell."""
        results = [function(value) for value in self.values]
        return [results[k] for k in self.index.tolist()]


@dataclass(frozen=True, slots=True)
class Slots:
    """Lists of cells: cell k of row i is `values[index[offsets[i] + k]]`; None = an empty slot."""

    values: Sequence[object]
    index: NDArray[np.int32]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1


def cells_of(column: Column) -> Cells:
    """A column as distinct cells, nulls and absent keys as None."""
    if isinstance(column, list):
        return Cells(*_distinct(column))
    return Cells(*_encoded(one_array(column)))


def one_array(column: pa.ChunkedArray) -> pa.Array:
    """A column as one array, of text where other libraries hand over views of text."""
    if str(column.type) == "string_view":
        column = column.cast(pa.string())
    if _is_list(column.type) and str(column.type.value_type) == "string_view":
        column = column.cast(pa.list_(pa.string()))
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _encoded(values: pa.Array) -> tuple[list[object], NDArray[np.int32]]:
    if not pa.types.is_dictionary(values.type):
        try:
            values = values.dictionary_encode(null_encoding="mask")
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
            return _distinct(values.to_pylist())
    distinct = [*values.dictionary.to_pylist(), None]
    index = pc.fill_null(values.indices.cast(pa.int32()), len(distinct) - 1)
    return distinct, index.to_numpy(zero_copy_only=False).astype(np.int32, copy=False)


def _distinct(cells: Sequence[object]) -> tuple[list[object], NDArray[np.int32]]:
    """Distinct Python values, ABSENT as None."""
    kinds = set(map(type, cells))
    if kinds.isdisjoint(_UNSAFE):
        places = {value: at for at, value in enumerate(dict.fromkeys(cells))}
        index = np.fromiter(map(places.__getitem__, cells), np.int32, len(cells))
        return [None if value is ABSENT else value for value in places], index
    # the type counts, for 1 == True; structures have no hash
    typed: dict[tuple[type, object], int] = {}
    index = np.empty(len(cells), np.int32)
    for i, cell in enumerate(cells):
        value = None if cell is ABSENT else cell
        if isinstance(value, list | dict):
            value = cell_text(value)
        index[i] = typed.setdefault((type(value), value), len(typed))
    return [value for _, value in typed], index


def slots_of(column: Column, *, separator: str | None = None) -> Slots:
    """A column of codes as slots.

    A list has one slot an element. A text is split at `separator`, else it is one slot; an empty
    text has none when it is split, and one empty slot when the column is one of several.
    """
    if isinstance(column, list):
        if not set(map(type, column)) <= {str, type(None)}:
            return _python_slots(column, separator)
        column = pa.chunked_array([pa.array(column, pa.string())])
    values = one_array(column)
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if _is_list(values.type):
        return _list_slots(values)
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        if separator is not None:
            split = pc.split_pattern(pc.if_else(pc.equal(values, ""), None, values), separator)
            return _list_slots(split)
        values = pc.if_else(pc.equal(values, ""), None, values)
    distinct, index = _encoded(values)
    return Slots(distinct, index, np.arange(len(index) + 1, dtype=np.int64))


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _list_slots(lists: pa.Array) -> Slots:
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    offsets = np.zeros(len(lists) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return Slots(*_encoded(pc.list_flatten(lists)), offsets)


def _python_slots(column: Sequence[object], separator: str | None) -> Slots:
    lists: list[list[object]] = []
    if set(map(type, column)) == {list}:
        lists = list(column)  # type: ignore[arg-type]
        column = ()
    for cell in column:
        if isinstance(cell, list | tuple):
            lists.append(list(cell))
        elif separator is None:
            lists.append([None if cell in ("", ABSENT) else cell])
        elif cell is None or cell is ABSENT or cell == "":
            lists.append([])
        else:
            lists.append(list(cell.split(separator)) if isinstance(cell, str) else [cell])
    offsets = np.zeros(len(lists) + 1, np.int64)
    np.cumsum([len(cells) for cells in lists], out=offsets[1:])
    return Slots(*_distinct(list(chain.from_iterable(lists))), offsets)


def side_by_side(parts: Sequence[Slots]) -> Slots:
    """The slots of several columns as one list a row, in the order of the columns."""
    if len(parts) == 1:
        return parts[0]
    places: dict[tuple[type, object], int] = {}
    counts = [np.diff(part.offsets) for part in parts]
    offsets = np.zeros(len(parts[0]) + 1, np.int64)
    np.cumsum(sum(counts), out=offsets[1:])
    index = np.empty(int(offsets[-1]), np.int32)
    start = offsets[:-1].copy()
    for part, count in zip(parts, counts, strict=True):
        known = [places.setdefault((type(v), v), len(places)) for v in part.values]
        within = np.arange(len(part.index)) - np.repeat(part.offsets[:-1], count)
        index[np.repeat(start, count) + within] = np.array(known, np.int32)[part.index]
        start += count
    return Slots([value for _, value in places], index, offsets)


#: amounts that need no cleaning: up to 15 digits, at most two decimals
_PLAIN = r"^[0-9]{1,15}(\.[0-9]{1,2})?$"
_YUAN = pa.decimal128(18, 2)


def plain_fen(column: Column) -> NDArray[np.int64] | None:
    """The fen of a column in which every filled cell is a plain amount, None for any other column.

    Empty cells are MISSING_FEN.
    """
    if isinstance(column, list):
        return _listed_fen(column)
    cells = one_array(column)
    if pa.types.is_string(cells.type):
        cells = pc.if_else(pc.equal(cells, ""), None, cells)
        if not pc.all(pc.match_substring_regex(cells, _PLAIN)).as_py():
            return None
    elif not pa.types.is_decimal(cells.type) or cells.type.scale != 2:
        return None
    try:
        fen = pc.multiply(cells.cast(_YUAN), pa.scalar(100, pa.int8())).cast(pa.int64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    if pc.any(pc.less(fen, 0)).as_py():
        return None
    filled: NDArray[np.int64] = pc.fill_null(fen, MISSING_FEN).to_numpy(zero_copy_only=False)
    return filled


def _listed_fen(column: list[object]) -> NDArray[np.int64] | None:
    if not set(map(type, column)) <= {Decimal, int, type(None), type(ABSENT)}:
        return None
    cells = [None if cell is ABSENT else cell for cell in column]
    try:
        return plain_fen(pa.chunked_array([pa.array(cells, _YUAN)]))
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return None
