"""The official DIP workbook, all ten sheets: every layer, every trap, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from dip_catalogues import cases_30, reference
from official_dip_workbook import Sheet, sheets, workbook

from grouper.engine.dip_reference import DipCase, DipOutcome
from grouper.errors import SchemeError
from grouper.run.catalogues import PricedCatalogue, is_catalogue, kind_of_workbook, read_catalogue

Change = Callable[[dict[str, Sheet]], object]


def written(folder: Path, change: Change = lambda _: None) -> Path:
    of = sheets()
    change(of)
    path = folder / "按病种分值付费3.0版.xlsx"
    path.write_bytes(workbook(of))
    return path


@pytest.fixture(scope="module")
def official(tmp_path_factory) -> PricedCatalogue:
    return read_catalogue(written(tmp_path_factory.mktemp("official")))


def outcome(of: PricedCatalogue, dx: str, *px: str, **more) -> DipOutcome:
    others = more.pop("others", ())
    return reference(of, "national").group(DipCase((dx, *others), px, **more))


def code(of: PricedCatalogue, dx: str, *px: str, **more) -> str | None:
    row = outcome(of, dx, *px, **more).row
    return None if row is None else of.catalogue.rows[row].code


@pytest.mark.conformance
def test_published_cases_get_their_numbers(official):
    wrong = {}
    for one in cases_30():
        px = [code for code in (one["main_op"], *one["related_ops"]) if code]
        weight = one["birth_weight_g"]
        found = code(official, one["principal_dx"], *px, others=one["other_dx"],
                     age_days=one["age_days"],
                     weight=None if weight is None else Decimal(weight))  # fmt: skip
        if found != one["expected_seq"]:
            wrong[one["id"]] = (found, one["expected_seq"])
    assert not wrong


@pytest.mark.parametrize(
    ("expected", "dx", "px", "others"),
    [
        # XQ: any diagnosis, operation anywhere; the lower number goes first, whatever its row
        ("XQ-1", "I50.900", ("45.2300", "33.6x00"), ()),
        ("XQ-13", "J96.001", ("96.7201", "39.9500x007"), ()),
        ("XQ-14", "J96.001", ("39.9500X007",), ()),
        ("XQ-6", "N18.001", ("55.6900",), ()),
        # BX: whole key, 5, 3 characters; the related operation if it is there
        ("BX-917", "K35.900", ("47.0900",), ()),
        ("BX-918", "K35.900", ("47.0100", "54.5101"), ()),
        ("BX-918", "K35.900", ("47.0100", "54.5100x005"), ()),
        ("BX-917", "K35.900", ("47.0100", "54.9100"), ()),
        ("BX-919", "K35.300", ("47.0100",), ()),
        ("BX-920", "K35.300x001", ("47.0100",), ()),
        ("BX-921", "H25.100", ("13.7100x001", "13.4100x001"), ()),
        ("BX-922", "C73.x00", ("06.2X00",), ()),
        # FZ: burns by degree (burn and corrosion) and area
        ("FZ-1745", "T21.200", (), ("T31.000",)),
        ("FZ-1745", "T25.600", (), ("T32.000",)),
        ("FZ-1748", "T20.200", (), ("T31.200",)),
        ("FZ-1754", "T20.200", (), ("I10.x00", "T31.500")),
        ("FZ-1746", "T20.200", ("86.2201",), ("T31.000",)),
        ("FZ-1768", "T20.300", ("86.2201", "86.6900"), ("T31.500",)),
        (None, "T20.300", ("86.2201",), ("T31.500",)),
        (None, "T20.200", (), ()),
        # tumours: most operations joined by + win
        ("FZ-1771", "Z51.101", ("99.2503", "99.2800x005"), ("C34.901",)),
        ("FZ-1790", "Z51.101", ("99.2503",), ("C92.100",)),
        ("FZ-1796", "Z51.800", ("99.2800x006", "99.2800x005"), ("C83.300",)),
        # resistant by the principal diagnosis of the annex, or by U84.3
        ("FZ-1836", "A15.001", (), ()),
        ("FZ-1837", "A15.000", (), ()),
        ("FZ-1840", "A17.801", (), ()),
        ("FZ-1840", "A17.000", (), ("U84.300",)),
        # JC: related operations ignored; no operation is the conservative row
        ("JC-1858", "A01.000", (), ()),
        ("JC-1862", "D24.x00", ("85.2300x001", "45.2300"), ()),
        ("JC-1868", "E04.100", ("06.3100",), ()),
        ("JC-1860", "K35.300", (), ()),
        (None, "K35.300", ("45.1600",), ()),
    ],
)
def test_every_layer(official, expected, dx, px, others):
    assert code(official, dx, *px, others=others) == expected


@pytest.mark.parametrize(
    ("days", "weight", "expected"),
    [
        (10, 999, "XQ-16"),
        (0, 1000, "XQ-17"),
        (28, 1499, "XQ-17"),
        (29, 1499, None),
        (5, 1500, "XQ-18"),
        (5, 1999, "XQ-18"),
        (5, 2000, "XQ-19"),
        (5, 2499, "XQ-19"),
        (5, 2500, None),
        (None, 1200, None),
        (5, None, None),
    ],
)
def test_newborns_by_days_and_weight_of_the_remarks(official, days, weight, expected):
    given = None if weight is None else Decimal(weight)
    assert code(official, "P07.100", age_days=days, weight=given) == expected


class TestExclusions:
    @pytest.mark.parametrize("dx", ["A09.900", "A16.000", "Z51.100", "Z99.100"])
    def test_an_excluded_principal_diagnosis_is_not_grouped(self, official, dx):
        found = outcome(official, dx, "99.2503", others=("C34.901",))
        assert (found.row, found.reason) == (None, "dx_excluded")

    def test_a_header_code_never_removes_its_extensions(self, official):
        assert code(official, "Z51.100x001", "99.2503", others=("C34.901",)) == "FZ-1770"
        assert code(official, "Z51.101") == "JC-1869"
        assert code(official, "A16.000x001") == "FZ-1837"

    def test_an_operation_of_conservative_care_is_no_operation(self, official):
        assert code(official, "A01.000", "00.0100") == "JC-1858"
        assert code(official, "A01.000", "00.2900x001") == "JC-1858"
        # but for that the other operation would have to find its own row
        assert code(official, "D24.x00", "00.0100", "85.2300x001") == "JC-1862"

    def test_one_that_may_not_be_main_gives_way_to_the_next(self, official):
        assert code(official, "D24.x00", "00.3101", "85.2300x001") == "JC-1862"
        assert code(official, "A01.000", "00.3101") == "JC-1858"

    def test_exclusion_of_operations_is_exact_too(self, official):
        assert "99.2800X005" not in official.catalogue.excluded_ops
        assert code(official, "Z51.800", "99.2800x005", others=("C34.901",)) == "FZ-1794"

    def test_scope(self, official):
        assert code(official, "K25.000", "44.1300x001") == "JC-1864"
        # out of scope it is conservative care, though the group asks for it
        assert code(official, "I10.x00", "44.1300x001") == "JC-1867"
        # the remark 限范围 names no diagnoses: those published
        assert code(official, "A01.000", "45.2300") == "JC-1859"


class TestPrimary:
    @pytest.mark.parametrize(
        ("dx", "px", "kind"),
        [
            ("D24.x00", ("85.2300x001",), "primary"),
            ("D24.x00", ("85.2100x003",), "core"),
            # an empty operation marks the conservative case only
            ("K35.800", (), "primary"),
            ("D24.x00", (), "core"),
        ],
    )
    def test_marks(self, official, dx, px, kind):
        assert outcome(official, dx, *px).kind == kind


@pytest.mark.parametrize(("text", "expected"), [("有", "yes"), ("无", "no"), ("不耐药", "no")])
def test_answers(tmp_path, text, expected):
    of = read_catalogue(written(tmp_path, put("tuberculosis", 3, 6, text)))
    assert next(r.resistant for r in of.catalogue.rows if r.code == "FZ-1840") == expected


class TestReading:
    def test_all_groups_are_there_and_no_remark_or_header_is_one(self, official):
        given = {row[1] for of in sheets().values() if of.title[0] in "一二三四" for row in of.rows}
        found = {int(row.code.partition("-")[2]) for row in official.catalogue.rows}
        assert found == {one for one in given if isinstance(one, int)}
        assert "BX-注" not in {row.code for row in official.catalogue.rows}

    def test_what_was_read_otherwise_is_reported_with_sheet_and_cell(self, official):
        found = {(one.code, one.where.rpartition(":")[2]) for one in official.catalogue.issues}
        assert found >= {
            ("SW71", "二、并项规则下的核心病种!A6"),
            ("SW73", "一、先期分组!H6"),
            ("SW60", "四、基础规则下的核心病种!E13"),
            ("SW74", "五、不纳入分组的主要手术操作!C7"),
        }
        counts = [one.params for one in official.catalogue.issues if one.code == "SW77"]
        assert {(one["problem"], one["published"]) for one in counts} == {
            ("XQ", 19), ("BX", 1725), ("FZ", 113), ("JC", 3268)
        }  # fmt: skip
        assert all(one.text("zh") and one.text("en") for one in official.catalogue.issues)

    def test_it_has_no_scores(self, official):
        assert set(official.scores) == {None}

    def test_columns_may_stand_anywhere(self, tmp_path, official):
        def move(of: dict[str, Sheet]) -> None:
            for name in ("BX", "JC", "tuberculosis"):
                one = of[name]
                one.headers = tuple((None, *row) for row in one.headers)
                one.rows = [(None, *row) for row in one.rows]

        moved = read_catalogue(written(tmp_path, move))
        keys = [(row.code, row.dx_keys, row.operations) for row in official.catalogue.rows]
        assert [(r.code, r.dx_keys, r.operations) for r in moved.catalogue.rows] == keys


def put(name: str, row: int, column: int, text: object) -> Change:
    def change(of: dict[str, Sheet]) -> None:
        cells = list(of[name].rows[row])
        cells[column] = text
        of[name].rows[row] = cells

    return change


@pytest.mark.parametrize(
    ("change", "code", "place"),
    [
        (put("BX", 0, 4, "胃镜"), "SE56", "二、并项规则下的核心病种!E3"),
        # an unknown separator, and codes glued by a copy from PDF
        (put("BX", 0, 4, "34.0401;93.9001"), "SE56", "二、并项规则下的核心病种!E3"),
        (put("BX", 0, 4, "34.0401\n93.9001"), "SE56", "二、并项规则下的核心病种!E3"),
        (put("BX", 0, 2, "U84.700U84.800"), "SE74", "二、并项规则下的核心病种!C3"),
        (put("BX", 1, 1, 20), "SE53", "二、并项规则下的核心病种!B4"),
        (put("tumours", 0, 1, 1745), "SE53", "三、诊断辅助细分-肿瘤类病种!B3"),
        (put("JC", 0, 2, None), "SE52", "四、基础规则下的核心病种!C3"),
        (put("JC", 0, 1, None), "SE52", "四、基础规则下的核心病种!B3"),
        (put("XQ", 9, 7, "天龄见附表"), "SE58", "一、先期分组!H13"),
        (put("XQ", 9, 7, "出生体重1000克"), "SE58", "一、先期分组!H13"),
        (put("burns", 0, 3, "重度"), "SE58", "三、诊断辅助细分-烧伤类病种!D4"),
        (put("burns", 0, 3, "二、三度"), "SE58", "三、诊断辅助细分-烧伤类病种!D4"),
        (put("burns", 0, 5, "大面积"), "SE58", "三、诊断辅助细分-烧伤类病种!F4"),
        (put("burns", 5, 5, "≥50%"), "SE58", "三、诊断辅助细分-烧伤类病种!F9"),
        (put("burns", 5, 3, "二度"), "SE58", "三、诊断辅助细分-烧伤类病种!D9"),
        (put("tuberculosis", 0, 6, "不详"), "SE58", "三、诊断辅助细分-结核类病种!G3"),
        (put("excluded_ops", 0, 2, "另行规定"), "SE58", "五、不纳入分组的主要手术操作!C3"),
        (put("excluded_dx", 0, 0, "胃肠炎等"), "SE74", "五、不纳入分组的主要诊断!A4"),
        (put("XQ", 6, 3, "J96"), "SE75", "一、先期分组!B10"),
    ],
)
def test_what_is_not_understood_names_sheet_and_cell(tmp_path, change, code, place):
    with pytest.raises(SchemeError) as caught:
        read_catalogue(written(tmp_path, change))
    found = {(one.code, one.where.partition(":")[2]) for one in caught.value.issues}
    assert (code, place) in found
    assert all(one.text("zh") and one.text("en") for one in caught.value.issues)


class TestWhichWorkbook:
    def test_a_missing_sheet_is_named(self, tmp_path):
        with pytest.raises(SchemeError) as caught:
            read_catalogue(written(tmp_path, lambda of: of.pop("primary")))
        (issue,) = caught.value.issues
        assert (issue.code, issue.params["text"]) == ("SE73", "基层病种")

    def test_a_missing_column_is_named_with_its_sheet(self, tmp_path):
        def drop(of: dict[str, Sheet]) -> None:
            (headers,) = of["BX"].headers
            of["BX"].headers = (tuple(h for h in headers if h != "相关手术操作编码"),)

        with pytest.raises(SchemeError) as caught:
            read_catalogue(written(tmp_path, drop))
        (issue,) = caught.value.issues
        assert issue.code == "SE73"
        assert issue.where.endswith("二、并项规则下的核心病种")
        assert "相关手术操作编码" in issue.text("zh")

    def test_it_is_no_drg_workbook(self, tmp_path):
        path = written(tmp_path)
        assert is_catalogue(path)
        assert kind_of_workbook(path) == "dip_workbook"

    @pytest.mark.parametrize(
        ("titles", "kind"),
        [
            (("MDC", "ADRG", "DRG", "集合", "CC", "排除表"), "drg"),
            (("MDC", "ADRG"), "drg"),
            (("病种目录", "CC"), "catalogue"),
            (("病种目录", "六、基层病种"), "catalogue"),
            (("随便",), "catalogue"),
        ],
    )
    def test_kinds_of_others(self, tmp_path, titles, kind):
        assert kind_of_workbook(made(tmp_path, titles)) == kind

    @pytest.mark.parametrize(
        "titles",
        [
            ("MDC", "ADRG", "DRG", "病种目录"),
            ("MDC", "ADRG", "DRG", "一、先期分组", "二、并项规则", "四、基础规则"),
        ],
    )
    def test_two_kinds_at_once_are_refused_by_name(self, tmp_path, titles):
        with pytest.raises(SchemeError) as caught:
            is_catalogue(made(tmp_path, titles))
        (issue,) = caught.value.issues
        assert issue.code == "SE76"
        assert all(title in issue.text("zh") for title in titles)


def made(folder: Path, titles: tuple[str, ...]) -> Path:
    """A workbook of sheets with these titles; 病种目录 is a catalogue in the canonical form."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title in titles:
        sheet = book.create_sheet(title)
        if title == "病种目录":
            sheet.append(["code", "kind", "dx_key", "score"])
            sheet.append(["K35.3", "core", "K35.3", 551.5])
        else:
            sheet.append(["甲", "乙"])
    path = folder / "made.xlsx"
    book.save(path)
    return path
