"""What is wrong with the bill of a row: ST201 to ST205, ST207, ST208.

A row that breaks an identity keeps its payment and is left out of month and year until corrected;
where an area says `bill_check = "warn"` it is only reported (settlement.md 2).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from grouper.dated import from_day_number
from grouper.errors import Issue
from grouper.money import yuan
from grouper.policy.model import Policy, Terms
from grouper.records.batch import MISSING, MISSING_FEN
from grouper.settle.batch import Marks, negative
from grouper.settle.bill import differences

#: amounts and dates of some rows, by field
Bill = Mapping[str, NDArray[np.int64]]
Days = Mapping[str, NDArray[np.int32]]

#: dates of which the first cannot lie after the second
_ORDER = (("admit_time", "discharge_time"), ("discharge_time", "settle_date"))
_DAY_BITS = 32


def mark_rows(bill: Bill, days: Days, marks: Marks) -> None:
    """ST207 for negative amounts and ST208 for dates out of order."""
    for name, column in bill.items():
        below = (column < 0) & (column != MISSING_FEN)
        marks.mark_values(below, column, partial(negative, name))
    for earlier, later in _ORDER:
        if earlier not in days or later not in days:
            continue
        first, second = (days[name].astype(np.int64) for name in (earlier, later))
        wrong = (first > second) & (second != MISSING)

        def disorder(pair: int, earlier: str = earlier, later: str = later) -> Issue:
            left, right = divmod(pair, 1 << _DAY_BITS)
            params = {
                "earlier": earlier,
                "later": later,
                "left": from_day_number(left).isoformat(),
                "right": from_day_number(right).isoformat(),
            }
            return Issue("ST208", "", params)

        # days before 1970 would need a sign: no discharge is settled by then
        marks.mark_values(wrong & (second >= 0), (first << _DAY_BITS) | second, disorder)


def mark_bills(bill: Bill, strict: NDArray[np.bool_], marks: Marks, notices: Marks) -> None:
    """ST201 to ST205 for rows whose bill does not add up, as errors or as mere notices.

    strict: rows of an area and time that leaves such rows out.
    """
    for identity, difference in differences(bill):

        def broken(fen: int, code: str = identity.code) -> Issue:
            return Issue(code, "", {"difference": yuan(fen)})

        marks.mark_values((difference != 0) & strict, difference, broken)
        notices.mark_values((difference != 0) & ~strict, difference, broken)


def less_than_funds(fen: int) -> Issue:
    """ST203 for a total below what the funds paid; fen: total less all funds."""
    return Issue("ST203", "", {"difference": yuan(fen)})


def is_strict(policy: Policy, terms: Terms) -> bool:
    """Whether an era leaves rows out whose bill does not add up."""
    if policy.is_undated:  # a lead: nobody sums its cases
        return True
    found = policy.parameters.find("bill_check", terms.span.start)
    return found is None or found.value == "strict"
