"""The short way in: one case, many cases, and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import grouper
from grouper.engine.groups import Severity

COLUMNS = ["status", "reason", "mdc", "adrg", "drg", "drg_name"]
FRAME = pd.DataFrame(
    {
        "id": ["1", "2", "3", "4"],
        "sex": [1, 2, 2, 1],
        "age": [70, 30, 30, 44],
        "dx": ["J18.900|J96.000", "K35.800x001", "J18.900", ""],
        "px": ["", "47.0100", "47.0100", ""],
        "note": ["a", "b", None, "d"],
    }
)
EXPECTED = [
    ("grouped", "MDCE", "ES3", "ES31"),
    ("grouped", "MDCG", "GE2", "GE29"),
    ("ambiguous", "MDCE", "EQY", "EQY"),
    ("rejected", None, None, None),
]


@pytest.fixture(scope="module")
def scheme() -> grouper.Scheme:
    return grouper.load_scheme("chs_drg_20")


def test_a_case_object_gets_its_group(scheme: grouper.Scheme) -> None:
    case = grouper.Case(
        principal_dx="I63.900",
        other_dx=["I10.x00x002"],
        procedures=[],
        age_years=67,
        sex="M",
        los_days=9,
    )
    result = grouper.group_case(case, scheme=scheme)
    assert (result.status, result.mdc_code, result.adrg_code) == ("grouped", "MDCB", "BR2")
    assert (result.group_code, result.severity) == ("BR25", Severity.NONE)
    assert "BR25" in result.explain().text("zh")


@pytest.mark.parametrize("engine", ["kernel", "reference"])
@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"sex": 1, "dx": ["J18.900", "J96.000"]}, ("grouped", "ES31")),
        ({"sex": 1, "dx": ["J18.900"], "px": ["47.0100"]}, ("ambiguous", "EQY")),
        ({"sex": 1, "dx": ["?"]}, ("ungrouped", "")),
        ({"sex": 1, "dx": []}, ("rejected", "")),
        ({"dx": ["J18.900"]}, ("rejected", "")),
    ],
)
def test_a_mapping_does_as_well(
    scheme: grouper.Scheme, engine: Any, record: dict[str, Any], expected: tuple[str, str]
) -> None:
    result = grouper.group_case(record, scheme=scheme, engine=engine)
    assert (result.status, result.group_code) == expected


def test_rejections_name_their_reason(scheme: grouper.Scheme) -> None:
    assert grouper.group_case({"dx": []}, scheme=scheme).reason == "sex"
    assert grouper.group_case({"sex": 2, "dx": []}, scheme=scheme).reason == "no_dx"


def test_a_scheme_may_be_named_by_its_id() -> None:
    explained = grouper.explain_case({"sex": 1, "dx": ["J18.900"]}, scheme="chs_drg_20")
    assert "ES35" in explained.text("en")


def test_an_impossible_value_is_refused(scheme: grouper.Scheme) -> None:
    with pytest.raises(grouper.GrouperError, match="age"):
        grouper.group_case({"sex": 1, "age": "old", "dx": ["J18.900"]}, scheme=scheme)


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        pytest.param(lambda: FRAME, pd.DataFrame, id="pandas"),
        pytest.param(lambda: pl.from_pandas(FRAME), pl.DataFrame, id="polars"),
        pytest.param(lambda: pa.Table.from_pandas(FRAME), pa.Table, id="pyarrow"),
        pytest.param(lambda: duckdb.sql("select * from FRAME order by id"), pa.Table, id="duckdb"),
    ],
)
def test_a_table_comes_back_with_columns_added(
    scheme: grouper.Scheme, given: Callable[[], Any], kind: type
) -> None:
    result = grouper.group_table(given(), scheme=scheme)
    assert isinstance(result, kind)
    table = result if isinstance(result, pa.Table) else pa.table(result)
    assert table.column_names == [*FRAME.columns, *COLUMNS]
    rows = table.to_pylist()
    got = [(r["status"], r["mdc"], r["adrg"], r["drg"]) for r in rows]
    assert [tuple(v if isinstance(v, str) else None for v in row) for row in got] == EXPECTED
    assert [r["id"] for r in rows] == ["1", "2", "3", "4"]


def test_a_users_column_of_the_same_name_is_kept_apart(scheme: grouper.Scheme) -> None:
    frame = FRAME.assign(drg="mine")
    result = grouper.group_table(frame, scheme=scheme)
    assert list(result["input_drg"]) == ["mine"] * 4
    assert result["drg"][0] == "ES31"


def test_a_list_column_groups_like_a_joined_one(scheme: grouper.Scheme) -> None:
    table = pa.table(
        {
            "sex": [1, 2],
            "dx": [["J18.900", "J96.000"], ["K35.800x001"]],
            "px": [[], ["47.0100"]],
        }
    )
    result = grouper.group_table(table, scheme=scheme)
    assert result["drg"].to_pylist() == ["ES31", "GE29"]
    assert result["dx"].to_pylist() == table["dx"].to_pylist()
