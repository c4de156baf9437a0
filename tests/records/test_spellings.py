"""Codes looked up in Arrow's text buffers are those of a dict; lists of ids are those of loops."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from grouper.records import spellings as module
from grouper.records._spellings import Table, distinct, expanded, trimmed
from grouper.records.spellings import Spellings, Vocabulary
from grouper.records.textcolumn import Strings, strings_of

#: lengths around those of a word, of a slot, and of what is hashed byte by byte
LENGTHS = [1, 2, 7, 8, 9, 14, 15, 16, 17, 18, 40]


def strings(array: pa.Array) -> Strings:
    found = strings_of(array)
    assert found is not None
    return found


def table_of(texts: list[str]) -> Table:
    return Table(*strings(pa.array(["", *texts], pa.string())))


def of_length(length: int, letter: str) -> str:
    """A text of so many bytes."""
    return (letter * length).encode()[:length].decode("utf-8", "ignore").ljust(length, "x")


#: every length, texts that differ in the first or in the last byte only, NUL bytes, multi-byte text
KNOWN = [
    *(letter * length for letter in "Ax" for length in LENGTHS),
    *("A" * (length - 1) + "B" for length in LENGTHS[1:]),
    *("B" + "A" * (length - 1) for length in LENGTHS[1:]),
    *(of_length(length, "张") for length in LENGTHS[2:]),
    *("I10.x00", "I10.x00x002", "A01.002+G01*", "I10.x0\0", "I10.x0\0\0", "㑇丂𠮷", "\0"),
]
OTHERS = [*("A" * length + "C" for length in LENGTHS), "B", "张", "I10.x0", "\0\0", "x" * 39, "a"]
CODES = st.sampled_from([*KNOWN, *KNOWN, *OTHERS, ""])


def test_the_known_texts_differ():
    assert len({"", *KNOWN, *OTHERS}) == len(KNOWN) + len(OTHERS) + 1


#: an array of the texts, as it comes out of a file or cut out of a longer one
SLICES = {
    "whole": lambda texts: pa.array(texts, pa.string()),
    "cut": lambda texts: pa.array(["I10", *texts, "K35|"], pa.string())[1 : len(texts) + 1],
    "to the end": lambda texts: pa.array(["I10.x00", "", *texts], pa.string())[2:],
    "tight": lambda texts: tight(texts),
    "large": lambda texts: pa.array(["", *texts], pa.large_string())[1:],
}


def tight(texts: list[str]) -> pa.Array:
    """An array whose last text ends with the last byte of its buffer, without any padding."""
    data = "".join(texts).encode()
    ends = np.cumsum([0, *(len(text.encode()) for text in texts)], dtype=np.int32)
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(ends), pa.py_buffer(data))


@pytest.mark.parametrize("slice_", SLICES)
@settings(max_examples=40)
@given(texts=st.lists(CODES, max_size=12))
@example(texts=[])
@example(texts=["", ""])
@example(texts=[*KNOWN, *OTHERS] * 5)
@example(texts=["I10.x00"] * 63)
@example(texts=["I10.x00"] * 64 + ["", "zz"])
@example(texts=["zz"] * 129)
def test_each_text_is_looked_up(slice_, texts):
    numbers = {text: at for at, text in enumerate(["", *KNOWN])}
    ids, missed = table_of(KNOWN).each(*strings(SLICES[slice_](texts)))
    assert ids.tolist() == [numbers.get(text, -1) for text in texts]
    assert missed.tolist() == [at for at, text in enumerate(texts) if text not in numbers]


ROWS = st.lists(st.lists(CODES, max_size=5), max_size=8)


@pytest.mark.parametrize("slice_", SLICES)
@pytest.mark.parametrize("separator", ["|", ";"])
@settings(max_examples=40)
@given(rows=ROWS)
@example(rows=[])
@example(rows=[[""], [], ["", ""]])
@example(rows=[["A", "", "B", ""], ["", "A"], ["", "", ""]])
@example(rows=[[text] for text in KNOWN])
@example(rows=[[text, text, text + "C"] for text in KNOWN])
@example(rows=[KNOWN * 7, [], OTHERS * 3, ["A"] * 300])
@example(rows=[["I10.x00"] * n for n in (1, 62, 63, 64, 65, 127, 128, 129, 300)])
def test_texts_are_split_and_looked_up(slice_, separator, rows):
    texts = [separator.join(row) for row in rows]
    parts = [text.split(separator) if text else [] for text in texts]
    flat = [part for row in parts for part in row]
    numbers = {text: at for at, text in enumerate(["", *KNOWN])}
    column = strings(SLICES[slice_](texts))
    ids, offsets, begins, missed = table_of(KNOWN).split(*column, ord(separator))
    assert ids.tolist() == [numbers.get(part, -1) for part in flat]
    assert offsets.tolist() == np.cumsum([0, *map(len, parts)]).tolist()
    assert missed.tolist() == [at for at, part in enumerate(flat) if part not in numbers]
    data = column.data.tobytes()
    found = [data[at : at + len(part.encode())] for at, part in zip(begins, flat, strict=True)]
    assert found == [part.encode() for part in flat]


@given(st.lists(st.text(st.sampled_from("AB.x+*0张"), max_size=20), unique=True, max_size=200))
def test_a_table_knows_what_it_was_made_of_and_nothing_else(texts):
    known = [text for text in texts[::2] if text]
    ids, _ = table_of(known).each(*strings(pa.array(texts, pa.string())))
    numbers = {text: at for at, text in enumerate(["", *known])}
    assert ids.tolist() == [numbers.get(text, -1) for text in texts]


def test_a_large_table_finds_all_of_its_texts():
    chance = random.Random(5)
    texts = list({f"{chance.choice('ABZ')}{chance.randrange(10**k)}" for k in range(18)
                  for _ in range(3000)})  # fmt: skip
    ids, missed = table_of(texts).each(*strings(pa.array(texts)))
    assert ids.tolist() == list(range(1, len(texts) + 1))
    assert not len(missed)
    assert len(table_of(texts).each(*strings(pa.array([text + "!" for text in texts])))[1]) == len(
        texts
    )


def ragged(rows: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    flat = np.array([each for row in rows for each in row], np.int32)
    return flat, np.cumsum([0, *map(len, rows)], dtype=np.int32)


#: spelling 0 is empty; 1 a code; 2 two codes, repaired; 3 words only; 4 something without code
MEANINGS = {0: [], 1: [0], 2: [1, 0], 3: [2], 4: []}
FLAGS = [0, 1, 1 | 4, 1 | 2, 1]
IDS = st.lists(st.lists(st.integers(0, 4), max_size=6), max_size=6)


@given(IDS)
@example([])
@example([[0, 0], [0, 1, 0, 0, 2], [4, 1], [1, 4], [1, 0]])
def test_spellings_are_expanded_to_codes(rows):
    start = np.cumsum([0, *map(len, MEANINGS.values())], dtype=np.int32)
    code = np.array([each for codes in MEANINGS.values() for each in codes], np.int32)
    codes, offsets, headless, gaps, *counts = expanded(
        *ragged(rows), start, code, np.array(FLAGS, np.uint8)
    )
    wanted = [[each for spelling in row for each in MEANINGS[spelling]] for row in rows]
    assert codes.tolist() == [each for row in wanted for each in row]
    assert offsets.tolist() == np.cumsum([0, *map(len, wanted)]).tolist()
    # up to the last slot that has a code
    said = [[bool(MEANINGS[each]) for each in row] for row in rows]
    kept = [row[: max((k + 1 for k, full in enumerate(row) if full), default=0)] for row in said]
    assert headless.tolist() == [bool(row) and not row[0] for row in kept]
    assert gaps.tolist() == [not all(row[1:]) for row in kept]
    used = [FLAGS[each] for row in rows for each in row]
    assert counts == [sum(bool(flag & bit) for flag in used) for bit in (1, 2, 4)]


@given(st.lists(st.lists(st.integers(0, 5), max_size=8), max_size=6))
@example([])
@example([[], [3, 3, 3], [], [3]])
def test_repetitions_are_dropped_within_their_row(rows):
    flags = [0, 1, 2, 3, 4, 0]
    codes, offsets = ragged(rows)
    n, ends, repeated, unknown, gray = distinct(codes, offsets, np.array(flags, np.uint8))
    kept = [list(dict.fromkeys(row)) for row in rows]
    assert codes[:n].tolist() == [code for row in kept for code in row]
    assert ends.tolist() == np.cumsum([0, *map(len, kept)]).tolist()
    assert repeated.tolist() == [len(set(row)) < len(row) for row in rows]
    assert unknown == sum(flags[code] & 1 for row in kept for code in row)
    assert gray == sum(bool(flags[row[0]] & 2) for row in kept if row)


@given(st.lists(st.lists(st.integers(0, 3), max_size=8), max_size=6))
@example([])
@example([[0, 0], [0, 1, 0], [1, 0, 2], []])
def test_empty_slots_at_the_end_of_a_row_are_left_out(rows):
    ids, offsets = trimmed(*ragged(rows))
    wanted = [list(row) for row in rows]
    for row in wanted:
        while row and not row[-1]:
            row.pop()
    assert ids.tolist() == [each for row in wanted for each in row]
    assert offsets.tolist() == np.cumsum([0, *map(len, wanted)]).tolist()


def test_a_vocabulary_numbers_texts_as_they_come():
    words = Vocabulary(["b", "a", "b"])
    assert [words.number(text) for text in ("a", "c", "b", "c")] == [1, 2, 0, 2]
    assert (list(words), len(words), words[1:], "c" in words) == (["b", "a", "c"], 3, ["a", "c"], 1)


def understood(known: module.Known, text: str) -> tuple[object, ...]:
    """The codes a state says a text stands for, their flags, and what was done to it."""
    (number,), missed = known.table.each(*strings(pa.array([text])))
    assert not len(missed), text
    assert known.texts[number] == text
    meanings = known.meanings
    assert meanings is not None
    start, stop = meanings.code_start[number], meanings.code_start[number + 1]
    codes = meanings.code[start:stop].tolist()
    return (
        [meanings.codes[code] for code in codes],
        meanings.code_flags[codes].tolist(),
        int(meanings.flags[number]),
        meanings.how.get(int(number), ()),
    )


def test_what_is_learnt_is_kept_and_older_states_stay_as_they_were():
    spellings = Spellings("dx", "standard")
    first = spellings.known
    assert understood(first, "I63.900") == (["I63.900"], [0], module.FILLED, ())
    second = spellings.learn(["i63.900", "I63.900", "Q99.zzz", "i63.900"])
    third = spellings.learn(["I63.900;G45.900", "无", "高血压"])
    assert (second is not None, third is spellings.known) == (True, True)
    assert spellings.learn(["Q99.zzz"]) is third
    assert first.table.size + 2 == second.table.size
    assert len(first.table.each(*strings(pa.array(["Q99.zzz"])))[1]) == 1
    changed = module.FILLED | module.CHANGED
    for state in (second, third):
        assert understood(state, "i63.900") == (["I63.900"], [0], changed, ("fold",))
        assert understood(state, "Q99.zzz") == (
            ["Q99.zzz"], [module.UNKNOWN], module.FILLED, ())  # fmt: skip
    assert understood(third, "I63.900;G45.900") == (
        ["I63.900", "G45.900"], [0, 0], changed, ("split",))  # fmt: skip
    assert understood(third, "无") == ([], [], module.WORD, ())
    assert understood(third, "高血压") == (
        ["高血压"], [module.UNKNOWN], module.FILLED | module.WORD, ())  # fmt: skip


def test_a_lesson_that_fails_leaves_nothing_behind(monkeypatch):
    spellings = Spellings("px", "standard")
    with monkeypatch.context() as broken:
        broken.setattr(module, "repair", lambda *args, **how: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            spellings.learn(["1.x", "51.23"])
    state = spellings.learn(["51.23"])
    assert state is not None
    changed = module.FILLED | module.CHANGED
    assert understood(state, "51.23") == (["51.2300"], [0], changed, ("digits",))


@settings(max_examples=3)
@given(st.integers(0, 99))
def test_threads_that_learn_at_once_agree(seed):
    spellings = Spellings("px", "standard")
    before = Spellings("px", "standard").known
    chance = random.Random(seed)
    texts = [f"{k:02d}.{k % 7}x{k}" for k in range(60)] + ["51.23", "3.11", "51.2300", " 51.2300"]
    lessons = [chance.sample(texts, 20) for _ in range(24)]

    def learn(lesson: list[str]) -> module.Known:
        state = spellings.learn(lesson)
        assert state is not None
        return state

    with ThreadPoolExecutor(6) as pool:
        states = list(pool.map(learn, lessons))
    alone = Spellings("px", "standard").learn(texts)
    assert alone is not None
    for lesson, state in zip(lessons, states, strict=True):
        for text in lesson:
            assert understood(state, text) == understood(alone, text)
    # the last state to be made knows all that was learnt, each text once
    last = spellings.known.texts
    assert len(set(last)) == len(last) == spellings.known.table.size
    assert set(last) == {text for lesson in lessons for text in lesson} | set(before.texts)


def test_too_many_spellings_are_not_remembered(monkeypatch):
    spellings = Spellings("px", "as_is")
    before = spellings.known
    monkeypatch.setattr(module, "_MOST", len(before.texts) + 2)
    assert spellings.learn(["a", "b", "c"]) is None
    assert spellings.known is before
    assert list(before.texts[-1:]) != ["c"]
    full = spellings.learn(["a", "b"])
    assert full is not None
    assert spellings.learn(["c"]) is None
    assert spellings.learn(["b", "a"]) is full
