"""Words in two languages, numbers as people read them."""

import re

import pytest

from grouper.monitor.targets import UNITS
from grouper.report.words import SIGNS, Words, amount, grouped, money, share, table


def test_both_languages_have_the_same_words_and_placeholders():
    zh, en = table("zh"), table("en")
    assert {section: list(words) for section, words in zh.items()} == {
        section: list(words) for section, words in en.items()
    }
    for section, words in zh.items():
        for key, text in words.items():
            placeholders = [sorted(re.findall(r"{(\w+)}", one)) for one in (text, en[section][key])]
            assert placeholders[0] == placeholders[1], f"{section}.{key}"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_measure_verdict_and_mark_has_a_word(lang):
    words = Words(lang)
    for measure in UNITS:
        assert words(f"measure.{measure}")
        assert words(f"unit.{measure}")
    for status in SIGNS:
        assert words(f"verdict.{status}")


def test_signs_can_be_shown_on_a_gbk_console():
    "".join(SIGNS.values()).encode("gbk")


@pytest.mark.parametrize(
    ("fen", "text"),
    [
        (0, "0.00"),
        (-5, "-0.05"),
        (123456789, "1,234,567.89"),
        (-123456789, "-1,234,567.89"),
        (None, ""),
    ],
)
def test_money_has_commas_and_two_decimals(fen, text):
    assert money(fen) == text


def test_counts_have_commas_and_no_decimals():
    assert amount(1234567, "count") == "1,234,567"
    assert amount(1234567, "yuan") == "12,345.67"
    assert grouped("1234") == "1,234"


def test_share_of_nothing_is_empty():
    assert share(0, 0) == ""
    assert share(1, 3) == "33.33%"


def test_large_unit_of_charts_follows_the_language():
    assert Words("zh").cost(123_456_789) == "123.46"
    assert Words("en").cost(123_456_789) == "1234.57"
