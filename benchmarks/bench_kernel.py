"""The kernel against the floor of any grouper, against the reference, and its growth."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from paired import Goal, digest, paired, record

import grouper
from grouper.engine import reference
from grouper.engine._kernel import sum_ids
from grouper.engine.drg import DrgGrouper
from grouper.engine.encode import EncodedBatch
from grouper.records.batch import CaseBatch, CodeColumn

GrouperFor = Callable[[str], DrgGrouper]
BatchFor = Callable[..., CaseBatch]


def floor_of(encoded: EncodedBatch) -> Callable[[], None]:
    out = np.zeros(len(encoded), np.uint32)
    return lambda: sum_ids(encoded.dx, encoded.dx_offsets, encoded.px, encoded.px_offsets, out)


def against_floor(benchmark: Any, grouper: DrgGrouper, batch: CaseBatch, goal: Goal | None) -> None:
    encoded = grouper.encoder.encode(batch)
    groups = grouper.group_encoded(encoded)
    paired(
        benchmark,
        lambda: grouper.group_encoded(encoded),
        floor_of(encoded),
        goal=goal,
        records=len(batch),
        dx=round(len(encoded.dx) / len(batch), 1),
        px=round(len(encoded.px) / len(batch), 1),
        slow_path=f"{groups.slow / len(batch):.1%}",
        grouped=f"{(groups.status == 0).mean():.0%}",
        drgs=len(np.unique(groups.group_id)) - 1,
        digest=digest(groups)[:12],
    )


@pytest.mark.parametrize(
    ("scheme_id", "goal"),
    [
        pytest.param("chs_drg_11", Goal(4.5, 3), id="first-procedure-1.1"),
        pytest.param("guangxi_2022", Goal(6, 4), id="any-procedure-guangxi"),
        pytest.param("chs_drg_20", None, id="2.0"),
        pytest.param("chs_drg_30", None, id="3.0-draft"),
    ],
)
def test_kernel_against_summing_the_ids(
    benchmark: Any, grouper_for: GrouperFor, batch_for: BatchFor, scheme_id: str, goal: Goal | None
) -> None:
    against_floor(benchmark, grouper_for(scheme_id), batch_for(scheme_id), goal)


@pytest.mark.parametrize("shape", ["medical", "surgical", "newborn", "long", "unknown", "repeated"])
def test_kernel_on_other_loads(
    benchmark: Any, grouper_for: GrouperFor, batch_for: BatchFor, shape: str
) -> None:
    batch = batch_for("chs_drg_20", 200_000, shape)
    against_floor(benchmark, grouper_for("chs_drg_20"), batch, None)


def test_reference_against_kernel(
    benchmark: Any, grouper_for: GrouperFor, batch_for: BatchFor
) -> None:
    grouper = grouper_for("chs_drg_11")
    batch = batch_for("chs_drg_11", 20_000)
    encoded = grouper.encoder.encode(batch)
    twin = reference.Reference(grouper.scheme)
    expected = digest(reference.group_batch(twin, batch))
    assert digest(grouper.group_encoded(encoded)) == expected
    records = [reference.record_at(batch, i) for i in range(len(batch))]
    paired(
        benchmark,
        lambda: [twin.group(one) for one in records],
        lambda: grouper.group_encoded(encoded),
        goal=Goal(150, 270, at_least=True),
        pairs=5,
        records=len(batch),
        digest=expected[:12],
    )


def test_one_record_through_the_call(benchmark: Any, grouper_for: GrouperFor) -> None:
    scheme = grouper_for("chs_drg_20").scheme
    case = grouper.Case(
        principal_dx="I63.900", other_dx=["I10.x00x002"], age_years=67, sex=1, los_days=9
    )
    assert grouper.group_case(case, scheme=scheme).group_code == "BR25"
    calls = 2000

    def call() -> None:
        for _ in range(calls):
            grouper.group_case(case, scheme=scheme)

    took: list[float] = []

    def timed() -> None:
        begun = time.thread_time()
        call()
        took.append(time.thread_time() - begun)

    benchmark.pedantic(timed, rounds=7, warmup_rounds=1)
    record(benchmark, float(np.median(took)) / calls * 1e6, "us", Goal(50, 10))


def test_growth_with_rows(benchmark: Any, grouper_for: GrouperFor, batch_for: BatchFor) -> None:
    grouper = grouper_for("chs_drg_11")
    encoded = grouper.encoder.encode(batch_for("chs_drg_11"))
    few = grouper.encoder.encode(rows(batch_for("chs_drg_11"), len(encoded) // 10))
    paired(
        benchmark,
        lambda: grouper.group_encoded(encoded),
        lambda: grouper.group_encoded(few),
        goal=Goal(11),
        records=len(encoded),
    )


def test_growth_with_diagnoses(
    benchmark: Any, grouper_for: GrouperFor, batch_for: BatchFor
) -> None:
    grouper = grouper_for("chs_drg_11")
    batch = batch_for("chs_drg_11", 200_000)
    many, one = (
        grouper.encoder.encode(replace(batch, dx=with_others(batch.dx, n))) for n in (40, 1)
    )
    paired(
        benchmark,
        lambda: grouper.group_encoded(many),
        lambda: grouper.group_encoded(one),
        goal=Goal(3, 2),
        records=len(batch),
    )


def test_second_scheme_loaded(benchmark: Any, grouper_for: GrouperFor, batch_for: BatchFor) -> None:
    grouper = grouper_for("chs_drg_11")
    other = grouper_for("guangxi_2022")
    encoded = grouper.encoder.encode(batch_for("chs_drg_11"))
    warm = other.encoder.encode(batch_for("guangxi_2022", 20_000))

    def beside() -> float:
        other.group_encoded(warm)
        return first()

    def first() -> float:
        begun = time.thread_time()
        grouper.group_encoded(encoded)
        return time.thread_time() - begun

    ratios: list[float] = []
    first()
    benchmark.pedantic(lambda: ratios.append(beside() / first()), rounds=9)
    record(benchmark, float(np.median(ratios)), "x", Goal(1.05), ratios)


def test_load_and_compile(benchmark: Any) -> None:
    """In a process of its own: what a command pays before its first case."""
    program = (
        "import time; from grouper.scheme.load import load_scheme; "
        "from grouper.scheme.compile import compile_scheme; begun = time.process_time(); "
        "compile_scheme(load_scheme('chs_drg_20')); print(time.process_time() - begun)"
    )
    took: list[float] = []

    def cold() -> None:
        done = subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, text=True
        )
        took.append(float(done.stdout))

    benchmark.pedantic(cold, rounds=5)
    record(benchmark, float(np.median(took)), "s", Goal(2, 0.2), took)


def rows(batch: CaseBatch, stop: int) -> CaseBatch:
    """The first cases of a batch."""
    return CaseBatch(
        dx=batch.dx.slice(0, stop),
        px=batch.px.slice(0, stop),
        sex=batch.sex[:stop],
        age_years=batch.age_years[:stop],
        age_days=batch.age_days[:stop],
        admission_weight=batch.admission_weight[:stop],
        los_days=batch.los_days[:stop],
        icu_hours=batch.icu_hours[:stop],
        discharge_disposition=batch.discharge_disposition[:stop],
        reject=batch.reject[:stop],
    )


def with_others(dx: CodeColumn, n: int) -> CodeColumn:
    """The same principal diagnoses, each with n further ones from a fixed stream."""
    rng = np.random.default_rng(7)
    index = rng.choice(dx.index, (len(dx), n + 1))
    index[:, 0] = dx.index[dx.offsets[:-1]]
    offsets = np.arange(len(dx) + 1, dtype=np.int32) * np.int32(n + 1)
    return CodeColumn(dx.texts, np.ascontiguousarray(index.reshape(-1)), offsets)
