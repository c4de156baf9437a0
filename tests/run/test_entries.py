"""Tables of entries: read in Chinese and English, every wrong cell with its place and remedy."""

from datetime import date
from fractions import Fraction

import openpyxl
import pytest

from grouper.errors import DataFileError, SettlementError
from grouper.policy.load import load_policy
from grouper.run.entries import entry_words, read_entries
from grouper.settle.entries import NEEDS, Entry
from grouper.settle.year_entries import YEAR_NEEDS

ZH = "类型,医疗机构,险种,参保地类别,清单号,新清单号,金额,比例,原因,依据,日期,每月抵扣,备注"


@pytest.fixture(scope="module")
def policy():
    return load_policy("demo")


@pytest.fixture
def entries(tmp_path, policy):
    def read(text, name="e.csv"):
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return read_entries(path, policy)

    return read


@pytest.fixture
def problems(entries):
    """What is said of a table, in both languages."""

    def said(text):
        with pytest.raises(SettlementError) as caught:
            entries(text)
        for lang in ("zh", "en"):
            assert "{" not in caught.value.text(lang)
            assert all(issue.fix(lang) for issue in caught.value.issues)
        return [(one.code, one.where, one.params.get("problem")) for one in caught.value.issues]

    return said


def test_a_workbook_as_clerks_fill_it(tmp_path, policy):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "6月"
    sheet.append(["2025年6月录入表"])
    sheet.append(ZH.split(","))
    sheet.append(["审核扣款", "H1", None, None, "L1", None, 1800, None, "重复收费", "F09"])
    sheet.append([None] * 12)
    sheet.append(["受理", "H1", None, None, "L2"] + [None] * 5 + [date(2025, 7, 3)])
    sheet.append(["特例通过", "H1", None, None, "L3", None, None, 0.9])
    sheet.append(
        ["预付金", "H1", "职工", "省内异地", None, None, "1,000.50", *[None] * 4, 200, "一月"]
    )
    path = tmp_path / "e.xlsx"
    book.save(path)
    audit, accepted, approved, advance = read_entries(path, policy)
    where = "e.xlsx:6月!A3"
    assert audit == Entry(
        "audit", where, "H1", list="L1", amount=180_000, reason="重复收费", rule="F09"
    )
    assert accepted.day == date(2025, 7, 3)
    assert approved.ratio == Fraction(9, 10)
    assert (advance.insurance, advance.place) == ("310", "in_province")
    assert (advance.amount, advance.schedule) == (100_050, 20_000)


def test_english_names_and_semicolons(entries):
    (found,) = entries("kind;hospital;list;amount;reason;rule\naudit;H1;L1;5.00;r;F01\n")
    assert found.amount == 500


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("罚款,H1,,,,,,,,,,,", [("ST320", "e.csv:2:A", "kind")]),
        (",H1,,,,,,,,,,,", [("ST320", "e.csv:2:A", "missing")]),
        ("审核扣款,H1,,,L1,,,,r,r,,,", [("ST320", "e.csv:2:G", "missing")]),
        ("审核扣款,H1,,,L1,,1.001,,r,r,,,", [("ST320", "e.csv:2:G", "amount")]),
        ("审核扣款,H1,,,L1,,九百,,r,r,,,", [("ST320", "e.csv:2:G", "amount")]),
        ("审核扣款,H1,,,L1,,-5,,r,r,,,", [("ST207", "e.csv:2:G", "amount")]),
        ("审核扣款,H1,,,L1,L2,5,,r,r,,,", [("ST320", "e.csv:2:F", "unused")]),
        ("受理,H1,,,L1,,,,,,七月,,", [("ST320", "e.csv:2:K", "date")]),
        ("特例通过,H1,,,L1,,,x,,,,,", [("ST320", "e.csv:2:H", "number")]),
        ("预算,H1,城镇,,,,5,,,,,,", [("ST320", "e.csv:2:C", "insurance")]),
        ("预付金,H1,310,外地,,,5,,,,,5,", [("ST320", "e.csv:2:D", "place")]),
        ("预算,,,,,,,,,,,,", [("ST320", f"e.csv:2:{c}", "missing") for c in "BCG"]),
    ],
)
def test_every_wrong_cell_is_named(problems, row, expected):
    assert problems(f"{ZH}\n{row}\n") == expected


def test_columns_that_nobody_knows_or_that_stand_twice(problems):
    assert problems("类型,医疗机构,金頟\n") == [("ST323", "e.csv:1:C", "unknown")]
    assert problems("类型,医疗机构,金额,amount\n") == [("ST323", "e.csv:1:D", "twice")]
    assert problems("a,b\n1,2\n") == [("ST323", "e.csv", "none")]


def test_a_yes_or_no_that_is_neither(problems):
    text = "类型,医疗机构,险种,每月抵扣,赤字\n预付金,H1,310,5,也许\n"
    assert problems(text) == [("ST320", "e.csv:2:E", "yes_no")]


def test_a_file_that_is_not_there(tmp_path, policy):
    with pytest.raises(DataFileError):
        read_entries(tmp_path / "none.xlsx", policy)


def test_all_columns_and_kinds_have_names_in_both_languages():
    kinds, columns = entry_words("kind"), entry_words("column")
    all_needs = {**NEEDS, **YEAR_NEEDS}
    assert set(kinds.values()) == set(all_needs)
    tables = [*NEEDS.values(), *YEAR_NEEDS.values()]
    used = {name for needed, allowed in tables for name in (*needed, *allowed)}
    assert used | {"kind", "note"} == set(columns.values())
    for words in (kinds, columns):
        for code in set(words.values()):
            spellings = [text for text, one in words.items() if one == code]
            assert code in spellings
            assert any(not text.isascii() for text in spellings), code
