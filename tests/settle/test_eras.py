"""Amounts under several versions brought together: each row keeps what its own version says."""

from dataclasses import fields, replace

import numpy as np

from grouper.errors import Issue
from grouper.settle.amounts import Amounts
from grouper.settle.eras import merge_amounts

POSITIONS = {"rule": "rules", "issue": "issues", "notice": "notices", "cell": "cells"}


def said(amounts: Amounts, name: str, row: int):
    """What a column says of a row: the value, or what stands at its position."""
    column = getattr(amounts, name)
    if name not in POSITIONS:
        return column[row]
    if not len(column):
        return None
    number = int(column[row]) - (name != "cell")
    return getattr(amounts, POSITIONS[name])[number] if number >= 0 else None


def test_every_column_comes_from_the_version_of_its_row(row, settle):
    rows = [row(), row(total=None), row(group="ES15"), row(insurance="x"), row(total=9_000_000)]
    _, _, one = settle(rows)
    other = replace(
        one,
        payable_fen=one.payable_fen + 1,
        rules=one.rules[::-1],
        rule=np.where(one.rule > 0, len(one.rules) + 1 - one.rule, 0).astype(one.rule.dtype),
        issues=(*one.issues, Issue("ST211")),
        notice=np.array([0, 1, 0, 0, 1], np.uint32),
        notices=(Issue("ST209"),),
        scheme_id="other",
        confidence="unofficial",
    )
    for which in ([0, 1, 0, 1, 1], [1] * 5, [0] * 5):
        merged = merge_amounts([one, other], np.array(which, np.int64))
        for at, part in enumerate(which):
            theirs = (one, other)[part]
            for each in fields(Amounts):
                if isinstance(getattr(one, each.name), np.ndarray):
                    assert said(merged, each.name, at) == said(theirs, each.name, at), each.name
        assert merged.scheme_id == f"{one.scheme_id} + other"
        assert merged.confidence in ("unofficial", "constructed")
    assert merge_amounts([one], np.zeros(5, np.int64)) is one


def test_every_column_of_positions_is_known():
    """A new column that points into a list of its own must be shifted when parts are joined."""
    listed = {each.name for each in fields(Amounts) if "tuple[" in str(each.type)} - {"decimals"}
    assert listed == set(POSITIONS.values())
