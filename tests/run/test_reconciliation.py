"""Every planted difference is found and classed by its first step, and none where there is none."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from grouper.errors import RunError, SettlementError
from grouper.records.read import records_from_table
from grouper.records.write import write_results
from grouper.run.pipeline import group_records
from grouper.run.reconciliation import Reconciliation, reconcile
from grouper.run.sample import sample_table
from grouper.run.settlement import settle_run, settled_columns
from grouper.run.verdicts import group_code, read_results

Row = dict[str, str]
PAYER = {
    "就诊ID": "id",
    "性别": "sex",
    "年龄": "age",
    "住院天数": "los",
    "离院方式": "leaving",
    "险种": "insurance",
    "主要诊断编码": "dx",
    "其他诊断编码": "dx",
    "手术操作编码": "px",
    "DRG组代码": "drg",
    "差异系数": "hospital_coefficient",
    "权重": "relative_weight",
    "DRG支付标准": "standard",
    "费用总额": "total_cost",
}


@pytest.fixture(scope="module")
def ours(load, tmp_path_factory) -> Path:
    """A result file of `grouper settle bill`."""
    scheme = load("chs_drg_20")
    records = records_from_table(sample_table(240, 9, scheme), name="sample")
    settled = settle_run(group_records(records, scheme), "demo")
    path: Path = tmp_path_factory.mktemp("reconcile") / "ours.csv"
    write_results(path, settled.run.records.user, settled_columns(settled, "en"), lang="en")
    return path


@pytest.fixture
def payer(ours) -> list[Row]:
    """What the payer would send for the same cases, in its own columns."""
    with ours.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    found = []
    for row in rows:
        one = {title: row[name] for title, name in PAYER.items()}
        first, *others = row["dx"].split("|")
        one |= {"主要诊断编码": first, "其他诊断编码": "|".join(others)}
        one["DRG组代码"] = row["drg"] or "0000"
        found.append(one)
    return found


@pytest.fixture
def write(tmp_path) -> Callable[..., Path]:
    def write_(rows: list[Row], name: str = "payer.csv", codec: str = "gb18030") -> Path:
        path = tmp_path / name
        with path.open("w", encoding=codec, newline="") as file:
            out = csv.DictWriter(file, list(rows[0]))
            out.writeheader()
            out.writerows(rows)
        return path

    return write_


def held(ours: Path, payer: Path, **more) -> Reconciliation:
    return reconcile(read_results(ours, "id"), read_results(payer, "id"), **more)


def differing(found: Reconciliation) -> dict[str, str]:
    return {found.ours.keys[one.ours].text: one.step for one in found.differences}


def test_equal_files_have_no_difference(ours, payer, write, load):
    for scheme in (None, load("chs_drg_20")):
        found = held(ours, write(payer), scheme=scheme)
        assert found.equal == len(payer) == 240
        assert not found.differences
        assert not found.regrouped
        assert not found.only("ours")
        assert not found.only("theirs")
        assert not found.matching.repairs
        sums = found.standards()
        assert sums is not None
        assert sums[0] == sums[1] > 0


def test_prices_may_bear_the_signs_of_money(ours, payer, write):
    forms = ["￥{:,}", "{:,}元", "¥ {:,}", "{}"]
    for at, row in enumerate(payer):
        if row["DRG支付标准"]:
            row["DRG支付标准"] = forms[at % 4].format(Decimal(row["DRG支付标准"]))
    found = held(ours, write(payer))
    assert found.equal == 240
    sums = found.standards()
    assert sums is not None
    assert sums[0] == sums[1]


def test_another_order_is_no_difference(ours, payer, write):
    random.Random(3).shuffle(payer)
    found = held(ours, write(payer))
    assert (found.equal, len(found.differences)) == (240, 0)


def set_(column: str, value: str) -> Callable[[Row], None]:
    def change(row: Row) -> None:
        assert row[column] != value
        row[column] = value

    return change


def regroup(code: Callable[[str], str]) -> Callable[[Row], None]:
    def change(row: Row) -> None:
        row["DRG组代码"] = code(row["DRG组代码"])

    return change


def priced(column: str, add: str) -> Callable[[Row], None]:
    def change(row: Row) -> None:
        row[column] = f"{row[column]}{add}"

    return change


def added(column: str, code: str) -> Callable[[Row], None]:
    def change(row: Row) -> None:
        row[column] = "|".join(filter(None, [row[column], code]))

    return change


def other_letter(code: str) -> str:
    return f"{'C' if code[0] != 'C' else 'D'}{code[1:]}"


#: forty differences, each by what is done to a grouped row of the payer's file
PLANTED: list[tuple[str, Callable[[Row], None]]] = [
    ("input", set_("年龄", "101")),
    ("input", set_("年龄", "")),
    ("input", lambda row: row.update(性别="2" if row["性别"] == "1" else "1")),
    ("input", set_("住院天数", "199")),
    ("input", set_("离院方式", "5")),
    ("input", set_("费用总额", "12.34")),
    ("input", lambda row: row.update(险种="390" if row["险种"] == "310" else "310")),
    # a fact and the group: the fact comes first
    ("input", lambda row: row.update(年龄="102", DRG组代码=other_letter(row["DRG组代码"]))),
    ("code", set_("主要诊断编码", "A00.000")),
    ("code", set_("主要诊断编码", "S06.000")),
    ("code", added("其他诊断编码", "Z51.003")),
    ("code", added("其他诊断编码", "E87.500")),
    ("code", lambda row: row.update(其他诊断编码="K35.900")),
    ("code", set_("手术操作编码", "00.1000")),
    ("code", added("手术操作编码", "99.9900")),
    # a code and the group and the price: the code comes first
    ("code", lambda row: row.update(主要诊断编码="B20.000", DRG组代码="YR15", 权重="9.5")),
    *[("mdc", regroup(other_letter))] * 4,
    *[("mdc", regroup(lambda code: "0000"))] * 2,
    ("mdc", regroup(lambda code: "")),
    ("mdc", regroup(lambda code: "000P")),
    *[("adrg", regroup(lambda code: f"{code[0]}9{code[2:]}"))] * 4,
    *[("adrg", regroup(lambda code: f"{code[0]}QY"))] * 2,
    ("adrg", regroup(lambda code: "QY")),
    *[("severity", regroup(lambda code: f"{code[:3]}8"))] * 4,
    ("severity", lambda row: row.update(DRG组代码=f"{row['DRG组代码'][:3]}7 某组", 权重="9")),
    ("price", priced("权重", "1")),
    ("price", priced("差异系数", "5")),
    ("price", lambda row: row.update(DRG支付标准="￥1.00元")),
    ("price", lambda row: row.update(DRG支付标准="", 权重=f"{row['权重']}0")),
]


def test_forty_planted_differences_are_found_and_classed(ours, payer, write, load):
    assert len(PLANTED) == 40
    grouped = [row for row in payer if not row["DRG组代码"].startswith("0")]
    grouped = [row for row in grouped if not row["DRG组代码"].endswith("QY")]
    chosen = random.Random(5).sample(grouped, len(PLANTED))
    expected = {}
    for row, (step, change) in zip(chosen, PLANTED, strict=True):
        before = dict(row)
        change(row)
        assert row != before
        expected[row["就诊ID"]] = step
    random.Random(6).shuffle(payer)
    path = write(payer)
    assert differing(held(ours, path)) == expected
    found = held(ours, path, scheme=load("chs_drg_20"))
    assert differing(found) == expected
    assert sum(found.by_step().values()) == 40
    for one in found.differences:
        regrouped = any(item.field == "drg" for item in one.items)
        assert (one.evidence is not None) == regrouped
        assert one.items[0].step == expected[found.ours.keys[one.ours].text]


def test_the_payer_s_values_explain_the_payer_s_group(ours, payer, write, load):
    scheme = load("chs_drg_20")
    row = next(row for row in payer if row["DRG组代码"][0] not in "0AMNOPYZ")
    row |= {"主要诊断编码": "J18.900", "其他诊断编码": "", "手术操作编码": "", "DRG组代码": "ES35"}
    (one,) = held(ours, write(payer), scheme=scheme).differences
    assert one.step == "code"
    assert one.evidence is not None
    assert one.evidence.with_theirs is not None
    assert one.evidence.with_theirs.drg == "ES35"
    assert one.evidence.theirs is not None
    assert (one.evidence.theirs.level, one.evidence.theirs.said) == ("mdc", "fails")


def test_extra_and_missing_rows_are_named(ours, payer, write):
    gone, extra = payer.pop(7), dict(payer[0], 就诊ID="X1")
    found = held(ours, write([*payer, extra]))
    assert [found.ours.keys[row].text for row in found.only("ours")] == [gone["就诊ID"]]
    assert [found.theirs.keys[row].text for row in found.only("theirs")] == ["X1"]
    assert not found.differences
    assert found.theirs.where(found.only("theirs")[0]) == "payer.csv:241"


def test_totals_and_lines_by_department_are_no_cases(ours, payer, write):
    rows = [row | {"费用发生科室": dept} for row in payer for dept in ("内科", "外科")]
    rows.append(dict.fromkeys(rows[0], "") | {"就诊ID": "合计", "费用总额": "1234.50"})
    found = held(ours, write(rows))
    assert (found.equal, found.theirs.total_lines, found.theirs.merged_lines) == (240, 1, 240)
    assert not found.only("theirs")


def test_damaged_keys_are_joined_and_named(ours, payer, write, tmp_path):
    """Long numbers as a spreadsheet leaves them; ours is written with the true ones."""
    with ours.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for number, (row, theirs) in enumerate(zip(rows, payer, strict=True)):
        key = str(330102_199001_010000 + 7919 * 1000 * number)
        row["id"] = key if number % 6 else f"000{number}7"
        theirs["就诊ID"] = {
            0: row["id"].lstrip("0"),
            1: f"'{key}",
            2: f" {key}　",
            3: str(int(float(key))),
            4: key[:15] + "000",
            5: key,
        }[number % 6]
    mine = write(rows, "mine.csv", "utf-8")
    found = held(mine, write(payer))
    assert found.equal == 240
    kinds = [repair.kind for repair in found.matching.repairs]
    for kind in ("leading_zeros", "apostrophe", "blanks"):
        assert kinds.count(kind) == 40
    # keys that end in 000 are the same after the damage, so nothing had to be repaired
    assert kinds.count("digits_lost") <= 80
    assert "digits_lost" in kinds


def test_a_record_with_a_damaged_key_is_grouped_all_the_same(ours, payer, write, load):
    with ours.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    payer[4]["就诊ID"], rows[4]["id"] = "123456789012345", "1.23457E+14"
    found = held(write(rows, "mine.csv", "utf-8"), write(payer), scheme=load("chs_drg_20"))
    assert (found.equal, found.regrouped) == (240, 0)
    assert [repair.kind for repair in found.matching.repairs] == ["exponent"]


def test_numbers_of_a_workbook_are_joined_with_texts(ours, payer, tmp_path, write):
    with ours.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["2025年6月结算结果"])
    sheet.append(list(payer[0]))
    for number, (row, theirs) in enumerate(zip(rows, payer, strict=True)):
        row["id"] = (
            f"00{number + 1}" if number % 2 else str(123456789012345678 + 1_000_003 * number)
        )
        sheet.append([float(row["id"]), *list(theirs.values())[1:]])
    path = tmp_path / "payer.xlsx"
    book.save(path)
    found = held(write(rows, "mine.csv", "utf-8"), path)
    assert found.equal == 240
    kinds = {repair.kind for repair in found.matching.repairs}
    assert kinds == {"leading_zeros", "digits_lost"}


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises((RunError, SettlementError)) as error:
        call()
    for lang in ("zh", "en"):
        assert error.value.text(lang)
    return error.value.issues[0].code


def test_what_cannot_be_reconciled_is_refused(ours, payer, write, load):
    twice = write([*payer, payer[3]], "twice.csv")
    assert refusal(lambda: held(ours, twice)) == "RN132"
    others = write([row | {"就诊ID": f"Q{row['就诊ID']}"} for row in payer], "others.csv")
    assert refusal(lambda: held(ours, others)) == "RN133"
    bare = write([{"就诊ID": row["就诊ID"], "费用总额": "1"} for row in payer], "bare.csv")
    assert refusal(lambda: held(ours, bare)) == "RN135"
    assert refusal(lambda: held(bare, write(payer))) == "RN136"
    assert refusal(lambda: read_results(bare, "病历号")) == "RN131"
    assert refusal(lambda: read_results(bare, "id", columns={"drg": "组"})) == "RN134"
    draft = load("chs_drg_30")
    assert refusal(lambda: held(ours, write(payer), scheme=draft)) == "ST311"
    assert refusal(lambda: held(ours, write(payer), scheme=draft, area="demo")) == "ST311"


def test_our_own_column_of_groups_wins_over_the_payer_s_kept_beside_it(ours, payer, write):
    with ours.open(encoding="utf-8-sig", newline="") as file:
        rows = [{"DRG组代码": "XX11"} | row for row in csv.DictReader(file)]
    assert held(write(rows, "mine.csv", "utf-8"), write(payer)).equal == 240
    two = write([row | {"病组编码": "ES35"} for row in payer])
    assert refusal(lambda: read_results(two, "id")) == "RN137"
    named = read_results(two, "id", columns={"drg": "病组编码"})
    assert {group.drg for group in named.groups} == {"ES35"}


def test_a_key_of_several_columns(ours, payer, write):
    path = write([row | {"出院科室": "x", "DRG编码": "?"} for row in payer])
    found = reconcile(read_results(ours, "id,los"), read_results(path, "就诊ID,住院天数"))
    assert len(found.matching.pairs) == 240


@pytest.mark.parametrize(
    ("text", "status", "drg"),
    [
        ("BR11", "grouped", "BR11"),
        ("ｂｒ11 脑梗死", "grouped", "BR11"),
        ("BR11-脑梗死", "grouped", "BR11"),
        ("BR11脑梗死（MCC）", "grouped", "BR11"),
        ("【BR11】脑梗死", "grouped", "BR11"),
        ("BQY：歧义病例", "ambiguous", "BQY"),
        ("QY病例", "ambiguous", "QY"),
        ("0000-未入组", "ungrouped", ""),
        ("BQY", "ambiguous", "BQY"),
        ("QY", "ambiguous", "QY"),
        ("0000", "ungrouped", ""),
        ("000P", "ungrouped", ""),
        ("", "ungrouped", ""),
        ("无", "ungrouped", ""),
        ("未入组", "ungrouped", ""),
    ],
)
def test_group_codes_as_payers_write_them(text, status, drg):
    found = group_code(text)
    assert (found.status, found.drg) == (status, drg)


@pytest.mark.parametrize(
    "date", ["2025/6/{d} 10:20", "202506{d:02}", "2025年6月{d}日", "45809+{d}"]
)
def test_keys_of_several_columns_survive_a_spreadsheet(tmp_path, date):
    """Numbers without their zeros and dates of another form name the same stays."""
    ours, theirs = tmp_path / "ours.csv", tmp_path / "theirs.csv"
    lines = [f"{'0' * 3}{n % 9},2025-06-{n:02},J18.900,ES35" for n in range(1, 21)]
    ours.write_text("\n".join(["record_no,discharge_time,dx,drg", *lines]), "utf-8")
    lines = []
    for n in range(1, 21):
        written = str(45809 + n - 1) if "+" in date else date.format(d=n)
        lines.append(f"{n % 9},{written},ES35")
    theirs.write_text("\n".join(["病案号,出院时间,DRG编码", *lines]), "utf-8")
    files = [read_results(path, "record_no,discharge_time") for path in (ours, theirs)]
    found = reconcile(*files)
    assert len(found.matching.pairs) == 20
    assert {repair.kind for repair in found.matching.repairs} == {"leading_zeros"}
    assert not found.differences
