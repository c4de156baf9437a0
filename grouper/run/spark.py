"""Grouping inside Spark: the batch function of a single machine, run by the workers on Arrow.

pyspark is needed only by those who call this (extra `[spark]`); importing it here costs nothing.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from grouper import __version__
from grouper.engine.dip import DipGrouper
from grouper.engine.dip_reference import DipReference
from grouper.engine.drg import DrgGrouper
from grouper.engine.groups import Groups
from grouper.errors import Lang, RunError
from grouper.records.assemble import Use, assemble
from grouper.records.check import Findings
from grouper.records.columnar import from_table
from grouper.records.fields import result_header
from grouper.records.layout import ColumnMap
from grouper.records.read import Cleaning, MapSource, column_map
from grouper.records.sources import Sources, join
from grouper.records.user import UserTable
from grouper.run.decisions import Decisions
from grouper.run.grouping import (
    Grouping,
    decisions_of,
    digest_of,
    load_grouping,
    manner_of,
    numbers_of,
    published,
)
from grouper.scheme.compile import CompiledScheme, compile_scheme
from grouper.scheme.model import Scheme
from grouper.settle.case import Settler

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import DataType

Batches = Iterable[pa.RecordBatch]


@dataclass(frozen=True)
class Reading:
    """How the workers read a batch, and the names of the columns that come back."""

    columns: ColumnMap
    cleaning: Cleaning
    lang: Lang
    names: tuple[str, ...]
    use: Use = "group"


@dataclass(frozen=True)
class Ready:
    """What a worker process keeps of a scheme: it serves many partitions, one after the other."""

    grouper: DrgGrouper | DipGrouper
    decisions: Decisions
    settler: Settler | None = None


def group(
    df: DataFrame,
    scheme: str | Path | Grouping,
    *,
    preset: str | None = None,
    op_classes: str | Path | None = None,
    layout: str | None = None,
    mapping: MapSource | None = None,
    cleaning: Cleaning = "standard",
    lang: Lang = "en",
) -> DataFrame:
    """A data frame of cases with the result columns appended, as `group_table` gives them.

    scheme: a DRG scheme or a DIP catalogue; preset, op_classes: the rules of a catalogue.
    Nothing is computed yet: headers and scheme are judged at once and here, rows by the workers.
    Every row comes back; one that cannot be grouped is `rejected` or `ungrouped` with its reason.
    A column that bears the name of a result column becomes `input_<name>`, upper and lower case
    being one unless `spark.sql.caseSensitive` is set. Scheme and map may be files of the driver
    alone: they travel with the task.

    Raises SchemeError, RecordError (RE1x) for columns that are no records; RunError (RN204) comes
    out of the workers when they have another version of this package.
    """
    if not isinstance(scheme, Scheme | DipGrouper):
        scheme = load_grouping(scheme, preset=preset, op_classes=op_classes)
    manner, empty = manner_of(scheme), no_rows(df)
    columns = column_map(empty, layout, mapping, cleaning, "columns", needs=manner.needs)
    key = (published(scheme).id, digest_of(scheme))
    reading = Reading(columns, cleaning, lang, (), manner.use)
    return mapped(df, packed(scheme), key, reading, _types(scheme, lang))


def no_rows(df: DataFrame) -> Sources:
    """The columns of a data frame without a row."""
    return _table(pa.table([pa.nulls(0)] * len(df.columns), names=df.columns), "columns")


def mapped(
    df: DataFrame,
    data: bytes,
    key: tuple[str, str],
    reading: Reading,
    types: Mapping[str, DataType],
) -> DataFrame:
    """The data frame with columns of some types appended, computed by the workers.

    data, key: what a worker unpacks once, and what tells it from others. reading: its names are
    filled in here.
    """
    from pyspark.sql.types import StructField, StructType

    session = df.sparkSession
    is_case_sensitive = session.conf.get("spark.sql.caseSensitive", "false") == "true"
    headers, empty = list(types), no_rows(df)
    user = UserTable(empty.names, empty.columns, "arrow", 0)
    kept = user.renamed(_taken(user.names, headers, is_case_sensitive=is_case_sensitive))
    fields = [
        StructField(name, field.dataType, field.nullable, field.metadata)
        for name, field in zip(kept, df.schema.fields, strict=True)
    ]
    fields += [StructField(name, kind) for name, kind in types.items()]
    task = _task(_sender(df, data), key, replace(reading, names=(*kept, *headers)))
    return df.mapInArrow(task, StructType(fields))


def _types(scheme: Grouping, lang: Lang) -> dict[str, DataType]:
    """The types of the result columns by header: texts, save what `numbers_of` says."""
    from pyspark.sql.types import DecimalType, StringType

    numbers = numbers_of(scheme)
    return {
        result_header(name, lang): DecimalType(numbers[name].precision, numbers[name].scale)
        if name in numbers
        else StringType()
        for name in manner_of(scheme).columns
    }


def _taken(names: Sequence[str], headers: Sequence[str], *, is_case_sensitive: bool) -> list[str]:
    """The names that columns of the user must not have."""
    if is_case_sensitive:
        return list(headers)
    lower = {header.lower() for header in headers}
    return [*headers, *(name for name in names if name.lower() in lower)]


# --- what travels ------------------------------------------------------------------------------


def packed(scheme: Grouping, settler: Settler | None = None) -> bytes:
    """A scheme and its compiled form as bytes; of a catalogue what it is laid out from.

    settler: what prices the cases besides.

    A worker unpacks them ten times faster than it could compile, and needs no folder of the
    driver's.
    """
    if isinstance(scheme, DipGrouper):
        return pickle.dumps((scheme.reference, settler), protocol=5)
    return pickle.dumps(((scheme, compile_scheme(scheme)), settler), protocol=5)


def _sender(df: DataFrame, data: bytes) -> Callable[[], bytes]:
    """How a worker comes by the bytes: broadcast once a machine, else within the task."""
    try:
        context = df.sparkSession.sparkContext
    except AttributeError:
        # Spark Connect has no context: the bytes are part of the task
        return lambda: data
    held = context.broadcast(data)
    return lambda: held.value


def _task(
    sent: Callable[[], bytes], key: tuple[str, str], reading: Reading
) -> Callable[[Batches], Iterator[pa.RecordBatch]]:
    """The function that Spark calls once a partition."""
    version = __version__

    def run(batches: Batches) -> Iterator[pa.RecordBatch]:
        # by name: the function travels by value, what it calls must be the worker's own module
        from grouper.run.spark import group_batches

        return group_batches(batches, sent, key, reading, version)

    return run


# --- on the worker -----------------------------------------------------------------------------

_MOST_KEPT = 4
#: Spark's batches (10,000 rows unless told otherwise) are gathered up to this much
_CHUNK_ROWS = 100_000
_CHUNK_BYTES = 64 << 20
#: by id and digest of the scheme, and language
_ready: dict[tuple[str, ...], Ready] = {}


def group_batches(
    batches: Batches,
    sent: Callable[[], bytes],
    key: tuple[str, str],
    reading: Reading,
    version: str = __version__,
) -> Iterator[pa.RecordBatch]:
    """The batches of a partition with the result columns, at most a chunk of them in memory."""
    if version != __version__:
        raise RunError("RN204", _place(), driver=version, worker=__version__)
    ready, done = _made_ready((*key, reading.lang), sent), 0
    for chunk in _chunks(batches):
        try:
            yield from _grouped(chunk, ready, reading)
        except Exception as error:
            error.add_note(f"in {_place()}, rows {done + 1} to {done + len(chunk)}")
            raise
        done += len(chunk)


def _chunks(batches: Batches) -> Iterator[pa.Table]:
    """Consecutive batches as tables, none empty: few are best, each costs something of its own."""
    held: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        held.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows >= _CHUNK_ROWS or size >= _CHUNK_BYTES:
            yield pa.Table.from_batches(held)
            held, rows, size = [], 0, 0
    if rows:
        yield pa.Table.from_batches(held)


def _made_ready(key: tuple[str, str, Lang], sent: Callable[[], bytes]) -> Ready:
    found = _ready.get(key)
    if found is None:
        if len(_ready) == _MOST_KEPT:
            _ready.pop(next(iter(_ready)))
        data, settler = pickle.loads(sent())
        grouper = _unpacked(data)
        grouping = grouper if isinstance(grouper, DipGrouper) else grouper.scheme
        found = _ready[key] = Ready(grouper, decisions_of(grouping, key[2]), settler)
    return found


def _unpacked(
    data: DipReference | tuple[Scheme, CompiledScheme],
) -> DrgGrouper | DipGrouper:
    return DipGrouper.of(data) if isinstance(data, DipReference) else DrgGrouper.ready(*data)


def _grouped(chunk: pa.Table, ready: Ready, reading: Reading) -> list[pa.RecordBatch]:
    """The rows with the result columns, in batches of the sizes that came."""
    as_is = reading.cleaning == "as_is"
    # nobody reads the findings of a partition: what rejects a row stands in its reason
    table = _table(chunk, _place())
    batch = assemble(table, reading.columns, Findings(), as_is=as_is, part=True, use=reading.use)
    groups = ready.grouper.group(batch)
    results = ready.decisions.columns(ready.decisions.number(groups))
    if ready.settler is not None and isinstance(groups, Groups):
        results += ready.settler.settle(batch, groups).to_columns(reading.lang)
    columns = [*chunk.columns, *(values for _, values in results)]
    batches: list[pa.RecordBatch] = pa.table(columns, names=list(reading.names)).to_batches()
    return batches


def _table(table: pa.Table, name: str) -> Sources:
    """A table as the readers' one."""
    return join([from_table(table, name)])


def _place() -> str:
    """The partition at work, for messages."""
    from pyspark import TaskContext

    context = TaskContext.get()
    return f"partition {context.partitionId()}" if context else "partition"
