"""DIP groups as settlement takes them: the codes, kinds and status of every case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grouper.engine.groups import GroupCodes, Groups, Status
from grouper.policy.dip import KINDS
from grouper.scheme.dip import Catalogue

#: a case in a group of the catalogue's rows is of the row's kind, else it is `ungrouped`
KIND_NAMES = (*KINDS, "ungrouped")
UNGROUPED = len(KINDS)


@dataclass(frozen=True, slots=True, eq=False)
class DipCases:
    """n grouped cases.

    groups: in the form that DRG settlement, statements and reports read (group_id = 1 + row of the
    catalogue); kind: (n,) uint8 positions in KIND_NAMES; adjustment: (n,) positions in
    `adjustments`, the auxiliary coefficients as text, position 0 is none (1).
    """

    groups: Groups
    kind: NDArray[np.uint8]
    adjustment: NDArray[np.int64]
    adjustments: tuple[str, ...] = ("",)

    def __len__(self) -> int:
        return len(self.kind)


def dip_cases(
    catalogue: Catalogue,
    row: NDArray[np.int32],
    primary: NDArray[np.bool_],
    status: NDArray[np.uint8],
    *,
    adjustment: NDArray[np.int64] | None = None,
    adjustments: Sequence[str] = ("",),
) -> DipCases:
    """The cases of a batch.

    row: (n,) position in catalogue.rows, -1 = none; primary: (n,) whether the catalogue's list
    makes the group a primary one; status: (n,) Status.
    """
    n = len(row)
    kinds = np.array([*(KIND_NAMES.index(one.kind) for one in catalogue.rows), UNGROUPED], np.uint8)
    own = kinds[row]
    own[primary & (row >= 0)] = KIND_NAMES.index("primary")
    ids = (row + 1).astype(np.uint32)
    codes = ("", *(one.code for one in catalogue.rows))
    keys = ("", *(one.dx_keys[0] if one.dx_keys else one.code for one in catalogue.rows))
    groups = Groups(
        rule_id=np.where(status == Status.GROUPED, ids, 0).astype(np.uint32),
        group_id=ids,
        severity=np.zeros(n, np.uint8),
        status=status,
        reason=np.zeros(n, np.uint16),
        reasons=(),
        codes=GroupCodes(
            mdc=tuple(key[:1] for key in keys),
            adrg=keys,
            rule_text=("",) * len(codes),
            drg=codes,
            drg_name=("", *(one.name for one in catalogue.rows)),
            drg_text=("",) * len(codes),
        ),
        scheme_id=catalogue.id,
        scheme_digest=catalogue.digest,
    )
    none = np.zeros(n, np.int64)
    return DipCases(groups, own, none if adjustment is None else adjustment, tuple(adjustments))
