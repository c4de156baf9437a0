"""Slots of codes → a `CodeColumn`: verbatim, or repaired spelling by spelling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from grouper.codes.dictionary import CodeTable
from grouper.records._spellings import distinct, expanded, trimmed
from grouper.records.batch import CodeColumn
from grouper.records.cells import Slots
from grouper.records.spellings import CHANGED, GRAY, LONE, UNKNOWN, Meanings, meanings_of
from grouper.records.values import cell_text


@dataclass(frozen=True)
class Changed:
    """A spelling that was repaired: what it was, what it became, how, how often, first row."""

    text: str
    codes: tuple[str, ...]
    how: tuple[str, ...]
    count: int
    row: int


class Met(NamedTuple):
    """A code that deserves a remark: how often it occurs, the first row with it."""

    code: str
    times: int
    row: int


@dataclass(frozen=True)
class CleanCodes:
    """Codes after cleaning, and what it found.

    headless: rows (mask) whose first slot is empty while later ones are filled; gaps, duplicates:
    rows (masks) where an empty slot was closed or a repeated code dropped; filled: slots with
    something in them; words: those of them that hold words only; unknown: codes that are not in the
    dictionary; gray: codes in first place that the payer refuses; commonest first.
    """

    column: CodeColumn
    headless: NDArray[np.bool_]
    gaps: NDArray[np.bool_]
    duplicates: NDArray[np.bool_]
    filled: int = 0
    words: int = 0
    changed: list[Changed] = field(default_factory=list)
    unknown: list[Met] = field(default_factory=list)
    gray: list[Met] = field(default_factory=list)


def verbatim(slots: Slots) -> CodeColumn:
    """Codes exactly as they stand; only empty slots at the end of a row are left out."""
    if slots.known is not None:
        if slots.alone:
            return CodeColumn(slots.known.texts, *trimmed(slots.index, slots.offsets))
        return CodeColumn(slots.known.texts, slots.index, slots.offsets)
    # as `trimmed` has it, 0 is the empty slot
    number = np.array([value is not None for value in slots.values], np.int32)
    number[number > 0] = np.arange(1, number.sum() + 1)
    texts = ["", *(cell_text(value) for value in slots.values if value is not None)]
    index, offsets = trimmed(number[slots.index] if len(number) else slots.index, slots.offsets)
    return _merged(texts, index, offsets)


def _merged(
    texts: Sequence[str], index: NDArray[np.int32], offsets: NDArray[np.int32]
) -> CodeColumn:
    """Two cells may write one text (the number 1 and the text "1"): numbers follow the text."""
    numbers: dict[str, int] = {}
    renumber = np.array([numbers.setdefault(text, len(numbers)) for text in texts], np.int32)
    return CodeColumn(list(numbers), renumber[index], offsets)


def cleaned(slots: Slots, table: CodeTable) -> CleanCodes:
    """Codes cleaned and repaired by the dictionary; gaps closed, repetitions dropped."""
    known = slots.known.meanings if slots.known else None
    meanings = known or meanings_of(slots.values, table)
    codes, rows, headless, gaps, filled, words, changed = expanded(
        slots.index, slots.offsets, meanings.code_start, meanings.code, meanings.flags
    )
    flags = meanings.code_flags
    if len(codes) and (flags & LONE).any():
        codes, rows, flags = _with_asterisks(codes, rows, meanings, table)
    n, offsets, duplicates, n_unknown, n_gray = distinct(codes, rows, flags)
    index = codes[:n]
    return CleanCodes(
        CodeColumn(meanings.codes, index, offsets),
        headless,
        gaps,
        duplicates,
        filled,
        words,
        _changes(slots, meanings) if changed else [],
        _met(index, flags & UNKNOWN, meanings, offsets) if n_unknown else [],
        _gray_heads(index, flags, meanings, offsets) if n_gray else [],
    )


def _rows(offsets: NDArray[np.int32]) -> NDArray[np.int64]:
    """The row of each element of a list."""
    return np.repeat(np.arange(len(offsets) - 1, dtype=np.int64), np.diff(offsets))


def _met(
    index: NDArray[np.int32],
    marked: NDArray[np.integer],
    meanings: Meanings,
    offsets: NDArray[np.integer],
) -> list[Met]:
    """The marked codes among those of rows, commonest first, equally common ones as they come."""
    places = np.flatnonzero(marked[index])
    codes, first, counts = np.unique(index[places], return_index=True, return_counts=True)
    rows = np.searchsorted(offsets, places[first], side="right") - 1
    return [
        Met(meanings.codes[int(codes[k])], int(counts[k]), int(rows[k]))
        for k in np.lexsort((first, -counts)).tolist()
    ]


def _gray_heads(
    index: NDArray[np.int32],
    flags: NDArray[np.uint8],
    meanings: Meanings,
    offsets: NDArray[np.int32],
) -> list[Met]:
    """Gray codes in first place."""
    rows = np.flatnonzero(np.diff(offsets))
    heads = index[offsets[rows]]
    found = _met(heads, flags & GRAY, meanings, np.arange(len(heads) + 1))
    return [each._replace(row=int(rows[each.row])) for each in found]


def _with_asterisks(
    codes: NDArray[np.int32], rows: NDArray[np.int32], meanings: Meanings, table: CodeTable
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint8]]:
    """Join a lone asterisk code to the dagger code before it where the dictionary has the pair."""
    flags, names = meanings.code_flags, meanings.codes
    lone = np.flatnonzero(flags[codes] & LONE)
    row = _rows(rows)
    lone = lone[(lone > 0) & (row[lone] == row[lone - 1])]
    if not len(lone):
        return codes, rows, flags
    codes, drop = codes.copy(), np.zeros(len(codes), bool)
    for at in lone.tolist():
        pair = f"{names[int(codes[at - 1])].rstrip('+')}+{names[int(codes[at])]}"
        if pair in table:
            codes[at - 1] = names.number(pair)
            drop[at] = True
    # a pair is in the dictionary, and so has no other mark than gray; names may grow meanwhile
    more = np.array([GRAY * table.is_gray(code) for code in names[len(flags) :]], np.uint8)
    offsets = np.zeros(len(rows), np.int32)
    np.cumsum(np.bincount(row[~drop], minlength=len(rows) - 1), out=offsets[1:])
    return codes[~drop], offsets, np.concatenate([flags, more])


def _changes(slots: Slots, meanings: Meanings) -> list[Changed]:
    """The repaired spellings in use, in the order in which they appear."""
    places = np.flatnonzero(meanings.flags[slots.index] & CHANGED)
    used, first, counts = np.unique(slots.index[places], return_index=True, return_counts=True)
    found = []
    for k in np.argsort(first).tolist():
        spelling, place = int(used[k]), places[first[k]]
        start, stop = meanings.code_start[spelling], meanings.code_start[spelling + 1]
        found.append(
            Changed(
                cell_text(meanings.values[spelling]),
                tuple(meanings.codes[int(code)] for code in meanings.code[start:stop]),
                meanings.how[spelling],
                int(counts[k]),
                int(np.searchsorted(slots.offsets, place, side="right") - 1),
            )
        )
    return found
