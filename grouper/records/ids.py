"""The id of every row: a column of its own, or what else tells rows apart."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from grouper.records import _cells, values
from grouper.records.cells import one_array
from grouper.records.scalars import Rest, Scalars, list_array, rest_of
from grouper.records.textcolumn import ArrowTexts, strings_of
from grouper.records.values import Value

#: columns that may tell rows apart
KEYS = ("id", "record_no", "stay_no", "settlement_id", "encounter_id")


def case_ids(scalars: Scalars) -> Sequence[str]:
    """The id of each row: `id`, else record number and number of the stay, else another key.

    Without any such column the row numbers serve. RE01: nothing there; RE07: digits lost.
    """
    given = [name for name in KEYS if name in scalars.mapping.scalars]
    if not given:
        return ArrowTexts(pa.array(scalars.table.numbers).cast(pa.string()))
    ids = _plain_ids(scalars) if given == ["id"] else None
    if ids is None:
        ids = _combined_ids(scalars, given)
    return ids


def exact_ids(scalars: Scalars) -> Sequence[str]:
    """The column `id` as it stands."""
    column = scalars.column("id")
    if column is not None and not isinstance(column, list):
        array = one_array(column)
        if pa.types.is_string(array.type):
            return ArrowTexts(pc.fill_null(array, ""))
    return scalars.texts("id", exact=True)


def _plain_ids(scalars: Scalars) -> Sequence[str] | None:
    """The ids of a column of text, where only odd cells become Python strings."""
    column = scalars.column("id")
    if column is None:
        return None
    array = list_array(column) if isinstance(column, list) else one_array(column)
    strings = None if array is None else strings_of(array)
    if array is None or strings is None:
        return None
    odd = np.empty(len(array), np.int32)
    rows = odd[: _cells.odd_texts(*strings, odd)]
    array = pc.fill_null(array, "")
    if not len(rows):
        return ArrowTexts(array)
    rest = rest_of(column, rows)
    texts = [values.known_text(value) for value in rest.cells.values]
    mask = np.zeros(len(array), bool)
    mask[rows] = True
    replaced = pa.array(texts, array.type).take(pa.array(rest.cells.index))
    array = pc.replace_with_mask(array, pa.array(mask), replaced)
    empty = np.zeros(len(array), bool)
    empty[rows] = np.array([not text for text in texts], bool)[rest.cells.index]
    _reject_empty(scalars, empty)
    _lost_digits(scalars, rest)
    return ArrowTexts(array)


def _combined_ids(scalars: Scalars, given: Sequence[str]) -> Sequence[str]:
    """The first of several keys that a row has."""
    ids = list(scalars.texts("id", exact=False))
    if "record_no" in given:
        visits = scalars.texts("visit_no", exact=False)
        records = scalars.texts("record_no", exact=False)
        pairs = zip(ids, records, visits, strict=True)
        ids = [i or (f"{r}_{v}" if r and v else r) for i, r, v in pairs]
    for name in KEYS[2:]:
        if name in given:
            ids = [i or j for i, j in zip(ids, scalars.texts(name, exact=False), strict=True)]
    _reject_empty(scalars, np.array([not text for text in ids], bool))
    cells = scalars.cells("id")
    if cells is not None:
        _lost_digits(scalars, Rest(cells, slice(None)))
    return ids


def _reject_empty(scalars: Scalars, empty: NDArray[np.bool_]) -> None:
    if empty.any():
        for at in np.flatnonzero(empty)[:100].tolist():
            scalars.findings.add("RE01", scalars.table.where(at))
        scalars.findings.counts["RE01"] = int(empty.sum())
        scalars.reject_rows("RE01", empty)


def _lost_digits(scalars: Scalars, rest: Rest) -> None:
    whole, lost = Value(0), Value(0, bad="RE07")
    scalars.report("id", rest, [lost if _is_damaged(v) else whole for v in rest.cells.values])


def _is_damaged(value: object) -> bool:
    """Whether an id went through a binary number of 15 digits, or was shown with an exponent."""
    if isinstance(value, float):
        return abs(value) >= 1e15
    if not isinstance(value, str) or "+" not in value or "E+" not in value.upper():
        return False
    number = values.number_of(value)
    return number is not None and number >= Decimal(1000)
