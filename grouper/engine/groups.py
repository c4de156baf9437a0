"""The result of grouping many cases: dense ids, and how they become columns of text."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from grouper.scheme.condition import to_text
from grouper.scheme.model import Scheme

#: why grouping itself rejects a case, in the order of the checks; `Groups.reason` counts from 1
REASONS = ("sex", "no_dx")


class Status(IntEnum):
    """What became of a case; the lower-case name is the word in result files."""

    GROUPED = 0
    AMBIGUOUS = 1
    UNGROUPED = 2
    REJECTED = 3

    @property
    def word(self) -> str:
        """`grouped`, `ambiguous`, `ungrouped` or `rejected`."""
        return self.name.lower()


class Severity(IntEnum):
    """What the refinement of the ADRG saw; NONE too where the ADRG does not split by it."""

    NONE = 0
    CC = 1
    MCC = 2


@dataclass(frozen=True, slots=True)
class GroupCodes:
    """Names behind the ids of `Groups`: position 0 is "none", then the rows of the scheme.

    mdc, adrg, rule_text: by rule id (rows of adrg.tsv); drg, drg_name, drg_text: by group id
    (rows of drg.tsv). mdc is written as in results, `MDCB`. The texts say which condition decided.
    """

    mdc: tuple[str, ...]
    adrg: tuple[str, ...]
    rule_text: tuple[str, ...]
    drg: tuple[str, ...]
    drg_name: tuple[str, ...]
    drg_text: tuple[str, ...]


def group_codes(scheme: Scheme) -> GroupCodes:
    """The names behind the ids of results made with `scheme`."""
    return GroupCodes(
        mdc=("", *(f"MDC{rule.mdc}" for rule in scheme.adrgs)),
        adrg=("", *(rule.adrg for rule in scheme.adrgs)),
        rule_text=("", *(to_text(rule.when) for rule in scheme.adrgs)),
        drg=("", *(drg.drg for drg in scheme.drgs)),
        drg_name=("", *(drg.name for drg in scheme.drgs)),
        drg_text=("", *(to_text(drg.when) for drg in scheme.drgs)),
    )


@dataclass(frozen=True, slots=True)
class Groups:
    """One result a case, (n,) arrays.

    rule_id   uint32: 1 + row of adrg.tsv that took the case, 0 when none did
    group_id  uint32: 1 + row of drg.tsv, 0 when not grouped (ambiguous cases have a rule only)
    severity  uint8 (Severity), status uint8 (Status)
    reason    uint16: 0, or 1 + position in `reasons` for rejected cases (`sex`, `no_dx`, RE codes)
    slow      how many cases took the kernel's slow path (0 from the reference)
    """

    rule_id: NDArray[np.uint32]
    group_id: NDArray[np.uint32]
    severity: NDArray[np.uint8]
    status: NDArray[np.uint8]
    reason: NDArray[np.uint16]
    reasons: tuple[str, ...]
    codes: GroupCodes
    scheme_id: str
    scheme_digest: str
    slow: int = 0

    def __len__(self) -> int:
        return len(self.status)

    @property
    def n_decisions(self) -> int:
        """More than any number in `decisions`."""
        return len(self.codes.adrg) * len(self.codes.drg) + len(self.reasons) + 1

    def decisions(self) -> NDArray[np.int32]:
        """(n,) a number for each way to end: rule and group, or the reason of a rejection."""
        size = len(self.codes.drg)
        number = self.rule_id.astype(np.int32) * np.int32(size) + self.group_id.astype(np.int32)
        rejected = self.status == Status.REJECTED
        if rejected.any():
            first = np.int32(len(self.codes.adrg) * size)
            number = np.where(rejected, first + self.reason, number)
        return number

    def some(self, cases: NDArray[np.int64]) -> Groups:
        """The results of some cases."""
        return replace(
            self,
            rule_id=self.rule_id[cases],
            group_id=self.group_id[cases],
            severity=self.severity[cases],
            status=self.status[cases],
            reason=self.reason[cases],
        )

    def reason_of(self, case: int) -> str:
        """The token for which a case was rejected."""
        return self.reasons[int(self.reason[case]) - 1]

    def reason_counts(self) -> dict[str, int]:
        """How many cases were rejected, by reason."""
        rejected = self.reason[self.status == Status.REJECTED]
        counts = np.bincount(rejected, minlength=len(self.reasons) + 1)[1:]
        return {token: int(n) for token, n in zip(self.reasons, counts, strict=True) if n}
