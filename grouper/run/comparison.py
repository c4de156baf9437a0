"""The same records under two schemes: parts read once, grouped twice, summed up by flow.

Memory does not grow with the rows: of a part only its flows are kept, and of a flow the place of
its first case, which is read again when it serves as an example.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from grouper.engine.decision import Difference, first_difference
from grouper.engine.drg import grouper_of
from grouper.engine.groups import Groups, group_codes
from grouper.engine.reference import Record, Reference, record_at
from grouper.errors import RunError
from grouper.monitor.flow_sums import MEASURES, FlowTally, PartFlows, part_flows
from grouper.monitor.movement import Flow, Labels, Movement
from grouper.records.assemble import assemble
from grouper.records.batch import MISSING_FEN, CaseBatch
from grouper.records.check import Findings, short
from grouper.records.sources import Sources
from grouper.records.textcolumn import fingerprints
from grouper.records.texts import text_column
from grouper.run.chunks import Part
from grouper.run.pipeline import group_batch
from grouper.run.stream import (
    BATCH,
    Job,
    Options,
    Progress,
    default_threads,
    in_order,
    open_job,
    outcome,
)
from grouper.run.tally import Outcome, PartFacts, Tally, part_facts
from grouper.run.worth import Worth
from grouper.scheme.model import Scheme, same_edition
from weights.table import NO_VALUE

#: what flows can be broken down by; `mdc` is that of the scheme before
Dimension = Literal["hospital", "dept", "mdc"]
DIMENSIONS: tuple[Dimension, ...] = ("hospital", "dept", "mdc")
#: the fields a dimension may stand in, the first that the files have counts
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "hospital": ("hospital", "hospital_name"),
    "dept": ("dept",),
}
#: examples of moved cases unless asked otherwise
SAMPLES = 50
#: a position is the number of a part and the row in it
_ROW_BITS = 32

_Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Side:
    """A scheme and, if given, what its groups are worth."""

    scheme: Scheme
    worth: Worth | None = None

    @property
    def decimals(self) -> int:
        """Weights are units of 10**-decimals."""
        return self.worth.decimals if self.worth else 0


@dataclass(frozen=True)
class Sample:
    """A moved case: where it stands, its flow and the first rule that decides otherwise."""

    case_id: str
    where: str
    flow: Flow
    record: Record
    difference: Difference


@dataclass(frozen=True)
class Comparison:
    """What moves between two schemes; `outcome` is that of grouping under the first.

    names: dimension -> value -> its name, of hospitals (if the files have a column) and MDCs.
    """

    before: Side
    after: Side
    movement: Movement
    samples: tuple[Sample, ...]
    outcome: Outcome
    dimensions: tuple[Dimension, ...]
    names: Mapping[str, Mapping[str, str]]


def check_sides(before: Scheme, after: Scheme) -> None:
    """Raise RunError RN121 for the same scheme twice, RN122 for other editions of codes."""
    if before.digest == after.digest:
        raise RunError("RN121", before=before.id, after=after.id, digest=before.digest[:12])
    if not same_edition(before, after):
        editions = {"before_codes": before.codes, "after_codes": after.codes}
        raise RunError("RN122", before=before.id, after=after.id, **editions)


def compare_files(
    paths: Sequence[Path],
    before: Side,
    after: Side,
    options: Options,
    *,
    by: Sequence[Dimension] = (),
    samples: int = SAMPLES,
    threads: int | None = None,
    batch: int = BATCH,
    progress: Progress | None = None,
) -> Comparison:
    """Group files under both schemes and sum up what moves.

    Raises what reading raises, RunError RN121 or RN122 for schemes that cannot be compared, RN123
    for a dimension whose column the files do not have.
    """
    check_sides(before.scheme, after.scheme)
    job = open_job(paths, before.scheme, options)
    grouper_of(after.scheme)
    work = _Work(job, before, after, _labels(before.scheme), _labels(after.scheme), tuple(by))
    work.check_dimensions()
    tally, flows = Tally(), FlowTally(work.width, work.streamed)
    prints: list[NDArray[np.uint64]] = []
    hospitals: dict[str, str] = {}
    workers = threads or default_threads()
    with closing(in_order(job.feed.parts(batch), work.part, threads=workers)) as parts:
        for found in parts:
            tally.add(found.facts)
            prints.append(found.prints)
            flows.add(found.flows)
            hospitals = found.hospitals | hospitals
            if progress:
                progress(tally.rows, found.progress)
    movement = Movement(work.before_labels, work.after_labels, flows)
    examples = tuple(work.examples(movement.moves[:samples], batch))
    ended = outcome(job, tally, prints, batch)
    mdcs = {f"MDC{mdc.mdc}": mdc.name for mdc in before.scheme.mdcs}
    names = {"hospital": hospitals, "mdc": mdcs}
    return Comparison(before, after, movement, examples, ended, tuple(by), names)


@dataclass(frozen=True)
class _Found:
    """What one part amounts to."""

    progress: float
    facts: PartFacts
    flows: PartFlows
    prints: NDArray[np.uint64]
    hospitals: dict[str, str]


@dataclass(frozen=True)
class _Work:
    """All that a part needs to be grouped under both schemes."""

    job: Job
    before: Side
    after: Side
    before_labels: Labels
    after_labels: Labels
    by: tuple[Dimension, ...]

    @property
    def width(self) -> tuple[int, int]:
        return len(self.before_labels), len(self.after_labels)

    @property
    def streamed(self) -> tuple[Dimension, ...]:
        """The dimensions that rows bring with them; the MDC is known from the group."""
        return tuple(name for name in self.by if name != "mdc")

    def check_dimensions(self) -> None:
        for name in self.streamed:
            if self.field_of(name) is None:
                raise RunError("RN123", self.job.feed.label, dimension=name)

    def field_of(self, dimension: Dimension) -> str | None:
        """The field that a dimension is read from; None if the files have no column for it."""
        known = self.job.reading.scalars
        return next((field for field in _FIELDS[dimension] if field in known), None)

    def part(self, part: Part) -> _Found:
        """Read, clean, group twice, sum up."""
        table, findings = part.table(), Findings()
        batch = self.assembled(table, findings)
        old = group_batch(batch, self.before.scheme, engine=self.job.options.engine)
        new = group_batch(batch, self.after.scheme, engine=self.job.options.engine)
        sources = {str(part.source + k): len(raw) for k, raw in enumerate(table.raws)}
        facts = part_facts(batch, old, findings, sources)
        as_is = self.job.options.cleaning == "as_is"
        prints = np.zeros(0, np.uint64) if as_is else fingerprints(batch.case_id)
        flows = self.flows(part, table, batch, old, new)
        return _Found(part.progress, facts, flows, prints, self.hospitals(table))

    def assembled(self, table: Sources, findings: Findings) -> CaseBatch:
        as_is = self.job.options.cleaning == "as_is"
        return assemble(table, self.job.reading, findings, as_is=as_is, part=True)

    def flows(
        self, part: Part, table: Sources, batch: CaseBatch, old: Groups, new: Groups
    ) -> PartFlows:
        n = len(batch)
        before, after = self.before_labels.ids(old), self.after_labels.ids(new)
        values = np.zeros((n, len(MEASURES)), np.int64)
        values[:, 0] = 1
        _put(values, "cost", batch.total_cost_fen, MISSING_FEN)
        for name, side, labels, ids in (
            ("from", self.before, self.before_labels, before),
            ("to", self.after, self.after_labels, after),
        ):
            if side.worth is None:
                continue
            codes = [label.code for label in labels.labels]
            weight, fen = side.worth.values(ids, codes, batch.insurance, batch.hospital_level)
            _put(values, f"weight_{name}", weight, NO_VALUE)
            _put(values, f"payment_{name}", fen, NO_VALUE)
        positions = (part.number << _ROW_BITS) + np.arange(n, dtype=np.int64)
        dimensions = {
            str(name): self.texts(field, table)
            for name in self.streamed
            if (field := self.field_of(name))
        }
        return part_flows(before, after, self.width, values, positions, dimensions)

    def texts(self, field: str, table: Sources) -> tuple[_Ints, tuple[str, ...]]:
        """The ids of a column's cells, blanks cut off, and the texts behind them."""
        column = text_column(table.columns[self.job.reading.scalars[field]])
        coded = pa.compute.utf8_trim_whitespace(column).dictionary_encode()
        return coded.indices.to_numpy().astype(np.int64), tuple(coded.dictionary.to_pylist())

    def hospitals(self, table: Sources) -> dict[str, str]:
        """The name of each hospital as first written, if the files have names."""
        known = self.job.reading.scalars
        if "hospital" not in self.by or not {"hospital", "hospital_name"} <= known.keys():
            return {}
        codes, texts = self.texts("hospital", table)
        names, named = self.texts("hospital_name", table)
        pairs = np.unique(np.stack([codes, names]), axis=1).T.tolist() if len(codes) else []
        found: dict[str, str] = {}
        for code, name in pairs:
            if named[name]:
                found.setdefault(texts[code], named[name])
        return found

    def examples(self, moves: Sequence[Flow], batch: int) -> Iterator[Sample]:
        """The first case of each flow, in the order of the flows."""
        wanted: dict[int, list[Flow]] = {}
        for flow in moves:
            wanted.setdefault(flow.first >> _ROW_BITS, []).append(flow)
        found: dict[int, Sample] = {}
        old, new = Reference(self.before.scheme), Reference(self.after.scheme)
        for part in self.job.feed.parts(batch) if wanted else ():
            flows = wanted.pop(part.number, [])
            if flows:
                table = part.table()
                cases = self.assembled(table, Findings())
                for flow in flows:
                    row = flow.first & ((1 << _ROW_BITS) - 1)
                    found[flow.first] = _sample(table, cases, row, flow, old, new)
            if not wanted:
                break
        yield from (found[flow.first] for flow in moves)


def _sample(
    table: Sources, cases: CaseBatch, row: int, flow: Flow, old: Reference, new: Reference
) -> Sample:
    record = record_at(cases, row)
    difference = first_difference(old, new, record)
    if difference is None:
        # the engines or the readings of one row differ: both would be defects of the program
        raise RunError("RN104", table.where(row), reference="-", kernel=flow.kind)
    case_id = short(cases.case_id[row]) if len(cases.case_id) else ""
    return Sample(case_id, table.where(row), flow, record, difference)


def _put(values: _Ints, measure: str, amounts: _Ints, missing: int) -> None:
    """An amount a row and whether it is known; a column that is not there is known nowhere."""
    if len(amounts) != len(values):
        return
    known = amounts != missing
    at = MEASURES.index(measure)
    values[:, at] = np.where(known, amounts, 0)
    values[:, at + 1] = known


def _labels(scheme: Scheme) -> Labels:
    return Labels.of(
        group_codes(scheme),
        {drg.drg: drg.adrg for drg in scheme.drgs},
        {rule.adrg: rule.name for rule in scheme.adrgs},
    )
