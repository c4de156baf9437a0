"""The figures of a fund as a whole: from its budget to the area gap, each with its formula."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grouper.errors import Lang
from grouper.settle.clearing import Clearing, balance
from grouper.settle.year_lines import Amount, Kind


@dataclass(frozen=True, slots=True)
class AreaLine:
    """One figure of a fund as a whole: id, labels, formula, amount."""

    id: str
    zh: str
    en: str
    kind: Kind
    formula_zh: str
    formula_en: str
    amount: Amount

    def label(self, lang: Lang) -> str:
        """The title in a language."""
        return self.zh if lang == "zh" else self.en

    def formula(self, lang: Lang) -> str:
        """How it is computed, in a language."""
        return self.formula_zh if lang == "zh" else self.formula_en


def area_lines(made: Clearing) -> tuple[AreaLine, ...]:
    """The figures of a fund as a whole, in the order of the steps."""
    pool, rules = made.pool, made.rules
    left, right = balance(made)
    taken = sum(rules.deductions_fen.values())
    amounts: Mapping[str, Amount] = {
        "budget": rules.budget_fen,
        "reserve": pool.reserve_fen,
        "deductions": taken,
        "special": made.given("special_fen"),
        "pool": pool.pool_fen,
        "numerator": made.numerator_fen or None,
        "volume": made.volume,
        "unit_value": made.unit_yuan,
        "entitled": made.total("entitled_fen"),
        "scaled_from": made.scaled_from_fen,
        "needed": made.needed_fen,
        "available": made.available_fen,
        "compensation": made.compensation_fen,
        "surplus": made.surplus_fen,
        "final": made.total("final_fen"),
        "withheld": made.total("withheld_fen"),
        "area_gap": made.area_gap_fen,
        "i2_left": left,
        "i2_right": right,
    }
    return tuple(
        AreaLine(line_id, *texts, amounts[line_id])
        for line_id, texts in _AREA.items()
        if amounts[line_id] is not None
    )


_AREA: Mapping[str, tuple[str, str, Kind, str, str]] = {
    "budget": ("B 总额预算", "B budget", "fen", "当年最后一个版本", "last version of the year"),
    "reserve": ("调剂金", "reserve", "fen", "四舍五入(B x 比例)", "round(B x ratio)"),
    "deductions": ("其他扣除", "deductions", "fen", "各项之和", "sum of all items"),
    "special": ("特例单议", "special cases", "fen", "核定之和", "sum approved"),
    "pool": (
        "G 资金池",
        "G pool",
        "fen",
        "B - 调剂金 - 扣除 - 特例",
        "B - reserve - deductions - special",
    ),
    "numerator": (
        "N 分配总额",
        "N numerator",
        "fen",
        "G(总额口径另加个人和其他基金)",
        "G (total basis: + patients + other funds)",
    ),
    "volume": ("Σw", "sum of w", "volume", "工作量之和", "all volume"),
    "unit_value": (
        "费率 / 点值(元)",
        "rate / point value (yuan)",
        "volume",
        "N / Σw，或规定的费率",
        "N / sum of w, or the rate set",
    ),
    "entitled": ("ΣA", "sum of A", "fen", "各医院 A 之和", "over hospitals"),
    "scaled_from": ("缩减前 ΣA", "sum of A before scaling", "fen", "缩减前", "before scaling"),
    "needed": ("应分担超支", "overspend to bear", "fen", "分段计算之和", "by the bands"),
    "available": (
        "可用于分担",
        "available for it",
        "fen",
        "调剂金 + (G - ΣA)",
        "reserve + (G - sum of A)",
    ),
    "compensation": ("超支分担", "overspend borne", "fen", "实际分担", "actually borne"),
    "surplus": ("结余回流", "surplus returned", "fen", "Σ(E - F)", "sum of E - F"),
    "final": ("ΣF", "sum of F", "fen", "各医院 F 之和", "over hospitals"),
    "withheld": ("未返还保证金", "deposits withheld", "fen", "Σ(Q - 返还)", "sum of Q - returned"),
    "area_gap": (
        "区域差额",
        "area gap",
        "fen",
        "G + 特例 + 调剂金 - ΣF；负数为缺口",
        "G + special + reserve - sum of F; below zero: a deficit",
    ),
    "i2_left": (
        "I2 左",
        "I2 left",
        "fen",
        "ΣF + 回流 + (调剂金 + G - ΣA - 分担)",
        "sum of F + returned + (reserve + G - sum of A - borne)",
    ),
    "i2_right": ("I2 右", "I2 right", "fen", "G + 特例 + 调剂金", "G + special + reserve"),
}
