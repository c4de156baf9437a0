"""Made-up histories with known weights: lognormal costs, drawn from a seed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from weights.history import History, history

_NORMAL = NormalDist()


@dataclass(frozen=True)
class Drawn:
    """Cases, and the lognormal law of each group: mean and spread of its logarithms."""

    codes: list[str]
    centre: NDArray[np.float64]
    spread: NDArray[np.float64]
    group: NDArray[np.int64]
    fen: NDArray[np.int64]
    year: NDArray[np.int64]
    hospital: NDArray[np.int64]

    hospitals = tuple(f"H{k:03}" for k in range(40))

    def history(self, rows: slice | NDArray[np.int64] = slice(None)) -> History:
        return history(
            self.codes,
            self.group[rows],
            self.fen[rows],
            year=self.year[rows],
            hospitals=self.hospitals,
            hospital=self.hospital[rows],
        )

    def kept_mean(self, group: int, method: str, low: float, high: float) -> float:
        """The mean of what a trimming method keeps of a group's law, in fen."""
        centre, spread = float(self.centre[group]), float(self.spread[group])
        mean = math.exp(centre + spread**2 / 2)

        def quantile(p: float) -> float:
            return math.exp(centre + spread * _NORMAL.inv_cdf(p))

        width = quantile(0.75) - quantile(0.25)
        ends = {
            "none": lambda: (0.0, math.inf),
            "percentile": lambda: (quantile(low / 100), quantile(high / 100)),
            "iqr": lambda: (quantile(0.25) - low * width, quantile(0.75) + high * width),
            "mean": lambda: (low * mean, high * mean),
            "log_sd": lambda: (math.exp(centre - low * spread), math.exp(centre + high * spread)),
        }[method]()
        first, last = ((math.log(end) - centre) / spread if end > 0 else -math.inf for end in ends)
        part = _cdf(last) - _cdf(first)
        return mean * (_cdf(last - spread) - _cdf(first - spread)) / part


def _cdf(x: float) -> float:
    return _NORMAL.cdf(x) if math.isfinite(x) else float(x > 0)


def drawn(n: int, groups: int, seed: int, *, years: int = 3) -> Drawn:
    """n cases of groups of very different size, spread over years and hospitals at random."""
    rng = np.random.default_rng(seed)
    weight, spread = rng.lognormal(0, 0.8, groups), rng.uniform(0.3, 0.8, groups)
    size = rng.pareto(1.2, groups) + 0.05
    group = rng.choice(groups, n, p=size / size.sum())
    centre = np.log(weight * 1e6) - spread**2 / 2
    fen = np.exp(centre[group] + spread[group] * rng.standard_normal(n))
    codes = [f"{chr(65 + k // 260)}{chr(65 + k // 10 % 26)}{k % 10}9" for k in range(groups)]
    return Drawn(
        codes,
        centre,
        spread,
        group,
        np.maximum(np.rint(fen), 1).astype(np.int64),
        rng.integers(2020, 2020 + years, n),
        rng.integers(0, len(Drawn.hospitals), n),
    )
