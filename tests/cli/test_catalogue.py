"""`grouper scheme` where the scheme is a DIP catalogue, and the official DIP workbook at work."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import openpyxl
import pytest
from dip_catalogues import cases_30, real_text
from official_dip_workbook import sheets, workbook

from grouper.cli.scheme_catalogue import list_catalogues
from grouper.scheme.dip_diff import CHANGE_KINDS

pytestmark = pytest.mark.cli


@pytest.fixture(scope="module")
def official(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("official") / "按病种分值付费3.0版.xlsx"
    path.write_bytes(workbook(sheets()))
    return path


@pytest.fixture
def city(tmp_path: Path) -> Path:
    """A few groups of the real catalogue, with the blank and the chapters' rows."""
    head, *lines = real_text().splitlines()
    kept = [line for line in lines if line.startswith(("K35", "K40", "KBBZ", "CP"))]
    path = tmp_path / "city.tsv"
    path.write_text("\n".join([head, *kept, ""]), "utf-8")
    return path


@pytest.fixture
def discharges(tmp_path: Path) -> Path:
    path = tmp_path / "cases.jsonl"
    lines = [
        {"id": one["id"], "dx": [one["principal_dx"], *one["other_dx"]],
         "px": [code for code in (one["main_op"], *one["related_ops"]) if code],
         "age_days": one["age_days"], "weight": one["birth_weight_g"]}
        for one in cases_30()
    ]  # fmt: skip
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def small(path: Path, *rows: str, headers: str = "code,kind,dx_key,main_ops,score") -> Path:
    path.write_text("\n".join([headers, *rows, ""]), "utf-8")
    return path


class TestOfficialWorkbook:
    def test_it_is_a_scheme_and_so_is_what_was_imported(self, run, official, discharges, tmp_path):
        """The published expectations, from the workbook, its folder and its JSON: the same rows."""
        folder, file = tmp_path / "dip_30", tmp_path / "dip_30.json"
        assert run("scheme", "import", official, folder).code == 0
        assert run("scheme", "import", official, file).code == 0
        found = []
        for scheme in (official, folder, file):
            out = tmp_path / "out.csv"
            answer = run("group", discharges, "-s", scheme, "-o", out, "--as-is", "--force",
                         "--lang", "en")  # fmt: skip
            assert answer.code == 0, answer.err
            found.append(out.read_bytes())
            expected = {one["id"]: one["expected_seq"] or "" for one in cases_30()}
            assert {row["id"]: row["dip"] for row in rows_of(out)} == expected
            assert {row["layer"] for row in rows_of(out)} == {"XQ", "BX", "FZ", "JC", ""}
        assert found[1:] == found[:1] * 2

    @pytest.mark.parametrize(
        ("lang", "words"),
        [
            ("zh", ("核心病种", "先期分组（XQ）有 12 个病种，公布为 19 个", "!H6")),
            ("en", ("core", "layer XQ (先期分组) has 12 groups, as published 19", "!H6")),
        ],
    )
    def test_the_report_says_what_was_met(self, run, official, tmp_path, lang, words):
        answer = run("scheme", "import", official, tmp_path / "dip_30", "--lang", lang)
        assert answer.code == 0
        assert all(word in answer.out for word in words)

    def test_json_has_everything(self, run, official, tmp_path):
        answer = run("scheme", "import", official, tmp_path / "dip_30", "--json")
        found = json.loads(answer.out)
        head = found["scheme"]
        assert (head["id"], head["kind"], head["scores"]) == ("dip_30", "dip", "none")
        assert head["layers"] == {"XQ": 12, "BX": 9, "FZ": 24, "JC": 12}
        assert head["resistant_dx"] == 2
        assert {"SW60", "SW71", "SW73", "SW74", "SW77"} <= {i["code"] for i in found["findings"]}
        assert (
            head["digest"]
            == json.loads(run("scheme", "show", tmp_path / "dip_30", "--json").out)["scheme"][
                "digest"
            ]
        )

    def test_an_existing_place_is_replaced_only_on_request(self, run, official, tmp_path):
        for out in (tmp_path / "dip_30", tmp_path / "dip_30.json"):
            assert run("scheme", "import", official, out).code == 0
            assert run("scheme", "import", official, out).code == 3
            assert run("scheme", "import", official, out, "--force").code == 0

    def test_a_fault_leaves_nothing_behind(self, run, tmp_path):
        of = sheets()
        del of["primary"]
        path = tmp_path / "broken.xlsx"
        path.write_bytes(workbook(of))
        answer = run("scheme", "import", path, tmp_path / "dip_30", "--lang", "zh")
        assert answer.code == 3
        assert "SE73" in answer.err
        assert "基层病种" in answer.err
        assert not (tmp_path / "dip_30").exists()

    def test_explain(self, run, official):
        answer = run("explain", "--dx", "A17.801", "-s", official, "--json", "--as-is")
        assert json.loads(answer.out)["dip"] == "FZ-1840"


class TestImport:
    def test_the_rules_named_are_those_of_the_catalogue_from_then_on(self, run, city, tmp_path):
        cases = tmp_path / "in.csv"
        cases.write_text("id,dx,px,total_cost\n1,Z99.900,,4000.00\n", "utf-8")
        assert run("scheme", "import", city, tmp_path / "a_2025", "--preset", "jining").code == 0
        ends = []
        for words in (("-s", city), ("-s", tmp_path / "a_2025"),
                      ("-s", tmp_path / "a_2025", "--preset", "base")):  # fmt: skip
            out = tmp_path / "out.csv"
            run("group", cases, *words, "-o", out, "--force", "--as-is", "--lang", "en")
            ends.append(rows_of(out)[0]["dip"])
        assert ends == ["CP21:BSZL", "KBBZ", ""]

    def test_an_unknown_preset_is_said_before_anything_is_written(self, run, city, tmp_path):
        answer = run("scheme", "import", city, tmp_path / "a", "--preset", "nowhere")
        assert answer.code == 3
        assert "SE59" in answer.err
        assert not (tmp_path / "a").exists()

    def test_a_map_of_the_users_own(self, run, tmp_path):
        table = small(tmp_path / "local.csv", "1,K35.3,47.0100;47.0900,150",
                      headers="编码,诊断,操作,点数")  # fmt: skip
        mapping = tmp_path / "columns.toml"
        mapping.write_text(
            '[columns]\ncode = ["编码"]\ndx_key = ["诊断"]\nmain_ops = ["操作"]\n'
            'score = ["点数"]\n[operations]\nany = [";"]\n',
            "utf-8",
        )
        assert run("scheme", "lint", table).code == 1
        assert run("scheme", "lint", table, "--map", mapping).code == 0
        assert run("scheme", "import", table, tmp_path / "local", "--map", mapping).code == 0
        rows = (tmp_path / "local" / "rows.tsv").read_text("utf-8")
        assert "47.0100|47.0900" in rows
        # neither map nor table has a title: the name of the file
        assert 'title = "local"' in (tmp_path / "local" / "catalogue.toml").read_text("utf-8")

    def test_a_form_can_be_named(self, run, tmp_path):
        table = small(tmp_path / "local.csv", "A,core,K35.3,47.0100,150")
        assert run("scheme", "lint", table, "--dialect", "canonical").code == 0
        answer = run("scheme", "lint", table, "--dialect", "node_dip", "--lang", "en")
        assert answer.code == 1
        assert "SE51" in answer.out
        assert run("scheme", "lint", table, "--dialect", "odd").code == 3
        answer = run("scheme", "import", table, tmp_path / "x", "--dialect", "canonical", "--map",
                     table)  # fmt: skip
        assert answer.code == 2


class TestShowAndWrite:
    def test_the_head_has_counts(self, run, city):
        answer = run("scheme", "show", city, "--lang", "zh")
        assert answer.code == 0
        lines = [line.split() for line in answer.out.splitlines()]
        table = city.read_text("utf-8").splitlines()[1:]
        assert ["病种", str(len(table))] in lines
        assert ["核心病种", str(sum("\tcore\t" in row for row in table))] in lines
        assert ["未入组病种", "88"] in lines

    @pytest.mark.parametrize("code", ["K35.3:47.0100", "K35.3", "k35.3"])
    def test_groups_by_code_or_diagnosis(self, run, city, code):
        found = json.loads(run("scheme", "show", city, code, "--json").out)["rules"]
        one = next(rule for rule in found if rule["code"] == "K35.3:47.0100")
        assert one["when"] == "dx_key K35.3; main_ops 47.0100"
        assert one["score"] == "1484.833425"
        assert run("scheme", "show", city, code, "--lang", "en").out.startswith("code")

    def test_an_unknown_group_is_wrong_usage(self, run, city):
        answer = run("scheme", "show", city, "Q99.9", "--lang", "en")
        assert answer.code == 2
        assert "Q99.9" in answer.err

    def test_files(self, run, city):
        answer = run("scheme", "show", city, "--flat", "rows.tsv")
        assert answer.out.startswith("code\tkind\tlayer")
        assert run("scheme", "show", city, "--flat", "drg.tsv").code == 2

    def test_write_is_import_without_a_report(self, run, city, tmp_path):
        assert run("scheme", "write", city, tmp_path / "out").code == 0
        assert (tmp_path / "out" / "city" / "rows.tsv").is_file()
        assert run("scheme", "lint", tmp_path / "out" / "city").code == 0
        answer = run("scheme", "write", city, tmp_path / "x", "--extends", "chs_drg_20")
        assert answer.code == 2

    def test_list_has_the_catalogues_of_the_users_data(self, run, city, tmp_path, monkeypatch):
        monkeypatch.setenv("GROUPER_DATA", str(tmp_path / "home"))
        assert run("scheme", "import", city, tmp_path / "home" / "schemes" / "my_city").code == 0
        answer = run("scheme", "list", "--lang", "en")
        assert any(line.split()[:1] == ["my_city"] for line in answer.out.splitlines())
        # --json reads every scheme that comes with the program: its part alone
        assert [one["id"] for one in list_catalogues()] == ["my_city"]
        assert run("scheme", "show", "my_city", "K35.3").code == 0


class TestDiff:
    BEFORE = ("A,core,K35.3,47.0100,100", "B,core,K36.X,,50", "C,core,K37.X,,60", "D,core,K38.9,,9")
    AFTER = ("A,core,K35.3,47.0100,110", "B,core,K36.X,47.0100,50", "E,core,K38.9,,9",
             "F,core,K40.9,,70")  # fmt: skip

    @pytest.fixture
    def both(self, tmp_path) -> tuple[Path, Path]:
        return (
            small(tmp_path / "before.csv", *self.BEFORE),
            small(tmp_path / "after.csv", *self.AFTER),
        )

    def test_groups_are_told_by_code_and_by_keys(self, run, both):
        found = json.loads(run("scheme", "diff", *both, "--json").out)
        assert list(found["counts"]) == list(CHANGE_KINDS)
        assert {(one["kind"], one["code"], one["field"]) for one in found["changes"]} == {
            ("added", "F", ""),
            ("removed", "C", ""),
            ("recoded", "E", "code"),
            ("changed", "A", "score"),
            ("changed", "B", "main_ops"),
        }
        score = next(one for one in found["changes"] if one["field"] == "score")
        assert (score["before"], score["after"]) == ("100", "110")

    @pytest.mark.parametrize(("lang", "word"), [("zh", "取消病种: 1"), ("en", "groups removed: 1")])
    def test_text(self, run, both, lang, word):
        answer = run("scheme", "diff", *both, "--lang", lang)
        assert answer.code == 0
        assert word in answer.out

    def test_lists_of_30(self, run, official, tmp_path):
        of = sheets()
        of["excluded_dx"].rows.append(("Z76.000", ""))
        newer = tmp_path / "newer.xlsx"
        newer.write_bytes(workbook(of))
        found = json.loads(run("scheme", "diff", official, newer, "--json").out)["changes"]
        assert [(one["kind"], one["code"], one["after"]) for one in found] == [
            ("listed", "excluded_dx", "Z76.000")
        ]

    def test_the_same_twice(self, run, city):
        answer = run("scheme", "diff", city, city, "--lang", "en")
        assert answer.code == 0
        assert "nothing changed" in answer.out

    @pytest.mark.parametrize("suffix", [".xlsx", ".json", ".txt"])
    def test_files(self, run, both, tmp_path, suffix):
        out = tmp_path / f"changes{suffix}"
        assert run("scheme", "diff", *both, "-o", out, "--lang", "zh").code == 0
        if suffix == ".xlsx":
            book = openpyxl.load_workbook(out)
            rows = [[cell.value for cell in row] for row in book.worksheets[2]]
            assert rows[0] == ["变化", "病种或清单", "项目", "变化前", "变化后"]
            assert ["病种内容变化", "A", "分值", "100", "110"] in rows
        assert run("scheme", "diff", *both, "-o", out).code == 3

    def test_only_with_another_catalogue(self, run, city):
        answer = run("scheme", "diff", city, "chs_drg_20", "--lang", "en")
        assert answer.code == 2
        assert "DIP" in answer.err
        assert run("scheme", "diff", city, city, "--mdc", "B").code == 2


ERRORS = {
    "SE53": ("A,core,K35.3,,100", "A,core,K36.X,,90"),
    "SE54": ("A,core,K35.3,,0",),
    "SE74": ("A,core,K35.300K36.X,,10",),
}


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("code", sorted(ERRORS))
def test_errors_of_a_catalogue_name_file_and_row(run, tmp_path, code, lang):
    table = small(tmp_path / "bad.csv", *ERRORS[code])
    answer = run("scheme", "lint", table, "--lang", lang)
    assert answer.code == 1
    row = len(ERRORS[code]) + 1
    assert f"{code} bad.csv:{row}:" in answer.out


def test_a_code_in_no_dictionary_is_a_warning_with_its_row(run, tmp_path):
    table = small(tmp_path / "odd.csv", "A,core,Q99.Y,,100", "B,core,K35.3,99.8Z99,100")
    answer = run("scheme", "lint", table, "--lang", "en")
    assert answer.code == 0
    assert "SW57 odd.csv:2:A" in answer.out
    assert "SW57 odd.csv:3:A" in answer.out
    assert run("scheme", "lint", table, "--strict").code == 1


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_rules_without_an_end_for_ties_are_refused_where_a_tie_occurs(run, tmp_path, lang):
    table = small(tmp_path / "city.csv", "A,core,K40.2,53.0204,100", "B,core,K40.2,53.1501,100")
    rules = tmp_path / "rules.toml"
    rules.write_text(
        'title = "x"\nsource = "x"\nconfidence = "constructed"\ntie = ["exact"]\n', "utf-8"
    )
    cases = tmp_path / "in.jsonl"
    cases.write_text('{"id": "1", "dx": ["K40.200"], "px": ["53.0204", "53.1501"]}\n', "utf-8")
    out = tmp_path / "out.csv"
    answer = run("group", cases, "-s", table, "--preset", rules, "-o", out, "--as-is",
                 "--lang", lang)  # fmt: skip
    assert answer.code == 3
    assert "SE62" in answer.err
    assert not out.exists()
