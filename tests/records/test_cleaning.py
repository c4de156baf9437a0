"""Rows of records: what is repaired, noted, rejected, and what stays."""

from __future__ import annotations

import pyarrow as pa
import pytest

from grouper.records.batch import MISSING, MISSING_FEN
from grouper.records.read import read_records, records_from_table


def read(tmp_path, text, **options):
    path = tmp_path / "t.csv"
    path.write_text(text, "utf-8")
    return read_records(path, **options)


def reasons(records):
    codes = records.batch.reject_codes
    return [codes[k - 1] if k else "" for k in records.batch.reject.tolist()]


def found(records, code):
    return [issue for issue in records.issues if issue.code == code]


HOME_MADE = """\
病案号,性别,年龄,主要诊断编码,其他诊断编码1,其他诊断编码2,手术编码1,住院天数,离院方式,总费用
001,男,45岁,i10.X00x002,,I63.900,51.23,3天,医嘱离院,"1,234.50"
002,女,3月,,I63.900,,,0,,
003,2,200,I10.x00x002,,,,,1,5
004,2,40,I10.x00x002,,,,,1,5万
,2,40,I10.x00x002,I10.x00x002,I63.9,,,1,5
"""


def test_a_home_made_table_is_cleaned_and_bad_rows_are_rejected_with_their_reason(tmp_path):
    records = read(tmp_path, HOME_MADE)
    batch = records.batch
    assert reasons(records) == ["", "RE02", "RE04", "RE05", "RE01"]
    assert list(batch.case_id) == ["001", "002", "003", "004", ""]
    assert batch.dx.codes(0) == ("I10.x00x002", "I63.900")
    assert batch.px.codes(0) == ("51.2300",)
    assert (batch.sex[0], batch.age_years[0], batch.los_days[0]) == (1, 45, 3)
    assert (batch.age_years[1], batch.age_days[1], batch.los_days[1]) == (0, 90, 1)
    assert batch.discharge_disposition.tolist() == [1, 9, 1, 1, 1]
    assert batch.total_cost_fen.tolist()[:3] == [123450, MISSING_FEN, 500]
    assert batch.dx.codes(4) == ("I10.x00x002", "I63.9")
    assert {issue.code for issue in records.issues} >= {"RW01", "RW02", "RW05"}


def test_notes_count_rows_reasons_and_repairs(tmp_path):
    notes = read(tmp_path, HOME_MADE).notes
    assert (notes["rows"], notes["usable"]) == (5, 1)
    assert notes["rejected"] == {"RE01": 1, "RE02": 1, "RE04": 1, "RE05": 1}
    assert notes["repairs"] == {"digits": 1, "fold": 1, "leaving_empty": 1, "los_zero": 1}
    (unknown,) = notes["unknown_codes"]
    assert (unknown["code"], unknown["count"]) == ("I63.9", 1)
    assert unknown["suggestion"].startswith("I63.900")
    assert notes["mapping"]["dx"] == ["主要诊断编码", "其他诊断编码1", "其他诊断编码2"]


def test_issues_say_file_line_and_column(tmp_path):
    records = read(tmp_path, HOME_MADE)
    assert found(records, "RE02")[0].where == "t.csv:3:主要诊断编码"
    assert found(records, "RE04")[0].where == "t.csv:4:年龄"
    assert found(records, "RE05")[0].where == "t.csv:5:总费用"


def test_as_it_stands_nothing_is_cleaned_repaired_or_rejected(tmp_path):
    text = "id,sex,age,age_days,weight,los,leaving,dx,px\n"
    text += " 1,1,0,400,0,0,,i10.X00| I63.9||i10.X00,51.23\n2,男,45岁,,,,,|I10.x00,\n3,2,40,,,,,,\n"
    records = read(tmp_path, text, cleaning="as_is")
    batch = records.batch
    assert [batch.dx.codes(i) for i in range(3)] == [
        ("i10.X00", " I63.9", "", "i10.X00"), ("", "I10.x00"), (),
    ]  # fmt: skip
    assert batch.px.codes(0) == ("51.23",)
    assert batch.sex.tolist() == [1, 0, 2]
    assert (batch.age_days[0], batch.admission_weight[0], batch.los_days[0]) == (400, 0, 0)
    assert batch.discharge_disposition[0] == 0
    assert batch.age_years[1] == MISSING
    assert list(batch.case_id) == [" 1", "2", "3"]
    assert reasons(records) == ["", "", ""]
    assert records.issues == []


def test_as_it_stands_lists_of_json_are_verbatim(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"id":"1","sex":1,"dx":["a|b",""," c"]}\n{"id":"2"}\n', "utf-8")
    batch = read_records(path, cleaning="as_is").batch
    assert batch.dx.codes(0) == ("a|b", "", " c")
    assert (batch.dx.codes(1), batch.sex[1]) == ((), 0)


def test_no_diagnosis_and_unknown_sex_are_left_to_grouping(tmp_path):
    records = read(tmp_path, "id,sex,dx\n1,未知,I10.x00x002\n2,1,-\n")
    assert reasons(records) == ["", ""]
    assert records.batch.sex.tolist() == [0, 1]
    assert records.batch.dx.codes(1) == ()


def test_a_secondary_diagnosis_is_never_promoted(tmp_path):
    records = read(tmp_path, "id,sex,dx\n1,1,|I10.x00x002\n2,1,-|I10.x00x002\n")
    assert reasons(records) == ["RE02", "RE02"]


def test_a_lone_asterisk_code_joins_its_dagger_code(tmp_path):
    records = read(tmp_path, "id,sex,dx\n1,1,A01.002+|G01*|I10.x00x002\n2,1,I10.x00x002|G01*\n")
    assert records.batch.dx.codes(0) == ("A01.002+G01*", "I10.x00x002")
    assert records.batch.dx.codes(1) == ("I10.x00x002", "G01*")


@pytest.mark.parametrize("separator", ["|", ";", "；", "、", " ", "/", "#"])
def test_joined_cells_are_split_at_any_usual_separator(tmp_path, separator):
    text = f"id,sex,dx\n1,1,I10.x00x002{separator}I63.900{separator}E11.900\n"
    assert read(tmp_path, text).batch.dx.codes(0) == ("I10.x00x002", "I63.900", "E11.900")


def test_age_stay_and_days_come_from_the_dates_where_columns_are_silent(tmp_path):
    text = "id,sex,age,los,birth_date,admit_time,discharge_time,dx\n"
    text += "1,1,,,1980-06-15,2024-06-14,2024-06-14,I10.x00x002\n"
    text += "2,1,,,1980-06-15,2024-06-15 08:00,2024/6/20,I10.x00x002\n"
    text += "3,1,0,,2024-06-01,2024-06-15,20240620,I10.x00x002\n"
    text += "4,1,30,9,1980-06-15,2024-06-15,2024-06-20,I10.x00x002\n"
    text += "5,1,30,9,,2024-06-15,2024-06-01,I10.x00x002\n"
    text += "6,1,,,2024-02-29,2025-02-28,2025-03-01,I10.x00x002\n"
    records = read(tmp_path, text)
    batch = records.batch
    assert batch.age_years.tolist() == [43, 44, 0, 30, 30, 0]
    assert batch.los_days.tolist()[:4] == [1, 5, 5, 9]
    assert batch.age_days.tolist()[2:] == [14, MISSING, MISSING, 365]
    assert reasons(records) == ["", "", "", "", "RE04", ""]
    assert sorted(issue.params["field"] for issue in found(records, "RW06")) == ["age", "los"]
    assert batch.discharge_date[1] == 19894


def test_days_of_life_count_under_one_year_only(tmp_path):
    text = (
        "id,sex,age,age_days,dx\n1,1,88,32460,I10.x00x002\n2,1,5,20,I10.x00x002\n3,1,,12,P07.300\n"
    )
    records = read(tmp_path, text)
    assert records.batch.age_days.tolist() == [MISSING, MISSING, 12]
    assert records.batch.age_years.tolist() == [88, 5, 0]
    assert found(records, "RW06")[0].where == "t.csv:3:age_days"


def test_ids_that_lost_digits_are_rejected_and_leading_zeros_kept(tmp_path):
    text = "id,sex,dx\n0012,1,I10.x00x002\n6.05E+12,1,I10.x00x002\n0012,1,I10.x00x002\n"
    records = read(tmp_path, text)
    assert list(records.batch.case_id) == ["0012", "6.05E+12", "0012"]
    assert reasons(records) == ["", "RE07", ""]
    assert found(records, "RW08")[0].params == {"id": "0012", "count": 2}


def test_record_and_stay_number_serve_as_id_and_row_numbers_where_there_is_none(tmp_path):
    text = "病案号,住院次数,性别,诊断编码\n7,2,1,I10.x00x002\n8,,1,I10.x00x002\n"
    assert list(read(tmp_path, text).batch.case_id) == ["7_2", "8"]
    assert list(read(tmp_path, "sex,age,dx\n1,1,I10.x00x002\n").batch.case_id) == ["2"]


def test_weight_in_kilograms_is_converted_when_a_map_says_so(tmp_path):
    text = "id,sex,age,age_days,weight,dx\n1,1,0,3,2.5,P07.300\n"
    assert read(tmp_path, text).batch.admission_weight[0] == MISSING
    records = read(tmp_path, text, mapping={"weight": "weight", "weight_unit": "kg"})
    assert records.batch.admission_weight[0] == 2_500_000


def test_funds_are_summed_and_a_broken_bill_is_told(tmp_path):
    text = "id,sex,dx,total_cost,fund_basic,fund_catastrophic,fund_assistance,cash_paid\n"
    text += "1,1,I10.x00x002,100.00,60.00,5.00,,35.00\n2,1,I10.x00x002,100,60,5,,36\n"
    records = read(tmp_path, text)
    assert records.batch.other_funds_fen.tolist() == [500, 500]
    assert found(records, "RW10")[0].params["count"] == 1
    assert reasons(records) == ["", ""]


def test_all_funds_less_the_basic_one_are_the_others(tmp_path):
    text = "id,sex,dx,fund_basic,fund_total\n1,1,I10.x00x002,60,72.50\n2,1,I10.x00x002,60,\n"
    assert read(tmp_path, text).batch.other_funds_fen.tolist() == [1250, MISSING_FEN]


def test_insurance_codes_of_the_settlement_list_are_mapped(tmp_path):
    text = "id,sex,dx,险种\n" + "".join(
        f"{k},1,I10.x00x002,{name}\n"
        for k, name in enumerate(["1", "2", "职工医保", "390", "自费"])
    )
    assert list(read(tmp_path, text).batch.insurance) == ["310", "390", "310", "390", "自费"]


def test_an_empty_table_in_memory_has_no_records():
    table = pa.table({"id": pa.array([], pa.string()), "sex": pa.array([], pa.int8()),
                      "dx": pa.array([], pa.list_(pa.string()))})  # fmt: skip
    assert len(records_from_table(table).batch) == 0
    assert len(records_from_table(table, cleaning="as_is").batch) == 0
