"""A part of the inputs of a run: what is in memory at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from grouper.records.sources import Sources


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
