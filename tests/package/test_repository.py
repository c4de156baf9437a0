"""What the repository must not hold, and the forms of house that no tool checks."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("grouper", "weights")

#: written in two pieces, so that this list does not find itself
FORBIDDEN = [
    "".join(pieces)
    for pieces in (
        ("/wo", "rk/"),
        ("/ro", "ot/"),
        ("/tmp/", "venv"),
        # a run folder that a test left behind names its inputs so
        ("/tmp/", "pytest-of"),
        ("issues", " show"),
        ("cla", "ude"),
        ("anthro", "pic"),
        ("chat", "gpt"),
        ("open", "ai"),
        ("language ", "model"),
    )
]


def tracked() -> list[Path]:
    try:
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        skipped = {".git", "build", "dist", "__pycache__"}
        return [p for p in ROOT.rglob("*") if p.is_file() and not skipped & set(p.parts)]
    names = [name for name in done.stdout.decode().split("\0") if name]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def modules() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def test_no_file_names_the_place_where_it_was_written():
    found = []
    for path in tracked():
        if path.name.endswith(".min.js"):  # the work of others, kept byte for byte
            continue
        try:
            text = path.read_text("utf-8").lower()
        except UnicodeDecodeError:
            continue  # compressed or a workbook
        found += [f"{path.relative_to(ROOT)}: {word}" for word in FORBIDDEN if word in text]
    assert not found


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no git here to ask what is tracked")
def test_no_build_product_is_tracked():
    suffixes = {".so", ".pyd", ".c", ".pyc", ".whl", ".o"}
    assert not [path for path in tracked() if path.suffix in suffixes]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no git here to ask what is tracked")
def test_no_run_folder_is_tracked():
    assert not [path for path in tracked() if path.name == "timings.json"]


@pytest.mark.skipif(not (ROOT / "grouper").is_dir(), reason="the source tree is not here")
class TestSource:
    def test_modules_stay_short(self):
        long = {p: n for p in modules() if (n := len(p.read_text("utf-8").splitlines())) > 400}
        assert not long

    def test_no_module_is_a_drawer_for_everything(self):
        names = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "service"}
        assert not [path for path in modules() if path.stem in names]

    def test_no_program_text_is_evaluated(self):
        pattern = re.compile(r"(?<![\w.])(eval|exec)\(")
        assert not [path for path in modules() if pattern.search(path.read_text("utf-8"))]

    def test_no_code_stands_under_a_data_folder(self):
        assert not [path for path in modules() if "data" in path.parent.parts]
