"""Codes out of columns of every form: what records.md 4.2 says of their texts, row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grouper.codes.dictionary import CodeTable, load_dictionary
from grouper.codes.normalize import is_name, repair
from grouper.records import spellings as module
from grouper.records.cells import Slots, slots_of
from grouper.records.code_column import CleanCodes, cleaned, verbatim
from grouper.records.spellings import Spellings, Vocabulary
from grouper.records.values import known_text

#: slots of codes: known, repaired, split, pairs, unknown, gray, missing, words
DX = ["I63.900", "I10.x00", "G45.900", "K80.000", "i63.900", " G45。900", "I63900", "I63.9",
      "I63.900;G45.900", "I63.900 脑梗死", "A01.002", "G01*", "A01.002+", "A01.002+G01*",
      "B33.400", "J17.1*", "M90.2*", "Q99.zzz", "高血压", "无", "-", "　", "Ｇ４５．９００", "",
      ""]  # fmt: skip
PX = ["51.2300", "51.23", "00.0100", "00.66", "45.13000000000001", "99.9999", "5123", "手术", "",
      "01.2400", "01.2400/51.2300"]  # fmt: skip
TEXTS = {"dx": DX, "px": PX}
TABLES = {kind: load_dictionary().table(kind) for kind in ("dx", "px")}

Row = list[str]


class Reference:
    """The codes of rows of slots, written to be read; an attribute each for what is noted."""

    def __init__(self, rows: Sequence[Row], table: CodeTable) -> None:
        self.codes: list[tuple[str, ...]] = []
        self.headless: list[bool] = []
        self.gaps: list[bool] = []
        self.duplicates: list[bool] = []
        self.filled = self.words = 0
        self.changed: dict[str, list[object]] = {}
        self.unknown: Counter[str] = Counter()
        self.gray: Counter[str] = Counter()
        for number, row in enumerate(rows):
            self._read(number, row, table)

    def _read(self, number: int, row: Row, table: CodeTable) -> None:
        slots: list[tuple[str, ...]] = []
        for text in row:
            known = known_text(text)
            repaired = repair(known, table)
            slots.append(repaired.codes)
            self.filled += known != ""
            self.words += is_name(text)
            if repaired.how:
                first = [repaired.codes, repaired.how, 0, number]
                self.changed.setdefault(text, first)[2] += 1  # type: ignore[operator]
        # 4.2.7: gaps are closed, but nothing takes the place of a principal diagnosis
        while slots and not slots[-1]:
            slots.pop()
        self.headless.append(bool(slots) and not slots[0])
        self.gaps.append(any(not codes for codes in slots[1:]))
        codes = joined([code for slot in slots for code in slot], table)
        # 4.2.8: the second equal code is dropped
        kept = tuple(dict.fromkeys(codes))
        self.duplicates.append(len(kept) < len(codes))
        self.codes.append(kept)
        self.unknown.update(code for code in kept if code not in table)
        self.gray.update(code for code in kept[:1] if table.is_gray(code))


def joined(codes: list[str], table: CodeTable) -> list[str]:
    """4.2.3: a lone asterisk code joins the dagger before it if the dictionary has the pair."""
    found: list[str] = []
    before = ""
    for code in codes:
        pair = f"{before.rstrip('+')}+{code}"
        if before and code.endswith("*") and "+" not in code and pair in table:
            found[-1] = pair
        else:
            found.append(code)
        before = code
    return found


def agrees(clean: CleanCodes, rows: Sequence[Row], table: CodeTable) -> None:
    wanted = Reference(rows, table)
    assert [clean.column.codes(at) for at in range(len(rows))] == wanted.codes
    assert clean.headless.tolist() == wanted.headless
    assert clean.gaps.tolist() == wanted.gaps
    assert clean.duplicates.tolist() == wanted.duplicates
    assert (clean.filled, clean.words) == (wanted.filled, wanted.words)
    changed = {each.text: [each.codes, each.how, each.count, each.row] for each in clean.changed}
    assert changed == wanted.changed
    assert [each.text for each in clean.changed] == list(wanted.changed)
    for met, counted, places in (
        (clean.unknown, wanted.unknown, lambda codes, code: code in codes),
        (clean.gray, wanted.gray, lambda codes, code: codes[:1] == (code,)),
    ):
        # commonest first, equally common ones as they come
        assert [(each.code, each.times) for each in met] == counted.most_common()
        for each in met:
            assert each.row == next(
                at for at, codes in enumerate(wanted.codes) if places(codes, each.code)
            )


def fast(columns: Sequence[object], separators: Sequence[str | None], how: Spellings) -> Slots:
    """Slots that must have come the fast way."""
    slots = slots_of(columns, separators, how)  # type: ignore[arg-type]
    assert slots.known is not None
    return slots


SPELLINGS = {
    (kind, cleaning): Spellings(kind, cleaning)  # type: ignore[arg-type]
    for kind in ("dx", "px")
    for cleaning in ("standard", "as_is")
}


def rows_of(kind: str) -> st.SearchStrategy[list[Row]]:
    return st.lists(st.lists(st.sampled_from(TEXTS[kind]), max_size=5), min_size=1, max_size=6)


def joinable(rows: list[Row]) -> list[Row]:
    """Rows as they come back from text: one empty slot alone cannot be told from none."""
    return [row if row != [""] else [] for row in rows]


def chunked(array: pa.Array, *, chunks: int = 1) -> pa.ChunkedArray:
    cut = len(array) // chunks
    pieces = [array[k * cut : (k + 1) * cut] for k in range(chunks - 1)]
    return pa.chunked_array([*pieces, array[(chunks - 1) * cut :]], array.type)


def text(rows: list[Row], kind: pa.DataType, separator: str = "|") -> pa.Array:
    """Joined texts, cut out of a longer array; every other row without a code is null."""
    cells: list[str | None] = [separator.join(row) for row in rows]
    cells = [None if cell == "" and at % 2 else cell for at, cell in enumerate(cells)]
    return pa.array(["I10", None, *cells, "K35|"], pa.string()).cast(kind)[2:-1]


def lists(rows: list[Row], kind: pa.DataType) -> pa.Array:
    cells = [None if not row and at % 2 else row for at, row in enumerate(rows)]
    return pa.array([["I10"], None, *cells, ["K35"]], pa.list_(pa.string())).cast(kind)[2:-1]


#: columns of joined codes or of lists, and whether a slot "" alone survives in them
FORMS: dict[str, Callable[[list[Row]], pa.ChunkedArray]] = {
    "text": lambda rows: chunked(text(rows, pa.string())),
    "text in chunks": lambda rows: chunked(text(rows, pa.string()), chunks=3),
    "large text": lambda rows: chunked(text(rows, pa.large_string())),
    "text view": lambda rows: chunked(text(rows, pa.string_view())),
    "dictionary": lambda rows: chunked(text(rows, pa.string()).dictionary_encode()),
    "full dictionary": lambda rows: chunked(
        pa.array(["|".join(row) for row in rows] * 3).dictionary_encode()[len(rows) :], chunks=2
    )[: len(rows)],
    "large dictionary": lambda rows: chunked(text(rows, pa.large_string()).dictionary_encode()),
    "dictionary of views": lambda rows: pa.chunked_array([views(rows)]),
    "list": lambda rows: chunked(lists(rows, pa.list_(pa.string()))),
    "list in chunks": lambda rows: chunked(lists(rows, pa.list_(pa.string())), chunks=2),
    "large list": lambda rows: chunked(lists(rows, pa.large_list(pa.large_string()))),
    "list of views": lambda rows: chunked(
        pa.array([row or None for row in rows], pa.list_(pa.string_view()))
    ),
}


def views(rows: list[Row]) -> pa.DictionaryArray:
    encoded = pa.array(["|".join(row) for row in rows]).dictionary_encode()
    return pa.DictionaryArray.from_arrays(
        encoded.indices, encoded.dictionary.cast(pa.string_view())
    )


EXAMPLES = [
    [["I63.900", "", "G45.900"], ["", "I63.900"], [], ["I63.900", "G45.900", "I63.900", ""]],
    [["A01.002", "G01*"], ["G01*", "A01.002"], ["A01.002+", "G01*", "G01*"], ["B33.400", "J17.1*"]],
    [["A01.002", "", "G01*"], ["I63.900", "A01.002", "G01*", "M90.2*"], ["A01.002"], ["G01*"]],
    [["K80.000"], ["I10.x00", "K80.000"], ["K80.000", "Q99.zzz"], ["Q99.zzz", "I63.9", "Q99.zzz"]],
    [["I63.900;G45.900", "I63.900"], ["高血压", "无"], ["-", "-"], ["无", "I63.900"]],
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["dx", "px"])
@settings(max_examples=40)
@given(data=st.data())
def test_joined_codes_and_lists_of_codes_are_cleaned(form, kind, data):
    rows = joinable(data.draw(rows_of(kind)))
    slots = fast([FORMS[form](rows)], ["|"], SPELLINGS[kind, "standard"])
    agrees(cleaned(slots, TABLES[kind]), rows, TABLES[kind])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("rows", EXAMPLES)
def test_what_is_repaired_joined_dropped_and_noted(form, rows):
    slots = fast([FORMS[form](rows)], ["|"], SPELLINGS["dx", "standard"])
    agrees(cleaned(slots, TABLES["dx"]), rows, TABLES["dx"])


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=25)
@given(rows=rows_of("dx"))
def test_joined_codes_and_lists_are_taken_as_they_stand(form, rows):
    rows = joinable(rows)
    column = verbatim(fast([FORMS[form](rows)], ["|"], SPELLINGS["dx", "as_is"]))
    assert [column.codes(at) for at in range(len(rows))] == [tuple(row) for row in rows]


def test_a_list_has_an_empty_element_that_a_text_cannot_have():
    column = verbatim(fast([FORMS["list"]([[""], []])], ["|"], SPELLINGS["dx", "as_is"]))
    assert [column.codes(0), column.codes(1)] == [("",), ()]


@pytest.mark.parametrize("separator", [";", " ", "/", "；", "、", "，", "||"])
@given(rows=st.lists(st.lists(st.sampled_from(["I63.900", "G45.900", "", "Q99.zzz", "无"]),
                              max_size=4), min_size=1, max_size=5))  # fmt: skip
@settings(max_examples=20)
def test_codes_joined_by_other_signs(separator, rows):
    rows = joinable(rows)
    column = chunked(text(rows, pa.string(), separator))
    agrees(
        cleaned(fast([column], [separator], SPELLINGS["dx", "standard"]), TABLES["dx"]),
        rows,
        TABLES["dx"],
    )


#: one column a code: an empty cell is a slot
WIDE: dict[str, Callable[[list[str]], pa.ChunkedArray]] = {
    "text": lambda cells: chunked(pa.array(cells, pa.string()), chunks=2),
    "nulls": lambda cells: chunked(pa.array([cell or None for cell in cells], pa.string())),
    "large text": lambda cells: chunked(pa.array(["x", *cells], pa.large_string())[1:]),
    "text view": lambda cells: chunked(pa.array(cells, pa.string_view())),
    "dictionary": lambda cells: chunked(pa.array(cells, pa.string()).dictionary_encode()),
    "null dictionary": lambda cells: chunked(
        pa.array([cell or None for cell in cells], pa.string()).dictionary_encode()
    ),
}


def tables(kind: str, width: int) -> st.SearchStrategy[list[Row]]:
    row = st.lists(st.sampled_from(TEXTS[kind]), min_size=width, max_size=width)
    return st.lists(row, min_size=1, max_size=6)


@pytest.mark.parametrize("kind", ["dx", "px"])
@settings(max_examples=60)
@given(data=st.data())
def test_wide_columns_of_any_form(kind, data):
    width = data.draw(st.integers(1, 5))
    rows = data.draw(tables(kind, width))
    forms = data.draw(st.lists(st.sampled_from(list(WIDE)), min_size=width, max_size=width))
    columns = [WIDE[form]([row[at] for row in rows]) for at, form in enumerate(forms)]
    separators = [None] * width
    agrees(
        cleaned(fast(columns, separators, SPELLINGS[kind, "standard"]), TABLES[kind]),
        rows,
        TABLES[kind],
    )
    column = verbatim(fast(columns, separators, SPELLINGS[kind, "as_is"]))
    for at, row in enumerate(rows):
        # what is not filled at the end of a row is no code
        end = max((k + 1 for k, cell in enumerate(row) if cell), default=0)
        assert column.codes(at) == tuple(row[:end])


@settings(max_examples=60)
@given(st.data())
def test_one_column_for_the_principal_diagnosis_and_one_for_all_others(data):
    heads = data.draw(tables("dx", 1))
    others = joinable(data.draw(st.lists(st.lists(st.sampled_from(DX), max_size=4),
                                         min_size=len(heads), max_size=len(heads))))  # fmt: skip
    wide = data.draw(st.sampled_from(list(WIDE)))
    form = data.draw(st.sampled_from(list(FORMS)))
    columns = [WIDE[wide]([row[0] for row in heads]), FORMS[form](others)]
    rows = [head + other for head, other in zip(heads, others, strict=True)]
    slots = fast(columns, [None, "|"], SPELLINGS["dx", "standard"])
    agrees(cleaned(slots, TABLES["dx"]), rows, TABLES["dx"])
    # as they stand: an empty head is a slot only if a code follows
    column = verbatim(slots_of(columns, [None, "|"], SPELLINGS["dx", "as_is"]))
    wanted = [tuple(row) if any((row[0], *row[1:])) or row[1:] else () for row in rows]
    assert [column.codes(at) for at in range(len(rows))] == wanted


def findings(clean: CleanCodes) -> tuple[object, ...]:
    column = clean.column
    return (
        [column.codes(at) for at in range(len(column))],
        *(mask.tolist() for mask in (clean.headless, clean.gaps, clean.duplicates)),
        (clean.filled, clean.words, clean.changed, clean.unknown, clean.gray),
    )


def slow(columns: Sequence[object], separators: Sequence[str | None], how: Spellings) -> Slots:
    """Slots the general way: as of cells of any type."""
    marked = [[*column, 51.23] for column in columns]  # type: ignore[misc]
    slots = slots_of(marked, separators, how)
    assert slots.known is None
    last = int(slots.offsets[-2])
    return Slots(slots.values, slots.index[:last], slots.offsets[:-1])


@pytest.mark.parametrize("kind", ["dx", "px"])
@settings(max_examples=60)
@given(data=st.data())
def test_cells_of_python_are_read_as_arrow_columns_are(kind, data):
    heads = data.draw(tables(kind, 2))
    others = joinable(data.draw(st.lists(st.lists(st.sampled_from(TEXTS[kind]), max_size=4),
                                         min_size=len(heads), max_size=len(heads))))  # fmt: skip
    joined = ["|".join(row) for row in others]
    wide = [[row[0] for row in heads], [row[1] or None for row in heads]]
    table, how, as_is = TABLES[kind], SPELLINGS[kind, "standard"], SPELLINGS[kind, "as_is"]
    for columns, separators in (
        (wide, [None, None]),
        ([joined], ["|"]),
        ([others], ["|"]),
        ([*wide, joined], [None, None, "|"]),
        ([*wide, others], [None, None, "|"]),
    ):
        arrow = [pa.chunked_array([pa.array(column)]) if any(column) else column
                 for column in columns]  # fmt: skip
        general = slow(columns, separators, how)
        assert findings(cleaned(slots_of(arrow, separators, how), table)) == findings(
            cleaned(general, table)
        )
        exact = verbatim(slots_of(arrow, separators, as_is))
        plain = verbatim(slow(columns, separators, as_is))
        rows = range(len(heads))
        assert [exact.codes(at) for at in rows] == [plain.codes(at) for at in rows]


@pytest.mark.parametrize("rows", EXAMPLES)
def test_python_lists_are_repaired_joined_dropped_and_noted(rows):
    slots = slow([rows], ["|"], SPELLINGS["dx", "standard"])
    agrees(cleaned(slots, TABLES["dx"]), rows, TABLES["dx"])


@pytest.mark.parametrize("rows", EXAMPLES)
def test_too_many_spellings_fall_back_to_the_general_way(monkeypatch, rows):
    how = Spellings("dx", "standard")
    monkeypatch.setattr(module, "_MOST", len(how.known.texts))
    column = FORMS["text"]([*rows, ["Q11.zzz"]])
    slots = slots_of([column], ["|"], how)
    assert slots.known is None
    agrees(cleaned(slots, TABLES["dx"]), [*rows, ["Q11.zzz"]], TABLES["dx"])
    exact = Spellings("dx", "as_is")
    assert [verbatim(slots_of([column], ["|"], exact)).codes(at) for at in range(len(rows))] == [
        tuple(row) for row in joinable(rows)
    ]


def test_numbers_and_other_cells_keep_their_meaning():
    """A number lost its zeros in a spreadsheet; a text that looks so is told apart."""
    table, how = TABLES["px"], SPELLINGS["px", "standard"]
    clean = cleaned(slots_of([[51.23, "51.23", None, 45.13000000000001, True]], [None], how), table)
    assert [clean.column.codes(at) for at in range(5)] == [
        ("51.2300",), ("51.2300",), (), ("45.1300",), ("TRUE",)]  # fmt: skip
    assert [(each.text, each.how) for each in clean.changed] == [
        ("51.23", ("number",)), ("51.23", ("digits",)), ("45.13000000000001", ("number",)),
    ]  # fmt: skip
    column = verbatim(slots_of([[1, "1", 1.0, None, "x"]], [None], SPELLINGS["px", "as_is"]))
    assert [column.codes(at) for at in range(5)] == [("1",), ("1",), ("1",), (), ("x",)]


class Growing(Vocabulary):
    """Another thread learns a code between any two looks at the list."""

    def __len__(self) -> int:
        found = super().__len__()
        self.number(f"new {found}")
        return found


def test_codes_learnt_meanwhile_do_not_disturb():
    how = Spellings("dx", "standard")
    slots = fast([FORMS["text"](EXAMPLES[1])], ["|"], how)
    meanings = slots.known and slots.known.meanings
    assert meanings is not None
    growing = replace(slots.known, meanings=replace(meanings, codes=Growing(meanings.codes)))
    clean = cleaned(replace(slots, known=growing), TABLES["dx"])
    assert [clean.column.codes(at) for at in range(4)] == Reference(EXAMPLES[1], TABLES["dx"]).codes


def test_a_table_without_columns_of_codes_has_none():
    slots = Slots([], np.zeros(0, np.int32), np.zeros(4, np.int32))
    for column in (verbatim(slots), cleaned(slots, TABLES["px"]).column):
        assert [column.codes(at) for at in range(3)] == [(), (), ()]
