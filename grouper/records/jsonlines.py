"""JSON lines and JSON → `Raw`: values kept as they are, columns in order of first appearance."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from grouper.errors import DataFileError, RecordError
from grouper.records.raw import Raw
from grouper.records.user import ABSENT, Column
from grouper.sheet import Decoded, decode

#: records turned into columns at a time: millions of objects alive at once are slow
_CHUNK = 20_000
_TEXT_LIST = pa.list_(pa.string())


def read_json(
    data: bytes, name: str, path: str, *, lines: bool, encoding: str | None = None
) -> Raw:
    """One object a line, or one JSON list of objects (or a single object).

    A line that holds no object keeps its place, with a fault. Numbers stay exact. Raises
    DataFileError (DF132, DF133, DF135), RecordError (RE17).
    """
    decoded = decode(data, name, encoding=encoding)
    table = _Columns()
    if lines:
        _add_lines(table, decoded)
    else:
        records = _document(decoded.text, name)
        for start in range(0, len(records), _CHUNK):
            chunk = records[start : start + _CHUNK]
            table.add(chunk, range(start + 1, start + len(chunk) + 1))
    if not table.numbers:
        raise RecordError("RE17", name, path=name)
    names, columns = table.finished()
    return Raw(
        name,
        path,
        "json",
        names,
        columns,
        np.array(table.numbers, np.int64),
        faults=table.faults,
        facts={"encoding": decoded.encoding},
    )


class _Columns:
    """Columns that grow by chunks of records."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.faults: dict[int, str] = {}
        self._parts: dict[str, list[tuple[int, Column]]] = {}

    def add(
        self,
        records: Sequence[object],
        numbers: Sequence[int],
        broken: frozenset[int] = frozenset(),
    ) -> None:
        """Records and their line numbers; what is no object, or stands on a broken line, faults."""
        start = len(self.numbers)
        sound: list[Mapping[str, object]] = []
        for at, (record, number) in enumerate(zip(records, numbers, strict=True), start):
            if not isinstance(record, dict) or number in broken:
                self.faults[at] = "encoding" if number in broken else "json"
                record = {}
            sound.append(record)
        self.numbers += numbers
        for key, column in _transposed(sound).items():
            self._parts.setdefault(key, []).append((start, column))

    def finished(self) -> tuple[tuple[str, ...], tuple[Column, ...]]:
        """The names and whole columns; records without a key have ABSENT there."""
        n = len(self.numbers)
        columns = tuple(_whole(parts, n) for parts in self._parts.values())
        return tuple(self._parts), columns


def _transposed(records: list[Mapping[str, object]]) -> dict[str, Column]:
    """A chunk of records as columns."""
    shapes = {tuple(record) for record in records}
    if len(shapes) == 1:
        # all have the same keys in the same order: no look-up a value
        cells = zip(*(record.values() for record in records), strict=True)
        return {key: _compact(list(c)) for key, c in zip(shapes.pop(), cells, strict=True)}
    keys = dict.fromkeys(key for record in records for key in record)
    return {key: _compact([record.get(key, ABSENT) for record in records]) for key in keys}


def _compact(cells: list[object]) -> Column:
    """Cells as Arrow where that keeps every value as it is; else the list itself."""
    kinds = set(map(type, cells))
    try:
        if kinds <= {str, type(None)} and str in kinds:
            return pa.chunked_array([pa.array(cells, pa.string())])
        if kinds <= {int, type(None)} and int in kinds:
            return pa.chunked_array([pa.array(cells, pa.int64())])
        if kinds == {list} and {type(each) for cell in cells for each in cell} <= {str}:  # type: ignore[attr-defined]
            return pa.chunked_array([pa.array(cells, _TEXT_LIST)])
    except (pa.ArrowException, OverflowError, UnicodeEncodeError):
        return cells
    return cells


def _whole(parts: Sequence[tuple[int, Column]], n: int) -> Column:
    """One column of length n from its chunks; (start, chunk) may leave holes."""
    covered = sum(len(column) for _, column in parts)
    arrays = [column for _, column in parts if isinstance(column, pa.ChunkedArray)]
    if covered == n and len(arrays) == len(parts) and len({array.type for array in arrays}) == 1:
        return pa.chunked_array([chunk for array in arrays for chunk in array.chunks])
    cells: list[object] = [ABSENT] * n
    for start, column in parts:
        values = column if isinstance(column, list) else column.to_pylist()
        cells[start : start + len(values)] = values
    return cells


def _add_lines(table: _Columns, decoded: Decoded) -> None:
    # not splitlines(): U+2028 and its kind are ordinary characters inside JSON strings
    lines = decoded.text.split("\n")
    filled = [number for number, line in enumerate(lines, 1) if line and not line.isspace()]
    for start in range(0, len(filled), _CHUNK):
        numbers = filled[start : start + _CHUNK]
        table.add(_parsed([lines[n - 1] for n in numbers]), numbers, decoded.broken)


def keys_of(lines: list[str]) -> list[str]:
    """The keys of the objects on some lines, in order of first appearance."""
    shapes = dict.fromkeys(tuple(each) for each in _parsed(lines) if isinstance(each, dict))
    return list(dict.fromkeys(key for shape in shapes for key in shape))


def _parsed(lines: list[str]) -> list[object]:
    """The value on each line, None where there is none."""
    try:
        # one call for many lines is faster; a wrong line makes it fail or changes the count
        values: list[object] = _loads(f"[{','.join(lines)}]")
    except (ValueError, RecursionError):
        values = []
    return values if len(values) == len(lines) else [_value(line) for line in lines]


def _value(line: str) -> object:
    try:
        return _loads(line)
    except (ValueError, RecursionError):
        return None


def _document(text: str, name: str) -> list[object]:
    try:
        document = _loads(text)
    except (ValueError, RecursionError) as error:
        raise DataFileError("DF135", name, path=name, detail=error) from None
    return document if isinstance(document, list) else [document]


def _loads(text: str) -> Any:
    return json.loads(text, parse_float=Decimal, parse_constant=_refuse)


def _refuse(text: str) -> None:
    raise ValueError(text)
