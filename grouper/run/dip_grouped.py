"""A DIP run in the form in which settlement, statements and reports read a grouped run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from grouper.engine.groups import Groups
from grouper.records.read import Records
from grouper.records.user import UserTable
from grouper.run.dip import DipRun
from grouper.run.pipeline import Counts
from grouper.scheme.dip import Catalogue
from grouper.settle.batch import factorize
from grouper.settle.dip_groups import KIND_NAMES, DipCases, dip_cases


@dataclass(frozen=True)
class DipGrouped:
    """Records with their DIP groups; `scheme` is the catalogue, `groups` are those of `cases`."""

    dip: DipRun
    cases: DipCases

    @property
    def records(self) -> Records:
        """The records, row for row."""
        return self.dip.records

    @property
    def groups(self) -> Groups:
        """The groups, row for row."""
        return self.cases.groups

    @property
    def scheme(self) -> Catalogue:
        """What they were grouped by."""
        return self.dip.reference.catalogue

    @property
    def counts(self) -> Counts:
        """How many rows came to which end."""
        return self.dip.counts

    def kind(self, row: int) -> str:
        """The kind of the group of a row, `ungrouped` where it has none."""
        return KIND_NAMES[int(self.cases.kind[row])]

    def adjustment(self, row: int) -> str:
        """The auxiliary coefficient of a row as its file writes it, "" = none."""
        return self.cases.adjustments[int(self.cases.adjustment[row])]


def dip_grouped(run: DipRun, *, adjustment_columns: Sequence[str] = ()) -> DipGrouped:
    """A run with what settlement asks of it.

    adjustment_columns: headers under which auxiliary coefficients may stand; the first that is
    there counts, a file without any has none.
    """
    adjustment, texts = _texts_of(run.records.user, adjustment_columns)
    cases = dip_cases(
        run.reference.catalogue,
        run.groups.row,
        run.groups.marked.astype(np.bool_),
        run.groups.status,
        adjustment=adjustment,
        adjustments=texts,
    )
    return DipGrouped(run, cases)


def _texts_of(
    user: UserTable, names: Sequence[str]
) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    """A column of the user's file: ids into its distinct texts, of which the first is "" (none)."""
    name = next((one for one in names if one in user.names), None)
    if name is None:
        return None, ("",)
    column = user.columns[user.names.index(name)]
    if isinstance(column, list):
        column = pa.array(["" if one is None else str(one) for one in column], pa.string())
    ids, texts = factorize(column)
    known = ("", *dict.fromkeys(text.strip() for text in texts if text.strip()))
    place = np.array([known.index(text.strip()) for text in texts], np.int64)
    return place[ids] if len(texts) else ids, known
