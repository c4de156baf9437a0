"""Every spelling of a code met so far, and the codes it stands for: understood once a process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Literal, overload

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from grouper.codes.dictionary import CodeKind, CodeTable, load_dictionary
from grouper.codes.normalize import Repair, is_name, repair
from grouper.records._spellings import Table
from grouper.records.textcolumn import strings_of
from grouper.records.values import known_text

#: flags of a spelling: something is written, words only, repaired
FILLED, WORD, CHANGED = 1, 2, 4
#: flags of a code: not in the dictionary, refused in first place, an asterisk without its dagger
UNKNOWN, GRAY, LONE = 1, 2, 4

#: more spellings than that are not remembered: a column of garbage must not fill the memory
_MOST = 1 << 18


class Vocabulary(Sequence[str]):
    """Texts numbered as they come: a list that only grows, so that a number keeps its text."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._numbers: dict[str, int] = {}
        self._texts: list[str] = []
        for text in texts:
            self.number(text)

    def number(self, text: str) -> int:
        """The number of a text, a new one if it has none."""
        found = self._numbers.get(text)
        if found is None:
            # the text first: whoever sees the number finds the text
            self._texts.append(text)
            found = self._numbers[text] = len(self._texts) - 1
        return found

    def __contains__(self, text: object) -> bool:
        return text in self._numbers

    def __len__(self) -> int:
        return len(self._texts)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        return self._texts[at]

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)


@dataclass(frozen=True, slots=True)
class Meanings:
    """What spellings stand for: spelling s for `codes[code[code_start[s]:code_start[s + 1]]]`.

    values: the spellings, cells of any type; code_start (s + 1,), code: int32; flags (s,) uint8;
    how: what was done to the repaired ones; codes, code_flags (c,) uint8: the codes they lead to.
    """

    values: Sequence[object]
    code_start: NDArray[np.int32]
    code: NDArray[np.int32]
    flags: NDArray[np.uint8]
    how: Mapping[int, tuple[str, ...]]
    codes: Vocabulary
    code_flags: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Known:
    """The spellings known at one time: never changed, so that any thread may use it.

    Spelling 0 is the empty text. Later states have the same numbers and more.
    """

    table: Table
    texts: Vocabulary
    meanings: Meanings | None


class Spellings:
    """The spellings of codes of one kind: those of the dictionary, and each new one it meets."""

    def __init__(self, kind: CodeKind, cleaning: Literal["standard", "as_is"]) -> None:
        self.codes = load_dictionary().table(kind)
        self.verbatim = cleaning == "as_is"
        self._lock = Lock()
        texts = Vocabulary(["", *self.codes.names])
        meanings = None
        if cleaning == "standard":
            meanings = _dictionary_meanings(texts, self.codes)
        self.known = Known(_table(texts), texts, meanings)

    def learn(self, texts: Iterable[str]) -> Known | None:
        """A state that knows these spellings too; None if they are too many to remember."""
        with self._lock:
            old = self.known
            new = [text for text in dict.fromkeys(texts) if text not in old.texts]
            if len(old.texts) + len(new) > _MOST:
                return None
            if new:
                # the meanings first: a text that has its number must have its meaning
                first = len(old.texts)
                meanings = old.meanings and _extended(old.meanings, new, first, self.codes)
                for text in new:
                    old.texts.number(text)
                self.known = Known(_table(old.texts), old.texts, meanings)
            return self.known


@cache
def load_spellings(kind: CodeKind, cleaning: Literal["standard", "as_is"]) -> Spellings:
    """The spellings of the process."""
    return Spellings(kind, cleaning)


def _table(texts: Vocabulary) -> Table:
    strings = strings_of(pa.array(list(texts), pa.string()))
    assert strings is not None
    return Table(strings.offsets, strings.data)


def _dictionary_meanings(texts: Vocabulary, table: CodeTable) -> Meanings:
    """Each code of the dictionary stands for itself."""
    n = len(table)
    codes = Vocabulary(table.names)
    return Meanings(
        texts,
        np.array([0, *range(n + 1)], np.int32),
        np.arange(n, dtype=np.int32),
        np.array([0, *[FILLED] * n], np.uint8),
        {},
        codes,
        np.array([_code_flags(code, table) for code in codes], np.uint8),
    )


def _code_flags(code: str, table: CodeTable) -> int:
    lone = code.endswith("*") and "+" not in code
    return UNKNOWN * (code not in table) | GRAY * table.is_gray(code) | LONE * lone


def meanings_of(values: Sequence[object], table: CodeTable) -> Meanings:
    """What cells of any type stand for, by themselves."""
    none = np.zeros(0, np.int32)
    empty = Meanings(
        values, np.zeros(1, np.int32), none, none.astype(np.uint8), {}, Vocabulary(),
        none.astype(np.uint8),
    )  # fmt: skip
    return _extended(empty, values, 0, table)


def _extended(old: Meanings, new: Sequence[object], first: int, table: CodeTable) -> Meanings:
    """The meanings of more spellings, the first of them with number `first`."""
    understood = [_understood(value, table) for value in new]
    flat = [old.codes.number(code) for each, _ in understood for code in each.codes]
    counts = np.cumsum([len(each.codes) for each, _ in understood], dtype=np.int32)
    how = {first + k: each.how for k, (each, _) in enumerate(understood) if each.how}
    more = [_code_flags(code, table) for code in old.codes[len(old.code_flags) :]]
    return Meanings(
        old.values,
        np.concatenate([old.code_start, old.code_start[-1] + counts]),
        np.concatenate([old.code, np.array(flat, np.int32)]),
        np.concatenate([old.flags, np.array([flags for _, flags in understood], np.uint8)]),
        {**old.how, **how},
        old.codes,
        np.concatenate([old.code_flags, np.array(more, np.uint8)]),
    )


def _understood(value: object, table: CodeTable) -> tuple[Repair, int]:
    """The codes a cell stands for, and its flags."""
    text, is_text = known_text(value), isinstance(value, str)
    repaired = repair(text, table, is_number=not is_text) if text else Repair(())
    word = isinstance(value, str) and is_name(value)
    return repaired, FILLED * bool(text) | WORD * word | CHANGED * bool(repaired.how)
