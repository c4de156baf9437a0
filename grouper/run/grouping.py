"""What groups, and how its results read: a DRG scheme, or a DIP catalogue with a region's rules."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from grouper.engine.dip import DipGrouper
from grouper.engine.drg import grouper_of
from grouper.engine.groups import Status
from grouper.errors import Lang
from grouper.records.assemble import Use
from grouper.records.read import NEEDED
from grouper.run import dip, results, schemes
from grouper.run.catalogues import is_catalogue
from grouper.run.decisions import Decisions
from grouper.scheme.dip import Catalogue
from grouper.scheme.model import Scheme

#: what cases can be grouped by
Grouping = Scheme | DipGrouper


@dataclass(frozen=True, slots=True)
class Manner:
    """How the cases of a grouping are read and its results written.

    columns: the result columns; use: what batches must hold; needs: the fields a table must have;
    counted: the statuses whose reasons are few and counted.
    """

    columns: tuple[str, ...]
    use: Use
    needs: tuple[str, ...]
    counted: tuple[Status, ...]


_DRG = Manner(results.COLUMNS, "group", NEEDED, (Status.REJECTED,))
_DIP = Manner(dip.COLUMNS, "group_dip", dip.NEEDED, (Status.UNGROUPED, Status.REJECTED))


def manner_of(grouping: Grouping) -> Manner:
    """That of DIP or of DRG."""
    return _DIP if isinstance(grouping, DipGrouper) else _DRG


def load_grouping(
    name_or_path: str | Path, *, preset: str | None = None, op_classes: str | Path | None = None
) -> Grouping:
    """A DRG scheme or a DIP catalogue, whatever is named; preset and op_classes are DIP's.

    Raises as `grouper.run.schemes.load_scheme` and `grouper.run.dip.reference_of`.
    """
    if not is_catalogue(name_or_path):
        return schemes.load_scheme(name_or_path)
    return load_catalogue(name_or_path, preset=preset, op_classes=op_classes)


def load_catalogue(
    path: str | Path, *, preset: str | None = None, op_classes: str | Path | None = None
) -> DipGrouper:
    """A DIP catalogue, ready to group by a region's rules.

    preset: their name or file; op_classes: a table (TSV) instead of the program's own. Raises
    SchemeError with every error found, DataFileError for a file that cannot be read.
    """
    return DipGrouper.of(dip.reference_of(path, preset=preset, op_classes=op_classes))


def published(grouping: Grouping) -> Scheme | Catalogue:
    """What was published: id, title, digest of the file."""
    return grouping.reference.catalogue if isinstance(grouping, DipGrouper) else grouping


def digest_of(grouping: Grouping) -> str:
    """The digest of all that groups depend on: of a catalogue with the rules, too."""
    return grouping.reference.digest if isinstance(grouping, DipGrouper) else grouping.digest


def rules_of(grouping: Grouping) -> dict[str, str]:
    """By which rules a catalogue is read, for summaries and manifests; a scheme holds its own."""
    if isinstance(grouping, DipGrouper):
        return {"preset": grouping.reference.preset.id, "digest": grouping.reference.digest}
    return {}


def decisions_of(grouping: Grouping, lang: Lang) -> Decisions:
    """The texts of its results."""
    if isinstance(grouping, DipGrouper):
        return Decisions(lang, dip.columns_of(grouping.reference))
    return Decisions(lang)


def numbers_of(grouping: Grouping) -> dict[str, pa.Decimal128Type]:
    """The types of its result columns that are no texts."""
    if isinstance(grouping, DipGrouper):
        return {"score": dip.score_column(grouping.reference).type}
    return {}


def compiled(grouping: Grouping) -> Grouping:
    """The same, made ready here and not by several threads at once."""
    if isinstance(grouping, Scheme):
        grouper_of(grouping)
    return grouping
