"""A part of the inputs of a run: what is in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from grouper.errors import RecordError
from grouper.records.raw import Raw
from grouper.records.sources import Sources, order_of
from grouper.records.user import Form


@dataclass(frozen=True)
class Part:
    """Some rows of one input; `table` reads them, in any thread.

    number: from 0; source: position of the input; progress: the share of all inputs that is done
    with this part, from 0 to 1; start: row of its first row, for inputs in memory.
    """

    number: int
    source: int
    progress: float
    table: Callable[[], Sources]
    start: int = 0


def same_columns(names: Sequence[tuple[str, tuple[str, ...]]]) -> list[list[int]]:
    """For each input, by (name, headers), where the columns of the first stand in it.

    Raises RecordError (RE16) when headers differ.
    """
    first_name, first = names[0]
    orders = []
    for name, headers in names:
        if sorted(headers) != sorted(first):
            odd = sorted(set(headers) ^ set(first))
            raise RecordError("RE16", name, path=name, first=first_name, headers=odd[:10])
        # the same headers: each has its place
        orders.append([at for at in order_of(headers, first) if at is not None])
    return orders


def single(raw: Raw, names: tuple[str, ...], order: Sequence[int], form: Form) -> Sources:
    """A part of one source as a table, its columns in the order of the first source."""
    columns = tuple(raw.columns[at] for at in order)
    lines = raw.lines if list(order) == sorted(order) else None
    return Sources((raw,), names, columns, form, (0,), raw.numbers, dict(raw.faults), lines)
