"""Presets and tables of operation classes: what is refused, and with which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from grouper.errors import SchemeError
from grouper.scheme.dip_preset import ENDS, load_classes, load_preset, preset_ids

SOUND = """
title = "ours"
source = "a notice"
confidence = "official"
tie = ["highest_score", "code"]
"""


@pytest.mark.parametrize("name", preset_ids())
def test_every_preset_ends_with_one_row(name):
    assert load_preset(name).tie[-1] in ENDS


def test_a_file_of_the_same_form_will_do(tmp_path: Path):
    path = tmp_path / "ours.toml"
    path.write_text(SOUND, "utf-8")
    assert load_preset(path).tie == ("highest_score", "code")
    assert load_preset(str(path)).id == "ours"


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ('tie = ["dearest"]', "highest_score"),
        ('core_vs_comp = "sometimes"', "core_first"),
        ("fallback = 7", "chapter"),
        ('colour = "red"', "op_class_of_case"),
    ],
)
def test_values_that_are_not_known(tmp_path, more, word):
    path = tmp_path / "ours.toml"
    kept = [line for line in SOUND.splitlines() if line.split(" ")[0] != more.split(" ")[0]]
    path.write_text("\n".join([*kept, more]), "utf-8")
    with pytest.raises(SchemeError) as caught:
        load_preset(path)
    assert caught.value.issues[0].code == "SE60"
    assert word in caught.value.text("en")
    assert word in caught.value.text("zh")


@pytest.mark.parametrize("key", ["title", "source", "confidence", "tie"])
def test_what_a_preset_must_say(tmp_path, key):
    path = tmp_path / "ours.toml"
    path.write_text(
        "\n".join(line for line in SOUND.splitlines() if not line.startswith(key)), "utf-8"
    )
    with pytest.raises(SchemeError) as caught:
        load_preset(path)
    assert (caught.value.issues[0].code, caught.value.issues[0].params["key"]) == ("SE60", key)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(SchemeError) as caught:
        load_preset("jinin")
    assert caught.value.issues[0].code == "SE59"
    assert "jining" in caught.value.text("zh")


@pytest.mark.parametrize("text", ["code\tclass\n06.3100\todd\n", "code\tkind\n06.3100\tsurgical\n"])
def test_classes_that_are_not_known(tmp_path, text):
    path = tmp_path / "classes.tsv"
    path.write_text(text, "utf-8")
    with pytest.raises(SchemeError) as caught:
        load_classes(path)
    assert caught.value.issues[0].code == "SE61"
