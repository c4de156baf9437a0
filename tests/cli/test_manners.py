"""Exit codes, languages, consoles and streams: what holds for every command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from importlib.resources import files
from string import Formatter

import click
import pytest

from grouper import __version__, cli
from grouper.cli.options import Family
from grouper.cli.texts import texts

pytestmark = pytest.mark.cli


def leaves(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(command, Family):
        return [path]
    context = click.Context(command)
    found = []
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner is not None
        found += leaves(inner, (*path, name))
    return found


COMMANDS = leaves(cli.cli)
FAMILIES = [(), ("scheme",), ("settle",), ("monitor",)]


def command_line(*words: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "grouper", *words],
        capture_output=True,
        env={**os.environ, "LANG": "en_US.UTF-8", "LC_ALL": "", **environment},
        timeout=60,
        check=False,
    )


def test_help_imports_no_heavy_library():
    program = (
        "import sys; sys.argv = ['grouper', '--help']\n"
        "from grouper.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "heavy = {'numpy', 'pandas', 'pyarrow', 'rich', 'pydantic', 'xlsxwriter', 'jinja2'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert result.returncode == 0, result.stderr.decode()


@pytest.mark.parametrize("path", [*FAMILIES, *COMMANDS], ids=" ".join)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_command_has_help_in_both_languages(run, path, lang):
    answer = run(*path, "--help", "--lang", lang)
    assert answer.code == 0
    assert not answer.err
    assert ("用法:" if lang == "zh" else "Usage:") in answer.out
    assert "options." not in answer.out
    assert "help." not in answer.out


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_option_is_described_in_both_languages(path):
    command: click.Command = cli.cli
    for name in path:
        assert isinstance(command, Family)
        inner = command.get_command(click.Context(command), name)
        assert inner is not None
        command = inner
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden:
            section, key = (option.help or "").split(".")
            assert texts("zh")[section][key]
            assert texts("en")[section][key]


@pytest.mark.parametrize("stem", ["cli_", "results_", ""])
def test_both_languages_have_the_same_texts_with_the_same_placeholders(stem):
    def shape(lang: str) -> dict[str, object]:
        folder = files("grouper").joinpath("data", "messages")
        return fields(tomllib.loads(folder.joinpath(f"{stem}{lang}.toml").read_text("utf-8")))

    def fields(table: dict[str, object]) -> dict[str, object]:
        return {
            key: fields(value)
            if isinstance(value, dict)
            else {name for _, name, *_ in Formatter().parse(str(value)) if name}
            for key, value in table.items()
        }

    zh, en = shape("zh"), shape("en")
    if stem == "results_":  # English has no words of its own for reasons and conditions
        for section in ("reason", "word", "kind", "dip_reason", "dip_step"):
            zh.pop(section), en.pop(section)
    assert zh == en


def test_version_is_the_package_version(run):
    assert run("--version").out.strip() == f"grouper {__version__}"


@pytest.mark.parametrize(
    "words",
    [
        ["nosuch"],
        ["group"],
        ["group", "--nosuch"],
        ["group", "a.csv", "-o", "b.csv"],
        ["group", "a.csv", "-s", "x", "-o", "b.csv", "--engine", "steam"],
        ["group", "-", "a.csv", "-s", "x", "-o", "b.csv"],
        ["scheme", "lint"],
        ["help", "XX999"],
        ["explain", "-s", "chs_drg_20"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_wrong_usage_exits_2_and_names_the_help(run, words, lang):
    answer = run(*words, "--lang", lang)
    assert answer.code == 2
    assert not answer.out
    assert "--help" in answer.err
    assert ("用法不对" if lang == "zh" else "Wrong usage") in answer.err


def test_a_missing_file_exits_3_in_the_readers_language(run, tmp_path):
    path = tmp_path / "没有.json"
    for lang, words in (("zh", "没有这个文件"), ("en", "no such file")):
        answer = run("calc", path, "--lang", lang)
        assert answer.code == 3
        assert words in answer.err
        assert str(path) in answer.err


def test_an_unexpected_exception_is_called_a_defect_of_the_program(run, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("of all things")

    monkeypatch.setattr("grouper.cli.calc.read_examples", fail)
    answer = run("calc", "x.json")
    assert answer.code == 3
    assert "defect of the program" in answer.err
    assert "ZeroDivisionError: of all things" in answer.err
    assert "Traceback" not in answer.err
    with pytest.raises(ZeroDivisionError):
        run("calc", "x.json", "--debug")


def test_ctrl_c_exits_130(run, monkeypatch):
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("grouper.cli.calc.read_examples", stop)
    answer = run("calc", "x.json", "--lang", "zh")
    assert answer.code == 130
    assert "Ctrl-C" in answer.err


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
def test_a_reader_that_goes_away_ends_the_command_quietly():
    command = [sys.executable, "-m", "grouper", "help", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.wait(60) == 3
        assert not process.stderr.read()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_real_ctrl_c_leaves_no_file(tmp_path):
    out = tmp_path / "out.csv"
    command = [sys.executable, "-m", "grouper", "sample", "500000", "-o", str(out)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        time.sleep(3)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    assert not list(tmp_path.iterdir())


def test_the_locale_decides_the_language():
    assert "用法:" in command_line("--help", LANG="zh_CN.UTF-8", PYTHONUTF8="1").stdout.decode()
    assert b"Usage:" in command_line("--help", LANG="de_DE.UTF-8").stdout
    both = command_line("--help", LANG="zh_CN.UTF-8", LC_ALL="en_US.UTF-8")
    assert b"Usage:" in both.stdout


@pytest.mark.parametrize("path", [(), ("group",), ("help", "RW01"), ("scheme", "list")])
def test_a_gbk_console_shows_everything(path):
    words = (*path, "--lang", "zh") if path else ("--help", "--lang", "zh")
    result = command_line(*words, PYTHONIOENCODING="gbk", PYTHONUTF8="0")
    shown = (result.stdout + result.stderr).decode("gbk")
    assert "\\u" not in shown
    assert "\\x" not in shown


def test_a_character_outside_the_console_is_escaped_not_fatal():
    result = command_line("help", "𠮷", "--lang", "zh", PYTHONIOENCODING="gbk", PYTHONUTF8="0")
    assert result.returncode == 2
    assert "\\U00020bb7" in result.stderr.decode("gbk")


def test_json_stays_json_on_a_narrow_console():
    words = ["help", "DF101", "--json", "--lang", "zh"]
    result = command_line(*words, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert json.loads(result.stdout)["code"] == "DF101"


def test_all_command_texts_can_be_shown_in_gbk():
    for lang in ("zh", "en"):
        for section in texts(lang).values():
            for text in section.values():
                text.encode("gbk")


def test_help_of_a_code_shows_what_why_and_fix(run):
    answer = run("help", "df101")
    assert answer.code == 0
    assert answer.out.startswith("DF101  cannot read <path>")
    assert "fix" in answer.out
    every = json.loads(run("help", "--json").out)["codes"]
    assert every["DF101"]
