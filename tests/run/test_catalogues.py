"""On load a catalogue splits: keys for grouping, scores and means in a weight table."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal

import pytest
from dip_catalogues import catalogue, layered, real

from grouper.scheme.dip import CatalogueRow, Figures
from weights.table import BASIC_GROUP, Facts


def test_keys_and_figures_share_no_field():
    assert not {one.name for one in fields(CatalogueRow)} & {one.name for one in fields(Figures)}


def test_row_for_row_the_table_is_that_of_the_catalogue():
    for of in (real(), layered()):
        assert of.table.groups == tuple(row.code for row in of.catalogue.rows)
        assert of.table.scheme_id == of.catalogue.id


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("points", "1484.833425"),
        ("mean_cost", "8490.50543"),
        ("cases", "1608"),
        ("cv", "0.284974"),
        ("ref_stay", "6.655077"),
    ],
)
def test_figures_are_those_of_the_source(column, expected):
    value = real().table.find(column, "K35.3:47.0100", Facts())
    assert value is not None
    assert str(value) == expected


def test_means_are_fen_too():
    bound = real().table.bind(["K35.3:47.0100"])
    assert bound.mean_cost_fen.tolist() == [849051]


def test_a_catalogue_without_scores_has_a_table_without_them():
    assert set(layered().scores) == {None}


def test_numbers_keep_the_digits_they_are_printed_with():
    rows = [
        {"code": f"K35.{at}", "dx_key": f"K35.{at}", "score": text}
        for at, text in enumerate(("100", "99.50", "0.000001"))
    ]
    assert [str(score) for score in catalogue(*rows).scores] == ["100", "99.50", "0.000001"]


def test_primary_groups_are_marked():
    found = catalogue({"code": "J06.9", "dx_key": "J06.9", "kind": "primary"})
    assert found.table.flags.tolist() == [BASIC_GROUP]
    assert found.scores == (Decimal(100),)
