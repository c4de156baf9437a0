"""The page is one file, says what it rests on, and escapes what users wrote."""

import json
import re
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest

import grouper.report
from grouper.report.data import Basis, GroupRow, Statement, StatementLine
from grouper.report.page import TOP_GROUPS, library_digest, render_page, script_json

STATIC = Path(grouper.report.__file__).parent / "static"
VOID = {"meta", "link", "br", "img", "input", "hr"}


class Outline(HTMLParser):
    """Checks that elements nest, and keeps attributes, texts and script contents."""

    def __init__(self, page):
        super().__init__()
        self.open, self.attributes, self.text, self.scripts, self.rows = [], [], [], [], []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, *pair) for pair in attrs]
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        elif self.open and self.open[-1] != "style":
            self.text.append(data)
            if self.rows and {"td", "th"} & set(self.open):
                self.rows[-1][-1] += data

    def row(self, *start):
        return next(
            cells
            for cells in ([" ".join(cell.split()) for cell in row] for row in self.rows)
            if tuple(cells[: len(start)]) == start
        )


def test_page_is_well_formed_and_has_every_section(data):
    page = Outline(render_page(data))
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert ids == ["summary", "coverage", "statements", "groups", "basis", "notes"]
    assert data.title in page.text


def test_same_data_same_page(data):
    assert render_page(data) == render_page(data)


def test_language_is_declared(make):
    assert '<html lang="zh-CN">' in render_page(make("zh"))
    assert '<html lang="en">' in render_page(make("en"))


def test_page_asks_for_nothing_outside_itself(data):
    page = Outline(render_page(data))
    loads = ("src", "href", "action", "srcset", "poster", "data")
    targets = [value for _, name, value in page.attributes if name in loads]
    assert targets
    assert all(value.startswith(("#", "data:,")) for value in targets)
    policy = next(v for _, name, v in page.attributes if name == "content" and "default-src" in v)
    assert "default-src 'none'" in policy
    style = (STATIC.parent / "templates" / "page.css").read_text("utf-8")
    assert "url(" not in style
    assert "@import" not in style


def test_chart_library_is_the_one_named_in_its_readme():
    readme = (STATIC / "README.md").read_text("utf-8")
    assert library_digest() in readme
    assert library_digest().startswith("b66b25ae")
    assert library_digest().endswith("d0fd0")
    assert library_digest() == sha256((STATIC / "echarts.min.js").read_bytes()).hexdigest()
    assert "6.1.0" in readme
    assert (STATIC / "LICENSE").exists()
    assert (STATIC / "NOTICE").exists()


def test_demonstration_is_said_plainly(make):
    assert "演示数据" in render_page(make("zh"))
    assert "Demonstration data" in render_page(make("en"))
    assert "演示数据" not in render_page(make("zh", origin="real"))


def test_lowest_confidence_and_basis_are_shown(make):
    page = Outline(render_page(make("zh")))
    assert page.row("权重表") == ["权重表", "demo-2022", "自行设定"]
    assert "自行设定" in page.text


def test_coverage_table_gives_verdict_gap_and_document(make):
    page = Outline(render_page(make("zh")))
    assert page.row("医保基金", "乙市") == [
        "医保基金",
        "乙市",
        "2022",
        "▲ 未达到",
        "48.00%",
        "≥ 50.00%",
        "5,000,000.01",
        "120,000,000.00 / 250,000,000.01 元",
        "2022 年底",
        "豫医保〔2022〕5号",
        "官方文件",
    ]
    assert page.row("医疗机构", "丙县")[3:7] == ["○ 无数据", "", "≥ 50.00%", ""]
    assert page.row("病种（按病例）", "甲市")[3:7] == ["— 仅报告", "91.22%", "", ""]


def test_month_table_has_totals_that_are_the_sum_of_its_rows(make):
    page = Outline(render_page(make("en")))
    header = page.row("Hospital")
    column = header.index("M6 accrued pool")
    rows = [row for row in page.rows if len(row) == len(header)]
    cells = [[" ".join(cell.split()) for cell in row] for row in rows]

    def fen(row):
        return int(row[column].replace(",", "").replace(".", ""))

    parts = [row for row in cells if row[0].startswith("H4101")]
    total = page.row("Total", "all")
    assert len(parts) == 6
    assert fen(total) == sum(fen(row) for row in parts)
    for insurance in ("employees", "residents"):
        own = page.row("Total", insurance)
        assert fen(own) == sum(fen(row) for row in parts if row[1] == insurance)


def test_lines_that_are_zero_everywhere_are_named_not_shown(make):
    page = Outline(render_page(make("zh")))
    assert not any("M7" in cell for cell in page.row("医院名称"))
    assert any("M7 待评审特例" in " ".join(text.split()) for text in page.text)


def test_only_the_dearest_groups_are_listed_and_the_rest_is_said(make):
    groups = tuple(GroupRow(f"G{k:02d}", "", 1, 100 - k) for k in range(TOP_GROUPS + 5))
    page = Outline(render_page(make("en", groups=groups)))
    listed = {row[0] for row in page.rows if row and row[0].startswith("G")} - {"Group"}
    assert len(listed) == TOP_GROUPS
    assert any(f"{TOP_GROUPS} groups" in text and "25" in text for text in page.text)


def test_report_with_only_counts_has_no_charts_and_no_empty_sections(make):
    page = render_page(
        make("en", groups=(), statements=(), coverage=(), notes=(), problems=(), made="")
    )
    assert "echarts" not in page
    assert 'id="coverage"' not in page
    assert len(page) < 20_000


EVIL = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</script><script>alert(1)</script>",
    "{{ 7 * 7 }}",
    "a\u2028b&amp;",
    "' onmouseover='alert(1)",
]


@pytest.mark.parametrize("text", EVIL)
def test_what_users_wrote_is_text_everywhere(make, text):
    data = make(
        "zh",
        title=text,
        basis=(Basis(text, text),),
        groups=(GroupRow(text, text, 1, 100, 90),),
        statements=(
            Statement(text, text, text, text, (StatementLine(text, text, 5, "fen", text),), text),
        ),
        notes=(text,),
        program=text,
        made=text,
    )
    clean = Outline(render_page(make("zh")))
    page = Outline(render_page(data))
    assert text in page.text
    # two chart options, the library and our own script: nothing became a script or a handler
    assert len(page.scripts) == len(clean.scripts) == 4
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert ("img", "src", "x") not in page.attributes
    option = json.loads(page.scripts[1])
    assert option["baseOption"]["yAxis"]["data"] == [f"{text} {text}"]


@pytest.mark.parametrize("text", EVIL)
def test_json_in_a_script_element_cannot_leave_it(text):
    written = str(script_json({"name": text}))
    assert not re.search("[<>&\u2028\u2029]", written)
    assert json.loads(written) == {"name": text}
