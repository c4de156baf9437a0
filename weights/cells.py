"""What one cell of a published table says: its text cleaned, its number exact."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from fnmatch import fnmatchcase

from grouper.money import round_half_up
from grouper.sheet import half_width, strip_cell
from weights.maps import Source
from weights.words import words

_NUMBER = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_THOUSANDS = re.compile(r"-?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?", re.ASCII)
_BLANKS = re.compile(r"\s+")
#: units that cells print behind a number, longer ones first ("分" may mean points)
_SUFFIXES = ("万元", "千元", "百元", "元", "%", "‰", "天", "日", "点")
_PLAIN = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII)


def header_text(text: str) -> str:
    """A header without blanks and line breaks, full-width signs as their ordinary twins."""
    return _BLANKS.sub("", half_width(strip_cell(text)))


def clean_text(text: str) -> str:
    """A text on one line, fit for the normal form (which has no quotation marks)."""
    return _BLANKS.sub(" ", strip_cell(text)).strip().replace('"', "＂")


def matches(text: str, patterns: Sequence[str]) -> bool:
    """Whether a text is one of some words; `*` and `?` in a word stand for any signs."""
    return any(text == pattern or fnmatchcase(text, pattern) for pattern in patterns)


def picked(text: str, source: Source) -> str:
    """A cell as a source wants it: emptied, replaced, and the part that its `match` picks."""
    text = clean_text(text)
    text = source.values.get(text, text)
    if text in source.empty:
        return ""
    if source.match is not None:
        found = source.match.search(text)
        text = (found[1 if source.match.groups else 0] or "") if found else ""
    return text


def number_text(text: str, source: Source) -> str | None:
    """The number in a cell as plain digits, None if there is none; an empty cell stays empty.

    The digits stay as printed unless a unit, a percentage or `decimals` asks for arithmetic.
    """
    text = half_width(text).replace(" ", "").lstrip("¥￥")
    unit = source.unit
    # a cell that names its unit itself ("85%", "1.2万元") is taken at its word
    for word in _SUFFIXES:
        if text.endswith(word):
            text, unit = text.removesuffix(word), words().unit[word]
            break
    if _THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    if not text:
        return ""
    if not _NUMBER.fullmatch(text):
        return None
    if not _PLAIN.fullmatch(text):
        text = format(Decimal(text), "f")
    if unit != 1:
        text = format(Decimal(text) * unit, "f")
    if source.decimals is not None:
        digits = round_half_up(Decimal(text).scaleb(source.decimals))
        text = format(Decimal(digits).scaleb(-source.decimals), "f")
    return text
