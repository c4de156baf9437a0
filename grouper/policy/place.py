"""The line of a TOML file that a key path means: the reader of TOML itself tells none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from grouper.errors import Issue

_HEADER = re.compile(r"\[{1,2}([^\[\]]+)\]{1,2}\s*(#.*)?$")
_VERSION = re.compile(r"\bfrom\s*=")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def with_lines(issues: Sequence[Issue]) -> list[Issue]:
    """Issues whose `where` is `file.toml: key.path`, with the line: `file.toml:12: key.path`."""
    texts: dict[str, list[str]] = {}
    found = []
    for issue in issues:
        file, colon, key = issue.where.partition(": ")
        if colon and file.endswith(".toml") and Path(file).is_file():
            if file not in texts:
                texts[file] = Path(file).read_text("utf-8").splitlines()
            line = line_of(texts[file], key)
            issue = replace(issue, where=f"{file}:{line}: {key}")
        found.append(issue)
    return found


def line_of(lines: Sequence[str], key: str) -> int:
    """The line (from 1) of a key path; where it is not there, that of the nearest part above it."""
    parts = key.split(".")
    at, rest = _section(lines, parts)
    for place, part in enumerate(rest):
        end = _end(lines, at)
        if part.isdecimal():
            # an item of a list: of versions, which each have a `from`, or of texts
            listed = _versions(lines, at, end) if rest[place - 1 : place] != ["rules"] else []
            items = listed or [n for n in range(at + 1, end) if lines[n].lstrip().startswith('"')]
            at = items[int(part)] if int(part) < len(items) else at
        elif _DAY.fullmatch(part):
            starts = re.compile(rf"\bfrom\s*=\s*{part}")
            at = next((n for n in range(at, end) if starts.search(lines[n])), at)
        else:
            named = re.compile(rf'(^|[\s{{,])"?{re.escape(part)}"?\s*=')
            at = next((n for n in range(at, end) if named.search(lines[n])), at)
    return at + 1


def _section(lines: Sequence[str], parts: Sequence[str]) -> tuple[int, Sequence[str]]:
    """The line of the longest header that starts the path, and the parts after it."""
    headers: dict[str, int] = {}
    for number, line in enumerate(lines):
        found = _HEADER.match(line)
        # a table of a list ([[...]]) is reached through the list
        if found and "[[" not in line:
            headers.setdefault(found[1].replace('"', "").replace(" ", ""), number)
    for count in range(len(parts), 0, -1):
        name = ".".join(parts[:count])
        if name in headers:
            return headers[name], parts[count:]
    return 0, parts


def _end(lines: Sequence[str], at: int) -> int:
    """The line after the section that `at` stands in; its own tables of versions belong to it."""
    own = _HEADER.match(lines[at]) if lines else None
    for number in range(at + 1, len(lines)):
        header = _HEADER.match(lines[number])
        if header:
            if own is not None and header[1].startswith(f"{own[1]}."):
                continue
            return number
    return len(lines)


def _versions(lines: Sequence[str], at: int, end: int) -> list[int]:
    return [number for number in range(at, end) if _VERSION.search(lines[number])]
