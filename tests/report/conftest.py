"""One report of invented figures, in both languages, with every kind of row there is."""

from collections.abc import Callable
from fractions import Fraction
from typing import get_args

import pytest

from grouper.errors import Lang
from grouper.monitor.coverage import CoverageRow
from grouper.monitor.ratio import judge
from grouper.monitor.targets import UNITS, load_targets
from grouper.report.data import (
    Basis,
    GroupRow,
    Problem,
    ReportData,
    Statement,
    StatementLine,
    StatusCount,
)

HOSPITALS = [
    ("H41010100001", "示例市第一人民医院"),
    ("H41010100002", "示例市中医院"),
    ("H41010100003", "某县人民医院（含一个很长很长的分院名称，用来看折行）"),
]
LINES = [
    ("M1", "病例数", "cases", "count", "count"),
    ("M2", "总费用", "total cost", "fen", "Σ total"),
    ("M3", "支付标准", "standard", "fen", "Σ std"),
    ("M4", "个人负担", "patient", "fen", "Σ patient"),
    ("M5", "其他基金", "other funds", "fen", "Σ other"),
    ("M6", "应付统筹", "accrued pool", "fen", "M3 − M4 − M5"),
    ("M7", "待评审特例", "special cases", "fen", "Σ recorded pool"),
    ("M9", "审核扣款", "audit deductions", "fen", "Σ deductions"),
    ("M10", "结算基数", "base", "fen", "M6 + M7 − M9"),
    ("M11", "质量保证金", "deposit", "fen", "round(5% × max(M10, 0))"),
    ("M12", "应拨付", "payable", "fen", "M10 − M11"),
    ("M15", "实际拨付", "paid", "fen", "max(M12 + M14 − M13, 0)"),
]
AMOUNTS = [128, 215_804_311, 209_955_000, 71_300_021, 8_054_000, 130_600_979, 0, 250_000]
GROUPS = [
    ("BR23", "脑缺血性疾患，伴一般并发症与合并症"),
    ("ES21", "呼吸系统感染/炎症，伴严重并发症与合并症"),
    ("FR43", "冠状动脉粥样硬化/血栓/闭塞，伴一般并发症与合并症"),
    ("GB19", "食管、胃、十二指肠大手术"),
    ("IC29", "髋、肩、膝、肘和踝关节置换术"),
    ("OB25", "剖宫产术"),
    ("RE13", "恶性增生性疾患的化学和/或靶向、生物治疗"),
    ("KS15", "糖尿病"),
]


def statement(number: int, insurance: str, month: str, lang: Lang) -> Statement:
    base = [amount * (number + 2) // (3 if insurance == "310" else 4) for amount in AMOUNTS]
    base[5] = base[2] - base[3] - base[4]
    base += [base[5] - base[7]]
    deposit = (base[8] * 5 + 50) // 100
    base += [deposit, base[8] - deposit, base[8] - deposit]
    lines = tuple(
        StatementLine(key, {"zh": zh, "en": en}[lang], amount, unit, formula)
        for (key, zh, en, unit, formula), amount in zip(LINES, base, strict=True)
    )
    kind = {"310": {"zh": "职工", "en": "employees"}, "390": {"zh": "居民", "en": "residents"}}
    return Statement(*HOSPITALS[number], kind[insurance][lang], month, lines)


def coverage_row(measure, place, num, den, target=None) -> CoverageRow:
    result = judge(num, den, None if target is None else target.value)
    return CoverageRow(
        name="|".join((measure, *place)),
        measure=measure,
        period="2022",
        dimension=tuple(("area", word) for word in place),
        num=num,
        den=den,
        unit=UNITS[measure],
        target=target,
        ratio_text=result.ratio_text,
        ratio_bp=result.ratio_bp,
        status=result.status,
        gap=result.gap,
    )


def coverage() -> tuple[CoverageRow, ...]:
    henan = {target.row: target for target in load_targets(["henan-2022-5"])}
    plan = {(t.row, t.period): t for t in load_targets(["national-2021-48"])}
    return (
        coverage_row("area", (), 12, 17, plan["N01", "2022"]),
        coverage_row("institution", ("甲市",), 31, 58, henan["S09"]),
        coverage_row("institution", ("乙市",), 22, 45, henan["S09"]),
        coverage_row("institution", ("乙市",), 22, 45, plan["N02", "year 2"]),
        coverage_row("institution", ("丙县",), 0, 0, henan["S09"]),
        coverage_row("disease_cases", ("甲市",), 18345, 20111),
        coverage_row("disease_types", ("甲市",), 541, 612),
        coverage_row("fund", ("甲市",), 41234567890, 82469135780, henan["S10"]),
        coverage_row("fund", ("乙市",), 12000000000, 25000000001, henan["S10"]),
        coverage_row("fund", ("*",), 4999999999, 10000000000, henan["S10"]),
    )


def report_data(lang: Lang, **changes) -> ReportData:
    words = {"zh": 0, "en": 1}[lang]
    values = {
        "title": (
            "示例市 2022 年 9 月住院病例分组与结算报告",
            "Grouping and settlement, Sept. 2022",
        )[words],
        "lang": lang,
        "program": "chs-grouper 0.1.0",
        "basis": (
            Basis(("分组方案", "Scheme")[words], "chs_drg_20 · sha256:5d1e…9a", "published"),
            Basis(("权重表", "Weights")[words], "demo-2022", "constructed"),
            Basis(("政策", "Policy")[words], "demo 2022-01-01", "constructed"),
            Basis(("输入", "Input")[words], "discharges.xlsx"),
        ),
        "confidence": "constructed",
        "origin": "invented",
        "counts": (
            StatusCount("grouped", 981),
            StatusCount("ambiguous", 6),
            StatusCount("ungrouped", 11),
            StatusCount("rejected", 2),
        ),
        "problems": (
            Problem(
                "RW01",
                ("其他诊断 I10.Y00 不在字典中", "other diagnosis I10.Y00 is not in the dictionary")[
                    words
                ],
                ("更正编码，或用 --map 指定", "correct the code, or name its edition")[words],
                37,
            ),
            Problem("RE02", ("缺少主要诊断", "no principal diagnosis")[words], "…", 2),
        ),
        "groups": tuple(
            GroupRow(
                code,
                name,
                90 - 7 * k,
                (90 - 7 * k) * 1_345_612 + 37 * k,
                None if k == 7 else (90 - 7 * k) * (1_300_000 + 31_000 * k),
            )
            for k, (code, name) in enumerate(GROUPS)
        ),
        "statements": tuple(
            statement(number, insurance, "2022-09", lang)
            for number in range(3)
            for insurance in ("310", "390")
        ),
        "coverage": coverage(),
        "notes": (
            ("费率为虚构示例。", "The rate is an invented example.")[words],
            ("覆盖率按结算月份统计。", "Coverage is by month of settlement.")[words],
        ),
        "made": "2022-10-08",
    }
    return ReportData(**(values | changes))


@pytest.fixture(params=get_args(Lang))
def data(request) -> ReportData:
    return report_data(request.param)


@pytest.fixture
def make() -> Callable[..., ReportData]:
    return report_data


@pytest.fixture
def half() -> Fraction:
    return Fraction(1, 2)
