"""The packs of cities whose tables print standards pay them, case by case, on the batch path."""

from __future__ import annotations

from datetime import date

import pytest

import weights
from grouper.errors import PolicyError
from grouper.policy.load import load_policy
from grouper.settle.amounts import CaseType
from grouper.settle.case import settle_batch

#: pack -> level, how many groups are printed with weight and standard, how far a fen may be off
PRINTED = {
    "310000-shanghai": ("三级", 918, 0),
    "350500-quanzhou": ("A类", 761, 1),
}


@pytest.mark.parametrize("area", PRINTED)
def test_a_city_pays_the_standards_it_prints(make_batch, row, area):
    level, count, off = PRINTED[area]
    policy = load_policy(area)
    (terms,) = policy.terms
    table = weights.load(terms.weight_table)
    printed = {
        group: table.standard_fen(group, level=level)
        for group in table.group_codes
        if table.find_weight(group, level=level) is not None
    }
    printed = {group: fen for group, fen in printed.items() if fen is not None}
    assert len(printed) == count
    day = date(terms.span.start.year, 6, 15)
    rows = [
        row(group=group, total=fen, pool=fen // 2, level=level, day=day)
        for group, fen in printed.items()
    ]
    batch, groups = make_batch(rows, terms.scheme_id)
    with pytest.raises(PolicyError):
        settle_batch(batch, groups, table, policy, scheme_status="regional")
    amounts = settle_batch(
        batch, groups, table, policy, scheme_status="regional", allow="unverified"
    )
    assert amounts.confidence == "constructed"
    assert {CaseType(kind) for kind in amounts.case_type.tolist()} == {CaseType.INLIER}
    differences = [
        abs(paid - fen)
        for paid, fen in zip(amounts.payable_fen.tolist(), printed.values(), strict=True)
    ]
    assert max(differences) <= off
