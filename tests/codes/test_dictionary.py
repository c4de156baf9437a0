"""The embedded code dictionary."""

from __future__ import annotations

import pytest

from grouper.codes.dictionary import load_dictionary
from grouper.errors import CodeError


def test_counts_of_the_embedded_edition():
    dictionary = load_dictionary()
    assert (len(dictionary.dx), len(dictionary.px)) == (33304, 13767)
    gray = [sum("gray" in f for f in t.flagged.values()) for t in (dictionary.dx, dictionary.px)]
    assert gray == [2828, 2241]


def test_name_and_gray_mark_of_a_code():
    table = load_dictionary().dx
    assert table.name("I10.x00x002") != ""
    assert not table.is_gray("I10.x00x002")
    assert table.is_gray("A00.000")
    assert table.name("nothing") == ""


def test_a_cut_code_is_answered_with_its_longer_forms():
    assert load_dictionary().dx.near("I63.9")[0] == "I63.900"


def test_an_unknown_edition_names_the_known_ones():
    with pytest.raises(CodeError) as raised:
        load_dictionary("icd_11")
    assert raised.value.issues[0].code == "CD101"
    assert "yibao_20" in raised.value.text("zh")
