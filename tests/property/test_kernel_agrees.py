"""The kernel says what the reference says: any scheme, published or invented, any record."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache

import pytest
from invented import described, invented_scheme
from strategies import RecordMaker, batch_of, differing, outcome, sliced

from grouper.engine import reference
from grouper.engine.drg import DrgGrouper
from grouper.engine.groups import Groups
from grouper.engine.reference import Record, Reference
from grouper.records.batch import CaseBatch
from grouper.scheme.model import Scheme

pytestmark = pytest.mark.property

SCHEMES = (
    "chs_drg_11", "chs_drg_20", "chs_drg_30", "beijing_2024", "foshan_2022", "guangxi_2022",
    "henan_2024", "qingyang_2023", "shanxi_2024",
)  # fmt: skip


class Subject:
    """A scheme in the hands of both engines."""

    def __init__(self, kernel: DrgGrouper, reference: Reference) -> None:
        self.scheme = kernel.scheme
        self.kernel = kernel
        self.reference = reference
        self.maker = RecordMaker(self.scheme)

    @classmethod
    def of(cls, scheme: Scheme) -> Subject:
        return cls(DrgGrouper.of(scheme), Reference(scheme))


@pytest.fixture(scope="module")
def subjects(
    kernel_of: Callable[[str], DrgGrouper], reference_of: Callable[[str], Reference]
) -> Callable[[str], Subject]:
    return cache(lambda scheme_id: Subject(kernel_of(scheme_id), reference_of(scheme_id)))


@pytest.fixture(params=SCHEMES)
def subject(request: pytest.FixtureRequest, subjects: Callable[[str], Subject]) -> Subject:
    return subjects(request.param)


def _check(subject: Subject, records: list[Record], rejects: list[int], how: str) -> Groups:
    """Group on both; on a difference show how to repeat it and the first few records."""
    batch = batch_of(records, rejects=rejects)
    fast = subject.kernel.group(batch)
    slow = reference.group_batch(subject.reference, batch)
    wrong = differing(fast, slow)
    if wrong:
        lines = [f"{subject.scheme.id}, {how}: {len(wrong)} of {len(records)} records differ"]
        for case in wrong[:3]:
            lines.append(f"case {case}: {records[case]} rejects={rejects[case]}")
            lines.append(f"  kernel    {outcome(fast, case)}\n  reference {outcome(slow, case)}")
        if subject.scheme.digest == "test":
            lines.append(described(subject.scheme))
        pytest.fail("\n".join(lines), pytrace=False)
    return slow


def _check_seed(subject: Subject, seed: int, n: int) -> Groups:
    rng = random.Random(seed)
    rejects = rng.choices((0, 1, 2), (96, 2, 2), k=n)
    how = f"seed {seed}, RecordMaker.records({seed}, {n})"
    return _check(subject, subject.maker.records(seed, n), rejects, how)


def test_generated_records_agree_on_every_scheme(subject: Subject) -> None:
    found = _check_seed(subject, seed=20, n=3000)
    # a generator that no longer reaches the rules would prove nothing
    assert len(set(found.group_id.tolist())) > 0.6 * len(subject.scheme.drgs)
    assert {0, 2, 3} <= set(found.status.tolist())


@pytest.mark.large
@pytest.mark.parametrize("seed", range(1000, 1008))
def test_200_000_generated_records_agree(subject: Subject, seed: int) -> None:
    _check_seed(subject, seed, n=2800)  # 9 schemes x 8 seeds x 2,800 = 201,600


@pytest.mark.parametrize("block", range(6))
def test_invented_schemes_agree(block: int) -> None:
    for seed in range(8 * block, 8 * block + 8):
        _check_seed(Subject.of(invented_scheme(seed)), seed, n=150)


@pytest.mark.large
@pytest.mark.parametrize("block", range(1, 60))
def test_many_invented_schemes_agree(block: int) -> None:
    for seed in range(40 * block, 40 * block + 40):
        _check_seed(Subject.of(invented_scheme(seed)), seed, n=300)


def test_a_case_alone_is_grouped_as_in_a_table(subject: Subject) -> None:
    records = subject.maker.records(21, 300)
    table = subject.kernel.group(batch_of(records))
    for case, record in enumerate(records):
        batch = batch_of([record])
        where = f"seed 21, case {case}: {record}"
        assert outcome(subject.kernel.group(batch), 0) == outcome(table, case), where
        assert _alone(subject.kernel, record, batch) == _numbers(table, case), where


def _alone(kernel: DrgGrouper, record: Record, batch: CaseBatch) -> tuple[int, ...]:
    """One case by the call that takes no arrays."""
    return kernel.kernel.group_one(
        kernel.ids(record.dx, "dx"),
        kernel.ids(record.px, "px"),
        int(batch.sex[0]),
        int(batch.age_years[0]),
        int(batch.age_days[0]),
        int(batch.admission_weight[0]),
        int(batch.los_days[0]),
        int(batch.discharge_disposition[0]),
        int(batch.icu_hours[0]),
    )


def _numbers(groups: Groups, case: int) -> tuple[int, ...]:
    columns = (groups.rule_id, groups.group_id, groups.severity, groups.status, groups.reason)
    return tuple(int(column[case]) for column in columns)


def test_a_slice_of_a_table_is_grouped_as_in_the_table(subject: Subject) -> None:
    batch = batch_of(subject.maker.records(22, 400))
    whole = subject.kernel.group(batch)
    for start, stop in ((0, 0), (0, 1), (1, 400), (123, 321), (399, 400), (400, 400)):
        part = subject.kernel.group(sliced(batch, start, stop))
        assert [outcome(part, n) for n in range(stop - start)] == [
            outcome(whole, n) for n in range(start, stop)
        ], f"seed 22, cases {start} to {stop}"


def test_order_of_other_codes_never_matters(subject: Subject) -> None:
    rng = random.Random(23)
    records = subject.maker.records(23, 1000)
    shuffled = [
        Record(
            record.sex, record.age, record.age_days, record.weight, record.los, record.leaving,
            record.icu_hours, *(_others_shuffled(codes, rng) for codes in (record.dx, record.px)),
        )
        for record in records
    ]  # fmt: skip
    before = subject.kernel.group(batch_of(records))
    after = subject.kernel.group(batch_of(shuffled))
    assert not differing(before, after), f"seed 23: {records[differing(before, after)[0]]}"


def _others_shuffled(codes: tuple[str, ...], rng: random.Random) -> tuple[str, ...]:
    return (*codes[:1], *rng.sample(codes[1:], len(codes[1:])))


def test_an_empty_table_has_an_empty_result(subject: Subject) -> None:
    assert len(subject.kernel.group(batch_of([]))) == 0
    assert len(reference.group_batch(subject.reference, batch_of([]))) == 0
