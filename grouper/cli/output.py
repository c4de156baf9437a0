"""Manners of the terminal: stdout is data, stderr is log; nothing a GBK console cannot show."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from grouper.cli.texts import locale_language, say
from grouper.errors import Issue, Lang

DONE, FINDINGS, USAGE, FAILED, INTERRUPTED = 0, 1, 2, 3, 130


def prepare_streams() -> None:
    """Let no character stop the program: what a console lacks is written as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where a command speaks: `data` and `json` go to stdout, all else to stderr."""

    lang: Lang
    quiet: bool = False

    @classmethod
    def default(cls) -> Terminal:
        """The terminal of a caller that has said nothing about its language."""
        return cls(locale_language())

    def text(self, key: str, /, **params: object) -> str:
        """A text of the command tables in this terminal's language."""
        return say(self.lang, key, **params)

    def data(self, text: str) -> None:
        """Write a result to stdout."""
        print(text, file=sys.stdout)

    def json(self, value: object) -> None:
        """Write one object to stdout; characters the stream lacks become JSON escapes."""
        text = json.dumps(value, ensure_ascii=False, indent=2, default=str)
        if not _can_show(text):
            text = json.dumps(value, ensure_ascii=True, indent=2, default=str)
        self.data(text)

    def table(self, titles: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Write columns to stdout: aligned for eyes, tab-separated when read by a program."""
        cells = [[str(cell) for cell in row] for row in rows]
        if not sys.stdout.isatty():
            self.data("\n".join("\t".join(row) for row in [list(titles), *cells]))
            return
        from rich.console import Console
        from rich.table import Table

        table = Table(*titles, box=None, pad_edge=False)
        for row in cells:
            table.add_row(*row)
        Console(highlight=False, markup=False, emoji=False).print(table)

    def log(self, text: str) -> None:
        """Write a line of the summary to stderr, unless `--quiet`."""
        if not self.quiet:
            print(text, file=sys.stderr)

    def say(self, key: str, /, **params: object) -> None:
        """Log a text of the command tables."""
        self.log(self.text(key, **params))

    def error(self, text: str) -> None:
        """Write to stderr, `--quiet` or not."""
        print(text, file=sys.stderr)

    def issues(self, issues: Iterable[Issue], *, limit: int | None = None) -> None:
        """Log issues one after the other, and how many more there are."""
        every = list(issues)
        shown = every if limit is None else every[:limit]
        for issue in shown:
            self.log(issue.text(self.lang))
        if len(shown) < len(every):
            self.say("say.more", n=len(every) - len(shown))


def sums(rows: Iterable[tuple[str, object]]) -> str:
    """Lines `title  value`, the titles padded to one width on a terminal of Chinese text."""
    pairs = [(title, str(value)) for title, value in rows]
    width = max((_width(title) for title, _ in pairs), default=0)
    return "\n".join(f"{title}{' ' * (width - _width(title))}  {value}" for title, value in pairs)


def issue_list(issues: Iterable[Issue], lang: Lang) -> list[Mapping[str, str]]:
    """Issues as they stand in `--json` output."""
    return [issue.to_dict(lang) for issue in issues]


def _width(text: str) -> int:
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def _can_show(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
