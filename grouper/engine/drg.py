"""Batch and compiled DRG scheme -> Groups, by the kernel."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from grouper.engine._kernel import Kernel
from grouper.engine.encode import EncodedBatch, Encoder
from grouper.engine.groups import REASONS, GroupCodes, Groups, group_codes
from grouper.records.batch import CaseBatch
from grouper.scheme.compile import CompiledScheme, compile_scheme
from grouper.scheme.model import Scheme


@dataclass(frozen=True)
class DrgGrouper:
    """A scheme ready to group: compiled, its kernel, and the names behind the ids."""

    scheme: Scheme
    compiled: CompiledScheme
    kernel: Kernel
    codes: GroupCodes = field(repr=False)
    encoder: Encoder = field(repr=False)

    @classmethod
    def of(cls, scheme: Scheme) -> DrgGrouper:
        """Compile a loaded scheme (about half a second); the result may be shared by threads."""
        return cls.ready(scheme, compile_scheme(scheme))

    @classmethod
    def ready(cls, scheme: Scheme, compiled: CompiledScheme) -> DrgGrouper:
        """The grouper of a scheme that is compiled already."""
        return cls(scheme, compiled, Kernel(compiled), group_codes(scheme), Encoder(compiled))

    def group(self, batch: CaseBatch) -> Groups:
        """The group of every case of a batch, in order."""
        return self.group_encoded(self.encoder.encode(batch))

    def group_encoded(self, encoded: EncodedBatch) -> Groups:
        """The same for a batch whose codes are ids already."""
        n = len(encoded)
        batch = encoded.batch
        rule_id, group_id = np.empty(n, np.uint32), np.empty(n, np.uint32)
        severity, status = np.empty(n, np.uint8), np.empty(n, np.uint8)
        reason = np.empty(n, np.uint16)
        slow = self.kernel.group(
            encoded.dx,
            encoded.dx_offsets,
            encoded.px,
            encoded.px_offsets,
            batch.sex,
            batch.age_years,
            batch.age_days,
            batch.admission_weight,
            batch.los_days,
            batch.discharge_disposition,
            batch.icu_hours,
            batch.reject,
            rule_id,
            group_id,
            severity,
            status,
            reason,
        )
        return Groups(
            rule_id=rule_id,
            group_id=group_id,
            severity=severity,
            status=status,
            reason=reason,
            reasons=(*REASONS, *batch.reject_codes),
            codes=self.codes,
            scheme_id=self.scheme.id,
            scheme_digest=self.scheme.digest,
            slow=slow,
        )

    def ids(self, codes: tuple[str, ...], kind: str) -> list[int]:
        """Ids of the codes of one case, for `kernel.group_one`."""
        vocabulary = self.compiled.vocabulary
        table = vocabulary.dx_ids if kind == "dx" else vocabulary.px_ids
        return [table.get(code, 0) for code in codes]


_MOST_KEPT = 8
_kept: dict[tuple[str, str], DrgGrouper] = {}


def grouper_of(scheme: Scheme) -> DrgGrouper:
    """The grouper of a scheme, compiled once a process for each digest."""
    key = (scheme.id, scheme.digest)
    found = _kept.get(key)
    if found is None:
        if len(_kept) == _MOST_KEPT:
            _kept.pop(next(iter(_kept)))
        found = _kept[key] = DrgGrouper.of(scheme)
    return found
