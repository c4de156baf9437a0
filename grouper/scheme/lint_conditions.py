"""Errors in the `when` columns: E08 (not a condition) and E09 (names and lists)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from grouper.errors import Issue
from grouper.scheme.condition import (
    And,
    Condition,
    ConditionError,
    Not,
    Or,
    list_uses,
    nearest,
    parse,
)
from grouper.scheme.lint_codes import KINDS
from grouper.scheme.source import RULES, Source, finding

#: what ConditionError says -> the phrase of the message; the quoted word, if any, is its subject
_PROBLEMS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("empty", r"the condition is empty"),
        ("not_ascii", r"character '(.+)' outside ASCII"),
        ("character", r"character '(.+)' is not part of the language"),
        ("invalid", r"not a valid expression"),
        ("deep", r"nested too deeply"),
        ("alone", r"'(.+)' alone is not a condition"),
        ("name", r"unknown name '(.+)'"),
        ("foreign", r"(.+) is not part of the language"),
        ("codes_expected", r"one of .+ expected"),
        ("codes", r"unknown codes '(.+)'"),
        ("list_expected", r"the name of a list expected"),
        ("list_letter", r"list name '(.+)' must begin with a letter"),
        ("operator", r"only < <= > >= == and a single 'in' may compare"),
        ("constant", r"a comparison of numbers only"),
        ("number", r"'(.*)' is not a plain number"),
        ("field", r"unknown number '(.+)'"),
        ("sites", r"sites\(\) needs lists"),
        ("hits", r"hits\(codes, list\) needs both"),
        ("function", r"unknown function '(.+)'"),
    )
)
_DEPTH = 100
_INSIDE_CALL = re.compile(r"\b(sites|hits)\([^()]*$")


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conditions of the rule files: file -> one entry a row, None where it does not parse."""

    of: Mapping[str, list[Condition | None]]
    issues: tuple[Issue, ...]

    def all(self) -> Iterator[Condition]:
        """Every condition that parses."""
        for column in self.of.values():
            yield from (condition for condition in column if condition is not None)


def read_conditions(source: Source) -> Conditions:
    """Parse every `when`. Texts that occur often (`True`, `mcc`) are parsed once."""
    issues: list[Issue] = []
    known: dict[str, Condition | ConditionError] = {}
    of: dict[str, list[Condition | None]] = {}
    for name in RULES:
        table = source.tables[name]
        column = of[name] = []
        for index, text in enumerate(table.column("when")):
            if text not in known:
                known[text] = _parsed(text)
            result = known[text]
            if isinstance(result, ConditionError):
                issues.append(problem_of(result, table.where(index, "when"), text))
                column.append(None)
            else:
                column.append(result)
    return Conditions(of, tuple(issues))


def _parsed(text: str) -> Condition | ConditionError:
    try:
        condition = parse(text)
    except ConditionError as error:
        return error
    # whoever walks a condition recurses; no readable rule is nested nearly as deep
    if len(text) > _DEPTH and _depth(condition) > _DEPTH:
        return ConditionError("nested too deeply", 1)
    return condition


def _depth(condition: Condition) -> int:
    """How deep `and`, `or` and `not` are nested; without recursion."""
    deepest = 0
    left: list[tuple[Condition, int]] = [(condition, 1)]
    while left:
        part, depth = left.pop()
        deepest = max(deepest, depth)
        if isinstance(part, Not):
            left.append((part.operand, depth + 1))
        elif isinstance(part, And | Or):
            left.extend((operand, depth + 1) for operand in part.operands)
    return deepest


def problem_of(error: ConditionError, where: str, text: str) -> Issue:
    """SE08 or SE09 for a text that is not a condition; the place gets the character's position."""
    kind, subject = "other", error.what
    for candidate, pattern in _PROBLEMS:
        if match := pattern.fullmatch(error.what):
            kind, subject = candidate, match[1] if pattern.groups else ""
            break
    code = "SE09" if error.kind == "name" else "SE08"
    if kind.endswith("_expected") and _INSIDE_CALL.search(text[: error.column - 1]):
        code = "SE09"  # a wrong argument of sites() or hits()
    return finding(code, f"{where}:{error.column}", kind, text, near=error.near, subject=subject)


def check_lists(source: Source, conditions: Conditions) -> Iterator[Issue]:
    """E09: lists that do not exist, or hold the other kind of codes than they are tested with."""
    table = source.tables["lists.tsv"]
    if "lists.tsv" in source.broken and not len(table):
        return  # every list would be unknown
    kinds = dict(zip(table.column("list"), table.column("kind"), strict=True))
    near: dict[str, str] = {}
    for name in RULES:
        rules = source.tables[name]
        texts = rules.column("when")
        for index, condition in enumerate(conditions.of[name]):
            uses = () if condition is None else list_uses(condition)
            for list_name, tested in dict.fromkeys(uses):
                kind = kinds.get(list_name)
                if kind == tested:
                    continue
                place = _position(list_name, tested, texts[index])
                where = f"{rules.where(index, 'when')}:{place}"
                if kind is None:
                    if list_name not in near:
                        near[list_name] = nearest(list_name, list(kinds))
                    hint = near[list_name]
                    yield finding("SE09", where, "list", texts[index], near=hint, subject=list_name)
                elif kind in KINDS:
                    problem = f"tested_{tested}"
                    yield finding("SE09", where, problem, texts[index], subject=list_name)


def _position(name: str, tested: str, text: str) -> int:
    """Where a list stands in a condition, 1-based; preferably where `tested` codes meet it."""
    word = rf"\b{re.escape(name)}\b"
    match = re.search(rf"_{tested}\s+in\s+\(*({word})", text) or re.search(f"({word})", text)
    return match.start(1) + 1 if match else 1
