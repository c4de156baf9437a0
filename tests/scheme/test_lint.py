"""Each defect that the linter must find, proved by a broken copy of a small sound scheme."""

from __future__ import annotations

import shutil
import string
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grouper.datafile import data_folder
from grouper.errors import Issue, SchemeError, messages
from grouper.scheme.lint import lint
from grouper.scheme.load import load_folder

DATA = Path(__file__).parents[1] / "data" / "schemes"
DEFECTS: list[dict[str, Any]] = tomllib.loads((DATA / "defects.toml").read_text("utf-8"))["defect"]
#: phrases that the broken copies cannot bring about everywhere
UNTESTED = {("SE01", "unreadable"), ("SE08", "other"), ("SE09", "other")}
LINTED = {f"SE{n:02}" for n in range(1, 13)} | {f"SW{n:02}" for n in range(1, 14)}


def _edit(folder: Path, file: str, action: str, *words: str) -> None:
    path = folder / file
    if action == "remove":
        path.unlink()
        return
    text = path.read_bytes().decode()
    match action:
        case "empty":
            text = ""
        case "encode":
            path.write_bytes(text.encode(words[0]))
            return
        case "sort":
            head, *rows = text.splitlines(keepends=True)
            text = head + "".join(sorted(rows, key=lambda row: int(row.split("\t")[0])))
        case "all":
            text = text.replace(*words)
        case old:
            assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times in {file}"
            text = text.replace(old, words[0])
    path.write_bytes(text.encode())


def _broken(tmp_path: Path, edits: list[list[str]]) -> Path:
    folder = tmp_path / "mini"
    shutil.copytree(DATA / "mini", folder)
    for edit in edits:
        _edit(folder, *edit)
    return folder


def _shown(issues: list[Issue]) -> list[str]:
    return [f"{issue.code} {issue.where}" for issue in issues]


def test_the_sound_scheme_has_no_findings() -> None:
    assert _shown(lint(DATA / "mini")) == []


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda d: f"{d['id']} {d['name']}")
def test_every_defect_is_found_at_its_place(defect: dict[str, Any], tmp_path: Path) -> None:
    folder = _broken(tmp_path, defect["edits"])
    found = lint(folder)
    assert _shown(found) == defect["expect"], [issue.text() for issue in found]
    of_code = [issue for issue in found if issue.code == f"S{defect['id']}"]
    assert of_code, "the defect is not reported under its id"
    if "near" in defect:
        assert defect["near"] in {issue.params["near"] for issue in of_code}
    for issue in found:
        assert issue.severity == ("error" if issue.code.startswith("SE") else "warning")


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda d: f"{d['id']} {d['name']}")
def test_a_scheme_loads_unless_it_has_errors_which_come_all_at_once(
    defect: dict[str, Any], tmp_path: Path
) -> None:
    folder = _broken(tmp_path, defect["edits"])
    errors = [place for place in defect["expect"] if place.startswith("SE")]
    if not errors:
        assert load_folder(folder).id == "mini"
        return
    with pytest.raises(SchemeError) as caught:
        load_folder(folder)
    assert _shown(list(caught.value.issues)) == errors


def test_every_finding_and_every_phrase_of_the_messages_is_proved(tmp_path: Path) -> None:
    proved: set[tuple[str, str]] = set()
    for number, defect in enumerate(DEFECTS):
        folder = _broken(tmp_path / str(number), defect["edits"])
        for issue in lint(folder, known_codes={"dx": {"E87.600"}, "px": set()}):
            proved.add((issue.code, str(issue.params["problem"])))
    expected: set[tuple[str, str]] = set()
    for code in LINTED:
        phrases: Any = messages("en")[code].get("problem", [""])
        expected |= {(code, phrase) for phrase in phrases}
    assert expected - UNTESTED == proved


@pytest.mark.parametrize("code", sorted(LINTED | {"SE13", "DF120"}))
def test_both_languages_say_the_same_with_the_same_places(code: str) -> None:
    def places(text: object) -> object:
        if isinstance(text, dict):
            return {key: places(part) for key, part in text.items()}
        return {field for _, field, _, _ in string.Formatter().parse(str(text)) if field}

    assert places(messages("en")[code]) == places(messages("zh")[code])


def test_messages_name_the_place_the_text_and_the_nearest_word(tmp_path: Path) -> None:
    edit = ["adrg.tsv", "main_dx in BR1_dx", "main_dx in BR1_dxx"]
    (issue,) = [i for i in lint(_broken(tmp_path, [edit])) if i.code == "SE09"]
    assert issue.text("en").splitlines()[0] == (
        "SE09 adrg.tsv:11:when:12  unknown list BR1_dxx: main_dx in BR1_dxx (nearest: BR1_dx)"
    )
    assert issue.text("zh").splitlines()[0] == (
        "SE09 adrg.tsv:11:when:12  未知的列表 BR1_dxx：main_dx in BR1_dxx（最接近的是 BR1_dx）"
    )


def test_codes_outside_the_code_table_are_warned_of_once_a_file() -> None:
    known = {"dx": {"G06.000", "I63.900", "R69.x00"}, "px": {"01.2400", "00.0100"}}
    found = [i for i in lint(DATA / "mini", known_codes=known) if i.code == "SW10"]
    assert [f"{i.where} {i.params['text']} {i.params['kind']}" for i in found][:3] == [
        "lists.tsv:2:code 37.5100 px",
        "lists.tsv:6:code 01.3100 px",
        "lists.tsv:7:code 02.0100 px",
    ]
    assert [i.where for i in found if not i.where.startswith("lists")] == [
        "cc.tsv:2:code",
        "cc.tsv:4:code",
        "exclusions.tsv:2:code",
        "exclusions.tsv:4:code",
    ]


def test_a_folder_that_does_not_exist_is_a_finding(tmp_path: Path) -> None:
    places = _shown(lint(tmp_path / "nowhere"))
    assert places == [
        "SE01 scheme.toml",
        "SE01 mdc.tsv",
        "SE01 adrg.tsv",
        "SE01 drg.tsv",
        "SE01 lists.tsv",
        "SE01 cc.tsv",
        "SE01 exclusions.tsv",
    ]


def test_warnings_of_the_published_schemes_are_the_committed_ones(
    golden: Callable[[Path, str], None],
) -> None:
    ids = [line.split()[0] for line in (DATA / "counts.txt").read_text("utf-8").splitlines()[1:]]
    lines = [
        f"{scheme_id}\t{issue.code}\t{issue.where}\t{issue.what('en')}\n"
        for scheme_id in ids
        for issue in lint(data_folder("schemes", scheme_id))
    ]
    golden(DATA / "lint-warnings.txt", "".join(lines))
