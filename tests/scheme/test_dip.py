"""DIP catalogues: the forms they come in, what is repaired, what is refused, each with its row."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest
from dip_catalogues import DATA, canonical, catalogue, grid, layered, load, real

from grouper.errors import SchemeError
from grouper.records.grids import read_grids
from grouper.scheme.dip_operations import Syntax, hits, parse_operations
from weights.table import Facts


class TestRealCatalogue:
    def test_loads_without_a_hand_edit(self):
        kinds = Counter(row.kind for row in real().catalogue.rows)
        assert kinds == {"core": 1619, "comprehensive": 249, "default": 88, "blank": 1}

    def test_its_broken_rules_are_warnings_with_their_rows(self):
        found = Counter(issue.code for issue in real().catalogue.issues)
        assert found == {"SW54": 43, "SW55": 88, "SW56": 78}
        assert {issue.where for issue in real().catalogue.issues} >= {
            "real.tsv:29:A",
            "real.tsv:215:A",
        }

    def test_a_row_has_its_operations_and_figures(self):
        code = "I20.0:36.0700_00.6600x004+00.6601"
        row = next(r for r in real().catalogue.rows if r.code == code)
        assert row.main == (("36.0700",),)
        assert row.related == (("00.6600X004", "00.6601"),)
        assert real().table.find("points", code, Facts()) == Decimal("6166.923011")

    def test_a_default_row_stands_for_its_chapter(self):
        rows = {row.code: row for row in real().catalogue.rows}
        assert rows["CP09:SS"].dx_keys == ("I00-I99",)
        assert rows["CP09:SS"].cls == "surgical"


def test_the_old_form_has_a_group_for_each_score():
    old = load(read_grids(DATA / "catalogue-oldstyle-sample.tsv"))
    scores = dict(zip(old.table.groups, old.scores, strict=True))
    assert scores["A18.118+N51.1*:SS"] == 3064
    assert scores["A18.118+N51.1*:BSZL"] == 1794
    assert "A03.900:SS" not in scores


def test_the_30_excerpt_has_layers_lists_and_conditions():
    rows = {row.code: row for row in layered().catalogue.rows}
    assert (rows["XQ-17"].weight_lo, rows["XQ-17"].weight_hi) == (1000, 1499)
    assert rows["XQ-17"].age_days_below == 29
    assert rows["FZ-1836"].dx_keys == ("A15-A16",)
    assert rows["FZ-1836"].resistant == "yes"
    assert "A16.000" in layered().catalogue.excluded_dx
    assert layered().catalogue.excluded_ops["44.1300X001"].scope[0] == "A00-A09"


def test_a_row_whose_condition_is_not_public_is_left_out_by_name():
    (issue,) = layered().catalogue.issues
    assert (issue.code, issue.params["code"]) == ("SW59", "BX-918")
    assert "BX-918" not in {row.code for row in layered().catalogue.rows}


PLATFORM = (
    "序号",
    "病种编码",
    "病种类型（1.核心病种；2.综合病种）",
    "主诊断代码",
    "主诊断名称",
    "主要操作代码",
    "主要操作名称",
    "其他操作代码",
    "其他操作名称",
    "病种分值",
)


class TestDialects:
    def test_platform_directory(self):
        sheet = grid(
            PLATFORM,
            ("1", "C73.x:06.2X00_40.4x00+40.5x00", "1", "C73.x", "甲状腺\n癌", "06.2X00", "切除",
             "40.4X00,40.5X00", "清扫+切除", "2000.5"),
            ("2", "C16:SS", "0", "C16", "胃癌", "", "", "", "", "7464"),
            title="目录",
        )  # fmt: skip
        core, wide = load([sheet]).catalogue.rows
        assert core.dx_keys == ("C73.X",)
        assert core.main == (("06.2X00",),)
        assert core.related == (("40.4X00", "40.5X00"),)
        assert core.name == "甲状腺 癌:切除:清扫+切除"
        assert (wide.kind, wide.cls) == ("comprehensive", "surgical")
        assert core.where == "made.xlsx:目录!B2"

    def test_platform_sheets_are_put_together(self):
        directory = grid(
            PLATFORM, ("1", "K35.3", "1", "K35.3", "阑尾炎", "", "", "", "", "551.5"), title="目录"
        )
        headers = ("ID", "DIP_CODE", "`YEAR`", "WEIGHT_SCORE", "DIP_AVG_FEE", "CV", "BILL_COUNT")
        results = grid(
            headers,
            ("1.2E+17", "K35.3", "2024", "551.5", "3153.5", "0.4", "88"),
            ("1.2E+17", "K35.3:47.0100_54.5101", "2024", "1368.1", "7822.9", "0.4", "31"),
            ("1.2E+17", "KBBZ", "2024", "1485.3", "8493.1", "0.4", "99"),
            ("1.2E+17", "CP11:BSZL", "2024", "1000", "5718.1", "", ""),
            title="中间结果",
        )
        found = load([results, directory])
        rows = found.catalogue.rows
        assert rows[0].code == "K35.3"
        assert rows[0].name == "阑尾炎"
        assert found.tie_figures.mean_cost(0) == Decimal("3153.5")
        assert [row.kind for row in rows] == ["core", "core", "blank", "default"]
        assert rows[1].related == (("54.5101",),)

    def test_rw_table(self):
        headers = ("diagCode", "diagName", "oprnCode", "oprnName", "rw", "cv", "cal", "total",
                   "mark", "dip", "base")  # fmt: skip
        row = ("N20.0", "肾结石", "55.0300x005", "碎石", "2.8214", "0.3007", "16", "18",
               "核心病种", "2613", "1")  # fmt: skip
        found = load([grid(headers, row)])
        (only,) = found.catalogue.rows
        assert (only.code, only.kind, found.scores) == ("2613", "core", (Decimal("2.8214"),))

    def test_node_dip_binds_or_tighter(self):
        headers = ("region", "version", "diag_code", "oprn_oprt_code", "oprn_oprt_type",
                   "dip_code", "dip_type", "dip_score")  # fmt: skip
        row = ("1", "1", "K80.0", "51.2300/51.2200+54.5100", "手术", "7", "基层", "88")
        (only,) = load([grid(headers, row)]).catalogue.rows
        assert only.kind == "primary"
        assert only.main == (("51.2300", "54.5100"), ("51.2200", "54.5100"))

    def test_a_title_may_stand_above_the_headers(self):
        sheet = canonical({"code": "K35.3", "dx_key": "K35.3"})
        rows = (("某市病种分值目录",), *sheet.rows)
        titled = grid(rows[0], *rows[1:])
        assert load([titled]).catalogue.rows[0].where == "made.xlsx:3:A"

    def test_no_known_form_is_an_error_that_lists_them(self):
        with pytest.raises(SchemeError) as caught:
            load([grid(("甲", "乙"), ("1", "2"))])
        assert caught.value.issues[0].code == "SE51"
        assert "platform_directory" in caught.value.text("en")


class TestOperations:
    @pytest.mark.parametrize("sign", ["+", ",", "，", "、"])
    def test_all(self, sign):
        assert parse_operations(f"36.0700{sign}00.66x0", Syntax()) == (("36.0700", "00.66X0"),)

    @pytest.mark.parametrize("sign", ["|", "/"])
    def test_any(self, sign):
        assert parse_operations(f"36.0700 {sign} 00.6600", Syntax()) == (("36.0700",), ("00.6600",))

    def test_and_binds_tighter(self):
        found = parse_operations("01.0000+02.0000|03.0000", Syntax())
        assert found == (("01.0000", "02.0000"), ("03.0000",))

    @pytest.mark.parametrize(
        ("token", "code", "expected"),
        [
            ("99.2800X005", "99.2800X005", True),
            ("99.2800X005", "99.2800", True),
            ("99.2800X005", "99.2800X006", False),
            ("99.2800", "99.2800X006", True),
            ("33.6X00", "33.6X00", True),
            ("33.6X00", "33.6X01", False),
        ],
    )
    def test_v30_extensions(self, token, code, expected):
        assert hits(token, code, "v30") is expected

    def test_prefix(self):
        assert hits("45.23", "45.2300", "prefix")
        assert not hits("45.2300", "45.2300X001", "prefix")
        assert not hits("45.23", "45.2300", "exact")

    @pytest.mark.parametrize(("lost", "code"), [("6.31", "06.3100"), ("47.01", "47.0100")])
    def test_lost_zeros_come_back_and_are_reported(self, lost, code):
        found = catalogue({"code": "A", "dx_key": "E04.1", "main_ops": lost})
        assert found.catalogue.rows[0].main == ((code,),)
        assert ("SW60", "made.xlsx:2:E") in {(i.code, i.where) for i in found.catalogue.issues}


@pytest.mark.parametrize(
    ("code", "column", "row"),
    [
        ("SE52", "A", {"dx_key": "K35.3"}),
        ("SE52", "D", {"code": "K35.3"}),
        ("SE52", "A", {"code": "K35.3", "dx_key": "K35.3", "score": ""}),
        ("SE53", "A", {"code": "first", "dx_key": "K35.3"}),
        ("SE54", "A", {"code": "K35.3", "dx_key": "K35.3", "score": "0"}),
        ("SE54", "A", {"code": "K35.3", "dx_key": "K35.3", "score": "-5"}),
        ("SE54", "G", {"code": "K35.3", "dx_key": "K35.3", "score": "many"}),
        ("SE55", "A", {"code": "K35", "dx_key": "K35", "kind": "comprehensive"}),
        ("SE55", "C", {"code": "K35", "dx_key": "K35", "kind": "comprehensive", "cls": "odd"}),
        ("SE56", "E", {"code": "K35.3", "dx_key": "K35.3", "main_ops": "K35.3"}),
        ("SE57", "B", {"code": "K35.3", "dx_key": "K35.3", "kind": "odd"}),
    ],
)
def test_errors_name_the_row(code, column, row):
    with pytest.raises(SchemeError) as caught:
        catalogue({"code": "first", "dx_key": "I63.9"}, row)
    places = [(issue.code, issue.where) for issue in caught.value.issues]
    assert (code, f"made.xlsx:3:{column}") in places
    assert all(issue.text("zh") and issue.text("en") for issue in caught.value.issues)


LAYERED = ("code", "layer", "kind", "dx_key", "score", "age_days_max", "weight_lo",
           "drug_resistant", "burn_area")  # fmt: skip


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("B", ("1", "ZZ", "core", "P07", "9", "", "", "", "")),
        ("F", ("1", "XQ", "core", "P07", "9", "young", "", "", "")),
        ("G", ("1", "XQ", "core", "P07", "9", "28", "1000 g", "", "")),
        ("H", ("1", "FZ", "core", "A17", "9", "", "", "perhaps", "")),
        ("I", ("1", "FZ", "core", "T20.2", "9", "", "", "", "wide")),
    ],
)
def test_a_condition_that_is_not_understood_is_an_error(column, cells):
    with pytest.raises(SchemeError) as caught:
        load([grid(LAYERED, cells)])
    assert [(i.code, i.where) for i in caught.value.issues] == [("SE58", f"made.xlsx:2:{column}")]


def test_conditions_of_the_canonical_table():
    young = ("1", "XQ", "core", "P07", "9", "28", "1000", "", "")
    tb = ("2", "FZ", "core", "A17", "9", "", "", "是", "")
    lost = ("3", "", "core", "A18", "9", "", "", "", "")
    found = load([grid(LAYERED, young, tb, lost)])
    assert (found.catalogue.rows[0].age_days_below, found.catalogue.rows[0].weight_lo) == (29, 1000)
    assert found.catalogue.rows[1].resistant == "yes"
    assert [i.params["code"] for i in found.catalogue.issues if i.code == "SW61"] == ["3"]


@pytest.mark.parametrize(
    ("code", "row"),
    [
        ("SW51", {"code": "again", "dx_key": "K35.3"}),
        ("SW52", {"code": "K35.3:47.0100", "dx_key": "K35.3", "main_ops": "47.0900"}),
        ("SW53", {"code": "dear", "dx_key": "K36.X", "score": "300", "mean_cost": "999"}),
        ("SW54", {"code": "K35.3:47.0100", "dx_key": "K35.3", "main_ops": "47.0100",
                  "score": "50"}),
        ("SW57", {"code": "Q", "dx_key": "Q99.Y"}),
        ("SW57", {"code": "Q", "dx_key": "K35.2", "main_ops": "99.8Z99"}),
    ],
)  # fmt: skip
def test_warnings_name_the_row(code, row):
    plain = {"code": "K35.3", "dx_key": "K35.3", "score": "100", "mean_cost": "500"}
    more = {"code": "I63.9", "dx_key": "I63.9", "score": "200", "mean_cost": "1000"}
    found = catalogue(plain, more, row)
    assert (code, "made.xlsx:4:A") in {
        (issue.code, issue.where) for issue in found.catalogue.issues
    }
    assert all(issue.text("zh") and issue.text("en") for issue in found.catalogue.issues)
