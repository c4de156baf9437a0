"""The same records through every form are the same columns, no code damaged."""

from __future__ import annotations

import json

import numpy as np
import openpyxl
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouper.records.read import read_records, records_from_table
from grouper.records.write import write_results

NUMBERS = (
    "sex", "age_years", "age_days", "admission_weight", "los_days", "icu_hours",
    "discharge_disposition", "reject", "discharge_date", "total_cost_fen", "fund_basic_fen",
    "other_funds_fen",
)  # fmt: skip
TEXTS = ("case_id", "hospital", "hospital_level", "insurance", "area", "area_insured")


def assert_same(one, two):
    """Two batches hold the same cases."""
    for name in ("dx", "px"):
        left, right = getattr(one, name), getattr(two, name)
        assert list(left.texts) == list(right.texts)
        assert np.array_equal(left.index, right.index)
        assert np.array_equal(left.offsets, right.offsets)
    for name in NUMBERS:
        assert np.array_equal(getattr(one, name), getattr(two, name)), name
    for name in TEXTS:
        assert list(getattr(one, name)) == list(getattr(two, name)), name


def joined(table: pa.Table) -> pa.Table:
    """The same table with the codes of a case joined in one cell."""
    for name in ("dx", "px"):
        at = table.column_names.index(name)
        texts = ["|".join(codes) for codes in table[name].to_pylist()]
        table = table.set_column(at, name, pa.array(texts))
    return table


def wide(table: pa.Table) -> pa.Table:
    """The same table with one column a code."""
    for name in ("dx", "px"):
        lists = table[name].to_pylist()
        table = table.drop_columns([name])
        for number in range(max(map(len, lists))):
            cells = [codes[number] if number < len(codes) else "" for codes in lists]
            table = table.append_column(f"{name}{number + 1}", pa.array(cells))
    return table


@pytest.mark.parametrize("cleaning", ["standard", "as_is"])
@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("t.csv", None),
        ("t.csv", "utf-8"),
        ("t.csv", "gb18030"),
        ("t.csv", "utf-16"),
        ("t.tsv", None),
        ("t.xlsx", None),
        ("t.parquet", None),
        ("t.jsonl", None),
        ("t.json", None),
    ],
)
def test_a_thousand_records_survive_every_form(sample, tmp_path, cleaning, name, encoding):
    expected = records_from_table(sample, cleaning=cleaning)
    path = write_results(tmp_path / name, expected.user, [], encoding=encoding)
    found = read_records(path, cleaning=cleaning)
    assert_same(found.batch, expected.batch)
    assert not found.batch.reject.any()


@pytest.mark.parametrize("cleaning", ["standard", "as_is"])
@pytest.mark.parametrize("shape", [joined, wide])
def test_lists_joined_cells_and_wide_columns_are_the_same(sample, tmp_path, cleaning, shape):
    expected = records_from_table(sample, cleaning=cleaning).batch
    pq.write_table(shape(sample), tmp_path / "t.parquet")
    assert_same(read_records(tmp_path / "t.parquet", cleaning=cleaning).batch, expected)


def test_dictionary_encoded_and_large_columns_are_read_like_plain_ones(sample):
    expected = records_from_table(joined(sample)).batch
    columns = []
    for column in joined(sample).columns:
        text = pa.types.is_string(column.type)
        columns.append(column.dictionary_encode() if text else column)
    table = pa.table(columns, names=sample.column_names)
    assert_same(records_from_table(table).batch, expected)
    at = table.column_names.index("dx")
    large = sample.set_column(at, "dx", sample["dx"].cast(pa.large_list(pa.large_string())))
    assert_same(records_from_table(large).batch, expected)


def test_frames_of_other_libraries_are_read_like_tables(sample):
    small = sample.select(["id", "sex", "age", "age_days", "weight", "los", "dx", "px"])
    expected = records_from_table(small).batch
    frame = polars.from_arrow(small)
    assert_same(records_from_table(pa.table(frame)).batch, expected)
    texts = polars.from_arrow(joined(small))
    assert_same(records_from_table(pa.table(texts)).batch, expected)
    assert_same(records_from_table(pa.table(small.to_pandas())).batch, expected)


LISTS = st.lists(st.lists(st.text(max_size=6), max_size=4), min_size=1, max_size=4)


@given(LISTS)
def test_as_it_stands_any_list_of_texts_is_kept(tmp_path_factory, lists):
    path = tmp_path_factory.mktemp("lists") / "t.jsonl"
    lines = [json.dumps({"id": str(k), "sex": 1, "dx": codes}) for k, codes in enumerate(lists)]
    path.write_text("\n".join(lines), "utf-8")
    column = read_records(path, cleaning="as_is").batch.dx
    assert [list(column.codes(k)) for k in range(len(column))] == lists


def test_procedures_that_a_spreadsheet_turned_into_numbers_are_repaired(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["id", "sex", "dx", "px1", "px2"])
    book.active.append(["007", 1, "I10.x00x002", 0.66, "51.23"])
    book.save(tmp_path / "t.xlsx")
    records = read_records(tmp_path / "t.xlsx")
    assert records.batch.px.codes(0) == ("00.6600", "51.2300")
    assert list(records.batch.case_id) == ["007"]
    repairs = {issue.params["text"]: issue for issue in records.issues if issue.code == "RW02"}
    assert repairs["0.66"].where == "t.xlsx:Sheet!D2"
    assert repairs["0.66"].params["how"] == "number"
    assert repairs["51.23"].params["how"] == "digits"


def test_as_it_stands_a_damaged_code_stays_damaged(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["id", "sex", "dx", "px1"])
    book.active.append(["7", 1, " i10.X00", 0.66])
    book.save(tmp_path / "t.xlsx")
    batch = read_records(tmp_path / "t.xlsx", cleaning="as_is").batch
    assert (batch.dx.codes(0), batch.px.codes(0)) == ((" i10.X00",), ("0.66",))


def test_several_files_are_one_table_in_their_order(sample, tmp_path):
    user = records_from_table(sample.slice(0, 30)).user
    first = write_results(tmp_path / "a.csv", user, [])
    second = write_results(tmp_path / "b.xlsx", records_from_table(sample.slice(30, 30)).user, [])
    records = read_records([first, second])
    assert_same(records.batch, records_from_table(sample.slice(0, 60)).batch)
    assert records.batch.row.tolist()[29:31] == [31, 2]
    again = read_records([first, first])
    assert [issue.code for issue in again.issues].count("RW08") == 30
