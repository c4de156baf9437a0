"""Groups and amounts of one batch under several versions, each row by that of its discharge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grouper.dated import lowest
from grouper.engine.groups import GroupCodes, Groups
from grouper.settle.amounts import Amounts

#: columns that hold positions in a list of their own -> that list, and the number of "none"
_POSITIONS = {
    "rule": ("rules", 0),
    "issue": ("issues", 0),
    "notice": ("notices", 0),
    "cell": ("cells", -1),
}


def merge_amounts(parts: Sequence[Amounts], which: NDArray[np.int64]) -> Amounts:
    """Row i of the result is row i of `parts[which[i]]`; all parts settle the same batch."""
    if len(parts) == 1:
        return parts[0]
    values: dict[str, Any] = {}
    for each in fields(Amounts):
        columns = [getattr(part, each.name) for part in parts]
        if each.name in _POSITIONS:
            columns = _shifted(parts, each.name, columns)
        if isinstance(columns[0], np.ndarray):
            # a column that nothing stands in may be empty
            rows = max(map(len, columns))
            columns = [c if len(c) else np.zeros(rows, c.dtype) for c in columns]
            values[each.name] = _chosen(which, columns)
        elif isinstance(columns[0], tuple):
            values[each.name] = tuple(one for column in columns for one in column)
        else:
            values[each.name] = columns[-1]
    values["confidence"] = lowest(part.confidence for part in parts)
    for name in ("scheme_id", "weight_table"):
        values[name] = _named(getattr(part, name) for part in parts)
    return Amounts(**values)


def _chosen(which: NDArray[np.int64], columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
    if not len(columns[0]):
        return columns[0]
    return np.choose(which, columns).astype(columns[0].dtype)


def merge_groups(parts: Sequence[Groups], which: NDArray[np.int64]) -> Groups:
    """Row i of the result is row i of `parts[which[i]]`; the codes are those of all versions.

    All parts group the same batch. Raises ValueError if they reject for other reasons.
    """
    if len(parts) == 1:
        return parts[0]

    def chosen(name: str, sizes: Sequence[int]) -> NDArray[Any]:
        starts = np.cumsum([0, *sizes[:-1]])
        columns = [getattr(part, name).astype(np.int64) for part in parts]
        moved = [np.where(c > 0, c + start, 0) for c, start in zip(columns, starts, strict=True)]
        return np.choose(which, moved).astype(getattr(parts[0], name).dtype)

    if any(part.reasons != parts[0].reasons for part in parts):
        raise ValueError("groups of different batches")
    same = [0] * len(parts)
    joined = {
        each.name: ("", *(text for part in parts for text in getattr(part.codes, each.name)[1:]))
        for each in fields(GroupCodes)
    }
    return Groups(
        rule_id=chosen("rule_id", [len(part.codes.adrg) - 1 for part in parts]),
        group_id=chosen("group_id", [len(part.codes.drg) - 1 for part in parts]),
        severity=chosen("severity", same),
        status=chosen("status", same),
        reason=chosen("reason", same),
        # the same batch: what it rejected comes first in all parts, then what any grouping rejects
        reasons=parts[0].reasons,
        codes=GroupCodes(**joined),
        scheme_id=_named(part.scheme_id for part in parts),
        scheme_digest=_named(part.scheme_digest for part in parts),
    )


def _named(names: Iterable[str]) -> str:
    """All versions, in their order."""
    return " + ".join(dict.fromkeys(names))


def _shifted(parts: Sequence[Amounts], name: str, columns: list[Any]) -> list[Any]:
    """Positions in the joined list instead of each part's own."""
    listed, none = _POSITIONS[name]
    before, shifted = 0, []
    for part, column in zip(parts, columns, strict=True):
        wide = column.astype(np.int64)
        shifted.append(np.where(wide == none, none, wide + before).astype(column.dtype))
        before += len(getattr(part, listed))
    return shifted
