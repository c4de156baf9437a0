"""`dip build`: known catalogues come back, no row is lost, the order does not matter."""

from __future__ import annotations

import csv
import io
import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dip_catalogues import catalogue, real
from dip_histories import Drawn, core_rows, draw
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from grouper.datafile import write_folder
from grouper.engine.dip_directory import DirectoryChoices
from grouper.errors import RunError, WeightError
from grouper.records.read import read_records
from grouper.run.dip import group_records, reference_of
from grouper.run.dip_auxiliary import auxiliary_groups, read_auxiliary
from grouper.run.dip_build import BuildChoices, Built, build
from grouper.run.dip_build_files import Auxiliary, folder_files, published, report_files
from grouper.run.dip_history import KeyedCases, Reading, read_keys
from grouper.scheme.dip import CatalogueRow, dx_key
from grouper.scheme.dip_auxiliary import load_auxiliary
from grouper.scheme.dip_folder import HEAD
from grouper.scheme.dip_keys import Key, keys_of_rows
from grouper.scheme.dip_preset import load_classes, load_layers, load_preset
from weights.dip_scores import ScoreChoices
from weights.trim import Trim

UNTRIMMED = Trim("none", Fraction(0), Fraction(0), 1)
#: every combination that reaches the threshold is a group, scores are mean costs in tenths of yuan
EXACTLY = BuildChoices(
    DirectoryChoices(related_gain=None),
    ScoreChoices(trim=UNTRIMMED, base="standard", standard_fen=Fraction(10_000)),
)


def built(cases: KeyedCases, choices: BuildChoices = EXACTLY, preset: str = "national") -> Built:
    return build(cases, choices, load_preset(preset), load_classes(), load_layers())


def build_files(
    made: Built, name: str, inputs: list[str], auxiliary: Auxiliary | None = None
) -> dict[str, bytes]:
    """Everything that is written about a catalogue."""
    reports = report_files(made, name, inputs, auxiliary)
    return folder_files(published(made, name, inputs), reports)


def read(table: pa.Table, folder: Path, **more: object) -> KeyedCases:
    path = folder / "cases.parquet"
    pq.write_table(table, path)
    return read_keys([path], Reading(**more))  # type: ignore[arg-type]


def key_of(row: CatalogueRow) -> tuple[str, frozenset[str]]:
    """The diagnosis and the set of operations of a core row."""
    return row.dx_keys[0], frozenset(code for part in row.operations for code in part)


def recovered(drawn: Drawn, made: Built) -> None:
    """Groups drawn often enough are there, with all their cases and their scores.

    Bound: the mean of n costs with coefficient of variation cv lies within 6 cv / sqrt(n) of the
    true mean, up to chance of 1 in 10^8 a group and more for the skewness of few.
    """
    counts = np.bincount(drawn.row, minlength=len(drawn.rows))
    rows = {key_of(row): row for row in made.directory.rows if row.kind == "core"}
    scores = {one.code: one for one in made.scores.groups}
    wanted = [at for at in range(len(drawn.rows)) if counts[at] >= 15]
    assert len(wanted) > 100
    for at in wanted:
        one = scores[rows[key_of(drawn.rows[at])].code]
        assert one.cases == counts[at]
        true = drawn.mean_fen[at] / 10_000 * 1000
        assert abs(float(one.exact) / true - 1) < 6 * drawn.cv[at] / math.sqrt(counts[at])
    assert len(rows) == len(wanted)


def distinct_sets(rows: tuple[CatalogueRow, ...]) -> tuple[CatalogueRow, ...]:
    """Rows without those that ask for the operations of another row in another order."""
    return tuple({key_of(row): row for row in rows}.values())


def apart(rows: tuple[CatalogueRow, ...]) -> tuple[CatalogueRow, ...]:
    """Rows that take no case of another: of each diagnosis those that hold no smaller one."""
    kept: list[CatalogueRow] = []
    by_dx: dict[str, list[frozenset[str]]] = {}
    for row in sorted(rows, key=lambda row: len(key_of(row)[1])):
        dx, operations = key_of(row)
        if any(other and other <= operations for other in by_dx.get(dx, ())):
            continue
        by_dx.setdefault(dx, []).append(operations)
        kept.append(row)
    return tuple(kept)


def test_a_known_catalogue_comes_back(tmp_path):
    drawn = draw(real().catalogue, 40_000, 1, rows=apart(core_rows(real().catalogue)))
    made = built(read(drawn.table, tmp_path))
    recovered(drawn, made)
    assert made.account.holds
    assert made.account.rows == 40_000


@pytest.mark.large
def test_a_million_cases_of_a_known_catalogue_come_back(tmp_path):
    drawn = draw(real().catalogue, 1_000_000, 1, rows=apart(core_rows(real().catalogue)))
    cases = read(drawn.table, tmp_path)
    made = built(cases)
    recovered(drawn, made)
    assert made.account.holds
    order = np.random.default_rng(2).permutation(1_000_000)
    turned = tmp_path / "turned"
    turned.mkdir()
    again = built(read(drawn.table.take(pa.array(order)), turned))
    assert build_files(made, "x", ["a"]) == build_files(again, "x", ["a"])


@pytest.mark.large
def test_ten_million_cases_come_back(tmp_path):
    drawn = draw(real().catalogue, 10_000_000, 4, rows=apart(core_rows(real().catalogue)))
    made = built(read(drawn.table, tmp_path))
    recovered(drawn, made)
    assert made.account.holds
    assert made.account.rows == 10_000_000


@pytest.mark.large
def test_all_rows_of_a_real_catalogue_come_back_or_are_merged(tmp_path):
    """Supersets of a rare row's operations join the row that they hold; nothing else is lost."""
    drawn = draw(real().catalogue, 1_000_000, 3, rows=distinct_sets(core_rows(real().catalogue)))
    made = built(read(drawn.table, tmp_path))
    counts = np.bincount(drawn.row, minlength=len(drawn.rows))
    rows = {key_of(row): row for row in made.directory.rows if row.kind == "core"}
    cases = {one.code: one.cases for one in made.scores.groups}
    for at in np.flatnonzero(counts >= 15).tolist():
        assert cases[rows[key_of(drawn.rows[at])].code] >= counts[at]
    assert made.account.holds


def agrees(made: Built, folder: Path) -> None:
    """The history, grouped by the catalogue that was made of it, gives the cases it says."""
    city = folder / "city"
    write_folder(city, build_files(made, "city", ["a"]), mark=HEAD)
    reference = reference_of(city)
    run = group_records(read_records([folder / "cases.parquet"], needs=("dx",)), reference)
    codes = [row.code for row in reference.catalogue.rows]
    ends = [codes[end.row] if end.row is not None else "" for end in run.groups.ends]
    counted = Counter(ends[at] for at in run.groups.end.tolist())
    assert counted == {one.code: one.cases for one in made.scores.groups}


PRESETS = ["national", "base", "jining", "jingzhou", "yichang"]


@pytest.mark.parametrize("preset", PRESETS)
def test_grouping_the_history_by_its_catalogue_gives_the_cases_it_was_built_of(tmp_path, preset):
    drawn = draw(real().catalogue, 6_000, 5, years=(2022, 2023, 2024))
    cases = read(drawn.table, tmp_path)
    choices = replace(EXACTLY, directory=DirectoryChoices(threshold=8))
    agrees(built(cases, choices, preset), tmp_path)


def test_neither_order_nor_parts_nor_files_change_a_byte(tmp_path):
    drawn = draw(real().catalogue, 3_000, 7, years=(2023, 2024))
    order = np.random.default_rng(1).permutation(3_000)
    turned = drawn.table.take(pa.array(order))
    choices = replace(
        EXACTLY, scores=ScoreChoices(year_weights={2023: Fraction(3), 2024: Fraction(7)})
    )
    first = build_files(built(read(drawn.table, tmp_path), choices), "x", ["a"])
    paths = []
    for at, start in enumerate(range(0, 3_000, 1_000)):
        paths.append(tmp_path / f"{at}.parquet")
        pq.write_table(turned.slice(start, 1_000), paths[-1])
    other = read_keys(paths[::-1], Reading(), batch=170, threads=2)
    assert build_files(built(other, choices), "x", ["a"]) == first


def table(*rows: Mapping[str, str]) -> pa.Table:
    names = ("id", "dx", "px", "total_cost", "discharge_time", "los")
    return pa.table({name: [row.get(name, "") for row in rows] for name in names})


def case(number: int, dx: str, px: str = "", cost: str = "100", day: str = "2024-05-06"):
    keys = ("id", "dx", "px", "total_cost", "discharge_time")
    return dict(zip(keys, (str(number), dx, px, cost, day), strict=True))


def test_every_dropped_row_has_one_reason(tmp_path):
    rows = [
        case(1, "K35.300", "47.0100"),
        case(2, "K35.300", "47.0100"),
        case(3, ""),
        case(4, "K35.300", cost=""),
        case(5, "K35.300", cost="0"),
        case(6, "Q99.Q99"),
        case(7, "K35.300", day=""),
        case(8, "K35.300", day="2019-01-01"),
    ]
    cases = read(table(*rows), tmp_path, years=(2024,))
    assert cases.rows == 8
    assert dict(cases.dropped) == {
        "cost_missing": 1,
        "cost_not_positive": 1,
        "dx_missing": 1,
        "dx_unknown": 1,
        "no_year": 1,
        "other_year": 1,
    }
    assert cases.keys == (Key("K35.3", "47.0100"),)


def test_related_operations_need_a_tenth_of_extra_cost(tmp_path):
    rows = [case(n, "K35.300", "47.0100", "1000") for n in range(20)]
    rows += [case(n, "K35.300", "47.0100|54.5101", "1099.99") for n in range(20, 40)]
    rows += [case(n, "K35.300", "54.1100|47.0100", "1100") for n in range(40, 60)]
    rows += [case(n, "K35.300", "47.0100|54.1100", "1100") for n in range(60, 80)]
    cases = read(table(*rows), tmp_path)
    made = built(cases, replace(EXACTLY, directory=DirectoryChoices()))
    counts = {one.code: one.cases for one in made.scores.groups}
    # the order of the operations makes two keys, but the catalogue's rules know one group only
    assert counts == {"K35.3:47.0100": 40, "K35.3:47.0100_54.1100": 40}
    assert (made.account.kept, made.account.merged) == (40, 40)


def test_what_is_left_goes_to_wider_groups_in_order(tmp_path):
    rows = [case(n, "K35.300", "47.0100") for n in range(6)]
    rows += [case(n, "K35.800", "47.0100") for n in range(10, 14)]
    rows += [case(n, "K35.200", "47.0100") for n in range(20, 23)]
    rows += [case(30, "K40.900", "53.0000"), case(31, "I10.x00")]
    made = built(read(table(*rows), tmp_path), replace(EXACTLY, directory=DirectoryChoices(5, 5)))
    found = {one.code: one.cases for one in made.scores.groups}
    assert found == {"K35.3:47.0100": 6, "K35:SS": 7, "KBBZ": 2}
    alone = replace(EXACTLY, directory=DirectoryChoices(5, 5, rest=()))
    made = built(read(table(*rows), tmp_path), alone)
    assert dict(made.account.dropped) == {"no_group": 2}
    assert made.account.holds
    levels = csv.DictReader(
        io.StringIO(build_files(made, "x", [])["levels.tsv"].decode()), delimiter="\t"
    )
    assert {(row["level"], row["code"]): int(row["cases"]) for row in levels} == {
        ("1", "K35"): 13,
        ("2", "K35:SS"): 13,
        ("3", "K35.3:47.0100"): 6,
        ("3", "K35:SS"): 7,
    }


def test_groups_of_a_wider_directory_may_be_smaller(tmp_path):
    rows = [case(n, "K35.300", "47.0100") for n in range(6)]
    rows += [case(n, "K35.300", "54.1100|47.0100") for n in range(10, 13)]
    rows += [case(n, "I10.x00") for n in range(20, 26)] + [
        case(n, "I10.x01") for n in range(30, 33)
    ]
    rows += [case(n, "E11.900") for n in range(40, 43)]
    wider = [{"code": "K35.3:54.1100_47.0100", "dx_key": "K35.3", "main_ops": "54.1100",
              "related_ops": "47.0100"}, {"code": "E11.9", "dx_key": "E11.9"}]  # fmt: skip
    listed = keys_of_rows(catalogue(*wider).catalogue.rows)
    choices = DirectoryChoices(5, 5, None, listed=listed, listed_threshold=3)
    made = built(read(table(*rows), tmp_path), replace(EXACTLY, directory=choices))
    found = {one.code: one.cases for one in made.scores.groups}
    assert found == {"E11.9": 3, "I10.x": 9, "K35.3:47.0100": 6, "K35.3:54.1100_47.0100": 3}
    levels = build_files(made, "x", [])["levels.tsv"].decode().splitlines()
    cells = [line.split("\t") for line in levels]
    assert {row[1]: row[-1] for row in cells if row[0] == "3"} == {
        "E11.9": "yes",
        "I10.x": "no",
        "K35.3:47.0100": "no",
        "K35.3:54.1100_47.0100": "yes",
    }


def test_comprehensive_groups_that_vary_too_much_are_given_up(tmp_path):
    rows = [case(n, "K35.300", "47.0100") for n in range(6)]
    rows += [case(n, "K35.800", "47.0100", "1" if n % 2 else "1000") for n in range(10, 16)]
    rows += [case(n, "K35.200", "47.0100", "1" if n % 2 else "1000") for n in range(20, 23)]
    choices = replace(EXACTLY, directory=DirectoryChoices(7, 7), max_cv=Fraction(9, 10))
    cases = read(table(*rows, *(case(n, "I10.x00") for n in range(30, 38))), tmp_path)
    assert "K35:SS" in {
        row.code for row in built(cases, replace(choices, max_cv=None)).directory.rows
    }
    made = built(cases, choices)
    assert [row.code for row in made.directory.rows] == ["I10.x", "CP11:SS"]
    assert made.account.holds


@pytest.mark.parametrize(
    ("share", "threshold"), [(Fraction(1, 2), 6), (Fraction(9, 10), 3), (Fraction(1), 1)]
)
def test_a_threshold_may_be_a_share_of_cases(tmp_path, share, threshold):
    rows = [case(n, "K35.300") for n in range(6)]
    rows += [case(n, "K35.800") for n in range(10, 13)] + [case(20, "I10.x00")]
    made = built(read(table(*rows), tmp_path), replace(EXACTLY, share=share))
    assert made.choices.directory.threshold == threshold


@pytest.mark.parametrize(
    ("choices", "code"),
    [
        (replace(EXACTLY, directory=DirectoryChoices(threshold=0)), "RN146"),
        (replace(EXACTLY, directory=DirectoryChoices(threshold=-3)), "RN146"),
        (replace(EXACTLY, directory=DirectoryChoices(threshold=99)), "RN146"),
        (replace(EXACTLY, share=Fraction(3, 2)), "RN147"),
        (replace(EXACTLY, share=Fraction(0)), "RN147"),
    ],
)
def test_an_absurd_threshold_is_an_error(tmp_path, choices, code):
    cases = read(table(case(1, "K35.300")), tmp_path)
    with pytest.raises(RunError) as raised:
        built(cases, choices)
    assert raised.value.issues[0].code == code


def test_a_history_without_cases_is_an_error(tmp_path):
    with pytest.raises(RunError) as raised:
        read(table(case(1, "K35.300", cost="")), tmp_path)
    assert raised.value.issues[0].code == "RN145"


CODES = st.sampled_from(["47.0100", "47.0900", "54.5101", "54.1100", "45.2302", "96.7201"])
HISTORIES = st.lists(
    st.tuples(
        st.sampled_from(["K35.300", "K35.301", "K35.800", "I10.x00"]),
        st.lists(CODES, max_size=4),
        st.integers(1, 10**6),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=40)
@given(HISTORIES)
def test_keys_are_diagnosis_main_operation_and_the_set_of_the_others(tmp_path_factory, history):
    rows = [
        case(at, dx, "|".join(px), f"{fen // 100}.{fen % 100:02}")
        for at, (dx, px, fen) in enumerate(history)
    ]
    cases = read(table(*rows), tmp_path_factory.mktemp("keys"))
    expected = Counter[Key]()
    cost = Counter[Key]()
    for dx, px, fen in history:
        key = Key(dx_key(dx)[:5], px[0] if px else "", tuple(sorted({*px[1:]} - {*px[:1]})))
        expected[key] += 1
        cost[key] += fen
    counts, fens = cases.of_keys()
    assert dict(zip(cases.keys, counts.tolist(), strict=True)) == expected
    assert dict(zip(cases.keys, fens.tolist(), strict=True)) == cost


def pairs_reach(cases: KeyedCases, threshold: int) -> bool:
    """Whether some diagnosis and main operation, related ones or not, can make a core group."""
    counts: Counter[object] = Counter()
    for key, n in zip(cases.keys, cases.of_keys()[0].tolist(), strict=True):
        related = key.related if n >= threshold else ()
        counts[key._replace(related=related)] += n
    return max(counts.values()) >= threshold


@settings(max_examples=25)
@given(HISTORIES, st.integers(1, 6))
def test_kept_merged_and_dropped_are_all_rows(tmp_path_factory, history, threshold):
    rows = [case(at, dx, "|".join(px), str(fen)) for at, (dx, px, fen) in enumerate(history)]
    cases = read(table(*rows), tmp_path_factory.mktemp("sums"))
    choices = replace(EXACTLY, directory=DirectoryChoices(threshold, threshold, None, rest=()))
    if not pairs_reach(cases, threshold):
        with pytest.raises(RunError):
            built(cases, choices)
        return
    made = built(cases, choices)
    assert made.account.holds
    assert sum(one.cases for one in made.scores.groups) == made.account.kept + made.account.merged
    assert all(one.cases >= threshold for one in made.scores.groups)


@settings(max_examples=40)
@given(HISTORIES, st.integers(1, 4), st.sampled_from(PRESETS))
def test_any_history_agrees_with_its_catalogue(tmp_path_factory, history, threshold, preset):
    rows = [case(at, dx, "|".join(px), str(fen)) for at, (dx, px, fen) in enumerate(history)]
    folder = tmp_path_factory.mktemp("agrees")
    cases = read(table(*rows), folder)
    try:
        made = built(
            cases, replace(EXACTLY, directory=DirectoryChoices(threshold, threshold)), preset
        )
    except RunError:
        # no core group at all: said by another test
        assume(False)
    agrees(made, folder)


def test_the_report_says_what_was_chosen_and_found(tmp_path):
    drawn = draw(real().catalogue, 2_000, 9)
    made = built(read(drawn.table, tmp_path))
    record = json.loads(build_files(made, "city", ["cases.parquet"])["build.json"])
    assert record["cases"]["rows"] == 2_000
    assert record["choices"]["threshold"] == 15
    assert sum(kind["cases"] for kind in record["groups"].values()) == 2_000


def test_auxiliary_types_of_a_history(tmp_path):
    rows = [case(n, "K35.300", "47.0100", str(900 + n)) | {"los": "5"} for n in range(20)]
    rows += [
        case(n, "K35.300|J96.000", "47.0100", str(3000 + n)) | {"los": "5"} for n in range(50, 57)
    ]
    # dear beside the group by its last year, and of an earlier year
    rows += [case(n, "K35.300", "47.0100", "9000", "2023-03-03") for n in range(70, 80)]
    years = {2023: Fraction(1), 2024: Fraction(2)}
    cases = read(table(*rows), tmp_path, auxiliary=load_auxiliary())
    made = built(cases, replace(EXACTLY, scores=replace(EXACTLY.scores, year_weights=years)))
    (group,) = auxiliary_groups(cases, made, load_auxiliary())
    assert (group.code, group.cases) == ("K35.3:47.0100", 27)
    costs = [900 + n for n in range(20)] + [3000 + n for n in range(50, 57)]
    assert group.mean_fen == Fraction(100 * sum(costs), 27)
    assert made.mean_los == {"K35.3:47.0100": 5}
    severe = next(one for one in group.types if one.type == "severe")
    assert severe.cases == 7
    assert severe.adjustment == Fraction(sum(costs[20:]), 7) / Fraction(sum(costs), 27)
    path = tmp_path / "auxiliary.tsv"
    auxiliary = Auxiliary([group], load_auxiliary())
    path.write_bytes(build_files(made, "x", [], auxiliary)["auxiliary.tsv"])
    again = read_auxiliary(path, load_auxiliary())
    worth = again.chosen("K35.3:47.0100", ["severe", "cci_1_2"])
    assert worth is not None
    assert worth.coefficient == round(Decimal(sum(costs[20:]) * 27) / (7 * sum(costs)), 4)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("K35.3\tsevere\t1.1\t-1\t100", "-1"),
        ("K35.3\tsevere\t1.1\tNaN\t100", "NaN"),
        ("K35.3\tbad\t1.1\t1.1\t100", "bad"),
    ],
)
def test_a_table_of_types_with_nonsense_is_an_error(tmp_path, line, said):
    path = tmp_path / "auxiliary.tsv"
    path.write_text(f"code\ttype\ttrigger\tcoefficient\tgroup_mean_cost\n{line}\n", "utf-8")
    with pytest.raises(WeightError) as raised:
        read_auxiliary(path, load_auxiliary())
    assert raised.value.issues[0].code == "WT151"
    assert said in raised.value.text("en")
    path.write_text("code\ttype\nK35.3\tsevere\n", "utf-8")
    with pytest.raises(WeightError):
        read_auxiliary(path, load_auxiliary())
