"""The pieces of a new area's files: what is known of it, sections, versions, schedules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from grouper.datafile import toml_text
from grouper.dated import Confidence
from grouper.policy.lead_rules import Schedule
from grouper.policy.leads import Lead

#: insurance codes of the national platform with the words of the leads
INSURANCES: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "310": ("职工基本医疗保险", "Employee basic medical insurance", ("职工", "职工医保")),
    "390": ("城乡居民基本医疗保险", "Resident basic medical insurance", ("居民", "居民医保")),
}
USUAL_LEVELS = ("三级", "二级", "一级")

#: the comment of each section, zh and en
_COMMENTS: Mapping[str, tuple[str, str]] = {
    "base_rate": (
        "费率，元/权重 1；by：insurance、level、hospital 或以 / 连接",
        'base rate; by: insurance, level, hospital, or several joined with "/"',
    ),
    "point_value": ("点值；by 同上", "point value; by as above"),
    "mean_cost": ("次均费用，元/权重 1（倍率基数）", "mean cost per weight 1, for the ratio base"),
    "hospital_coefficient": (
        '医院系数；by = "table" 时取自权重表',
        'hospital coefficient; by = "table": the weight table has one a group',
    ),
    "standard": (
        "支付标准 S1 至 S6；ratio_base 为倍率的除数",
        "payment standard S1 to S6; ratio_base: what the cost is divided by",
    ),
    "low_outlier": ("低倍率 L1、L2、L3、L5", "low outlier L1, L2, L3, L5"),
    "high_outlier": ("高倍率 H0 至 H8、H2k", "high outlier H0 to H8, H2k"),
    "class_rules": ("病组类别的规定（语言见 areas/README.md）", "rules of classes of groups"),
    "before_rules": ("先于高低倍率判断的规定", "rules asked before the outlier tests"),
    "within_rules": ("正常区间内的规定", "rules inside the normal band"),
    "ambiguous": ("歧义组：按费用的比例", "ambiguous cases: a share of the cost"),
    "ungrouped": ("未入组：按费用的比例", "ungrouped cases: a share of the cost"),
    "fund": (
        "统筹基金支付：A = 应付 −（总费用 − 按项目统筹支付）",
        "pooled fund: A = payment - (cost - pooled fund by items)",
    ),
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
    words = {"职工", "居民", ""}
    found = [level for level in found if level not in words]
    return tuple(dict.fromkeys(found)) or USUAL_LEVELS


def _level_keys(schedule: Schedule | None) -> list[str]:
    keys = [part for step in schedule.steps for part in step.key.split("&")] if schedule else []
    return [key for key in keys if not key.isascii()]


def section(
    name: str, draft: Draft, *body: str, unit: str = "", by: str = "", mark: str = ""
) -> list[str]:
    """The lines of a section; mark: another one than that of the draft, for what is ours."""
    zh, en = _COMMENTS[name]
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
