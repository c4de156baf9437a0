"""The pieces of a new area's files: what is known of it, sections, versions, schedules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from grouper.datafile import data_folder, read_toml, toml_text
from grouper.dated import Confidence
from grouper.policy.lead_rules import Schedule
from grouper.policy.leads import Lead


@dataclass(frozen=True, slots=True)
class InsuranceWords:
    """An insurance: its names, how records spell it, and the word that leads have for it."""

    word: str
    title: str
    title_en: str
    aliases: tuple[str, ...]


@cache
def words() -> Mapping[str, Any]:
    """The words of areas/draft.toml."""
    return read_toml(data_folder("areas", "draft.toml"))


@cache
def insurances() -> Mapping[str, InsuranceWords]:
    """The insurances of the national platform, by code."""
    return {
        code: InsuranceWords(one["word"], one["title"], one["title_en"], tuple(one["aliases"]))
        for code, one in words()["insurance"].items()
    }


@dataclass(frozen=True, slots=True)
class Draft:
    """What is known of an area before its policy is written.

    year: the year the policy holds for. levels: hospital levels, if known. lead: whose numbers and
    rules are taken over.
    """

    id: str
    code: str
    title: str
    title_en: str
    year: int
    scheme: str
    weight_table: str
    levels: tuple[str, ...] = ()
    lead: Lead | None = None


def source_text(draft: Draft) -> str:
    """Where the numbers are from, or that it is to be filled in."""
    if draft.lead is None:
        return "待填：文件名称、文号、条款 / to be filled in: document, number, article"
    return f"{draft.lead.texts['source']}；未见该市文件 / the city's notice was not seen"


def mark_of(draft: Draft) -> Confidence:
    """How firm the numbers are; what nobody gave is constructed."""
    return "constructed" if draft.lead is None else draft.lead.confidence


def levels(draft: Draft) -> tuple[str, ...]:
    """The levels that are known, those of the lead's numbers, schedules and rules included."""
    found = list(draft.levels)
    lead = draft.lead
    if lead is not None:
        for values in (lead.coefs, lead.rates, lead.point_values):
            found += [level for level, _ in values if level]
        for outlier in (lead.low, lead.high):
            for schedule in (outlier.k, outlier.deducted) if outlier else ():
                found += _level_keys(schedule)
        found += _level_keys(lead.coef_default)
        for rule in lead.class_rules:
            found += rule.levels
    not_levels = {one.word for one in insurances().values()} | {""}
    found = [level for level in found if level not in not_levels]
    return tuple(dict.fromkeys(found)) or tuple(words()["levels"]["usual"])


def _level_keys(schedule: Schedule | None) -> list[str]:
    keys = [part for step in schedule.steps for part in step.key.split("&")] if schedule else []
    return [key for key in keys if not key.isascii()]


def section(
    name: str, draft: Draft, *body: str, unit: str = "", by: str = "", mark: str = ""
) -> list[str]:
    """The lines of a section; mark: another one than that of the draft, for what is ours."""
    zh, en = words()["comments"][name]
    source = source_text(draft) if not mark else "本程序所定，待查 / ours, to be checked"
    lines = [f"[{name}] # {zh}", f"# {en}"]
    lines += [f'unit = "{unit}"'] if unit else []
    lines += [f'by = "{by}"'] if by else []
    lines += [f"source = {toml_text(source)}", f'confidence = "{mark or mark_of(draft)}"']
    return [*lines, *body]


def version(draft: Draft, *pairs: str) -> str:
    """The one version of a section, on a line."""
    return f"values = [{{ {', '.join((f'from = {draft.year}-01-01', *pairs))} }}]"


def fund(draft: Draft) -> list[str]:
    """The section of the fund, whose convention no lead tells."""
    body = version(draft, 'rule = "A"', 'negative = "carry"')
    return section("fund", draft, body, mark="unofficial")


def outlier_version(
    draft: Draft, rule: str, operator: str, steps: Sequence[str], deducted: Sequence[str] = ()
) -> list[str]:
    """The version of an outlier rule, a step a line."""
    head = f'{{ from = {draft.year}-01-01, rule = "{rule}", operator = "{operator}"'
    more = f", deducted = [{', '.join(deducted)}]" if deducted else ""
    rows = [f"    {step}," for step in steps]
    return ["values = [", f"  {head}{more}, multiple = [", *rows, "  ] },", "]"]


def texts_of(words: Iterable[str]) -> str:
    """A list of texts in TOML."""
    return f"[{', '.join(toml_text(word) for word in words)}]"
