"""Cells of codes → a `CodeColumn`: verbatim, or repaired spelling by spelling."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from grouper.codes.dictionary import CodeKind, CodeTable, load_dictionary
from grouper.codes.normalize import Repair, is_name, repair
from grouper.records.batch import CodeColumn
from grouper.records.cells import Slots
from grouper.records.values import cell_text, known_text


@dataclass(frozen=True)
class Changed:
    """A spelling that was repaired: what it was, what it became, how, how often, first row."""

    text: str
    codes: tuple[str, ...]
    how: tuple[str, ...]
    count: int
    row: int


@dataclass(frozen=True)
class CleanCodes:
    """Codes after cleaning, and what it found.

    headless: rows (mask) whose first slot is empty while later ones are filled; gaps, duplicates:
    rows (masks) where an empty slot was closed or a repeated code dropped; filled: slots with
    something in them; words: those of them that hold words only.
    """

    column: CodeColumn
    headless: NDArray[np.bool_]
    gaps: NDArray[np.bool_]
    duplicates: NDArray[np.bool_]
    filled: int = 0
    words: int = 0
    changed: list[Changed] = field(default_factory=list)


def verbatim(slots: Slots) -> CodeColumn:
    """Codes exactly as they stand; only empty slots at the end of a row are left out."""
    texts = [cell_text(value) for value in slots.values]
    filled = np.array([value is not None for value in slots.values], bool)[slots.index]
    rows = _rows(slots)
    # position of the last filled slot of each row: empty ones after it are columns, not codes
    last = np.full(len(slots), -1, np.int64)
    np.maximum.at(last, rows[filled], np.flatnonzero(filled))
    keep = np.arange(len(rows)) <= last[rows]
    return _column(texts, slots.index[keep], rows[keep], len(slots))


def cleaned(slots: Slots, table: CodeTable) -> CleanCodes:
    """Codes cleaned and repaired by the dictionary; gaps closed, repetitions dropped."""
    known = [_looked_up(value, table) for value in slots.values]
    repairs = [each.repair for each in known]
    lengths = np.array([len(each.codes) for each in repairs], np.int64)
    rows = _rows(slots)
    per_slot = lengths[slots.index] if len(repairs) else np.zeros(0, np.int64)
    headless, gaps = _holes(slots, rows, per_slot)
    texts, flat = _fan_out(repairs)
    starts = np.concatenate([[0], np.cumsum(lengths)])[:-1] if len(repairs) else lengths
    code_rows = np.repeat(rows, per_slot)
    first = np.repeat(starts[slots.index], per_slot) if len(repairs) else code_rows
    within = np.arange(len(code_rows)) - np.repeat(np.cumsum(per_slot) - per_slot, per_slot)
    index = flat[first + within]
    if table.kind == "dx":
        texts, index, code_rows = _with_asterisks(texts, index, code_rows, table)
    keep = _first_of_kind(index, code_rows, len(texts))
    duplicates = np.zeros(len(slots), bool)
    duplicates[code_rows[~keep]] = True
    return CleanCodes(
        _column(texts, index[keep], code_rows[keep], len(slots)),
        headless,
        gaps,
        duplicates,
        _cells(slots, [each.filled for each in known]),
        _cells(slots, [each.word for each in known]),
        _changes(slots, repairs, rows),
    )


def _rows(slots: Slots) -> NDArray[np.int64]:
    return np.repeat(np.arange(len(slots), dtype=np.int64), np.diff(slots.offsets))


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known about a spelling: its codes, whether it is anything, whether it is words."""

    repair: Repair
    filled: bool
    word: bool


def _looked_up(value: object, table: CodeTable) -> _Known:
    """A cell's value understood; common spellings are remembered from one table to the next."""
    if isinstance(value, str) and table is load_dictionary().table(table.kind):
        return _remembered(value, table.kind)
    return _understood(value, table)


@lru_cache(maxsize=1 << 17)
def _remembered(text: str, kind: CodeKind) -> _Known:
    return _understood(text, load_dictionary().table(kind))


def _understood(value: object, table: CodeTable) -> _Known:
    text, is_text = known_text(value), isinstance(value, str)
    repaired = repair(text, table, is_number=not is_text) if text else Repair(())
    return _Known(repaired, bool(text), isinstance(value, str) and is_name(value))


def _holes(
    slots: Slots, rows: NDArray[np.int64], per_slot: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Rows with an empty first slot, and rows with an empty slot elsewhere before a filled one."""
    n = len(slots)
    headless, gaps = np.zeros(n, bool), np.zeros(n, bool)
    filled = per_slot > 0
    last = np.full(n, -1, np.int64)
    np.maximum.at(last, rows[filled], np.flatnonzero(filled))
    hole = ~filled & (np.arange(len(rows)) < last[rows])
    is_first = np.zeros(len(rows), bool)
    is_first[slots.offsets[:-1][np.diff(slots.offsets) > 0]] = True
    headless[rows[hole & is_first]] = True
    gaps[rows[hole & ~is_first]] = True
    return headless, gaps


def _fan_out(repairs: Sequence[Repair]) -> tuple[list[str], NDArray[np.int32]]:
    """Distinct codes, and for every repair one after the other the ids of its codes."""
    ids: dict[str, int] = {}
    flat = [ids.setdefault(code, len(ids)) for each in repairs for code in each.codes]
    return list(ids), np.array(flat, np.int32)


def _with_asterisks(
    texts: list[str],
    index: NDArray[np.int32],
    rows: NDArray[np.int64],
    table: CodeTable,
) -> tuple[list[str], NDArray[np.int32], NDArray[np.int64]]:
    """Join a lone asterisk code to the dagger code before it where the dictionary has the pair."""
    lone = [text.endswith("*") and "+" not in text for text in texts]
    if not any(lone):
        return texts, index, rows
    texts, index = list(texts), index.copy()
    ids = {text: k for k, text in enumerate(texts)}
    drop = np.zeros(len(index), bool)
    for at in np.flatnonzero(np.array(lone)[index]).tolist():
        if at == 0 or rows[at - 1] != rows[at]:
            continue
        pair = f"{texts[index[at - 1]].rstrip('+')}+{texts[index[at]]}"
        if pair in table:
            index[at - 1] = ids.setdefault(pair, len(ids))
            drop[at] = True
    texts += list(ids)[len(texts) :]
    return texts, index[~drop], rows[~drop]


def _first_of_kind(
    index: NDArray[np.int32], rows: NDArray[np.int64], distinct: int
) -> NDArray[np.bool_]:
    """Elements that do not repeat an earlier code of their row."""
    keys = rows * max(distinct, 1) + index
    ordered = np.sort(keys)
    if not (ordered[1:] == ordered[:-1]).any():
        return np.ones(len(index), bool)
    keep = np.zeros(len(index), bool)
    keep[np.unique(keys, return_index=True)[1]] = True
    return keep


def _cells(slots: Slots, marked: Sequence[bool]) -> int:
    """How many cells have a distinct value that is marked."""
    return int(np.array(marked, bool)[slots.index].sum()) if len(marked) else 0


def _changes(slots: Slots, repairs: Sequence[Repair], rows: NDArray[np.int64]) -> list[Changed]:
    touched = [k for k, each in enumerate(repairs) if each.how]
    if not touched:
        return []
    counts = np.bincount(slots.index, minlength=len(repairs))
    first = np.zeros(len(repairs), np.int64)
    first[slots.index[::-1]] = rows[::-1]
    return [
        Changed(
            cell_text(slots.values[k]),
            repairs[k].codes,
            repairs[k].how,
            int(counts[k]),
            int(first[k]),
        )
        for k in touched
    ]


def _column(
    texts: Sequence[str], index: NDArray[np.int32], rows: NDArray[np.int64], n: int
) -> CodeColumn:
    """A column whose distinct texts are those in use, in order of first appearance."""
    offsets = np.zeros(n + 1, np.int32)
    np.cumsum(np.bincount(rows, minlength=n), out=offsets[1:])
    first = np.full(len(texts), len(index), np.int64)
    first[index[::-1]] = np.arange(len(index) - 1, -1, -1)
    used = np.argsort(first, kind="stable")[: int((first < len(index)).sum())]
    # two cells may write one text (the number 1 and the text "1"): ids follow the text
    ids: dict[str, int] = {}
    renumber = np.zeros(len(texts), np.int32)
    for k in used.tolist():
        renumber[k] = ids.setdefault(texts[k], len(ids))
    return CodeColumn(list(ids), renumber[index], offsets)


def rows_of(column: CodeColumn) -> NDArray[np.int64]:
    """The row of each element of a column."""
    return np.repeat(np.arange(len(column), dtype=np.int64), np.diff(column.offsets))


def code_counts(column: CodeColumn) -> Counter[str]:
    """How often each code occurs."""
    counts = np.bincount(column.index, minlength=len(column.texts))
    return Counter(dict(zip(column.texts, counts.tolist(), strict=True)))
