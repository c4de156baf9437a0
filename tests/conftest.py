"""Fixtures shared by all tests."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

from grouper.datafile import data_folder
from grouper.scheme.load import load_scheme
from grouper.scheme.model import Scheme

# the same examples every time, however busy the machine
settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")

_UPDATE = "--update"
REGIONAL = Path(__file__).parent / "data" / "schemes" / "regional.tar.xz"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(_UPDATE, action="store_true", help="write golden files anew")


@pytest.fixture(autouse=True, scope="session")
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests neither find nor leave anything in the folders of this machine's user."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GROUPER_DATA", str(tmp_path_factory.mktemp("no-data")))
        patch.setenv("GROUPER_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """`golden(path, text)`: the text equals the committed file; `--update` writes it instead."""

    def check(path: Path, text: str) -> None:
        if request.config.getoption(_UPDATE):
            path.write_text(text, "utf-8", newline="\n")
        assert text == path.read_text("utf-8"), f"{path.name} differs; see with {_UPDATE}"

    return check


@pytest.fixture(scope="session")
def scheme_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`scheme_folder("foshan_2022")`: the folder of a scheme, embedded or out of the archive."""
    unpacked: list[Path] = []

    def folder(scheme_id: str) -> Path:
        embedded = data_folder("schemes", scheme_id)
        if embedded.is_dir():
            return embedded
        if not unpacked:
            unpacked.append(tmp_path_factory.mktemp("regional-schemes"))
            with tarfile.open(REGIONAL) as archive:
                archive.extractall(unpacked[0], filter="data")
        found = unpacked[0] / scheme_id
        assert found.is_dir(), f"no scheme {scheme_id} among the embedded and regional ones"
        return found

    return folder


@pytest.fixture(scope="session")
def load(scheme_folder: Callable[[str], Path]) -> Callable[[str], Scheme]:
    """`load("foshan_2022")`: a scheme by id, loaded once a session."""
    return cache(lambda scheme_id: load_scheme(scheme_folder(scheme_id)))
