"""DIP by the Python interface: the same names as for DRG."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from dip_catalogues import DATA, REGIONS, cases, real_text

import grouper

COLUMNS = ["status", "reason", "dip", "dip_name", "kind", "layer", "score"]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("city") / "city.tsv"
    path.write_text(real_text(), "utf-8")
    return path


@pytest.mark.parametrize("engine", ["kernel", "reference"])
@pytest.mark.parametrize("region", REGIONS)
def test_every_published_case(path, region, engine):
    catalogue = grouper.load_catalogue(path, preset=region)
    for one in cases():
        found = grouper.group_case(one, scheme=catalogue, engine=engine)
        assert (found.group_code or None) == one["expected"][region], one["id"]


def test_a_result_says_what_it_rests_on_and_why(path):
    case = {"dx": ["K40.200"], "px": ["53.1501", "53.0204"], "total_cost": "6185.27"}
    found = grouper.group_case(case, scheme=path, preset="base")
    assert (found.status, found.kind, found.group_code) == ("grouped", "core", "K40.2:53.0204")
    assert found.reason == "nearest_cost"
    assert isinstance(found.score, Decimal)
    assert (found.scheme_id, found.preset) == ("city", "base")
    trace = found.explain()
    assert trace.to_dict()["dip"] == found.group_code
    assert grouper.explain_case(case, scheme=path, preset="base").to_dict() == trace.to_dict()


def test_a_case_without_group(path):
    found = grouper.group_case(
        grouper.Case(principal_dx="Z99.900"), scheme=grouper.load_catalogue(path, preset="base")
    )
    assert (found.status, found.reason) == ("ungrouped", "dx_not_in_catalogue")
    assert (found.group_code, found.kind, found.layer, found.score) == ("", "", "", None)


def test_weight_and_age_of_a_newborn():
    case = {"dx": ["P07.100"], "age_days": 10, "weight": "1200.5"}
    scheme = DATA / "national-3.0-partial.tsv"
    assert grouper.group_case(case, scheme=scheme).group_code == "XQ-17"
    # finer than columns keep weights: the twin alone says
    case["weight"] = "1200.00001"
    assert grouper.group_case(case, scheme=scheme).explain().group.code == "XQ-17"


def test_tables_come_back_as_they_came(path):
    frame = pd.DataFrame(
        {"id": ["1", "2"], "dx": ["K35.300", ""], "px": ["47.0100", ""], "total_cost": [8200, 1]}
    )
    catalogue = grouper.load_catalogue(path, preset="jining")
    tables = [
        grouper.group_table(data, scheme=catalogue, cleaning=cleaning, engine=engine)
        for data, cleaning, engine in (
            (frame, "standard", "kernel"),
            (frame, "as_is", "reference"),
        )
    ]
    assert isinstance(tables[0], pd.DataFrame)
    assert list(tables[0].columns)[-7:] == COLUMNS
    for table in tables:
        assert table["dip"][0] == "K35.3:47.0100"
        assert table["score"][0] == Decimal("1484.833425")
        assert list(table["status"]) == ["grouped", "rejected"]
    arrow = grouper.group_table(pa.Table.from_pandas(frame), scheme=path, preset="jining")
    assert arrow.schema.field("score").type == pa.decimal128(38, 6)


def test_what_takes_a_drg_scheme_says_so_of_a_catalogue(path):
    with pytest.raises(grouper.GrouperError, match="SE63"):
        grouper.load_scheme(path)
