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

from grouper.engine import reference
from grouper.engine.drg import DrgGrouper
from grouper.engine.groups import Groups, Status
from grouper.engine.reference import Record
from grouper.records.batch import CaseBatch
from grouper.scheme.model import Scheme

pytestmark = pytest.mark.conformance

CASES = Path(__file__).parents[1] / "data" / "cases"
COUNTS = {
    "chs_drg_11": 2994, "chs_drg_20": 2995, "chs_drg_30": 2970, "beijing_2024": 2995,
    "foshan_2022": 2995, "guangxi_2022": 2995, "henan_2024": 2995, "qingyang_2023": 2995,
    "shanxi_2024": 2995,
}  # fmt: skip
NUMBERS = ("sex", "age", "age_days", "weight", "los", "leaving", "icu_hours")
ENGINES: dict[str, Callable[[Scheme, CaseBatch], Groups]] = {
    "reference": reference.group_batch,
    "kernel": lambda scheme, batch: DrgGrouper.of(scheme).group(batch),
}


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


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("scheme_id", COUNTS)
def test_every_case_gets_its_expected_group(
    scheme_id: str, engine: str, load: Callable[[str], Scheme]
) -> None:
    cases = _cases(scheme_id)
    assert len(cases) == COUNTS[scheme_id]
    groups = ENGINES[engine](load(scheme_id), batch_of([_record(case) for case in cases]))
    wrong = [
        f"case {case['id']}: expected {case['expect']}, found {_found(groups, n)}"
        for n, case in enumerate(cases)
        if _found(groups, n) != case["expect"]
    ]
    assert not wrong, f"{scheme_id} by {engine}: {len(wrong)} wrong\n" + "\n".join(wrong[:20])


@pytest.mark.parametrize("scheme_id", COUNTS)
def test_the_reasons_of_rejection_are_the_two_of_the_specification(
    scheme_id: str, load: Callable[[str], Scheme]
) -> None:
    subject = reference.Reference(load(scheme_id))
    for case in _cases(scheme_id):
        if case["expect"]["status"] == "rejected":
            reason = subject.group(_record(case)).reason
            usable_sex = case.get("sex") in (1, 2)
            assert reason == ("no_dx" if usable_sex else "sex"), f"case {case['id']}"
