"""`grouper dip build`: a catalogue on the command line, and groups by it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest
from dip_catalogues import real
from dip_histories import draw

pytestmark = pytest.mark.cli


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("history") / "cases.csv"
    drawn = draw(real().catalogue, 3_000, 1, years=(2022, 2023, 2024)).table
    texts = [
        column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
        for column in drawn.columns
    ]
    pc.write_csv(pa.table(texts, names=drawn.column_names), path)
    return path


def test_a_catalogue_is_built_and_groups_what_it_was_built_of(run, history, tmp_path):
    answer = run("dip", "build", history, tmp_path / "city", "--threshold", 15)
    assert answer.code == 0, answer.err
    assert "3000 rows" in answer.err.replace(",", "")
    assert {path.name for path in (tmp_path / "city").iterdir()} == {
        "README.md", "build.json", "catalogue.toml", "levels.tsv", "preset.toml", "rows.tsv",
    }  # fmt: skip
    grouped = tmp_path / "grouped.csv"
    answer = run("group", history, "-s", tmp_path / "city", "-o", grouped)
    assert answer.code == 0, answer.err
    with grouped.open(encoding="utf-8-sig") as file:
        assert {row["status"] for row in csv.DictReader(file)} <= {"grouped", "已入组"}
    assert run("scheme", "lint", tmp_path / "city").code == 0
    assert run("explain", history, "--row", 1, "-s", tmp_path / "city").code == 0


def test_types_of_cases_stand_beside_their_groups(run, tmp_path):
    path = tmp_path / "cases.csv"
    rows = [f"{n},K35.300,47.0100,{900 + n},5,40" for n in range(20)]
    rows += [f"{n},K35.300|J96.000,47.0100,{3000 + n},5,70" for n in range(30, 37)]
    rows += [f"{n},K35.800,,500,5,40" for n in range(50, 70)] + ["99,,47.0100,1,1,1"]
    path.write_text("id,dx,px,total_cost,los,age\n" + "\n".join(rows) + "\n", "utf-8")
    city, out = tmp_path / "city", tmp_path / "out.csv"
    answer = run("dip", "build", path, city, "--auxiliary")
    assert "auxiliary types: " in answer.err
    table = city / "auxiliary.tsv"
    answer = run("group", path, "-s", city, "--auxiliary", table, "-o", out, "--lang", "en")
    assert answer.code == 1, answer.err
    with out.open(encoding="utf-8-sig") as file:
        found = list(csv.DictReader(file))
    with table.open(encoding="utf-8") as file:
        told = {row["type"]: row for row in csv.DictReader(file, delimiter="\t")}
    assert {one["type"] for one in told.values()} == {"light", "age_65_severe"}
    types = [row["auxiliary_type"] for row in found]
    # all severe cases are old: of equal triggers the first by name
    assert types == ["light"] * 20 + ["age_65_severe"] * 7 + [""] * 21
    assert {row["auxiliary_coefficient"] for row in found[:20]} == {told["light"]["coefficient"]}
    assert [row["auxiliary_coefficient"] for row in found[27:]] == ["1.0000"] * 20 + [""]
    words = ("-s", city, "--auxiliary", table)
    answer = run("explain", path, "--row", 21, *words)
    assert "auxiliary types that fit: severe, age_65_severe" in answer.out
    assert "auxiliary type that counts: age_65_severe" in answer.out
    answer = run("explain", path, "--row", 21, *words, "--json")
    assert json.loads(answer.out)["auxiliary"]["types"] == ["severe", "age_65_severe"]
    answer = run("explain", "--dx", "K35.800", *words, "--lang", "zh")
    assert "无辅助分型：系数 1" in answer.out
    for name in ("parts.csv", "parts.parquet"):
        parts = tmp_path / name
        run("group", path, *words, "-o", parts, "--lang", "en", "--batch", 5)
        if name == "parts.csv":
            assert parts.read_bytes() == out.read_bytes()
        else:
            assert pq.read_table(parts)["auxiliary_type"].to_pylist()[20] == "age_65_severe"
    assert run("group", path, *words, "--run", tmp_path / "run").code == 2
    assert run("group", path, "-s", "chs_drg_20", "--auxiliary", table, "-o", out).code == 2


def test_what_a_case_has_cost_decides_between_types(run, tmp_path):
    """Treatment and drugs come from the fee columns; the group's mean from the table."""
    rows = ["1,C34.100,3000.00,1500.00,100.00", "2,C34.100,3000.00,1499.99,1500.00",
            "3,C34.100,2999.99,2000.00,900.00", "4,C34.100,3000.00,,"]  # fmt: skip
    path, catalogue = tmp_path / "cases.csv", tmp_path / "city.csv"
    head = "id,dx,total_cost,fee_nonsurgical,fee_west_drug\n"
    path.write_text(head + "\n".join(rows) + "\n", "utf-8")
    catalogue.write_text("code,kind,dx_key,score\nC34.1,core,C34.1,100\n", "utf-8")
    types = ("malignant_treatment", "malignant_drugs", "malignant_rest")
    table = tmp_path / "auxiliary.tsv"
    table.write_text(
        "code\ttype\ttrigger\tcoefficient\tgroup_mean_cost\n"
        + "".join(f"C34.1\t{one}\t{at}\t1.{at}\t1000\n" for at, one in enumerate(types, 1)),
        "utf-8",
    )
    out = tmp_path / "out.csv"
    answer = run("group", path, "-s", catalogue, "--auxiliary", table, "-o", out, "--lang", "en")
    assert answer.code == 0, answer.err
    with out.open(encoding="utf-8-sig") as file:
        found = [
            (row["auxiliary_type"], row["auxiliary_coefficient"]) for row in csv.DictReader(file)
        ]
    treatment, drugs, rest = zip(types, ("1.1", "1.2", "1.3"), strict=True)
    assert found == [treatment, drugs, rest, rest]


@pytest.mark.parametrize("suffix", [".tsv", ".csv", ".json"])
def test_a_table_with_the_report_beside_it(run, history, tmp_path, suffix):
    out = tmp_path / f"city{suffix}"
    answer = run("dip", "build", history, out, "--json", "--threshold", 10)
    assert answer.code == 0, answer.err
    report = json.loads(answer.out)
    assert report["cases"]["rows"] == 3_000
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *sorted(["city.build.json", f"city{suffix}", "city.levels.tsv", "city.preset.toml"])
    ]
    grouped, preset = tmp_path / "grouped.csv", tmp_path / "city.preset.toml"
    answer = run("group", history, "-s", out, "--preset", preset, "-o", grouped)
    assert answer.code == 0, answer.err
    again = run("dip", "build", history, out, "--threshold", 10)
    assert again.code == 3
    assert "DF140" in again.err
    before = out.read_bytes()
    assert run("dip", "build", history, out, "--threshold", 10, "--force").code == 0
    assert out.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--threshold", "0"], 3, "RN146"),
        (["--threshold", "1000000"], 3, "RN146"),
        (["--threshold-share", "1.5"], 3, "RN147"),
        (["--threshold", "5", "--threshold-share", "0.9"], 2, "exclude each other"),
        (["--reference", "Z99.9"], 3, "WT150"),
        (["--standard", "0"], 3, "WT150"),
        (["--year-weights", "1:2"], 3, "WT140"),
        (["--years", "24"], 2, "--years"),
        (["--auxiliary-rules", "nowhere.toml"], 3, "DF"),
        (["--rest", "elsewhere"], 2, "chapter, blank, none"),
        (["--years", "1999"], 3, "RN145"),
        (["--year-column", "Jahr"], 3, "WT132"),
        (["--preset", "nowhere"], 3, "SE59"),
    ],
)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_wrong_choices_are_said_clearly(run, history, tmp_path, words, code, said, lang):
    out = tmp_path / "city"
    answer = run("dip", "build", history, out, *words, "--lang", lang)
    assert answer.code == code
    if lang == "en" or said.isupper():
        assert said in answer.err
    assert "Traceback" not in answer.err
    assert not out.exists()


def test_a_column_of_costs_is_needed(run, tmp_path):
    path = tmp_path / "cases.csv"
    path.write_text("id,dx,px\n1,K35.300,47.0100\n", "utf-8")
    answer = run("dip", "build", path, tmp_path / "city")
    assert answer.code == 3
    assert "RE12" in answer.err
    assert "total_cost" in answer.err


def test_out_is_needed(run, history):
    assert run("dip", "build", history).code == 2
