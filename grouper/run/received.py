"""What files say of lists beside the bill: when they were accepted, and which are special cases."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from grouper.records.batch import MISSING
from grouper.records.read import Records
from grouper.records.user import Absent
from grouper.records.values import cell_text, day
from grouper.settle.acceptance import Received
from grouper.settle.batch import factorize

#: 1 applied, 2 approved: both are paid as recorded until they are decided upon in the book
_APPLIED = ("1", "2", "1.0", "2.0")


def received_of(records: Records) -> Received:
    """The days of acceptance and the applications for review that the files hold."""
    batch = records.batch
    accepted = np.full(len(batch), MISSING, np.int32)
    special = np.zeros(len(batch), np.bool_)
    column = _column(records, "declared_time")
    if column is not None:
        ids, texts = column
        days = [day(text).number for text in texts]
        accepted = np.array(days, np.int64).astype(np.int32)[ids]
    column = _column(records, "special")
    if column is not None:
        ids, texts = column
        applied = [text.strip() in _APPLIED for text in texts]
        special = np.array(applied, np.bool_)[ids]
    return Received(accepted, special)


def _column(records: Records, field: str) -> tuple[NDArray[np.int64], list[str]] | None:
    """A column of the files by its field: ids into its distinct texts."""
    user = records.user
    at = next((i for i, name in enumerate(user.names) if user.fields.get(name) == field), None)
    if at is None:
        return None
    column = user.columns[at]
    if isinstance(column, list):
        return factorize(["" if isinstance(cell, Absent) else cell_text(cell) for cell in column])
    return factorize(column)
