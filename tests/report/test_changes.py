"""The words of differences: both languages have the same ones, and every kind has its own."""

from __future__ import annotations

import string

import pytest

from grouper.datafile import data_folder, read_toml
from grouper.report.changes import ChangeWords, some
from grouper.scheme.change import KINDS


def _places(lang: str) -> dict[str, dict[str, set[str | None]]]:
    table = read_toml(data_folder("messages", f"changes_{lang}.toml"))
    return {
        section: {key: {p for _, p, _, _ in string.Formatter().parse(text) if p}
                  for key, text in texts.items()}
        for section, texts in table.items()
    }  # fmt: skip


def test_both_languages_have_the_same_words_with_the_same_places():
    assert _places("zh") == _places("en")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_kind_of_change_has_its_words(lang):
    kinds = [kind for each in KINDS.values() for kind in each]
    words = read_toml(data_folder("messages", f"changes_{lang}.toml"))
    assert list(words["kind"]) == kinds
    assert set(words["subject"]) == set(KINDS)
    titles = [words["kind"][kind] for kind in kinds if not kind.startswith("notgrouped")]
    assert len(set(titles)) == len(titles)


def test_words_fit_a_gbk_console():
    words = read_toml(data_folder("messages", "changes_zh.toml"))
    assert str(words).encode("gbk")
    assert ChangeWords("zh")("head.more", n=3).encode("gbk")


def test_many_groups_are_cut():
    assert some(["A", "B"]) == "A B"
    assert some([str(n) for n in range(12)]) == "0 1 2 3 4 5 6 7 … +4"
