"""The canonical form: same bytes, same digest, a folder whole or not at all."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from grouper.datafile import data_folder
from grouper.errors import DataFileError, SchemeError
from grouper.scheme.load import load_scheme
from grouper.scheme.model import Scheme
from grouper.scheme.write import canonical_files, digest, write_scheme

DATA = Path(__file__).parents[1] / "data" / "schemes"
MINI = DATA / "mini"
IDS = [line.split()[0] for line in (DATA / "counts.txt").read_text("utf-8").splitlines()[1:]]


@pytest.mark.parametrize("scheme_id", IDS)
def test_writing_a_loaded_scheme_gives_the_same_bytes(
    scheme_id: str, load: Callable[[str], Scheme]
) -> None:
    folder = data_folder("schemes", scheme_id)
    scheme = load(scheme_id)
    files = canonical_files(scheme, base=load(scheme.extends) if scheme.extends else None)
    assert sorted(files) == sorted(path.name for path in folder.iterdir())
    for name, content in files.items():
        assert content == (folder / name).read_bytes(), name


def test_the_digest_covers_the_tables_in_their_order() -> None:
    names = ("mdc", "adrg", "drg", "lists", "cc", "exclusions", "notgrouped")
    total = hashlib.sha256()
    for name in names:
        total.update(f"{name}.tsv".encode() + b"\0" + (MINI / f"{name}.tsv").read_bytes())
    assert load_scheme(MINI).digest == total.hexdigest()


def test_the_digest_knows_rules_and_not_texts_about_them() -> None:
    scheme = load_scheme(MINI)
    assert digest(replace(scheme, title="other", readme="other", date="1999")) == scheme.digest
    assert digest(replace(scheme, cc={})) != scheme.digest


def test_spelling_and_order_of_rows_do_not_change_what_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "mini"
    shutil.copytree(MINI, folder)
    rules = folder / "adrg.tsv"
    text = rules.read_text("utf-8")
    rules.write_text(
        text.replace("hits(any_px, BB1_px) >= 2", "((hits(any_px,BB1_px)>=2))"), "utf-8"
    )
    head, *rows = (folder / "cc.tsv").read_text("utf-8").splitlines(keepends=True)
    (folder / "cc.tsv").write_text("".join([head, *reversed(rows)]), "utf-8")
    assert canonical_files(load_scheme(folder)) == canonical_files(load_scheme(MINI))


def test_a_written_folder_loads_again(tmp_path: Path) -> None:
    scheme = replace(load_scheme(MINI), title='with "quotes", \\ and \n a line break\x7f')
    write_scheme(scheme, tmp_path / "deep" / "mini")
    again = load_scheme(tmp_path / "deep" / "mini")
    assert replace(again, folder=scheme.folder) == scheme
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["mini"]


def test_an_existing_folder_is_replaced_only_on_request_and_only_a_scheme(tmp_path: Path) -> None:
    scheme = load_scheme(MINI)
    target = tmp_path / "mini"
    target.mkdir()
    (target / "mine.txt").write_text("precious")
    for overwrite in ("refuse", "replace"):
        with pytest.raises(DataFileError) as caught:
            write_scheme(scheme, target, overwrite=overwrite)  # type: ignore[arg-type]
        assert caught.value.issues[0].code == "DF122"
    assert [path.name for path in target.iterdir()] == ["mine.txt"]

    (target / "mine.txt").unlink()
    target.rmdir()
    write_scheme(scheme, target)
    (target / "left_over.tsv").write_text("")
    with pytest.raises(DataFileError):
        write_scheme(scheme, target)
    write_scheme(scheme, target, overwrite="replace")
    assert sorted(path.name for path in target.iterdir()) == sorted(canonical_files(scheme))


def test_a_folder_of_another_name_is_refused_since_it_would_not_load(tmp_path: Path) -> None:
    with pytest.raises(SchemeError) as caught:
        write_scheme(load_scheme(MINI), tmp_path / "other")
    assert caught.value.issues[0].code == "SE02"
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_when_writing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheme = load_scheme(MINI)
    write_scheme(scheme, tmp_path / "mini")
    before = {path.name: path.read_bytes() for path in (tmp_path / "mini").iterdir()}
    real = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if self.name == "new":
            raise OSError(28, "No space left on device")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(DataFileError) as caught:
        write_scheme(replace(scheme, title="new"), tmp_path / "mini", overwrite="replace")
    assert caught.value.issues[0].code == "DF123"
    assert [path.name for path in tmp_path.iterdir()] == ["mini"]
    assert {path.name: path.read_bytes() for path in (tmp_path / "mini").iterdir()} == before


def test_the_parent_being_a_file_is_one_clear_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataFileError) as caught:
        write_scheme(load_scheme(MINI), tmp_path / "file" / "mini")
    assert caught.value.issues[0].code == "DF123"
