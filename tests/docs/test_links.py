"""Documents point only to what is there, and every command and issue code is documented."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from grouper import cli
from grouper.cli.options import Family

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
MENTION = re.compile(r"docs/[\w/-]+\.md")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_that_are_there(document):
    targets = LINK.findall(document.read_text("utf-8"))
    missing = [target for target in targets if not (document.parent / target).exists()]
    assert not missing


@pytest.mark.skipif(not (ROOT / "grouper").is_dir(), reason="the source tree is not here")
def test_documents_named_in_the_program_are_there():
    texts = [
        path
        for package in ("grouper", "weights")
        for pattern in ("*.py", "*.toml", "*.pyx", "*.md")
        for path in (ROOT / package).rglob(pattern)
    ]
    named = {name for path in texts for name in MENTION.findall(path.read_text("utf-8"))}
    assert not {name for name in named if not (ROOT / name).exists()}


def leaves(command: click.Command, path: tuple[str, ...] = ()) -> list[str]:
    if not isinstance(command, Family):
        return [" ".join(path)]
    context = click.Context(command)
    inner = {name: command.get_command(context, name) for name in command.list_commands(context)}
    return [leaf for name, one in inner.items() if one for leaf in leaves(one, (*path, name))]


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_readme_names_every_command(name):
    text = (ROOT / name).read_text("utf-8")
    families = {leaf.split()[0] for leaf in leaves(cli.cli)}
    assert not {family for family in families if f"`{family}" not in text}


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_first_screen_has_exactly_two_commands(name):
    text = (ROOT / name).read_text("utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
    assert len(blocks) == 1
    commands = [line.partition("  #")[0].strip() for line in blocks[0].splitlines() if line]
    assert commands == [
        "pip install . && grouper demo demo-output",
        'pip install -e ".[test]" && python -m pytest',
    ]
    assert text.index("```sh") < 1000
