"""DIP: the kernel against its twin, against a matcher of dictionaries, and against the floor."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from dip_dictionary import DipDictionary, records
from dip_workload import cases, reference
from paired import Goal, paired, record

from grouper.engine._kernel import sum_ids
from grouper.engine.dip import DipGrouper, DipGroups, case_at, group_batch
from grouper.engine.drg import DrgGrouper
from grouper.records.batch import CaseBatch
from grouper.scheme.dip_preset import load_classes

PRESETS = ("national", "base", "jining", "jingzhou", "yichang")


@pytest.fixture(scope="session")
def batch_of() -> Callable[[int], CaseBatch]:
    return cache(cases)


def digest(rows: Any) -> str:
    return hashlib.sha256(np.asarray(rows, np.int32).tobytes()).hexdigest()[:12]


def facts(groups: DipGroups) -> dict[str, Any]:
    return {
        "records": len(groups),
        "handed": f"{groups.slow / len(groups):.1%}",
        "grouped": f"{(groups.row >= 0).mean():.0%}",
        "groups": len(np.unique(groups.row)),
        "digest": digest(groups.row),
    }


@pytest.mark.parametrize("preset", PRESETS)
def test_dip_kernel_against_summing_the_ids(
    benchmark: Any, batch_of: Callable[[int], CaseBatch], preset: str, pytestconfig: pytest.Config
) -> None:
    """From texts that are known to rows: proving the columns is part of it."""
    batch = batch_of(pytestconfig.getoption("records"))
    kernel, out = DipGrouper.of(reference(preset)), np.zeros(len(batch), np.uint32)
    dx, px = (column.index.astype(np.uint32) for column in (batch.dx, batch.px))
    paired(
        benchmark,
        lambda: kernel.group(batch),
        lambda: sum_ids(dx, batch.dx.offsets, px, batch.px.offsets, out),
        goal=None,
        **facts(kernel.group(batch)),
    )


def test_dip_kernel_against_the_one_of_drg(
    benchmark: Any,
    batch_of: Callable[[int], CaseBatch],
    batch_for: Callable[..., CaseBatch],
    grouper_for: Callable[[str], DrgGrouper],
    pytestconfig: pytest.Config,
) -> None:
    """CHS-DRG 1.1 on its own load, ids ready; DIP with proving its columns."""
    n = pytestconfig.getoption("records")
    batch, kernel, drg = batch_of(n), DipGrouper.of(reference("base")), grouper_for("chs_drg_11")
    encoded = drg.encoder.encode(batch_for("chs_drg_11", n))
    paired(
        benchmark,
        lambda: kernel.group(batch),
        lambda: drg.group_encoded(encoded),
        goal=Goal(1.2, 0.6),
        **facts(kernel.group(batch)),
    )


@pytest.mark.parametrize("preset", PRESETS)
def test_dip_twin_against_kernel(
    benchmark: Any, batch_of: Callable[[int], CaseBatch], preset: str
) -> None:
    batch, twin = batch_of(20_000), reference(preset)
    kernel = DipGrouper.of(twin)
    groups = kernel.group(batch)
    assert digest(groups.row) == digest(group_batch(twin, batch).row)
    some = [case_at(batch, at) for at in range(len(batch))]
    paired(
        benchmark,
        lambda: [twin.group(one) for one in some],
        lambda: kernel.group(batch),
        goal=Goal(50, at_least=True),
        pairs=5,
        **facts(groups),
    )


def test_dip_dictionary_against_kernel(
    benchmark: Any, batch_of: Callable[[int], CaseBatch]
) -> None:
    batch, twin = batch_of(200_000), reference("base")
    kernel, other = DipGrouper.of(twin), DipDictionary(twin, dict(load_classes()))
    some, groups = records(batch), kernel.group(batch)
    assert digest(groups.row) == digest([other.group(one) for one in some])
    paired(
        benchmark,
        lambda: [other.group(one) for one in some],
        lambda: kernel.group(batch),
        goal=Goal(20, at_least=True),
        pairs=5,
        **facts(groups),
    )


def test_dip_cases_a_second(
    benchmark: Any, batch_of: Callable[[int], CaseBatch], pytestconfig: pytest.Config
) -> None:
    """Of one thread's CPU time, in millions."""
    batch, took = batch_of(pytestconfig.getoption("records")), list[float]()
    kernel = DipGrouper.of(reference("base"))
    groups = kernel.group(batch)

    def timed() -> None:
        begun = time.thread_time()
        kernel.group(batch)
        took.append(len(batch) / (time.thread_time() - begun) / 1e6)

    benchmark.pedantic(timed, rounds=7, iterations=1)
    record(benchmark, sorted(took)[len(took) // 2], "M/s", None, took, **facts(groups))
