"""Fixtures shared by all tests."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

from grouper.datafile import data_folder
from grouper.engine.drg import DrgGrouper, grouper_of
from grouper.engine.reference import Reference
from grouper.scheme.load import load_scheme
from grouper.scheme.model import Scheme

# the same examples every time, however busy the machine
settings.register_profile("suite", deadline=None, derandomize=True, max_examples=60)
# before a release: --hypothesis-profile long
settings.register_profile("long", settings.get_profile("suite"), max_examples=1000)
settings.load_profile("suite")

# schemes kept for the session are a million objects, and every full collection visits them all
gc.set_threshold(20_000, 20, 50)

_UPDATE = "--update"


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
def load() -> Callable[[str], Scheme]:
    """`load("foshan_2022")`: an embedded scheme by id, loaded once a session."""
    return cache(lambda scheme_id: load_scheme(data_folder("schemes", scheme_id)))


@pytest.fixture(scope="session")
def kernel_of(load: Callable[[str], Scheme]) -> Callable[[str], DrgGrouper]:
    """`kernel_of("foshan_2022")`: the kernel with an embedded scheme, compiled once a session."""
    return cache(lambda scheme_id: grouper_of(load(scheme_id)))


@pytest.fixture(scope="session")
def reference_of(load: Callable[[str], Scheme]) -> Callable[[str], Reference]:
    """`reference_of("foshan_2022")`: the reference with an embedded scheme, made once a session."""
    return cache(lambda scheme_id: Reference(load(scheme_id)))
