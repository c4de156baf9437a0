"""What a DIP catalogue is built of: keys (diagnosis and operations), and the rows made of them.

A key is what the cases of a core group have in common: the principal diagnosis by its subcategory,
the main operation, and the set of the other operations. Group codes are written as the settlement
platforms write them (docs/reference/dip.md): `K35.3:47.0100_54.5101`, `K35:SS`, `CP11:SS`, `KBBZ`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

from grouper.codes.dictionary import load_dictionary
from grouper.scheme.dip import CLASS_CODES, CatalogueRow, Class, dx_key
from grouper.scheme.dip_operations import operation
from grouper.scheme.dip_rows import chapters, classes

#: the group of cases that no other group takes
BLANK = "KBBZ"
#: characters of a subcategory (`K35.3`) and of a category
_SUBCATEGORY, _CATEGORY = 5, 3


class Key(NamedTuple):
    """A principal diagnosis of five characters, a main operation ("" = none), the others, sorted.

    All in upper case, as catalogues are compared.
    """

    dx: str
    main: str = ""
    related: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        """The code of the core group that this key makes."""
        text = _printed(self.dx)
        if self.main:
            text += f":{_printed(self.main)}"
        if self.related:
            text += f"_{'+'.join(map(_printed, self.related))}"
        return text

    @property
    def wider(self) -> Key | None:
        """The key of the next milder core group: without related operations, without any."""
        if self.related:
            return self._replace(related=())
        return Key(self.dx) if self.main else None


def subcategory(code: str) -> str:
    """The first five characters of a diagnosis (`K35.3`), in upper case."""
    return dx_key(code)[:_SUBCATEGORY]


def category(dx: str) -> str:
    """The first three characters of a diagnosis."""
    return dx[:_CATEGORY]


def is_known(dx: str) -> bool:
    """Whether some diagnosis of the dictionary begins so."""
    codes = _diagnoses()[0]
    at = bisect_left(codes, dx)
    return at < len(codes) and codes[at].startswith(dx)


def core_row(key: Key) -> CatalogueRow:
    """The core group of a key."""
    parts = [_diagnosis(key.dx), _operation(key.main), *map(_operation, key.related)]
    return CatalogueRow(
        code=key.code,
        name=":".join(filter(None, parts)),
        kind="core",
        where="",
        dx_keys=(key.dx,),
        main=((key.main,),) if key.main else (),
        related=(key.related,) if key.related else (),
    )


def key_of(row: CatalogueRow) -> Key:
    """The key of a core group that `core_row` made."""
    main = row.main[0][0] if row.main else ""
    return Key(row.dx_keys[0], main, row.related[0] if row.related else ())


def keys_of_rows(rows: Iterable[CatalogueRow]) -> frozenset[Key]:
    """The keys that the core and primary groups of a catalogue stand for, alternatives apart."""
    found = set()
    for row in rows:
        if row.kind not in ("core", "primary"):
            continue
        for dx in row.dx_keys:
            for part in row.operations or ((),):
                main, *others = part or ("",)
                found.add(Key(dx, main, tuple(sorted({*others} - {main}))))
    return frozenset(found)


def comprehensive_rows(categories: Iterable[str]) -> Iterator[CatalogueRow]:
    """The comprehensive groups of some categories, one a class."""
    for dx in categories:
        for code, cls in CLASS_CODES.items():
            name = f"{dx} {class_word(cls)}"
            yield CatalogueRow(f"{dx}:{code}", name, "comprehensive", "", (dx,), cls=cls)


def chapter_rows() -> Iterator[CatalogueRow]:
    """The default groups: one a chapter and class."""
    for chapter, dx in chapters().items():
        for code, cls in CLASS_CODES.items():
            name = f"{dx} {class_word(cls)}"
            yield CatalogueRow(f"{chapter}:{code}", name, "default", "", (dx,), cls=cls)


def blank_row() -> CatalogueRow:
    """The blank group, which takes whatever is left."""
    return CatalogueRow(BLANK, "空白病种", "blank", "")


def class_word(cls: Class) -> str:
    """A class as catalogues write it: the first word of the table of classes."""
    return next(word for word, named in classes().items() if named == cls)


def _printed(code: str) -> str:
    """A code as dictionaries print it: the x of fillers and extensions is small."""
    return code[:1] + code[1:].replace("X", "x")


@cache
def _diagnoses() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """All diagnoses in upper case, sorted, and their names."""
    names = load_dictionary().dx.names
    both = sorted((dx_key(code), name) for code, name in names.items())
    return tuple(code for code, _ in both), tuple(name for _, name in both)


def _diagnosis(dx: str) -> str:
    """The name of a subcategory: that of its first diagnosis."""
    codes, names = _diagnoses()
    at = bisect_left(codes, dx)
    return names[at] if at < len(codes) and codes[at].startswith(dx) else ""


@cache
def _operations() -> Mapping[str, str]:
    return {operation(code): name for code, name in load_dictionary().px.names.items()}


def _operation(code: str) -> str:
    return _operations().get(code, "")
