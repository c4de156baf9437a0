"""Where two groupings of one record part: the first rule that decides otherwise, and why.

Two schemes have different rules under the same codes, so they are held against each other by code:
what the one says of the category, ADRG or DRG that the other chose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from grouper.engine.evidence import Evidence, Part
from grouper.engine.reference import Outcome, Record, Reference, holds
from grouper.engine.trace_words import Names, Words
from grouper.errors import Lang
from grouper.scheme.condition import Condition, to_text

#: steps of grouping in their order; the first in which two results differ
Level = Literal["mdc", "adrg", "drg"]
#: changed complications named in a text; the machine form has all
_SHOWN = 3
#: what a scheme says of a code of another: it has none, its condition is false, it is true but
#: nothing under it fits, or it is true
Said = Literal["absent", "fails", "nothing_fits", "holds"]


@dataclass(frozen=True, slots=True)
class Place:
    """A result as codes; "" where there is none (an ambiguous case has its QY code twice)."""

    mdc: str = ""
    adrg: str = ""
    drg: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a scheme says of a code: its condition with the parts that decided.

    order: the place among what is tried at that level, -1 if absent.
    """

    level: Level
    code: str
    name: str
    said: Said
    order: int = -1
    when: str = ""
    parts: tuple[Part, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Stable keys for JSON."""
        return {
            "level": self.level,
            "code": self.code,
            "name": self.name,
            "said": self.said,
            "when": self.when,
            "parts": list(self.parts),
        }


class Judge:
    """One scheme's view of one record; raises nothing for codes it does not have."""

    def __init__(self, reference: Reference, record: Record) -> None:
        self.reference = reference
        self.outcome: Outcome = reference.group(record)
        complications = tuple(reference.complications(record))
        self.evidence = Evidence(reference.facts(record), complications)
        self.place = _place(reference, self.outcome)

    def verdict(self, level: Level, code: str) -> Verdict:
        """What this scheme says of an MDC (`B`), an ADRG or QY code, or a DRG."""
        find = {"mdc": self._mdc, "adrg": self._adrg, "drg": self._drg}[level]
        return find(code)

    def against(self, mdc: str, adrg: str, drg: str) -> Verdict:
        """What keeps the record out of a group: the first of its MDC, ADRG and DRG that fails.

        Of a group whose conditions are all true the last one; something before it took the record.
        """
        found = self._mdc(mdc)
        for level, code in (("adrg", adrg), ("drg", drg)):
            if found.said in ("absent", "fails") or not code or code == found.code:
                return found
            found = self.verdict(level, code)  # type: ignore[arg-type]
        return found

    def _mdc(self, code: str) -> Verdict:
        for order, mdc in enumerate(self.reference.scheme.mdcs):
            if mdc.mdc == code:
                said = self._said(mdc.when)
                if said == "holds" and self.place.mdc != code:
                    # tried before the one that placed the record and placed nothing, or later
                    said = "nothing_fits" if order < self._mdc_order() else "holds"
                return self._verdict("mdc", code, mdc.name, said, order, mdc.when)
        return Verdict("mdc", code, "", "absent")

    def _mdc_order(self) -> int:
        codes = [mdc.mdc for mdc in self.reference.scheme.mdcs]
        return codes.index(self.place.mdc) if self.place.mdc else len(codes)

    def _adrg(self, code: str) -> Verdict:
        rows = [(i, r) for i, r in enumerate(self.reference.scheme.adrgs) if r.adrg == code]
        if not rows:
            return Verdict("adrg", code, "", "absent")
        # an ADRG may have several ways in: the first that is true, else the first
        true = (row for row in rows if holds(row[1].when, self.evidence.facts))
        order, rule = next(true, rows[0])
        said = self._said(rule.when)
        drgs = self.reference.drgs[rule.adrg]
        if said == "holds" and not rule.is_ambiguous:
            fits = any(holds(drg.when, self.evidence.facts) for _, drg in drgs)
            said = "holds" if fits else "nothing_fits"
        return self._verdict("adrg", code, rule.name, said, order, rule.when)

    def _drg(self, code: str) -> Verdict:
        for order, drg in enumerate(self.reference.scheme.drgs):
            if drg.drg == code:
                return self._verdict("drg", code, drg.name, self._said(drg.when), order, drg.when)
        return Verdict("drg", code, "", "absent")

    def _said(self, when: Condition) -> Said:
        return "holds" if holds(when, self.evidence.facts) else "fails"

    def _verdict(
        self, level: Level, code: str, name: str, said: Said, order: int, when: Condition
    ) -> Verdict:
        parts = tuple(self.evidence.parts(when))
        return Verdict(level, code, name, said, order, to_text(when), parts)


@dataclass(frozen=True, slots=True)
class Difference:
    """The first rule that decides otherwise.

    rule: the code; `here` the scheme under which it is judged to differ: `to` (the old choice no
    longer comes about) or `from` (the new choice did not come about before). why: absent (the
    scheme `here` has no such rule), fails, nothing_fits, or order (true in both, tried later).
    """

    level: Level
    rule: str
    here: Literal["from", "to"]
    why: Literal["absent", "fails", "nothing_fits", "order"]
    verdict: Verdict
    other: Verdict
    complications: tuple[dict[str, str], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Stable keys for JSON."""
        return {
            "level": self.level,
            "rule": self.rule,
            "here": self.here,
            "why": self.why,
            "verdict": self.verdict.to_dict(),
            "other": self.other.to_dict(),
            "complications": [dict(one) for one in self.complications],
        }


def first_difference(before: Reference, after: Reference, record: Record) -> Difference | None:
    """The first rule that decides otherwise in `after`; None if the results have the same codes."""
    old, new = Judge(before, record), Judge(after, record)
    if old.place == new.place:
        return None
    level: Level = next(
        name
        for name in ("mdc", "adrg", "drg")
        if getattr(old.place, name) != getattr(new.place, name)
    )
    left, right = getattr(old.place, level), getattr(new.place, level)
    found = _lost(old, new, level, left, right) or _won(old, new, level, right)
    changed = tuple(_complications(before, after, record))
    return Difference(*found, complications=changed)


_Found = tuple[Level, str, Literal["from", "to"], Any, Verdict, Verdict]


def _lost(old: Judge, new: Judge, level: Level, left: str, right: str) -> _Found | None:
    """The old choice as the new scheme sees it, if that is what decides."""
    if not left:
        return None
    now, then = new.verdict(level, left), old.verdict(level, left)
    if now.said == "holds":
        return None
    if now.said != "absent" and right:
        # the new choice may have been tried, and taken, before the old one was looked at
        taken = new.verdict(level, right)
        if taken.order < now.order and old.verdict(level, right).said != "holds":
            return None
    return level, left, "to", now.said, now, then


def _won(old: Judge, new: Judge, level: Level, right: str) -> _Found:
    """The new choice as the old scheme saw it."""
    now, then = new.verdict(level, right), old.verdict(level, right)
    why = "order" if then.said == "holds" else then.said
    return level, right, "from", why, then, now


def _place(reference: Reference, outcome: Outcome) -> Place:
    if not outcome.rule_id:
        return Place()
    rule = reference.scheme.adrgs[outcome.rule_id - 1]
    if not outcome.group_id:
        return Place(rule.mdc, rule.adrg, rule.adrg)
    return Place(rule.mdc, rule.adrg, reference.scheme.drgs[outcome.group_id - 1].drg)


def _complications(before: Reference, after: Reference, record: Record) -> list[dict[str, str]]:
    """Other diagnoses whose level or exclusion the two schemes see differently."""
    old, new = (
        {
            found.code: f"{found.level.upper()}{' excluded' if found.excluded else ''}"
            for found in reference.complications(record)
        }
        for reference in (before, after)
    )
    return [
        {"code": code, "from": old.get(code, ""), "to": new.get(code, "")}
        for code in dict.fromkeys(record.dx[1:])
        if old.get(code, "") != new.get(code, "")
    ]


def difference_text(
    found: Difference,
    record: Record,
    lang: Lang,
    *,
    before: str,
    after: str,
    names: Names | None = None,
) -> str:
    """One or two sentences; `before` and `after` name the schemes."""
    words = Words(record, lang, names or (lambda kind, code: ""))
    scheme = after if found.here == "to" else before
    other = before if found.here == "to" else after
    text = words.say(
        f"decision.{found.why}",
        what=_what(words, found.verdict, found.other),
        scheme=scheme,
        other=other,
        parts=words.parts(found.verdict.parts),
        seen=words.parts(found.other.parts) or words.say("decision.always"),
    )
    # a level matters here only where the refinement decides
    changed = [
        words.say(
            "decision.complication",
            code=words.code("dx", one["code"]),
            old=_level(words, one["from"]),
            new=_level(words, one["to"]),
        )
        for one in (found.complications if found.level == "drg" else ())
    ]
    return words.join("parts", [text, *changed[:_SHOWN]])


def verdict_text(
    found: Verdict,
    record: Record,
    lang: Lang,
    *,
    names: Names | None = None,
    own: bool = False,
) -> str:
    """What a scheme says of a group; `own`: it is the one that took the record."""
    words = Words(record, lang, names or (lambda kind, code: ""))
    key = "verdict.own" if own else f"verdict.{found.said}"
    parts = words.parts(found.parts) or words.say("decision.always")
    return words.say(key, what=_what(words, found, found), parts=parts)


def _what(words: Words, found: Verdict, other: Verdict) -> str:
    code = f"MDC{found.code}" if found.level == "mdc" else found.code
    return f"{code} {found.name or other.name}".rstrip()


def _level(words: Words, level: str) -> str:
    name, _, excluded = level.partition(" ")
    if not name:
        return words.say("decision.no_level")
    return words.say("decision.excluded", level=name) if excluded else name
