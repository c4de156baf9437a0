"""Where the cache lies, that it does not grow for ever, and that a broken entry does no harm."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
from official_workbook import workbook
from small_workbook import small_sheets

from grouper.run import schemes
from grouper.scheme import cache
from grouper.scheme.load import load_folder

MINI = Path(__file__).parents[1] / "data" / "schemes" / "mini"


@pytest.mark.parametrize(
    ("platform", "variable", "value", "expected"),
    [
        ("linux", "XDG_CACHE_HOME", "/var/c", "/var/c/grouper"),
        ("linux", "", "", "/home/u/.cache/grouper"),
        ("darwin", "", "", "/home/u/Library/Caches/grouper"),
        ("win32", "LOCALAPPDATA", "/L", "/L/grouper/cache"),
        ("win32", "", "", "/home/u/AppData/Local/grouper/cache"),
        ("linux", cache.VARIABLE, "/mine", "/mine"),
        ("win32", cache.VARIABLE, "/mine", "/mine"),
    ],
)
def test_the_folder_is_that_of_the_platform(monkeypatch, platform, variable, value, expected):
    for name in (cache.VARIABLE, "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: Path("/home/u"))
    if variable:
        monkeypatch.setenv(variable, value)
    assert cache.cache_folder() == Path(expected)


def test_what_is_kept_comes_back_and_the_oldest_entries_go(monkeypatch, tmp_path):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    scheme = load_folder(MINI)
    keys = [f"{n:040d}"[::-1] for n in range(10)]
    for n, key in enumerate(keys):
        cache.keep(key, scheme)
        if (entry := tmp_path / "schemes" / key[:20]).exists():
            os.utime(entry, (n, n))
    cache.keep("f" * 40, scheme)
    kept = [key for key in [*keys, "f" * 40] if cache.kept(key)]
    assert kept == [*keys[-7:], "f" * 40]
    assert cache.kept(keys[0]) is None
    found = cache.kept("f" * 40)
    assert found is not None
    assert found.digest == scheme.digest


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("workbook") / "官方.xlsx"
    path.write_bytes(workbook(small_sheets()))
    return path


@pytest.fixture(scope="module")
def digest(path) -> str:
    return schemes.import_file(path).scheme.digest


@pytest.fixture
def kept(monkeypatch, tmp_path, path) -> Path:
    """The scheme folder in a fresh cache, after the first reading."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    schemes.load_scheme(path)
    (head,) = tmp_path.rglob("scheme.toml")
    return head.parent


def not_called(*_: object) -> None:
    raise AssertionError("the workbook was read again")


def test_a_workbook_is_read_once(kept, path, digest, monkeypatch, tmp_path):
    monkeypatch.setattr(schemes, "_imported", not_called)
    scheme = schemes.load_scheme(path)
    assert scheme.digest == digest
    assert scheme.folder == str(path)
    # the same bytes under another name are the same scheme
    shutil.copy(path, tmp_path / "x.XLSX")
    assert schemes.load_scheme(str(tmp_path / "x.XLSX")).digest == digest


BREAKS = {
    "a table is cut at a line end": lambda folder: (folder / "lists.tsv").write_bytes(
        b"".join((folder / "lists.tsv").read_bytes().splitlines(keepends=True)[:-10])
    ),
    "a table is cut in a line": lambda folder: (folder / "cc.tsv").write_bytes(
        (folder / "cc.tsv").read_bytes()[:-5]
    ),
    "a file is gone": lambda folder: (folder / "drg.tsv").unlink(),
    "of an older form": lambda folder: (folder / "scheme.toml").write_text("format = 0\n"),
    "not text": lambda folder: (folder / "adrg.tsv").write_bytes(b"\xff\x00" * 100),
    "moved": lambda folder: folder.parent.rename(folder.parent.with_name("other")),
    "empty": lambda folder: shutil.rmtree(folder),
}


@pytest.mark.parametrize("break_", BREAKS.values(), ids=BREAKS)
def test_a_broken_entry_is_made_anew_in_silence(kept, path, digest, break_, tmp_path):
    break_(kept)
    assert schemes.load_scheme(path).digest == digest
    assert load_folder(kept).digest == digest
    assert len(list(tmp_path.rglob("scheme.toml"))) == 1


def test_without_a_cache_that_can_be_written_all_works(path, digest, monkeypatch, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    monkeypatch.setenv(cache.VARIABLE, str(blocked))
    assert schemes.load_scheme(path).digest == digest
