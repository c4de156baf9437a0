"""Two columns of keys brought together, what spreadsheets did to them repaired where it is unique.

Damage has names: blanks, apostrophe, decimal (`123.0`), leading_zeros (`00123` -> `123`), exponent
(`1.23457E+14`), digits_lost (from the 16th digit on, zeros or what a binary number leaves). A
damaged key is joined only if exactly one key of the other file could have been its origin.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from typing import Literal

from grouper.sheet import half_width, strip_cell

Damage = Literal["blanks", "apostrophe", "decimal", "leading_zeros", "exponent", "digits_lost"]
#: digits that a spreadsheet keeps of a number
KEPT_DIGITS = 15
_JOINER = "|"
_EXPONENT = re.compile(r"(\d)(?:\.(\d+))?[eE]\+?(\d+)")
_DECIMAL = re.compile(r"(\d+)\.0+")


@dataclass(frozen=True, slots=True)
class Key:
    """A key as compared, and what had to be cut off it: "" or a kind of damage."""

    text: str
    damage: Damage | Literal[""] = ""


def clean_key(text: str) -> Key:
    """A cell of keys without blanks, apostrophes and the `.0` of a number made of it."""
    stripped = strip_cell(text)
    cleaned = half_width(stripped)
    if found := _DECIMAL.fullmatch(cleaned):
        return Key(found[1], "decimal")
    if cleaned == text:
        return Key(cleaned)
    bare = text.strip(" \t\r\n\u00a0\u3000")
    return Key(cleaned, "apostrophe" if bare.startswith(("'", '="')) else "blanks")


def join_key(parts: Iterable[str]) -> str:
    """The key that several columns make together."""
    return _JOINER.join(parts)


def split_key(text: str) -> list[str]:
    """The columns of a key."""
    return text.split(_JOINER)


@dataclass(frozen=True, slots=True)
class Repair:
    """A pair of rows whose keys are the same but for damage."""

    kind: Damage
    ours: int
    theirs: int


@dataclass(frozen=True)
class Matching:
    """Rows brought together.

    pairs: (ours, theirs) in the order of ours; repairs: those of them that needed one; unclear:
    damaged rows of theirs (or of ours) with the rows that could be meant, several or none alone;
    twice: keys that occur more than once and are not damaged, with how often.
    """

    pairs: tuple[tuple[int, int], ...]
    repairs: tuple[Repair, ...]
    unclear_ours: Mapping[int, tuple[int, ...]]
    unclear_theirs: Mapping[int, tuple[int, ...]]


def repeated(keys: Sequence[Key]) -> dict[str, int]:
    """Keys that occur more than once, in order, with how often; damaged ones left out."""
    counts = Counter(key.text for key in keys if key.text)
    return {text: n for text, n in counts.items() if n > 1 and not _ends_in_loss(text)}


def match(ours: Sequence[Key], theirs: Sequence[Key]) -> Matching:
    """Bring the rows of two files together; rows without key match nothing.

    Every undamaged key must occur once in each file (`repeated`).
    """
    work = _Work(ours, theirs)
    work.exact()
    for kind, origins in _WAYS.items():
        work.by_damage(kind, origins, damaged="theirs")
        work.by_damage(kind, origins, damaged="ours")
    return Matching(
        tuple(sorted(work.pairs.items())),
        tuple(sorted(work.repairs, key=lambda one: one.ours)),
        work.unclear_ours,
        work.unclear_theirs,
    )


@dataclass
class _Work:
    ours: Sequence[Key]
    theirs: Sequence[Key]
    pairs: dict[int, int] = field(default_factory=dict)
    taken: set[int] = field(default_factory=set)
    repairs: list[Repair] = field(default_factory=list)
    unclear_ours: dict[int, tuple[int, ...]] = field(default_factory=dict)
    unclear_theirs: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lossy = {"ours": _is_lossy(self.ours), "theirs": _is_lossy(self.theirs)}

    def exact(self) -> None:
        places: dict[str, list[int]] = {}
        for row, key in enumerate(self.theirs):
            places.setdefault(key.text, []).append(row)
        often = Counter(key.text for key in self.ours)
        for row, key in enumerate(self.ours):
            found = places.get(key.text, [])
            # a damaged key may stand for several records: then it is not unique, nor the same
            if not key.text or len(found) != 1 or often[key.text] > 1:
                continue
            damage = key.damage or self.theirs[found[0]].damage
            self.join(row, found[0], damage)

    def join(self, mine: int, other: int, damage: Damage | Literal[""]) -> None:
        self.pairs[mine] = other
        self.taken.add(other)
        if damage:
            self.repairs.append(Repair(damage, mine, other))

    def by_damage(
        self,
        kind: Damage,
        origins: Callable[[Sequence[str], Sequence[str]], Iterator[tuple[int, int]]],
        *,
        damaged: Literal["ours", "theirs"],
    ) -> None:
        """Join damaged keys of one side with the only key of the other that they can come from."""
        mine = [row for row in range(len(self.ours)) if self._is_free(row, "ours")]
        other = [row for row in range(len(self.theirs)) if self._is_free(row, "theirs")]
        bad, whole = (mine, other) if damaged == "ours" else (other, mine)
        keys = {"ours": self.ours, "theirs": self.theirs}
        if kind == "digits_lost" and not self.lossy[damaged]:
            # in a column of intact numbers one that could be a binary one by chance is none
            bad = [row for row in bad if _ends_in_loss(keys[damaged][row].text)]
        texts = [keys[damaged][row].text for row in bad]
        against = [keys["theirs" if damaged == "ours" else "ours"][row].text for row in whole]
        found: dict[int, list[int]] = {}
        wanted: dict[int, list[int]] = {}
        for at, origin in origins(texts, against):
            found.setdefault(at, []).append(origin)
            wanted.setdefault(origin, []).append(at)
        for at, places in found.items():
            rows = tuple(whole[place] for place in places)
            if len(places) == 1 and len(wanted[places[0]]) == 1:
                pair = (bad[at], rows[0]) if damaged == "ours" else (rows[0], bad[at])
                self.join(*pair, kind)
            elif damaged == "ours":
                self.unclear_ours[bad[at]] = rows
            else:
                self.unclear_theirs[bad[at]] = rows

    def _is_free(self, row: int, side: Literal["ours", "theirs"]) -> bool:
        if side == "ours":
            known = row in self.pairs or row in self.unclear_ours
            return not known and bool(self.ours[row].text)
        known = row in self.taken or row in self.unclear_theirs
        return not known and bool(self.theirs[row].text)


def _without_zeros(damaged: Sequence[str], whole: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Numbers that lost their leading zeros."""
    places: dict[str, list[int]] = {}
    for at, text in enumerate(whole):
        if (bare := _bare(text)) != text:
            places.setdefault(bare, []).append(at)
    for at, text in enumerate(damaged):
        for origin in places.get(_bare(text), ()):
            parts = zip(split_key(text), split_key(whole[origin]), strict=True)
            # all of the zeros went, as a spreadsheet takes them, or none
            if text != whole[origin] and all(one in (other, _bare(other)) for one, other in parts):
                yield at, origin


def _bare(text: str) -> str:
    """A key whose numbers have no leading zeros; of nothing but zeros one is left."""
    return join_key(
        part.lstrip("0") or part[-1:] if part.isdecimal() else part for part in split_key(text)
    )


def _with_exponent(damaged: Sequence[str], whole: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Numbers shown with an exponent: the digits kept are those of the origin, rounded."""
    forms: dict[int, tuple[int, str]] = {}
    for at, text in enumerate(damaged):
        if found := _EXPONENT.fullmatch(text):
            digits = found[1] + (found[2] or "")
            if int(found[3]) + 1 >= len(digits):
                forms[at] = (int(found[3]) + 1, digits.rstrip("0") or "0")
    yield from _by_rounding(forms, whole, lambda form: len(form[1]))


def _with_lost_digits(damaged: Sequence[str], whole: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Numbers of more than 15 digits that went through a binary number."""
    forms = {at: text for at, text in enumerate(damaged) if _is_binary(text)}
    lengths = {len(text) for text in forms.values()}
    places: dict[str, list[int]] = {}
    for at, text in enumerate(whole):
        number = text.lstrip("0")
        if number.isdecimal() and len(number) in lengths:
            for spelled in _as_binary(number) - {text}:
                places.setdefault(spelled, []).append(at)
    for at, text in forms.items():
        yield from ((at, origin) for origin in places.get(text, ()))


def _by_rounding(
    forms: Mapping[int, tuple[int, str]],
    whole: Sequence[str],
    kept: Callable[[tuple[int, str]], int],
) -> Iterator[tuple[int, int]]:
    wanted = {(form[0], kept(form)) for form in forms.values()}
    places: dict[tuple[int, str], list[int]] = {}
    for at, text in enumerate(whole):
        number = text.lstrip("0")
        if not number.isdecimal():
            continue
        for length, digits in wanted:
            for rounded in _rounded(number, digits):
                # 9.9996 rounded to 4 digits is one digit longer
                if len(rounded) == length:
                    places.setdefault((length, rounded.rstrip("0") or "0"), []).append(at)
    for at, form in forms.items():
        yield from ((at, origin) for origin in dict.fromkeys(places.get(form, ())))


def _ends_in_loss(text: str) -> bool:
    """Whether a key shows that digits were lost: an exponent, or nothing but 0 from the 16th on."""
    if _EXPONENT.fullmatch(text):
        return True
    return len(text) > KEPT_DIGITS and text.isdecimal() and not text[KEPT_DIGITS:].strip("0")


def _is_lossy(keys: Sequence[Key]) -> bool:
    """Whether all long numbers of a column may have been binary ones: then the column was."""
    long = [k.text for k in keys if k.text.isdecimal() and len(k.text) > KEPT_DIGITS]
    return bool(long) and all(map(_is_binary, long))


def _is_binary(text: str) -> bool:
    """Whether a long number may have been kept as a binary one."""
    return text.isdecimal() and len(text) > KEPT_DIGITS and text in _as_binary(text)


def _as_binary(number: str) -> set[str]:
    """What a long number may look like after it was kept as a binary one.

    Programs write 15, 16 or 17 digits of it, the fewest that name it, or all that it has.
    """
    kept = float(number)
    found = {str(int(kept)), format(Decimal(repr(kept)), "f").partition(".")[0]}
    for digits in range(KEPT_DIGITS, min(len(number), KEPT_DIGITS + 3)):
        found |= set(_rounded(number, digits))
    return found


def _rounded(number: str, digits: int) -> Iterable[str]:
    """The number with so many digits kept, rounded in every way that programs round."""
    modes = (ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_DOWN)
    return {
        format(Context(prec=digits, rounding=mode).create_decimal(number), "f") for mode in modes
    }


_WAYS: Mapping[Damage, Callable[[Sequence[str], Sequence[str]], Iterator[tuple[int, int]]]] = {
    "leading_zeros": _without_zeros,
    "exponent": _with_exponent,
    "digits_lost": _with_lost_digits,
}
