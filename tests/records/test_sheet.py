"""Text tables of unknown origin, and CSV by both readers."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouper.errors import DataFileError
from grouper.records import delimited
from grouper.records.delimited import read_delimited
from grouper.records.layout import known
from grouper.sheet import decode, read_sheet

HEADER = ["id", "sex", "dx", "note"]
TEXT = st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), max_size=8)
ROWS = st.lists(st.lists(TEXT, min_size=4, max_size=4), min_size=1, max_size=6)


def cells(data: bytes, **options: str) -> list[tuple[str, ...]]:
    raw = read_delimited(data, "t.csv", "t.csv", known, **options)
    assert not raw.faults
    return list(zip(*(column.to_pylist() for column in raw.columns), strict=True))


@given(
    ROWS,
    st.sampled_from([",", "\t", ";", "|"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_any_table_that_a_csv_writer_makes_is_read_back(rows, delimiter, newline, quoting):
    # a carriage return alone ends a line for some readers; inside quotes it is kept
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=newline, quoting=quoting)
    writer.writerows([HEADER, *rows])
    data = buffer.getvalue().encode("utf-8")
    expected = [tuple(row) for row in rows]
    assert cells(data) == expected


@given(ROWS)
def test_the_fast_and_the_careful_reader_agree(rows):
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerows([HEADER, *rows])
    text = buffer.getvalue()
    head = delimited.find_head(text, "t.csv", known)
    columns, _, faults = delimited._careful(decode(text.encode(), "t"), head)
    fast = delimited._fast(text.encode(), head)
    assert not faults
    if fast is not None:
        assert [c.to_pylist() for c in fast.columns] == [c.to_pylist() for c in columns]


@pytest.mark.parametrize(
    ("codec", "named"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("gb18030", "gb18030"),
        ("utf-16", "utf-16"),
    ],
)
def test_encoding_is_detected_and_named(codec, named):
    text = "id,性别,诊断编码,备注\n1,男,I10.x00,姓𠮷㑇\n"
    raw = read_delimited(text.encode(codec), "t", "t.csv", known)
    assert raw.facts["encoding"] == named
    assert raw.columns[3].to_pylist() == ["姓𠮷㑇"]


def test_an_ascii_head_does_not_hide_a_tail_in_gb18030():
    text = "id,sex,dx,note\n" + "1,1,I10.x00,a\n" * 5000 + "2,1,I10.x00,张三\n"
    raw = read_delimited(text.encode("gb18030"), "t", "t.csv", known)
    assert raw.facts["encoding"] == "gb18030"
    assert raw.columns[3].to_pylist()[-1] == "张三"


def test_mixed_encodings_are_read_line_by_line_and_only_broken_lines_fault():
    data = "id,sex,dx,note\n1,1,I10.x00,张三丰的病历\n".encode()
    data += "2,1,I10.x00,李四\n".encode("gb18030") + b"3,1,I10.x00,\xff\xff\n4,1,I10.x00,x\n"
    raw = read_delimited(data, "t", "t.csv", known)
    assert raw.facts["encoding"] == "mixed"
    assert raw.facts["lines_in_second_encoding"] == 1
    assert raw.faults == {2: "encoding"}
    assert raw.columns[3].to_pylist()[:2] == ["张三丰的病历", "李四"]


def test_faulty_lines_keep_their_place_and_do_not_touch_the_others():
    lines = [
        "id,sex,dx,note",
        "1,1,I10.x00,ok",
        "2,1,I10.x00",
        "3,1,I10.x00,x,y",
        '4,1,I10.x00,"a"b',
        '5,1,"I10.x00,never closed',
        "6,1,I10.x00,\0",
        '7,1,I10.x00,"two\nlines"',
        '8,1,I10.x00,="007"',
    ]
    raw = read_delimited("\n".join(lines).encode(), "t", "t.csv", known)
    assert raw.faults == {1: "cells", 2: "cells", 3: "quote", 4: "quote", 5: "nul"}
    assert raw.numbers.tolist() == [2, 3, 4, 5, 6, 7, 8, 10]
    assert raw.columns[0].to_pylist() == list("12345678")
    assert raw.columns[3].to_pylist()[6:] == ["two\nlines", '="007"']


def test_line_numbers_count_blank_lines_and_lines_inside_quotes():
    data = b'id,sex,dx,note\r\n1,1,I,"a\r\nb"\r\n\r\n2,1,I,c\r\n'
    raw = read_delimited(data, "t", "t.csv", known)
    assert raw.numbers.tolist() == [2, 5]
    assert raw.crlf


def test_header_may_stand_below_title_rows_and_above_a_row_of_field_names():
    text = "某医院出院病例\n统计日期,2025-06\n病案号,性别,年龄,诊断编码\nid,sex,age,dx\n"
    text += "1,1,40,I10.x00\n"
    raw = read_delimited(text.encode(), "t", "t.csv", known)
    assert raw.names == ("病案号", "性别", "年龄", "诊断编码")
    assert raw.header == 3
    assert raw.numbers.tolist() == [5]


def test_a_text_reader_names_what_a_file_is_that_is_no_text(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"PK\x03\x04 and so on")
    with pytest.raises(DataFileError) as raised:
        read_sheet(path)
    assert raised.value.issues[0].code == "DF132"


def test_a_plain_sheet_has_rows_with_their_lines(tmp_path):
    path = tmp_path / "x.tsv"
    path.write_text("a\tb\n\n1\t2\n", "utf-8")
    sheet = read_sheet(path)
    assert sheet.delimiter == "\t"
    assert [(row.line, row.cells) for row in sheet.rows] == [(1, ("a", "b")), (3, ("1", "2"))]
