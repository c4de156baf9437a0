"""The wheel holds the whole program: every module, every data file, the kernel, nothing else.

GROUPER_WHEEL names the wheel; GROUPER_SOURCE the tree it was built from (default: this one).
"""

from __future__ import annotations

import os
import zipfile
from pathlib import Path, PurePosixPath

import pytest

WHEEL = os.environ.get("GROUPER_WHEEL", "")
SOURCE = Path(os.environ.get("GROUPER_SOURCE", Path(__file__).parents[2]))
PACKAGES = ("grouper", "weights")
#: 20 MB, above which data would go into a package of their own
LARGEST = 20_000_000

pytestmark = pytest.mark.skipif(not WHEEL, reason="GROUPER_WHEEL names no wheel")


def contents() -> dict[str, bytes]:
    with zipfile.ZipFile(WHEEL) as wheel:
        return {name: wheel.read(name) for name in wheel.namelist() if not name.endswith("/")}


def tree() -> dict[str, bytes]:
    return {
        str(PurePosixPath(path.relative_to(SOURCE))): path.read_bytes()
        for package in PACKAGES
        for path in (SOURCE / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


COMPILED = (
    "engine/_dip",
    "engine/_kernel",
    "records/_cells",
    "records/_lines",
    "records/_spellings",
)


def is_kernel(name: str) -> bool:
    modules = tuple(f"grouper/{module}." for module in COMPILED)
    return name.startswith(modules) and name.endswith((".so", ".pyd"))


def test_every_file_of_the_tree_is_in_the_wheel_unchanged():
    wheel = contents()
    built_from = (".pyx", ".c", ".so", ".pyd")
    expected = {name: data for name, data in tree().items() if not name.endswith(built_from)}
    assert not sorted(set(expected) - set(wheel))
    assert not [name for name, data in expected.items() if wheel[name] != data]


def test_the_wheel_holds_nothing_else():
    known = set(tree())
    extra = [
        name
        for name in contents()
        if name not in known and ".dist-info/" not in name and not is_kernel(name)
    ]
    assert not extra


def test_compiled_modules_serve_all_later_versions_of_python():
    assert len([name for name in contents() if is_kernel(name)]) == len(COMPILED)
    assert "-cp311-abi3-" in Path(WHEEL).name


def test_licence_and_notice_come_along():
    names = {PurePosixPath(name).name for name in contents() if ".dist-info/" in name}
    assert {"LICENSE", "NOTICE"} <= names


def test_the_wheel_stays_small():
    assert Path(WHEEL).stat().st_size < LARGEST
