"""Worked examples of a bill's identities and of the special cases of an area."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from grouper.errors import SettlementError
from grouper.money import yuan
from grouper.settle.bill import CATEGORIES, BillParts, Broken, broken_identities, differences
from grouper.settle.special import Application, quota, review, special_payment
from grouper.worked import Worked
from weights.inputs import Inputs

#: part of a bill -> its key in an example
_KEYS = {
    "total_fen": "total",
    "class_a_fen": "A",
    "class_b_fen": "B",
    "class_c_fen": "C",
    "own_fen": "own",
    "over_fen": "over",
    "pre_fen": "pre",
    "in_scope_fen": "in_scope",
    "deductible_fen": "deductible",
    "copay_fen": "copay",
    "over_cap_fen": "over_cap",
    "pool_fen": "pool",
    "catastrophic_fen": "cat",
    "assistance_fen": "assist",
    "other_fen": "other",
    "account_fen": "account",
    "cash_fen": "cash",
}


#: part of a bill -> field of records
_FIELDS = {
    "total_fen": "total_cost",
    "class_a_fen": "class_a_cost",
    "class_b_fen": "class_b_cost",
    "class_c_fen": "class_c_cost",
    "own_fen": "own_cost",
    "over_fen": "over_limit_cost",
    "pre_fen": "pre_self_cost",
    "in_scope_fen": "in_scope_cost",
    "deductible_fen": "deductible",
    "copay_fen": "copay",
    "over_cap_fen": "over_cap",
    "pool_fen": "fund_basic",
    "catastrophic_fen": "fund_catastrophic",
    "assistance_fen": "fund_assistance",
    "other_fen": "fund_other",
    "account_fen": "account_paid",
    "cash_fen": "cash_paid",
}


def calculate_bill_check(inputs: Mapping[str, Any]) -> Worked:
    """The worked example of kind `bcheck`: which of the identities B1 to B5 a bill breaks.

    bill {total, A, B, C, own, over, pre, in_scope, deductible, copay, over_cap, pool, cat, assist,
    other, account, cash}, categories [yuan]. Raises WeightError WT120.
    """
    read = Inputs(inputs)
    parts = read.object_of("bill")
    listed = inputs.get("categories")
    if not isinstance(listed, list):
        raise read.wrong("categories")
    fees = Inputs({str(at): one for at, one in enumerate(listed)}, "inputs.categories")
    bill = BillParts(
        **{name: parts.fen(key) for name, key in _KEYS.items()},
        categories_fen=[fees.fen(key) for key in fees.values],
    )
    broken = broken_identities(bill)
    _check_columns(bill, broken)
    steps = {one.id: f"{yuan(one.stated_fen)} / {yuan(one.sum_fen)}" for one in broken}
    return Worked({"failed": [one.id for one in broken]}, steps)


def _check_columns(bill: BillParts, broken: Sequence[Broken]) -> None:
    """The columns of a batch must break the same. Raises SettlementError ST307 if they do not."""
    amounts = {field: getattr(bill, name) for name, field in _FIELDS.items()}
    fees = [*bill.categories_fen, *[0] * len(CATEGORIES)]
    # a bill may have more kinds of fees than a list has columns
    amounts |= dict(zip(CATEGORIES, fees, strict=False))
    amounts[CATEGORIES[-1]] += sum(bill.categories_fen[len(CATEGORIES) :])
    columns = {name: np.array([fen], np.int64) for name, fen in amounts.items()}
    found = {one.id: int(fen[0]) for one, fen in differences(columns) if fen[0]}
    alone = {one.id: one.difference_fen for one in broken}
    if found != alone:
        raise SettlementError("ST307", check="batch = one case", left=found, right=alone)


def calculate_case_quota(inputs: Mapping[str, Any]) -> Worked:
    """The worked example of kind `case_quota`: which applications are taken, and their payment.

    discharges, rate, approved_ratio, applications [{id, total, standard, recorded}].
    Raises WeightError WT120, also for an id that stands twice.
    """
    read = Inputs(inputs)
    discharges, rate = read.number("discharges"), read.number("rate")
    if discharges.denominator != 1 or discharges < 0:
        raise read.wrong("discharges")
    if rate < 0:
        raise read.wrong("rate")
    applications = [
        Application(code, one.fen("total"), one.fen("standard"), one.fen("recorded"))
        for code, one in read.named("applications", "id").items()
    ]
    found = review(applications, quota(int(discharges), rate))
    ratio = read.number("approved_ratio")
    paid = sum(special_payment(one, ratio) for one in found.accepted)
    outputs = {
        "quota": found.quota,
        "accepted": [one.id for one in found.accepted],
        "rejected_over_quota": [one.id for one in found.over_quota],
        "rejected_no_loss": [one.id for one in found.no_loss],
        "special_payment": yuan(paid),
    }
    steps: dict[str, object] = {
        "ranked": [one.id for one in found.ranked],
        "eligible": len(found.accepted) + len(found.over_quota),
    }
    return Worked(outputs, steps)
