"""A new area's folder: every section with a comment, to be filled in or drawn from a lead.

What nobody has published is written as `constructed`, so that nothing is settled with it by
mistake (PO112).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from grouper.datafile import toml_text
from grouper.dated import Confidence
from grouper.money import decimal_text
from grouper.policy.draft_parameters import parameter_comments
from grouper.policy.lead_rules import Choice, ClassRule, Schedule
from grouper.policy.leads import Lead, Outlier
from grouper.policy.load import load_policy
from grouper.policy.model import Policy

#: insurance codes of the national platform with the words of the leads
INSURANCES: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "310": ("职工基本医疗保险", "Employee basic medical insurance", ("职工", "职工医保")),
    "390": ("城乡居民基本医疗保险", "Resident basic medical insurance", ("居民", "居民医保")),
}
USUAL_LEVELS = ("三级", "二级", "一级")
#: how records spell the usual levels; a spelling that is a level of its own stays that level
_SPELLINGS = {
    "三级": ("3", "三", "三级甲等", "三级乙等", "三甲", "三乙"),
    "二级": ("2", "二", "二级甲等", "二级乙等", "二甲", "二乙"),
    "一级": ("1", "一", "一级甲等", "一级乙等", "一甲", "一乙"),
    "三甲": ("三级甲等",),
    "三乙": ("三级乙等",),
    "二甲": ("二级甲等",),
    "二乙": ("二级乙等",),
}
#: label columns of published tables -> columns of the weight table in normal form
LABELS = {
    "基础病组标识": "flag",
    "基础病组": "flag",
    "基层病组": "flag",
    "是否调价": "adjusted",
    "备注": "class",
}
#: the year of the build that the leads were taken from, for those that name none
_UNKNOWN_YEAR = 2026
#: decimals that no published number exceeds
_PLACES = 12
#: numbers that still fit on one line
_ONE_LINE = 4

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
    year = int(lead.texts["year"]) if lead.texts["year"].isdecimal() else _UNKNOWN_YEAR
    scheme, code = lead.texts["scheme"], lead.texts["code"]
    names = (lead.area, code or "-", lead.area, lead.area)
    draft = Draft(*names, year, scheme or "-", f"{lead.area}-{year}", lead=lead)
    with tempfile.TemporaryDirectory() as scratch:
        for name, content in draft_files(draft).items():
            (Path(scratch) / name).write_bytes(content)
        return load_policy(Path(scratch))


def _source(draft: Draft) -> str:
    if draft.lead is None:
        return "待填：文件名称、文号、条款 / to be filled in: document, number, article"
    return f"{draft.lead.texts['source']}；未见该市文件 / the city's notice was not seen"


def _mark(draft: Draft) -> Confidence:
    return "constructed" if draft.lead is None else draft.lead.confidence


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
        f"source = {toml_text(_source(draft))}",
        f'confidence = "{_mark(draft)}"',
    ]
    for code, (title, title_en, aliases) in INSURANCES.items():
        lines += ["", f"[insurance.{code}]", f"title = {toml_text(title)}"]
        lines += [f"title_en = {toml_text(title_en)}", f"aliases = {_texts(aliases)}"]
    levels = _levels(draft)
    for level in levels:
        # a spelling goes to the level that has the fewest, which is the narrowest
        others = [_SPELLINGS.get(one, ()) for one in levels if one != level]
        own = _SPELLINGS.get(level, ())
        narrower = {text for spelt in others if len(spelt) < len(own) for text in spelt}
        spellings = [text for text in own if text not in narrower.union(levels)]
        lines += ["", f"[level.{toml_text(level)}]", f"title = {toml_text(level)}"]
        lines += [f"title_en = {toml_text(level)}"]
        lines += [f"aliases = {_texts(spellings)}"] if spellings else []
    return "\n".join(lines) + "\n"


def _levels(draft: Draft) -> tuple[str, ...]:
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


def _policy(draft: Draft) -> str:
    lead = draft.lead
    title = f"{draft.title}按病组付费参数（{draft.year}年）"
    lines = [
        "# 每一节注明出处和可信度；分组版本、权重、系数和界值按本区自己的起止日期一起切换。",
        "# Every section says where it stands and how firmly. Scheme, weights, coefficients and",
        "# thresholds of a file change together, on the area's own valid_from.",
        "format = 1",
        f"title = {toml_text(title)}",
        f"title_en = {toml_text(f'{draft.title_en}: DRG payment, {draft.year}')}",
        f"valid_from = {draft.year}-01-01",
        f"valid_to = {draft.year + 1}-01-01 # 来源只写年度 / the source names the year only",
        f"scheme = {toml_text(draft.scheme)}",
        f"weight_table = {toml_text(draft.weight_table)}",
        f"source = {toml_text(_source(draft))}",
        'confidence = "constructed" # 起止日期 / the dates',
    ]
    sections = _blank_sections(draft) if lead is None else _lead_sections(draft, lead)
    lines += [text for section in sections for text in ("", *section)]
    return "\n".join([*lines, "", *parameter_comments(draft.year)]) + "\n"


def _section(
    name: str, draft: Draft, *body: str, unit: str = "", by: str = "", mark: str = ""
) -> list[str]:
    zh, en = _COMMENTS[name]
    source = _source(draft) if not mark else "本程序所定，待查 / ours, to be checked"
    lines = [f"[{name}] # {zh}", f"# {en}"]
    lines += [f'unit = "{unit}"'] if unit else []
    lines += [f'by = "{by}"'] if by else []
    lines += [f"source = {toml_text(source)}", f'confidence = "{mark or _mark(draft)}"']
    return [*lines, *body]


def _version(draft: Draft, *pairs: str) -> str:
    return f"values = [{{ {', '.join((f'from = {draft.year}-01-01', *pairs))} }}]"


def _blank_sections(draft: Draft) -> Iterator[list[str]]:
    yield _section(
        "base_rate", draft, _version(draft, "310 = 1.00", "390 = 1.00"), unit="yuan/weight",
        by="insurance",
    )  # fmt: skip
    coefficients = [f"{toml_text(level)} = 1" for level in _levels(draft)]
    yield _section(
        "hospital_coefficient", draft, _version(draft, *coefficients), unit="1", by="level"
    )
    yield _section("standard", draft, _version(draft, 'rule = "S2"', 'ratio_base = "w r c"'))
    for name, rule, operator, steps in (
        ("low_outlier", "L1", "<", ["{ k = 0.4 }"]),
        ("high_outlier", "H3", ">", ["{ weight_up_to = 1, k = 3 }", "{ k = 2 }"]),
    ):
        yield _section(name, draft, *_outlier_version(draft, rule, operator, steps))
    for name in ("ambiguous", "ungrouped"):
        yield _section(name, draft, _version(draft, 'rule = "C"', "factor = 1"))
    yield _fund(draft)


def _fund(draft: Draft) -> list[str]:
    body = _version(draft, 'rule = "A"', 'negative = "carry"')
    return _section("fund", draft, body, mark="unofficial")


def _outlier_version(
    draft: Draft, rule: str, operator: str, steps: Sequence[str], deducted: Sequence[str] = ()
) -> list[str]:
    head = f'{{ from = {draft.year}-01-01, rule = "{rule}", operator = "{operator}"'
    more = f", deducted = [{', '.join(deducted)}]" if deducted else ""
    rows = [f"    {step}," for step in steps]
    return ["values = [", f"  {head}{more}, multiple = [", *rows, "  ] },", "]"]


def _lead_sections(draft: Draft, lead: Lead) -> Iterator[list[str]]:
    """The sections of a lead's policy."""
    if lead.rates:
        yield _keyed_section("base_rate", draft, lead.rates, unit="yuan/weight")
    if lead.point_values:
        unit = "10000 yuan/weight" if lead.standard == "S5" else "yuan/point"
        yield _keyed_section("point_value", draft, lead.point_values, unit=unit)
    if lead.mean_cost is not None:
        body = _version(draft, f"value = {_number(lead.mean_cost)}")
        yield _section("mean_cost", draft, body, unit="yuan/weight")
    yield from _coefficients(draft, lead)
    yield _section("standard", draft, _version(draft, *_standard(lead)))
    for name, outlier in (("low_outlier", lead.low), ("high_outlier", lead.high)):
        if outlier is not None:
            yield _section(name, draft, *_outlier(draft, outlier))
    shares, rules = _outside(lead.class_rules)
    for name, texts in (
        ("class_rules", rules),
        ("before_rules", [rule.text for rule in lead.before_rules]),
        ("within_rules", [rule.text for rule in lead.within_rules]),
    ):
        if texts:
            rows = [f"  {toml_text(text)}," for text in texts]
            head = f"values = [{{ from = {draft.year}-01-01, rules = ["
            yield _section(name, draft, head, *rows, "] }]")
    for name, factor in shares.items():
        yield _section(name, draft, _version(draft, 'rule = "C"', f"factor = {factor}"))
    yield _fund(draft)


def _standard(lead: Lead) -> list[str]:
    pairs = [f'rule = "{lead.standard}"', f'ratio_base = "{lead.ratio_base}"']
    return [*pairs, *([f"points = {lead.points}"] if lead.points else [])]


def _outside(rules: Iterable[ClassRule]) -> tuple[dict[str, str], list[str]]:
    """What ambiguous and ungrouped cases are paid of their cost, and the other class rules."""
    shares: dict[str, str] = {}
    others = []
    for rule in rules:
        factor = "1" if rule.value == "L1" else rule.value.removesuffix("C")
        codes = set(rule.words)
        if rule.test == "code" and rule.target == "pay" and codes <= {"0000", "*QY"}:
            shares |= {
                name: factor
                for name, code in (("ambiguous", "*QY"), ("ungrouped", "0000"))
                if code in codes
            }
        others.append(_class_rule(rule))
    return shares, others


def _class_rule(rule: ClassRule) -> str:
    """A class rule in codes of insurances and columns of the normal form."""
    text = rule.text
    for code, (_, _, (word, *_rest)) in INSURANCES.items():
        text = text.replace(f"@ins={word}", f"@ins={code}")
    for column, ours in LABELS.items():
        for test in ("any", "flag", "@any="):
            head, action = text.rsplit(" ", 1)
            text = f"{head.replace(f'{test}{column}', f'{test}{ours}')} {action}"
    return text


def _coefficients(draft: Draft, lead: Lead) -> Iterator[list[str]]:
    source = lead.coef_source
    if not source and lead.standard in ("S1", "S4"):
        return
    name, default = "hospital_coefficient", _constant(lead.coef_default)
    more = [f'"*" = {_number(default)}'] if default else []
    if source.startswith("table"):
        yield _section(name, draft, _version(draft, *more), unit="1", by="table")
    elif lead.coefs and lead.standard != "S1":
        yield _keyed_section(name, draft, lead.coefs, unit="1", more=more)
    elif lead.standard != "S1":
        body = _version(draft, '"*" = 1')
        yield _section(name, draft, body, unit="1", by="hospital", mark="constructed")


def _constant(schedule: Schedule | None) -> Fraction | None:
    """The number a schedule gives to every case, None if it depends on the case."""
    if schedule is None or len(schedule.steps) != 1 or not schedule.is_total:
        return None
    return schedule.steps[0].value


def _keyed_section(
    name: str,
    draft: Draft,
    values: Mapping[tuple[str, str], Fraction],
    *,
    unit: str,
    more: Sequence[str] = (),
) -> list[str]:
    """Numbers by level and insurance; a part that only some keys have is written out for all."""
    by_level = any(level for level, _ in values)
    by_insurance = any(insurance for _, insurance in values)
    codes = {words[0]: code for code, (_, _, words) in INSURANCES.items()}
    pairs: dict[str, Fraction] = {}
    for (level, insurance), number in values.items():
        levels = [level] if level or not by_level else list(_levels(draft))
        insurances = [insurance] if insurance or not by_insurance else list(codes)
        for one in levels:
            for other in insurances:
                key = "/".join(filter(None, (one, codes.get(other, ""))))
                pairs.setdefault(key or "*", number)
    by = "/".join(name for name, used in (("level", by_level), ("insurance", by_insurance)) if used)
    texts = [f"{_key(key)} = {_number(number)}" for key, number in pairs.items()] + [*more]
    if len(texts) <= _ONE_LINE:
        body = [_version(draft, *texts)]
    else:
        # inline tables of TOML stand on one line, so long lists get a table of their own
        body = [f"[[{name}.values]]", f"from = {draft.year}-01-01", *texts]
    return _section(name, draft, *body, unit=unit, by=by or "insurance")


def _key(text: str) -> str:
    return text if text.isascii() and text.isalnum() else toml_text(text)


def _number(value: Fraction) -> str:
    return decimal_text(value, places=_PLACES)


def _outlier(draft: Draft, outlier: Outlier) -> list[str]:
    steps = [_step(choice) for choice in outlier.k.steps]
    deducted = [_step(choice) for choice in outlier.deducted.steps] if outlier.deducted else []
    return _outlier_version(draft, outlier.form, outlier.operator, steps, deducted)


def _step(choice: Choice) -> str:
    parts = []
    codes = {words[0]: code for code, (_, _, words) in INSURANCES.items()}
    for key in filter(None, choice.key.split("&")):
        if key in codes:
            parts.append(f'insurance = "{codes[key]}"')
        else:
            parts.append(f"{'group' if key.isascii() else 'level'} = {toml_text(key)}")
    for test in choice.comparisons:
        name = {"<=": "weight_up_to", "<": "weight_below"}[test.operator]
        parts.append(f"{name} = {_number(test.border)}")
    return f"{{ {', '.join((*parts, f'k = {_number(choice.value)}'))} }}"


def _texts(words: Iterable[str]) -> str:
    return f"[{', '.join(toml_text(word) for word in words)}]"
