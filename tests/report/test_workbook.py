"""The workbook read back by two independent readers."""

import zipfile
from io import BytesIO

import openpyxl
import pytest
from python_calamine import CalamineWorkbook

from grouper.report.data import GroupRow, Statement, StatementLine
from grouper.report.workbook import render_workbook


def opened(data):
    return openpyxl.load_workbook(BytesIO(render_workbook(data)))


def rows(sheet):
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def test_sheets_in_the_reader_s_language(make):
    assert opened(make("zh")).sheetnames == [
        "说明", "分组汇总", "覆盖率", "月结算表", "月度拨付表", "病组",
    ]  # fmt: skip
    names = opened(make("en")).sheetnames
    assert names == ["说明 Notes", "Grouping", "Coverage", "Month", "Payment forms", "Groups"]


def test_same_data_same_bytes(data):
    assert render_workbook(data) == render_workbook(data)


def test_two_readers_see_the_same_cells(data):
    content = render_workbook(data)
    book = openpyxl.load_workbook(BytesIO(content))
    other = CalamineWorkbook.from_filelike(BytesIO(content))
    for name in book.sheetnames:
        ours = [["" if cell is None else cell for cell in row] for row in rows(book[name])]
        assert other.get_sheet_by_name(name).to_python(skip_empty_area=False) == ours


def test_header_is_frozen_and_filtered(data):
    book = opened(data)
    forms = {"月度拨付表", "Payment forms"}
    for sheet in book.worksheets[1:]:
        if sheet.title in forms:
            continue
        assert sheet.freeze_panes == "B2"
        assert sheet.auto_filter.ref


def test_every_statement_is_a_page_to_sign(make):
    sheet = opened(make("zh"))["月度拨付表"]
    statements = opened(make("zh"))["月结算表"]
    texts = [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None]
    pages = len(sheet.row_breaks.brk)
    assert pages == texts.count("医疗保险费用月度拨付表") > 1
    assert sum("（盖章）" in text for text in texts) == pages
    assert sum("最低可信度" in text for text in texts) == pages
    header, *lines = rows(statements)
    at = next(k for k, title in enumerate(header) if title.startswith("M2 "))
    paid = [line[at] for line in lines][:pages]
    numbers = [row for row in rows(sheet) if row[0] == "M2"]
    assert [row[2] for row in numbers] == paid


def test_codes_are_text_and_money_is_a_number_with_two_decimals(make):
    sheet = opened(make("zh"))["月结算表"]
    header, first = rows(sheet)[:2]
    assert first[0] == "H41010100001"
    column = header.index("M2 总费用")
    cell = sheet.cell(2, column + 1)
    assert cell.value == 1438695.4
    assert cell.number_format == "#,##0.00"
    assert sheet.cell(2, 1).number_format == "@"
    assert sheet.cell(2, header.index("M1 病例数") + 1).number_format == "#,##0"


def test_codes_that_look_like_numbers_or_formulas_stay_text(make):
    codes = ["00123", "1E5", "=1+1", "+1", "2022-09", "@x", "http://a.b"]
    groups = tuple(GroupRow(code, code, 1, 100) for code in codes)
    sheet = opened(make("en", groups=groups))["Groups"]
    assert sorted(row[0] for row in rows(sheet)[1:]) == sorted(codes)
    assert all(cell.data_type == "s" for cell in sheet["A"])
    assert not any(cell.hyperlink for cell in sheet["A"])


@pytest.mark.parametrize("fen", [1, 10, 29, 1_005, 123_456_789_012_345, -7, 0])
def test_every_fen_survives(make, fen):
    line = StatementLine("M1", "x", fen, "fen")
    data = make("en", statements=(Statement("H", "", "e", "2022-09", (line,)),))
    value = rows(opened(data)["Month"])[1][-1]
    assert round(value * 100) == fen


def test_totals_stand_under_the_statements_and_are_their_sums(make):
    data = make("zh")
    header, *body = rows(opened(data)["月结算表"])
    column = header.index("M6 应付统筹")
    parts = [round(row[column] * 100) for row in body if row[0]]
    totals = {row[2]: round(row[column] * 100) for row in body if not row[0]}
    assert len(parts) == 6
    assert totals[None] == sum(parts)
    assert totals["职工"] + totals["居民"] == totals[None]


def test_coverage_sheet_has_yuan_counts_and_percentages(make):
    sheet = opened(make("zh"))["覆盖率"]
    _header, *body = rows(sheet)
    fund = next(row for row in body if row[:2] == ["医保基金", "乙市"])
    assert fund[3:9] == [0.48, 0.5, "▲ 未达到", 5000000.01, 120000000, 250000000.01]
    areas = next(row for row in body if row[0] == "统筹地区")
    assert areas[6:9] == [0, 12, 17]
    formats = {sheet.cell(k, 7).number_format for k in range(2, len(body) + 2)}
    assert formats == {"#,##0", "#,##0.00"}
    empty = next(row for row in body if row[1] == "丙县")
    assert (empty[3], empty[6]) == (None, None)


def test_charts_are_native_and_point_at_the_cells(data):
    with zipfile.ZipFile(BytesIO(render_workbook(data))) as archive:
        charts = [name for name in archive.namelist() if name.startswith("xl/charts/chart")]
        texts = [archive.read(name).decode("utf-8") for name in charts]
        assert not [name for name in archive.namelist() if "media" in name]
    assert len(charts) == 2
    coverage = next(text for text in texts if "<c:lineChart>" in text)
    assert "<c:barChart>" in coverage
    assert "$D$2:$D$11" in coverage
    assert "$E$2:$E$11" in coverage


def test_notes_tell_version_basis_counts_and_that_it_is_a_demonstration(make):
    cells = [cell for row in rows(opened(make("zh"))["说明"]) for cell in row if cell]
    for text in ("chs-grouper 0.1.0", "demo-2022", "自行设定", "公开资料", "费率为虚构示例。"):
        assert text in cells
    assert any("演示数据" in str(cell) for cell in cells)
    cells = [cell for row in rows(opened(make("zh", origin="real"))["说明"]) for cell in row]
    assert not any("演示数据" in str(cell) for cell in cells)


def test_long_text_is_cut_to_what_a_cell_holds(make):
    sheet = opened(make("en", notes=("长" * 40_000,)))["说明 Notes"]
    assert max(len(str(cell)) for row in rows(sheet) for cell in row if cell) == 32_767


def test_empty_report_has_notes_and_summary_only(make):
    book = opened(make("en", groups=(), statements=(), coverage=(), problems=(), counts=()))
    assert book.sheetnames == ["说明 Notes", "Grouping"]
