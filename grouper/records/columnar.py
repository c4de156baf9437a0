"""Parquet files and Arrow tables → `Raw`; types are kept."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet

from grouper.errors import DataFileError, RecordError
from grouper.records.raw import Raw
from grouper.sheet import form_of


def read_parquet(data: bytes, name: str, path: str) -> Raw:
    """The records of a Parquet file. Raises DataFileError (DF132, DF135), RecordError (RE17)."""
    if form_of(data) != "parquet":
        raise DataFileError("DF132", name, path=name, form=form_of(data) or "text")
    try:
        table = pa_parquet.read_table(io.BytesIO(data))
        # some writers put text of other encodings into columns that must be UTF-8
        table.validate(full=True)
    except (pa.ArrowException, OSError) as error:
        raise DataFileError("DF135", name, path=name, detail=str(error).splitlines()[0]) from None
    if not len(table):
        raise RecordError("RE17", name, path=name)
    return from_table(table, name, path)


def from_table(table: pa.Table, name: str, path: str = "") -> Raw:
    """An Arrow table as it is; record numbers count from 1."""
    return Raw(
        name,
        path,
        "arrow",
        tuple(map(str, table.column_names)),
        tuple(table.columns),
        np.arange(1, len(table) + 1, dtype=np.int64),
    )
