"""The published tables of tests/data/payment, read through the maps of the package."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from grouper.datafile import Table, scan_tsv
from grouper.records.grids import read_grids
from weights import Converted, convert, read_map

ARCHIVE = Path(__file__).parents[1] / "data" / "payment" / "tables.tar.xz"


def source_name(map_id: str) -> str:
    """The file a map of the package is for."""
    return map_id.replace("-", "_") + ".tsv"


@pytest.fixture(scope="session")
def published_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The twelve source files."""
    folder = tmp_path_factory.mktemp("published")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="session")
def published(published_folder: Path) -> Callable[[str], Converted]:
    """`published("mianyang-2024")`: a source file in normal form."""

    def read(map_id: str) -> Converted:
        grids = read_grids(published_folder / source_name(map_id))
        return convert(grids, read_map(map_id))

    return cache(read)


@pytest.fixture(scope="session")
def printed(published_folder: Path) -> Callable[[str], Table]:
    """`printed("mianyang-2024")`: the same file as bare text, read without any map."""

    def read(map_id: str) -> Table:
        data = (published_folder / source_name(map_id)).read_bytes()
        table, problems = scan_tsv(data.partition(b"\n")[2], map_id)
        assert not problems
        return table

    return cache(read)
