"""Twelve published tables: read whole and exactly, and their arithmetic reproduced.

Counts and relations are those of the collection the files come from (tests/data/payment/README.md).
"""

from collections import Counter
from decimal import Decimal
from fractions import Fraction

import pytest

import weights
from grouper.money import round_half_up, to_fen
from weights.load import folder_of
from weights.proof import amount, compare_amounts
from weights.table import Facts
from weights.write import table_files

#: id -> groups, groups with a weight, printed amounts that are compared, amounts set by hand
TABLES = {
    "beijing-2024": (682, 632, 632, 0),
    "chongqing-2024": (880, 873, 0, 0),
    "chs_drg_30-reference": (815, 806, 806, 0),
    "guangan-2024": (831, 753, 753, 0),
    "mianyang-2024": (833, 774, 3870, 0),
    "neijiang-2024": (831, 772, 0, 0),
    "quanzhou-2024": (839, 794, 207, 2130),
    "shanghai-2023": (1039, 918, 918, 0),
    "shanxi-2024-reference": (740, 735, 0, 0),
    "sichuan-2024-reference": (831, 793, 0, 0),
    "wuhan-2024": (773, 765, 0, 0),
    "yantai-2024": (656, 631, 0, 0),
}
#: severer groups printed with less weight than milder ones
INVERTED = {
    "chs_drg_30-reference": 7,
    "guangan-2024": 6,
    "quanzhou-2024": 59,
    "shanghai-2023": 75,
    "sichuan-2024-reference": 10,
    "yantai-2024": 4,
}
#: column of the source -> ours, and the level of its rows
COLUMNS = {
    "weight": ("weight", ""),
    "standard": ("standard", ""),
    "mean_cost": ("mean_cost", ""),
    "mean_stay": ("ref_stay", ""),
    **{f"coef_{n}": ("coefficient", n) for n in ("3A", "3B", "2A", "2B", "below2", "3", "2", "1")},
    **{f"standard_{n}": ("standard", n) for n in ("3A", "3B", "2A", "2B", "1", "A", "B", "C")},
}
LEVELS = {
    "guangan-2024": {"3": "三级", "2": "二级", "1": "一级"},
    "quanzhou-2024": {"A": "A类", "B": "B类", "C": "C类"},
}
USUAL = {"3A": "三甲", "3B": "三乙", "2A": "二甲", "2B": "二乙", "1": "一级", "below2": "二级以下"}


def test_the_package_has_a_map_for_every_table():
    assert set(weights.map_ids()) == set(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_every_table_loads_whole(published, name):
    made = published(name)
    groups, with_weight, compared, by_hand = TABLES[name]
    report = weights.check(made.table)
    assert (report.groups, report.priced) == (groups, with_weight)
    assert (report.compared, report.by_hand) == (compared, by_hand)
    assert not made.left_out
    codes = Counter(issue.code for issue in report.issues)
    assert codes["WT203"] == INVERTED.get(name, 0)
    assert set(codes) <= {"WT202", "WT203", "WT204"}


@pytest.mark.parametrize("name", TABLES)
def test_every_printed_number_is_kept_exactly(published, printed, name):
    table, source = published(name).table, printed(name)
    seen = 0
    for row in source:
        for column in source.columns:
            if column not in COLUMNS or not row[column]:
                continue
            ours, label = COLUMNS[column]
            level = LEVELS.get(name, USUAL)[label] if label else ""
            value = table.find(ours, row["group"], Facts(level=level))
            if row[column] == "1.31·":  # corrected by name in the map
                assert value == Decimal("1.31")
            elif row[column] == "据实支付病组":
                assert value is None
            else:
                assert value == Decimal(row[column]), (row["group"], column)
            seen += value is not None
    assert seen >= TABLES[name][1]


@pytest.mark.parametrize("name", [name for name, row in TABLES.items() if row[2]])
def test_what_comes_with_the_package_is_what_the_map_makes_of_the_source(published, name):
    made = published(name)
    embedded = weights.load(name)
    assert embedded.head == made.head
    path = folder_of(name) / "weights.tsv"
    assert path.read_bytes() == table_files(made.head, made.columns)["weights.tsv"]


def values(table, column, level=""):
    """(group, weight, printed amount) of every group that has both."""
    for group in table.group_codes:
        weight = table.find_weight(group, level=level)
        printed = table.find(column, group, Facts(level=level))
        if weight is not None and printed is not None:
            yield group, weight, printed


def rounded(value, places):
    return Decimal(round_half_up(value * 10**places)).scaleb(-places)


class TestArithmetic:
    """standard = weight x rate x coefficient, by formulas written here, not those of the check."""

    def test_shanghai_is_exact(self, published):
        rows = list(values(published("shanghai-2023").table, "standard"))
        assert len(rows) == 918
        assert all(weight * 22260 == standard for _, weight, standard in rows)

    def test_beijing_rounded_its_weights_after_pricing(self, published):
        rows = list(values(published("beijing-2024").table, "standard"))
        assert len(rows) == 632
        assert all(rounded(Fraction(s) / 20425, 2) == w for _, w, s in rows)

    def test_the_national_reference_holds_to_nine_digits(self, published):
        rows = list(values(published("chs_drg_30-reference").table, "standard"))
        assert len(rows) == 806
        rate = Decimal("9914.6231")
        assert all(abs(w * rate - s) <= Decimal("2.1e-9") * s for _, w, s in rows)

    def test_mianyang_is_exact_to_the_fen_but_for_eight_ties(self, published):
        table = published("mianyang-2024").table
        compared, ties = 0, []
        for level in USUAL.values():
            for group, weight, standard in values(table, "standard", level):
                coefficient = table.coefficient(group, level=level)
                exact = 4500 * Fraction(weight) * Fraction(coefficient)
                compared += 1
                if to_fen(exact, rounding="half_up") != to_fen(standard):
                    ties.append(group)
                    assert exact - Fraction(standard) == Fraction(1, 200)
        assert compared == 5 * 774
        assert len(ties) == 8

    def test_quanzhou_prints_ten_digits_of_what_was_not_set_by_hand(self, published):
        table = published("quanzhou-2024").table
        by_hand = {table.groups[row] for row in range(len(table)) if table.flags[row] & 2}
        equal, ties = 0, 0
        for level, usual in (("A类", "1.38"), ("B类", "0.88"), ("C类", "0.52")):
            for group, weight, standard in values(table, "standard", level):
                if group in by_hand:
                    continue
                basic = level == "A类" and "基础病组" in table.classes[table.rows_of(group)[0]]
                exact = weight * Decimal("6413.35") * Decimal("0.88" if basic else usual)
                places = 10 - len(str(int(exact)))
                if rounded(Fraction(exact), places) == standard:
                    equal += 1
                else:
                    ties += 1
                    assert abs(exact - standard) <= Decimal(1).scaleb(-places) / 2
        assert (equal, ties) == (206, 1)

    def test_guangan_weights_are_means_over_the_area_mean(self, published):
        rows = list(values(published("guangan-2024").table, "mean_cost"))
        assert len(rows) == 753
        off = [w - rounded(Fraction(m) / Fraction("5070.64"), 4) for _, w, m in rows]
        assert sum(difference != 0 for difference in off) == 6
        assert max(map(abs, off)) == Decimal("0.0001")

    def test_yantai_total_weights_are_whole_numbers_of_cases(self, printed):
        whole, part = 0, []
        for row in printed("yantai-2024"):
            for level in ("3", "2a", "2b", "1"):
                total = row[f"total_weight_{level}"]
                if total and row["weight"]:
                    cases = Fraction(total) / Fraction(row["weight"])
                    if cases.denominator == 1:
                        whole += 1
                    else:
                        part.append(row["group"])
        assert (whole, len(part)) == (2121, 9)
        assert set(part) == {"RN21", "IT23", "HB15", "LA19"}

    def test_all_of_them_at_once_through_the_check(self, published):
        compared = []
        for name, (_, _, expected, _) in TABLES.items():
            if expected:
                table = published(name).table
                found = list(compare_amounts(table, table.head.proof))
                assert all(one.holds for one in found), name
                compared += found
        assert len(compared) == 7186

    def test_points_times_value_is_the_same_amount(self, published):
        """100 points a weight, at the hundredth part of the rate."""
        source = published("mianyang-2024")
        columns = {name: list(cells) for name, cells in source.columns.items() if name != "weight"}
        points = [str(Decimal(text) * 100) if text else "" for text in source.columns["weight"]]
        table = weights.from_columns(
            source.head, {**columns, "points": points, "point_value": ["45.00"] * len(points)}
        )
        for group in table.group_codes:
            for level in USUAL.values():
                by_points = amount(table, group, Facts(level=level), "p v c")
                by_weight = amount(source.table, group, Facts(level=level), "w r c")
                assert by_points == by_weight
