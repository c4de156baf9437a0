"""Any column as text, as JSON values, or as an Arrow column: what the writers share."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from grouper.records.user import ABSENT, Column
from grouper.records.values import cell_text

#: how the elements of a list are joined in a cell
JOINER = "|"


def text_column(column: Column) -> pa.Array:
    """Every cell as the text of a CSV cell, "" for nothing; text columns unchanged."""
    if isinstance(column, list):
        return pa.array([value_text(value) for value in column], pa.string())
    kind = column.type
    if pa.types.is_dictionary(kind):
        return text_column(column.cast(kind.value_type))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _whole(pc.fill_null(column, "").cast(pa.string()))
    if pa.types.is_null(kind):
        return pa.array([""] * len(column), pa.string())
    if _is_list_of_text(kind):
        joined = pc.binary_join(_whole(column).cast(pa.list_(pa.string())), JOINER)
        return pc.fill_null(joined, "")
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return _whole(pc.fill_null(column.cast(pa.string()), ""))
    return pa.array([value_text(value) for value in column.to_pylist()], pa.string())


def _whole(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    if isinstance(column, pa.ChunkedArray):
        return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    return column


def _is_list_of_text(kind: pa.DataType) -> bool:
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return False
    return bool(pa.types.is_string(kind.value_type) or pa.types.is_large_string(kind.value_type))


def value_text(value: object) -> str:
    """One value as the text of a cell; lists of plain values joined, other structures as JSON."""
    if isinstance(value, str):
        return value
    if value is None or value is ABSENT:
        return ""
    if isinstance(value, list | tuple):
        if any(isinstance(each, list | tuple | dict) for each in value):
            return json_text(value)
        return JOINER.join(value_text(each) for each in value)
    if isinstance(value, dict):
        return json_text(value)
    return cell_text(value)


def json_text(value: object) -> str:
    """A value as JSON on one line; decimals keep their digits, dates are ISO text."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError):
        return _json(value)


def _json(value: object) -> str:
    if value is None or value is ABSENT or value != value:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return str(value) if value.is_finite() else "null"
    if isinstance(value, dict):
        pairs = (
            f"{json.dumps(str(k), ensure_ascii=False)}:{json_text(v)}" for k, v in value.items()
        )
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(json_text, value)) + "]"
    if isinstance(value, date | datetime | time | timedelta):
        return json.dumps(cell_text(value))
    if isinstance(value, int | float | str):
        return json.dumps(value, ensure_ascii=False) if value == value else "null"
    return json.dumps(cell_text(value), ensure_ascii=False)


def json_column(column: Column) -> pa.Array:
    """Every cell as JSON; null for a key that its object does not have."""
    if isinstance(column, list):
        known: dict[tuple[type, object], str | None] = {}
        return pa.array([_token(value, known) for value in column], pa.string())
    kind = column.type
    if pa.types.is_dictionary(kind):
        return json_column(column.cast(kind.value_type))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pc.fill_null(_dumped(_whole(column)), "null")
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return _whole(pc.fill_null(column.cast(pa.string()), "null"))
    if _is_list_of_text(kind):
        lists = _whole(column).cast(pa.list_(pa.string()))
        tokens = pc.fill_null(_dumped(lists.flatten()), "null")
        lengths = pc.fill_null(pc.list_value_length(lists), 0)
        offsets = pc.cumulative_sum(pa.concat_arrays([pa.array([0], pa.int32()), lengths]))
        joined = pc.binary_join(pa.ListArray.from_arrays(offsets, tokens), ",")
        bracketed = pc.binary_join_element_wise("[", joined, "]", "")
        return pc.if_else(lists.is_valid(), bracketed, "null")
    return json_column(column.to_pylist())


def _dumped(texts: pa.Array) -> pa.Array:
    """Texts as JSON strings, each distinct one converted once."""
    encoded = texts.dictionary_encode()
    distinct = [json.dumps(text, ensure_ascii=False) for text in encoded.dictionary.to_pylist()]
    return pa.array(distinct, pa.string()).take(encoded.indices)


def _token(value: object, known: dict[tuple[type, object], str | None]) -> str | None:
    if isinstance(value, list | dict):
        return json_text(value)
    key = (type(value), value)
    if key not in known:
        known[key] = None if value is ABSENT else json_text(value)
    return known[key]


def split_lists(column: Column) -> Column:
    """A column of joined codes as lists: the plain form where lists exist."""
    if isinstance(column, list):
        return [
            (value.split(JOINER) if value else []) if isinstance(value, str) else value
            for value in column
        ]
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    empty = pc.equal(column, "")
    split = pc.split_pattern(_whole(column), JOINER)
    none = pa.scalar([], pa.list_(pa.string()))
    return pa.chunked_array([pc.if_else(_whole(empty), none, split)])


def arrow_column(column: Column) -> pa.ChunkedArray:
    """A column for Parquet: types kept where all values share one, text where they do not."""
    if isinstance(column, pa.ChunkedArray):
        return column
    values = [None if value is ABSENT else value for value in column]
    kinds = {type(value) for value in values if value is not None and value != ""}
    mixed = len(kinds) > 1 and kinds != {int, Decimal}
    if mixed or (kinds <= {str, list} and "" in values):
        return _as_texts(values, kinds)
    try:
        return pa.chunked_array([pa.array([None if v == "" else v for v in values])])
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return _as_texts(values, kinds)


def _as_texts(values: Sequence[object], kinds: set[type]) -> pa.ChunkedArray:
    keep_null = kinds <= {str}
    texts = [None if v is None and keep_null else value_text(v) for v in values]
    return pa.chunked_array([pa.array(texts, pa.string())])
