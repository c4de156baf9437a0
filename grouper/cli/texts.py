"""What the commands say, in Chinese and English: `data/messages/cli_zh.toml` and `cli_en.toml`.

The texts of issue codes are not here but in `zh.toml` and `en.toml` (`grouper.errors`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from functools import cache

from grouper.errors import Lang

#: low byte of a Windows language identifier: Chinese, whatever the country
_WINDOWS_CHINESE = 0x04


@cache
def texts(lang: Lang) -> Mapping[str, Mapping[str, str]]:
    """All texts of the commands in one language: section -> key -> template."""
    import tomllib
    from importlib.resources import files

    path = files("grouper").joinpath("data", "messages", f"cli_{lang}.toml")
    table: dict[str, Mapping[str, str]] = tomllib.loads(path.read_text("utf-8"))
    return table


def say(lang: Lang, key: str, /, **params: object) -> str:
    """The text of `section.key` with its placeholders filled."""
    section, _, name = key.partition(".")
    return texts(lang)[section][name].format_map({k: str(v) for k, v in params.items()})


def locale_language() -> Lang:
    """The language of the user's surroundings: LC_ALL, LC_MESSAGES, LANG, else Windows' own."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    if sys.platform == "win32":
        import ctypes

        if ctypes.windll.kernel32.GetUserDefaultUILanguage() & 0xFF == _WINDOWS_CHINESE:
            return "zh"
    return "en"


def asked_language(argv: Sequence[str]) -> Lang:
    """The language for messages that may come before the arguments are understood."""
    for position, word in enumerate(argv):
        value = word.partition("=")[2] if word.startswith("--lang=") else ""
        if word == "--lang" and position + 1 < len(argv):
            value = argv[position + 1]
        if value == "zh":
            return "zh"
        if value == "en":
            return "en"
    return locale_language()
