"""Weight tables: loading, lookup, and every kind of broken table."""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest

import weights
from grouper.dated import Span
from grouper.errors import WeightError
from grouper.scheme.load import load_scheme

HEAD = weights.Head(
    id="t",
    title="t",
    title_en="t",
    scheme_id="s",
    area="1",
    span=Span(date(2025, 1, 1), date(2026, 1, 1)),
    source="s",
    confidence="published",
)

TOML = """
format = 1
id = "t"
title = "表"
title_en = "table"
scheme = "s"
area = "1"
valid_from = 2025-01-01
source = "s"
confidence = "published"
"""


def table(**columns):
    head = columns.pop("head", HEAD)
    return weights.from_columns(head, columns)


def codes(caught):
    return [issue.code for issue in caught.value.issues]


def folder(path, toml=TOML, rows="group\tweight\nA\t1.5\n"):
    (path / "table.toml").write_text(toml, "utf-8")
    (path / "weights.tsv").write_text(rows, "utf-8", newline="\n")
    return path


def test_a_folder_loads(tmp_path):
    loaded = weights.load(folder(tmp_path))
    assert loaded.weight("A") == Decimal("1.5")
    assert loaded.covers(date(2030, 1, 1))
    assert "A" in loaded
    assert "B" not in loaded


def test_weights_keep_the_digits_of_the_finest_row():
    t = table(group=["A", "B", "C"], weight=["0.123456789", "2", ""])
    assert t.weights.decimals == 9
    assert t.weights.units.tolist() == [123456789, 2 * 10**9, weights.NO_VALUE]
    assert t.weight("B") == 2
    assert t.find_weight("C") is None
    assert [str(t.weight(group)) for group in "AB"] == ["0.123456789", "2"]


def test_the_most_specific_row_with_a_value_counts():
    t = table(
        group=["A"] * 4,
        insurance=["", "310", "", "310"],
        level=["", "", "三级", "三级"],
        weight=["1.0", "1.1", "", ""],
        coefficient=["", "", "0.9", "0.8"],
        standard=["100.00", "", "", "90.00"],
    )
    assert t.weight("A") == Decimal("1.0")
    assert t.weight("A", insurance="310") == Decimal("1.1")
    assert t.weight("A", insurance="310", level="三级") == Decimal("1.1")
    assert t.weight("A", insurance="390", level="三级") == Decimal("1.0")
    assert t.coefficient("A", level="三级") == Decimal("0.9")
    assert t.coefficient("A", insurance="310", level="三级") == Decimal("0.8")
    assert t.coefficient("A", insurance="310") is None
    assert t.standard_fen("A", insurance="390", level="三级") == 10000
    assert t.standard_fen("A", insurance="310", level="三级") == 9000


def test_binding_follows_the_order_of_the_codes():
    t = table(group=["A", "B"], weight=["1.25", "2.5"], standard=["10.00", ""])
    bound = t.bind(["", "B", "X", "A"])
    none = weights.NO_VALUE
    assert bound.weight.tolist() == [none, 250, none, 125]
    assert bound.payment_standard_fen.tolist() == [none, none, none, 1000]
    assert bound.weight_decimals == 2
    assert bound.weight.dtype == np.int64


def test_groups_the_table_does_not_price_are_named():
    t = table(group=["A", "B"], weight=["1", ""])
    found = [(issue.code, issue.params["group"]) for issue in t.lacking(["", "A", "B", "C"])]
    assert found == [("WT202", "B"), ("WT201", "C")]
    for code, group in (("WT108", "B"), ("WT101", "C")):
        with pytest.raises(WeightError) as caught:
            t.weight(group)
        assert codes(caught) == [code]


def test_a_duplicate_row_is_refused():
    with pytest.raises(WeightError) as caught:
        table(group=["A", "B", "A"], weight=["1", "2", "1"])
    assert codes(caught) == ["WT102"]
    assert caught.value.issues[0].where.startswith("row 3")


@pytest.mark.parametrize("text", ["abc", "1.2.3", "0,5", "１", "1e3", "9" * 20])
def test_an_unreadable_weight_is_named_with_its_cell(text):
    with pytest.raises(WeightError) as caught:
        table(group=["A", "B"], weight=["1", text])
    assert codes(caught) == ["WT103"]
    assert caught.value.issues[0].where == "row 2:weight"
    assert caught.value.issues[0].params["text"] == text


def test_a_negative_weight_is_named_as_such():
    with pytest.raises(WeightError) as caught:
        table(group=["A"], weight=["-1"])
    assert codes(caught) == ["WT110"]


def test_all_defects_are_reported_at_once():
    with pytest.raises(WeightError) as caught:
        table(group=["A", "", "A"], weight=["x", "1", "2"], standard=["1.234", "", "y"])
    assert sorted(codes(caught)) == ["WT102", "WT103", "WT103", "WT103", "WT103"]


def test_unknown_and_missing_columns():
    with pytest.raises(WeightError) as caught:
        table(group=["A"], wieght=["1"])
    assert codes(caught) == ["WT104"]
    with pytest.raises(WeightError) as caught:
        table(weight=["1"])
    assert codes(caught) == ["WT104"]


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('scheme = "s"', "", "scheme"),
        ('source = "s"', "", "source"),
        ('source = "s"', 'source = ""', "source"),
        ("format = 1", "format = 2", "format"),
        ('confidence = "published"', 'confidence = "sure"', "confidence"),
        ("valid_from = 2025-01-01", 'valid_from = "2025"', "valid_from"),
        ('area = "1"', 'area = "1"\nyear = 2025', "year"),
    ],
)
def test_a_broken_head_names_its_key(tmp_path, old, new, key):
    with pytest.raises(WeightError) as caught:
        weights.load(folder(tmp_path, TOML.replace(old, new)))
    assert codes(caught) == ["WT106"]
    assert caught.value.issues[0].where.endswith(f": {key}")
    assert all(caught.value.text(lang) for lang in ("zh", "en"))


def test_an_unknown_table_lists_the_known_ones():
    with pytest.raises(WeightError) as caught:
        weights.load("nowhere")
    assert "shanghai-2023" in str(caught.value)


@pytest.mark.parametrize("name", weights.table_ids())
def test_embedded_tables_are_sorted_and_say_where_they_come_from(name):
    t = weights.load(name)
    assert t.id == name
    assert list(t.group_codes) == sorted(t.group_codes)
    assert t.head.source


def test_the_demo_table_prices_every_group_and_is_marked_invented():
    t = weights.load("demo")
    assert len(t) == 634
    assert t.lacking(t.group_codes) == []
    assert t.confidence == "constructed"
    assert "invented" in t.head.title_en
    for group in t.group_codes:
        for worse, better in (("1", "3"), ("1", "5"), ("3", "5")):
            other = group[:-1] + better
            if group.endswith(worse) and other in t:
                assert t.weight(group) > t.weight(other), group


def test_the_demo_table_fits_the_embedded_scheme():
    drgs = [drg.drg for drg in load_scheme("chs_drg_20").drgs]
    assert weights.load("demo").lacking(drgs) == []
