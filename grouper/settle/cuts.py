"""What cases of one cell are paid, as straight lines in the cost between cuts among whole fen.

Every formula of a payment is a straight line in the cost of the case (or in its days, where a group
is paid by the day). A cell is compiled once, exactly; its cases are then placed by integer
comparison and priced by int64 arithmetic with the one rounding, half up, that the one-case path
makes on fractions. A line whose products could leave int64 is left to Python's integers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import lcm

import numpy as np
from numpy.typing import NDArray

from grouper.money import round_half_up
from grouper.settle.amounts import CaseType, DecidingRule
from grouper.settle.outliers import limit

Ints = NDArray[np.int64]

_MOST = 2**63 - 1
#: sums of two numbers below it stay inside int64
_HALF = 2**62
_NOWHERE = -1


@dataclass(frozen=True, slots=True)
class Ramp:
    """An amount that grows evenly: slope x + start, exact."""

    slope: Fraction
    start: Fraction

    def at(self, x: int | Fraction) -> Fraction:
        """The amount for a cost, or for a number of days."""
        return self.slope * x + self.start


def ramp(amount: Callable[[Fraction], Fraction]) -> Ramp:
    """The line of a formula, from two of its points."""
    start = amount(Fraction(0))
    return Ramp(amount(Fraction(1)) - start, start)


@dataclass(frozen=True, slots=True)
class Bound:
    """cost `operator` border, in fen before rounding."""

    operator: str
    border: Fraction


@dataclass(frozen=True, slots=True)
class Branch:
    """Cases whose cost meets all tests are of a type and paid by a line, in fen before rounding.

    by_days: the line is one in the days of the stay.
    """

    case_type: CaseType
    rule: DecidingRule
    pay: Ramp
    tests: tuple[Bound, ...] = ()
    by_days: bool = False

    def costs(self) -> tuple[int, int]:
        """The lowest and the highest cost in whole fen that meet all tests."""
        lowest, highest = 0, _MOST
        for test in self.tests:
            border = limit(test.operator, Fraction(1), test.border)
            if test.operator in ("<", "<="):
                highest = min(highest, border)
            else:
                lowest = max(lowest, border)
        return lowest, highest


def pieces(branches: Sequence[Branch]) -> Iterator[tuple[int, int]]:
    """(first cost, position of the branch) of each stretch of costs, rising from 0.

    The first branch whose tests hold decides; the last one has none.
    """
    spans = [branch.costs() for branch in branches]
    starts = {0}
    for lowest, highest in spans:
        if lowest <= highest:
            starts |= {lowest, highest + 1}
    last = None
    for start in sorted(one for one in starts if 0 <= one <= _MOST):
        own = next(at for at, (low, high) in enumerate(spans) if low <= start <= high)
        if own != last:
            yield start, own
        last = own


@dataclass(frozen=True, slots=True)
class _Line:
    """A ramp split so that int64 holds as much as possible.

    slope x + start = whole x + fixed + (part x + rest) / unit with 0 <= part, rest < unit; int64
    holds every step for x up to `most`.
    """

    whole: int
    fixed: int
    part: int
    rest: int
    unit: int
    most: int

    @classmethod
    def of(cls, pay: Ramp) -> _Line:
        if not pay.slope:
            fixed = round_half_up(pay.start)
            return cls(0, fixed, 0, 0, 1, _MOST if abs(fixed) <= _MOST else _NOWHERE)
        unit = lcm(pay.slope.denominator, pay.start.denominator)
        whole, part = divmod(int(pay.slope * unit), unit)
        fixed, rest = divmod(int(pay.start * unit), unit)
        most = (_HALF - abs(fixed)) // max(abs(whole), 1)
        if part:
            most = min(most, (_MOST - rest) // part)
        fits = unit < _HALF and abs(whole) < _HALF and most > 0
        return cls(whole, fixed, part, rest, unit, most if fits else _NOWHERE)


@dataclass(frozen=True, slots=True)
class CompiledCell:
    """A cell as its cases are priced: what is told of it, and its branches in their order.

    None = the payment of the cell does not rest on such a number; standard_fen: rounded half up.
    stretches: (first cost, branch, line) of each stretch of costs, rising from 0.
    """

    weight: Decimal | None
    coefficient: Decimal | None
    rate: Decimal | None
    standard_fen: int | None
    branches: tuple[Branch, ...]
    stretches: tuple[tuple[int, Branch, _Line], ...]

    @classmethod
    def of(
        cls,
        branches: Iterable[Branch],
        *,
        weight: Decimal | None = None,
        coefficient: Decimal | None = None,
        rate: Decimal | None = None,
        standard_fen: int | None = None,
    ) -> CompiledCell:
        """A cell from its branches."""
        own = tuple(branches)
        found = tuple((start, own[at], _Line.of(own[at].pay)) for start, at in pieces(own))
        return cls(weight, coefficient, rate, standard_fen, own, found)


class Cuts:
    """The branches of many cells as arrays: where a case falls, and what it is paid there."""

    def __init__(self, cells: Sequence[CompiledCell]) -> None:
        self.branches = tuple(branch for cell in cells for _, branch, _ in cell.stretches)
        self._size = _column(len(cell.stretches) for cell in cells)
        self._offset = np.cumsum(self._size) - self._size
        self._width = int(self._size.max()) if len(cells) else 0
        # beyond its last stretch a cell has some that no cost reaches
        self._first = np.full((len(cells), self._width), _MOST, np.int64)
        starts = _column(start for cell in cells for start, _, _ in cell.stretches)
        place = np.arange(len(starts)) - np.repeat(self._offset, self._size)
        self._first[np.repeat(np.arange(len(cells)), self._size), place] = starts
        self._lines = _Lines([line for cell in cells for _, _, line in cell.stretches])

    def find(self, cell: Ints, cost: Ints) -> Ints:
        """For each case the position in `branches` that decides, by integer comparison."""
        at = np.zeros(len(cell), np.int64)
        for stretch in range(1, self._width):
            reached = (cost >= self._first[cell, stretch]) & (stretch < self._size[cell])
            at[reached] = stretch
        return self._offset[cell] + at

    def pay(self, branch: Ints, x: Ints) -> Ints:
        """Whole fen, rounded once, half up and away from zero. x: cost, or days (`by_days`)."""
        line = self._lines
        paid = line.fixed[branch]
        sloped = np.flatnonzero(line.sloped[branch])
        if not len(sloped):
            return paid
        own, of = x[sloped], branch[sloped]
        inside = own <= line.most[of]
        paid[sloped[inside]] = line.at(of[inside], own[inside])
        for row, at, cost in zip(
            sloped[~inside].tolist(), of[~inside].tolist(), own[~inside].tolist(), strict=True
        ):
            paid[row] = round_half_up(self.branches[at].pay.at(cost))
        return paid


class _Lines:
    """_Line, a column each; `sloped`: the amount depends on the case."""

    def __init__(self, lines: Sequence[_Line]) -> None:
        # a line for Python's integers alone has no place in the columns
        none = _Line(0, 0, 0, 0, 1, _NOWHERE)
        held = [line if line.most != _NOWHERE else none for line in lines]
        self.whole = _column(line.whole for line in held)
        self.fixed = _column(line.fixed for line in held)
        self.part = _column(line.part for line in held)
        self.rest = _column(line.rest for line in held)
        self.unit = _column(line.unit for line in held)
        self.most = _column(line.most for line in held)
        self.sloped: NDArray[np.bool_] = np.array(
            [line is none or line.whole != 0 or line.part != 0 for line in held], np.bool_
        )

    def at(self, of: Ints, x: Ints) -> Ints:
        """What the lines `of` give for x, at most their `most`."""
        unit = self.unit[of]
        over = self.part[of] * x + self.rest[of]
        more = over // unit
        left = over - more * unit
        paid: Ints = self.whole[of] * x + self.fixed[of] + more
        # a half goes away from zero: up unless the amount is negative
        paid += (2 * left > unit) | ((2 * left == unit) & (paid >= 0))
        return paid


def _column(values: Iterable[int]) -> Ints:
    return np.array(list(values), np.int64)
