"""The user's own columns come back as they were, in order, ours appended."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, datetime, time

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouper.records.read import read_records, records_from_table
from grouper.records.write import result_table, write_results

RESULT = ("drg", pa.array(["BB21"]))


def csv_rows(path, encoding="utf-8-sig"):
    text = path.read_bytes().decode(encoding)
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.fixture
def odd(tmp_path):
    """One row of cells that programs like to spoil."""
    path = tmp_path / "odd.csv"
    row = ["007", "1", "I10.x00|", " 两边 ", "1,234.50", "=1+1", 'a "b"', "x\r\ny", "1e5", ""]
    buffer = io.StringIO(newline="")
    headers = ["id", "sex", "dx", "备注", "total_cost", "f", "q", "n", "drg", ""]
    csv.writer(buffer, lineterminator="\r\n").writerows([headers, row])
    path.write_bytes(buffer.getvalue().encode("gb18030"))
    return path, headers, row


@pytest.mark.parametrize("encoding", [None, "gb18030", "utf-8"])
def test_csv_cells_come_back_character_by_character(odd, tmp_path, encoding):
    path, headers, row = odd
    records = read_records(path)
    out = write_results(tmp_path / "o.csv", records.user, [RESULT], lang="en", encoding=encoding)
    data = out.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf") == (encoding is None)
    assert data.count(b"\r\n") == data.count(b"\n") == 3
    headers[headers.index("drg")] = "input_drg"
    assert csv_rows(out, encoding or "utf-8-sig") == [[*headers, "drg"], [*row, "BB21"]]


def test_chinese_headers_name_the_results_and_a_user_column_of_that_name_is_kept(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id,sex,dx,DRG编码,input_DRG编码\n1,1,I10.x00,old,older\n", "utf-8")
    out = write_results(tmp_path / "o.csv", read_records(path).user, [RESULT], lang="zh")
    assert csv_rows(out)[0] == [
        "id",
        "sex",
        "dx",
        "input_input_DRG编码",
        "input_DRG编码",
        "DRG编码",
    ]


def test_text_becomes_text_cells_in_a_workbook_and_amounts_become_numbers(odd, tmp_path):
    path, _, row = odd
    row[4] = "1234.5"
    path.write_bytes(path.read_bytes().replace(b'"1,234.50"', b"1234.5"))
    info = [("版本", "0.1"), ("时间", datetime(2025, 1, 2))]
    out = write_results(tmp_path / "o.xlsx", read_records(path).user, [RESULT], info=info)
    book = openpyxl.load_workbook(out)
    assert book.sheetnames == ["结果", "说明"]
    cells = next(book["结果"].iter_rows(min_row=2, max_row=2))
    assert [cell.value for cell in cells[:4]] == ["007", "1", "I10.x00|", " 两边 "]
    assert (cells[4].value, cells[4].number_format) == (1234.5, "0.00")
    assert (cells[5].value, cells[5].data_type) == ("=1+1", "s")
    assert [cell.value for cell in cells[8:]] == ["1e5", None, "BB21"]
    assert book["结果"].freeze_panes == "A2"
    assert [cell.value for cell in book["说明"]["A"]] == ["版本", "时间"]


def test_cells_of_a_workbook_keep_their_kind(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["病案号", "性别", "诊断编码", "n", "f", "b", "d", "t", "dt", "e"])
    row = ["0012", 1, "I10.x00", 5, 2.25, True, date(2024, 1, 2), time(3, 4), None, None]
    row[8] = datetime(2024, 1, 2, 3, 4, 5)
    book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    out = write_results(tmp_path / "o.xlsx", read_records(tmp_path / "a.xlsx").user, [RESULT])
    found = [cell.value for cell in list(openpyxl.load_workbook(out)["结果"].rows)[1]]
    row[6] = datetime(2024, 1, 2)
    assert found == [*row, "BB21"]


def test_text_cells_of_a_workbook_stay_text_even_if_they_look_like_amounts(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["id", "sex", "dx", "total_cost"])
    book.active.append(["1", 1, "I10.x00", "1234.5"])
    book.save(tmp_path / "a.xlsx")
    out = write_results(tmp_path / "o.xlsx", read_records(tmp_path / "a.xlsx").user, [])
    assert openpyxl.load_workbook(out)["结果"]["D2"].value == "1234.5"


def test_an_id_that_a_workbook_holds_as_a_number_is_written_as_text(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["id", "sex", "dx"])
    book.active.append([123456, 1, "I10.x00"])
    book.save(tmp_path / "a.xlsx")
    out = write_results(tmp_path / "o.xlsx", read_records(tmp_path / "a.xlsx").user, [])
    assert openpyxl.load_workbook(out)["结果"]["A2"].value == "123456"


def test_parquet_keeps_column_types(tmp_path):
    table = pa.table(
        {
            "id": pa.array(["1"]),
            "sex": pa.array([1], pa.int8()),
            "dx": pa.array([["I10.x00"]]),
            "when": pa.array([datetime(2024, 1, 2)], pa.timestamp("us")),
            "kind": pa.array(["a"]).dictionary_encode(),
            "deep": pa.array([{"a": [1, 2]}]),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    out = write_results(tmp_path / "o.parquet", read_records(tmp_path / "a.parquet").user, [RESULT])
    written = pq.read_table(out)
    assert written.schema.names == [*table.schema.names, "DRG编码"]
    for name in table.schema.names:
        assert written.schema.field(name).type == table.schema.field(name).type
        assert written[name].to_pylist() == table[name].to_pylist()


SCALAR = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.text(max_size=6),
    st.decimals(allow_nan=False, allow_infinity=False, places=3),
)  # fmt: skip
VALUE = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
RECORD = st.fixed_dictionaries(
    {"id": st.text("abc1", min_size=1), "dx": st.lists(st.text("I10.x", max_size=5))},
    optional={"a": VALUE, "b": VALUE, "总": SCALAR},
)


def exact(text):
    """A JSON document with the digits of its numbers."""
    return json.loads(text, parse_float=str, parse_int=str)


@given(st.lists(RECORD, min_size=1, max_size=5))
def test_json_objects_come_back_with_keys_digits_and_nesting(tmp_path_factory, records):
    folder = tmp_path_factory.mktemp("json")
    encoder = json.JSONEncoder(ensure_ascii=False, default=str)
    lines = [encoder.encode(record) for record in records]
    path = folder / "a.jsonl"
    path.write_text("\n".join(lines), "utf-8", newline="")
    user = read_records(path, cleaning="as_is").user
    result = ("drg", pa.array(["X"] * len(records)))
    out = write_results(folder / "o.jsonl", user, [result], lang="en")
    written = [exact(line) for line in out.read_text("utf-8").split("\n") if line]
    assert written == [{**exact(line), "drg": "X"} for line in lines]


def test_numbers_in_json_keep_their_digits(tmp_path):
    line = (
        '{"id":"1","sex":1,"dx":["I10.x00"],"total_cost":1200.50,"n":1.0,"big":123456789012345678}'
    )
    path = tmp_path / "a.jsonl"
    path.write_text(line + "\n", "utf-8")
    out = write_results(tmp_path / "o.jsonl", read_records(path).user, [RESULT], lang="en")
    assert out.read_text("utf-8") == line[:-1] + ',"drg":"BB21"}\n'


def test_a_table_in_memory_gets_the_same_columns(sample):
    records = records_from_table(sample)
    status = pa.array(["grouped"] * len(sample))
    table = result_table(records.user, [("status", status)], lang="en")
    assert table.drop_columns(["status"]).equals(sample)
    assert table["status"].to_pylist() == status.to_pylist()


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".parquet", ".jsonl", ".json"])
def test_equal_input_gives_equal_bytes(sample, tmp_path, suffix):
    info = [("time", datetime(2025, 6, 1))]
    written = [
        write_results(
            tmp_path / f"{name}{suffix}", records_from_table(sample.slice(0, 50)).user, [],
            info=info,
        ).read_bytes()
        for name in "ab"
    ]  # fmt: skip
    assert written[0] == written[1]


ROWS = st.lists(
    st.tuples(*[st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))] * 2),
    min_size=1,
    max_size=5,
)


@given(ROWS, st.sampled_from([".csv", ".tsv"]), st.sampled_from(["utf-8-sig", "gb18030"]))
def test_any_text_survives_being_read_and_written(tmp_path_factory, rows, suffix, encoding):
    folder = tmp_path_factory.mktemp("text")
    delimiter = "\t" if suffix == ".tsv" else ","
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\n")
    writer.writerows([["id", "sex", "dx", "note"], *(["1", "1", *row] for row in rows)])
    path = folder / f"a{suffix}"
    path.write_bytes(buffer.getvalue().encode("utf-8-sig"))
    user = read_records(path, cleaning="as_is").user
    out = write_results(folder / f"o{suffix}", user, [], encoding=encoding)
    text = out.read_bytes().decode(encoding)
    found = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    assert [tuple(row[2:]) for row in found[1:]] == rows
