"""Every example of the README and the docs is run, and shows what really comes out.

In a document, in order:
    ```csv NAME      (or toml, json) a file: written if it is not there yet, else compared
    ```console      lines `$ grouper ...`, each followed by what it prints (stdout, then stderr)
    ```pycon        a Python session
`--update` writes what really comes out into the document.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import re
import shlex
from pathlib import Path

import pytest
from spark_here import NEEDS_SPARK

from grouper import cli

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(csv|toml|json|console|pycon)(?: (\S+))?\n(.*?)^```$", re.M | re.S)
DOCUMENTS = [
    pytest.param(path, marks=NEEDS_SPARK if path.name == "spark.md" else ())
    for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
    if BLOCK.search(path.read_text("utf-8"))
]
#: what differs from run to run
TIMES = re.compile(r"(seconds|用时（秒）)(\s+)[\d.]+|in [\d.]+ s:|用时 [\d.]+ 秒")


def same(shown: str, real: str) -> bool:
    return TIMES.sub("TIME", shown).strip() == TIMES.sub("TIME", real).strip()


def command(line: str) -> str:
    name, *words = shlex.split(line)
    assert name == "grouper", f"only commands of ours stand in console blocks: {line}"
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        cli.run(words)
    assert "Traceback" not in err.getvalue()
    return out.getvalue() + err.getvalue()


def console(text: str) -> str:
    commands = [line for line in text.splitlines() if line.startswith("$ ")]
    return "".join(f"{line}\n{command(line[2:])}" for line in commands)


def file(name: str, text: str) -> str:
    path = Path(name)
    if not path.exists():
        path.write_text(text, "utf-8")
    return path.read_text("utf-8-sig").replace("\r\n", "\n")


def session(text: str, name: str, names: dict[str, object]) -> None:
    """Run a session; the sessions of a document share their names."""
    test = doctest.DocTestParser().get_doctest(text, names, name, name, 0)
    report = io.StringIO()
    doctest.DocTestRunner(verbose=False).run(test, out=report.write, clear_globs=False)
    names.update(test.globs)
    assert not report.getvalue(), report.getvalue()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_examples_show_what_really_comes_out(document, tmp_path, monkeypatch, request):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8" if document.name.endswith("zh-CN.md") else "en_US")
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.setenv("GROUPER_DATA", "data")
    update = request.config.getoption("--update")
    text = document.read_text("utf-8")
    names: dict[str, object] = {}

    def run(block: re.Match[str]) -> str:
        kind, name, shown = block[1], block[2], block[3]
        if kind == "pycon":
            session(shown, document.name, names)
            return block[0]
        assert kind == "console" or name, f"a {kind} block needs a file name"
        real = console(shown) if kind == "console" else file(name, shown)
        if same(shown, real):
            return block[0]
        assert update, f"{document.name} shows\n{shown}\nbut really\n{real}"
        head = f"```{kind} {name}" if name else f"```{kind}"
        return f"{head}\n{real.rstrip()}\n```"

    renewed = BLOCK.sub(run, text)
    if update and renewed != text:
        document.write_text(renewed, "utf-8", newline="\n")
