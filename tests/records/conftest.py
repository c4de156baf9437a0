"""Made-up records that several tests read."""

from __future__ import annotations

import pyarrow as pa
import pytest

from grouper.records.synthetic import synthesize
from grouper.scheme.load import load_scheme
from grouper.scheme.recipe import complication_pools, recipes


@pytest.fixture(scope="session")
def sample() -> pa.Table:
    """1,000 made-up discharges in the plain layout."""
    scheme = load_scheme("chs_drg_20")
    return synthesize(1000, 11, recipes(scheme), complication_pools(scheme))
