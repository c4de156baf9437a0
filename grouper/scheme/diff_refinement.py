"""What differs in how an ADRG is refined: to which DRG the same record comes, before and after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from grouper.scheme.change import Change, Side
from grouper.scheme.condition import Condition, to_text
from grouper.scheme.diff_codes import mdcs_of
from grouper.scheme.matching import components, regrouping
from grouper.scheme.meaning import Comparer, Grid, Names, with_names
from grouper.scheme.model import Drg

#: where no DRG of the ADRG fits
_NONE = -1


@dataclass(frozen=True)
class Flows:
    """For every combination of answers, the place of the DRG it comes to, before and after.

    None when there are too many combinations.
    """

    before: NDArray[np.int64] | None
    after: NDArray[np.int64] | None

    @classmethod
    def of(cls, ours: Sequence[Drg], theirs: Sequence[Drg], names: Names) -> Flows:
        """The flows of two refinements under names for their lists."""
        first = [with_names(drg.when, names[0]) for drg in ours]
        second = [with_names(drg.when, names[1]) for drg in theirs]
        grid = Grid.of((*first, *second))
        if grid is None:
            return cls(None, None)
        return cls(_placed(grid, first), _placed(grid, second))

    def edges(self, ours: Sequence[Drg], theirs: Sequence[Drg]) -> set[tuple[str, str]]:
        """Which DRG some record comes from, and to which it goes."""
        if self.before is None or self.after is None:
            return set()
        pairs = _together(self.before, self.after)
        return {(ours[a].drg, theirs[b].drg) for a, b in pairs if _NONE not in (a, b)}

    def differ(self, place: int, other: int) -> bool:
        """Whether other records come to the DRG at `other` now than to the one at `place` then."""
        if self.before is None or self.after is None:
            return True
        return bool(((self.before == place) != (self.after == other)).any())


def _placed(grid: Grid, conditions: Sequence[Condition]) -> NDArray[np.int64]:
    found = np.full(grid.shape, _NONE, np.int64)
    for place, condition in enumerate(conditions):
        found[(found == _NONE) & grid.truth(condition)] = place
    return found


def _together(before: NDArray[np.int64], after: NDArray[np.int64]) -> set[tuple[int, int]]:
    return {*zip(before.ravel().tolist(), after.ravel().tolist(), strict=True)}


def refinement_changes(
    ours: Sequence[Drg], theirs: Sequence[Drg], comparer: Comparer
) -> Iterator[Change]:
    """The changes between the DRGs of an ADRG and those of its counterpart."""
    flows = next(
        (f for names in comparer.names if _same(f := Flows.of(ours, theirs, names), ours, theirs)),
        Flows.of(ours, theirs, comparer.names[0]),
    )
    edges = flows.edges(ours, theirs)
    edges |= _unreached(ours, theirs, edges)
    found = components([d.drg for d in ours], [d.drg for d in theirs], edges)
    pairs: list[tuple[Drg, Drg]] = []
    redrawn = False
    for before, after in found:
        left = [drg for drg in ours if drg.drg in before]
        right = [drg for drg in theirs if drg.drg in after]
        changes = list(_regrouped(left, right))
        redrawn |= bool(changes)
        yield from changes
        pairs += _pairs(left, right)
    rewritten = list(_conditions(ours, theirs, pairs, flows, comparer))
    yield from rewritten
    for one, other in pairs:
        if one.name != other.name:
            yield Change("groups", "drg_renamed", _side(one), _side(other), _mdcs(one, other))
    # the same DRGs with the same conditions, and yet other records come to them
    if not redrawn and not rewritten and not _same(flows, ours, theirs):
        yield Change("groups", "drg_moved", _side(*ours), _side(*theirs), _mdcs(*ours, *theirs))


def _same(flows: Flows, ours: Sequence[Drg], theirs: Sequence[Drg]) -> bool:
    """Whether every record comes to the DRG of the same last character as before."""
    if flows.before is None or flows.after is None:
        return False
    before, after = ([*(drg.drg[3:] for drg in drgs), ""] for drgs in (ours, theirs))
    pairs = _together(flows.before, flows.after)
    return all(before[a] == after[b] for a, b in pairs)


def _unreached(
    ours: Sequence[Drg], theirs: Sequence[Drg], edges: set[tuple[str, str]]
) -> set[tuple[str, str]]:
    """A DRG that no record comes to, or of which that is not known, is the one of its code."""
    lone = {d.drg for d in ours} - {a for a, _ in edges}
    other_lone = {d.drg for d in theirs} - {b for _, b in edges}
    return {
        (one.drg, other.drg)
        for one in ours
        for other in theirs
        if one.drg[3:] == other.drg[3:] and (one.drg in lone or other.drg in other_lone)
    }


def _regrouped(before: Sequence[Drg], after: Sequence[Drg]) -> Iterator[Change]:
    """What became of DRGs that hang together by the records that come to them."""
    mdcs = _mdcs(*before, *after)
    if {d.drg[3:] for d in before} == {d.drg[3:] for d in after}:
        for one, other in _pairs(before, after):
            if one.drg != other.drg:
                yield Change("groups", "drg_recoded", _side(one), _side(other), mdcs)
        return
    kind = f"drg_{regrouping(len(before), len(after))}"
    yield Change("groups", kind, _refined(before), _refined(after), mdcs)


def _pairs(before: Sequence[Drg], after: Sequence[Drg]) -> list[tuple[Drg, Drg]]:
    if len(before) == len(after) == 1:
        return [(before[0], after[0])]
    return [(one, other) for one in before for other in after if one.drg[3:] == other.drg[3:]]


def _conditions(
    ours: Sequence[Drg],
    theirs: Sequence[Drg],
    pairs: Sequence[tuple[Drg, Drg]],
    flows: Flows,
    comparer: Comparer,
) -> Iterator[Change]:
    """DRGs whose own condition says something else, where that moves a record.

    `mcc or cc` after `mcc` is `cc`: conditions count together with those tried before them.
    """
    for one, other in pairs:
        if not flows.differ(ours.index(one), theirs.index(other)):
            continue
        found = comparer.relation(one.when, other.when)
        if found != "same":
            before = Side((one.drg,), (one.name,), to_text(one.when))
            after = Side((other.drg,), (other.name,), to_text(other.when))
            yield Change("conditions", "drg_condition", before, after, _mdcs(one, other),
                         relation=found)  # fmt: skip


def _side(*drgs: Drg) -> Side | None:
    if not drgs:
        return None
    return Side(tuple(drg.drg for drg in drgs), tuple(drg.name for drg in drgs))


def _refined(drgs: Sequence[Drg]) -> Side | None:
    """DRGs with their conditions, in the order they are tried."""
    side = _side(*drgs)
    return side and replace(side, text="; ".join(f"{d.drg}: {to_text(d.when)}" for d in drgs))


def _mdcs(*drgs: Drg) -> tuple[str, ...]:
    return mdcs_of(drg.drg for drg in drgs)
