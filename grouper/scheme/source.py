"""A scheme folder as it stands on disk: its tables and head, and what is wrong with their form.

Nothing here knows what a rule means; `structure`, `conditions` and `codes` checks build on it.
"""

from __future__ import annotations

import os
import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from grouper.datafile import Problem, Table, data_folder, parse_toml, scan_tsv
from grouper.errors import DataFileError, Issue

HEAD = "scheme.toml"
README = "README.md"
OPTIONAL = "notgrouped.tsv"
#: the table files of a scheme and their columns, in canonical order
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "mdc.tsv": ("order", "mdc", "name", "when"),
    "adrg.tsv": ("order", "mdc", "adrg", "name", "kind", "when"),
    "drg.tsv": ("order", "adrg", "drg", "name", "when"),
    "lists.tsv": ("list", "kind", "code"),
    "cc.tsv": ("code", "level", "table"),
    "exclusions.tsv": ("code", "table"),
    OPTIONAL: ("kind", "code", "reason"),
}
FILES = (HEAD, *COLUMNS)
#: the long tables: where a scheme extends another one, they hold the difference only
LONG = ("lists.tsv", "cc.tsv", "exclusions.tsv", OPTIONAL)
#: the key of scheme.toml that names the extended scheme, and the first column of a difference
EXTENDS, CHANGE = "extends", "change"
#: tables whose rows carry a condition
RULES = ("mdc.tsv", "adrg.tsv", "drg.tsv")


@dataclass(frozen=True)
class Source:
    """The files of one scheme folder.

    head    the keys of scheme.toml, {} when it cannot be read
    tables  every table of COLUMNS (an absent one is empty); rows of bad form are left out
    broken  files that are missing or have rows that were left out
    issues  SE01 findings; in a flattened source also SE14, SE15

    Where the head has `extends`, the LONG tables have the column `change` before their own and
    hold a difference; `extends.flattened` makes them whole.
    """

    folder: Path
    head: Mapping[str, Any]
    tables: Mapping[str, Table]
    readme: str
    broken: frozenset[str]
    issues: tuple[Issue, ...]

    @property
    def name(self) -> str:
        """The name of the folder, which the scheme's id must equal."""
        return Path(os.path.abspath(self.folder)).name


def finding(code: str, where: str, problem: str, text: object = "", **more: object) -> Issue:
    """An issue of the SE or SW family.

    `problem` is a phrase of the code's message, `text` the offending text, `near` (optional) the
    nearest known word; `more` fills further places of the message.
    """
    near = str(more.pop("near", ""))
    shown = str(text) if str(text) else '""'
    hint = "near" if near else "none"
    return Issue(
        code, where, {"problem": problem, "text": shown, "hint": hint, "near": near, **more}
    )


@cache
def embedded_ids() -> tuple[str, ...]:
    """The ids of the schemes that come with the package, sorted."""
    return tuple(sorted(head.parent.name for head in data_folder("schemes").glob(f"*/{HEAD}")))


def read_source(folder: Path) -> Source:
    """The files of a folder as they stand; never raises, what is wrong stands in `issues`."""
    issues: list[Issue] = []
    head = read_head(folder, issues)
    difference = LONG if EXTENDS in head else ()
    tables = {
        name: read_table(folder, name, issues, difference=name in difference) for name in COLUMNS
    }
    try:
        readme = (folder / README).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        readme = ""  # for people only, never read by the program
    broken = frozenset(map(file_of, issues))
    return Source(folder, head, tables, readme, broken, tuple(issues))


def in_order(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    """Findings by code, then file (canonical order), then row, then as found."""
    return tuple(sorted(issues, key=_place))


def file_of(issue: Issue) -> str:
    """The file of a finding by its name alone, also when it lies in the folder of the base."""
    return issue.where.partition(":")[0].rpartition("/")[2]


def _place(issue: Issue) -> tuple[str, int, int]:
    name = file_of(issue)
    line = re.match(r"\d+", issue.where.partition(":")[2])
    position = FILES.index(name) if name in FILES else len(FILES)
    return issue.code, position, int(line.group()) if line else 0


def _bytes(folder: Path, name: str, issues: list[Issue]) -> bytes | None:
    try:
        return (folder / name).read_bytes()
    except FileNotFoundError:
        if name != OPTIONAL:
            issues.append(finding("SE01", name, "missing", name))
    except OSError as error:
        issues.append(finding("SE01", name, "unreadable", error.strerror or error))
    return None


def read_head(folder: Path, issues: list[Issue]) -> dict[str, Any]:
    """The keys of scheme.toml; adds to `issues` what is wrong with its form."""
    data = _bytes(folder, HEAD, issues)
    if data is None:
        return {}
    if data.startswith(BOM_UTF8):
        issues.append(finding("SE01", HEAD, "bom", BOM_UTF8.hex(" ")))
    if b"\r" in data:
        issues.append(finding("SE01", HEAD, "cr", f"{data.count(bytes([13]))} x CR"))
    try:
        return parse_toml(data.removeprefix(BOM_UTF8), HEAD)
    except DataFileError as error:
        issues.append(finding("SE01", HEAD, "toml", error.issues[0].params["detail"]))
        return {}


def read_table(folder: Path, name: str, issues: list[Issue], *, difference: bool = False) -> Table:
    """The sound rows of a table; adds to `issues` what is wrong with the form of the others."""
    data = _bytes(folder, name, issues)
    columns = (CHANGE, *COLUMNS[name]) if difference else COLUMNS[name]
    if data is None:
        return Table(name, columns, tuple([] for _ in columns), ())
    # published names sometimes hold quotation marks; nowhere else can they be meant
    table, problems = scan_tsv(data, name, columns, quotes_in=("name",))
    issues.extend(_form_issue(problem, name, columns) for problem in problems)
    return table


def _form_issue(problem: Problem, name: str, columns: tuple[str, ...]) -> Issue:
    if problem.kind == "header":
        problem = replace(problem, text=f"{problem.text} ({' '.join(columns)})")
    return finding("SE01", problem.where(name), problem.kind, problem.text)
