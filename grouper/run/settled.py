"""Files of any size to amounts: grouped, priced and written part by part, in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import weights
from grouper.engine.groups import Groups
from grouper.errors import Lang
from grouper.policy.model import Allow
from grouper.records.batch import CaseBatch
from grouper.run.decisions import Columns
from grouper.run.settlement import open_area
from grouper.run.stream import BATCH, Options, Progress, group_to_file
from grouper.run.tally import Outcome
from grouper.scheme.model import Scheme
from grouper.settle.amounts import COLUMN_TITLES
from grouper.settle.case import Settler
from grouper.settle.sums import CaseSums, added, case_sums


@dataclass
class PartsPricing:
    """Prices parts by one settler; keeps their sums, checked, by the number of the part."""

    settler: Settler
    lang: Lang
    names: tuple[str, ...] = tuple(COLUMN_TITLES)
    _sums: dict[int, CaseSums] = field(default_factory=dict)

    def columns(self, number: int, batch: CaseBatch, groups: Groups) -> Columns:
        """The amounts of a part. Raises SettlementError ST307 for sums that do not meet."""
        amounts = self.settler.settle(batch, groups)
        self._sums[number] = case_sums(amounts)
        return amounts.to_columns(self.lang)

    @property
    def sums(self) -> CaseSums:
        """The sums of all parts so far, in their order."""
        return added(self._sums[number] for number in sorted(self._sums))


@dataclass(frozen=True)
class SettledFile:
    """How a run over files ended: its grouping, and what its cases sum to."""

    outcome: Outcome
    sums: CaseSums
    settler: Settler


def settler_of(
    area: str | Path, scheme: Scheme, *, table: str | None = None, allow: Allow = "verified"
) -> Settler:
    """What prices cases of a scheme by the rules of an area, with the tables of all its eras.

    Raises what open_area and Settler raise.
    """
    policy, found = open_area(area, scheme, table=table)
    eras = [terms for terms in policy.terms if terms.scheme_id == scheme.id]
    names = dict.fromkeys(terms.weight_table for terms in eras)
    return Settler(
        found,
        policy,
        scheme_id=scheme.id,
        scheme_status=scheme.status,
        allow=allow,
        more=[weights.load(name) for name in names if name != found.id],
    )


def settle_to_file(
    paths: Sequence[Path],
    scheme: Scheme,
    area: str | Path,
    target: Path,
    options: Options,
    *,
    table: str | None = None,
    allow: Allow = "verified",
    threads: int | None = None,
    batch: int = BATCH,
    progress: Progress | None = None,
) -> SettledFile:
    """Group and price files into one result file in memory that does not grow with them.

    Row for row what settle_run gives. Raises what group_to_file, open_area and Settler raise;
    SettlementError ST307 when sums do not meet. Nothing is left half-written.
    """
    settler = settler_of(area, scheme, table=table, allow=allow)
    pricing = PartsPricing(settler, options.lang)
    outcome = group_to_file(
        paths,
        scheme,
        target,
        options,
        threads=threads,
        batch=batch,
        progress=progress,
        pricing=pricing,
    )
    return SettledFile(outcome, pricing.sums, settler)
