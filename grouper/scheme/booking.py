"""Which rule a procedure can bring about: two rows of numbers for each list of candidate rules.

A *candidate* is a rule whose condition is not yet decided by the principal diagnosis. For the main
procedure (`first`) and for any further one (`other`) a row holds, by class of procedure, the first
candidate that this procedure can bring about: `position << 1`, with the low bit set when another
condition still has to be looked at. So the smallest number over all procedures of a record names
the first candidate that can hold, and whether it does for certain.

A candidate that needs several procedures is booked under the shortest of its lists only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from grouper.scheme.condition import And, Condition, Constant, Member, Not, Or
from grouper.scheme.simplify import Literal, alternatives

NOTHING = 0xFFFF
MAX_CANDIDATES = NOTHING >> 1
_MOST_ALTERNATIVES = 64

Mask: TypeAlias = NDArray[np.bool_]
Row: TypeAlias = NDArray[np.uint16]
Truth: TypeAlias = tuple[Mask, Mask]  # (can be true, can be false), by class of procedure


@dataclass(frozen=True, slots=True)
class Booked:
    """Classes of procedures that make a condition certain or only possible, as positions."""

    first_certain: NDArray[np.intp]
    first_possible: NDArray[np.intp]
    other_certain: NDArray[np.intp]
    other_possible: NDArray[np.intp]


@dataclass
class Bookings:
    """Books conditions under classes of procedures.

    members: for each procedure list a mask over the classes; the last class is "no procedure",
    the one before it "a code in no list". sizes: number of codes in each list.
    """

    members: Mapping[str, Mask]
    sizes: Mapping[str, int]
    n_classes: int
    _known: dict[Condition, Booked] = field(default_factory=dict)

    def rows(self, candidates: Sequence[Condition]) -> tuple[Row, Row]:
        """The `first` and the `other` row of a list of candidate conditions."""
        first = np.full(self.n_classes, NOTHING, np.uint16)
        other = np.full(self.n_classes, NOTHING, np.uint16)
        for position in range(len(candidates) - 1, -1, -1):
            booked = self._booked(candidates[position])
            first[booked.first_possible] = position << 1 | 1
            first[booked.first_certain] = position << 1
            other[booked.other_possible] = position << 1 | 1
            other[booked.other_certain] = position << 1
        return first, other

    def _booked(self, condition: Condition) -> Booked:
        if condition not in self._known:
            first, other = self._triggers(condition)
            _, first_false = _truth(condition, self._as_first)
            _, other_false = _truth(condition, self._as_other)
            self._known[condition] = Booked(
                np.flatnonzero(first & ~first_false),
                np.flatnonzero(first & first_false),
                np.flatnonzero(other & ~other_false),
                np.flatnonzero(other & other_false),
            )
        return self._known[condition]

    def _triggers(self, condition: Condition) -> tuple[Mask, Mask]:
        """Classes a condition is booked under, so that whenever it holds one of them is there."""
        first = np.zeros(self.n_classes, np.bool_)
        other = np.zeros(self.n_classes, np.bool_)
        sets = alternatives(condition, _MOST_ALTERNATIVES)
        if sets is None:
            # too many ways in: look at the condition whenever the main procedure allows it
            return _truth(condition, self._as_first)[0], other
        for literals in sets:
            self._trigger(literals, first, other)
        return first, other

    def _trigger(self, literals: frozenset[Literal], first: Mask, other: Mask) -> None:
        memberships = [
            (atom, wanted)
            for atom, wanted in literals
            if isinstance(atom, Member) and atom.list_name in self.members
        ]
        as_main = np.ones(self.n_classes, np.bool_)
        as_other = np.ones(self.n_classes, np.bool_)
        as_other[-1] = False
        for atom, wanted in memberships:
            inside = self.members[atom.list_name]
            if atom.codes == "main_px":
                as_main &= inside if wanted else ~inside
            elif not wanted:
                as_other &= ~inside
                if atom.codes == "any_px":
                    as_main &= ~inside
        wanted_lists = sorted(
            (self.sizes[atom.list_name], atom.list_name, atom.codes)
            for atom, wanted in memberships
            if wanted
        )
        if not wanted_lists:
            first |= as_main
            return
        _, name, codes = wanted_lists[0]
        if codes != "other_px":
            first |= as_main & self.members[name]
        if codes != "main_px":
            other |= as_other & self.members[name]

    def _as_first(self, atom: Condition) -> Truth:
        """What is known of an atom when only the main procedure is."""
        everywhere = np.ones(self.n_classes, np.bool_)
        if not isinstance(atom, Member) or atom.list_name not in self.members:
            return everywhere, everywhere
        inside = self.members[atom.list_name]
        if atom.codes == "main_px":
            return inside, ~inside
        some = everywhere.copy()
        some[-1] = False
        return some, (~inside if atom.codes == "any_px" else everywhere)

    def _as_other(self, atom: Condition) -> Truth:
        """What is known of an atom when only one further procedure is."""
        everywhere = np.ones(self.n_classes, np.bool_)
        if not isinstance(atom, Member) or atom.list_name not in self.members:
            return everywhere, everywhere
        if atom.codes == "main_px":
            return everywhere, everywhere
        return everywhere, ~self.members[atom.list_name]


def _truth(condition: Condition, known: Callable[[Condition], Truth]) -> Truth:
    """Where a condition can be true and where it can be false, given what is known of atoms."""
    match condition:
        case Constant(value=value):
            everywhere, _ = known(condition)
            return (everywhere, ~everywhere) if value else (~everywhere, everywhere)
        case Not(operand=operand):
            true, false = _truth(operand, known)
            return false, true
        case And(operands=operands):
            parts = [_truth(operand, known) for operand in operands]
            return (
                np.logical_and.reduce([true for true, _ in parts]),
                np.logical_or.reduce([false for _, false in parts]),
            )
        case Or(operands=operands):
            parts = [_truth(operand, known) for operand in operands]
            return (
                np.logical_or.reduce([true for true, _ in parts]),
                np.logical_and.reduce([false for _, false in parts]),
            )
    return known(condition)
