"""Where a patient is insured, seen from the hospital's area."""

from __future__ import annotations

import pytest

from grouper.errors import messages
from grouper.settle.place import Place, place_of


@pytest.mark.parametrize(
    ("insured", "area", "place"),
    [
        ("", "621000", Place.LOCAL),
        ("621000", "621000", Place.LOCAL),
        ("621002", "621000", Place.LOCAL),
        ("620100", "621000", Place.IN_PROVINCE),
        ("610100", "621000", Place.CROSS_PROVINCE),
        ("310115", "310000", Place.LOCAL),
        ("320500", "310000", Place.CROSS_PROVINCE),
        ("411722", "411721", Place.IN_PROVINCE),
        ("621002000000", "621000", Place.LOCAL),
        ("660100", "650100", Place.CROSS_PROVINCE),
        ("跨省异地就医", "621000", Place.CROSS_PROVINCE),
        ("省内异地", "621000", Place.IN_PROVINCE),
        ("in_province", "621000", Place.IN_PROVINCE),
        ("庆阳市", "621000", Place.LOCAL),
        ("天水市", "621000", None),
        ("6210", "621000", None),
        ("６２１０００", "621000", None),
    ],
)
def test_the_place_follows_from_the_codes_of_both_areas(insured, area, place):
    assert place_of(insured, area, ("庆阳市", "Qingyang")) == place


def test_out_of_area_patients_are_priced_by_the_place_of_care(row, settle):
    insured = ["", "990000", "990100", "110000", "???"]
    _, _, amounts = settle([row(insured=text) for text in insured])
    # 990000 is written as the code of a whole province: all of 99 is inside
    assert amounts.place.tolist() == [0, 0, 0, Place.CROSS_PROVINCE, 0]
    assert len(set(amounts.payable_fen[:4].tolist())) == 1
    issue = amounts.issue_of(4)
    assert (issue.code, issue.params["value"]) == ("ST105", "???")
    assert messages("zh")["ST105"]["field"]["area_insured"] == "参保地"
    words = dict(amounts.to_columns("zh"))["place"].to_pylist()
    assert words[:4] == ["本地", "本地", "本地", "跨省异地"]
