"""Loading scheme folders: which folder is meant, what comes out, how long it takes."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from grouper.errors import SchemeError
from grouper.scheme.load import embedded_ids, find_scheme, load_scheme
from grouper.scheme.model import Complication, Scheme

DATA = Path(__file__).parents[1] / "data" / "schemes"
MINI = DATA / "mini"
COUNTS = [line.split() for line in (DATA / "counts.txt").read_text("utf-8").splitlines()[1:]]


@pytest.mark.parametrize("expected", COUNTS, ids=lambda row: row[0])
def test_published_schemes_have_their_published_counts(
    expected: list[str], load: Callable[[str], Scheme]
) -> None:
    scheme = load(expected[0])
    mcc = sum(complication.level == "MCC" for complication in scheme.cc.values())
    counts = [
        len(scheme.mdcs),
        len(scheme.adrgs),
        len({rule.adrg for rule in scheme.adrgs if not rule.is_ambiguous}),
        len(scheme.drgs),
        len(scheme.lists),
        sum(len(part.codes) for part in scheme.lists.values()),
        mcc,
        len(scheme.cc) - mcc,
        len(scheme.exclusions),
    ]
    assert [scheme.id, *map(str, counts)] == expected


def test_nine_schemes_are_embedded_and_one_is_a_draft(load: Callable[[str], Scheme]) -> None:
    assert sorted(embedded_ids()) == sorted(row[0] for row in COUNTS)
    schemes = [load(scheme_id) for scheme_id in embedded_ids()]
    assert [scheme.id for scheme in schemes if scheme.is_draft] == ["chs_drg_30"]
    for scheme in schemes:
        assert scheme.source
        assert scheme.publication or scheme.status == "regional"
        assert scheme.date
        assert scheme.readme.startswith(f"# {scheme.id}\n")


def test_a_loaded_scheme_holds_what_the_files_say() -> None:
    scheme = load_scheme(MINI)
    assert scheme.lists["MDCB_dx"].kind == "dx"
    assert scheme.lists["MDCB_dx"].codes == ("A17.000+G01*", "G06.000", "G45.900", "I63.900")
    assert scheme.cc["J96.000"] == Complication("MCC", "")
    assert scheme.exclusions["G45.900"] == "1"
    assert scheme.not_for_grouping["px", "00.0100"] == "not_for_grouping"
    rule = scheme.adrgs[8]
    assert (rule.order, rule.row, rule.adrg, rule.is_ambiguous) == (9, 10, "BQY", True)
    assert [drg.drg for drg in scheme.drgs if drg.adrg == "BB1"] == ["BB11", "BB13", "BB15"]


def test_rows_of_a_list_may_stand_apart_and_unsorted(tmp_path: Path) -> None:
    folder = tmp_path / "mini"
    shutil.copytree(MINI, folder)
    head, *rows = (folder / "lists.tsv").read_text("utf-8").splitlines(keepends=True)
    (folder / "lists.tsv").write_text("".join([head, *reversed(rows[::2]), *rows[1::2]]), "utf-8")
    assert load_scheme(folder).lists == load_scheme(MINI).lists
    assert load_scheme(folder).digest == load_scheme(MINI).digest


def test_missing_optional_files_are_no_error(tmp_path: Path) -> None:
    folder = tmp_path / "mini"
    shutil.copytree(MINI, folder)
    (folder / "notgrouped.tsv").unlink()
    (folder / "README.md").unlink()
    scheme = load_scheme(folder)
    assert (dict(scheme.not_for_grouping), scheme.readme) == ({}, "")


def test_an_unknown_id_names_the_embedded_ones_and_the_nearest() -> None:
    with pytest.raises(SchemeError) as caught:
        load_scheme("chs_drg_2")
    (issue,) = caught.value.issues
    assert issue.code == "SE13"
    assert "chs_drg_2 (nearest: chs_drg_20)" in issue.what("en")
    assert ", ".join(embedded_ids()) in issue.why("zh")


@pytest.mark.parametrize("path", ["nowhere/mini", "./nowhere"])
def test_a_text_with_a_separator_is_a_path(path: str) -> None:
    with pytest.raises(SchemeError) as caught:
        load_scheme(path)
    assert caught.value.issues[0].params["problem"] == "folder"


def test_a_folder_here_wins_over_an_embedded_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(MINI, tmp_path / "chs_drg_20")
    head = tmp_path / "chs_drg_20" / "scheme.toml"
    head.write_text(head.read_text("utf-8").replace('"mini"', '"chs_drg_20"'), "utf-8")
    monkeypatch.chdir(tmp_path)
    assert load_scheme("chs_drg_20").title == "测试用小方案"
    monkeypatch.chdir(tmp_path / "chs_drg_20")
    assert load_scheme(".").title == "测试用小方案"


def test_a_folder_without_a_head_never_hides_an_embedded_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("chs_drg_11", "mine"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    assert find_scheme("chs_drg_11").parent.name == "schemes"
    with pytest.raises(SchemeError) as caught:
        load_scheme("mine")
    assert caught.value.issues[0].where == "scheme.toml"


def test_a_file_that_cannot_be_read_is_an_error_of_the_scheme(tmp_path: Path) -> None:
    folder = tmp_path / "mini"
    shutil.copytree(MINI, folder)
    (folder / "cc.tsv").unlink()
    (folder / "cc.tsv").mkdir()
    with pytest.raises(SchemeError) as caught:
        load_scheme(folder)
    assert [(i.code, i.where, i.params["problem"]) for i in caught.value.issues] == [
        ("SE01", "cc.tsv", "unreadable")
    ]


def test_a_large_scheme_loads_within_its_time(load: Callable[[str], Scheme]) -> None:
    load("chs_drg_30")  # modules imported, file in the cache of the system
    assert min(_seconds("chs_drg_30") for _ in range(2)) < 0.6


def _seconds(scheme_id: str) -> float:
    start = time.process_time()
    load_scheme(scheme_id)
    return time.process_time() - start
