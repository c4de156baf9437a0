"""Rows to cells, and cells to the columns of Amounts: the same for packs and leads."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from grouper.errors import Issue
from grouper.records.batch import MISSING_FEN
from grouper.settle.amounts import DecidingRule
from grouper.settle.batch import Ids, Marks
from grouper.settle.cuts import CompiledCell, Cuts


def by_cell(
    axes: Sequence[NDArray[np.integer]],
    sizes: Sequence[int],
    price: Callable[[tuple[int, ...], int], CompiledCell | Issue],
    marks: Marks,
) -> tuple[Ids, list[CompiledCell]]:
    """For each row without a mark the position of its cell (-1: none), and the cells.

    axes: what makes a cell, (n,) positions below `sizes`. Each distinct key is priced once, with
    one of its rows; rows of a cell that has no price are marked with the issue.
    """
    rows = np.flatnonzero(marks.number == 0)
    position = np.full(len(marks.number), -1, np.int64)
    if not len(rows):
        return position, []
    taken = slice(None) if len(rows) == len(position) else rows
    keys = np.ravel_multi_index([axis[taken].astype(np.int64) for axis in axes], sizes)
    distinct, one, inverse = _distinct(keys, math.prod(sizes))
    parts = (axis.tolist() for axis in np.unravel_index(distinct, sizes))
    priced = [
        price(key, row)
        for key, row in zip(zip(*parts, strict=True), rows[one].tolist(), strict=True)
    ]
    cells = [found for found in priced if not isinstance(found, Issue)]
    fine = np.array([not isinstance(one, Issue) for one in priced])
    position[taken] = np.where(fine, np.cumsum(fine) - 1, -1)[inverse]
    if not fine.all():
        reasons = np.full(len(position), len(priced), np.int64)
        reasons[taken] = inverse
        issues = [one if isinstance(one, Issue) else None for one in priced]
        marks.mark_each(reasons, [*issues, None])
    return position, cells


def _distinct(keys: Ids, size: int) -> tuple[Ids, Ids, Ids]:
    """What numpy.unique says of keys below `size`: themselves, where each comes first, and which.

    By a table of all keys, where that is no larger than the keys: sorting takes longer.
    """
    if size > 4 * len(keys):
        return np.unique(keys, return_index=True, return_inverse=True)
    first = np.full(size, -1, np.int64)
    first[keys[::-1]] = np.arange(len(keys) - 1, -1, -1)
    distinct = np.flatnonzero(first >= 0)
    number = np.empty(size, np.int64)
    number[distinct] = np.arange(len(distinct))
    return distinct, first[distinct], number[keys]


class Pricing:
    """The columns of Amounts that the rules of payment fill; MISSING_FEN where there is nothing."""

    def __init__(self, rows: int) -> None:
        self.case_type = np.zeros(rows, np.uint8)
        self.standard = np.full(rows, MISSING_FEN, np.int64)
        self.payable = np.full(rows, MISSING_FEN, np.int64)
        self.rule = np.zeros(rows, np.uint16)
        self.rules: list[DecidingRule] = []

    def fill(self, cell_of: Ids, cells: Sequence[CompiledCell], cost: Ids, days: Ids) -> None:
        """Price every row that has a cell by the branch on which its cost falls."""
        rows = np.flatnonzero(cell_of >= 0)
        if not len(rows):
            return
        own = cell_of[rows]
        cuts = Cuts(cells)
        branch = cuts.find(own, cost[rows])
        kinds = np.array([one.case_type for one in cuts.branches], np.uint8)
        self.case_type[rows] = kinds[branch]
        self.rules = list(dict.fromkeys(one.rule for one in cuts.branches))
        place = {rule: number for number, rule in enumerate(self.rules, 1)}
        self.rule[rows] = np.array([place[one.rule] for one in cuts.branches], np.uint16)[branch]
        by_days = np.array([one.by_days for one in cuts.branches], np.bool_)[branch]
        self.payable[rows] = cuts.pay(branch, np.where(by_days, days[rows], cost[rows]))
        standards = [
            MISSING_FEN if cell.standard_fen is None else cell.standard_fen for cell in cells
        ]
        self.standard[rows] = np.array(standards, np.int64)[own]
