"""The flow from files to DIP groups: catalogue, preset, records in, result columns out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa

from grouper import __version__
from grouper.engine.dip import DipGroups, group_batch
from grouper.engine.dip_reference import DipReference
from grouper.engine.groups import Status
from grouper.errors import Lang
from grouper.records.read import Records
from grouper.run.catalogues import read_catalogue
from grouper.run.pipeline import Counts
from grouper.run.results import words
from grouper.scheme.dip_preset import load_classes, load_layers, load_preset

#: the rules of a catalogue for which no region's are named
DEFAULT_PRESET = "national"


def reference_of(
    catalogue: str | Path, *, preset: str | None = None, op_classes: str | Path | None = None
) -> DipReference:
    """A catalogue ready to group by a region's rules: those named, else those it names itself.

    op_classes: a table of operation classes instead of the catalogue's, or the program's.
    """
    read = read_catalogue(catalogue)
    own = read.catalogue.head
    return DipReference(
        read.catalogue,
        load_preset(preset or own.preset or DEFAULT_PRESET),
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


def group_records(records: Records, reference: DipReference) -> DipRun:
    """Group every row of what was read."""
    groups = group_batch(reference, records.batch)
    return DipRun(records, groups, reference, _count(groups))


def result_columns(run: DipRun, lang: Lang) -> list[tuple[str, pa.Array]]:
    """Status, reason and group of every row, by English column name; texts once a distinct end."""
    said, rows = words(lang), run.reference.catalogue.rows
    scores = run.reference.figures.scores
    _, first, places = np.unique(run.groups.decisions(), return_index=True, return_inverse=True)
    index = pa.array(places.astype(np.int32))
    outcomes = [run.groups.outcome(at) for at in first.tolist()]
    ends = [(end, rows[end.row] if end.row is not None else None) for end in outcomes]
    columns = {
        "status": [said["status"][end.status.word] for end, _ in ends],
        "reason": [_reason(end.reason, said) for end, _ in ends],
        "dip": [row.code if row else None for _, row in ends],
        "dip_name": [row.name if row else None for _, row in ends],
        "kind": [said["kind"].get(end.kind, end.kind) or None for end, _ in ends],
        "layer": [(row.layer or None) if row else None for _, row in ends],
    }
    found = [(name, pa.array(texts, pa.string())) for name, texts in columns.items()]
    found.append(
        ("score", _scores([None if end.row is None else scores[end.row] for end, _ in ends]))
    )
    return [(name, values.take(index)) for name, values in found]


def _scores(scores: Sequence[Decimal | None]) -> pa.Array:
    """Scores as exact numbers, with as many decimals as the one that is printed with most."""
    printed = [score.as_tuple().exponent for score in scores if score is not None]
    decimals = max((-one for one in printed if isinstance(one, int)), default=0)
    return pa.array(scores, pa.decimal128(38, max(decimals, 0)))


def _reason(token: str, said: Mapping[str, Mapping[str, str]]) -> str:
    """The words of a token; where the language has none (English) the token itself."""
    for table in ("dip_reason", "dip_step", "reason"):
        if token in said[table]:
            return said[table][token]
    return token


def run_info(run: DipRun, lang: Lang) -> list[tuple[str, str]]:
    """What a result rests on: program, catalogue with digest, preset, counts."""
    catalogue, counts, titles = run.reference.catalogue, run.counts, words(lang)["info"]
    values: dict[str, object] = {
        "program": f"chs-grouper {__version__}",
        "scheme": catalogue.file,
        "scheme_title": catalogue.title,
        "digest": catalogue.digest,
        "confidence": catalogue.confidence,
        "preset": run.reference.preset.id,
        "rows": counts.rows,
        "grouped": counts.grouped,
        "ungrouped": counts.ungrouped,
        "rejected": counts.rejected,
    }
    return [(titles[key], str(value)) for key, value in values.items()]


def _count(groups: DipGroups) -> Counts:
    """The rows by status, those without a group by reason."""
    by_status = np.bincount(groups.status, minlength=len(Status))
    return Counts(
        rows=len(groups),
        grouped=int(by_status[Status.GROUPED]),
        ambiguous=0,
        ungrouped=int(by_status[Status.UNGROUPED]),
        rejected=int(by_status[Status.REJECTED]),
        reasons=groups.without_group(),
    )
