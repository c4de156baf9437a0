"""Conditions of 3.0 as catalogues write them: days, grams, shares, burns, answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from grouper.scheme.dip import dx_key
from grouper.scheme.dip_reading import Reading, whole, words
from grouper.sheet import half_width

#: characters of a category, and of a code with its fourth character (`T20.2`)
_CATEGORY = 3


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a row asks besides its diagnosis and operations; as in CatalogueRow."""

    other_dx: tuple[str, ...] = ()
    age_days_below: int | None = None
    weight_lo: int | None = None
    weight_hi: int | None = None
    resistant: str = ""


Bounds = tuple[int | None, int | None]


def read_conditions(reading: Reading, row: int, said: Mapping[str, str]) -> Conditions:
    """The conditions of a row, from columns of their own, else from the text of conditions."""
    days = _asked(reading, row, "age_days_max", said)
    low, high = _weight(reading, row, said)
    below = whole(said.get("age_days_below"))
    if days is not None:
        below = days + 1
    elif (read := _days(reading, row)) is not None:
        below = read
    return Conditions(
        other_dx=_other_dx(reading, row),
        age_days_below=below,
        weight_lo=low,
        weight_hi=high,
        resistant=_resistant(reading, row, said),
    )


def bounds(text: str, unit: str, *, bare: bool = False) -> Bounds | None:
    """The whole numbers of a unit that a text allows, inclusive; None where it says nothing.

    `<29天` is (None, 28), `1000-1499克` and `1000≤体重<1500` are (1000, 1499). bare: the unit may
    be missing, as in a column of its own; so it may where the text names what is meant. Raises
    ValueError for bounds that leave nothing.
    """
    low: int | None = None
    high: int | None = None
    for lowest, highest in _parts(_plain(text), unit, bare=bare):
        low = lowest if low is None else low if lowest is None else max(low, lowest)
        high = highest if high is None else high if highest is None else min(high, highest)
    if low is not None and high is not None and low > high:
        raise ValueError(text)
    return None if low is high is None else (low, high)


def _parts(text: str, unit: str, *, bare: bool) -> Iterator[Bounds]:
    for clause in _clauses().split(text):
        named = [one for one, said in words()["asked"].items() if any(w in clause for w in said)]
        yield from _bounds_in(clause, _pattern(unit, bare or named == [unit]))


@cache
def _clauses() -> re.Pattern[str]:
    return re.compile(str(words()["clauses"]))


def _bounds_in(clause: str, pattern: re.Pattern[str]) -> Iterator[Bounds]:
    for match in pattern.finditer(clause):
        found = {name: int(n) for name, n in match.groupdict().items() if n and n.isdecimal()}
        if "from" in found:
            yield found["from"], found["to"]
        elif "low" in found:
            yield found["low"] + (match["after"] == "<"), found["high"] - (match["before"] == "<")
        else:
            sign, number = match["sign"], found["number"]
            if sign.startswith(">"):
                yield number + (sign == ">"), None
            else:
                yield None, number - (sign == "<")


@cache
def _pattern(unit: str, bare: bool) -> re.Pattern[str]:
    said = f"(?:{'|'.join(map(re.escape, words()['units'][unit]))})"
    must = f"{said}?" if bare else said
    return re.compile(
        rf"(?P<from>\d+){said}?-(?P<to>\d+){must}"
        rf"|(?P<low>\d+){said}?(?P<after><=?)[^\d<>=]*(?P<before><=?)(?P<high>\d+){must}"
        rf"|(?P<sign>[<>]=?)(?P<number>\d+){must}"
    )


def _plain(text: str) -> str:
    """A text with signs instead of words, and those that stand behind a number before it."""
    text = "".join(half_width(text).split()).lower()
    for word, sign in words()["signs"].items():
        text = text.replace(word, sign)
    for word, sign in words()["signs_behind"].items():
        text = re.sub(rf"(\d+[^\d,;，；。、]{{0,2}}?){word}", rf"{sign}\1", text)
    return text


def check_remark(reading: Reading, row: int) -> None:
    """A remark of days or weight must be understood (SE58); others change nothing (SW73)."""
    text = reading.cell(row, "remark")
    if not text:
        return
    plain = _plain(text)
    found = [_bounds(reading, row, "remark", unit) for unit in words()["asked"]]
    for bound, (unit, said) in zip(found, words()["asked"].items(), strict=True):
        units = "|".join(map(re.escape, words()["units"][unit]))
        speaks = any(word in plain for word in said) or re.search(rf"\d({units})", plain)
        if speaks and bound is None:
            reading.note("SE58", row, "remark", text=text)
            return
    if not any(found):
        reading.note("SW73", row, "remark", text=text)


def _days(reading: Reading, row: int) -> int | None:
    """The day of life from which a case is too old: of its own column, else of the remark."""
    for name, bare in (("age_days", True), ("remark", False)):
        found = _bounds(reading, row, name, "days", bare=bare)
        if found is not None and (found[0] or found[1] is None):
            # no published group begins at a later day than the first
            reading.note("SE58", row, name, text=reading.cell(row, name))
        elif found is not None and found[1] is not None:
            return found[1] + 1
    return None


def _weight(reading: Reading, row: int, said: Mapping[str, str]) -> Bounds:
    low = _asked(reading, row, "weight_lo", said)
    high = _asked(reading, row, "weight_hi", said)
    if low is not None or high is not None:
        return low, high
    own = _bounds(reading, row, "weight", "grams", bare=True)
    # the official workbook may say it in the name alone
    names = ("remark", "name") if reading.dialect.part else ("remark",)
    said_in = (_bounds(reading, row, name, "grams") for name in names)
    return own or next(filter(None, said_in), None) or (None, None)


def _bounds(
    reading: Reading, row: int, name: str, unit: str, *, bare: bool = False
) -> Bounds | None:
    """The bounds in a cell; SE58 for one that says something else, or has bounds that meet not."""
    text = reading.cell(row, name)
    if not text:
        return None
    try:
        found = bounds(text, unit, bare=bare)
    except ValueError:
        found = None
        bare = True
    if found is None and bare:
        reading.note("SE58", row, name, text=text)
    return found


def _asked(reading: Reading, row: int, name: str, said: Mapping[str, str]) -> int | None:
    """A number that a group asks for, from its own column or from the text of conditions."""
    text = reading.cell(row, name)
    number = whole(text or said.get(name))
    if text and number is None:
        reading.note("SE58", row, name, text=text)
    return number


def _resistant(reading: Reading, row: int, said: Mapping[str, str]) -> str:
    # 无 is an answer here, though elsewhere it may stand for an empty cell
    text = (reading.text(row, "resistant") or said.get("resistant", "")).lower()
    for answer, spellings in words()["answers"].items():
        if text in spellings:
            return str(answer)
    if text and text not in reading.dialect.none:
        reading.note("SE58", row, "resistant", text=text)
    return ""


def _other_dx(reading: Reading, row: int) -> tuple[str, ...]:
    """Other diagnoses of which a case has one; the area of a burn is told by the codes for it."""
    text = dx_key(reading.cell(row, "other_dx"))
    keys = tuple(filter(None, text.split("|")))
    digits = _area_digits(reading, row)
    if digits is None:
        return keys
    listed = keys or tuple(words()["burns"]["area"])
    wide = [key for key in listed if len(key) == _CATEGORY]
    if wide:
        return tuple(f"{key}.{digit}" for key in wide for digit in digits)
    if any(key[_CATEGORY + 1 : _CATEGORY + 2] not in digits for key in keys):
        reading.note("SE58", row, "burn_area", text=reading.cell(row, "burn_area"))
    return keys


def _area_digits(reading: Reading, row: int) -> tuple[str, ...] | None:
    """The fourth characters of T31 and T32 for an area: tens of percent."""
    found = _bounds(reading, row, "burn_area", "percent", bare=True)
    if found is None:
        return None
    low, high = found[0] or 0, 99 if found[1] is None else min(found[1], 99)
    return tuple(str(digit) for digit in range(low // 10, high // 10 + 1))


def burn_keys(reading: Reading, row: int, keys: tuple[str, ...]) -> tuple[str, ...]:
    """The keys of a burn: a category, or a range of them, with the characters of the degree."""
    text = half_width(reading.cell(row, "burn_degree")).lower()
    if not text:
        return keys
    degrees = [degree for degree, said in words()["degrees"].items() if _names(text, said)]
    # of `二、三度` one degree would be left over
    rest = re.sub("|".join(w for said in words()["degrees"].values() for w in said), "", text)
    if not degrees or re.search(str(words()["degree"]), rest):
        reading.note("SE58", row, "burn_degree", text=text)
        return keys
    digits = [digit for degree in degrees for digit in words()["burns"]["of_degree"][degree]]
    found: list[str] = []
    for key in keys:
        categories = list(_categories(key))
        if categories:
            found += [f"{category}.{digit}" for category in categories for digit in digits]
        else:
            found.append(key)
            if key[_CATEGORY + 1 : _CATEGORY + 2] not in digits:
                reading.note("SE58", row, "burn_degree", text=text)
    return tuple(found)


def _names(text: str, spellings: list[str]) -> bool:
    """Whether a text names a degree; `iii度` does not name the second one."""
    return any(re.search(rf"(?<![iⅰ-ⅻ\d]){re.escape(word)}", text) for word in spellings)


def _categories(key: str) -> Iterator[str]:
    """The categories of a key of whole categories: `T20`, `T20-T25`; none for finer keys."""
    low, _, high = key.partition("-")
    high = high or low
    if len(low) != _CATEGORY or len(high) != _CATEGORY or low[0] != high[0]:
        return
    if low[1:].isdecimal() and high[1:].isdecimal():
        for number in range(int(low[1:]), int(high[1:]) + 1):
            yield f"{low[0]}{number:02}"
