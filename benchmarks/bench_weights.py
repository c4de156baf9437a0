"""Estimating weights against the pandas groupby that an analyst would write; the same numbers.

The analyst trims by P25 - 1.5 IQR and P75 + 1.5 IQR within each group, takes the mean of each group
and year, weighs the years 1 : 2 : 7, divides by the mean of all kept cases of those years, and puts
the standard deviation beside it. Ours does the same exactly, and more: small groups, the order of
severity, the total weight, and an interval for each weight. Time is that of the thread.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from paired import paired

from weights.choices import Choices
from weights.estimate import estimate
from weights.estimated import Estimate
from weights.history import History, HistoryStream, history
from weights.trim import Trim

GROUPS = 600
YEARS = {2020: 1, 2021: 2, 2022: 7}
#: rows of a part of the stream
PART = 100_000
CHOICES = Choices(
    trim=Trim("iqr"), year_weights={y: Fraction(w) for y, w in YEARS.items()}, small="mark"
)


class Cases:
    """Grouped cases from a seed: lognormal costs, groups of very different size, three years."""

    codes = tuple(f"{chr(65 + k // 260)}{chr(65 + k // 10 % 26)}{k % 10}9" for k in range(GROUPS))

    def __init__(self, n: int) -> None:
        rng = np.random.default_rng(1)
        size = rng.pareto(1.2, GROUPS) + 0.05
        self.group = rng.choice(GROUPS, n, p=size / size.sum())
        self.year = rng.integers(2020, 2023, n)
        logs = rng.normal(13.8, 0.8, GROUPS)[self.group] + 0.6 * rng.standard_normal(n)
        self.fen: NDArray[np.int64] = np.rint(np.exp(logs)).astype(np.int64)

    def history(self, rows: slice = slice(None)) -> History:
        return history(self.codes, self.group[rows], self.fen[rows], year=self.year[rows])

    def streamed(self) -> History:
        stream = HistoryStream()
        for start in range(0, len(self.fen), PART):
            stream.add(self.history(slice(start, start + PART)))
        return stream.result()

    def frame(self) -> pd.DataFrame:
        codes = pd.Categorical.from_codes(self.group, self.codes)
        return pd.DataFrame({"group": codes, "year": self.year, "cost": self.fen / 100})


def by_pandas(frame: pd.DataFrame) -> pd.DataFrame:
    """Raw weight and spread of each group, as an analyst writes it."""
    quarters = frame.groupby("group", observed=True)["cost"].quantile([0.25, 0.75]).unstack()
    width = quarters[0.75] - quarters[0.25]
    low = frame["group"].map(quarters[0.25] - 1.5 * width).astype(float)
    high = frame["group"].map(quarters[0.75] + 1.5 * width).astype(float)
    kept = frame[(frame["cost"] >= low) & (frame["cost"] <= high)]
    weights = pd.Series(YEARS)
    means = kept.groupby(["group", "year"], observed=True)["cost"].mean().unstack()
    mean = (means * weights).sum(axis=1) / (means.notna() * weights).sum(axis=1)
    overall = (kept.groupby("year")["cost"].mean() * weights).sum() / weights.sum()
    cost = kept.groupby("group", observed=True)["cost"]
    return pd.DataFrame({"raw": mean / overall, "cv": cost.std() / cost.mean()})


def same_numbers(ours: Estimate, theirs: pd.DataFrame) -> None:
    """Both agree on every raw weight and spread, or nothing is timed."""
    raw = theirs["raw"].to_dict()
    spread = theirs["cv"].to_dict()
    for one in ours.groups:
        if one.cases < CHOICES.trim.min_cases:
            continue
        assert float(one.raw) == pytest.approx(raw[one.code], rel=1e-9)
        assert one.cv == pytest.approx(spread[one.code], rel=1e-9)


@pytest.mark.parametrize("n", [1_000_000, 10_000_000])
def test_estimate_against_pandas(benchmark: Any, n: int) -> None:
    cases = Cases(n)
    frame = cases.frame()
    same_numbers(estimate(cases.history(), CHOICES), by_pandas(frame))
    paired(
        benchmark,
        lambda: estimate(cases.history(), CHOICES),
        lambda: by_pandas(frame),
        goal=None,
        pairs=5,
        rows=n,
        groups=GROUPS,
    )


def test_stream_against_memory(benchmark: Any) -> None:
    cases = Cases(1_000_000)
    assert np.array_equal(cases.streamed().keys, cases.history().keys)
    paired(benchmark, cases.streamed, cases.history, goal=None, pairs=5, rows=1_000_000, part=PART)
