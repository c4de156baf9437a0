"""Files and tables of discharges in, columns out: the door of the package."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pyarrow as pa

from grouper.errors import DataFileError, Issue
from grouper.records.assemble import assemble
from grouper.records.batch import CaseBatch
from grouper.records.check import Findings, summarize
from grouper.records.columnar import from_table, read_parquet
from grouper.records.delimited import read_delimited
from grouper.records.jsonlines import read_json
from grouper.records.layout import (
    ColumnMap,
    choose,
    clean_header,
    known,
    layouts,
    read_headers,
    require,
)
from grouper.records.mapfile import apply_map, load_map
from grouper.records.raw import HeaderScore, Raw
from grouper.records.sources import Sources, join
from grouper.records.user import UserTable
from grouper.records.workbook import read_workbook
from grouper.sheet import form_of, read_bytes

Cleaning = Literal["standard", "as_is"]
#: a `--map` file, or its entries
MapSource = str | Path | Mapping[str, object]

TEXT_SUFFIXES = (".csv", ".tsv", ".tab", ".txt")
WORKBOOK_SUFFIXES = (".xlsx", ".xlsm", ".xls", ".ods")
JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
SUFFIXES = (*TEXT_SUFFIXES, *WORKBOOK_SUFFIXES, ".parquet", *JSON_SUFFIXES)


#: what every table of discharges has, where grouping asks for it
NEEDED = ("dx", "sex")


@dataclass(frozen=True)
class Records:
    """What was read: the columns to group, the user's own columns, what was found, facts.

    notes: `sources` (list of {path, form, rows, encoding, delimiter, sheet, header_row}),
    `layout`, `mapping` (field -> headers), `unused` (headers of a second column for a field),
    `cleaning`, and the figures of `check.Summary`: `rows`, `usable`, `rejected`, `counts`,
    `repairs`, `unknown_codes`.
    """

    batch: CaseBatch
    user: UserTable
    issues: list[Issue] = field(default_factory=list)
    notes: dict[str, object] = field(default_factory=dict)


def read_records(
    paths: str | Path | Sequence[str | Path],
    *,
    layout: str | None = None,
    mapping: MapSource | None = None,
    cleaning: Cleaning = "standard",
    encoding: str | None = None,
    needs: Sequence[str] = NEEDED,
) -> Records:
    """Records of one or more files of the same columns, rows in order of files and lines.

    The suffix tells the form; `-` is standard input. `mapping` names headers (a TOML file or its
    entries), `encoding` overrides detection, `needs` are the fields that a table must have. With
    cleaning `as_is` codes and numbers are taken as they stand; `standard` cleans and repairs them
    and notes what it did.

    Raises DataFileError (DF13x) for files that cannot be read, RecordError (RE1x) for tables that
    are no records. What is wrong with single rows is in `issues` and in `batch.reject`.
    """
    listed = [paths] if isinstance(paths, str | Path) else list(paths)
    score = header_score(mapping)
    found = Findings()
    raws = [read_source(Path(path), score, encoding, found) for path in listed]
    return _records(
        join(raws), layout, mapping, cleaning, found, [str(path) for path in listed], needs=needs
    )


def records_from_table(
    table: pa.Table,
    *,
    layout: str | None = None,
    mapping: MapSource | None = None,
    cleaning: Cleaning = "standard",
    name: str = "table",
    part: bool = False,
    needs: Sequence[str] = NEEDED,
) -> Records:
    """Records of an Arrow table in memory; column types are kept for writing back.

    part: the table is a part of a larger one, so what only the whole can tell (RE15, a column of
    names where codes belong) is not judged.
    """
    source = join([from_table(table, name)])
    return _records(source, layout, mapping, cleaning, Findings(), [], part=part, needs=needs)


def header_score(mapping: MapSource | None) -> HeaderScore:
    """How header-like a row is: known headers, and those of the map."""
    if mapping is None:
        return known
    wanted: set[str] = set()
    for value in load_map(mapping)[1].values():
        wanted |= {clean_header(str(v)) for v in (value if isinstance(value, list) else [value])}

    def score(headers: Sequence[str]) -> int:
        return known(headers) + 3 * sum(clean_header(header) in wanted for header in headers)

    return score


def read_source(path: Path, score: HeaderScore, encoding: str | None, found: Findings) -> Raw:
    """One file as a table of cells."""
    if str(path) == "-":
        data = sys.stdin.buffer.read()
        if not data.strip():
            raise DataFileError("DF131", "<stdin>", path="<stdin>")
        name, suffix = "<stdin>", _sniffed(data)
    else:
        name, suffix = path.name, path.suffix.lower()
        if suffix not in SUFFIXES and not path.is_dir():
            raise DataFileError("DF136", str(path), path=name, known=" ".join(SUFFIXES))
        data = read_bytes(path)
    if suffix in WORKBOOK_SUFFIXES:
        place = str(path) if path.suffix else name + suffix
        raw, unstored = read_workbook(data, name, place, score)
        if unstored:
            found.add("RW13", name, times=len(unstored), cells=", ".join(unstored[:5]))
        return raw
    if suffix == ".parquet":
        return read_parquet(data, name, str(path))
    if suffix in JSON_SUFFIXES:
        return read_json(data, name, str(path), lines=suffix != ".json", encoding=encoding)
    return read_delimited(data, name, str(path), score, encoding=encoding)


def _sniffed(data: bytes) -> str:
    """The suffix that bytes without a name deserve."""
    form = form_of(data)
    if form in ("xlsx/zip", "xls"):
        return ".xlsx" if form == "xlsx/zip" else ".xls"
    if form == "parquet":
        return ".parquet"
    start = data.lstrip()[:1]
    return {b"{": ".jsonl", b"[": ".json"}.get(start, ".csv")


def _records(
    table: Sources,
    layout: str | None,
    mapping: MapSource | None,
    cleaning: Cleaning,
    found: Findings,
    inputs: Sequence[str],
    *,
    part: bool = False,
    needs: Sequence[str] = NEEDED,
) -> Records:
    where = table.raws[0].name + (f":{table.raws[0].header}" if table.raws[0].header else "")
    reading = column_map(table, layout, mapping, cleaning, where, needs=needs)
    batch = assemble(table, reading, found, as_is=cleaning == "as_is", part=part)
    user = UserTable(
        table.names,
        table.columns,
        table.form,
        len(table),
        {table.names[at]: expression for at, expression in reading.fields.items()},
        table.raws[0].crlf,
        tuple(inputs),
    )
    return Records(batch, user, found.ordered(), _notes(table, reading, cleaning, batch, found))


def column_map(
    table: Sources,
    layout: str | None,
    mapping: MapSource | None,
    cleaning: Cleaning,
    where: str,
    *,
    needs: Sequence[str] = NEEDED,
) -> ColumnMap:
    """Which column is what; a table without the fields it needs is no table of discharges."""
    if mapping is not None:
        reading = apply_map(mapping, table.names, where)
    elif table.form == "json" and cleaning == "as_is":
        # objects may lack any key: each record is then judged by itself
        return choose(table.names, where, layout=layout or _naming_dx(table.names))
    else:
        reading = choose(table.names, where, layout=layout)
    require(reading, needs if table.form != "json" else ("dx",), where)
    return reading


def _naming_dx(names: Sequence[str]) -> str:
    """The layout by which some key holds the diagnoses; `plain` if none does."""
    readings = (read_headers(layout, names) for layout in layouts().values())
    return next((each.layout for each in readings if "dx" in each.found), "plain")


def _notes(
    table: Sources, reading: ColumnMap, cleaning: Cleaning, batch: CaseBatch, found: Findings
) -> dict[str, object]:
    sources = [
        {"path": raw.path or raw.name, "form": raw.form, "rows": len(raw), **raw.facts}
        for raw in table.raws
    ]
    return {
        "sources": sources,
        "layout": reading.layout,
        "mapping": reading.described(),
        "unused": [reading.headers[at] for at in reading.unused],
        "cleaning": cleaning,
        **summarize(batch, found).to_dict(),
    }
