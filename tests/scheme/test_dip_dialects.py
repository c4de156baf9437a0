"""Traps of the tables that areas publish, with rows written for them; maps of the user's own."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from dip_catalogues import DATA, canonical, catalogue, grid, load, reference

from grouper.engine.dip_reference import DipCase
from grouper.errors import SchemeError
from grouper.records.grids import read_grids
from grouper.run.catalogues import PricedCatalogue, priced, read_catalogue
from grouper.scheme.dip_dialect import dialects, load_dialect, read_dialect
from grouper.scheme.dip_load import load_catalogue
from grouper.scheme.dip_operations import IN_CODES, parse_operations

DIRECTORY = ("序号", "病种编码", "病种类型", "主诊断代码", "主诊断名称", "主要操作代码",
             "主要操作名称", "其他操作代码", "其他操作名称", "病种分值")  # fmt: skip


def code_of(of: PricedCatalogue, dx: str, *px: str, preset: str = "base") -> str | None:
    row = reference(of, preset).group(DipCase((dx,), px)).row
    return None if row is None else of.catalogue.rows[row].code


def places(of: PricedCatalogue, code: str) -> list[str]:
    return [issue.where for issue in of.catalogue.issues if issue.code == code]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "city.xlsx"


def save(path: Path, *rows: Sequence[object], joined: Sequence[str] = ()) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "病种目录"
    for row in rows:
        sheet.append(list(row))
    for area in joined:
        sheet.merge_cells(area)
    book.save(path)
    return path


class TestMixedCase:
    @pytest.mark.parametrize("px", ["06.2x00", "06.2X00", "０６.２ｘ００"])
    @pytest.mark.parametrize("dx", ["C73.x00", "C73.X00"])
    def test_x_is_x_in_keys_columns_and_cases(self, dx, px):
        row = ("1", "C73.x:06.2x00", "1", "C73.x", "甲状腺癌", "06.2X00", "切除", "", "", "99")
        of = load([grid(DIRECTORY, row)])
        assert code_of(of, dx, px) == "C73.x:06.2x00"
        assert not places(of, "SW52")


class TestSeveralOperations:
    @pytest.mark.parametrize(
        ("text", "dialect", "expected"),
        [
            ("47.0100|54.5101", "canonical", (("47.0100",), ("54.5101",))),
            ("47.0100/54.5101", "canonical", (("47.0100",), ("54.5101",))),
            ("47.0100+54.5101", "canonical", (("47.0100", "54.5101"),)),
            ("47.0100,54.5101", "canonical", (("47.0100", "54.5101"),)),
            ("47.0100，54.5101", "canonical", (("47.0100", "54.5101"),)),
            ("47.0100、54.5101", "canonical", (("47.0100", "54.5101"),)),
            ("47.0100｜54.5101", "canonical", (("47.0100",), ("54.5101",))),
            ("47.0100 ＋ 54.5101", "canonical", (("47.0100", "54.5101"),)),
            ("47.0100|\n54.5101", "canonical", (("47.0100",), ("54.5101",))),
            # the first binds and tighter, the second or
            ("47.0100/47.0900+54.5101", "canonical", (("47.0100",), ("47.0900", "54.5101"))),
            ("47.0100/47.0900+54.5101", "node_dip",
             (("47.0100", "54.5101"), ("47.0900", "54.5101"))),
            ("47.0100/47.0900,54.5101", "node_dip",
             (("47.0100", "54.5101"), ("47.0900", "54.5101"))),
            ("47.0100,54.5101", "rw_table", (("47.0100", "54.5101"),)),
        ],
    )  # fmt: skip
    def test_in_a_cell(self, text, dialect, expected):
        assert parse_operations(text, load_dialect(dialect).syntax) == expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("47.0100_54.5101", (("47.0100", "54.5101"),)),
            ("32.4100_33.3903+40.5914", (("32.4100", "33.3903", "40.5914"),)),
        ],
    )
    def test_in_a_group_code(self, text, expected):
        assert parse_operations(text, IN_CODES) == expected

    def test_all_are_needed_in_any_order(self):
        row = ("1", "C34.1:32.4100_33.3903+40.5914", "1", "C34.1", "肺癌", "32.4100", "肺叶切除",
               "33.3903,40.5914", "a+b", "99")  # fmt: skip
        of = load([grid(DIRECTORY, row)])
        assert code_of(of, "C34.100", "40.5914", "32.4100", "33.3903") == row[1]
        assert code_of(of, "C34.100", "32.4100", "33.3903") is None

    @pytest.mark.parametrize("text", ["47.0100;54.5101", "47.0100\n54.5101", "47.0100 54.5101"])
    def test_another_separator_is_an_error_at_its_cell(self, text):
        with pytest.raises(SchemeError) as caught:
            catalogue({"code": "A", "dx_key": "K35.3", "main_ops": text})
        assert [(i.code, i.where) for i in caught.value.issues] == [("SE56", "made.xlsx:2:E")]


class TestLostCharacters:
    @pytest.mark.parametrize(
        ("lost", "whole"),
        [
            ("6.31", "06.3100"),
            ("47.01", "47.0100"),
            ("0.66", "00.6600"),
            ("6.3900x003", "06.3900X003"),
            # a copy from PDF without the dot
            ("786900x002", "78.6900X002"),
        ],
    )
    def test_one_code_fits(self, lost, whole):
        of = catalogue({"code": "A", "dx_key": "E04.1", "main_ops": lost})
        assert of.catalogue.rows[0].main == ((whole,),)
        assert places(of, "SW60") == ["made.xlsx:2:E"]

    def test_numbers_of_a_spreadsheet(self, path):
        row = (1, "E04.1:06.3100", 1, "E04.1", "甲状腺结节", 6.31, "切除", 40.11, "活检", 99.5)
        of = read_catalogue(save(path, DIRECTORY, row))
        assert of.catalogue.rows[0].main == (("06.3100",),)
        assert of.catalogue.rows[0].related == (("40.1100",),)
        assert places(of, "SW60") == ["city.xlsx:病种目录!F2", "city.xlsx:病种目录!H2"]
        assert of.scores == (Decimal("99.5"),)

    def test_where_none_fits_the_code_is_an_error(self):
        with pytest.raises(SchemeError, match="SE56"):
            catalogue({"code": "A", "dx_key": "E04.1", "main_ops": "6.3"})

    def test_where_short_codes_stand_for_many_they_are_kept(self):
        sheet = canonical({"code": "A", "dx_key": "K63.5", "main_ops": "45.23"})
        kept = priced(load_catalogue([sheet], digest="", short="kept"))
        assert kept.catalogue.rows[0].main == (("45.23",),)
        assert load([sheet]).catalogue.rows[0].main == (("45.2300",),)


class TestLayout:
    def test_joined_cells_count_for_all_their_rows(self, path):
        of = read_catalogue(
            save(
                path,
                ("某市病种分值目录",),
                DIRECTORY,
                (1, "K35.3", 1, "K35.3", "阑尾炎", None, None, None, None, 551),
                (2, "K35.3:47.0100", 1, None, None, "47.0100", "切除", None, None, 1484),
                (3, "K35.3:47.0900", 1, None, None, "47.0900", "切除", None, None, 1300),
                joined=("A1:J1", "D3:D5", "E3:E5"),
            )
        )
        assert [row.dx_keys for row in of.catalogue.rows] == [("K35.3",)] * 3
        assert of.catalogue.rows[2].name == "阑尾炎:切除"

    def test_a_code_in_joined_cells_is_one_group_with_alternatives(self, path):
        of = read_catalogue(
            save(
                path,
                ("code", "kind", "dx_key", "main_ops", "score"),
                ("A", "core", "K35.3", "47.0100", 99),
                (None, None, None, "47.0900", None),
                joined=("A2:A3", "B2:B3", "C2:C3", "E2:E3"),
            )
        )
        (row,) = of.catalogue.rows
        assert row.main == (("47.0100",), ("47.0900",))

    def test_alternatives_in_two_columns_could_not_be_told_apart(self, path):
        rows = (("A", "core", "K35.3", "47.0100", 99), (None, "core", "K36.x", "47.0900", 99))
        header = ("code", "kind", "dx_key", "main_ops", "score")
        with pytest.raises(SchemeError) as caught:
            read_catalogue(save(path, header, *rows, joined=("A2:A3",)))
        (issue,) = caught.value.issues
        assert (issue.code, issue.where) == ("SE75", "city.xlsx:病种目录!A3")

    def test_headers_stand_below_titles_and_remarks(self, path):
        above = [("某市医疗保障局",), ("2025年病种分值目录", None, "单位：分"), (), ("第一版",)]
        row = (1, "K35.3", 1, "K35.3", "阑尾炎", None, None, None, None, 551)
        of = read_catalogue(save(path, *above, DIRECTORY, row))
        assert of.catalogue.rows[0].where == "city.xlsx:病种目录!B6"

    def test_remarks_sums_and_repeated_headers_are_no_groups(self, path):
        row = (1, "K35.3", 1, "K35.3", "阑尾炎", None, None, None, None, 551)
        again = (2, "K36.x", 1, "K36.X", "其他", None, None, None, None, 300)
        below = [
            ("合计", 2, None, None, None, None, None, None, None, 851),
            ("注：1. 本目录自2025年1月1日起执行。",),
            ("填表人：", None, "复核："),
        ]
        of = read_catalogue(save(path, DIRECTORY, row, DIRECTORY, again, *below))
        assert [row.code for row in of.catalogue.rows] == ["K35.3", "K36.x"]
        assert places(of, "SW71") == [f"city.xlsx:病种目录!A{n}" for n in (5, 6, 7)]

    def test_headers_below_data_are_not_the_headers(self, path):
        row = (1, "K35.3", 1, "K35.3", "阑尾炎", None, None, None, None, 551)
        with pytest.raises(SchemeError, match="SE51"):
            read_catalogue(save(path, row, DIRECTORY, row))


class TestFigures:
    def test_noise_of_binary_numbers_is_rounded_and_said_once(self):
        rows = [
            {"code": f"K35.{n}", "dx_key": f"K35.{n}", "score": score}
            for n, score in enumerate(("1484.83342500000013", "0.1", "5.0000000000000001"))
        ]
        of = catalogue(*rows)
        assert of.scores == (Decimal("1484.833425"), Decimal("0.1"), Decimal("5"))
        assert places(of, "SW72") == ["made.xlsx:2:G"]

    @pytest.mark.parametrize("score", ["1E+3", "1,000", "1000.00"])
    def test_spellings_of_a_number(self, score):
        of = catalogue({"code": "A", "dx_key": "K35.3", "score": score})
        assert of.scores == (Decimal(1000),)

    @pytest.mark.parametrize("score", ["0", "-1", "1E+30", "NaN", "约100"])
    def test_what_is_no_score(self, score):
        with pytest.raises(SchemeError, match="SE54"):
            catalogue({"code": "A", "dx_key": "K35.3", "score": score})

    def test_another_score_on_another_sheet_is_said(self):
        first = grid(DIRECTORY, ("1", "K35.3", "1", "K35.3", "", "", "", "", "", "551.5"),
                     title="目录")  # fmt: skip
        headers = ("DIP_CODE", "WEIGHT_SCORE", "DIP_AVG_FEE")
        second = grid(headers, ("K35.3", "552", "3153.5"), title="中间结果")
        of = load([second, first])
        assert of.scores == (Decimal("551.5"),)
        assert places(of, "SW75") == ["made.xlsx:中间结果!A2"]


def test_old_tables_have_pairs_of_dagger_and_asterisk_as_one_code():
    of = load(read_grids(DATA / "catalogue-oldstyle-sample.tsv"))
    keys = {row.code: (row.kind, row.cls, row.dx_keys) for row in of.catalogue.rows}
    assert keys["A18.115+N74.1*:BSZL"] == (
        "comprehensive", "conservative", ("A18.115+N74.1*",)
    )  # fmt: skip
    assert "A18.115+N74.1*:SS" not in keys
    assert code_of(of, "A18.118+ N51.1*", "47.0100") == "A18.118+N51.1*:SS"
    assert code_of(of, "A41.901") == "A41.901:BSZL"


def test_a_table_in_json_has_the_same_forms(tmp_path):
    rows = [
        {"diagCode": "N20.0", "diagName": "肾结石", "oprnCode": "55.0300x005", "rw": 2.8214,
         "cv": 0.3007, "cal": 16, "total": 18, "mark": "核心病种", "dip": 2613, "base": None},
    ]  # fmt: skip
    texts = {
        ".json": json.dumps(rows),
        ".jsonl": json.dumps(rows[0]) + "\n",
        "-data.json": json.dumps({"code": 0, "data": rows}),
    }
    for suffix, text in texts.items():
        path = tmp_path / f"city{suffix}"
        path.write_text(text, "utf-8")
        of = read_catalogue(path)
        (row,) = of.catalogue.rows
        assert (row.code, row.dx_keys, row.main) == ("2613", ("N20.0",), (("55.0300X005",),))
        assert of.scores == (Decimal("2.8214"),)
        assert row.where == f"city{suffix}:1:I"


MAP = """
title = "某市 2025"
requires = ["编码", "诊断"]
none = ["/"]
[columns]
code = ["编码"]
dx_key = ["诊断"]
main_ops = ["操作"]
cls = ["类别"]
kind = ["性质"]
score = ["点数"]
[operations]
any = [";"]
all = ["&"]
[kinds]
"甲" = "core"
"乙" = "comprehensive"
"""


class TestOwnMap:
    def read(self, tmp_path: Path, text: str, *rows: Sequence[str]) -> PricedCatalogue:
        mapping, table = tmp_path / "columns.toml", tmp_path / "city.csv"
        mapping.write_text(text, "utf-8")
        with table.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
        return read_catalogue(table, dialect=read_dialect(mapping))

    def test_columns_separators_and_words_are_the_users(self, tmp_path):
        of = self.read(
            tmp_path,
            MAP,
            ("编码", "性质", "诊断", "操作", "类别", "点数"),
            ("1", "甲", "K35.3", "47.0100&54.5101;47.0900", "", "150"),
            ("2", "甲", "K35.3", "/", "", "55"),
            ("3", "乙", "K35", "/", "手术", "160"),
        )
        core, plain, wide = of.catalogue.rows
        assert core.main == (("47.0100", "54.5101"), ("47.0900",))
        assert plain.main == ()
        assert (wide.kind, wide.cls) == ("comprehensive", "surgical")
        assert of.catalogue.title == "某市 2025"
        assert of.scores == (150, 55, 160)

    def test_a_map_without_requires_asks_for_code_diagnosis_and_score(self, tmp_path):
        text = MAP.replace('requires = ["编码", "诊断"]\n', "")
        with pytest.raises(SchemeError) as caught:
            self.read(tmp_path, text, ("编码", "诊断", "操作"), ("1", "K35.3", ""))
        (issue,) = caught.value.issues
        assert issue.code == "SE51"
        assert "点数" in issue.text("zh")

    @pytest.mark.parametrize(
        ("line", "key"),
        [
            ("sheet = 1", "sheet"),
            ('scores = "some"', "scores"),
            ('short = "long"', "short"),
            ('confidence = "sure"', "confidence"),
            ('requires = "编码"', "requires"),
            ("title = 1", "title"),
            ('operations = { any = ["|"], form = "odd" }', "operations.form"),
            ('operations = { or = ["|"] }', "operations.or"),
            ('columns = { code = "编码" }', "columns.code"),
            ('columns = { colour = ["编码"] }', "columns.colour"),
            ("columns = {}", "columns"),
            ('kinds = ["core"]', "kinds"),
            ('kinds = { "甲" = "odd" }', "kinds"),
            ('lists = { "甲" = "issues" }', "lists"),
            ('split = [{ score = "分值" }]', "split"),
            ('split = [{ score = "a", kind = "core", cls = "surgical", code = "{px}" }]', "split"),
            ('conditions = [{ pattern = "a", exclusion = "odd" }]', "conditions"),
            ('conditions = [{ pattern = "(" }]', "conditions"),
        ],
    )
    def test_a_key_that_is_wrong_is_named(self, tmp_path, line, key):
        path = tmp_path / "columns.toml"
        columns = "" if line.startswith("columns") else '\n[columns]\ncode = ["编码"]\n'
        path.write_text(line + columns, "utf-8")
        with pytest.raises(SchemeError) as caught:
            read_dialect(path)
        assert (("SE72", f"columns.toml: {key}")) in {
            (issue.code, issue.where) for issue in caught.value.issues
        }
        assert all(issue.text("zh") and issue.text("en") for issue in caught.value.issues)

    def test_an_unknown_form_names_the_nearest(self):
        with pytest.raises(SchemeError) as caught:
            load_dialect("canonic")
        (issue,) = caught.value.issues
        assert issue.code == "SE71"
        assert str(issue.params["known"]).startswith("canonical")

    def test_forms_that_come_with_the_program_are_sound_maps(self):
        assert {one.id for one in dialects()} >= {
            "canonical", "platform_directory", "platform_results", "node_dip", "rw_table",
            "two_scores",
        }  # fmt: skip
        assert all(one.title and one.requires for one in dialects())


class TestReach:
    """Rows that no case can reach are named."""

    HEADERS = ("version", "layer", "seq", "dx", "main_ops", "related_ops", "other_dx",
               "condition", "name", "confidence")  # fmt: skip

    def row(self, layer: str, seq: str, dx: str, ops: str = "", condition: str = "") -> tuple:
        return ("final", layer, seq, dx, ops, "", "", condition, "", "published")

    def test_by_exclusions(self):
        of = load(
            [
                grid(
                    self.HEADERS,
                    self.row("JC", "JC-1", "A16.000"),
                    self.row("JC", "JC-2", "A16.0"),
                    self.row("JC", "JC-3", "A01.0", "00.0100+45.2300"),
                    self.row("JC", "JC-4", "A01.0", "00.0100|45.2300"),
                    self.row("exclude-dx", "", "A16.000"),
                    self.row("exclude-op", "", "", "00.0100", "conservative"),
                )
            ]
        )
        found = [
            (i.params["code"], i.params["problem"]) for i in of.catalogue.issues if i.code == "SW76"
        ]
        assert found == [("JC-1", "dx"), ("JC-3", "operation")]

    def test_equal_keys_are_found_in_any_order_and_in_lists(self):
        of = catalogue(
            {"code": "A", "dx_key": "K35.3|K35.8", "main_ops": "47.0100|47.0900"},
            {"code": "B", "dx_key": "K35.8", "main_ops": "47.0900|47.0100"},
        )
        assert places(of, "SW51") == ["made.xlsx:3:A"]
