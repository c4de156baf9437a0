"""The command line in this process: exit code, stdout, stderr."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from grouper import cli


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


Run = Callable[..., Answer]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line in an English environment."""
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    monkeypatch.setenv("LANG", "en_US.UTF-8")

    def run_(*words: object, stdin: str | None = None) -> Answer:
        if stdin is not None:
            stream = io.TextIOWrapper(io.BytesIO(stdin.encode()), "utf-8")
            monkeypatch.setattr(sys, "stdin", stream)
        capsys.readouterr()
        code = cli.run([str(word) for word in words])
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return run_


MINI = Path(__file__).parents[1] / "data" / "schemes" / "mini"

#: one record for every end: grouped by severity, ambiguous, ungrouped, both rejections
RECORDS = [
    {"id": "1", "sex": 1, "age": 70, "los": 9, "dx": ["I63.900"], "px": []},
    {"id": "2", "sex": 2, "age": 50, "los": 9, "dx": ["I63.900", "J96.000"], "px": ["01.2400"]},
    {"id": "3", "sex": 1, "age": 50, "los": 9, "dx": ["I63.900", "E87.600"], "px": ["01.2400"]},
    {"id": "4", "sex": 1, "age": 50, "los": 2, "dx": ["G45.900"], "px": ["47.0100"]},
    {"id": "5", "sex": 2, "age": 50, "los": 2, "dx": ["K35.900"], "px": []},
    {"id": "6", "age": 50, "los": 2, "dx": ["I63.900"], "px": []},
    {"id": "7", "sex": 2, "age": 50, "los": 2, "dx": [], "px": []},
]
ENDS = [
    ("grouped", "MDCB", "BR1", "BR11"),
    ("grouped", "MDCB", "BB1", "BB11"),
    ("grouped", "MDCB", "BB1", "BB13"),
    ("ambiguous", "MDCB", "BQY", "BQY"),
    ("ungrouped", None, None, None),
    ("rejected", None, None, None),
    ("rejected", None, None, None),
]


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """The records above as JSON lines."""
    path = tmp_path / "records.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in RECORDS), "utf-8")
    return path
