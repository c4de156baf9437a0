"""`grouper group` and `grouper explain` with a DIP catalogue as the scheme."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from dip_catalogues import DATA, REGIONS, cases, cases_30, real_text

from grouper.run import dip

pytestmark = pytest.mark.cli

COLUMNS = ["status", "reason", "dip", "dip_name", "kind", "layer", "score"]


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("city") / "city-2025.tsv"
    path.write_text(real_text(), "utf-8")
    return path


@pytest.fixture(scope="module", autouse=True)
def read_once() -> Iterator[None]:
    """Each content of a file of catalogue is read once, however many commands name it."""
    read, kept = dip.read_catalogue, {}

    def read_catalogue(path, **how):
        key = (str(path), Path(path).read_bytes(), *how.items())
        if key not in kept:
            kept[key] = read(path, **how)
        return kept[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dip, "read_catalogue", read_catalogue)
        yield


@pytest.fixture
def discharges(tmp_path: Path) -> Path:
    """The published cases as they are."""
    path = tmp_path / "discharges.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in cases()), "utf-8")
    return path


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.conformance
@pytest.mark.parametrize("engine", ["kernel", "reference"])
@pytest.mark.parametrize("region", REGIONS)
def test_every_case_has_its_expected_group(run, catalogue, discharges, tmp_path, region, engine):
    out = tmp_path / "out.csv"
    answer = run("group", discharges, "-s", catalogue, "--preset", region, "-o", out, "--as-is",
                 "--engine", engine, "--lang", "en")  # fmt: skip
    assert answer.code == 0, answer.err
    rows = read_csv(out)
    assert list(rows[0])[-7:] == COLUMNS
    expected = {c["id"]: c["expected"][region] for c in cases()}
    assert {row["id"]: row["dip"] or None for row in rows} == expected


@pytest.mark.conformance
@pytest.mark.parametrize("engine", ["kernel", "reference"])
def test_every_case_of_30_has_its_expected_number(run, tmp_path, engine):
    source, scheme, out = (
        DATA / "cases-3.0.jsonl", DATA / "national-3.0-partial.tsv", tmp_path / "out.csv",
    )  # fmt: skip
    answer = run("group", source, "-s", scheme, "-o", out, "--as-is", "--engine", engine,
                 "--lang", "en")  # fmt: skip
    assert answer.code == 0, answer.err
    found = {row["id"]: row["dip"] or None for row in read_csv(out)}
    assert found == {one["id"]: one["expected_seq"] for one in cases_30()}


def test_a_run_folder_is_resumed_by_the_rules_it_was_begun_with(
    run, catalogue, discharges, tmp_path
):
    folder, out = tmp_path / "run", tmp_path / "out.csv"
    words = ("--preset", "jining", "--as-is", "--lang", "en")
    assert run("group", discharges, "-s", catalogue, "--run", folder, *words).code == 0
    assert run("group", discharges, "-s", catalogue, "-o", out, *words).code == 0
    assert (folder / "results.csv").read_bytes() == out.read_bytes()
    (folder / "manifest.json").unlink()
    assert run("run", "resume", folder).code == 0
    assert (folder / "results.csv").read_bytes() == out.read_bytes()


@pytest.mark.parametrize(("born", "code"), [(800, "XQ-16"), (None, "XQ-17"), (2600, None)])
def test_weight_at_birth_counts_before_that_at_admission(run, tmp_path, born, code):
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    record = {"id": "1", "dx": ["P07.100"], "age": 0, "age_days": 10, "weight": 1200}
    source.write_text(json.dumps({**record, "birth_weight": born}) + "\n", "utf-8")
    scheme = DATA / "national-3.0-partial.tsv"
    for words in ((), ("--as-is",)):
        run("group", source, "-s", scheme, "-o", out, "--lang", "en", "--force", *words)
        assert json.loads(out.read_text("utf-8"))["dip"] == code


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_other_forms_of_catalogue_and_result(run, catalogue, discharges, tmp_path, suffix):
    lines = [line.split("\t") for line in real_text().splitlines()]
    other = tmp_path / f"city{suffix}"
    if suffix == ".csv":
        with other.open("w", encoding="gb18030", newline="") as file:
            csv.writer(file).writerows(lines)
    else:
        book = openpyxl.Workbook()
        for line in lines:
            book.active.append(line)
        book.save(other)
    first, second = tmp_path / "first.xlsx", tmp_path / "second.xlsx"
    for scheme, out in ((catalogue, first), (other, second)):
        assert run("group", discharges, "-s", scheme, "-o", out, "--lang", "zh").code == 0
    sheets = [openpyxl.load_workbook(out)["结果"] for out in (first, second)]
    found = [[[cell.value for cell in row] for row in sheet] for sheet in sheets]
    assert found[0] == found[1]
    titles = ["分组状态", "原因", "DIP编码", "DIP名称", "病种类型", "目录层级", "病种分值"]
    assert found[0][0][-7:] == titles
    assert found[0][1][-7:-1] == ["入组", "保守治疗", "K22.1", "食管溃疡", "核心病种", None]
    assert found[0][1][-1] == 543.330998


def test_cleaning_makes_the_usual_code_of_a_spelling(run, catalogue, tmp_path):
    """As it stands, C56.X00 is a diagnosis that the dictionary lacks; cleaned, it is C56.x00."""
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    record = {"id": "1", "dx": ["C56.X00"], "px": [], "sex": 2, "age": 50}
    source.write_text(json.dumps(record) + "\n", "utf-8")
    found = []
    for words in (("--as-is",), ()):
        run("group", source, "-s", catalogue, "--preset", "base", "-o", out, "--lang", "en",
            "--force", *words)  # fmt: skip
        found.append(json.loads(out.read_text("utf-8"))["dip"])
    assert found == [None, "C56.x"]


def test_a_table_needs_no_sex(run, catalogue, tmp_path):
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("id,dx,px,total_cost\n1,K35.300,47.0100,8200.00\n", "utf-8")
    assert run("group", source, "-s", catalogue, "-o", out, "--lang", "en").code == 0
    assert read_csv(out)[0]["dip"] == "K35.3:47.0100"


def test_a_case_without_diagnosis_is_rejected(run, catalogue, tmp_path):
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"id": "1", "dx": [], "px": []}\n', "utf-8")
    answer = run("group", source, "-s", catalogue, "-o", out, "--lang", "en", "--as-is")
    assert answer.code == 1
    row = json.loads(out.read_text("utf-8"))
    assert (row["status"], row["reason"], row["dip"]) == ("rejected", "dx_missing", None)


def test_layers(run, tmp_path):
    source, out = tmp_path / "in.jsonl", tmp_path / "out.csv"
    record = {"id": "1", "dx": ["P07.100"], "px": [], "age": 0, "age_days": 10, "weight": 1200}
    source.write_text(json.dumps(record) + "\n", "utf-8")
    scheme = DATA / "national-3.0-partial.tsv"
    assert run("group", source, "-s", scheme, "-o", out, "--lang", "en", "--as-is").code == 0
    (row,) = read_csv(out)
    assert (row["dip"], row["layer"], row["score"]) == ("XQ-17", "XQ", "")


class TestExplain:
    CASE = ("--dx", "K40.200", "--px", "53.1501", "--px", "53.0204", "--total-cost", "6185.27")

    def test_says_who_was_considered_and_why_each_fell_out(self, run, catalogue):
        answer = run("explain", *self.CASE, "-s", catalogue, "--preset", "base", "--json")
        found = json.loads(answer.out)
        assert found["dip"] == "K40.2:53.0204"
        assert found["steps"] == [
            {"step": "candidates", "kept": ["K40.2:53.0204", "K40.2:53.1501"], "dropped": []},
            {"step": "nearest_cost", "kept": ["K40.2:53.0204"], "dropped": ["K40.2:53.1501"]},
        ]
        assert {"dip": "K40.2:53.1000", "lacks": ["53.1000"]} in found["not_candidates"]

    @pytest.mark.parametrize(("lang", "word"), [("zh", "次均费用最接近"), ("en", "nearest_cost")])
    def test_text(self, run, catalogue, lang, word):
        answer = run("explain", *self.CASE, "-s", catalogue, "--preset", "base", "--lang", lang)
        assert answer.code == 0
        assert word in answer.out
        assert "K40.2:53.1501" in answer.out

    def test_a_row_of_a_file(self, run, catalogue, discharges):
        answer = run("explain", discharges, "--row", 1, "-s", catalogue, "--as-is", "--json")
        assert json.loads(answer.out)["dip"] == "K22.1"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--preset", "nowhere"), 3, "jingzhou"),
        (("--on", "spark"), 3, "RN205"),
        (("--on", "spark", "--engine", "reference"), 2, "--engine"),
    ],
)
def test_what_does_not_go_is_said(run, catalogue, discharges, tmp_path, words, code, said):
    out = tmp_path / "out.csv"
    answer = run("group", discharges, "-s", catalogue, "-o", out, *words)
    assert answer.code == code
    assert said in answer.err
    assert not out.exists()


def test_presets_are_no_matter_of_drg(run, discharges, tmp_path):
    answer = run("group", discharges, "-s", "chs_drg_20", "--preset", "base", "-o",
                 tmp_path / "out.csv")  # fmt: skip
    assert answer.code == 2
    assert "--preset" in answer.err


def test_a_bad_catalogue_is_refused_with_its_rows(run, discharges, tmp_path):
    path = tmp_path / "bad.tsv"
    path.write_text("code\tkind\tdx_key\tscore\nA\tcore\tK35.3\t0\nA\tcore\tK35.3\t9\n", "utf-8")
    answer = run("group", discharges, "-s", path, "-o", tmp_path / "out.csv", "--lang", "en")
    assert answer.code == 3
    assert "SE54 bad.tsv:2:A" in answer.err
    assert "SE53 bad.tsv:3:A" in answer.err


def test_classes_of_the_users_own(run, catalogue, tmp_path):
    source, out, table = (tmp_path / name for name in ("in.jsonl", "out.csv", "classes.tsv"))
    record = {"id": "1", "dx": ["K40.900"], "px": ["99.9900"], "sex": 1, "age": 50}
    source.write_text(json.dumps(record) + "\n", "utf-8")
    table.write_text("code\tclass\n99.9900\tsurgical\n", "utf-8")
    found = []
    for words in ((), ("--op-classes", table)):
        run("group", source, "-s", catalogue, "--preset", "base", "-o", out, "--as-is", "--force",
            "--lang", "en", *words)  # fmt: skip
        found.append(read_csv(out)[0]["dip"])
    assert found == ["K40.9", "K40:SS"]


def test_lint_lists_what_is_odd_with_its_rows(run, catalogue):
    answer = run("scheme", "lint", catalogue, "--lang", "en", "--json")
    assert answer.code == 0
    (found,) = json.loads(answer.out)["schemes"]
    assert (found["errors"], found["warnings"]) == (0, 209)
    assert {"SW54", "SW55", "SW56"} == {issue["code"] for issue in found["issues"]}


def test_every_token_has_its_chinese_words():
    """In English results hold the tokens, which programs rely on; in Chinese their words."""
    from grouper.run.results import words
    from grouper.scheme.dip import KINDS
    from grouper.scheme.dip_preset import STEPS, load_layers

    said = words("zh")
    layers = load_layers().layers
    assert set(KINDS) == set(said["kind"])
    assert {*STEPS, *(step for one in layers for step in one.prefer)} <= set(said["dip_step"])
    assert {f"layer_{one.code}" for one in layers} <= set(said["dip_step"])
