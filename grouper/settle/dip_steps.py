"""The way of one DIP case to its score and amount, step by step for the reader."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import Protocol

from grouper.errors import Issue
from grouper.money import FEN_PER_YUAN, decimal_text, yuan
from grouper.policy.model import Terms
from grouper.settle.amounts import CaseType, DecidingRule
from grouper.settle.dip_batch import price_dip, rule_of, worth_of
from grouper.settle.dip_cell import Border, DipCell
from grouper.settle.dip_single import DipScore, score_case
from weights.record import places
from weights.table import Facts, WeightTable

_NAMES = {
    "low": ("低倍率界限", "low limit"),
    "extreme": ("极高倍率界限", "extreme limit"),
    "high": ("高倍率界限", "high limit"),
}
_KINDS = {
    "core": "核心病种",
    "primary": "基层病种",
    "comprehensive": "综合病种",
    "tcm": "中医优势病种",
    "bedday": "床日病种",
    "blank": "空白病种",
    "default": "章节默认组",
    "ungrouped": "未入组",
}
_WORDS = {
    "low": ("低倍率", "low"),
    "extreme": ("极高倍率", "extreme"),
    "high": ("高倍率", "high"),
    "normal": ("正常", "normal"),
}


class Note(Protocol):
    """Takes down one step: key, names in Chinese and English, value, where it comes from."""

    def __call__(
        self, key: str, zh: str, en: str, value: object, source: str = "", *, value_zh: str = ""
    ) -> None:
        """Note the step."""


def price_case(
    terms: Terms,
    table: WeightTable,
    group: str,
    kind: str,
    facts: Facts,
    cost_fen: int,
    note: Note,
    *,
    adjustment: str = "",
    days: int = 1,
) -> tuple[CaseType, DecidingRule, Fraction, int | None] | Issue:
    """Type, deciding rule, payment and standard (fen) of a case; None = no standard.

    kind: of its group, `ungrouped` where it has none. Issues as price_dip gives them.
    """
    worth_by = partial(worth_of, table)
    cell = price_dip(terms, worth_by, group, kind, facts, adjustment=adjustment, days=days)
    if isinstance(cell, Issue):
        return cell
    found = score_case(cell, cost_fen)
    _note_factors(cell, terms, kind, adjustment, days, note)
    _note_deviation(cell, found, terms, note)
    shown = places(Fraction(found.units, 10**cell.decimals), cell.decimals)
    note(
        "score_unrounded", "病例分值（未舍入）", "score before rounding", decimal_text(found.exact)
    )
    note("case_score", "病例分值", "score of the case", shown)
    case_type, rule = rule_of(cell, terms, kind, found.deviation)
    standard_fen = None if kind == "ungrouped" else cell.standard_fen
    return case_type, rule, Fraction(found.fen), standard_fen


def _note_factors(
    cell: DipCell, terms: Terms, kind: str, adjustment: str, days: int, note: Note
) -> None:
    sources = terms.sources
    note("kind", "病种类型", "kind of group", kind, value_zh=_KINDS.get(kind, kind))
    if kind != "ungrouped":
        note("score", "病种分值", "score of the group", cell.score, terms.weight_table)
        rule = terms.dip.kinds.of(kind) if terms.dip else None
        if rule is not None and rule.unit == "day":
            note("days", "床日", "days", days)
        if adjustment:
            note("adjustment", "辅助目录系数", "auxiliary coefficient", adjustment)
        note("base", "调整后分值", "score adjusted", decimal_text(cell.base))
        source = sources.get("hospital_coefficient", "")
        coefficient = decimal_text(cell.coefficient)
        note("coefficient", "系数", "hospital coefficient", coefficient, source)
    note("point_value", "点值", "point value", cell.point_value, sources["point_value"])
    if kind != "ungrouped":
        note("standard", "支付标准", "standard", yuan(cell.standard_fen), sources["standard"])


def _note_deviation(cell: DipCell, found: DipScore, terms: Terms, note: Note) -> None:
    if found.ratio is None or cell.reference_fen is None:
        return
    reference = decimal_text(cell.reference_fen / FEN_PER_YUAN, places=6)
    note("reference", "比较费用", "reference cost", reference)
    note("ratio", "倍率", "cost multiple", places(found.ratio, 6))
    for name, border in (("low", cell.low), ("extreme", cell.extreme), ("high", cell.high)):
        if border is not None:
            note(name, *_NAMES[name], _border(border), terms.sources["dip"])
    zh, en = _WORDS[found.deviation]
    note("deviation", "偏差", "deviation", en, value_zh=zh)
    note("factor", "偏差系数", "deviation factor", places(found.factor, 6))
    if found.review:
        note("review", "评议", "review", "for experts", terms.sources["dip"], value_zh="待专家评议")


def _border(border: Border) -> str:
    """`> 2 -> excess 2, K inside`."""
    band = border.band
    deducted = f" {band.deducted}" if band.form == "excess" else ""
    return f"{band.operator} {band.multiple} -> {band.form}{deducted}, K {band.coefficient}"
