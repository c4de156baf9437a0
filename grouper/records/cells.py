"""Columns as distinct cells and an index, so that every spelling is looked at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from grouper.records.batch import MISSING_FEN
from grouper.records.spellings import Known, Spellings
from grouper.records.textcolumn import Strings, strings_of
from grouper.records.user import ABSENT, Column
from grouper.records.values import cell_text

#: types whose values are equal to those of others, or cannot be looked up
_UNSAFE = frozenset({bool, list, dict})


@dataclass(frozen=True, slots=True)
class Cells:
    """A column of n cells: cell i is `values[index[i]]`; None = nothing there."""

    values: Sequence[object]
    index: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Slots:
    """Lists of cells: cell k of row i is `values[index[offsets[i] + k]]`.

    known: the state of the spellings whose numbers `index` holds; without it `values` are the
    distinct cells, None = an empty slot. alone: a slot is a column, and may be there though empty.
    """

    values: Sequence[object]
    index: NDArray[np.int32]
    offsets: NDArray[np.int32]
    known: Known | None = None
    alone: bool = False

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
    if pa.types.is_dictionary(column.type) and str(column.type.value_type) == "string_view":
        # Arrow casts the texts, but not the column
        kind = pa.dictionary(column.type.index_type, pa.string())
        column = pa.chunked_array([_of_texts(chunk) for chunk in column.chunks], kind)
    if is_list(column.type) and str(column.type.value_type) == "string_view":
        column = column.cast(pa.list_(pa.string()))
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _of_texts(chunk: pa.DictionaryArray) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(chunk.indices, chunk.dictionary.cast(pa.string()))


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


def slots_of(
    columns: Sequence[Column], separators: Sequence[str | None], spellings: Spellings
) -> Slots:
    """Columns of codes as one list of slots a row, in the order of the columns.

    A list has one slot an element. A text is split at its column's separator, else it is one slot;
    an empty text has none when it is split, and one empty slot when it is not.
    """
    arrays = [_code_array(column) for column in columns]
    spelled = _all_spelled(arrays, separators, spellings)
    if spelled is not None:
        return spelled
    pairs = zip(columns, separators, strict=True)
    return side_by_side([_cell_slots(column, separator) for column, separator in pairs])


def _code_array(column: Column) -> pa.Array | None:
    """A column of codes as one array, None if it holds other things than text."""
    if not isinstance(column, list):
        return one_array(column)
    if not set(map(type, column)) <= {str, type(None)}:
        return None
    return pa.array(column, pa.string())


def _all_spelled(
    arrays: Sequence[pa.Array | None], separators: Sequence[str | None], spellings: Spellings
) -> Slots | None:
    """The slots by numbers of spellings; None if only a closer look can tell what cells are."""
    found: list[Slots] = []
    for array, separator in zip(arrays, separators, strict=True):
        slots = None if array is None else _spelled(array, separator, spellings)
        if slots is None:
            return None
        found.append(slots)
    if len({slots.alone for slots in found}) > 1 and spellings.verbatim:
        # an empty column at the end is no code, an empty element is one
        return None
    # the state after the last column knows what the earlier ones met
    known = found[-1].known
    if all(slots.alone for slots in found):
        return Slots((), *_in_turn([slots.index for slots in found]), known, True)
    index, offsets = _interleaved([(slots.index, slots.offsets) for slots in found])
    return Slots((), index, offsets, known)


def _spelled(array: pa.Array, separator: str | None, spellings: Spellings) -> Slots | None:
    """One column by numbers of spellings."""
    if pa.types.is_dictionary(array.type):
        return _spelled_dictionary(array, separator, spellings)
    if is_list(array.type):
        if array.null_count:
            array = pc.fill_null(array, pa.scalar([], array.type))
        texts = array.flatten()
        strings = None if texts.null_count else strings_of(texts)
        if strings is None:
            return None
        found = _numbered(strings, spellings)
        if found is None:
            return None
        starts = np.asarray(array.offsets)
        return Slots((), found[0], (starts - starts[0]).astype(np.int32), found[1])
    strings = strings_of(array)
    if strings is None:
        return None
    if separator is None:
        found = _numbered(strings, spellings)
        if found is None:
            return None
        return Slots((), found[0], _one_each(len(array)), found[1], True)
    if len(separator) > 1 or not separator.isascii():
        split = pc.split_pattern(pc.if_else(pc.equal(array, ""), None, array), separator)
        return _spelled(split, None, spellings)
    return _split(strings, separator, spellings)


def _spelled_dictionary(
    array: pa.DictionaryArray, separator: str | None, spellings: Spellings
) -> Slots | None:
    """Each distinct text is looked up once, and the rows follow by one indexed take."""
    if array.null_count or array.dictionary.null_count or len(array) < len(array.dictionary):
        return _spelled(array.cast(array.type.value_type), separator, spellings)
    once = _spelled(array.dictionary, separator, spellings)
    if once is None:
        return None
    index = array.indices.to_numpy(zero_copy_only=False)
    if once.alone:
        return Slots((), once.index[index], _one_each(len(array)), once.known, True)
    counts = np.diff(once.offsets)[index]
    offsets = np.zeros(len(array) + 1, np.int32)
    np.cumsum(counts, out=offsets[1:])
    place = np.arange(offsets[-1]) - np.repeat(offsets[:-1] - once.offsets[index], counts)
    return Slots((), once.index[place], offsets, once.known)


def _numbered(strings: Strings, spellings: Spellings) -> tuple[NDArray[np.int32], Known] | None:
    """The number of each text's spelling; new ones are learnt."""
    known = spellings.known
    ids, missed = known.table.each(strings.offsets, strings.data)
    if len(missed):
        begins, ends = strings.offsets[missed], strings.offsets[missed + 1]
        texts = _texts_at(strings.data, begins, ends)
        learnt = spellings.learn(texts)
        if learnt is None:
            return None
        known = learnt
        ids[missed] = [known.texts.number(text) for text in texts]
    return ids, known


def _split(strings: Strings, separator: str, spellings: Spellings) -> Slots | None:
    """Joined texts by numbers of spellings."""
    known = spellings.known
    ids, offsets, begins, missed = known.table.split(strings.offsets, strings.data, ord(separator))
    if len(missed):
        rows = np.searchsorted(offsets, missed, side="right") - 1
        last = missed + 1 == offsets[rows + 1]
        following = begins[np.minimum(missed + 1, len(begins) - 1)] - 1
        ends = np.where(last, strings.offsets[rows + 1], following)
        texts = _texts_at(strings.data, begins[missed], ends)
        learnt = spellings.learn(texts)
        if learnt is None:
            return None
        known = learnt
        ids[missed] = [known.texts.number(text) for text in texts]
    return Slots((), ids, offsets, known)


def _texts_at(
    data: NDArray[np.uint8], begins: NDArray[np.int32], ends: NDArray[np.int32]
) -> list[str]:
    pairs = zip(begins.tolist(), ends.tolist(), strict=True)
    return [data[begin:end].tobytes().decode() for begin, end in pairs]


def _cell_slots(column: Column, separator: str | None) -> Slots:
    """A column of codes as slots of its distinct cells, whatever these are."""
    if isinstance(column, list):
        if not set(map(type, column)) <= {str, type(None)}:
            return _python_slots(column, separator)
        column = pa.chunked_array([pa.array(column, pa.string())])
    values = one_array(column)
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if is_list(values.type):
        return _list_slots(values)
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        if separator is not None:
            split = pc.split_pattern(pc.if_else(pc.equal(values, ""), None, values), separator)
            return _list_slots(split)
        values = pc.if_else(pc.equal(values, ""), None, values)
    distinct, index = _encoded(values)
    return Slots(distinct, index, np.arange(len(index) + 1, dtype=np.int32))


def is_list(kind: pa.DataType) -> bool:
    """Whether a type is a list of any length."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _list_slots(lists: pa.Array) -> Slots:
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    offsets = np.zeros(len(lists) + 1, np.int32)
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
    offsets = np.zeros(len(lists) + 1, np.int32)
    np.cumsum([len(cells) for cells in lists], out=offsets[1:])
    return Slots(*_distinct(list(chain.from_iterable(lists))), offsets)


def side_by_side(parts: Sequence[Slots]) -> Slots:
    """The slots of several columns as one list a row, in the order of the columns."""
    if len(parts) == 1:
        return parts[0]
    places: dict[tuple[type, object], int] = {}
    lists = []
    for part in parts:
        known = [places.setdefault((type(v), v), len(places)) for v in part.values]
        lists.append((np.array(known, np.int32)[part.index], part.offsets))
    return Slots([value for _, value in places], *_interleaved(lists))


def _one_each(n: int) -> NDArray[np.int32]:
    """The offsets of lists of one element each."""
    return np.arange(n + 1, dtype=np.int32)


def _in_turn(
    columns: Sequence[NDArray[np.int32]],
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """One element of each column a row: index and offsets."""
    index = np.stack(columns, axis=1).reshape(-1)
    return index, _one_each(len(columns[0])) * np.int32(len(columns))


def _interleaved(
    parts: Sequence[tuple[NDArray[np.int32], NDArray[np.int32]]],
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Several lists a row, each (index, offsets), as one."""
    if len(parts) == 1:
        return parts[0]
    n = len(parts[0][1]) - 1
    counts = [np.diff(offsets) for _, offsets in parts]
    offsets = np.zeros(n + 1, np.int32)
    np.cumsum(sum(counts), out=offsets[1:])
    joined = np.empty(int(offsets[-1]), np.int32)
    start = offsets[:-1].copy()
    for (index, own), count in zip(parts, counts, strict=True):
        within = np.arange(len(index)) - np.repeat(own[:-1], count)
        joined[np.repeat(start, count) + within] = index
        start += count
    return joined, offsets


_YUAN = pa.decimal128(18, 2)


def plain_fen(column: Column) -> NDArray[np.int64] | None:
    """The fen of a column of decimals with two places, None for any other column.

    Empty cells are MISSING_FEN.
    """
    if isinstance(column, list):
        return _listed_fen(column)
    if not pa.types.is_decimal(column.type) or column.type.scale != 2:
        return None
    cells = one_array(column)
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
