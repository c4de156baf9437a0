"""Invented workbooks, grouped as imported and as the published program goes about it: the same.

That program walks the rows by 排序 and decides on each: a surgical case passes over ADRGs that ask
for no procedure, and the ambiguous row is looked at after all others. The importer puts the same
into conditions and order.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_workbook import Sheets

from grouper.engine.groups import Status
from grouper.engine.reference import Facts, Record, Reference, holds
from grouper.scheme.workbook_import import import_workbook
from grouper.scheme.workbook_layout import fold
from grouper.scheme.workbook_rules import translate

DX = ["A00.000", "B00.000", "C00.000", "J96.000"]
PX = ["01.0000", "02.0000", "03.0000", "04.0000"]
SETS = {
    "DI_A": DX[:1], "DI_B": DX[:2], "DI_C": DX[1:3], "DI_D": DX[3:],
    "OP_ALL": PX[:3], "OP_A": PX[:1], "OP_B": PX[1:2], "OP_C": PX[2:],
}  # fmt: skip
KINDS = {name: "dx" if name.startswith("DI") else "px" for name in SETS}
ATOMS = [
    *(f"{field} in {name}" for field in ("ZYZD", "QTZD", "{ZYZD, QTZD}") for name in KINDS
      if name.startswith("DI")),
    *(f"{field} in {name}" for field in ("ZYSS", "QTSS", "{ZYSS, QTSS}") for name in KINDS
      if name.startswith("OP")),
    "ZYSS not in OP_ALL", "ZYSS not in OP_A", "XB = 1", "NL >= 70", "NL = 0", "XSRTL < 29",
    "QTZD in MCC", "length(OP_ALL ∩ {ZYSS, QTSS}) >= 2", "1",
]  # fmt: skip
NEUTRAL = [atom for atom in ATOMS if "SS" not in atom]


def rule(rng: random.Random, atoms: list[str]) -> str:
    parts = [f"({rng.choice(atoms)})" for _ in range(rng.randint(1, 3))]
    text = parts[0]
    for part in parts[1:]:
        text = f"{text} {rng.choice(['and', 'and', 'or'])} {part}"
    return f"not ({text})" if rng.random() < 0.1 else text


@dataclass
class Adrg:
    code: str
    rule: str
    drgs: list[tuple[str, str]]


@dataclass
class Book:
    """MDC letter -> gate, ADRGs in order, ambiguous rule or none."""

    mdcs: dict[str, tuple[str, list[Adrg], str]]

    def sheets(self, rng: random.Random) -> Sheets:
        found: Sheets = {
            "MDC": [["MDC编码", "MDC名称", "MDC规则", "排序"]],
            "ADRG": [["ADRG编码", "ADRG名称", "ADRG规则", "所属MDC编码", "排序"]],
            "DRG": [["DRG", "DRG名称", "DRG规则", "所属ADRG编码", "所属MDC编码", "排序"]],
            "集合": [["集合编号", "ICD编码", "ICD名称", "类型"]],
            "CC": [["疾病编码", "名称", "排除表", "类型"], ["J96.000", "", "", "MCC"]],
            "排除表": [["集合编号", "ICD编码", "ICD名称"], ["EX_1", "A00.000", ""]],
        }
        for name, codes in SETS.items():
            found["集合"] += [[name, code, "", name[:2]] for code in codes]
        for n, (mdc, (gate, adrgs, ambiguous)) in enumerate(self.mdcs.items()):
            found["MDC"].append([f"MDC{mdc}", "", gate, float(n)])
            rows = [[adrg.code, "", adrg.rule, f"MDC{mdc}"] for adrg in adrgs]
            if ambiguous:
                rows.insert(rng.randint(0, len(rows)), [f"{mdc}QY", "", ambiguous, f"MDC{mdc}"])
            found["ADRG"] += [[*row, float(k)] for k, row in enumerate(rows)]
            for adrg in adrgs:
                found["DRG"] += [
                    [code, "", text, adrg.code, f"MDC{mdc}", float(k)]
                    for k, (code, text) in enumerate(adrg.drgs)
                ]
        for title in ("ADRG", "DRG", "集合"):
            body = found[title][1:]
            rng.shuffle(body)
            found[title][1:] = body
        return found


def invented(rng: random.Random) -> Book:
    mdcs = {}
    for mdc in rng.sample("BPSTX", rng.randint(1, 3)):
        adrgs = []
        for n in range(1, rng.randint(1, 5) + 1):
            code = f"{mdc}R{n}"
            drgs = [(f"{code}{k}", rule(rng, ATOMS)) for k in range(1, rng.randint(0, 2) + 1)]
            if not drgs or rng.random() < 0.7:
                drgs.append((f"{code}9", ""))
            adrgs.append(Adrg(code, rule(rng, rng.choice([ATOMS, NEUTRAL])), drgs))
        ambiguous = rng.choice(["ZYSS in OP_ALL", "(XSRTL<29) and (ZYSS in OP_ALL)"])
        gate = rng.choice(["1", "NL = 0", rule(rng, ATOMS)])
        mdcs[mdc] = (gate, adrgs, "" if mdc in "STX" else ambiguous)
    return Book(mdcs)


@dataclass
class Reader:
    """One record before the rules as they stand."""

    record: Record
    facts: Facts

    @classmethod
    def of(cls, record: Record, reference: Reference) -> Reader:
        # newborn days count for infants only
        is_older = record.age is not None and record.age >= 1
        known = replace(record, age_days=None) if is_older else record
        return cls(record, reference.facts(known))

    def is_true(self, text: str) -> bool:
        return holds(translate(fold(text), KINDS), self.facts)  # type: ignore[arg-type]


def expected(book: Book, reader: Reader) -> str:
    """The group as the rows by their order say it."""
    px = reader.record.px
    is_surgical = bool(px) and px[0] in SETS["OP_ALL"]
    for mdc, (gate, adrgs, ambiguous) in book.mdcs.items():
        if not reader.is_true(gate):
            continue
        for adrg in adrgs:
            texts = [adrg.rule, *(text for _, text in adrg.drgs)]
            if is_surgical and not any("SS" in text for text in texts):
                continue
            if reader.is_true(adrg.rule):
                for code, text in adrg.drgs:
                    if reader.is_true(text):
                        return code
        if ambiguous and reader.is_true(ambiguous):
            return f"{mdc}QY"
    return "ungrouped"


def drawn(rng: random.Random) -> Record:
    age = rng.choice([0, 0, 1, 40, 70, None])
    return Record(
        sex=rng.choice([1, 2]), age=age, age_days=rng.choice([None, 5, 28, 29]), weight=None,
        los=3, leaving=1, icu_hours=None,
        dx=tuple(rng.choices(DX, k=rng.randint(1, 3))),
        px=tuple(rng.choices(PX, k=rng.randint(0, 3))),
    )  # fmt: skip


@pytest.mark.property
@settings(max_examples=60)
@given(st.integers(0, 1 << 30))
def test_an_imported_workbook_groups_as_its_rows_say(seed):
    rng = random.Random(seed)
    book = invented(rng)
    scheme = import_workbook(book.sheets(rng), "x.xlsx", "0").scheme
    reference = Reference(scheme)
    codes = {n: row.drg for n, row in enumerate(scheme.drgs, 1)}
    rules = {n: row.adrg for n, row in enumerate(scheme.adrgs, 1)}
    for _ in range(20):
        record = drawn(rng)
        outcome = reference.group(record)
        found = codes.get(outcome.group_id, "ungrouped")
        if outcome.status is Status.AMBIGUOUS:
            found = rules[outcome.rule_id]
        assert found == expected(book, Reader.of(record, reference)), (book, record)
