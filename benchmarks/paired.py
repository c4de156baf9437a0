"""Two things timed against each other in one run: only such ratios mean anything here.

The pairs alternate (A B, B A, ...), the figure is the median of their ratios, and time is that of
the thread, which leaves out what other processes took. Before anything is timed both sides have to
agree on a digest: a fast wrong answer must fail.
"""

from __future__ import annotations

import hashlib
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from grouper.engine.groups import Groups

Clock = Callable[[], float]


@dataclass(frozen=True)
class Goal:
    """What a ratio must be: at most or at least `must`; `aim` is what to work for."""

    must: float
    aim: float | None = None
    at_least: bool = False

    def met(self, value: float) -> bool:
        return value >= self.must if self.at_least else value <= self.must

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.must:g}"


@dataclass
class Result:
    """One line of the summary."""

    name: str
    value: float
    unit: str
    goal: Goal | None
    pairs: list[float] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)


RESULTS: list[Result] = []


def paired(
    benchmark: Any,
    numerator: Callable[[], object],
    denominator: Callable[[], object],
    *,
    goal: Goal | None,
    pairs: int = 7,
    clock: Clock = time.thread_time,
    **facts: Any,
) -> float:
    """Median of time(numerator) / time(denominator); kept for the summary and the JSON file."""
    numerator(), denominator()
    ratios: list[float] = []

    def pair() -> None:
        order = [(0, numerator), (1, denominator)]
        if len(ratios) % 2:
            order.reverse()
        took = [0.0, 0.0]
        for side, run in order:
            begun = clock()
            run()
            took[side] = clock() - begun
        ratios.append(took[0] / took[1])

    rounds = pairs if benchmark.enabled and not benchmark.disabled else 1
    benchmark.pedantic(pair, rounds=rounds, iterations=1)
    value = statistics.median(ratios)
    record(benchmark, value, "x", goal, ratios, **facts)
    return value


def record(
    benchmark: Any,
    value: float,
    unit: str,
    goal: Goal | None,
    pairs: list[float] | None = None,
    **facts: Any,
) -> None:
    """Keep a figure for the summary."""
    benchmark.extra_info.update({"value": value, "unit": unit, "goal": str(goal or ""), **facts})
    RESULTS.append(Result(benchmark.name, value, unit, goal, pairs or [], facts))


def digest(groups: Groups) -> str:
    """SHA-256 over what every case became."""
    parts = (groups.rule_id, groups.group_id, groups.status, groups.severity)
    return hashlib.sha256(b"".join(np.ascontiguousarray(p).tobytes() for p in parts)).hexdigest()
