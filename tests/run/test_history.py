"""Files of grouped cases as histories: columns found, rows refused or left out, any form."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet
import pytest
import xlsxwriter

from grouper.errors import WeightError
from grouper.run.history import find_columns, read_history
from weights.history import History

ROWS = {
    "病案号": ["1", "2", "3", "4", "5"],
    "医疗总费用": ["1,000.50", "20", "30.1", "40", "50"],
    "出院日期": ["2022-03-01", "2022年4月5日", "20230101", "2023/12/31", "2023-05-05"],
    "医疗机构代码": ["H2", "H1", "H1", "", "H1"],
    "分组状态": ["入组", "入组", "grouped", "歧义", "未入组"],
    "ADRG": ["AB1", "AB1", "CD1", "BQY", ""],
    "DRG编码": ["AB11", "AB13", "CD19", "BQY", ""],
    "DRG名称": ["甲", "乙", "丙", "歧义组", ""],
}


def write(path, columns):
    if path.suffix == ".xlsx":
        book = xlsxwriter.Workbook(path)
        sheet = book.add_worksheet()
        for at, (header, cells) in enumerate(columns.items()):
            sheet.write_column(0, at, [header, *cells])
        book.close()
    elif path.suffix == ".jsonl":
        lines = zip(*columns.values(), strict=True)
        text = (json.dumps(dict(zip(columns, line, strict=True))) for line in lines)
        path.write_text("".join(f"{line}\n" for line in text), "utf-8")
    elif path.suffix == ".parquet":
        pa_parquet.write_table(pa.table(columns), path)
    else:
        pa_csv.write_csv(pa.table(columns), path)
    return path


def cases(found):
    keys = zip(
        History.group_of(found.keys).tolist(),
        History.fen_of(found.keys).tolist(),
        History.year_of(found.keys).tolist(),
        strict=True,
    )
    return [(found.groups[g], fen, found.years[y]) for g, fen, y in keys]


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".parquet", ".jsonl"])
def test_every_form_gives_the_same_history(tmp_path, suffix):
    found = read_history([write(tmp_path / f"in{suffix}", ROWS)])
    assert cases(found) == [("AB11", 100050, 2022), ("AB13", 2000, 2022), ("CD19", 3010, 2023)]
    assert found.adrgs == ("AB1", "AB1", "CD1")
    assert found.names == ("甲", "乙", "丙")
    assert found.hospitals == ("H1", "H2")
    assert found.left_out == {"no_group": 2}


def test_several_files_are_one_history(tmp_path):
    first = write(tmp_path / "a.csv", ROWS)
    second = write(tmp_path / "b.csv", {k: v[::-1] for k, v in ROWS.items()})
    both, once = read_history([first, second]), read_history([first])
    assert both.cases == 2 * once.cases
    assert np.array_equal(both.keys, once.keys)
    assert both.left_out == {"no_group": 4}


def test_columns_are_found_by_name_and_asked_for_by_header():
    found = find_columns(["grp", "money", "drg", "year", "hospital_code"], {"cost": "money"}, "f")
    assert (found.group, found.cost, found.year, found.hospital) == (2, 1, 3, 4)
    assert found.adrg is None
    found = find_columns(["grp", "money", "drg"], {"cost": "money", "group": "grp"}, "f")
    assert found.group == 0


def test_our_own_words_for_columns_are_known():
    headers = ["group", "cost", "adrg", "year", "hospital", "status"]
    found = find_columns(headers, {}, "in.csv")
    assert [getattr(found, header) for header in headers] == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("headers", "named", "words"),
    [
        (["drg", "x"], {}, ["cost", "--cost-column"]),
        (["DRG编号", "total_cost"], {}, ["group", "--group-column", "DRG编号"]),
        (["drg", "total_cost"], {"year": "jahr"}, ["year", "--year-column"]),
    ],
)
def test_a_column_that_is_not_there(headers, named, words):
    with pytest.raises(WeightError, match="WT132") as caught:
        find_columns(headers, named, "in.csv")
    for lang in ("zh", "en"):
        text = caught.value.text(lang)
        assert all(word in text for word in words)


@pytest.mark.parametrize(
    ("header", "cell", "code", "place"),
    [
        ("医疗总费用", "0", "WT133", ":3:"),
        ("医疗总费用", "-5.00", "WT134", ":3:"),
        ("医疗总费用", "-1,234.5元", "WT134", ":3:"),
        ("医疗总费用", "", "WT135", ":3:"),
        ("医疗总费用", "many", "WT135", ":3:"),
        ("出院日期", "", "WT145", ":3:"),
        ("出院日期", "yesterday", "WT145", ":3:"),
    ],
)
def test_rows_that_are_no_cases_are_named(tmp_path, header, cell, code, place):
    rows = ROWS | {header: [ROWS[header][0], cell, *ROWS[header][2:]]}
    path = write(tmp_path / "in.csv", rows)
    with pytest.raises(WeightError) as caught:
        read_history([path])
    (issue,) = caught.value.issues
    assert issue.code == code
    assert place in issue.where
    assert header in issue.where
    if code != "WT145":
        left = read_history([path], bad_costs="leave_out")
        assert left.groups == ("AB11", "CD19")
        assert sum(left.left_out.values()) == 3


def test_a_status_that_is_not_ours_says_nothing(tmp_path):
    rows = ROWS | {"分组状态": ["结算", "", "歧义", "已审", "rejected"]}
    found = read_history([write(tmp_path / "in.csv", rows)])
    assert found.groups == ("AB11", "AB13", "BQY")
    assert found.left_out == {"no_group": 2}


def test_a_case_of_no_known_hospital_is_of_none(tmp_path):
    rows = ROWS | {"医疗机构代码": ["", "H1", "nan", "", ""]}
    found = read_history([write(tmp_path / "in.csv", rows)])
    assert found.hospitals == ("H1",)
    many, largest = found.hospital_counts()
    assert (many.tolist(), largest.tolist()) == ([0, 1, 0], [0, 1, 0])


def test_a_cost_of_a_case_without_group_does_not_matter(tmp_path):
    rows = ROWS | {"医疗总费用": ["1", "2", "3", "0", "-4"]}
    assert read_history([write(tmp_path / "in.csv", rows)]).cases == 3


def test_a_group_with_two_adrgs(tmp_path):
    rows = ROWS | {"DRG编码": ["AB11", "AB11", "CD19", "", ""], "ADRG": ["AB1", "XY1", "C", "", ""]}
    with pytest.raises(WeightError, match="WT137"):
        read_history([write(tmp_path / "in.csv", rows)])


def test_years_in_a_column_of_their_own(tmp_path):
    rows = {k: v for k, v in ROWS.items() if k != "出院日期"}
    rows |= {"年度": ["2022", "2022年", "2023年度", "", ""]}
    assert read_history([write(tmp_path / "in.csv", rows)]).years == (2022, 2023)


def test_binary_money_of_a_workbook(tmp_path):
    rows = {"group": ["A", "A"], "cost": [0.1 + 0.2, 1234.565]}
    with pytest.raises(WeightError, match="WT135"):
        read_history([write(tmp_path / "in.xlsx", rows)], named={"cost": "cost"})
    rows = {"group": ["A", "A"], "cost": [0.1 + 0.2, 1234.56]}
    found = read_history([write(tmp_path / "in2.xlsx", rows)], named={"cost": "cost"})
    assert cases(found) == [("A", 30, 0), ("A", 123456, 0)]


def test_many_parts_are_the_whole(tmp_path, monkeypatch):
    from weights_histories import drawn

    data = drawn(3000, 20, 1)
    path = write(
        tmp_path / "in.csv",
        {
            "drg": [data.codes[g] for g in data.group],
            "total_cost": [f"{fen / 100:.2f}" for fen in data.fen],
            "year": data.year.astype(str).tolist(),
            "hospital": [data.hospitals[h] for h in data.hospital],
        },
    )
    whole = read_history([path], threads=1)
    monkeypatch.setattr("grouper.run.history._BATCH", 137)
    parts = read_history([path], threads=3)
    direct = data.history()
    for found in (parts, direct):
        assert np.array_equal(found.keys, whole.keys)
        assert np.array_equal(found.counts, whole.counts)
        assert np.array_equal(found.pairs, whole.pairs)
        assert found.groups == whole.groups
