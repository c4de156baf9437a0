"""A real published table, loaded through a column map."""

from decimal import Decimal

import pytest

import weights
from grouper.errors import WeightError
from grouper.money import to_fen


@pytest.fixture(scope="module")
def shanghai():
    return weights.load("shanghai-2023")


def test_every_published_standard_is_weight_times_rate_exactly(shanghai):
    priced = 0
    for group in shanghai.group_codes:
        weight, standard = shanghai.find_weight(group), shanghai.standard_fen(group)
        assert (weight is None) == (standard is None), group
        if weight is not None:
            assert to_fen(weight * shanghai.head.base_rate) == standard, group
            priced += 1
    assert priced == 918
    assert len(shanghai) == len(shanghai.group_codes) == 1039


def test_figures_are_kept_as_printed(shanghai):
    assert str(shanghai.weight("AA19")) == "16.91"
    assert shanghai.standard_fen("AA19") == 37641660
    assert shanghai.weights.decimals == 2
    assert shanghai.head.base_rate == Decimal(22260)
    assert shanghai.confidence == "published"


def test_a_group_without_published_weight_says_so(shanghai):
    assert shanghai.find_weight("AD19") is None
    with pytest.raises(WeightError) as caught:
        shanghai.weight("AD19")
    assert caught.value.issues[0].code == "WT108"
