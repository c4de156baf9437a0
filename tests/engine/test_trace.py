"""Explanations: golden texts in both languages, and what the machine form promises."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import Path
from string import Formatter

import pytest
from strategies import RecordMaker
from tiny import tiny_scheme

from grouper.engine.groups import Status
from grouper.engine.reference import Record, Reference
from grouper.engine.trace import Step, Trace, trace
from grouper.engine.trace_words import texts
from grouper.errors import Lang
from grouper.scheme.model import CodeKind, Scheme

GOLDEN = Path(__file__).parents[1] / "data" / "trace"
Explain = Callable[[str], Trace]
NAMES = {"J18.900": "肺炎", "J12.100": "呼吸道合胞病毒性肺炎", "47.0901": "阑尾切除术"}

RECORDS: dict[str, tuple[str, Record]] = {
    "cc_excluded_by_principal": (
        "chs_drg_20",
        Record(1, 67, los=9, dx=("J18.900", "J12.100", "E87.600")),
    ),
    "mcc_counts": ("chs_drg_20", Record(1, 67, dx=("J18.900", "J12.100", "J96.000", "J96.000"))),
    "main_procedure_second": (
        "chs_drg_20",
        Record(2, 40, dx=("K35.800x001",), px=("54.2100", "47.0901")),
    ),
    "main_procedure_first": (
        "chs_drg_20",
        Record(2, 40, dx=("K35.800x001",), px=("47.0901", "54.2100")),
    ),
    "sex_conflict_ambiguous": ("chs_drg_20", Record(2, 70, dx=("N40.x00",))),
    "sex_conflict_ungrouped": ("chs_drg_11", Record(1, 30, dx=("N80.000",))),
    "newborn_1499_g": ("chs_drg_20", Record(1, 0, 3, Decimal("1499.5"), dx=("P07.300",))),
    "newborn_1500_g": ("chs_drg_20", Record(1, 0, 3, 1500, dx=("P07.300",))),
    "newborn_990_g_of_3_0": ("chs_drg_30", Record(2, 0, 5, 990, dx=("P07.300",))),
    "newborn_without_weight": ("chs_drg_20", Record(1, 0, 3, dx=("P07.300",))),
    "newborn_without_days": ("chs_drg_20", Record(1, 0, dx=("P07.300",))),
    "multiple_trauma": ("chs_drg_20", Record(1, 40, dx=("S06.000", "S36.000", "S72.000"))),
    "ambiguous": ("chs_drg_20", Record(1, 50, dx=("J18.900",), px=("47.0901",))),
    "ungrouped_gray_code": ("chs_drg_20", Record(1, 50, dx=("K35.800",))),
    "code_not_in_scheme": ("chs_drg_20", Record(1, 50, dx=("j18.900", "Z99.999x9"), px=("0.66",))),
    "rejected_sex": ("chs_drg_20", Record(None, 5, 3, dx=("J18.900",))),
    "rejected_no_dx": ("chs_drg_20", Record(1, 50, px=("47.0901",))),
}


def _name(kind: CodeKind, code: str) -> str:
    return NAMES.get(code, "")


def _of(steps: tuple[Step, ...], step: str) -> list[Step]:
    return [each for each in steps if each["step"] == step]


@pytest.fixture(scope="module")
def explain(load: Callable[[str], Scheme]) -> Explain:
    """`explain("ambiguous")`: the explanation of one of RECORDS."""
    of = cache(lambda scheme_id: Reference(load(scheme_id)))
    return lambda case: of(RECORDS[case][0]).trace(RECORDS[case][1])


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("case", RECORDS)
def test_explanation_reads_as_agreed(
    case: str, lang: Lang, explain: Explain, golden: Callable[[Path, str], None]
) -> None:
    golden(GOLDEN / f"{case}.{lang}.txt", explain(case).text(lang, names=_name))


def test_an_excluded_complication_is_named_with_its_table(explain: Explain) -> None:
    explained = explain("cc_excluded_by_principal")
    found = {step["code"]: step for step in _of(explained.steps, "complication")}
    assert found["J12.100"] == {
        "step": "complication", "code": "J12.100", "level": "MCC", "table": "96",
        "principal": "J18.900", "result": "excluded",
    }  # fmt: skip
    assert found["E87.600"]["result"] == "counts"
    expected = "其他诊断 J12.100 是 MCC（排除表 96），但主要诊断 J18.900 属于同一排除表：不计"
    assert expected in explained.text("zh")


def test_a_qualifying_procedure_in_second_place_is_pointed_out(
    explain: Explain,
) -> None:
    hints = _of(explain("main_procedure_second").steps, "hint")
    wanted = explain("main_procedure_first")
    rule = _of(wanted.steps, "rule")[-1]
    assert [(h["code"], h["position"], h["adrg"]) for h in hints] == [("47.0901", 2, rule["adrg"])]
    assert not _of(wanted.steps, "hint")


@pytest.mark.parametrize("case", ["sex_conflict_ambiguous", "sex_conflict_ungrouped"])
def test_a_sex_conflict_names_the_category_and_the_code(case: str, explain: Explain) -> None:
    found = [s for s in _of(explain(case).steps, "finding") if s["what"] == "sex_conflict"]
    record = RECORDS[case][1]
    assert [(step["sex"], step["codes"]) for step in found] == [(record.sex, [record.dx[0]])]


def test_trauma_shows_each_region_with_its_codes(explain: Explain) -> None:
    steps = explain("multiple_trauma").steps
    entered = next(s for s in _of(steps, "mdc") if s["mdc"] == "MDCZ")
    found = {
        each["list"]: each["codes"] for part in entered["parts"] for each in part.get("found", [])
    }
    assert sorted(found.values()) == [["S06.000"], ["S36.000"], ["S72.000"]]
    assert {"sites": 3} in [part.get("values") for part in entered["parts"]]


def test_mdcs_not_entered_are_listed_on_request(load: Callable[[str], Scheme]) -> None:
    scheme_id, record = RECORDS["mcc_counts"]
    scheme = load(scheme_id)
    listed = [
        s["mdc"] for s in trace(Reference(scheme), record, mdcs="all").steps if s["step"] == "mdc"
    ]
    before = [f"MDC{mdc.mdc}" for mdc in scheme.mdcs][: [m.mdc for m in scheme.mdcs].index("E") + 1]
    assert list(dict.fromkeys(listed)) == before


def test_findings_about_codes_and_numbers() -> None:
    scheme = tiny_scheme(
        mdcs={"A": "True"},
        rules=[("AA1", "main_dx in L_dx")],
        lists={"L_dx": "I10.x00x002 G1 N1"},
        not_for_grouping={("dx", "G1"): "gray", ("px", "N2"): "not_for_grouping"},
    )
    dx = ("i10.X00X002", "G1", "I10.x00x002 ", *["N1"] * 40)
    record = Record(1, 3, 28, dx=dx, px=("N2", "M3"))
    found = _of(Reference(scheme).trace(record).steps, "finding")
    assert [(step["what"], step.get("code"), step.get("near")) for step in found] == [
        ("not_in_scheme", "i10.X00X002", "I10.x00x002"),
        ("gray", "G1", None),
        ("not_in_scheme", "I10.x00x002 ", "I10.x00x002"),
        ("repeated_code", "N1", None),
        ("too_many_codes", None, None),
        ("not_for_grouping", "N2", None),
        ("not_in_scheme", "M3", ""),
        ("age_and_age_days", None, None),
    ]


def test_an_adrg_without_a_fitting_drg_is_shown_and_passed() -> None:
    scheme = tiny_scheme(
        mdcs={"A": "True", "B": "True"},
        rules=[("AA1", "age >= 0"), ("BR1", "not age > 50")],
        drgs=[("AA11", "mcc"), ("AA13", "age > 60")],
    )
    steps = Reference(scheme).trace(Record(1, 50, dx=("X",))).steps
    assert [(s["adrg"], s["result"]) for s in _of(steps, "rule")] == [
        ("AA1", "no_drg_fits"),
        ("BR1", "taken"),
    ]
    assert [(s["drg"], s["result"]) for s in _of(steps, "drg")] == [
        ("AA11", False),
        ("AA13", False),
        ("BR19", True),
    ]


def test_the_trace_agrees_with_the_result_and_is_plain_data(load: Callable[[str], Scheme]) -> None:
    for scheme_id in ("chs_drg_20", "foshan_2022"):
        scheme = load(scheme_id)
        reference = Reference(scheme)
        for case, record in enumerate(RecordMaker(scheme).records(31, 150)):
            explained, outcome = reference.trace(record), reference.group(record)
            result = explained.steps[-1]
            where = f"{scheme_id}, seed 31, case {case}: {record}"
            assert result["status"] == outcome.status.word, where
            drg = scheme.drgs[outcome.group_id - 1].drg if outcome.group_id else None
            if outcome.status is not Status.AMBIGUOUS:
                assert result["drg"] == drg, where
            taken = [s for s in _of(explained.steps, "rule") if s["result"] != "no_drg_fits"]
            assert len(taken) == (outcome.rule_id > 0), where
            data = explained.to_dict()
            assert json.loads(json.dumps(data)) == data, where
            assert reference.trace(record).to_dict() == data, where
            assert explained.text("zh")
            assert explained.text("en")


def test_names_of_codes_appear_in_text_and_data(explain: Explain) -> None:
    explained = explain("mcc_counts")
    assert "主要诊断 J18.900 肺炎 属于排除表 96" in explained.text("zh", names=_name)
    named = explained.to_dict(names=_name)["names"]
    assert named == {"dx": {"J18.900": "肺炎", "J12.100": "呼吸道合胞病毒性肺炎"}, "px": {}}


def test_both_languages_have_the_same_texts_with_the_same_placeholders() -> None:
    def placeholders(lang: Lang) -> dict[str, set[str | None]]:
        return {
            f"{section}.{key}": {field for _, field, _, _ in Formatter().parse(text)} - {None}
            for section, table in texts(lang).items()
            for key, text in table.items()
        }

    assert placeholders("zh") == placeholders("en")


def test_chinese_texts_fit_a_gbk_console(explain: Explain) -> None:
    for case in RECORDS:
        explain(case).text("zh").encode("gbk")
