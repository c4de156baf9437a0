"""JSON lines and JSON → `Raw`: values kept as they are, columns in order of first appearance."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import numpy as np

from grouper.errors import DataFileError, RecordError
from grouper.records.raw import Raw
from grouper.records.user import ABSENT
from grouper.sheet import decode


def read_json(
    data: bytes, name: str, path: str, *, lines: bool, encoding: str | None = None
) -> Raw:
    """One object a line, or one JSON list of objects (or a single object).

    A line that holds no object keeps its place, with a fault. Numbers stay exact. Raises
    DataFileError (DF132, DF133, DF135), RecordError (RE17).
    """
    decoded = decode(data, name, encoding=encoding)
    faults: dict[int, str] = {}
    records: list[Mapping[str, object]] = []
    numbers: list[int] = []
    pairs = _lines(decoded.text) if lines else _whole(decoded.text, name)
    for number, record in pairs:
        fault = "encoding" if lines and number in decoded.broken else ""
        if not isinstance(record, dict) or fault:
            faults[len(records)] = fault or "json"
            record = {}
        records.append(record)
        numbers.append(number)
    if not records:
        raise RecordError("RE17", name, path=name)
    names = tuple(dict.fromkeys(key for record in records for key in record))
    columns = tuple([record.get(key, ABSENT) for record in records] for key in names)
    facts = {"encoding": decoded.encoding}
    return Raw(
        name, path, "json", names, columns, np.array(numbers, np.int64), faults=faults, facts=facts
    )


def _lines(text: str) -> Iterator[tuple[int, object]]:
    # not splitlines(): U+2028 and its kind are ordinary characters inside JSON strings
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield number, _loads(line)
            except (ValueError, RecursionError):
                yield number, None


def _whole(text: str, name: str) -> Iterator[tuple[int, object]]:
    try:
        document = _loads(text)
    except (ValueError, RecursionError) as error:
        raise DataFileError("DF135", name, path=name, detail=error) from None
    records = document if isinstance(document, list) else [document]
    yield from enumerate(records, 1)


def _loads(text: str) -> Any:
    return json.loads(text, parse_float=Decimal, parse_constant=_refuse)


def _refuse(text: str) -> None:
    raise ValueError(text)
