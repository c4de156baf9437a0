"""Files of any size to groups: parts read, grouped and written by a few threads, in order."""

from __future__ import annotations

import csv
import io
import os
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from grouper.engine.dip import DipGroups
from grouper.engine.groups import Groups, Status
from grouper.errors import Issue, Lang, RunError
from grouper.records.assemble import Use, assemble, columns_read, refuse_names
from grouper.records.batch import CaseBatch
from grouper.records.check import Findings, short
from grouper.records.layout import ColumnMap
from grouper.records.outfile import whole_file
from grouper.records.read import Cleaning
from grouper.records.sources import Sources
from grouper.records.textcolumn import fingerprints
from grouper.records.user import UserTable
from grouper.records.write import append_to_lines, output_of, result_table, write_head, write_rows
from grouper.run.appended import PartPricing, PartTyping
from grouper.run.chunks import Feed, Part, WholeFeed, open_feed, reading_of, sliced
from grouper.run.decisions import Columns, Decisions
from grouper.run.grouping import (
    Grouping,
    compiled,
    decisions_of,
    manner_of,
    published,
    rules_of,
)
from grouper.run.pipeline import Engine, group_batch
from grouper.run.results import reason_text, words
from grouper.run.sinks import DELIMITERS, GROUP_ROWS, ResultForm, sink_of
from grouper.run.tally import Outcome, PartFacts, Tally, part_facts, repetitions

#: rows of a part unless asked otherwise: a part of Parquet is then a row group of the result
BATCH = GROUP_ROWS
_MOST_THREADS = 4

Item = TypeVar("Item")
Done = TypeVar("Done")
#: rows done, share of all input that is done
Progress = Callable[[int, float], None]


@dataclass(frozen=True)
class Options:
    """How inputs are read and results written; what a run must keep to be resumed."""

    layout: str | None = None
    mapping: Mapping[str, object] | None = None
    cleaning: Cleaning = "standard"
    input_encoding: str | None = None
    engine: Engine = "kernel"
    form: ResultForm = "csv"
    encoding: str | None = None
    lang: Lang = "zh"


@dataclass(frozen=True)
class Job:
    """Inputs, their reading, a scheme: all that grouping a part needs."""

    feed: Feed
    reading: ColumnMap
    scheme: Grouping
    options: Options
    paths: tuple[Path, ...]
    decisions: Decisions
    shown: pa.Table | None = field(default=None, repr=False)
    pricing: PartPricing | None = None
    typing: PartTyping | None = None

    @property
    def use(self) -> Use:
        """What the batches of this job are for."""
        return "settle" if self.pricing or self.typing else manner_of(self.scheme).use

    def parts(self, rows: int) -> Iterator[Part]:
        """The parts of the inputs, read as far as this job needs."""
        delimiter = DELIMITERS.get(self.options.form)
        only = None
        if delimiter is not None and self.feed.writes_back(self.options.encoding, delimiter):
            as_is = self.options.cleaning == "as_is"
            only = columns_read(self.reading, as_is=as_is, use=self.use)
        return self.feed.parts(rows, only)


@dataclass(frozen=True)
class PartResult:
    """A part grouped: `rows` is text without titles or a table, `rejects` text without titles."""

    number: int
    progress: float
    facts: PartFacts
    rows: bytes | memoryview | pa.Table
    rejects: bytes
    prints: NDArray[np.uint64]


def default_threads() -> int:
    """As many threads as processors, up to four."""
    return min(os.cpu_count() or 1, _MOST_THREADS)


def open_job(
    paths: Sequence[Path],
    scheme: Grouping,
    options: Options,
    pricing: PartPricing | None = None,
    typing: PartTyping | None = None,
) -> Job:
    """Look through the inputs once. Raises DataFileError and RecordError as `read_records` does."""
    typed = options.form == "parquet"
    feed = open_feed(paths, mapping=options.mapping, encoding=options.input_encoding, typed=typed)
    reading = reading_of(
        feed,
        layout=options.layout,
        mapping=options.mapping,
        cleaning=options.cleaning,
        needs=manner_of(scheme).needs,
    )
    shown = None
    if isinstance(feed, WholeFeed) and options.form == "parquet":
        # the type of a column depends on all of its values
        table = feed.table
        user = UserTable(table.names, table.columns, table.form, len(table))
        shown = result_table(user, [], lang=options.lang)
    decisions = decisions_of(scheme, options.lang)
    ready = compiled(scheme)
    return Job(feed, reading, ready, options, tuple(paths), decisions, shown, pricing, typing)


def group_part(job: Job, part: Part) -> PartResult:
    """Read, clean, group and render one part."""
    begun = time.perf_counter()
    table, empty = part.table(), np.zeros(0, np.uint64)
    if not len(table):
        return PartResult(part.number, part.progress, PartFacts(), b"", b"", empty)
    found = Findings()
    batch = _assembled(job, table, found)
    read = time.perf_counter()
    groups = group_batch(batch, job.scheme, engine=job.options.engine)
    grouped = time.perf_counter()
    priced: Columns = []
    if job.pricing is not None and isinstance(groups, Groups):
        priced = job.pricing.columns(part.number, batch, groups)
    if job.typing is not None and isinstance(groups, DipGroups):
        by_field = {name: table.columns[at] for name, at in job.reading.scalars.items()}
        priced = job.typing.columns(batch, groups, by_field)
    rows = _rendered(job, part, table, groups, priced)
    rejects = _rejects(job, table, batch, groups)
    seconds = {
        "read": round(read - begun, 6),
        "group": round(grouped - read, 6),
        "render": round(time.perf_counter() - grouped, 6),
    }
    facts = replace(part_facts(batch, groups, found, _sources(part, table)), seconds=seconds)
    _give_back()
    prints = empty if job.options.cleaning == "as_is" else fingerprints(batch.case_id)
    return PartResult(part.number, part.progress, facts, rows, rejects, prints)


def _give_back() -> None:
    """Hand memory that Arrow keeps for later back to the system: other parts need it elsewhere."""
    pa.default_memory_pool().release_unused()


def _assembled(job: Job, table: Sources, found: Findings) -> CaseBatch:
    as_is = job.options.cleaning == "as_is"
    return assemble(table, job.reading, found, as_is=as_is, part=True, use=job.use)


def _sources(part: Part, table: Sources) -> dict[str, int]:
    """Rows by position of the input."""
    return {str(part.source + k): len(raw) for k, raw in enumerate(table.raws)}


def _user(job: Job, part: Part, table: Sources) -> UserTable:
    """The user's columns of a part."""
    fields = {table.names[at]: expression for at, expression in job.reading.fields.items()}
    columns, form = table.columns, table.form
    if job.shown is not None:
        stop = part.start + len(table)
        columns = tuple(sliced(column, part.start, stop) for column in job.shown.columns)
        form = "arrow"
    return UserTable(table.names, columns, form, len(table), fields, job.feed.crlf)


def _rendered(
    job: Job, part: Part, table: Sources, groups: Groups | DipGroups, priced: Columns
) -> bytes | memoryview | pa.Table:
    options = job.options
    decisions = job.decisions.number(groups)
    if options.form != "parquet" and table.lines is not None and not priced:
        delimiter = DELIMITERS[options.form]
        endings = (decisions, *job.decisions.endings(options.encoding, delimiter))
        lines = append_to_lines(
            table.lines, options.encoding, delimiter, endings, crlf=job.feed.crlf
        )
        if lines is not None:
            return lines
    user, results = _user(job, part, table), [*job.decisions.columns(decisions), *priced]
    if options.form == "parquet":
        return result_table(user, results, lang=options.lang)
    output = output_of(user, results, options.lang, options.encoding, (), nested=False)
    buffer = io.BytesIO()
    write_rows(buffer, output, DELIMITERS[options.form])
    return buffer.getvalue()


def result_head(job: Job) -> bytes:
    """The line of titles of a text result."""
    if job.options.form == "parquet":
        return b""
    none = pa.chunked_array([pa.array([], pa.string())])
    columns = tuple(none for _ in job.feed.names)
    user = UserTable(job.feed.names, columns, job.feed.form, 0, crlf=job.feed.crlf)
    more = job.pricing or job.typing
    names = [*manner_of(job.scheme).columns, *(more.names if more else ())]
    results = [(name, pa.array([], pa.string())) for name in names]
    output = output_of(user, results, job.options.lang, job.options.encoding, (), nested=False)
    buffer = io.BytesIO()
    write_head(buffer, output, DELIMITERS[job.options.form])
    return buffer.getvalue()


def rejects_head(job: Job) -> bytes:
    """The line of titles of the file of rejected rows."""
    titles = words(job.options.lang)["rejects"]
    mark = b"" if job.options.encoding in ("utf-8", "gb18030") else b"\xef\xbb\xbf"
    return mark + _lines(job, [[titles[key] for key in ("source", "row", "id", "code", "reason")]])


def _rejects(job: Job, table: Sources, batch: CaseBatch, groups: Groups | DipGroups) -> bytes:
    """Source, row, id and reason of every rejected row."""
    lang, rows = job.options.lang, []
    for at in np.flatnonzero(groups.status == Status.REJECTED).tolist():
        token = groups.reason_of(at)
        source = table.where(at).rpartition(":")[0]
        case_id = short(batch.case_id[at]) if len(batch.case_id) else ""
        rows.append([source, int(table.numbers[at]), case_id, token, reason_text(token, lang)])
    return _lines(job, rows)


def _lines(job: Job, rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    codec = "gb18030" if job.options.encoding == "gb18030" else "utf-8"
    return text.getvalue().encode(codec, "replace")


def in_order(
    items: Iterable[Item], work: Callable[[Item], Done], *, threads: int
) -> Generator[Done, None, None]:
    """The result of each item, in order; at most one item more than threads is under way."""
    if threads <= 1:
        # not a loop: its variables would keep a part while the next is made
        yield from map(work, items)
        return
    pool = ThreadPoolExecutor(threads, thread_name_prefix="grouper")
    waiting: deque[Future[Done]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def group_to_file(
    paths: Sequence[Path],
    scheme: Grouping,
    target: Path,
    options: Options,
    *,
    threads: int | None = None,
    batch: int = BATCH,
    progress: Progress | None = None,
    pricing: PartPricing | None = None,
    typing: PartTyping | None = None,
) -> Outcome:
    """Group files into one result file in memory that does not grow with them.

    Raises what reading and writing raise; nothing is left half-written. RunError RN115 if an
    input changes meanwhile.
    """
    before = [_stamp(path) for path in paths]
    job = open_job(paths, scheme, options, pricing, typing)
    tally, prints = Tally(), list[NDArray[np.uint64]]()
    with whole_file(target) as file:
        sink = sink_of(options.form, file, result_head(job))
        parts = job.parts(batch)
        workers = threads or default_threads()
        with closing(in_order(parts, lambda part: group_part(job, part), threads=workers)) as done:
            for result in done:
                tally.add(result.facts)
                prints.append(result.prints)
                if result.facts.rows:
                    sink.add(result.rows)
                if progress:
                    progress(tally.rows, result.progress)
                del result
        sink.close()
        for path, stamp in zip(paths, before, strict=True):
            if _stamp(path) != stamp:
                raise RunError("RN115", str(path), path=path.name)
        return outcome(job, tally, prints, batch)


def _stamp(path: Path) -> tuple[int, int] | None:
    """Size and time of a file, None where it cannot be told."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def outcome(job: Job, tally: Tally, prints: Sequence[NDArray[np.uint64]], batch: int) -> Outcome:
    """What the parts of a job amount to. Raises RecordError (RE15) for a column of names."""
    names = [Path(str(facts["path"])).name for facts in job.feed.facts]
    for kind in ("dx", "px"):
        filled, found = tally.words[f"{kind}:filled"], tally.words[f"{kind}:words"]
        refuse_names(found, filled, job.reading, kind, ";".join(names))
    if tally.parts > 1:
        tally.forget_repeated()
        _note_repeated(job, tally, prints, batch)
    for issue in job.feed.found.issues:
        tally.counts[issue.code] += int(str(issue.params.get("count", 1)))
    issues = [*tally.issues(), *job.feed.found.issues]
    sources = [
        {"path": facts["path"], "form": facts["form"], "rows": tally.sources[str(at)], **facts}
        for at, facts in enumerate(job.feed.facts)
    ]
    notes = {
        "sources": sources,
        "layout": job.reading.layout,
        "mapping": job.reading.described(),
        "unused": [job.reading.headers[at] for at in job.reading.unused],
        "cleaning": job.options.cleaning,
        **tally.summary(),
    }
    if rules := rules_of(job.scheme):
        notes["rules"] = rules
    issues.sort(key=lambda issue: (issue.severity != "error", issue.code))
    scheme, engine = published(job.scheme), job.options.engine
    return Outcome(tally.case_counts(), issues, notes, scheme, engine, tally.slow)


def _note_repeated(
    job: Job, tally: Tally, prints: Sequence[NDArray[np.uint64]], batch: int
) -> None:
    """RW08 over all parts, with the first row of the commonest id as the example."""
    found = repetitions(prints)
    if found is None:
        return
    counted, times, row = found
    ends = np.cumsum([len(each) for each in prints])
    number = int(np.searchsorted(ends, row, side="right"))
    at = row - int(ends[number] - len(prints[number]))
    table = _part(job.feed.parts(batch), number).table()
    case_id = _assembled(job, table, Findings()).case_id[at]
    issue = Issue(_REPEATED, table.where(at), {"id": short(case_id), "count": times})
    tally.repeated(counted, issue)


_REPEATED = "RW08"


def _part(parts: Iterator[Part], number: int) -> Part:
    return next(part for part in parts if part.number == number)
