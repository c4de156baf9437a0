"""The same files settled under two sets of rules, and what that changes for whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow.compute as pc

from grouper.engine.groups import Groups, Status
from grouper.errors import RunError
from grouper.policy.variant import Setting
from grouper.records.texts import text_column
from grouper.run.settlement import SettledRun
from grouper.settle.amounts import CaseType
from grouper.settle.simulate import Labels, Simulation, simulate

#: what sums can be divided by; the group is that of the rules before
Division = Literal["hospital", "insurance", "group", "dept", "doctor", "case_type"]
DIVISIONS: tuple[Division, ...] = (
    "hospital", "insurance", "group", "dept", "doctor", "case_type"
)  # fmt: skip
#: divisions that stand in a column of the records
_FIELDS: dict[str, tuple[str, ...]] = {
    "hospital": ("hospital", "hospital_name"),
    "insurance": ("insurance",),
    "dept": ("dept",),
    "doctor": ("doctor", "doctor_name"),
}


@dataclass(frozen=True)
class Simulated:
    """Two settlements of the same cases, and what changes; `settings` made the second."""

    before: SettledRun
    after: SettledRun
    settings: tuple[Setting, ...]
    result: Simulation


def simulate_runs(
    before: SettledRun,
    after: SettledRun,
    *,
    settings: Sequence[Setting] = (),
    by: Sequence[Division] = (),
) -> Simulated:
    """Sum up what changes between two settlements of the same records.

    settings: what made the rules after, to be told. by: divisions; every one that the files have if
    there is none. Raises RunError RN138 for a division that the files do not have, RN139 if both
    sides are the same.
    """
    if after.same_rules(before):
        raise RunError("RN139", area=after.policy.area.id)
    divisions = {str(name): _labels(before, name) for name in by or _known(before)}
    result = simulate(before.amounts, after.amounts, divisions)
    return Simulated(before, after, tuple(settings), result)


def _known(settled: SettledRun) -> list[Division]:
    """The divisions whose columns the files have."""
    return [name for name in DIVISIONS if name not in _FIELDS or _column(settled, name) is not None]


def _column(settled: SettledRun, name: str) -> int | None:
    """The position of the column that a division is read from."""
    user = settled.run.records.user
    places = {user.fields.get(title): at for at, title in enumerate(user.names)}
    return next((places[field] for field in _FIELDS[name] if field in places), None)


def _labels(settled: SettledRun, name: Division) -> Labels:
    """Every case's label in a division."""
    if name == "group":
        return _groups(settled.run.groups)
    if name == "case_type":
        words = tuple(kind.word("en") for kind in CaseType)
        return Labels(settled.amounts.case_type.astype(np.int64), words)
    at, user = _column(settled, name), settled.run.records.user
    if at is None:
        raise RunError("RN138", dimension=name)
    coded = pc.utf8_trim_whitespace(text_column(user.columns[at])).dictionary_encode()
    return Labels(coded.indices.to_numpy().astype(np.int64), tuple(coded.dictionary.to_pylist()))


def _groups(groups: Groups) -> Labels:
    """The group, or for cases without one their status."""
    drg = tuple(groups.codes.drg)
    outside = groups.status != Status.GROUPED
    ids = np.where(outside, len(drg) + groups.status.astype(np.int64), groups.group_id)
    return Labels(ids.astype(np.int64), (*drg, *(status.name.lower() for status in Status)))
