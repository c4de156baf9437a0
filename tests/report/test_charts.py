"""Chart options are plain JSON, with the figures of the rows and nothing else."""

import json

from grouper.report.charts import MOST_BARS, MOST_GROUPS, coverage_chart, group_chart, height
from grouper.report.data import GroupRow
from grouper.report.words import Words

ZH = Words("zh")


def series(option):
    return {one.get("name", "figures"): one["data"] for one in option["baseOption"]["series"]}


def test_share_against_two_documents_is_one_bar_with_two_marks(data):
    rows = [row for row in data.coverage if row.name == "institution|乙市"]
    assert len(rows) == 2
    drawn = series(coverage_chart(rows, ZH))
    assert drawn == {
        "未达到": ["48.89"],
        "目标": [["50.00", 0], ["70.00", 0]],
        "figures": [{"value": ["50.00", 0], "label": {"formatter": "48.89%"}}],
    }


def test_rows_without_data_have_no_bar(data):
    labels = coverage_chart(data.coverage, ZH)["baseOption"]["yAxis"]["data"]
    assert labels == [
        "统筹地区 全部",
        "医疗机构 甲市",
        "医疗机构 乙市",
        "病种（按病例） 甲市",
        "病种（按病组） 甲市",
        "医保基金 甲市",
        "医保基金 乙市",
        "医保基金 各统筹区合计",
    ]
    assert coverage_chart([row for row in data.coverage if row.status == "no_data"], ZH) is None


def test_labels_leave_out_what_is_the_same_for_all_bars(data):
    rows = [row for row in data.coverage if row.dimension == (("area", "甲市"),)]
    labels = coverage_chart(rows, ZH)["baseOption"]["yAxis"]["data"]
    assert labels == ["医疗机构", "病种（按病例）", "病种（按病组）", "医保基金"]


def test_verdict_decides_the_bar_not_the_shown_percentage(data):
    drawn = series(coverage_chart(data.coverage, ZH))
    assert drawn["达到"][5] == "50.00"
    assert drawn["未达到"][7] == "50.00"


def test_cost_chart_shows_the_dearest_groups_in_the_large_unit(data):
    option = group_chart(data.groups_by_cost, ZH)
    drawn = series(option)
    assert drawn["总费用"][0] == "121.11"
    assert drawn["支付标准"][-1] == "-"
    assert option["baseOption"]["xAxis"]["name"] == "万元"


def test_no_costs_no_chart():
    assert group_chart([GroupRow("BR23", "", 3, None)], ZH) is None


def test_charts_are_cut_to_what_can_be_read(data):
    groups = [GroupRow(f"G{k}", "", 1, k) for k in range(50)]
    assert len(group_chart(groups, ZH)["baseOption"]["yAxis"]["data"]) == MOST_GROUPS
    from dataclasses import replace

    many = [replace(data.coverage[1], name=f"institution|{k}") for k in range(60)]
    assert len(coverage_chart(many, ZH)["baseOption"]["yAxis"]["data"]) == MOST_BARS


def test_options_are_json_and_numbers_are_exact_texts(data):
    for option in (coverage_chart(data.coverage, ZH), group_chart(data.groups_by_cost, ZH)):
        assert json.loads(json.dumps(option)) == option
        assert isinstance(height(option), int)
        assert '": 0.' not in json.dumps(option)
