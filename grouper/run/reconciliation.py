"""Our results against the payer's: rows brought together, differences by the first step.

The steps are those in which a price comes about: the facts of the record, its codes, the MDC, the
ADRG, the refinement, the price. Every field that differs is kept; the first decides the class.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Literal

import numpy as np

from grouper.engine.groups import Groups, Status
from grouper.engine.reference import Reference
from grouper.errors import RunError, SettlementError
from grouper.policy.model import Allow
from grouper.records.layout import require
from grouper.records.read import Records
from grouper.records.user import UserTable
from grouper.run.differences import STEPS, CaseDifference, Pairs, Step
from grouper.run.keys import Matching, match, repeated
from grouper.run.pipeline import group_records
from grouper.run.settlement import settle_run
from grouper.run.verdicts import PRICES, GroupCode, Results, amount_of
from grouper.scheme.model import Scheme

#: keys that a message names
_SHOWN = 5

#: why the reader rejects a row for its id
_ID_CODES = ("RE01", "RE07")


@dataclass(frozen=True)
class Reconciliation:
    """Two files of results brought together.

    groups: ours, row for row; differences in the order of our rows; only_*: rows of one file alone;
    no_key_*: rows without key; regrouped: rows whose group in our file the scheme does not give.
    """

    ours: Results
    theirs: Results
    groups: tuple[GroupCode, ...]
    matching: Matching
    differences: tuple[CaseDifference, ...]
    scheme: Scheme | None
    prices: Mapping[str, Sequence[str]]
    regrouped: int = 0

    @property
    def equal(self) -> int:
        """Pairs without any difference."""
        return len(self.matching.pairs) - len(self.differences)

    def by_step(self) -> dict[Step, int]:
        """How many cases differ first in each step."""
        found = Counter(one.step for one in self.differences)
        return {step: found[step] for step in STEPS}

    def only(self, side: Literal["ours", "theirs"]) -> list[int]:
        """Rows with a key that the other file does not have."""
        file = self.ours if side == "ours" else self.theirs
        paired = {pair[side == "theirs"] for pair in self.matching.pairs}
        matching = self.matching
        unclear = matching.unclear_ours if side == "ours" else matching.unclear_theirs
        return [
            row
            for row, key in enumerate(file.keys)
            if key.text and row not in paired and row not in unclear
        ]

    def without_key(self, side: Literal["ours", "theirs"]) -> list[int]:
        """Rows that cannot be brought together with any."""
        file = self.ours if side == "ours" else self.theirs
        return [row for row, key in enumerate(file.keys) if not key.text]

    def standards(self) -> tuple[Decimal, Decimal] | None:
        """The sums of the payment standards of all pairs where both are known, in yuan."""
        if "standard" not in self.prices or "standard" not in self.theirs.prices:
            return None
        sums = [Decimal(0), Decimal(0)]
        for mine, other in self.matching.pairs:
            ours = amount_of(self.prices["standard"][mine])
            theirs = self.theirs.number("standard", other)
            if ours is not None and theirs is not None:
                sums[0] += ours
                sums[1] += theirs
        return sums[0], sums[1]


def reconcile(
    ours: Results,
    theirs: Results,
    *,
    scheme: Scheme | None = None,
    area: str | Path | None = None,
    allow: Allow = "verified",
) -> Reconciliation:
    """Hold our results against the payer's.

    With a scheme our records are grouped anew and the rules serve as evidence; with an area they
    are priced anew as well. Without a scheme the groups of our file count as they stand.

    Raises RunError: RN132 a key that is not unique, RN133 no row in common, RN135 no groups in the
    payer's file, RN136 none in ours and no scheme; SettlementError ST311 when prices are to be
    compared under a draft; PolicyError, WeightError for an area.
    """
    if not theirs.groups:
        raise RunError("RN135", theirs.name)
    if scheme is None and not ours.groups:
        raise RunError("RN136", ours.name)
    for file in (ours, theirs):
        twice = repeated(file.keys)
        if twice:
            shown = ", ".join(f"{key} ({n})" for key, n in list(twice.items())[:_SHOWN])
            raise RunError("RN132", file.name, n=len(twice), keys=shown)
    matching = match(ours.keys, theirs.keys)
    if not matching.pairs:
        mine, other = (
            ", ".join([key.text for key in file.keys if key.text][:_SHOWN]) or "-"
            for file in (ours, theirs)
        )
        raise RunError("RN133", ours=mine, theirs=other)
    groups: tuple[GroupCode, ...] = ours.groups
    prices: Mapping[str, Sequence[str]] = ours.prices
    if scheme is not None:
        if scheme.is_draft and (area or (set(prices) & set(theirs.prices))):
            raise SettlementError("ST311", scheme=scheme.id)
        groups, prices = _grouped_anew(ours, scheme, area, allow)
    pairs = Pairs(ours, theirs, groups, prices, Reference(scheme) if scheme else None)
    regrouped = sum(a != b for a, b in zip(groups, ours.groups, strict=False))
    return Reconciliation(
        ours,
        theirs,
        groups,
        matching,
        tuple(pairs.differences(matching)),
        scheme,
        prices,
        regrouped,
    )


def _grouped_anew(
    ours: Results, scheme: Scheme, area: str | Path | None, allow: Allow
) -> tuple[tuple[GroupCode, ...], Mapping[str, Sequence[str]]]:
    """Our groups by a scheme, and our prices: those of the area, else those of the file."""
    require(ours.reading, ("dx", "sex"), ours.name)
    table = ours.table
    batch = ours.batch
    # rejected for their ids alone: here the key counts, and no group depends on an id
    of_id = [at for at, code in enumerate(batch.reject_codes, 1) if code in _ID_CODES]
    reject = np.where(np.isin(batch.reject, of_id), np.uint16(0), batch.reject)
    batch = replace(batch, reject=reject)
    records = Records(batch, UserTable(table.names, table.columns, table.form, len(table)))
    run = group_records(records, scheme)
    groups = tuple(_codes(run.groups, scheme))
    if area is None:
        return groups, ours.prices
    columns = dict(settle_run(run, area, allow=allow).amounts.to_columns())
    names = {"relative_weight": "weight", "hospital_coefficient": "coefficient"}
    texts = {
        names.get(name, name): ["" if v is None else str(v) for v in column.to_pylist()]
        for name, column in columns.items()
    }
    return groups, {name: texts[name] for name in PRICES if name in texts}


def _codes(groups: Groups, scheme: Scheme) -> Iterator[GroupCode]:
    for status, rule, group in zip(
        groups.status.tolist(), groups.rule_id.tolist(), groups.group_id.tolist(), strict=True
    ):
        if status == Status.REJECTED:
            yield GroupCode("rejected")
        elif status == Status.UNGROUPED:
            yield GroupCode("ungrouped")
        else:
            row = scheme.adrgs[rule - 1]
            drg = scheme.drgs[group - 1].drg if status == Status.GROUPED else row.adrg
            word: Literal["grouped", "ambiguous"] = (
                "grouped" if status == Status.GROUPED else "ambiguous"
            )
            yield GroupCode(word, row.mdc, row.adrg, drg)
