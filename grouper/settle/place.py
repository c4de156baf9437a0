"""Where a patient is insured, seen from the hospital: each place has its budget and its ledger.

Patients from elsewhere are grouped and priced by the rules of the place of care; what they are paid
is booked apart (医保发〔2025〕18号 art. 38; platform message 9201 keys its statements so).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from grouper.errors import Issue, Lang
from grouper.policy.model import Area
from grouper.records.fields import spellings, values

#: digits of an area's code (行政区划): province, city, county
_DIGITS, _PROVINCE = 6, 2


class Place(IntEnum):
    """The place of a case; the lower-case name is its key in statements and result files."""

    LOCAL = 0
    IN_PROVINCE = 1
    CROSS_PROVINCE = 2

    @property
    def key(self) -> str:
        """`local`, `in_province` or `cross_province`."""
        return self.name.lower()

    def word(self, lang: Lang = "en") -> str:
        """The word in result files."""
        return self.key if lang == "en" else values("place")[self.key]


def place_in(area: Area, insured: str) -> Place | None:
    """The place of a case of an area's hospital, from its 参保地."""
    return place_of(insured, area.code, (area.title, area.title_en))


def place_of(insured: str, area_code: str, names: Sequence[str] = ()) -> Place | None:
    """The place of a case from its 参保地; None when the text is neither code nor name nor word.

    area_code: six digits of the area of the hospital; a code that ends in 00 is a city's and covers
    its counties, one that ends in 0000 a province's. names: what the area is also called.
    An empty text is local: files of an area's own patients seldom repeat the area.
    """
    text = insured.strip()
    if text in ("", *names):
        return Place.LOCAL
    word = spellings("place").get(text.upper())
    if word is not None:
        return Place[word.upper()]
    code = text[:_DIGITS]
    if len(code) < _DIGITS or not text.isascii() or not text.isdecimal():
        return None
    if code.startswith(_covered(area_code)):
        return Place.LOCAL
    same_province = code[:_PROVINCE] == area_code[:_PROVINCE]
    return Place.IN_PROVINCE if same_province else Place.CROSS_PROVINCE


def unknown_place(text: str) -> Issue:
    """ST105 for an area of insurance that is neither a code nor a name nor a word."""
    return Issue("ST105", "", {"field": "area_insured", "value": text.strip()})


def _covered(area_code: str) -> str:
    """The digits that all codes inside an area share."""
    whole = area_code[:_DIGITS]
    for kept in (_PROVINCE, 4):
        if set(whole[kept:]) == {"0"}:
            return whole[:kept]
    return whole
