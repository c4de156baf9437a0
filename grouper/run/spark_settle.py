"""Settlement of cases inside Spark: grouped and priced by the workers, as `settle bill` does it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from grouper.engine.drg import DrgGrouper
from grouper.errors import Lang
from grouper.policy.model import Allow
from grouper.records.assemble import assemble
from grouper.records.check import Findings
from grouper.records.fields import result_header
from grouper.records.read import Cleaning, MapSource, column_map
from grouper.run.results import COLUMNS
from grouper.run.schemes import load_scheme
from grouper.run.settled import settler_of
from grouper.run.settlement import scheme_of
from grouper.run.spark import Reading, mapped, no_rows, packed
from grouper.scheme.compile import compile_scheme
from grouper.scheme.model import Scheme

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import DataType


def settle(
    df: DataFrame,
    area: str | Path,
    scheme: str | Path | Scheme | None = None,
    *,
    table: str | None = None,
    allow: Allow = "verified",
    layout: str | None = None,
    mapping: MapSource | None = None,
    cleaning: Cleaning = "standard",
    lang: Lang = "en",
) -> DataFrame:
    """A data frame of cases with groups and amounts appended, row for row as `settle bill` writes.

    area: a pack, a folder of the driver, or a lead; scheme: that of the area unless given; table:
    the weight table of a lead. Amounts are exact decimals in yuan. A case that cannot be priced
    says why in `payment_issue`. Nothing is computed yet: policy, table and headers are judged at
    once and here, rows by the workers.

    Raises what spark.group and settler_of raise.
    """
    if not isinstance(scheme, Scheme):
        scheme = load_scheme(scheme_of(area) if scheme is None else scheme)
    settler = settler_of(area, scheme, table=table, allow=allow)
    empty = no_rows(df)
    columns = column_map(empty, layout, mapping, cleaning, "columns")
    as_is = cleaning == "as_is"
    batch = assemble(empty, columns, Findings(), as_is=as_is, part=True, use="settle")
    groups = DrgGrouper.ready(scheme, compile_scheme(scheme)).group(batch)
    amounts = settler.settle(batch, groups).to_columns(lang)
    found = [*((name, pa.string()) for name in COLUMNS), *((n, c.type) for n, c in amounts)]
    types = {result_header(name, lang): _spark_type(kind) for name, kind in found}
    data = packed(scheme, settler)
    key = (scheme.id, hashlib.sha256(data).hexdigest())
    return mapped(df, data, key, Reading(columns, cleaning, lang, (), "settle"), types)


def _spark_type(kind: pa.DataType) -> DataType:
    from pyspark.sql.types import DecimalType, StringType

    if pa.types.is_decimal(kind):
        return DecimalType(kind.precision, kind.scale)
    return StringType()
