"""What a spelling of a code stands for: repairs that have exactly one outcome, and no others.

Pure functions on one spelling. A code that no repair brings into the dictionary stays as written;
nothing is padded, guessed or dropped. Source of the rules: docs/reference/records.md.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

from grouper.codes.dictionary import CodeKind, CodeTable, plain_number
from grouper.sheet import half_width, strip_cell

#: characters that stand for others inside a code
_TWINS = str.maketrans({"†": "+", "。": ".", "·": ".", "＊": "*"})
_SHAPES = {
    "dx": re.compile(r"[A-Z]\d\d(\.?[\dx]{1,8})?\*?(\+([A-Z]\d\d(\.?[\dx]{1,8})?\*?)?)?"),
    "px": re.compile(r"\d\d\.[\dx][\dxA-Z]{0,9}"),
}
#: a code at the beginning of a cell, bracketed or not, before its name
_LEADING = {
    "dx": re.compile(r"[\[(【〔]?\s*([A-Z]\d\d[\dx.+*]*(?:[A-Z]\d\d[\dx.]*\*)?)\s*[\])】〕]?"),
    "px": re.compile(r"[\[(【〔]?\s*(\d\d\.[\dx]{1,9}[A-Z]?\d?)\s*[\])】〕]?"),
}
_SEPARATORS = re.compile(r"[|;,、/\s#@]+")
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_NUMBER = re.compile(r"\d{1,2}(\.\d{1,20})?")


class Repair(NamedTuple):
    """The codes a spelling stands for (none, one, several) and what was done to get them.

    how: `fold` (width, case, dots), `blank`, `comma`, `dot`, `number` (a number cell), `digits`
    (text that lost zeros), `split`, `name` (a name glued to the code); empty for nothing.
    """

    codes: tuple[str, ...]
    how: tuple[str, ...] = ()


def fold(text: str) -> str:
    """Half width, upper case, dots for their look-alikes, and `x` unless it comes first."""
    text = half_width(text).translate(_TWINS).upper()
    return text[:1] + text[1:].replace("X", "x")


def has_shape(text: str, kind: CodeKind) -> bool:
    """Whether a folded text looks like a code, known or not."""
    return _SHAPES[kind].fullmatch(text) is not None


def is_name(text: str) -> bool:
    """Whether a cell holds words and no code: a column of names read as codes."""
    return bool(_CHINESE.search(text)) and not re.search(r"[A-Za-z]?\d\d", text)


def repair(text: str, table: CodeTable, *, is_number: bool = False) -> Repair:
    """The codes in a cell, repaired where exactly one reading is possible.

    is_number: the cell was a number in a spreadsheet, so that zeros are known to be lost.
    """
    text = strip_cell(text)
    if not text:
        return Repair(())
    single = _single(text, table, is_number=is_number)
    if single is not None:
        return single
    folded = fold(text)
    parts = [part for part in _SEPARATORS.split(folded) if part]
    if len(parts) > 1 and all(has_shape(part, table.kind) for part in parts):
        found = [_single(part, table, is_number=False) for part in parts]
        codes = [each.codes[0] if each else part for each, part in zip(found, parts, strict=True)]
        return Repair(tuple(codes), ("split",))
    match = _LEADING[table.kind].match(folded)
    if match and _CHINESE.search(folded[match.end() :]):
        inner = _single(match[1], table, is_number=False)
        return Repair(inner.codes if inner else (match[1],), ("name",))
    return Repair((folded if has_shape(folded, table.kind) else text,), ())


def _single(text: str, table: CodeTable, *, is_number: bool) -> Repair | None:
    """One code of the dictionary that the text stands for, None if none is reached."""
    if text in table:
        return Repair((text,))
    folded = fold(text)
    tight = re.sub(r"\s+", "", folded)
    point = 3 if table.kind == "dx" else 2
    dotted = f"{tight[:point]}.{tight[point:]}"
    tries = (
        ("fold", folded),
        ("blank", tight),
        ("comma", tight.replace(",", ".")),
        ("dot", dotted),
    )
    for how, code in tries:
        if code in table:
            return Repair((code,), (how,))
    if table.kind == "px" and _NUMBER.fullmatch(tight):
        # binary noise such as 45.13000000000001 goes at the fifth decimal; codes have at most five
        number = plain_number(round(Decimal(tight), 5))
        if number in table.by_number:
            return Repair((table.by_number[number],), ("number" if is_number else "digits",))
    return None
