"""The official 3.0 workbook made from a scheme: its layout, its rule language, its traps.

The layout and the look of real rules are those of the workbook of 2026-09-09 as two public programs
read it (yafei42/DRGX, goat0330/medical-system-mvp); the contents are those of any scheme.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby

import xlsxwriter

from grouper.scheme.condition import (
    And,
    Compare,
    Condition,
    Constant,
    Field,
    Flag,
    Hits,
    Member,
    Not,
    Number,
    Or,
    Sites,
)
from grouper.scheme.model import Scheme

Sheets = dict[str, list[list[object]]]

FIELDS = {
    "main_dx": "ZYZD",
    "other_dx": "QTZD",
    "any_dx": "{ZYZD, QTZD}",
    "main_px": "ZYSS",
    "other_px": "QTSS",
    "any_px": "{ZYSS, QTSS}",
}
NUMBERS = {"age": "NL", "sex": "XB", "age_days": "XSRTL", "weight": "XSRTZ"}
TITLE = "按病组（DRG）付费3.0版分组方案配置信息"
#: lists whose official names have a meaning
SPECIAL = {"VALID_PX": "OP_ALL", "MB10_opx": "OP_ARB"}


def set_names(scheme: Scheme) -> dict[str, str]:
    """Lists -> official set numbers."""
    return {
        name: SPECIAL.get(name, f"{'DI' if one.kind == 'dx' else 'OP'}_{name.upper()}")
        for name, one in scheme.lists.items()
    }


def by_sites(condition: Condition) -> Condition:
    """Multiple trauma as the workbook says it: the principal's site, and another diagnosis's."""
    match condition:
        case And(operands=(Member(codes="main_dx"), Compare(terms=(Sites(lists=sites), _)))):
            return Or(
                tuple(
                    And(
                        (
                            Member("main_dx", site),
                            Or(
                                tuple(Member("other_dx", other) for other in sites if other != site)
                            ),
                        )
                    )
                    for site in sites
                )
            )
    return condition


def rule(condition: Condition, names: Mapping[str, str]) -> str:
    """A condition in the official language."""
    match condition:
        case Constant(value=True):
            return "1"
        case Flag(name=name):
            return f"QTZD in {name.upper()}"
        case Or(operands=(Flag(name="mcc"), Flag(name="cc"))):
            return "QTZD in {MCC, CC}"
        case Member(codes=codes, list_name=name):
            return f"{FIELDS[codes]} in {names[name]}"
        case Or(operands=(Member(codes=codes), *_) as operands) if all(
            isinstance(one, Member) and one.codes == codes for one in operands
        ):
            sets = ", ".join(names[one.list_name] for one in operands if isinstance(one, Member))
            return f"{FIELDS[codes]} in {{{sets}}}"
        case Not(operand=Member(codes=codes, list_name=name)):
            return f"{FIELDS[codes]} not in {names[name]}"
        case Not(operand=inner):
            return f"not ({rule(inner, names)})"
        case And(operands=operands):
            return " and ".join(f"({rule(o, names)})" for o in operands)
        case Or(operands=operands):
            return " or ".join(f"({rule(o, names)})" for o in operands)
        case Compare(terms=terms, ops=ops):
            parts = [term(terms[0], names)]
            for op, one in zip(ops, terms[1:], strict=True):
                parts += ["=" if op == "==" else op, term(one, names)]
            return "".join(parts)
    raise AssertionError(condition)


def term(one: object, names: Mapping[str, str]) -> str:
    match one:
        case Number(value=value):
            return str(value)
        case Field(name=name):
            return NUMBERS[name]
        case Hits(codes=codes, list_name=name):
            return f"length({names[name]} ∩ {FIELDS[codes]})"
    raise AssertionError(one)


@dataclass
class Traps:
    """What makes the workbook as awkward as the real one."""

    shifted: bool = True
    escapes: bool = True
    repeats: int = 113
    middle: bool = True
    dropped: frozenset[str] = field(default_factory=frozenset)


def sheets_of(scheme: Scheme, traps: Traps | None = None) -> Sheets:
    """The six sheets of a scheme."""
    traps = traps or Traps()
    names = set_names(scheme)
    return {
        "说明": [["本工作簿由测试生成"]],
        "MDC": list(mdc_rows(scheme, names, traps)),
        "ADRG": list(adrg_rows(scheme, names, traps)),
        "DRG": list(drg_rows(scheme, names, traps)),
        "集合": set_rows(scheme, names, traps),
        "CC": [
            ["疾病编码", "疾病名称", "排除表", "类型"],
            *(
                [code, "名称", f"EX_{one.table}" if one.table else None, one.level]
                for code, one in scheme.cc.items()
            ),
        ],
        "排除表": [
            ["集合编号", "ICD编码", "ICD名称"],
            *(
                [f"EX_{table}", code, "名称"]
                for code, table in scheme.exclusions.items()
                if code not in traps.dropped
            ),
        ],
    }


def mdc_rows(scheme: Scheme, names: Mapping[str, str], traps: Traps) -> Iterator[list[object]]:
    yield [TITLE, None, None, None]
    yield ["MDC编码", "MDC名称", "MDC规则", "排序"]
    for mdc in scheme.mdcs:
        text = rule(by_sites(mdc.when), names)
        if traps.escapes:
            # the line ends of the real file
            text = text.replace("} or ", "} or \\\n").replace(") or (", ") or _x000D_\n(")
        text = "" if mdc.mdc == "A" else text
        yield [f"MDC{mdc.mdc}", mdc.name, text, float(mdc.order)]
    yield ["0000", "兜底", "", float(len(scheme.mdcs) + 1)]


def adrg_rows(scheme: Scheme, names: Mapping[str, str], traps: Traps) -> Iterator[list[object]]:
    head = ["ADRG编码", "ADRG名称", "ADRG规则", "所属MDC编码", "MDC内排序"]
    blank: list[object] = [None] * traps.shifted
    yield [*blank, *head]
    for mdc, rules in groupby(scheme.adrgs, key=lambda one: one.mdc):
        found: dict[str, list[Condition]] = {}
        titles = {}
        for one in rules:
            found.setdefault(one.adrg, []).append(one.when)
            titles[one.adrg] = "" if one.is_ambiguous else one.name
        # ambiguous rows and catch-alls stand anywhere in the sheet
        codes = [code for code in found if not code.endswith("QY")]
        codes[len(codes) // 2 : len(codes) // 2] = [c for c in found if c.endswith("QY")]
        for sort, code in enumerate(codes, 1):
            whens = found[code]
            text = rule(whens[0] if len(whens) == 1 else Or(tuple(whens)), names)
            if traps.escapes and code[0] in "NRW":
                text = text.replace(") or (", ")_x000D_\n OR \u3000\u200b(").replace(
                    " and ", "\xa0AND "
                )
            yield [*blank, code, titles[code], text, f"MDC{mdc}", float(sort)]
            if traps.middle and sort == len(codes) - 2:
                # the catch-all bears the number of the next row, as O00 does
                yield [*blank, f"{mdc}00", "", "", f"MDC{mdc}", float(sort)]
    yield [*blank, "000", "", "", "0000", 1.0]


def drg_rows(scheme: Scheme, names: Mapping[str, str], traps: Traps) -> Iterator[list[object]]:
    yield ["DRG", "DRG名称", "DRG规则", "所属ADRG编码", "所属MDC编码", "排序"]
    for adrg, drgs in groupby(scheme.drgs, key=lambda one: one.adrg):
        group = list(drgs)
        if traps.middle:
            # the unconditional row stands first and bears the number of another
            group = [group[-1], *group[:-1]]
        for n, one in enumerate(group):
            text = "" if one.when == Constant(True) else rule(one.when, names)
            yield [one.drg, one.name, text, adrg, f"MDC{adrg[0]}", float(max(n, 1))]
    for mdc in scheme.mdcs:
        if f"{mdc.mdc}QY" in {one.adrg for one in scheme.adrgs}:
            yield [f"{mdc.mdc}QY", "", "", f"{mdc.mdc}QY", f"MDC{mdc.mdc}", 1.0]
        yield [f"{mdc.mdc}000", "", "", f"{mdc.mdc}00", f"MDC{mdc.mdc}", 1.0]
    yield ["0000", "", "", "000", "0000", 1.0]


def set_rows(scheme: Scheme, names: Mapping[str, str], traps: Traps) -> list[list[object]]:
    rows: list[list[object]] = [
        [names[name], code, "名称", "DI" if one.kind == "dx" else "OP"]
        for name, one in scheme.lists.items()
        for code in one.codes
    ]
    return [["集合编号", "ICD编码", "ICD名称", "类型编号"], *rows, *rows[: traps.repeats]]


def workbook(sheets: Sheets) -> bytes:
    """The bytes of an XLSX file with these cells."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_numbers": False}) as book:
        for title, rows in sheets.items():
            sheet = book.add_worksheet(title)
            for n, row in enumerate(rows):
                for m, cell in enumerate(row):
                    if isinstance(cell, str) and cell:
                        sheet.write_string(n, m, cell)
                    elif cell is not None and cell != "":
                        sheet.write_number(n, m, cell)
    return target.getvalue()
