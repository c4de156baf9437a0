"""A new area's folder: every section with a comment, to be filled in or drawn from a lead.

What nobody has published is written as `constructed`, so that nothing is settled with it by
mistake (PO112).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from grouper.datafile import toml_text
from grouper.policy.draft_lead import lead_sections
from grouper.policy.draft_parameters import parameter_comments
from grouper.policy.draft_parts import (
    Draft,
    fund,
    insurances,
    levels,
    mark_of,
    outlier_version,
    section,
    source_text,
    texts_of,
    version,
    words,
)
from grouper.policy.leads import Lead
from grouper.policy.load import load_policy
from grouper.policy.model import Policy


def draft_files(draft: Draft) -> dict[str, bytes]:
    """The files of the folder: name -> content."""
    texts = {
        "area.toml": _area(draft),
        f"policy-{draft.year}.toml": _policy(draft),
        "hospitals.tsv": "code\tname\tname_en\tlevel\tcontract\tinpatient\n",
        "README.md": _readme(draft),
    }
    return {name: text.encode() for name, text in texts.items()}


def drawn(lead: Lead) -> Policy:
    """The policy of a folder drawn from a lead, without writing it anywhere to stay."""
    year = int(lead.texts["year"]) if lead.texts["year"].isdecimal() else words()["lead_year"]
    scheme, code = lead.texts["scheme"], lead.texts["code"]
    names = (lead.area, code or "-", lead.area, lead.area)
    draft = Draft(*names, year, scheme or "-", f"{lead.area}-{year}", lead=lead)
    with tempfile.TemporaryDirectory() as scratch:
        for name, content in draft_files(draft).items():
            (Path(scratch) / name).write_bytes(content)
        return load_policy(Path(scratch))


def _readme(draft: Draft) -> str:
    origin = f"drawn from the lead {draft.lead.area}" if draft.lead else "to be filled in"
    note = draft.lead.texts["note"] if draft.lead else ""
    more = f" Note of the lead: {note}." if note else ""
    return (
        f"# {draft.id}\n\n{draft.title}, {draft.year}: {origin}.{more}\n"
        "Values marked `constructed` or `unofficial` settle nothing unless the user says so.\n"
    )


def _area(draft: Draft) -> str:
    lines = [
        "# 统筹区：编码、险种、医院等级及其别名",
        "# The pooling area: code, insurances, hospital levels, and how records spell them",
        "format = 1",
        f"id = {toml_text(draft.id)}",
        f"code = {toml_text(draft.code)}",
        f"title = {toml_text(draft.title)}",
        f"title_en = {toml_text(draft.title_en)}",
        f"source = {toml_text(source_text(draft))}",
        f'confidence = "{mark_of(draft)}"',
    ]
    for code, one in insurances().items():
        lines += ["", f"[insurance.{code}]", f"title = {toml_text(one.title)}"]
        lines += [f"title_en = {toml_text(one.title_en)}", f"aliases = {texts_of(one.aliases)}"]
    known, spelt = levels(draft), words()["levels"]["spellings"]
    titles_en = words()["levels"]["titles_en"]
    for level in known:
        # a spelling goes to the level that has the fewest, which is the narrowest
        others = [spelt.get(other, ()) for other in known if other != level]
        own = spelt.get(level, ())
        narrower = {text for other in others if len(other) < len(own) for text in other}
        spellings = [text for text in own if text not in narrower.union(known)]
        lines += ["", f"[level.{toml_text(level)}]", f"title = {toml_text(level)}"]
        lines += [f"title_en = {toml_text(titles_en.get(level, level))}"]
        lines += [f"aliases = {texts_of(spellings)}"] if spellings else []
    return "\n".join(lines) + "\n"


def _policy(draft: Draft) -> str:
    lead = draft.lead
    title = f"{draft.title}按病组付费参数（{draft.year}年）"
    year_only = " # 来源只写年度 / the source names the year only" if lead else ""
    lines = [
        "# 每一节注明出处和可信度；分组版本、权重、系数和界值按本区自己的起止日期一起切换。",
        "# Every section says where it stands and how firmly. Scheme, weights, coefficients and",
        "# thresholds of a file change together, on the area's own valid_from.",
        "format = 1",
        f"title = {toml_text(title)}",
        f"title_en = {toml_text(f'{draft.title_en}: DRG payment, {draft.year}')}",
        f"valid_from = {draft.year}-01-01",
        f"valid_to = {draft.year + 1}-01-01{year_only}",
        f"scheme = {toml_text(draft.scheme)}",
        f"weight_table = {toml_text(draft.weight_table)}",
        f"source = {toml_text(source_text(draft))}",
        'confidence = "constructed" # 起止日期 / the dates',
    ]
    sections = _blank_sections(draft) if lead is None else lead_sections(draft, lead)
    lines += [text for section in sections for text in ("", *section)]
    return "\n".join([*lines, "", *parameter_comments(draft.year)]) + "\n"


def _blank_sections(draft: Draft) -> Iterator[list[str]]:
    yield section(
        "base_rate", draft, version(draft, "310 = 1.00", "390 = 1.00"), unit="yuan/weight",
        by="insurance",
    )  # fmt: skip
    coefficients = [f"{toml_text(level)} = 1" for level in levels(draft)]
    yield section(
        "hospital_coefficient", draft, version(draft, *coefficients), unit="1", by="level"
    )
    yield section("standard", draft, version(draft, 'rule = "S2"', 'ratio_base = "w r c"'))
    for name, rule, operator, steps in (
        ("low_outlier", "L1", "<", ["{ k = 0.4 }"]),
        ("high_outlier", "H3", ">", ["{ weight_up_to = 1, k = 3 }", "{ k = 2 }"]),
    ):
        yield section(name, draft, *outlier_version(draft, rule, operator, steps))
    for name in ("ambiguous", "ungrouped"):
        yield section(name, draft, version(draft, 'rule = "C"', "factor = 1"))
    yield fund(draft)
