"""A scheme as a difference: whole again it is the same to the byte, and what misfits is named."""

from __future__ import annotations

import hashlib
import shutil
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grouper.datafile import data_folder
from grouper.errors import SchemeError, messages
from grouper.scheme.extends import difference_files, long_rows, read_flat
from grouper.scheme.lint import lint
from grouper.scheme.load import load_scheme
from grouper.scheme.model import CodeList, Complication, Scheme
from grouper.scheme.source import LONG
from grouper.scheme.write import canonical_files, write_scheme

DATA = Path(__file__).parents[1] / "data" / "schemes"
MINI = DATA / "mini"


def _whole_files() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for line in (DATA / "whole.sha256").read_text("utf-8").splitlines():
        digest, _, place = line.partition("  ")
        scheme_id, _, name = place.partition("/")
        found[scheme_id][name] = digest
    return found


WHOLE = _whole_files()
EXTENDS = {
    "beijing_2024": "chs_drg_20",
    "foshan_2022": "chs_drg_11",
    "guangxi_2022": "chs_drg_11",
    "henan_2024": "chs_drg_20",
    "qingyang_2023": "chs_drg_11",
    "shanxi_2024": "chs_drg_20",
}


def _region(folder: Path, **edits: str) -> Path:
    """A folder `region` that extends mini, beside a copy of it; `edits` are rows of its tables."""
    shutil.copytree(MINI, folder / "mini", dirs_exist_ok=True)
    region = folder / "region"
    write_scheme(replace(load_scheme(MINI), id="region", readme=""), region, base=_mini(folder))
    for name, rows in edits.items():
        with (region / f"{name}.tsv").open("a", encoding="utf-8", newline="\n") as file:
            file.write("".join(f"{row}\n" for row in rows.split("|")).replace(" ", "\t"))
    return region


def _mini(folder: Path) -> Scheme:
    return load_scheme(folder / "mini")


def _places(folder: Path) -> list[tuple[str, str, object]]:
    return [(i.code, i.where, i.params["problem"]) for i in lint(folder) if i.code < "SW"]


@pytest.mark.parametrize("scheme_id", WHOLE)
def test_a_flattened_scheme_is_the_whole_folder_to_the_byte(
    scheme_id: str, load: Callable[[str], Scheme]
) -> None:
    files = canonical_files(load(scheme_id))
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    del digests["README.md"]  # ours tells of the difference
    assert digests == WHOLE[scheme_id]


def test_the_regional_schemes_are_differences_and_the_national_ones_whole(
    load: Callable[[str], Scheme],
) -> None:
    assert {x: load(x).extends for x in WHOLE if load(x).extends} == EXTENDS
    for scheme_id in EXTENDS:
        size = sum(path.stat().st_size for path in data_folder("schemes", scheme_id).iterdir())
        assert size < 300_000


def test_the_digest_is_that_of_the_whole_scheme(tmp_path: Path) -> None:
    scheme = load_scheme("qingyang_2023")
    write_scheme(scheme, tmp_path / scheme.id)
    again = load_scheme(tmp_path / scheme.id)
    assert (again.extends, again.digest) == ("", scheme.digest)


CODES = st.sampled_from(["A00.000", "B20.x00", "I10.x00x002", "I63.900", "J18.900", "Z99.900"])
TABLES = st.sampled_from(["", "1", "01", "2", "12"])


@st.composite
def variants(draw: st.DrawFn) -> Scheme:
    """Mini with other codes in its lists and other complications."""
    mini = load_scheme(MINI)
    lists = {
        name: CodeList(name, part.kind, tuple(sorted(
            {*draw(st.sets(st.sampled_from(part.codes))), *draw(st.sets(CODES, min_size=1))}
        )))
        for name, part in mini.lists.items()
    }  # fmt: skip
    cc = draw(st.dictionaries(
        CODES, st.builds(Complication, st.sampled_from(["MCC", "CC"]), TABLES)))  # fmt: skip
    return replace(
        mini,
        id="ours",
        readme="",
        lists=lists,
        cc={**mini.cc, **cc} if draw(st.booleans()) else cc,
        exclusions=draw(st.dictionaries(CODES, TABLES.filter(bool))),
        not_for_grouping={("dx", code): "gray" for code in draw(st.sets(CODES))},
    )


@settings(max_examples=40)
@given(variants())
def test_any_difference_put_into_its_base_gives_the_scheme_again(
    tmp_path_factory: pytest.TempPathFactory, ours: Scheme
) -> None:
    folder = tmp_path_factory.mktemp("pair")
    shutil.copytree(MINI, folder / "mini")
    base = _mini(folder)
    write_scheme(ours, folder / "ours", base=base)
    again = load_scheme(folder / "ours")
    assert canonical_files(again) == canonical_files(ours)
    assert canonical_files(again, base=base) == canonical_files(ours, base=base)
    for name in LONG:
        n_changes = len(set(long_rows(ours, name)) ^ set(long_rows(base, name)))
        if name in difference_files(ours, base):
            lines = (folder / "ours" / name).read_bytes().count(b"\n")
            assert lines == 1 + n_changes  # no shorter difference exists


def test_rows_are_taken_out_and_put_in_at_their_place(tmp_path: Path) -> None:
    region = _region(
        tmp_path,
        lists="+ MDCB_dx dx G45.800|- MDCB_dx dx G45.900|+ MDCB_dx dx A00.000|+ MDCB_dx dx Z00.000",
        cc="- J96.000 MCC |+ J96.000 CC 7",
    )
    scheme = load_scheme(region)
    codes = ("A00.000", "A17.000+G01*", "G06.000", "G45.800", "I63.900", "Z00.000")
    assert scheme.lists["MDCB_dx"].codes == codes
    assert scheme.cc["J96.000"] == Complication("CC", "7")
    rows = list(zip(*read_flat(region).tables["lists.tsv"].cells, strict=True))
    assert rows == sorted(rows)


def test_a_scheme_without_notgrouped_has_none_even_where_its_base_has(tmp_path: Path) -> None:
    region = _region(tmp_path)
    assert load_scheme(region).not_for_grouping == load_scheme(MINI).not_for_grouping
    (region / "notgrouped.tsv").unlink()
    assert load_scheme(region).not_for_grouping == {}


@pytest.mark.parametrize(
    ("name", "rows", "problem", "text"),
    [
        ("lists", "- MDCB_dx dx B99.900", "absent", "- MDCB_dx dx B99.900"),
        ("lists", "+ MDCB_dx dx I63.900", "present", "+ MDCB_dx dx I63.900"),
        ("lists", "* MDCB_dx dx A00.000", "mark", "* MDCB_dx dx A00.000"),
        ("cc", "- J96.000 CC ", "absent", "- J96.000 CC "),
        ("exclusions", "+ G45.900 1", "present", "+ G45.900 1"),
        ("notgrouped", "- px 00.0199 gray", "absent", "- px 00.0199 gray"),
    ],
)
def test_a_row_that_does_not_fit_the_base_is_named(
    tmp_path: Path, name: str, rows: str, problem: str, text: str
) -> None:
    region = _region(tmp_path, **{name: rows})
    (issue,) = [i for i in lint(region) if i.code == "SE15"]
    assert (issue.where, issue.params["problem"]) == (f"{name}.tsv:2:change", problem)
    assert text in issue.what("en")
    assert "mini" in issue.why("zh")
    with pytest.raises(SchemeError) as caught:
        load_scheme(region)
    assert "SE15" in {i.code for i in caught.value.issues}


def test_a_row_given_twice_is_named(tmp_path: Path) -> None:
    region = _region(tmp_path, lists="- MDCB_dx dx I63.900|- MDCB_dx dx I63.900")
    assert _places(region) == [("SE15", "lists.tsv:3:change", "repeated")]


def test_a_changed_level_without_its_old_row_is_a_repeated_code(tmp_path: Path) -> None:
    region = _region(tmp_path, cc="+ J96.000 CC ")
    ((code, where, problem),) = _places(region)
    assert (code, problem) == ("SE12", "repeated")
    assert where in ("cc.tsv:2:code", "mini/cc.tsv:4:code")


def test_a_finding_names_the_folder_in_which_its_row_stands(tmp_path: Path) -> None:
    region = _region(tmp_path, lists="+ MDCB_dx dx 有汉字")
    base = tmp_path / "mini" / "lists.tsv"
    sound, broken = "MDCB_dx\tdx\tI63.900", "MDCB_dx\tdx\tI63 900"
    base.write_text(base.read_text("utf-8").replace(sound, broken), "utf-8")
    line = base.read_text("utf-8").splitlines().index(broken) + 1
    assert [p for p in _places(region) if p[0] == "SE11"] == [
        ("SE11", "lists.tsv:2:code", "wide"),
        ("SE11", f"mini/lists.tsv:{line}:code", "blank"),
    ]


@pytest.mark.parametrize("named", ["nowhere", "../mini", "chs_drg_2", ""])
def test_an_unknown_base_is_one_clear_error(tmp_path: Path, named: str) -> None:
    region = _region(tmp_path)
    head = region / "scheme.toml"
    head.write_text(head.read_text("utf-8").replace('extends = "mini"', f'extends = "{named}"'))
    assert _places(region) == [("SE14", "scheme.toml: extends", "unknown")]
    with pytest.raises(SchemeError) as caught:
        load_scheme(region)
    assert "(chs_drg_11, chs_drg_20, chs_drg_30)" in caught.value.issues[0].fix("en")


def test_a_scheme_extends_neither_itself_nor_a_difference(tmp_path: Path) -> None:
    region = _region(tmp_path)
    shutil.copytree(region, tmp_path / "further")
    head = tmp_path / "further" / "scheme.toml"
    text = head.read_text("utf-8").replace('id = "region"', 'id = "further"')
    for base, problem in (("region", "chain"), ("further", "itself")):
        head.write_text(text.replace('extends = "mini"', f'extends = "{base}"'), "utf-8")
        assert _places(tmp_path / "further") == [("SE14", "scheme.toml: extends", problem)]
    with pytest.raises(SchemeError) as caught:
        write_scheme(_mini(tmp_path), tmp_path / "mini", base=load_scheme(region))
    assert caught.value.issues[0].params["problem"] == "chain"


def test_a_base_that_would_not_be_found_is_refused_before_writing(tmp_path: Path) -> None:
    scheme = replace(load_scheme(MINI), id="region")
    for base, problem in ((load_scheme(MINI), "elsewhere"), (scheme, "itself")):
        with pytest.raises(SchemeError) as caught:
            write_scheme(scheme, tmp_path / "region", base=base)
        assert caught.value.issues[0].params["problem"] == problem
    assert list(tmp_path.iterdir()) == []


def test_a_base_whose_tables_cannot_be_read_is_named(tmp_path: Path) -> None:
    region = _region(tmp_path)
    (tmp_path / "mini" / "cc.tsv").unlink()
    assert ("SE01", "mini/cc.tsv", "missing") in _places(region)
    (tmp_path / "mini" / "scheme.toml").write_text("id = ", "utf-8")
    assert ("SE01", "mini/scheme.toml", "toml") in _places(region)


def test_a_key_of_the_wrong_type_is_one_error(tmp_path: Path) -> None:
    region = _region(tmp_path)
    head = region / "scheme.toml"
    head.write_text(head.read_text("utf-8").replace('extends = "mini"', "extends = 20"), "utf-8")
    assert _places(region) == [("SE02", "scheme.toml: extends", "str")]


def test_a_difference_without_the_key_is_told_by_its_columns(tmp_path: Path) -> None:
    region = _region(tmp_path)
    head = region / "scheme.toml"
    head.write_text(head.read_text("utf-8").replace('extends = "mini"\n', ""), "utf-8")
    assert ("SE01", "lists.tsv:1", "header") in _places(region)


def test_an_embedded_base_wins_over_a_folder_beside(tmp_path: Path) -> None:
    shutil.copytree(data_folder("schemes", "qingyang_2023"), tmp_path / "qingyang_2023")
    shutil.copytree(MINI, tmp_path / "chs_drg_11")
    assert load_scheme(tmp_path / "qingyang_2023").digest == load_scheme("qingyang_2023").digest


@pytest.mark.parametrize("code", ["SE14", "SE15"])
def test_every_phrase_of_the_messages_is_there_in_both_languages(code: str) -> None:
    assert messages("en")[code]["problem"].keys() == messages("zh")[code]["problem"].keys()  # type: ignore[attr-defined]
