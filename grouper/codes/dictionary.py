"""The codes of one edition of the national lists: names, flags, neighbours of a wrong code."""

from __future__ import annotations

import difflib
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, cached_property
from typing import Literal

from grouper.datafile import data_folder, read_tsv
from grouper.errors import CodeError

CodeKind = Literal["dx", "px"]
DEFAULT = "yibao_20"
#: so many codes before and after a wrong one are compared with it
_AROUND = 40


@dataclass(frozen=True)
class CodeTable:
    """The diagnosis or procedure codes of one edition.

    names: code -> name, in the order of codes; flagged: code -> flags (`gray`, `np20` ...).
    """

    kind: CodeKind
    names: Mapping[str, str]
    flagged: Mapping[str, tuple[str, ...]]

    def __contains__(self, code: object) -> bool:
        return code in self.names

    def __len__(self) -> int:
        return len(self.names)

    def name(self, code: str) -> str:
        """The name of a code, "" if it is not in the table."""
        return self.names.get(code, "")

    def is_gray(self, code: str) -> bool:
        """Whether the payer refuses the code as principal diagnosis or main operation (灰码)."""
        return "gray" in self.flagged.get(code, ())

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """All codes, sorted."""
        return tuple(sorted(self.names))

    @cached_property
    def by_number(self) -> Mapping[str, str]:
        """Purely numeric codes by the number a spreadsheet makes of them: `0.66` -> `00.6600`.

        Numbers that two codes share are left out; the national list has none.
        """
        found: dict[str, str] = {}
        shared = set()
        for code in self.names:
            if code.replace(".", "", 1).isdecimal():
                number = plain_number(Decimal(code))
                if number in found:
                    shared.add(number)
                found[number] = code
        return {number: code for number, code in found.items() if number not in shared}

    def starting_with(self, prefix: str, *, limit: int = 5) -> tuple[str, ...]:
        """The first codes that begin so: what a code that was cut short may have been."""
        start = bisect_left(self.codes, prefix)
        found = self.codes[start : start + limit]
        return tuple(code for code in found if code.startswith(prefix))

    def near(self, code: str, *, limit: int = 2) -> tuple[str, ...]:
        """Codes that resemble a wrong one: longer forms of it, else look-alikes of its category."""
        text = code.strip()[:24]
        longer = self.starting_with(text, limit=limit) if len(text) >= 3 else ()
        if longer:
            return longer
        place = bisect_left(self.codes, text)
        around = self.codes[max(place - _AROUND, 0) : place + _AROUND]
        category = [code for code in around if len(text) >= 3 and code.startswith(text[:3])]
        return tuple(difflib.get_close_matches(text, category, limit, 0.6))


@dataclass(frozen=True)
class Dictionary:
    """Diagnoses and procedures of one edition."""

    id: str
    dx: CodeTable
    px: CodeTable

    def table(self, kind: CodeKind) -> CodeTable:
        """The codes of one kind."""
        return self.dx if kind == "dx" else self.px


def plain_number(number: Decimal) -> str:
    """A number as short text without exponent: the key of `by_number`."""
    return format(number.normalize(), "f")


@cache
def load_dictionary(name: str = DEFAULT) -> Dictionary:
    """The edition of that name. Raises CodeError (CD101) if it is not embedded."""
    folder = data_folder("codes", name)
    if not (folder / "dx.tsv").is_file():
        known = sorted(path.parent.name for path in data_folder("codes").glob("*/dx.tsv"))
        raise CodeError("CD101", name, name=name, known=", ".join(known))
    return Dictionary(name, _table(name, "dx"), _table(name, "px"))


def _table(name: str, kind: CodeKind) -> CodeTable:
    table = read_tsv(data_folder("codes", name, f"{kind}.tsv"), ["code", "name", "flags"])
    codes, names, flags = table.cells
    flagged = {c: tuple(f.split(",")) for c, f in zip(codes, flags, strict=True) if f}
    return CodeTable(kind, dict(zip(codes, names, strict=True)), flagged)
