"""Cells in their commonest form, read without a Python object each; the rest goes to the parsers.

A plain reader takes Arrow's text buffers and fills one number a row; rows of cells in any other
form are listed, for `grouper.records.values` to read. Where a plain reader knows a cell, the parser
says the same of it: tests/records/test_plain.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from grouper.records import _cells
from grouper.records.textcolumn import Strings

#: numbers of a batch are int32
MOST = 2**31 - 1


class Plain(Protocol):
    """Fills `out` (n,) and the first rows of `odd` (n,); returns how many are odd."""

    def __call__(
        self, cells: Strings, missing: int, out: NDArray[np.int64], odd: NDArray[np.int32]
    ) -> int:
        """Read the plain cells of a column."""


def whole(low: int, high: int, *, scale: int = 1) -> Plain:
    """`12` or `12.0` between low and high, times scale."""

    def read(cells: Strings, missing: int, out: NDArray[np.int64], odd: NDArray[np.int32]) -> int:
        found: int = _cells.whole_numbers(*cells, low, high, scale, missing, out, odd)
        return found

    return read


def money(cells: Strings, missing: int, out: NDArray[np.int64], odd: NDArray[np.int32]) -> int:
    """Yuan with at most two decimals, as fen."""
    found: int = _cells.amounts(*cells, missing, out, odd)
    return found


def day(cells: Strings, missing: int, out: NDArray[np.int64], odd: NDArray[np.int32]) -> int:
    """Dates, with a time of day or not, as days since 1970-01-01."""
    found: int = _cells.days(*cells, missing, out, odd)
    return found


def letter(meaning: Mapping[str, int]) -> Plain:
    """Cells of one sign by their meaning; an empty cell is 0."""
    table = np.full(256, -1, np.int16)
    for sign, number in meaning.items():
        if len(sign) == 1 and sign.isascii():
            table[ord(sign)] = number

    def read(cells: Strings, missing: int, out: NDArray[np.int64], odd: NDArray[np.int32]) -> int:
        found: int = _cells.letters(*cells, table, out, odd)
        return found

    return read


def exact(digits: str) -> Plain:
    """Cells of one digit as they stand."""
    return letter({digit: int(digit) for digit in digits})
