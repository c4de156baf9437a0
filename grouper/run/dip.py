"""The flow from files to DIP groups: catalogue, preset, records in, result columns out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from grouper import __version__
from grouper.engine.dip import DipGrouper, DipGroups
from grouper.engine.dip_reference import DipReference
from grouper.errors import Lang
from grouper.records.read import Records
from grouper.run.catalogues import read_catalogue
from grouper.run.pipeline import Counts, Engine, count, group_batch
from grouper.run.results import reason_text, words
from grouper.scheme.dip_preset import load_classes, load_layers, load_preset

#: the rules of a catalogue for which no region's are named
DEFAULT_PRESET = "national"
#: the result columns of DIP grouping, in the order of the files
COLUMNS = ("status", "reason", "dip", "dip_name", "kind", "layer", "score")
#: the fields that a table must have
NEEDED = ("dx",)


def reference_of(
    catalogue: str | Path, *, preset: str | None = None, op_classes: str | Path | None = None
) -> DipReference:
    """A catalogue ready to group by a region's rules: those named, else those it names itself.

    op_classes: a table of operation classes instead of the catalogue's, or the program's.
    """
    asked = load_preset(preset) if preset else None
    is_prefix = asked is not None and asked.ext_match == "prefix"
    read = read_catalogue(catalogue, short="kept" if is_prefix else "repaired")
    own = read.catalogue.head
    return DipReference(
        read.catalogue,
        asked or load_preset(own.preset or DEFAULT_PRESET),
        load_classes(op_classes or own.op_classes or None),
        load_layers(),
        read.tie_figures,
    )


@dataclass(frozen=True)
class DipRun:
    """Records with their DIP groups, row for row."""

    records: Records
    groups: DipGroups
    reference: DipReference
    counts: Counts


def group_records(
    records: Records, grouping: DipReference | DipGrouper, *, engine: Engine = "kernel"
) -> DipRun:
    """Group every row of what was read."""
    grouper = grouping if isinstance(grouping, DipGrouper) else DipGrouper.of(grouping)
    groups = group_batch(records.batch, grouper, engine=engine)
    return DipRun(records, groups, grouper.reference, count(groups))


def result_columns(run: DipRun, lang: Lang) -> list[tuple[str, pa.Array]]:
    """Status, reason and group of every row, by English column name."""
    return columns_of(run.reference)(run.groups, lang)


def columns_of(reference: DipReference) -> Callable[[DipGroups, Lang], list[tuple[str, pa.Array]]]:
    """How groups become result columns; texts are built once a distinct end."""
    rows = reference.catalogue.rows
    scores = score_column(reference)

    def columns(groups: DipGroups, lang: Lang) -> list[tuple[str, pa.Array]]:
        said, ends = words(lang), groups.ends
        taken = [None if end.row is None else rows[end.row] for end in ends]
        texts = {
            "status": [said["status"][end.status.word] for end in ends],
            "reason": [reason_text(end.reason, lang) for end in ends],
            "dip": [row and row.code for row in taken],
            "dip_name": [row and row.name for row in taken],
            "kind": [said["kind"].get(end.kind, end.kind) or None for end in ends],
            "layer": [(row and row.layer) or None for row in taken],
        }
        index = pa.array(groups.end.astype(np.int32))
        found = [(name, pa.array(each, pa.string())) for name, each in texts.items()]
        found.append(("score", scores.take(pa.array([end.row for end in ends], pa.int32()))))
        return [(name, values.take(index)) for name, values in found]

    return columns


def score_column(reference: DipReference) -> pa.Array:
    """The score of every row: exact, with as many decimals as the catalogue prints at most."""
    scores = [reference.figures.score(at) for at in range(len(reference.catalogue.rows))]
    printed = [score.as_tuple().exponent for score in scores if score is not None]
    decimals = max((-one for one in printed if isinstance(one, int)), default=0)
    return pa.array(scores, pa.decimal128(38, max(decimals, 0)))


def run_info(run: DipRun, lang: Lang, engine: Engine = "kernel") -> list[tuple[str, str]]:
    """What a result rests on: program, catalogue with digest, preset, counts."""
    catalogue, counts, titles = run.reference.catalogue, run.counts, words(lang)["info"]
    values: dict[str, object] = {
        "program": f"chs-grouper {__version__}",
        "scheme": catalogue.file,
        "scheme_title": catalogue.title,
        "digest": catalogue.digest,
        "confidence": catalogue.confidence,
        "preset": run.reference.preset.id,
        "engine": engine,
        "rows": counts.rows,
        "grouped": counts.grouped,
        "ungrouped": counts.ungrouped,
        "rejected": counts.rejected,
    }
    return [(titles[key], str(value)) for key, value in values.items()]
