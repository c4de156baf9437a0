"""Which column is which field."""

from __future__ import annotations

import pytest

from grouper.errors import RecordError
from grouper.records.fields import base_field, fields, header_synonyms, result_columns
from grouper.records.layout import choose, clean_header, layouts
from grouper.records.mapfile import apply_map


def lists(headers, **options):
    reading = choose(headers, "t.csv:1", **options)
    return {
        name: [headers[at] for at in columns] for name, columns in reading.lists.items() if columns
    }


@pytest.mark.parametrize(
    ("headers", "layout", "dx", "px"),
    [
        ("id sex dx px", "plain", "dx", "px"),
        ("病例编号 性别 诊断编码 手术操作编码", "plain", "诊断编码", "手术操作编码"),
        ("id sex dx2 dx10 dx1 px1", "wide", "dx1 dx2 dx10", "px1"),
        ("病案号 性别 其他诊断编码2 其他诊断编码1 主要诊断编码", "wide",
         "主要诊断编码 其他诊断编码1 其他诊断编码2", ""),
        ("病案号 性别 主要诊断编码 其他诊断编码 主要手术操作编码 其他手术操作编码", "wide",
         "主要诊断编码 其他诊断编码", "主要手术操作编码 其他手术操作编码"),
        ("id sex 诊断编码1 诊断编码2 手术操作编码1 手术操作编码2", "wide",
         "诊断编码1 诊断编码2", "手术操作编码1 手术操作编码2"),
        ("id sex 出院主要诊断编码(C03C) DX_2 DX_3", "wide",
         "出院主要诊断编码(C03C) DX_2 DX_3", ""),
        ("id sex ＤＸ１ ＤＸ（２）", "wide", "ＤＸ１ ＤＸ（２）", ""),
    ],
)  # fmt: skip
def test_code_columns_stand_in_their_order(headers, layout, dx, px):
    names = headers.split()
    assert choose(names, "t").layout == layout
    expected = {"dx": dx.split(), "px": px.split()}
    assert lists(names) == {name: columns for name, columns in expected.items() if columns}


def test_other_diagnoses_alone_are_no_principal_one():
    with pytest.raises(RecordError) as raised:
        choose(["id", "sex", "其他诊断编码1", "其他诊断编码2"], "t")
    assert raised.value.issues[0].code == "RE11"


def test_the_second_column_of_a_field_is_told_and_not_used():
    reading = choose(["id", "sex", "年龄", "实足年龄", "dx1"], "t")
    assert reading.scalars["age"] == 2
    assert reading.unused == (3,)


def test_every_known_header_leads_to_a_field():
    for header, expression in header_synonyms().items():
        assert base_field(expression) in fields(), header
        assert layouts()["wide"].field_of(header.replace("{n}", "3")) is not None, header


def test_a_field_name_means_its_field_in_every_layout():
    for layout in layouts().values():
        assert all(layout.field_of(name) == name for name in fields())


def test_titles_of_fields_and_results_are_all_there_and_distinct():
    assert len({field.title_zh for field in fields().values()}) >= len(fields()) - 4
    assert all(field.title_en for field in fields().values())
    titles = [column.title_zh for column in result_columns().values()]
    assert len(set(titles)) == len(titles)


def test_headers_are_compared_without_width_case_and_blanks():
    assert clean_header(" 主要诊断\n编码（Ｃ０３Ｃ）") == "主要诊断编码(c03c)"


HEADERS = ["住院号", "XB", "主诊", "次诊A", "次诊B", "年龄", "wt"]


def test_a_map_names_columns_separators_and_units():
    entries = {
        "id": "住院号", "sex": "xb", "dx": ["主诊", "次诊B", "次诊A"], "dx_sep": ";",
        "weight": "wt", "weight_unit": "kg",
    }  # fmt: skip
    reading = apply_map(entries, HEADERS, "t")
    assert reading.lists["dx"] == (2, 4, 3)
    assert reading.separators == {"dx": ";"}
    assert reading.units == {"weight": "kg"}
    # what the map is silent about is read as usual
    assert reading.scalars == {"id": 0, "sex": 1, "age": 5, "weight": 6}


def test_a_map_is_read_from_a_file_and_its_errors_name_entry_and_neighbour(tmp_path):
    path = tmp_path / "map.toml"
    path.write_text('dx = "主诊断"\nsex = "XB"\n', "utf-8")
    with pytest.raises(RecordError) as raised:
        apply_map(path, HEADERS, "t")
    issue = raised.value.issues[0]
    assert issue.where.endswith("map.toml: dx")
    assert "主诊" in issue.what("zh")
