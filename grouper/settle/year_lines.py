"""The reconciliation table of a year: what each column is, how and from which rules it comes.

One row for each hospital and fund; the same columns in JSON, workbook and page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from grouper.errors import Lang
from grouper.settle.clearing import Account

Kind = Literal["count", "volume", "fen", "ratio", "score"]
Amount = int | Fraction | None


@dataclass(frozen=True, slots=True)
class YearColumn:
    """One column: id, labels, what kind of number, formula, and the parameters behind it.

    A ratio is an exact fraction (1 = all), a volume weight or points, an amount fen.
    """

    id: str
    zh: str
    en: str
    kind: Kind
    formula_zh: str
    formula_en: str
    parameters: tuple[str, ...]
    of: Callable[[Account], Amount]

    def label(self, lang: Lang) -> str:
        """The title in a language."""
        return self.zh if lang == "zh" else self.en

    def formula(self, lang: Lang) -> str:
        """How it is computed, in a language."""
        return self.formula_zh if lang == "zh" else self.formula_en


def _spent(one: Account) -> Fraction | None:
    return Fraction(one.given.recorded_fen, one.full_fen) if one.full_fen > 0 else None


_SHARE = (
    "浮动：资金池(总额口径另加 Σ个人 + Σ其他基金) 按工作量以最大余数法分配；"
    "固定：四舍五入(w x 费率)，未定费率时为各月应付；弹性：基数 x 费率 + 增量按余下资金分配",
    "floating: the pool (total basis: + patients + other funds) over the volume by largest "
    "remainder; fixed: round(w x rate), or what the months accrued; elastic: base x rate + growth "
    "from what is left",
)
_BANDS = ("surplus_bands", "overspend_bands", "band_mode")

COLUMNS: tuple[YearColumn, ...] = (
    YearColumn(
        "cases", "病例数", "cases", "count", "计数", "count", (), lambda one: one.given.cases
    ),
    YearColumn(
        "volume",
        "w 权重或点数",
        "w weight or points",
        "volume",
        "除通过的特例单议外各病例的权重 x 系数之和；不按标准付费的病例 = 应付 / 当日费率",
        "weight x coefficient of all but accepted special cases; payment / rate of the day for "
        "cases not paid their standard",
        (),
        lambda one: one.given.volume,
    ),
    YearColumn(
        "share",
        "份额",
        "share",
        "fen",
        *_SHARE,
        ("budget", "reserve", "rate_method", "rate_basis", "clearing_rate", "base_share"),
        lambda one: one.share_fen,
    ),
    YearColumn(
        "patient",
        "个人负担",
        "patients' part",
        "fen",
        "总费用 - 统筹基金 - 其他基金之和",
        "sum of total - pooled fund - other funds",
        (),
        lambda one: one.given.patient_fen,
    ),
    YearColumn(
        "other",
        "其他基金",
        "other funds",
        "fen",
        "其他基金之和",
        "sum of other funds",
        (),
        lambda one: one.given.other_fen,
    ),
    YearColumn(
        "entitled",
        "A 应付统筹基金",
        "A entitlement",
        "fen",
        "总额口径：份额 - 个人 - 其他基金；基金口径：份额；总额控制时按比例缩至资金池",
        "total basis: share - patients - other funds; fund basis: share; scaled to the pool under "
        "total control",
        ("rate_basis", "total_control"),
        lambda one: one.entitled_fen,
    ),
    YearColumn(
        "special",
        "特例单议核定",
        "special cases approved",
        "fen",
        "四舍五入(已记统筹基金 x 支付比例)或核定金额，名额以内",
        "round(recorded fund x ratio) or a reviewed amount, within the quota",
        ("special_quota", "quota_scope", "special_min_ratio"),
        lambda one: one.given.special_fen,
    ),
    YearColumn(
        "full", "E 应付合计", "E", "fen", "A + 特例", "A + special", (), lambda one: one.full_fen
    ),
    YearColumn(
        "recorded",
        "P 已记统筹基金",
        "P recorded",
        "fen",
        "全部清单的统筹基金之和",
        "pooled fund of all lists",
        (),
        lambda one: one.given.recorded_fen,
    ),
    YearColumn("spent", "P / E", "P / E", "ratio", "P / E", "P / E", (), _spent),
    YearColumn(
        "kept",
        "结余留用",
        "surplus kept",
        "fen",
        "四舍五入(各段结余 x 留用比例之和)",
        "round(sum of slices of E - P x share kept)",
        _BANDS,
        lambda one: one.shared.kept_fen,
    ),
    YearColumn(
        "borne",
        "超支分担",
        "overspend borne",
        "fen",
        "四舍五入(各段超支 x 分担比例之和)；调剂金不足时按最大余数法缩减",
        "round(sum of slices of P - E x share borne); scaled by largest remainder when the "
        "reserve is short",
        (*_BANDS, "reserve"),
        lambda one: one.final_fen - one.full_fen if one.overspent else 0,
    ),
    YearColumn(
        "final",
        "F 清算应付",
        "F final",
        "fen",
        "P ≤ E：P + 留用；P > E：E + 分担",
        "P <= E: P + kept; P > E: E + borne",
        _BANDS,
        lambda one: one.final_fen,
    ),
    YearColumn(
        "deposit",
        "Q 质量保证金",
        "Q deposit",
        "fen",
        "各月 M11 之和",
        "sum of M11",
        ("deposit",),
        lambda one: one.given.deposit_fen,
    ),
    YearColumn(
        "score",
        "考核得分",
        "score",
        "score",
        "输入",
        "input",
        (),
        lambda one: one.given.score,
    ),
    YearColumn(
        "returned",
        "返还保证金",
        "returned",
        "fen",
        "四舍五入(Q x 返还比例)",
        "round(Q x factor)",
        ("score_steps", "unscored"),
        lambda one: one.returned_fen,
    ),
    YearColumn(
        "redistributed",
        "再分配",
        "redistributed",
        "fen",
        "未返还的保证金按 E 以最大余数法分配(仅在规定再分配时)",
        "withheld deposits over E by largest remainder, where the area does so",
        ("redistribute_withheld",),
        lambda one: one.redistributed_fen,
    ),
    YearColumn(
        "audit",
        "K 审核扣款",
        "K deductions",
        "fen",
        "各月 M9 + 年终扣款",
        "sum of M9 + deductions at the year's end",
        (),
        lambda one: one.given.audit_fen,
    ),
    YearColumn(
        "payable",
        "U 应拨",
        "U due",
        "fen",
        "F - K - (Q - 返还) + 再分配",
        "F - K - (Q - returned) + redistributed",
        (),
        lambda one: one.payable_fen,
    ),
    YearColumn(
        "m15",
        "各月实拨",
        "sum of M15",
        "fen",
        "各月 M15 之和",
        "sum of M15",
        (),
        lambda one: one.given.paid_fen,
    ),
    YearColumn(
        "m13",
        "各月抵扣",
        "sum of M13",
        "fen",
        "各月 M13 之和",
        "sum of M13",
        (),
        lambda one: one.given.offset_fen,
    ),
    YearColumn(
        "before",
        "V 已拨",
        "V paid before",
        "fen",
        "各月 M15 + M13 之和",
        "sum of M15 + M13",
        (),
        lambda one: one.before_fen,
    ),
    YearColumn(
        "clearing", "Z 清算", "Z clearing", "fen", "U - V", "U - V", (), lambda o: o.clearing_fen
    ),
    YearColumn(
        "advance",
        "未抵预付金",
        "advance outstanding",
        "fen",
        "年末余额",
        "left at the year's end",
        (),
        lambda one: one.given.advance_fen,
    ),
    YearColumn(
        "cash",
        "清算拨付",
        "cash",
        "fen",
        "Z - 未抵预付金；负数为应收回",
        "Z - advance outstanding; below zero: to recover",
        (),
        lambda one: one.cash_fen,
    ),
)

#: columns whose sum over hospitals means something
SUMMED = tuple(one.id for one in COLUMNS if one.kind in ("count", "volume", "fen"))


def totals(accounts: Sequence[Account]) -> dict[str, Amount]:
    """The sums of the columns over some accounts; ratios and scores have none."""
    found: dict[str, Amount] = {}
    for column in COLUMNS:
        if column.id in SUMMED:
            found[column.id] = sum((column.of(one) or 0 for one in accounts), Fraction(0))
            if column.kind != "volume":
                found[column.id] = int(found[column.id] or 0)
    return found
