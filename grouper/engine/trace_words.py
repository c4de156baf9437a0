"""The words of an explanation: codes with names, numbers with units, parts of conditions.

The texts stand in `data/messages/trace_zh.toml` and `trace_en.toml`, with the same keys.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from grouper.engine.evidence import Part
from grouper.engine.reference import Record
from grouper.errors import Lang
from grouper.scheme.model import CodeKind

Names = Callable[[CodeKind, str], str]

#: more lists or codes than this are counted, not printed; the machine form has all of them
_SHOWN = 8
_HITS = re.compile(r"hits\((\w+), (\w+)\)")
_ASKED = re.compile(r"sites\([^)]*\)|hits\([^)]*\)|[a-z_]+")


@cache
def texts(lang: Lang) -> Mapping[str, Mapping[str, str]]:
    """All texts of explanations in one language: section -> key -> template."""
    import tomllib
    from importlib.resources import files

    path = files("grouper").joinpath("data", "messages", f"trace_{lang}.toml")
    table: dict[str, Mapping[str, str]] = tomllib.loads(path.read_text("utf-8"))
    return table


@dataclass(frozen=True, slots=True)
class Words:
    """How to say things about one record in one language."""

    record: Record
    lang: Lang
    names: Names

    def say(self, key: str, /, **params: object) -> str:
        """The text of `section.key` with its placeholders filled."""
        section, _, name = key.partition(".")
        return texts(self.lang)[section][name].format_map(params)

    def join(self, separator: str, parts: Iterable[str]) -> str:
        """Texts with a separator of the language between them: `codes`, `parts`, `fields`."""
        return self.say(f"join.{separator}").join(parts)

    def code(self, kind: CodeKind, code: str) -> str:
        """A code with its name, if that is known."""
        return f"{code} {self.names(kind, code)}".rstrip()

    def codes(self, kind: CodeKind, codes: Sequence[str]) -> str:
        """Several codes with their names; of many only the first."""
        return self.shortened([self.code(kind, code) for code in codes])

    def shortened(self, parts: Sequence[str]) -> str:
        """Names or codes in a row; of many only the first, with their count."""
        shown = self.join("codes", parts[:_SHOWN])
        if len(parts) <= _SHOWN:
            return shown
        return self.say("join.more", shown=shown, count=len(parts))

    def which(self, kind: CodeKind, position: int) -> str:
        """What the code at a place of the record is: `主要诊断`, `其他手术操作` ..."""
        return self.say(f"of.{'main' if position == 1 else 'other'}_{kind}")

    def number(self, name: str, value: object) -> str:
        """A number of the record with its unit: `年龄 67 岁`; or that it is missing."""
        if value is None:
            return self.say("value.missing", field=self.asked(name))
        if name == "sex":
            value = texts(self.lang)["sex"].get(str(value), value)
        unit = texts(self.lang)["unit"].get(name, "")
        return self.say("value.known", field=self.asked(name), value=value, unit=unit)

    def asked(self, term: str) -> str:
        """What a term of a comparison asks for: a number of the record, `sites()` or `hits()`."""
        hits = _HITS.fullmatch(term)
        if hits:
            return self.say("field.hits", of=self.say(f"of.{hits[1]}"), list=hits[2])
        return self.say(f"field.{term.partition('(')[0]}")

    def parts(self, parts: Sequence[Part]) -> str:
        """The parts of a condition, each with what was seen."""
        return self.join("parts", (self.part(part) for part in parts))

    def part(self, part: Part) -> str:
        """One part of a condition with what was seen."""
        word = "true" if part["result"] else "false"
        if "values" in part:
            return self._comparison(part, word)
        if "flag" in part:
            codes = self.codes("dx", part["codes"])
            return self.say(f"part.flag_{word}", flag=part["flag"].upper(), codes=codes)
        return self._membership(part)

    def _membership(self, part: Part) -> str:
        kind = _kind(part["of"])
        of, name = self.say(f"of.{part['of']}"), part["list"]
        if part["result"]:
            codes = self.codes(kind, part["codes"])
            return self.say("part.member_true", of=of, codes=codes, list=name)
        outside = _codes_of(self.record, part["of"])
        if not outside:
            return self.say("part.member_absent", of=of)
        if len(outside) > 1:
            return self.say("part.member_false_many", of=of, list=name)
        return self.say("part.member_false", of=of, codes=self.code(kind, outside[0]), list=name)

    def _comparison(self, part: Part, word: str) -> str:
        seen = [self.number(name, value) for name, value in part["values"].items()]
        for found in part["found"]:
            codes = self.codes(_kind(found["of"]), found["codes"])
            seen.append(self.say("part.found", list=found["list"], codes=codes))
        test = _ASKED.sub(lambda term: self.asked(term[0]), part["test"]).replace("==", "=")
        return self.say(f"part.compare_{word}", test=test, values=self.join("parts", seen))


def _kind(of: str) -> CodeKind:
    return "dx" if of.endswith("dx") else "px"


def _codes_of(record: Record, of: str) -> tuple[str, ...]:
    """The codes of the record that `main_dx`, `other_dx`, `any_dx` ... stand for."""
    codes: Any = record.dx if of.endswith("dx") else record.px
    places = {"main": codes[:1], "other": codes[1:], "any": codes}
    return tuple(places[of[:-3]])
