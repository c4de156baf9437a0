"""Every constructed case gets the group that an independent program gives it."""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from strategies import batch_of

from grouper.engine.drg import DrgGrouper
from grouper.engine.groups import Groups, Status
from grouper.engine.reference import Record, Reference, group_batch
from grouper.records.batch import CaseBatch

pytestmark = pytest.mark.conformance

CASES = Path(__file__).parents[1] / "data" / "cases"
COUNTS = {
    "chs_drg_11": 2994, "chs_drg_20": 2995, "chs_drg_30": 2970, "beijing_2024": 2995,
    "foshan_2022": 2995, "guangxi_2022": 2995, "henan_2024": 2995, "qingyang_2023": 2995,
    "shanxi_2024": 2995,
}  # fmt: skip
NUMBERS = ("sex", "age", "age_days", "weight", "los", "leaving", "icu_hours")
Engine = Callable[[str, CaseBatch], Groups]


@pytest.fixture(params=["reference", "kernel"])
def engine(
    request: pytest.FixtureRequest,
    kernel_of: Callable[[str], DrgGrouper],
    reference_of: Callable[[str], Reference],
) -> Engine:
    """`engine(scheme_id, batch)`: the groups of a batch."""
    if request.param == "kernel":
        return lambda scheme_id, batch: kernel_of(scheme_id).group(batch)
    return lambda scheme_id, batch: group_batch(reference_of(scheme_id), batch)


@cache
def _cases(scheme_id: str) -> list[dict[str, Any]]:
    with lzma.open(CASES / f"{scheme_id}.jsonl.xz", "rt", encoding="utf-8") as lines:
        return [json.loads(line, parse_float=Decimal) for line in lines]


def _record(case: dict[str, Any]) -> Record:
    numbers = {name: case.get(name) for name in NUMBERS}
    return Record(dx=tuple(case["dx"]), px=tuple(case["px"]), **numbers)


def _found(groups: Groups, case: int) -> dict[str, str | None]:
    """What a result says of a case, in the words of the expectations."""
    rule, group = int(groups.rule_id[case]), int(groups.group_id[case])
    adrg = groups.codes.adrg[rule]
    return {
        "status": Status(int(groups.status[case])).word,
        "mdc": groups.codes.mdc[rule] or None,
        "adrg": adrg or None,
        "drg": groups.codes.drg[group] or adrg or None,
    }


@pytest.mark.parametrize("scheme_id", COUNTS)
def test_every_case_gets_its_expected_group(scheme_id: str, engine: Engine) -> None:
    cases = _cases(scheme_id)
    assert len(cases) == COUNTS[scheme_id]
    groups = engine(scheme_id, batch_of([_record(case) for case in cases]))
    wrong = [
        f"case {case['id']}: expected {case['expect']}, found {_found(groups, n)}"
        for n, case in enumerate(cases)
        if _found(groups, n) != case["expect"]
    ]
    assert not wrong, f"{scheme_id}: {len(wrong)} wrong\n" + "\n".join(wrong[:20])


@pytest.mark.parametrize("scheme_id", COUNTS)
def test_the_reasons_of_rejection_are_the_two_of_the_specification(
    scheme_id: str, reference_of: Callable[[str], Reference]
) -> None:
    subject = reference_of(scheme_id)
    for case in _cases(scheme_id):
        if case["expect"]["status"] == "rejected":
            reason = subject.group(_record(case)).reason
            usable_sex = case.get("sex") in (1, 2)
            assert reason == ("no_dx" if usable_sex else "sex"), f"case {case['id']}"
