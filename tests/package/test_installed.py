"""The installed package works by itself: kernel, data of both packages, lazy import."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from importlib.resources import files

import grouper
from grouper.engine import _kernel


def test_the_kernel_is_compiled():
    assert _kernel.__file__.endswith((".so", ".pyd"))


def test_the_version_is_that_of_the_distribution():
    assert importlib.metadata.version("chs-grouper") == grouper.__version__


def test_data_of_both_packages_are_there():
    assert files("grouper").joinpath("data", "schemes", "chs_drg_20", "adrg.tsv").is_file()
    assert files("grouper").joinpath("data", "messages", "zh.toml").is_file()
    assert files("weights").joinpath("data", "demo", "table.toml").is_file()
    assert files("grouper").joinpath("py.typed").is_file()


def test_importing_the_package_imports_no_library():
    program = (
        "import sys; import grouper; "
        "heavy = {'numpy', 'pyarrow', 'pandas', 'pydantic', 'click'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_every_public_name_is_found():
    for name in grouper.__all__:
        assert getattr(grouper, name) is not None
