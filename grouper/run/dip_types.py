"""Types of cases (辅助分型) from records: parts of their cost, all their types in one number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grouper.engine.dip_types import Shares, described, types_of
from grouper.records.batch import MISSING_FEN, CaseBatch
from grouper.records.user import Column
from grouper.run.history import fen_of
from grouper.scheme.dip_auxiliary import AuxiliaryRules

#: families that one number holds, a byte each, for ordinary and for dear cases
_MOST = 4

Types = tuple[str, ...]


@dataclass(frozen=True, slots=True, order=True)
class TypePair:
    """The types that fit a case: as it is if it is not dear beside its group, and if it is."""

    ordinary: Types
    dear: Types


def shares_of(columns: Mapping[str, Column], n: int, rules: AuxiliaryRules) -> Shares:
    """The parts of the cost of n cases; columns: by field."""
    return Shares(
        _part(columns, n, rules.parts.get("treatment", ())),
        _part(columns, n, rules.parts.get("drugs", ())),
    )


def _part(
    columns: Mapping[str, Column], n: int, sets: Sequence[Sequence[str]]
) -> NDArray[np.int64]:
    """The sum of the first set of fields of which one is there; an empty cell is nothing."""
    for names in sets:
        there = [fen_of(columns[name]) for name in names if name in columns]
        if there:
            known = np.any([fen != MISSING_FEN for fen in there], axis=0)
            total = np.sum([np.where(fen == MISSING_FEN, 0, fen) for fen in there], axis=0)
            return np.where(known, total, MISSING_FEN).astype(np.int64)
    return np.full(n, MISSING_FEN, np.int64)


def type_pairs(
    batch: CaseBatch, rules: AuxiliaryRules, shares: Shares
) -> tuple[list[TypePair], NDArray[np.int64]]:
    """The distinct pairs of types and which each case has, (n,)."""
    assert len(rules.families) <= _MOST
    packed = np.zeros((len(batch), 2 * _MOST), np.uint8)
    for half, dear in enumerate((False, True)):
        found = types_of(batch, rules, shares, np.full(len(batch), dear))
        packed[:, half * _MOST : half * _MOST + found.shape[1]] = found
    numbers, at = np.unique(packed.view(np.uint64).ravel(), return_inverse=True)
    rows = numbers.view(np.uint8).reshape(-1, 2 * _MOST).tolist()
    pairs = [TypePair(described(row[:_MOST], rules), described(row[_MOST:], rules)) for row in rows]
    return pairs, at
