"""How cases and their cost move from the groups of one scheme to those of another.

Every pair of results that occurs is a flow; the sums behind them are those of flow_sums.py, so
hospitals and departments add up to the whole, to the fen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Literal

import numpy as np

from grouper.engine.groups import GroupCodes, Groups, Status
from grouper.monitor.flow_sums import MEASURES, FlowSums, FlowTally, Ids

#: how far a case moves: not at all, within the ADRG, within the MDC, to another MDC, or to or
#: from the cases without a group
MoveKind = Literal["same", "drg", "adrg", "mdc", "status"]
KINDS: tuple[MoveKind, ...] = ("same", "drg", "adrg", "mdc", "status")

REJECTED, UNGROUPED = 0, 1


@dataclass(frozen=True, slots=True)
class Label:
    """One result that a scheme can give; codes are empty where there is no group."""

    status: Status
    code: str = ""
    name: str = ""
    adrg: str = ""
    mdc: str = ""


@dataclass(frozen=True)
class Labels:
    """Every result of a scheme, rejected and ungrouped first, and those of its ids."""

    labels: tuple[Label, ...]
    of_group: Ids
    of_rule: Ids

    @classmethod
    def of(cls, codes: GroupCodes, adrg_of: Mapping[str, str], names: Mapping[str, str]) -> Labels:
        """The labels behind a scheme's ids; `adrg_of`: DRG -> ADRG, `names`: ADRG -> name."""
        found: dict[tuple[str, str], Label] = {
            ("", "rejected"): Label(Status.REJECTED),
            ("", "ungrouped"): Label(Status.UNGROUPED),
        }
        mdc_of = dict(zip(codes.adrg, codes.mdc, strict=True))
        places = {key: at for at, key in enumerate(found)}

        def place(key: tuple[str, str], label: Label) -> int:
            found.setdefault(key, label)
            return places.setdefault(key, len(places))

        of_group = [REJECTED]
        for drg, name in zip(codes.drg[1:], codes.drg_name[1:], strict=True):
            adrg = adrg_of[drg]
            label = Label(Status.GROUPED, drg, name, adrg, mdc_of[adrg])
            of_group.append(place((drg, "grouped"), label))
        of_rule = [REJECTED]
        for adrg, mdc in zip(codes.adrg[1:], codes.mdc[1:], strict=True):
            label = Label(Status.AMBIGUOUS, adrg, names[adrg], adrg, mdc)
            of_rule.append(place((adrg, "ambiguous"), label))
        return cls(tuple(found.values()), np.array(of_group, np.int64), np.array(of_rule, np.int64))

    def __len__(self) -> int:
        return len(self.labels)

    def ids(self, groups: Groups) -> Ids:
        """The label of every case, (n,)."""
        status = groups.status
        found = np.full(len(groups), UNGROUPED, np.int64)
        found = np.where(status == Status.GROUPED, self.of_group[groups.group_id], found)
        found = np.where(status == Status.AMBIGUOUS, self.of_rule[groups.rule_id], found)
        return np.where(status == Status.REJECTED, REJECTED, found)


def kind_of(before: Label, after: Label) -> MoveKind:
    """How far a case moves between two results."""
    if before.status is not after.status:
        return "status"
    if before.code == after.code:
        return "same"
    if before.mdc != after.mdc:
        return "mdc"
    return "adrg" if before.adrg != after.adrg else "drg"


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over some cases; weights in units, amounts in fen, by MEASURES."""

    sums: tuple[int, ...] = (0,) * len(MEASURES)

    def __getitem__(self, measure: str) -> int:
        return self.sums[MEASURES.index(measure)]


@dataclass(frozen=True, slots=True)
class Flow:
    """Cases with one result before and one after; `first`: the position of the first of them."""

    before: Label
    after: Label
    kind: MoveKind
    totals: Totals
    first: int

    @property
    def renamed(self) -> bool:
        """Whether the group keeps its code and has another name: it may be another group."""
        return self.kind == "same" and self.before.name != self.after.name

    @property
    def recoded(self) -> bool:
        """Whether only the code changes: the group after bears the name of the group before."""
        named = bool(self.before.name) and self.before.status is self.after.status
        return named and self.kind != "same" and self.before.name == self.after.name


@dataclass(frozen=True)
class Breakdown:
    """All flows of one value of a dimension (a hospital, a department, an MDC)."""

    value: str
    flows: tuple[Flow, ...]

    @cached_property
    def totals(self) -> Totals:
        """All its cases."""
        return _sum(self._kinds.values())

    @cached_property
    def moved(self) -> Totals:
        """The cases that change their group."""
        return _sum(totals for kind, totals in self._kinds.items() if kind != "same")

    def of_kind(self, kind: MoveKind) -> Totals:
        """The cases that move so far."""
        return self._kinds[kind]

    @property
    def recoded(self) -> int:
        """Moved cases whose group keeps its name and has another code."""
        return sum(flow.totals["cases"] for flow in self.flows if flow.recoded)

    @cached_property
    def _kinds(self) -> dict[MoveKind, Totals]:
        return {
            kind: _sum(flow.totals for flow in self.flows if flow.kind == kind) for kind in KINDS
        }

    def status(self, side: Literal["from", "to"], status: Status) -> int:
        """How many cases have a status on one side."""
        return sum(
            flow.totals["cases"]
            for flow in self.flows
            if (flow.before if side == "from" else flow.after).status is status
        )

    def grouping_rate(self, side: Literal["from", "to"]) -> Fraction | None:
        """Grouped cases over all cases; None without cases."""
        cases = self.totals["cases"]
        return Fraction(self.status(side, Status.GROUPED), cases) if cases else None

    def cmi(self, side: Literal["from", "to"], decimals: int) -> Fraction | None:
        """The mean weight of the cases that have one; weights are units of 10**-decimals."""
        known = self.totals[f"weight_{side}_known"]
        if not known:
            return None
        return Fraction(self.totals[f"weight_{side}"], known * 10**decimals)

    def payment_fen(self, side: Literal["from", "to"]) -> int | None:
        """What the groups are worth; None if no case has an amount."""
        totals = self.totals
        return totals[f"payment_{side}"] if totals[f"payment_{side}_known"] else None

    @property
    def payment_difference_fen(self) -> int | None:
        """What the groups after are worth more than those before; None unless both are known."""
        before, after = self.payment_fen("from"), self.payment_fen("to")
        return None if before is None or after is None else after - before


@dataclass(frozen=True, slots=True)
class GroupChange:
    """One group code on both sides: cases before, those that stay, leave and arrive, and after."""

    code: str
    name_from: str
    name_to: str
    before: int
    stay: int
    leave: int
    arrive: int
    after: int
    cost_leave_fen: int
    cost_arrive_fen: int


@dataclass(frozen=True)
class Movement:
    """All flows between two schemes, in all and by dimension."""

    before: Labels
    after: Labels
    tally: FlowTally

    @cached_property
    def whole(self) -> Breakdown:
        """All cases."""
        return Breakdown("", tuple(self._flows(self.tally.all)))

    @property
    def moves(self) -> tuple[Flow, ...]:
        """The flows in which cases change their group, the largest first."""
        return tuple(flow for flow in self.whole.flows if flow.kind != "same")

    def by(self, dimension: str) -> tuple[Breakdown, ...]:
        """Each value of a dimension, in order; `mdc` is that of the scheme before."""
        if dimension == "mdc":
            return self._by_mdc()
        sums = self.tally.by[dimension]
        size = len(self.before) * len(self.after)
        value = sums.keys // size
        found = []
        for number, text in enumerate(self.tally.texts(dimension)):
            mine = value == number
            part = FlowSums(sums.keys[mine] % size, sums.sums[mine], sums.first[mine])
            found.append(Breakdown(text, tuple(self._flows(part))))
        return tuple(sorted(found, key=lambda one: one.value))

    def groups(self) -> tuple[GroupChange, ...]:
        """Every group that has cases on either side, in order of its code."""
        rows: dict[str, list[int]] = {}
        names: dict[str, list[str]] = {}
        for flow in self.whole.flows:
            cases, cost = flow.totals["cases"], flow.totals["cost"]
            for side, label in enumerate((flow.before, flow.after)):
                if not label.code:
                    continue
                names.setdefault(label.code, ["", ""])[side] = label.name
                row = rows.setdefault(label.code, [0] * 5)
                row[side] += cases
                if flow.kind != "same":
                    row[3 + side] += cost
                elif side == 0:
                    row[2] += cases
        return tuple(
            GroupChange(
                code=code,
                name_from=names[code][0],
                name_to=names[code][1],
                before=before,
                stay=stay,
                leave=before - stay,
                arrive=after - stay,
                after=after,
                cost_leave_fen=left,
                cost_arrive_fen=arrived,
            )
            for code, (before, after, stay, left, arrived) in sorted(rows.items())
        )

    def _by_mdc(self) -> tuple[Breakdown, ...]:
        parts: dict[str, list[Flow]] = {}
        for flow in self.whole.flows:
            parts.setdefault(flow.before.mdc, []).append(flow)
        return tuple(Breakdown(mdc, tuple(parts[mdc])) for mdc in sorted(parts))

    def _flows(self, sums: FlowSums) -> list[Flow]:
        width = len(self.after)
        found = []
        rows = zip(sums.keys.tolist(), sums.sums.tolist(), sums.first.tolist(), strict=True)
        for key, amounts, first in rows:
            before, after = self.before.labels[key // width], self.after.labels[key % width]
            kind = kind_of(before, after)
            found.append(Flow(before, after, kind, Totals(tuple(amounts)), first))
        return sorted(found, key=_largest_first)


def _largest_first(flow: Flow) -> tuple[int, int, str, str, int, int]:
    totals, before, after = flow.totals, flow.before, flow.after
    return (
        -totals["cases"],
        -totals["cost"],
        before.code,
        after.code,
        before.status,
        after.status,
    )


def _sum(parts: Iterable[Totals]) -> Totals:
    sums = [one.sums for one in parts]
    return Totals(tuple(map(sum, zip(*sums, strict=True)))) if sums else Totals()
