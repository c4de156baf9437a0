"""docs/reference/issues.md lists every issue code as the messages have it; `--update` writes it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from grouper.errors import Lang, messages

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
WORDS = {
    "en": {
        "head": "# Issue codes\n\nMade from the program's own messages. `<...>` stands for what a "
        "case fills in; `grouper help CODE` shows the same.",
        "error": "error",
        "warning": "warning",
        "why": "Why",
        "fix": "What to do",
    },
    "zh": {
        "head": "# 问题代码\n\n由程序自身的提示生成。`<...>` 处由具体情况填写；`grouper help 代码` "
        "显示同样内容。",
        "error": "错误",
        "warning": "警告",
        "why": "原因",
        "fix": "处理",
    },
}


class Names(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return f"`<{key}>`"


def entry(code: str, texts: Mapping[str, object], words: Mapping[str, str]) -> str:
    def say(part: str) -> str:
        return str(texts.get(part, "")).format_map(Names())

    lines = [f"## {code}", f"*{words[str(texts.get('severity', 'error'))]}* {say('what')}"]
    lines += [f"{words[part]}: {say(part)}" for part in ("why", "fix") if texts.get(part)]
    for name, phrases in texts.items():
        if isinstance(phrases, Mapping):
            said = [f"- {str(text).format_map(Names())}" for text in phrases.values()]
            lines.append("\n".join([f"`<{name}>`:", "", *said]))
    return "\n\n".join(lines)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_issue_code_is_documented(golden, lang: Lang):
    table = messages(lang)
    parts = [WORDS[lang]["head"], *(entry(c, table[c], WORDS[lang]) for c in sorted(table))]
    name = "issues.md" if lang == "en" else "issues.zh.md"
    golden(FOLDER / name, "\n\n".join(parts) + "\n")


def test_every_rejection_has_its_chinese_words():
    """A code that rejects a row stands in the reason column; in Chinese it is said in words."""
    from grouper.run.results import words

    rejecting = {code for code in messages("en") if code.startswith("RE0")}
    assert rejecting | {"sex", "no_dx"} <= set(words("zh")["reason"])
