"""Column maps against tables of every shape that cities publish."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import openpyxl
import openpyxl.chart
import pytest

import weights
from grouper.errors import WeightError
from grouper.records.grids import read_grids
from weights.table import Facts

TABLE = """
format = 1
[table]
id = "t-2025"
title = "表"
title_en = "table"
scheme = "s"
area = "1"
valid_from = 2025-01-01
source = "s"
confidence = "constructed"
"""
PLAIN = """
[columns]
group = "编码"
weight = "权重"
"""


@pytest.fixture
def made(tmp_path: Path):
    """`made(rows, map)`: the table that a CSV (text, or rows of cells) gives through a map."""

    def convert(content, by: str, *, name: str = "city.csv", encoding: str = "utf-8"):
        path = tmp_path / name
        if isinstance(content, str):
            path.write_bytes(content.encode(encoding))
        else:
            content(path)
        map_path = tmp_path / "map.toml"
        map_path.write_text(by if by.startswith("format") else TABLE + by, "utf-8")
        read = weights.read_map(map_path)
        return weights.convert(read_grids(path, encoding=read.encoding), read)

    return convert


@pytest.fixture
def refused(made):
    """`refused(rows, map)`: the codes, and the issues, of a table that is not accepted."""

    def convert(*args, **more):
        with pytest.raises(WeightError) as caught:
            made(*args, **more)
        assert all(caught.value.text(lang) for lang in ("zh", "en"))
        return [issue.code for issue in caught.value.issues], caught.value.issues

    return convert


def workbook(*sheets, merged=()):
    """A writer of sheets, each (title, rows); `merged` ranges of the first one are joined."""

    def write(path: Path) -> None:
        book = openpyxl.Workbook()
        for number, (title, rows) in enumerate(sheets):
            sheet = book.active if number == 0 else book.create_sheet()
            sheet.title = title
            for row in rows:
                sheet.append(row)
        for area in merged:
            book.worksheets[0].merge_cells(area)
        book.save(path)

    return write


def worth(converted, group, column, **facts):
    return converted.table.find(column, group, Facts(**facts))


class TestHeaders:
    def test_titles_before_and_remarks_after_the_table_are_passed_over(self, made):
        text = "某市病组权重表\n\n单位：元\n编码,权重\nAA19,1.5\nAB19,2\n注：AB19 试行\n,以上\n"
        got = made(text, PLAIN)
        assert got.table.groups == ("AA19", "AB19")
        assert [one.text for one in got.left_out] == ["注：AB19 试行", "以上"]
        assert got.left_out[0].where == "city.csv:7:A"
        assert got.headers == ("city.csv:4:A",)

    def test_blanks_line_breaks_and_full_width_signs_make_no_difference(self, made):
        text = '"编 码","权\n重（分）"\nAA19,1.5\n'
        got = made(text, PLAIN.replace('"权重"', '"权重(分)"'))
        assert worth(got, "AA19", "weight") == Decimal("1.5")

    def test_two_header_rows_in_text(self, made):
        text = "编码,权重,系数,,费用\n,,三级,二级,\nAA19,1.5,1.1,0.9,7\n"
        by = PLAIN + 'mean_cost = "费用"\n[[wide]]\nlevel = ["三级", "二级"]\n'
        got = made(text, by + 'coefficient = "系数-{level}"\n')
        assert worth(got, "AA19", "coefficient", level="三级") == Decimal("1.1")
        assert worth(got, "AA19", "coefficient", level="二级") == Decimal("0.9")
        assert worth(got, "AA19", "mean_cost") == 7

    def test_three_header_rows_with_joined_cells_in_a_workbook(self, made):
        rows = [
            ["某市权重", None, None, None, None, None],
            ["编码", "权重", "支付标准", None, None, None],
            [None, None, "三级", None, "二级", None],
            [None, None, "职工", "居民", "职工", "居民"],
            ["AA19", 1.25, 100.5, 90, 80, 70.25],
        ]
        merged = ["A1:F1", "A2:A4", "B2:B4", "C2:F2", "C3:D3", "E3:F3"]
        by = PLAIN + (
            '[[wide]]\nlevel = ["三级", "二级"]\ninsurance = ["职工", "居民"]\n'
            'standard = "支付标准-{level}-{insurance}"\n'
        )
        got = made(workbook(("表", rows), merged=merged), by, name="city.xlsx")
        standards = {
            (level, insurance): worth(got, "AA19", "standard", level=level, insurance=insurance)
            for level in ("三级", "二级")
            for insurance in ("310", "390")
        }
        assert list(standards.values()) == [Decimal(n) for n in ("100.5", "90", "80", "70.25")]

    def test_a_missing_header_names_the_nearest(self, refused):
        codes, issues = refused("编码,相对权重\nAA19,1\n", PLAIN)
        assert codes == ["WT117"]
        assert issues[0].params["header"] == "权重"
        assert "相对权重" in issues[0].params["near"]

    def test_a_header_that_stands_twice_needs_its_letter(self, made, refused):
        text = "编码,权重,权重\nAA19,1,2\n"
        assert refused(text, PLAIN)[0] == ["WT117"]
        got = made(text, PLAIN.replace('"权重"', '"@C"'))
        assert worth(got, "AA19", "weight") == 2

    def test_a_table_without_header(self, made, refused):
        by = '[columns]\ngroup = "@A"\nname = "@B"\nweight = "@C"\n'
        got = made("AA19,心脏移植,1.5\nAB19,肝移植,2\n", by)
        assert got.table.groups == ("AA19", "AB19")
        assert got.table.names == ("心脏移植", "肝移植")
        assert refused("AA19,心脏移植,1.5\n", by.replace("@C", "@D"))[0] == ["WT117"]

    def test_header_rows_may_be_told(self, refused):
        text = "编码,权重\n,分\nAA19,1\n"
        assert refused(text, "[sheet]\nheader_rows = 2\n" + PLAIN)[0] == ["WT117"]

    def test_repeated_headers_in_the_body_are_passed_over(self, made):
        got = made("编码,权重\nAA19,1\n编码,权重\nAB19,2\n", PLAIN)
        assert got.table.groups == ("AA19", "AB19")


class TestSheets:
    def test_a_sheet_for_each_insurance(self, made):
        head = ["编码", "权重"]
        book = workbook(
            ("说明", [["本表自2025年起执行"]]),
            ("职工", [head, ["AA19", 1.5]]),
            ("居民", [["附表"], head, ["AA19", 1.25]]),
        )
        by = '[sheet]\nname = ["职工", "居民"]\n' + PLAIN + 'insurance = "@sheet"\n'
        got = made(book, by, name="city.xlsx")
        assert worth(got, "AA19", "weight", insurance="310") == Decimal("1.5")
        assert worth(got, "AA19", "weight", insurance="390") == Decimal("1.25")
        assert got.table.places == ("city.xlsx:职工!A2", "city.xlsx:居民!A3")

    def test_without_a_name_the_sheet_with_all_headers_is_taken(self, made):
        book = workbook(("封面", [["编码"], ["AA19"]]), ("表", [["编码", "权重"], ["AB19", 2]]))
        assert made(book, PLAIN, name="city.xlsx").table.groups == ("AB19",)

    def test_a_sheet_that_is_not_there(self, refused):
        book = workbook(("表", [["编码", "权重"], ["AB19", 2]]))
        codes, issues = refused(book, '[sheet]\nname = "表2"\n' + PLAIN, name="city.xlsx")
        assert codes == ["WT117"]
        assert issues[0].params["near"] == "表"

    def test_sheets_of_charts_are_passed_over(self, made):
        def write(path: Path) -> None:
            book = openpyxl.Workbook()
            for row in (["编码", "权重"], ["AA19", 1.5]):
                book.active.append(row)
            chart = openpyxl.chart.BarChart()
            chart.add_data(openpyxl.chart.Reference(book.active, min_col=2, min_row=1, max_row=2))
            book.create_chartsheet("图", 0).add_chart(chart)
            book.save(path)

        assert made(write, PLAIN, name="city.xlsx").table.groups == ("AA19",)

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
    @pytest.mark.parametrize("separator", [",", "\t", ";"])
    def test_encodings_and_separators(self, made, encoding, separator):
        text = "编码,名称,权重\nAA19,心脏移植，伴并发症,1.5\n".replace(",", separator)
        got = made(text, PLAIN + 'name = "名称"\n', encoding=encoding)
        assert got.table.names == ("心脏移植，伴并发症",)

    def test_an_encoding_may_be_told(self, made):
        by = '[sheet]\nencoding = "gb18030"\n' + PLAIN
        assert made("编码,权重\nAA19,1\n", by, encoding="gb18030").table.groups == ("AA19",)


class TestNumbers:
    @pytest.mark.parametrize(
        ("cell", "number"),
        [
            ("1,234.50", "1234.50"),
            ("1234", "1234"),
            ("￥1,234.5", "1234.5"),
            ("1234.5元", "1234.5"),
            ("1.25万元", "12500"),
            ("１２．５", "12.5"),
            ("85%", "0.85"),
            ("112.5％", "1.125"),
            (".5", "0.5"),
            ("1.2E-3", "0.0012"),
            (" 0.8500 ", "0.8500"),
            ("——", None),
            ("/", None),
        ],
    )
    def test_ways_of_writing_a_number(self, made, cell, number):
        got = made(f'编码\t权重\nAA19\t"{cell}"\n', PLAIN)
        assert worth(got, "AA19", "weight") == (None if number is None else Decimal(number))

    def test_digits_stay_as_printed(self, made):
        got = made("编码,权重\nAA19,0.8500\nAB19,1.230000000\n", PLAIN)
        assert list(got.columns["weight"]) == ["0.8500", "1.230000000"]

    @pytest.mark.parametrize("cell", ["1.2.3", "1,23", "约1.5", "1.5/2", "12a"])
    def test_what_is_no_number_is_named_with_its_cell(self, refused, cell):
        codes, issues = refused(f'编码\t权重\nAA19\t1\nAB19\t"{cell}"\n', PLAIN)
        assert codes == ["WT103"]
        assert issues[0].where == "city.csv:3:B"

    def test_units_multiply_exactly(self, made):
        by = PLAIN + 'rate = { column = "费率", unit = "万元" }\n'
        by += 'coefficient = { column = "系数", unit = "%" }\n'
        got = made("编码,权重,费率,系数\nAA19,1,1.02345,112.5\n", by)
        assert worth(got, "AA19", "rate") == Decimal("10234.5")
        assert worth(got, "AA19", "coefficient") == Decimal("1.125")

    def test_traces_of_binary_numbers_are_rounded_on_request(self, made):
        by = PLAIN.replace('"权重"', '{ column = "权重", decimals = 4 }')
        book = workbook(("表", [["编码", "权重"], ["AA19", 0.1 + 0.2], ["AB19", 1.00005]]))
        got = made(book, by, name="city.xlsx")
        assert list(got.columns["weight"]) == ["0.3000", "1.0001"]

    def test_numbers_of_a_workbook_keep_their_shortest_digits(self, made):
        book = workbook(("表", [["编码", "权重"], ["AA19", 0.8697], ["AB19", 3]]))
        got = made(book, PLAIN, name="city.xlsx")
        assert list(got.columns["weight"]) == ["0.8697", "3"]

    def test_placeholders_for_no_weight(self, made):
        by = PLAIN.replace('"权重"', '{ column = "权重", empty = ["1.00", "0"] }')
        got = made("编码,权重\nAA19,1.00\nAB19,0\nAC19,1.0\n", by)
        assert [worth(got, group, "weight") for group in ("AA19", "AB19", "AC19")] == [
            None,
            None,
            1,
        ]

    def test_a_text_in_place_of_a_weight_goes_to_the_class(self, made):
        by = PLAIN.replace('"权重"', '{ column = "权重", text_to = "class" }') + 'class = "类型"\n'
        got = made("编码,权重,类型\nAA19,据实支付,移植\nAB19,2,\n", by)
        assert got.table.classes == ("移植 据实支付", "")
        assert worth(got, "AA19", "weight") is None

    def test_the_first_filled_of_several_columns(self, made):
        by = PLAIN.replace('"权重"', '["调整后", "权重"]')
        got = made("编码,权重,调整后\nAA19,1,1.5\nAB19,2,\n", by)
        assert [worth(got, group, "weight") for group in ("AA19", "AB19")] == [Decimal("1.5"), 2]


class TestRows:
    def test_a_row_with_figures_but_no_code_is_an_error(self, refused):
        codes, issues = refused("编码,权重\nAA19,1\n心脏移植,2\n", PLAIN)
        assert codes == ["WT119"]
        assert issues[0].where == "city.csv:3:A"

    def test_a_section_title_without_figures_is_left_out(self, made):
        got = made("编码,权重\nMDCA 先期分组,\nAA19,1\n", PLAIN)
        assert got.table.groups == ("AA19",)
        assert [one.text for one in got.left_out] == ["MDCA 先期分组"]

    def test_joined_cells_of_text_take_the_value_above(self, made):
        by = '[rows]\nfill_down = ["编码"]\n' + PLAIN + 'level = "等级"\n'
        got = made("编码,等级,权重\nAA19,三级,2\n,二级,1\nAB19,三级,3\n注：,,\n", by)
        assert got.table.groups == ("AA19", "AA19", "AB19")
        assert worth(got, "AA19", "weight", level="二级") == 1

    def test_joined_cells_of_a_workbook_do_so_by_themselves(self, made):
        rows = [["编码", "等级", "权重"], ["AA19", "三级", 2], [None, "二级", 1]]
        by = PLAIN + 'level = "等级"\n'
        got = made(workbook(("表", rows), merged=["A2:A3"]), by, name="city.xlsx")
        assert worth(got, "AA19", "weight", level="二级") == 1

    def test_remarks_joined_over_the_whole_width_are_left_out(self, made):
        rows = [["编码", "权重"], ["AA19", 2], ["注：试行1年", None]]
        got = made(workbook(("表", rows), merged=["A3:B3"]), PLAIN, name="city.xlsx")
        assert got.table.groups == ("AA19",)

    def test_a_group_is_no_remark_though_its_name_begins_like_one(self, made):
        by = '[rows]\nfill_down = ["编码"]\n' + PLAIN + 'name = "名称"\nlevel = "等级"\n'
        text = "名称,编码,等级,权重\n附件手术,NC19,三级,1\n附件手术,,二级,2\n附注,,,\n合计,,,3\n"
        got = made(text, by.replace("[rows]", '[rows]\nexcept = { "名称" = "合计" }'))
        assert got.table.names == ("附件手术", "附件手术")
        assert [one.text for one in got.left_out] == ["附注", "合计"]

    def test_a_file_without_any_group(self, refused):
        assert refused("编码,权重\n心脏移植,\n", PLAIN)[0] == ["WT121"]

    def test_rows_of_other_areas_and_years_are_left_out(self, made):
        by = '[rows]\nonly = { "年度" = "2025", "统筹区" = ["甲市", "甲*"] }\n'
        by += 'except = { "备注" = "*停用*" }\n' + PLAIN
        text = (
            "年度,统筹区,编码,权重,备注\n2024,甲市,AA19,1,\n2025,甲市,AA19,2,\n"
            "2025,乙市,AA19,3,\n2025,甲县,AB19,4,\n2025,甲市,AC19,5,已停用\n"
        )
        got = made(text, by)
        assert got.table.groups == ("AA19", "AB19")
        assert worth(got, "AA19", "weight") == 2
        assert len(got.left_out) == 3

    def test_a_second_table_below_is_cut_off(self, made):
        by = '[rows]\nstop = "附表二*"\n' + PLAIN
        got = made("编码,权重\nAA19,1\n附表二 床日付费,\nLONG1,200\n", by)
        assert got.table.groups == ("AA19",)

    def test_code_and_name_in_one_cell(self, made):
        by = (
            '[columns]\ngroup = { column = "病组", match = "^([A-Z0-9]+)( ).*" }\n'
            'name = { column = "病组", match = "[^A-Z0-9 ].*" }\nweight = "权重"\n'
        )
        got = made("病组,权重\nAA19 心脏移植,1\nAB19 肝移植,2\n", by)
        assert got.table.groups == ("AA19", "AB19")
        assert got.table.names == ("心脏移植", "肝移植")

    def test_codes_of_all_kinds(self, made):
        codes = ("AH19c", "0000", "*QY", "000P", "DRG_9999", "ZQY", "ES31")
        text = "编码,权重\n" + "".join(f"{code},1\n" for code in codes)
        assert made(text, PLAIN).table.groups == codes

    def test_full_width_codes(self, made):
        assert made("编码,权重\nＥＳ３１,1\n", PLAIN).table.groups == ("ES31",)

    def test_the_same_row_twice_is_named_twice(self, refused):
        codes, issues = refused("编码,权重\nAA19,1\nAA19,2\n", PLAIN)
        assert codes == ["WT102"]
        assert (issues[0].where, issues[0].params["other"]) == ("city.csv:3:A", "city.csv:2:A")


class TestBlocks:
    def test_mean_costs_by_level_and_insurance(self, made):
        """The shape of 成都: six columns of costs and six of stays."""
        pairs = [(a, b) for a in ("三级", "二级", "一级") for b in ("职工", "居民")]
        titles = [f"次均{what}（{a}{b}）" for what in ("费用", "天数") for a, b in pairs]
        text = "编码,权重," + ",".join(titles) + "\nAA19,1.5," + ",".join(map(str, range(1, 13)))
        by = PLAIN + (
            '[[wide]]\nlevel = ["三级", "二级", "一级"]\n'
            'insurance = { "职工" = "310", "居民" = "390" }\n'
            'mean_cost = "次均费用（{level}{insurance}）"\n'
            'ref_stay = "次均天数（{level}{insurance}）"\n'
        )
        got = made(text + "\n", by)
        facts = {"level": "二级", "insurance": "390"}
        assert worth(got, "AA19", "mean_cost", **facts) == 4
        assert worth(got, "AA19", "ref_stay", **facts) == 10
        assert worth(got, "AA19", "weight", **facts) == Decimal("1.5")

    def test_one_hospital_with_coefficients_by_insurance(self, made):
        """The shape of 遂宁."""
        text = "编码,权重,系数-老年病-职工,系数-老年病-居民\nAA19,1,0.9,0.8\n"
        by = PLAIN + (
            '[[wide]]\nhospital = { "老年病" = "H1" }\ninsurance = ["职工", "居民"]\n'
            'coefficient = "系数-{hospital}-{insurance}"\n'
        )
        got = made(text, by)
        facts = {"hospital": "H1", "insurance": "390"}
        assert worth(got, "AA19", "coefficient", **facts) == Decimal("0.8")
        assert worth(got, "AA19", "coefficient", hospital="H2", insurance="390") is None

    def test_an_empty_cell_may_have_a_value_of_its_own(self, made):
        by = PLAIN + '[[wide]]\nlevel = "三级"\n'
        by += 'coefficient = { column = "系数", default = "1.08" }\n'
        got = made("编码,权重,系数\nAA19,1,1.1\nAB19,2,\n", by)
        assert worth(got, "AB19", "coefficient", level="三级") == Decimal("1.08")

    def test_empty_cells_of_a_block_make_no_row(self, made):
        by = PLAIN + '[[wide]]\nlevel = "三级"\ncoefficient = "系数"\nrate = { value = "5" }\n'
        got = made("编码,权重,系数\nAA19,1,1.1\nAB19,2,\n", by)
        assert got.table.groups == ("AA19", "AA19", "AB19")

    def test_constants_for_some_rows_only(self, made):
        by = PLAIN + 'class = "类"\nflag = { column = "类", yes = "基础*" }\n'
        by += '[[wide]]\nlevel = "三级"\nonly = { "类" = "基础*" }\ncoefficient = { value = 1 }\n'
        by += '[[wide]]\nlevel = "三级"\nexcept = { "类" = "基础*" }\n'
        by += "coefficient = 1.38\n"
        got = made("编码,权重,类\nAA19,1,基础病组\nAB19,2,\n", by)
        assert worth(got, "AA19", "coefficient", level="三级") == 1
        assert worth(got, "AB19", "coefficient", level="三级") == Decimal("1.38")
        assert got.table.flags.tolist() == [1, 0, 0, 0]

    def test_points_and_their_value_by_level(self, made):
        by = TABLE + "[table.proof]\nformula = 'p v c'\nwithin = 0.005\n"
        by += '[columns]\ngroup = "编码"\npoints = "分值"\n[[wide]]\nlevel = ["三级", "二级"]\n'
        by += 'point_value = "分值单价-{level}"\nstandard = "标准-{level}"\n'
        by += 'coefficient = "系数-{level}"\n'
        text = (
            "编码,分值,分值单价-三级,系数-三级,标准-三级,分值单价-二级,系数-二级,标准-二级\n"
            "AA19,812.5,10.25,1.1,9160.94,9.5,1,7718.75\n"
        )
        table = made(text, by.strip()).table
        report = weights.check(table)
        assert (report.compared, report.errors) == (2, 0)
        wrong = made(text.replace("7718.75", "7718.74"), by.strip()).table
        (issue,) = [i for i in weights.check(wrong).issues if i.code == "WT115"]
        assert issue.where == "city.csv:2:A"

    def test_conditions_hidden_in_a_remark(self, made):
        by = PLAIN + (
            '[[extract]]\ncolumn = "备注"\n'
            'match = "(?P<condition>[^；]+?)按权重(?P<weight>[0-9.]+)结算"\n'
        )
        remark = "导线去除等按权重0.95结算；临时置入术按权重3.15结算"
        got = made(f"编码,权重,备注\nAA19,1.5,{remark}\n", by)
        assert worth(got, "AA19", "weight") == Decimal("1.5")
        assert worth(got, "AA19", "weight", condition="临时置入术") == Decimal("3.15")

    def test_a_misprint_is_corrected_by_name_or_not_at_all(self, made, refused):
        by = PLAIN + (
            '[[correct]]\ngroup = "AA19"\ncolumn = "权重"\nfrom = "1.31·"\n'
            'to = "1.31"\nwhy = "点"\n'
        )
        assert worth(made("编码,权重\nAA19,1.31·\n", by), "AA19", "weight") == Decimal("1.31")
        assert refused("编码,权重\nAA19,1.31\n", by)[0] == ["WT118"]


class TestMapFiles:
    @pytest.mark.parametrize(
        ("text", "code", "key"),
        [
            (TABLE + PLAIN.replace("weight", "wieght"), "WT116", "columns.wieght"),
            (TABLE + '[columns]\nweight = "权重"\n', "WT116", "columns.group"),
            (TABLE + PLAIN + "[colums]\na = 1\n", "WT116", "colums"),
            (TABLE + PLAIN + '[sheet]\nname = ""\n', "WT116", "sheet.name"),
            (TABLE + PLAIN + "[rows]\ngroup_pattern = '('\n", "WT116", "rows.group_pattern"),
            (TABLE + PLAIN + '[[wide]]\ncoefficient = "c"\n', "WT116", "wide[0].level"),
            (TABLE + PLAIN + '[[wide]]\nlevel = "三级"\n', "WT116", "wide[0].standard"),
            (
                TABLE + PLAIN + 'rate = { column = "a", unit = "亿" }\n',
                "WT116",
                "columns.rate.unit",
            ),
            (TABLE + PLAIN + 'rate = { unit = "元" }\n', "WT116", "columns.rate.column"),
            (TABLE + PLAIN + "[sheet]\nheader_rows = -1\n", "WT116", "sheet.header_rows"),
            (TABLE + PLAIN + '[[wide]]\nlevel = ["a", "b"]\nx = "y"\n', "WT116", "wide[0].x"),
            (TABLE + PLAIN + 'rate = "@1"\n', "WT116", "@1"),
            (TABLE + PLAIN + '[[correct]]\ngroup = "A"\n', "WT116", "correct[0]"),
            (TABLE.replace("format = 1", "format = 2") + PLAIN, "WT116", "format"),
            (TABLE.replace('area = "1"', "") + PLAIN, "WT106", "area"),
            (TABLE.replace("t-2025", "../t") + PLAIN, "WT106", "id"),
            (TABLE + "valid_to = 2024-01-01\n" + PLAIN, "WT106", "valid_to"),
            (TABLE + "[table.proof]\nformula = 'w x r'\n" + PLAIN, "WT106", "proof.formula"),
        ],
    )
    def test_a_broken_map_names_its_key(self, tmp_path, text, code, key):
        path = tmp_path / "map.toml"
        path.write_text(text, "utf-8")
        with pytest.raises(WeightError) as caught:
            weights.read_map(path)
        assert [issue.code for issue in caught.value.issues] == [code]
        assert caught.value.issues[0].where.endswith(key)
        assert all(caught.value.text(lang) for lang in ("zh", "en"))

    def test_a_byte_order_mark_does_no_harm(self, tmp_path):
        path = tmp_path / "map.toml"
        path.write_text(TABLE + PLAIN, "utf-8-sig")
        assert weights.read_map(path).head.id == "t-2025"

    @pytest.mark.parametrize("name", weights.map_ids())
    def test_a_map_of_the_package_makes_the_table_of_its_name(self, name):
        assert weights.read_map(name).head.id == name


class TestRowsThatAreNoGroups:
    def test_a_sum_below_a_joined_code_is_no_row_of_that_group(self, made):
        table = "序号,编码,等级,权重\n1,AA11,三级,1.5\n,,二级,1.4\n合计,,,2.9\n"
        by = '[rows]\nfill_down = ["编码"]\n' + PLAIN + 'level = "等级"\n'
        found = made(table, by)
        assert found.columns["weight"] == ["1.5", "1.4"]
        assert [one.text for one in found.left_out] == ["合计"]

    def test_a_text_in_place_of_a_level_s_amount_is_kept(self, made):
        table = "编码,标准-三级,标准-二级\nAA11,按项目,1000\n"
        by = '[columns]\ngroup = "编码"\n[[wide]]\nlevel = ["三级", "二级"]\n'
        found = made(table, by + 'standard = { column = "标准-{level}", text_to = "class" }\n')
        rows = list(
            zip(*(found.columns[key] for key in ("level", "class", "standard")), strict=True)
        )
        assert rows == [("", "", ""), ("三级", "按项目", ""), ("二级", "", "1000")]


@pytest.mark.parametrize(
    ("cell", "number"), [("9.5天", "9.5"), ("7 日", "7"), ("１02.35点", "102.35")]
)
def test_a_unit_that_changes_nothing_may_stand_behind_a_number(made, cell, number):
    found = made(f"编码,权重,天数\nAA11,1.5,{cell}\n", PLAIN + 'ref_stay = "天数"\n')
    assert found.columns["ref_stay"] == [number]


class TestTablesSideBySide:
    TABLE = "职工,,,居民,,\n编码,权重,备注,编码,权重,备注\nAA11,1.5,-,AA11,1.4,\nAA13,1.0,,,,\n"

    def test_each_part_is_a_table_of_its_own(self, made):
        by = '[sheet]\nparts = { "职工" = "A:C", "居民" = "D:F" }\n' + PLAIN
        found = made(self.TABLE, by + 'insurance = "@sheet"\n')
        rows = zip(*(found.columns[key] for key in ("group", "insurance", "weight")), strict=True)
        expected = [("AA11", "310", "1.5"), ("AA13", "310", "1.0"), ("AA11", "390", "1.4")]
        assert list(rows) == expected
        places = [found.headers[0], found.headers[1], found.table.places[-1]]
        assert [place.rpartition("city.csv")[2] for place in places] == [":2:A", ":2:D", ":3:D"]

    def test_a_long_table_in_two_halves(self, made):
        table = "编码,权重,编码,权重\nAA11,1.5,AB11,2\nAA13,1.0,注：完,\n"
        found = made(table, '[sheet]\nparts = ["A:B", "C:D"]\n' + PLAIN)
        assert found.columns["group"] == ["AA11", "AA13", "AB11"]

    @pytest.mark.parametrize("parts", ['["A"]', '["D:A"]', '["A:C", "C:D"]', '{ "x" = 1 }', "[]"])
    def test_ranges_that_are_none_are_refused(self, refused, parts):
        codes, _ = refused(self.TABLE, f"[sheet]\nparts = {parts}\n" + PLAIN)
        assert codes == ["WT116"]

    def test_a_header_that_a_part_lacks_is_missed(self, refused):
        codes, _ = refused(self.TABLE, '[sheet]\nparts = ["A:C", "D:D"]\n' + PLAIN)
        assert codes == ["WT117"]
