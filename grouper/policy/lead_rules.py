"""The small language of areas/leads.tsv: schedules, and rules of a test and an action.

Written down in areas/README.md. Everything is parsed once, when the file is loaded; a text that
is none raises ValueError with the piece that cannot be read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from fractions import Fraction

_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?", re.ASCII)
_COMPARISON = re.compile(r"(w|x|los|leave|age)(<=|>=|<|>|=)([0-9.]+)", re.ASCII)
_FACT_TEST = re.compile(r"@(level|ins|any|age)(<=|>=|[=!^<>])(.+)")
_ACTION = re.compile(r"(coef|rate|weight|points|pay|S|band|group|outliers)(<=|\*=|=)(.+)")
_PAYMENTS = re.compile(r"L1|L2|D1|B4|S|[0-9.]+[CS]", re.ASCII)
_FUNCTION = re.compile(r"(level|R0)\((.+)\)")


@dataclass(frozen=True, slots=True)
class LeadCase:
    """What the rules ask of a case: where, which group, how long, and what the tables say of it.

    labels: column of the published table -> its text for the group, such as 基础病组 -> 是.
    weight: None where the table prints none. ratio: cost / base, None before there is a base.
    """

    group: str = ""
    level: str = ""
    insurance: str = ""
    hospital: str = ""
    weight: Fraction | None = None
    los: int = 1
    leave: str = "1"
    age: int | None = None
    labels: Mapping[str, str] | None = None

    def number(self, name: str, ratio: Fraction | None) -> Fraction | None:
        """The number a comparison asks for; None when the case has none."""
        if name == "w":
            return self.weight
        if name == "x":
            return ratio
        if name == "leave":
            return Fraction(self.leave) if self.leave.isdecimal() else None
        found = self.los if name == "los" else self.age
        return None if found is None else Fraction(found)


def number(text: str) -> Fraction:
    """An exact decimal. Raises ValueError."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return Fraction(Decimal(text))


@dataclass(frozen=True, slots=True)
class Comparison:
    """One number of the case against a border, such as `los>=60`."""

    name: str
    operator: str
    border: Fraction

    def holds(self, case: LeadCase, ratio: Fraction | None = None) -> bool:
        """Whether it is true of a case; false where the case lacks the number."""
        found = case.number(self.name, ratio)
        return found is not None and compare(found, self.operator, self.border)


def compare(left: Fraction, operator: str, right: Fraction) -> bool:
    """`left operator right`, exactly."""
    if operator in ("<", "<="):
        return left < right or (operator == "<=" and left == right)
    if operator in (">", ">="):
        return left > right or (operator == ">=" and left == right)
    return left == right


def parse_comparison(text: str) -> Comparison:
    """`los<2`, `leave=4`, `x<=0.5`. Raises ValueError."""
    found = _COMPARISON.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return Comparison(found[1], found[2], number(found[3]))


@dataclass(frozen=True, slots=True)
class Choice:
    """One step of a schedule: a level, an insurance, a hospital or a group, and comparisons.

    Several of them are joined by `&`; all must be those of the case.
    """

    key: str
    comparisons: tuple[Comparison, ...]
    value: Fraction

    def fits(self, case: LeadCase) -> bool:
        """Whether the step is meant for the case."""
        facts = (case.level, case.insurance, case.hospital, case.group)
        return (not self.key or all(part in facts for part in self.key.split("&"))) and all(
            one.holds(case) for one in self.comparisons
        )


@dataclass(frozen=True, slots=True)
class Schedule:
    """A number that depends on the case: the first step that fits gives it."""

    steps: tuple[Choice, ...]

    def value(self, case: LeadCase) -> Fraction | None:
        """The number for a case, None where no step fits."""
        return next((step.value for step in self.steps if step.fits(case)), None)

    @property
    def is_total(self) -> bool:
        """Whether every case finds a number."""
        return bool(self.steps) and not self.steps[-1].key and not self.steps[-1].comparisons


def parse_schedule(text: str) -> Schedule:
    """`3`, `w<=1:3|*:2`, `三级:3|*:2`, `一级&w<=3:1.8|*:2`. Raises ValueError."""
    if ":" not in text:
        return Schedule((Choice("", (), number(text)),))
    steps = []
    for piece in text.split("|"):
        head, _, value = piece.rpartition(":")
        key, comparisons = "", []
        for part in head.split("&"):
            if _COMPARISON.fullmatch(part):
                comparisons.append(parse_comparison(part))
            elif part != "*":
                key = f"{key}&{part}" if key else part
        if not head:
            raise ValueError(piece)
        steps.append(Choice(key, tuple(comparisons), number(value)))
    return Schedule(tuple(steps))


@dataclass(frozen=True, slots=True)
class CaseRule:
    """A payment for cases that meet every comparison: `los>20&x>1 1.1S`."""

    text: str
    comparisons: tuple[Comparison, ...]
    payment: str

    def holds(self, case: LeadCase, ratio: Fraction | None) -> bool:
        """Whether the case meets all comparisons."""
        return all(one.holds(case, ratio) for one in self.comparisons)


def parse_case_rules(text: str) -> tuple[CaseRule, ...]:
    """A `;` list of conditions and payments. Raises ValueError."""
    rules = []
    for piece in filter(None, text.split(";")):
        condition, _, payment = piece.partition(" ")
        if not _PAYMENTS.fullmatch(payment):
            raise ValueError(piece)
        tests = tuple(parse_comparison(part) for part in condition.split("&"))
        rules.append(CaseRule(piece, tests, payment))
    return tuple(rules)


@dataclass(frozen=True, slots=True)
class FactTest:
    """A further condition of a class rule: `@level=三级|二级`, `@ins=居民`, `@any=基础病组`."""

    fact: str
    operator: str
    words: tuple[str, ...]

    def holds(self, case: LeadCase) -> bool:
        """Whether it is true of the case."""
        if self.fact == "any":
            return any((case.labels or {}).get(word) for word in self.words)
        if self.fact == "age":
            return Comparison("age", self.operator, Fraction(self.words[0])).holds(case)
        text = case.level if self.fact == "level" else case.insurance
        operator, negated = self.operator.removeprefix("!"), self.operator.startswith("!")
        if operator == "^":
            return text.startswith(self.words) != negated
        return (text in self.words) != negated


@dataclass(frozen=True, slots=True)
class ClassRule:
    """What holds for a class of groups: the test of the class, further tests, the action.

    test: `=` equal, `^` prefix, `$` suffix, `~` part of a label; `any` a label that is filled,
    alone: every group; `flag` a label that is 是; `unpriced` no weight; else patterns of codes.
    """

    text: str
    test: str
    words: tuple[str, ...]
    facts: tuple[FactTest, ...]
    target: str
    operator: str
    value: str

    def holds(self, case: LeadCase) -> bool:
        """Whether the rule is meant for the case."""
        return self._fits(case) and all(one.holds(case) for one in self.facts)

    @property
    def levels(self) -> tuple[str, ...]:
        """The hospital levels the rule names whole."""
        named = [w for one in self.facts if one.fact == "level" for w in _whole_words(one)]
        name, argument = function(self.value)
        return (*named, *((argument,) if name == "level" else ()))

    @property
    def insurances(self) -> tuple[str, ...]:
        """The insurances the rule names."""
        return tuple(w for one in self.facts if one.fact == "ins" for w in _whole_words(one))

    def _fits(self, case: LeadCase) -> bool:
        labels, word = case.labels or {}, self.words[0]
        if self.test == "any":
            return not word or bool(labels.get(word))
        if self.test == "flag":
            return labels.get(word) == "是"
        if self.test == "unpriced":
            return case.weight is None
        if self.test == "code":
            return any(fnmatchcase(case.group, pattern) for pattern in self.words)
        found = [text for text in labels.values() if text]
        if self.test == "^":
            return any(text.startswith(word) for text in found)
        if self.test == "$":
            return any(text.endswith(word) for text in found)
        return any(word == text if self.test == "=" else word in text for text in found)


def _whole_words(test: FactTest) -> tuple[str, ...]:
    return () if test.operator.endswith("^") else test.words


def parse_class_rules(text: str) -> tuple[ClassRule, ...]:
    """A `;` list of class tests and actions. Raises ValueError."""
    return tuple(_class_rule(piece) for piece in filter(None, text.split(";")))


def _class_rule(piece: str) -> ClassRule:
    condition, _, action = piece.rpartition(" ")
    head, *facts = re.split(r"(?=@)", condition)
    # `@level!^一级`: the two signs are one operator
    tests = [_FACT_TEST.fullmatch(one.replace("!^", "!\0")) for one in facts]
    act = _ACTION.fullmatch(action)
    if not head or act is None or any(test is None for test in tests):
        raise ValueError(piece)
    _check_action(act[1], act[2], act[3], piece)
    test, word = _class_test(head)
    return ClassRule(
        piece, test, word, tuple(_fact(test) for test in tests if test), act[1], act[2], act[3]
    )


def _fact(found: re.Match[str]) -> FactTest:
    operator, words = found[2], found[3]
    if words.startswith("\0"):
        operator, words = "!^", words[1:]
    return FactTest(found[1], operator, tuple(words.split("|")))


def _class_test(head: str) -> tuple[str, tuple[str, ...]]:
    if head[0] in "=^$~":
        return head[0], (head[1:],)
    if head == "unpriced":
        return head, ("",)
    for name in ("any", "flag"):
        if head.startswith(name):
            return name, (head.removeprefix(name),)
    return "code", tuple(head.split("|"))


def _check_action(target: str, operator: str, value: str, piece: str) -> None:
    """Raises ValueError when an action's value is none of its forms."""
    if target == "pay":
        sound = _PAYMENTS.fullmatch(value) is not None
    elif target == "outliers":
        sound = value == "off"
    elif target == "S" and value == "G":
        sound = True
    elif target in ("band", "group"):
        parts = re.split(r"[/|]", re.sub(r"[0-9A-Z]+:", "", value))
        sound = all(_NUMBER.fullmatch(part) for part in parts)
    elif _FUNCTION.fullmatch(value):
        sound = target in ("coef", "rate") and operator == "="
    else:
        parse_schedule(value.removesuffix("*adjust"))
        sound = True
    if not sound:
        raise ValueError(piece)


def function(value: str) -> tuple[str, str]:
    """`level(二级)` -> ("level", "二级"); ("", value) when the value is no function."""
    found = _FUNCTION.fullmatch(value)
    return (found[1], found[2]) if found else ("", value)
