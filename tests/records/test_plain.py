"""Where a plain reader knows a cell, the parser of `grouper.records.values` says the same of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grouper.records import _cells, plain, scalars, values
from grouper.records.assemble import assemble
from grouper.records.batch import MISSING, MISSING_FEN, CaseBatch
from grouper.records.check import Findings
from grouper.records.fields import spellings
from grouper.records.ids import _is_damaged
from grouper.records.plain import MOST, Plain
from grouper.records.raw import Raw
from grouper.records.read import column_map
from grouper.records.sources import Sources, join
from grouper.records.textcolumn import ArrowTexts, fingerprints, strings_of
from grouper.records.values import Value

#: what breaks a number, a date, a code or an id, beside what belongs there
SIGNS = [*"0123456789", *".,-+/:; T'=\"eExXoOlMFmf\t\n\0_", "１", "．", "年", "天", "　", "\u200b"]
NOTHING = [*spellings("missing"), "", " ", "0", "00", "0.0", "-0", "+5", "1e3", "1E+05", "#REF!"]

Cells = list[str | None]


def near(forms: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Texts of a form, and those one or two slips away from it."""
    slips = st.lists(
        st.tuples(st.integers(0, 30), st.sampled_from(["put", "cut", "change"]),
                  st.sampled_from(SIGNS)),
        max_size=2,
    )  # fmt: skip

    def slip(text: str, how: list[tuple[int, str, str]]) -> str:
        for at, what, sign in how:
            at %= len(text) + 1
            text = text[:at] + sign * (what != "cut") + text[at + (what != "put") :]
        return text

    return st.one_of(forms, st.builds(slip, forms, slips), st.sampled_from(NOTHING))


def columns(forms: st.SearchStrategy[str]) -> st.SearchStrategy[Cells]:
    return st.lists(st.one_of(near(forms), st.none()), min_size=1, max_size=8)


def neighbours(text: str) -> Cells:
    """Every text one slip away from a text."""
    places = range(len(text) + 1)
    put = [text[:at] + sign + text[at:] for at in places for sign in SIGNS]
    changed = [text[:at] + sign + text[at + 1 :] for at in places for sign in SIGNS]
    return [*put, *changed, *(text[:at] + text[at + 1 :] for at in places), *NOTHING]


def read(reader: Plain, cells: Cells, missing: int) -> tuple[list[int], list[int]]:
    """Numbers and odd rows, the same from the middle of a longer array."""
    found = []
    for array in (
        pa.array(cells, pa.string()),
        pa.array(["2024", None, *cells, "1"], pa.string())[2:-1],
        pa.array(cells, pa.large_string()),
    ):
        strings = strings_of(array)
        assert strings is not None
        out, odd = np.full(len(cells), 77, np.int64), np.full(len(cells), 77, np.int32)
        n = reader(strings, missing, out, odd)
        found.append((out.tolist(), odd[:n].tolist()))
    assert found[0] == found[1] == found[2]
    return found[0]


def says_the_same(
    reader: Plain, parse: Callable[[object], Value], cells: Cells, missing: int = MISSING,
    nothing: int | None = None,
) -> None:  # fmt: skip
    numbers, odd = read(reader, cells, missing)
    assert odd == sorted(set(odd))
    for row, cell in enumerate(cells):
        if row in odd:
            assert numbers[row] == (missing if nothing is None else nothing)
        else:
            assert parse(cell) == Value(numbers[row]), repr(cell)


def known(reader: Plain, cells: Sequence[str]) -> bool:
    """Whether a reader takes all of some cells: else its property would be empty."""
    return not read(reader, list(cells), MISSING)[1]


def around(*bounds: int) -> st.SearchStrategy[int]:
    """Numbers of all sizes, those beside a bound among them."""
    beside = [max(bound + d, 0) for bound in bounds for d in (-1, 0, 1)]
    return st.one_of(st.sampled_from(beside), st.integers(0, 200), st.integers(0, 10**19))


def whole_forms(*bounds: int) -> st.SearchStrategy[str]:
    return st.builds(
        "{}{}{}".format,
        st.sampled_from(["", "", "", "0", "00", "-"]),
        around(*bounds),
        st.sampled_from(["", "", ".0", ".00", ".", ".5", ".05", "00000", ".0000000"]),
    )


#: each reader of whole numbers with the parser it stands for, as `scalars` and `assemble` pair them
WHOLE = {
    "los": (plain.whole(0, MOST), values.count, MOST),
    "exact count": (plain.whole(0, MOST), values.count_exact, MOST),
    "exact thousandths": (plain.whole(0, MOST // 1000, scale=1000), values.thousandths_exact,
                          MOST // 1000),
    "weight": (plain.whole(100, MOST // 1000, scale=1000), values.weight, MOST // 1000),
    "hours": (plain.whole(0, MOST // 1000, scale=1000), values.hours, MOST // 1000),
    "days of age": (plain.whole(0, 60000), values.age_days, 60000),
    "months of age": (plain.whole(0, 60000, scale=30),
                      lambda cell: values.age_days(cell, unit="month"), 60000),
    "years": (plain.whole(0, 130),
              lambda cell: Value(values.age(cell).years, bad=values.age(cell).bad), 130),
}  # fmt: skip


@pytest.mark.parametrize("name", WHOLE)
@settings(max_examples=40)
@given(data=st.data())
def test_whole_numbers(name, data):
    reader, parse, most = WHOLE[name]
    cells = data.draw(columns(whole_forms(0, 20, 100, 130, 365, most, 2**31, 10**13, 10**14)))
    says_the_same(reader, parse, cells)


@pytest.mark.parametrize("name", WHOLE)
def test_every_small_number_is_plain(name):
    reader, parse, most = WHOLE[name]
    cells = [f"{k}{end}" for k in range(100, 131) for end in ("", ".0", ".00")]
    cells += [str(most), f"0{most}", str(most + 1), f"{most}.1", str(2**63), str(2**64 + 5)]
    says_the_same(reader, parse, cells)
    assert known(reader, cells[:-4])
    assert read(reader, [""], MISSING) == ([MISSING], [])


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("text", ["7", "45", "125.0", "3500", "2147483647", "12345678901234"])
def test_whole_numbers_one_slip_away(name, text):
    reader, parse, _ = WHOLE[name]
    says_the_same(reader, parse, neighbours(text))


def test_a_plain_number_of_years_tells_no_days():
    assert {values.age(f"{k}{end}").days for k in range(131) for end in ("", ".0")} == {MISSING}


MONEY = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "", "", "-", "¥", "0", "+"]),
    around(0, 999, 10**14, 10**15, 10**16),
    st.sampled_from(["", ".0", ".5", ".05", ".50", ".005", ".500", ".", "元", ",000", ".0000001"]),
)


@given(columns(MONEY))
def test_money(cells):
    says_the_same(plain.money, values.money, cells, MISSING_FEN)


@pytest.mark.parametrize("text", ["1234.50", "7", "0.1", "123456789012345.67", "1,234.50"])
def test_money_one_slip_away(text):
    says_the_same(plain.money, values.money, neighbours(text), MISSING_FEN)


def test_money_to_the_fen_up_to_fifteen_digits():
    cells = [f"{whole}.{fen:02d}" for whole in (0, 7, 10**15 - 1) for fen in range(100)]
    cells += [f"{whole}.{tenth}" for whole in (0, 12) for tenth in range(10)] + ["1234", "0007"]
    says_the_same(plain.money, values.money, cells, MISSING_FEN)
    assert known(plain.money, cells)
    assert read(plain.money, ["", "1.2.", "1234567890123456"], -1) == ([-1, -1, -1], [1, 2])


FORMS = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d")
ALL_DAYS = [date(1, 1, 1) + timedelta(days=k) for k in range(0, date.max.toordinal(), 37)]
LEAP = [date(year, 3, 1) - timedelta(days=1) for year in range(1, 10000)]
ENDS = [date(2023, month, 1) - timedelta(days=back) for month in range(1, 13) for back in (0, 1)]


def dated(day: date, form: str) -> str:
    # strftime of the C library does not fill the year to four digits everywhere
    text = form.replace("%Y", f"{day.year:04d}")
    return text.replace("%m", f"{day.month:02d}").replace("%d", f"{day.day:02d}")


@pytest.mark.parametrize("form", FORMS)
def test_every_day_from_the_first_to_the_last_year(form):
    days = [*ALL_DAYS, *LEAP, *ENDS, date.max]
    numbers, odd = read(plain.day, [dated(day, form) for day in days], MISSING)
    assert odd == []
    assert numbers == [(day - date(1970, 1, 1)).days for day in days]


@pytest.mark.parametrize("form", FORMS)
def test_days_that_do_not_exist_are_left_to_the_parser(form):
    wrong = [f"{y:04d}{m:02d}{d:02d}" for y in (0, 1900, 2023, 2024, 2100, 2400)
             for m in range(14) for d in (0, 28, 29, 30, 31, 32, 99)]  # fmt: skip
    cells = [form.replace("%Y", t[:4]).replace("%m", t[4:6]).replace("%d", t[6:]) for t in wrong]
    says_the_same(plain.day, values.day, cells)
    odd = read(plain.day, cells, MISSING)[1]
    assert odd == [row for row, cell in enumerate(cells) if values.day(cell).bad]


TIMES = [
    *["", " 08:30", " 08:30:59", "T08:30", "083059", " 8", " 24:00"],
    *["T", " ", "  8", " 8:", "Z", " 08:30:59.1", " 8时", "0830", "08305", "0830590", "T083059"],
    *["\t08:30", " :30"],
]
DATES = st.builds(
    lambda day, form, time: dated(day, form) + time,
    st.one_of(st.dates(), st.sampled_from(ENDS)),
    st.sampled_from([*FORMS, "%Y.%m.%d", "%Y年%m月%d日", "%Y-%m/%d", "%d/%m/%Y"]),
    st.sampled_from(TIMES),
)


@given(columns(DATES))
def test_dates_and_times_of_day(cells):
    says_the_same(plain.day, values.day, cells)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("time", ["", " 08:30:59"])
def test_dates_one_slip_away(form, time):
    says_the_same(plain.day, values.day, neighbours(dated(date(2025, 6, 14), form) + time))


def test_times_of_day_are_plain():
    cells = [f"2025-06-14{time}" for time in TIMES[:7] if time != "083059"] + ["20250614083059"]
    assert known(plain.day, cells)


@pytest.mark.parametrize("name", ["sex", "leaving"])
def test_every_sign_that_codes_a_value(name):
    reader = plain.letter(values.codes_of(name))
    cells = [*map(chr, range(1, 0x180)), *values.codes_of(name), *SIGNS, *NOTHING, "01", "1.男"]
    says_the_same(reader, lambda cell: values.coded(cell, name), cells, 0)
    assert known(reader, "12")


@pytest.mark.parametrize(
    ("parse", "digits"), [(values.sex_exact, "12"), (values.leaving_exact, "123456789")]
)
def test_every_sign_as_it_stands(parse, digits):
    cells = [*map(chr, range(1, 0x180)), *SIGNS, *NOTHING, "01", "1.0", "255", "256", "１"]
    says_the_same(plain.exact(digits), parse, cells, 0)
    assert known(plain.exact(digits), digits)


IDS = st.one_of(
    st.integers(0, 10**20).map(str),
    st.from_regex(r"[A-Za-z0-9_.\-]{1,20}", fullmatch=True),
    st.sampled_from(["6.05E+12", "6.05e12", "N/A", "NaN", "null", "00123", '="00123"', "'00123"]),
)


@given(columns(IDS))
def test_no_plain_id_is_changed_missing_or_damaged(cells):
    strings = strings_of(pa.array(cells, pa.string()))
    assert strings is not None
    odd = np.empty(len(cells), np.int32)
    rows = odd[: _cells.odd_texts(*strings, odd)].tolist()
    assert rows == sorted(set(rows))
    for row, cell in enumerate(cells):
        if row not in rows:
            assert cell
            assert values.known_text(cell) == cell
            assert not _is_damaged(cell)


def test_usual_ids_are_plain_and_what_says_nothing_is_not():
    strings = strings_of(pa.array(["0012345", "A-17_b.2", "9", *NOTHING[:6], "张3", "a 1", "a1 "]))
    assert strings is not None
    odd = np.empty(12, np.int32)
    assert odd[: _cells.odd_texts(*strings, odd)].tolist() == list(range(3, 12))
    missing = strings_of(pa.array([*spellings("missing"), *map(str.lower, spellings("missing"))]))
    assert missing is not None
    n = len(missing.offsets) - 1
    assert _cells.odd_texts(*missing, np.empty(n, np.int32)) == n


@given(st.lists(st.one_of(near(IDS), st.just("")), max_size=20))
def test_equal_texts_have_equal_fingerprints_and_others_others(texts):
    prints = fingerprints(texts).tolist()
    assert prints == fingerprints(ArrowTexts(pa.array(["x", *texts], pa.string())[1:])).tolist()
    assert prints == fingerprints(ArrowTexts(pa.array(texts, pa.large_string()))).tolist()
    assert [number == 0 for number in prints] == [not text for text in texts]
    assert len(set(prints)) == len(set(texts))


COLUMNS = {
    "id": IDS, "sex": st.sampled_from("12MFmf男09"), "age": whole_forms(0, 130),
    "age_days": whole_forms(0, 28, 60000), "weight": whole_forms(0, 20, 100, 3000),
    "los": whole_forms(0, 3650), "icu_hours": whole_forms(0, MOST // 1000),
    "leaving": st.sampled_from("123459"), "birth_date": DATES, "admit_time": DATES,
    "discharge_time": DATES, "total_cost": MONEY, "fund_basic": MONEY, "cash_paid": MONEY,
    "dx": st.sampled_from(["I63.900|I10.x00", "i10", "", "I63.900"]),
}  # fmt: skip
ROWS = st.lists(st.tuples(*(near(forms) for forms in COLUMNS.values())), min_size=1, max_size=3)


def source(columns: Sequence[object]) -> Sources:
    n = len(columns[0])  # type: ignore[arg-type]
    return join([Raw("t", "", "text", tuple(COLUMNS), tuple(columns), np.arange(1, n + 1))])  # type: ignore[arg-type]


@pytest.mark.parametrize("cleaning", ["standard", "as_is"])
@settings(max_examples=30)
@given(rows=ROWS, kind=st.sampled_from([pa.string(), pa.large_string()]))
def test_a_table_of_arrow_text_reads_as_a_table_of_cells(cleaning, rows, kind):
    def outcome(columns: Sequence[object]) -> tuple[object, ...]:
        table, found = source(columns), Findings()
        reading = column_map(table, "plain", None, cleaning, "t")
        batch = assemble(table, reading, found, as_is=cleaning == "as_is", part=True)
        numbers = {
            name: getattr(batch, name).tolist()
            for name in batch.__slots__
            if isinstance(getattr(batch, name), np.ndarray)
        }
        return numbers, list(batch.case_id), found.counts, found.repairs, found.ordered()

    cells = [list(column) for column in zip(*rows, strict=True)]
    # numbers beside the texts keep a list of cells from becoming an Arrow column
    slow = [[*column, 1] for column in cells]
    fast = [pa.chunked_array([pa.array([*column, "1"], kind)]) for column in cells]
    assert outcome(fast) == outcome(slow)


#: columns that are no texts: what is asked of each is what its parser says of every cell
TYPED = {
    "int64": pa.array([0, 1, 2, 9, 45, 130, 131, 3000, 20250614, 45291, -1, None, 10**15]),
    "uint64": pa.array([1, 2**63 + 5, 2**64 - 1, None], pa.uint64()),
    "int8": pa.array([1, 2, -128, None], pa.int8()),
    "minus nothing": pa.array([-0.0, 1.0]),
    "float64": pa.array([0.0, 1.0, 2.5, 45.0, 1234.5, 1234.56, 0.07, 1e15, 1e14 + 0.5,
                         1e300, 1234.5600000001, float("nan"), float("inf"), -0.07,
                         2024.06, 45291.5, None, 4.35]),
    "float32": pa.array([1.0, 2.5, 1234.5, 123456.78, 0.07, 16777217.0, 8388608.5, None],
                        pa.float32()),
    "date32": pa.array([date(2025, 6, 14), date(1, 1, 1), date.max, None]),
    "timestamp": pa.array([1, None, 10**15], pa.timestamp("us")),
    "decimal": pa.array(["1.50", "130.00", "100000.25", None]).cast(pa.decimal128(18, 2)),
    "bool": pa.array([True, False, None]),
    "binary": pa.array([b"1", b"45", b"x"]),
    "null": pa.nulls(2),
}  # fmt: skip
FIELDS = {name: column for name, column in COLUMNS.items() if name not in ("id", "dx", "sex")}


@pytest.mark.parametrize("cleaning", ["standard", "as_is"])
@pytest.mark.parametrize("kind", TYPED)
def test_a_column_of_any_type_reads_as_its_cells_do(monkeypatch, kind, cleaning):
    array = TYPED[kind]
    names = ("sex", "dx", *FIELDS)

    def outcome(columns: Sequence[object]) -> tuple[object, ...]:
        rows = np.arange(1, len(array) + 1)
        table = join([Raw("t", "", "arrow", names, tuple(columns), rows)])  # type: ignore[arg-type]
        found = Findings()
        reading = column_map(table, "plain", None, cleaning, "t")
        batch = assemble(table, reading, found, as_is=cleaning == "as_is", part=True)
        numbers = {name: getattr(batch, name).tolist() for name in NUMBERS}
        bill = {name: array.tolist() for name, array in batch.bill.items()}
        return numbers, bill, found.ordered(), found.repairs

    columns = [pa.chunked_array([array])] * len(names)
    columns[1] = pa.chunked_array([pa.array(["I63.900"] * len(array))])
    fast = outcome(columns)
    lists = outcome([columns[0], columns[1], *([array.to_pylist()] * len(FIELDS))])
    # every cell to its parser: no column is read plainly
    monkeypatch.setattr(scalars, "_plainly", lambda *_: None)
    assert fast == outcome(columns)
    assert lists == fast


NUMBERS = [
    name
    for name in CaseBatch.__slots__
    if name not in ("dx", "px", "reject_codes", "source", "row", "case_id", "bill")
    and name not in ("hospital", "hospital_level", "insurance", "area", "area_insured")
]
