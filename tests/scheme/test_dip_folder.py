"""Catalogues as folders and JSON: what is written reads back the same, and has one digest."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from dip_cases import invented_catalogue
from dip_catalogues import DATA, real_text
from official_dip_workbook import sheets, workbook

from grouper.errors import DataFileError, GrouperError, SchemeError
from grouper.run.catalogues import is_catalogue, published, read_catalogue
from grouper.scheme.dip import CatalogueHead, Figures, Published
from grouper.scheme.dip_folder import (
    catalogue_folder,
    catalogue_ids,
    catalogue_json,
    embedded_catalogues,
    write_catalogue,
)

HEAD = CatalogueHead(
    source="某市医保发〔2025〕1号",
    area="419900",
    area_name="某市",
    valid_from=date(2025, 1, 1),
    valid_to=date(2026, 1, 1),
    preset="jining",
)


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> dict[str, Published]:
    folder = tmp_path_factory.mktemp("sources")
    (folder / "city.tsv").write_text(real_text(), "utf-8")
    (folder / "official.xlsx").write_bytes(workbook(sheets()))
    paths = {
        "city": folder / "city.tsv",
        "official": folder / "official.xlsx",
        "excerpt": DATA / "national-3.0-partial.tsv",
        "old": DATA / "catalogue-oldstyle-sample.tsv",
    }
    return {name: published(path) for name, path in paths.items()}


def contents(of: Published) -> tuple[object, ...]:
    """All but the places where it was read."""
    one = of.catalogue
    rows = tuple(replace(row, where="") for row in one.rows)
    lists = (one.excluded_dx, one.excluded_ops, one.primary, one.resistant_dx)
    return rows, of.figures, lists, one.head, one.id, one.title, one.confidence


@pytest.mark.parametrize("name", ["city", "official", "excerpt", "old"])
def test_folder_and_json_read_back_the_same(sources, tmp_path, name):
    of = sources[name]
    folder, file = tmp_path / of.catalogue.id, tmp_path / f"{of.catalogue.id}.json"
    write_catalogue(of, folder)
    file.write_bytes(catalogue_json(of))
    back = [published(folder), published(file)]
    assert [contents(one) for one in back] == [contents(of)] * 2
    assert back[0].catalogue.digest == back[1].catalogue.digest != ""
    # writing again gives the same bytes
    again = tmp_path / "again"
    write_catalogue(back[1], again)
    for path in folder.iterdir():
        if path.name != "README.md":
            assert (again / path.name).read_bytes() == path.read_bytes()


def test_any_catalogue_reads_back_the_same(tmp_path):
    """Also one in which rows compete, ask for everything, or stand for a letter."""
    for seed in range(120):
        rng = Random(seed)
        invented = invented_catalogue(rng)
        # no form can say that a case must be younger than newborn
        rows = [replace(row, age_days_below=row.age_days_below or None) for row in invented.rows]
        figures = tuple(
            Figures(*(rng.choice((None, Decimal("0.000001"), Decimal(7))) for _ in range(3)))
            for _ in invented.rows
        )
        of = Published(
            replace(invented, title="x", rows=tuple(rows), head=CatalogueHead(scores="none")),
            figures,
        )
        file = tmp_path / "invented.json"
        file.write_bytes(catalogue_json(of))
        write_catalogue(of, tmp_path / "invented", overwrite="replace")
        for path in (file, tmp_path / "invented"):
            assert contents(published(path))[:4] == contents(of)[:4], seed


def test_the_head_is_kept_and_says_when_the_scores_hold(sources, tmp_path):
    of = sources["city"]
    headed = replace(of, catalogue=replace(of.catalogue, head=HEAD))
    write_catalogue(headed, tmp_path / "city")
    (tmp_path / "city.json").write_bytes(catalogue_json(headed))
    for path in (tmp_path / "city", tmp_path / "city.json"):
        found = read_catalogue(path)
        assert found.catalogue.head == HEAD
        assert found.table.covers(date(2025, 12, 31))
        assert not found.table.covers(date(2026, 1, 1))
        assert (found.table.head.area, found.table.head.source) == (HEAD.area, HEAD.source)


def test_the_digest_is_of_the_contents_alone(sources, tmp_path):
    of = sources["city"]
    write_catalogue(of, tmp_path / "city")
    first = published(tmp_path / "city").catalogue.digest
    rows = tmp_path / "city" / "rows.tsv"
    head = tmp_path / "city" / "catalogue.toml"
    head.write_text(head.read_text("utf-8").replace("Canonical table", "another title"), "utf-8")
    assert published(tmp_path / "city").catalogue.digest == first
    rows.write_text(rows.read_text("utf-8").replace("1484.833425", "1484.833426"), "utf-8")
    assert published(tmp_path / "city").catalogue.digest != first


def test_rules_and_classes_may_lie_in_the_folder(sources, tmp_path):
    head = CatalogueHead(preset="rules.toml", op_classes="classes.tsv")
    of = sources["old"]
    write_catalogue(replace(of, catalogue=replace(of.catalogue, head=head)), tmp_path / "old")
    (tmp_path / "old" / "rules.toml").write_text("", "utf-8")
    found = read_catalogue(tmp_path / "old").catalogue.head
    assert found.preset == str(tmp_path / "old" / "rules.toml")
    # one that is not there may be the name of rules that come with the program
    assert found.op_classes == "classes.tsv"


def test_a_folder_is_replaced_on_request_only(sources, tmp_path):
    write_catalogue(sources["old"], tmp_path / "old")
    with pytest.raises(DataFileError, match="DF122"):
        write_catalogue(sources["excerpt"], tmp_path / "old")
    write_catalogue(sources["excerpt"], tmp_path / "old", overwrite="replace")
    assert len(published(tmp_path / "old").catalogue.rows) == len(sources["excerpt"].catalogue.rows)


class TestFolderWithoutHead:
    """A table in a folder of its own is a catalogue too, beside files of other kinds."""

    def test_the_one_catalogue_counts(self, tmp_path):
        (tmp_path / "病种目录.tsv").write_text(real_text(), "utf-8")
        (tmp_path / "classes.tsv").write_text("code\tclass\n47.0100\tsurgical\n", "utf-8")
        (tmp_path / "README.md").write_text("# city\n", "utf-8")
        assert is_catalogue(tmp_path)
        assert len(read_catalogue(tmp_path).catalogue.rows) == 1957

    def test_the_official_workbook_too(self, tmp_path):
        (tmp_path / "official.xlsx").write_bytes(workbook(sheets()))
        assert read_catalogue(tmp_path).catalogue.is_layered

    def test_of_two_it_cannot_be_told(self, tmp_path):
        for name in ("a.tsv", "b.tsv"):
            (tmp_path / name).write_text(real_text(), "utf-8")
        with pytest.raises(SchemeError, match="SE76") as caught:
            is_catalogue(tmp_path)
        assert "b.tsv" in caught.value.text("zh")

    def test_a_drg_scheme_is_none(self, tmp_path):
        (tmp_path / "scheme.toml").write_text("", "utf-8")
        (tmp_path / "a.tsv").write_text(real_text(), "utf-8")
        assert not is_catalogue(tmp_path)
        assert not is_catalogue(tmp_path.parent / "nowhere")


@pytest.mark.parametrize(("layer", "code"), [("JC", ""), ("", "SE52")])
def test_layers_need_no_scores(tmp_path, layer, code):
    path = tmp_path / "x.csv"
    path.write_text(f"code,kind,layer,dx_key,score\n1,core,{layer},K35.3,\n", "utf-8")
    if code:
        with pytest.raises(SchemeError, match=code):
            published(path)
    else:
        assert published(path).catalogue.head.scores == "none"


def test_an_id_names_a_catalogue_of_a_data_folder(sources, tmp_path, monkeypatch):
    monkeypatch.setenv("GROUPER_DATA", str(tmp_path))
    write_catalogue(sources["old"], tmp_path / "schemes" / "city_2019")
    assert "city_2019" in catalogue_ids()
    assert "city_2019" not in embedded_catalogues()
    assert catalogue_folder("city_2019") == tmp_path / "schemes" / "city_2019"
    assert is_catalogue("city_2019")
    assert not is_catalogue("chs_drg_20")
    assert catalogue_folder("city_2020") is None
    assert len(read_catalogue("city_2019").catalogue.rows) == 25


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('kind = "dip"', 'kind = "drg"', "kind"),
        ("format = 1", "format = 2", "format"),
        ('confidence = "unofficial"', 'confidence = "sure"', "confidence"),
        ('title = "', 'colour = "red"\ntitle = "', "colour"),
        ("format = 1", 'format = 1\nvalid_from = "soon"', "valid_from"),
        ("format = 1", "format = 1\npreset = 1", "preset"),
        ("format = 1", 'format = 1\nscores = "some"', "scores"),
    ],
)
def test_a_head_that_is_wrong_names_its_key(sources, tmp_path, old, new, key):
    write_catalogue(sources["old"], tmp_path / "old")
    head = tmp_path / "old" / "catalogue.toml"
    text = head.read_text("utf-8")
    assert old in text
    head.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(SchemeError) as caught:
        published(tmp_path / "old")
    found = {(one.code, one.where.rpartition(": ")[2]) for one in caught.value.issues}
    assert ("SE77", key) in found
    assert all(one.text("zh") and one.text("en") for one in caught.value.issues)


def test_a_list_that_is_not_known_is_named_with_its_row(sources, tmp_path):
    write_catalogue(sources["excerpt"], tmp_path / "x")
    lists = tmp_path / "x" / "lists.tsv"
    lists.write_text(lists.read_text("utf-8").replace("not_main\t", "not_mine\t"), "utf-8")
    with pytest.raises(SchemeError) as caught:
        published(tmp_path / "x")
    (issue,) = caught.value.issues
    assert issue.code == "SE77"
    assert "lists.tsv:" in issue.where


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1, 2]",
        "{",
        '"K35"',
        '{"kind": "dip", "rows": 3}',
        '{"kind": "dip", "rows": [], "lists": ["x"]}',
        "[" * 100_000,
    ],
)
def test_json_that_is_no_catalogue_is_an_error_of_the_data(tmp_path, text):
    path = tmp_path / "x.json"
    path.write_text(text, "utf-8")
    with pytest.raises(GrouperError):
        published(path)


def test_scores_that_are_filled_in_later_are_checked(sources, tmp_path):
    """The official workbook has none; an area writes its own into rows.tsv."""
    write_catalogue(sources["official"], tmp_path / "area")
    rows = tmp_path / "area" / "rows.tsv"
    lines = rows.read_text("utf-8").splitlines()
    at = lines[0].split("\t").index("score")

    def filled(line: str, score: str) -> str:
        cells = line.split("\t")
        cells[at] = score
        return "\t".join(cells)

    rows.write_text("\n".join([lines[0], filled(lines[1], "9000"), *lines[2:], ""]), "utf-8")
    assert read_catalogue(tmp_path / "area").scores[:2] == (9000, None)
    rows.write_text("\n".join([lines[0], filled(lines[1], "0"), *lines[2:], ""]), "utf-8")
    with pytest.raises(SchemeError, match=r"SE54 area/rows.tsv:2"):
        read_catalogue(tmp_path / "area")


def test_figures_in_json_are_text(sources):
    data = json.loads(catalogue_json(sources["city"]))
    row = next(one for one in data["rows"] if one["code"] == "K35.3:47.0100")
    assert row["score"] == "1484.833425"
    assert Path(data["id"]).name == "city"
