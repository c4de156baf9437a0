"""A workbook of a few rows: what the rules leave unsaid, every trap, and one fault at a time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from small_workbook import P_GATE, Sheets, small_sheets
from strategies import batch_of

from grouper.engine.drg import DrgGrouper
from grouper.engine.groups import Status
from grouper.engine.reference import Record, Reference
from grouper.errors import SchemeError
from grouper.scheme.condition import to_text
from grouper.scheme.model import Scheme
from grouper.scheme.workbook_import import Import, import_workbook
from grouper.scheme.workbook_layout import amendments


@pytest.fixture
def sheets() -> Sheets:
    return small_sheets()


def read(sheets: Sheets) -> Import:
    return import_workbook(sheets, "官方.xlsx", "ab" * 32)


def errors(sheets: Sheets) -> list[tuple[str, str, str]]:
    with pytest.raises(SchemeError) as caught:
        read(sheets)
    for issue in caught.value.issues:
        assert issue.text("zh")
        assert issue.text("en")
    return [(i.code, i.where, str(i.params["problem"])) for i in caught.value.issues]


def rules(scheme: Scheme, mdc: str) -> list[tuple[str, str]]:
    return [(one.adrg, to_text(one.when)) for one in scheme.adrgs if one.mdc == mdc]


def repairs(found: Import) -> dict[str, list[str]]:
    by_problem: dict[str, list[str]] = {}
    for issue in found.repairs:
        by_problem.setdefault(str(issue.params["problem"]), []).append(
            issue.where.rpartition(":")[2]
        )
    return by_problem


@pytest.fixture(scope="module")
def group() -> Callable[..., str]:
    scheme = read(small_sheets()).scheme
    reference, kernel = Reference(scheme), DrgGrouper.of(scheme)

    def group(dx: str, px: str = "", *, sex: int = 1, age: int | None = 40, **more) -> str:
        record = Record(
            sex=sex, age=age, dx=tuple(dx.split()), px=tuple(px.split()),
            **{"age_days": None, "weight": None, "los": 5, "leaving": 1, "icu_hours": None} | more,
        )  # fmt: skip
        outcome = reference.group(record)
        groups = kernel.group(batch_of([record]))
        assert int(groups.status[0]) == outcome.status
        assert int(groups.group_id[0]) == outcome.group_id
        assert int(groups.rule_id[0]) == outcome.rule_id
        codes = kernel.codes
        if outcome.status is Status.AMBIGUOUS:
            return codes.adrg[outcome.rule_id]
        return codes.drg[outcome.group_id] or outcome.status.word

    return group


# --- what the rules leave unsaid ---------------------------------------------------------------


def test_a_surgical_case_enters_procedure_driven_adrgs_only_else_is_ambiguous(group):
    assert group("I63.900", "01.2400 01.2401") == "BB19"
    assert group("I63.900", "02.0000 17.4100") == "BB10"
    # a stroke with an appendectomy: no procedure-driven ADRG, so no medical one either
    assert group("I63.900", "47.0100") == "BQY"
    # and no later MDC is tried, though E would take it
    assert group("G45.900", "47.0100") == "BQY"


def test_only_the_main_procedure_makes_a_case_surgical(group):
    assert group("I63.900", "99.9999 47.0100") == "BR15"
    assert group("G45.900", "93.9000 47.0100") == "BN19"


def test_procedures_that_are_no_valid_ones_never_make_a_case_ambiguous(group):
    assert group("G45.900", "93.9000") == "BN19"
    assert group("N40.x00", "93.9000") == "MZ19"


def test_an_adrg_whose_drg_asks_for_procedures_is_procedure_driven(group):
    assert group("O82.000 Z37.000", "74.1x00", sex=2) == "OR19"
    assert group("O82.000 Z37.000", "74.1x00 03.9100", sex=2) == "OR10"
    assert group("O82.000", "74.1x00", sex=2) == "OQY"
    assert group("O82.000 Z37.000", sex=2) == "OR19"


def test_an_mdc_without_an_ambiguous_row_leaves_such_a_case_ungrouped(group):
    assert group("A41.900", "02.0000") == "SB19"
    assert group("A41.900", "47.0100") == "ungrouped"
    assert group("A41.900", "93.9000") == "SR19"
    assert group("A41.900") == "SR19"


def test_mdc_a_passes_a_surgical_case_on(group):
    assert group("I63.900", "33.5000") == "AA19"
    assert group("I63.900", "02.0000") == "BB19"


def test_the_wrong_sex_ends_ungrouped_and_o_does_not_ask(group):
    assert group("N40.x00", sex=2) == "ungrouped"
    assert group("N40.x00", "47.0100", sex=2) == "ungrouped"
    assert group("N80.000", sex=1) == "ungrouped"
    assert group("N80.000", sex=2) == "NZ19"
    assert group("O82.000", sex=1) == "OZ19"


@pytest.mark.parametrize(
    ("weight", "drg"),
    [(999, "PS19"), (1000, "ungrouped"), (2499, "ungrouped"), (2500, "PS59"), (None, "ungrouped")],
)
def test_newborn_weights(group, weight, drg):
    assert group("P07.300", age=0, age_days=5, weight=weight) == drg


def test_newborn_days_and_missing_numbers(group):
    assert group("P55.000", age=0, age_days=28) == "PU19"
    assert group("P55.000", age=0, age_days=29) == "ungrouped"
    assert group("P55.000", age=0) == "ungrouped"
    assert group("P55.000", age=None, age_days=5) == "ungrouped"
    assert group("P55.000", age=1, age_days=5) == "ungrouped"
    assert group("P55.000", "37.0000", age=0, age_days=5) == "PB19"
    assert group("P55.000", "47.0100", age=0, age_days=5) == "PQY"
    assert group("P94.000", age=0, age_days=29) == "PV19"
    assert group("P94.000", "47.0100", age=0, age_days=29) == "ungrouped"


@pytest.mark.parametrize(
    ("age", "others", "drg"),
    [
        (70, "J96.000", "BR1E"), (69, "J96.000", "BR11"), (69, "K92.201", "BR13"),
        (70, "", "BR1G"), (69, "", "BR15"), (7, "", "BR15"), (6, "", "BR1C"), (None, "", "BR15"),
        # the principal diagnosis excludes its own table only, and 排除表 says which that is
        (40, "E87.600", "BR15"), (40, "E87.600 K92.201", "BR13"),
    ],
)  # fmt: skip
def test_age_tiers_and_complications(group, age, others, drg):
    assert group(f"I63.900 {others}", age=age) == drg


def test_an_excluded_complication_needs_both_look_ups(group):
    assert group("G45.900 J96.000") == "BZ19"
    assert group("I63.900 J96.000") == "BR11"


def test_newborn_days_are_asked_of_infants_only(sheets):
    sheets["MDC"][4][2] = "ZYZD in DI_B00 or XSRTL<29"
    sheets["ADRG"][7 + 1][2] = "not (XSRTL<29)"
    scheme = read(sheets).scheme
    assert to_text(scheme.mdcs[2].when) == ("main_dx in DI_B00 or not age >= 1 and age_days < 29")
    assert ("BR1", "not (not age >= 1 and age_days < 29)") in [
        (adrg, when.replace(" and not main_px in OP_ALL", "")) for adrg, when in rules(scheme, "B")
    ]
    # the gate of P says age 0 already
    assert rules(scheme, "P")[0] == ("PB1", "age_days < 29 and main_px in OP_PB1")


# --- order ---------------------------------------------------------------------------------------


def test_the_ambiguous_row_stands_after_the_procedure_driven_rows(sheets):
    assert rules(read(sheets).scheme, "B") == [
        # before a procedure-driven row: guarded, since the ambiguous row comes later
        ("BR1", "main_dx in DI_BR1 and not main_px in OP_ALL"),
        ("BB1", "main_px in OP1 and any_px in OP2"),
        ("BB1", "main_px in OP3"),
        ("BN1", "main_px in OP_BN1"),
        ("BQY", "main_px in OP_ALL"),
        ("BZ1", "True"),
    ]


def test_no_guard_stands_where_a_surgical_case_cannot_come(sheets):
    scheme = read(sheets).scheme
    assert rules(scheme, "P")[1:] == [
        ("PQY", "age_days < 29 and main_px in OP_ALL"),
        ("PS1", "age_days < 29 and weight < 1000 and any_dx in DI_PS1"),
        ("PS5", "age_days < 29 and weight > 2499 and any_dx in DI_PS1"),
        ("PU1", "age_days < 29 and main_dx in DI_PU1"),
        (
            "PV1",
            "age_days >= 29 and age_days < 366 and main_dx in DI_PV1 and not main_px in OP_ALL",
        ),
    ]
    sheets["ADRG"][24 - 1][2] = "ZYSS in OP_ALL"
    assert rules(read(sheets).scheme, "S") == [
        ("SB1", "main_px in OP_ALL"),
        ("SR1", "main_dx in DI_S00"),
    ]


def test_mdcs_adrgs_and_drgs_keep_the_order_of_the_sheet_among_equals(sheets):
    found = read(sheets)
    assert [mdc.mdc for mdc in found.scheme.mdcs] == list("APBMNOSE")
    assert [drg.drg for drg in found.scheme.drgs if drg.adrg == "BR1"] == [
        "BR1E", "BR11", "BR13", "BR1C", "BR1G", "BR15",
    ]  # fmt: skip
    said = repairs(found)
    assert said["equal_sort"] == ["MDC!D7", "DRG!F10"]
    assert said["moved_last"] == ["DRG!F9"]
    assert [drg.order for drg in found.scheme.drgs] == list(range(1, 26))


def test_the_empty_rule_of_mdc_a_means_always_and_catch_alls_are_left_out(sheets):
    found = read(sheets)
    assert to_text(found.scheme.mdcs[0].when) == "True"
    assert repairs(found)["catch_all"] == [
        "MDC!A11", "ADRG!A11", "ADRG!A22", "ADRG!A28", "DRG!A28", "DRG!A29",
    ]  # fmt: skip
    assert not {"000", "B00", "O00"} & {rule.adrg for rule in found.scheme.adrgs}


# --- traps ---------------------------------------------------------------------------------------


def test_columns_are_found_by_their_headers(sheets):
    expected = read(sheets).scheme.digest
    for title, rows in sheets.items():
        # an empty first column, another in the midst, and a title row more
        rows[:] = [[None, *row[:2], None, *row[2:]] for row in rows]
        rows.insert(0, [f"{title} 表"])
    assert read(sheets).scheme.digest == expected
    for rows in sheets.values():
        rows[:] = [row[::-1] for row in rows]
    sheets["ADRG"] = [[None] * (6 - len(row)) + row for row in sheets["ADRG"]]
    sheets["DRG"] = [[None] * (7 - len(row)) + row for row in sheets["DRG"]]
    assert read({k: v[1:] for k, v in sheets.items()}).scheme.digest == expected


def test_rows_of_blanks_alone_are_no_rows(sheets):
    expected = read(sheets).scheme.digest
    for rows in sheets.values():
        rows.append([" ", "\u3000", None, "_x000D_", "\u200b"])
        rows.append(["", None])
    assert read(sheets).scheme.digest == expected


def test_other_header_texts_of_the_layout(sheets):
    expected = read(sheets).scheme.digest
    sheets["ADRG"][0][4] = "排序"
    sheets["DRG"][0][0] = "DRG\n编码"
    sheets["集合"][0][3] = " 类型 "
    sheets["CC"][0] = ["ICD编码", "ICD名称", "排除表", "类型编号"]
    assert read(sheets).scheme.digest == expected


def test_escaped_and_odd_blanks_are_one_blank(sheets):
    expected = read(sheets).scheme
    sheets["ADRG"][11][2] = (
        "(ZYSS_x000D_\nin OP1\u3000and\u200b{ZYSS,\xa0QTSS} in OP2)_x000a_OR (ZYSS in OP3)"
    )
    sheets["MDC"][3][2] = P_GATE.replace(" or ", " or \\\n")
    sheets["ADRG"][1][1] = " 心肺移植_x000D_ "
    sheets["集合"][1][1] = "I63.900\u200b "
    found = read(sheets)
    assert found.scheme.digest == expected.digest
    assert repairs(found)["blanks"] == ["ADRG!C12"]


def test_repeated_pairs_count_once_and_names_are_no_keys(sheets):
    found = read(sheets)
    assert repairs(found)["repeated_pair"] == [f"集合!B{len(sheets['集合'])}"]
    assert found.counts["set_repeats"] == (1, 113)
    for row in sheets["集合"][1:]:
        row[2] = "腱"
    assert read(sheets).scheme.digest == found.scheme.digest


def test_rows_of_the_complications_that_repeat_count_once(sheets):
    expected = read(sheets).scheme.digest
    sheets["CC"].append(["J96.000", "呼衰", "EX_1", "MCC"])
    sheets["排除表"].append(["EX_1", "G45.900", "TIA"])
    found = read(sheets)
    assert found.scheme.digest == expected
    assert repairs(found)["repeated_row"] == ["CC!A5", "排除表!B5"]


def test_the_seven_missing_exclusion_rows_are_added_where_their_code_has_none(sheets):
    assert len(amendments()) == 7
    found = read(sheets)
    assert len(repairs(found)["amended"]) == 7
    assert {code: found.scheme.exclusions[code] for code, _ in amendments()} == dict(amendments())
    assert found.counts["exclusions"] == (3, 21036)
    sheets["排除表"] += [["EX_103", "P22.100", ""], ["EX_127", "S02.400", ""]]
    found = read(sheets)
    assert len(repairs(found)["amended"]) == 5
    assert found.scheme.exclusions["S02.400"] == "EX_127"


def test_the_workbook_wins_over_an_older_list_of_procedures_not_for_grouping(sheets):
    lists = read(sheets).scheme.not_for_grouping
    assert ("px", "17.4100") not in lists
    # a code that the workbook does not group by is still worth a finding
    assert lists["px", "17.4500"] == "not_for_grouping"


def test_an_mdc_that_lacks_its_published_ambiguous_row_is_left_as_it_stands(sheets):
    del sheets["ADRG"][9]
    found = read(sheets)
    assert rules(found.scheme, "B")[0] == ("BR1", "main_dx in DI_BR1")
    assert repairs(found)["no_ambiguous"] == ["ADRG!D9"]


def test_an_empty_rule_of_an_mdc_or_adrg_is_pointed_out(sheets):
    assert repairs(read(sheets))["always"] == ["MDC!C3"]
    sheets["ADRG"][8][2] = None
    found = read(sheets)
    assert repairs(found)["always"] == ["MDC!C3", "ADRG!C9"]
    assert rules(found.scheme, "B")[0] == ("BR1", "not main_px in OP_ALL")


def test_without_the_set_of_valid_procedures_no_case_is_surgical(sheets):
    sheets["集合"] = [row for row in sheets["集合"] if row[0] != "OP_ALL"]
    sheets["ADRG"] = [row for row in sheets["ADRG"] if "OP_ALL" not in str(row[2])]
    sheets["DRG"] = [row for row in sheets["DRG"] if row[0] not in ("PQY", "PV19")]
    sheets["MDC"][3][2] = "NL=0"
    found = read(sheets)
    assert repairs(found)["no_surgical"] == ["官方.xlsx"]
    assert rules(found.scheme, "S")[1] == ("SR1", "main_dx in DI_S00")


def test_counts_stand_beside_the_published_ones_and_differences_are_warnings(sheets):
    found = read(sheets)
    assert found.counts["drg_groups"] == (25, 825)
    assert found.counts["mdc"] == (9, 27)
    assert {issue.severity for issue in (*found.differences, *found.repairs)} == {"warning"}
    assert all(issue.text("zh") and issue.text("en") for issue in found.differences)


def test_the_scheme_says_what_it_is(sheets):
    scheme = read(sheets).scheme
    assert (scheme.id, scheme.status, scheme.base) == ("chs_drg_30", "national", "CHS-DRG 3.0")
    assert "ab" * 32 in scheme.source
    assert scheme.readme.startswith("# chs_drg_30")
    kinds = {rule.adrg: rule.kind for rule in scheme.adrgs}
    assert (kinds["BB1"], kinds["BN1"], kinds["BR1"], kinds["BQY"]) == (
        "surgical", "procedure", "medical", "ambiguous",
    )  # fmt: skip


# --- one fault, one error ------------------------------------------------------------------------


def put(title: str, row: int, column: int, value: object) -> Callable[[Sheets], None]:
    """A change of one cell; row as in the sheet, column from 0."""
    return lambda sheets: sheets[title][row - 1].__setitem__(column, value)


def append(title: str, *cells: object) -> Callable[[Sheets], None]:
    return lambda sheets: sheets[title].append(list(cells))


FAULTS: dict[str, tuple[Callable[[Sheets], object], tuple[str, str, str]]] = {
    "sheet": (lambda s: s.pop("集合"), ("SE31", "官方.xlsx", "sheet")),
    "header": (put("ADRG", 1, 2, "规则"), ("SE31", "官方.xlsx:ADRG!A1", "header")),
    "no header": (lambda s: s["CC"].pop(0), ("SE31", "官方.xlsx:CC", "no_header")),
    "no rows": (
        lambda s: s["CC"].__delitem__(slice(1, None)),
        ("SE31", "官方.xlsx:CC!A1", "empty"),
    ),
    "set": (put("ADRG", 2, 2, "ZYSS in OP_AA9"), ("SE32", "官方.xlsx:ADRG!C2", "set")),
    "name": (put("DRG", 11, 2, "QTXX in MCC"), ("SE32", "官方.xlsx:DRG!C11", "name")),
    "syntax": (put("MDC", 5, 2, "(ZYZD in DI_B00"), ("SE32", "官方.xlsx:MDC!C5", "end")),
    "kind of set": (put("ADRG", 2, 2, "ZYZD in OP_AA1"), ("SE32", "官方.xlsx:ADRG!C2", "kind")),
    "MDC twice": (
        append("MDC", "MDCB", "", "ZYZD in DI_B00", 9.0),
        ("SE33", "官方.xlsx:MDC!A12", "repeated"),
    ),
    "ADRG twice": (
        append("ADRG", "BB1", "手术", "ZYSS in OP3", "MDCB", 9.0),
        ("SE33", "官方.xlsx:ADRG!A29", "repeated"),
    ),
    "DRG twice": (
        append("DRG", "BB19", "", "", "BB1", "MDCB", 9.0),
        ("SE33", "官方.xlsx:DRG!A30", "repeated"),
    ),
    "MDC code": (put("MDC", 5, 0, "MDC1"), ("SE33", "官方.xlsx:MDC!A5", "mdc")),
    "DRG code": (
        append("DRG", "BB1", "", "", "BB1", "MDCB", 9.0),
        ("SE33", "官方.xlsx:DRG!A30", "drg"),
    ),
    "unknown MDC": (
        append("ADRG", "QB1", "", "ZYSS in OP3", "MDCQ", 1.0),
        ("SE33", "官方.xlsx:ADRG!D29", "unknown_mdc"),
    ),
    "unknown ADRG": (
        append("DRG", "BX19", "", "", "BX1", "MDCB", 1.0),
        ("SE33", "官方.xlsx:DRG!D30", "unknown_adrg"),
    ),
    "other ADRG": (put("DRG", 17, 3, "BB1"), ("SE33", "官方.xlsx:DRG!A17", "above")),
    "other MDC": (put("DRG", 18, 4, "MDCM"), ("SE33", "官方.xlsx:DRG!E18", "other_mdc")),
    "no DRG": (lambda s: s["DRG"].pop(17), ("SE33", "官方.xlsx:ADRG!A14", "no_drg")),
    "sort": (put("MDC", 5, 3, "三"), ("SE33", "官方.xlsx:MDC!D5", "sort")),
    "ambiguous always": (
        put("ADRG", 10, 2, None),
        ("SE33", "官方.xlsx:ADRG!C10", "ambiguous_always"),
    ),
    "set name": (put("集合", 2, 0, "集合一"), ("SE33", "官方.xlsx:集合!A2", "set_name")),
    "set type": (put("集合", 2, 3, "XX"), ("SE33", "官方.xlsx:集合!D2", "kind")),
    "type of a set of one": (
        put("集合", 4, 3, "XX"),
        ("SE33", "官方.xlsx:集合!D4", "kind"),
    ),
    "two types": (put("集合", 3, 3, "OP"), ("SE33", "官方.xlsx:集合!D3", "kinds")),
    "a code": (put("集合", 2, 1, "I63.900 脑梗死"), ("SE33", "官方.xlsx:集合!B2", "code")),
    "no code": (put("集合", 2, 1, None), ("SE33", "官方.xlsx:集合!B2", "code")),
    "a number": (put("CC", 2, 0, 17.41), ("SE33", "官方.xlsx:CC!A2", "number")),
    "level": (put("CC", 2, 3, "MC"), ("SE33", "官方.xlsx:CC!D2", "level")),
    "CC twice": (
        append("CC", "J96.000", "", "EX_1", "CC"),
        ("SE33", "官方.xlsx:CC!A5", "cc_twice"),
    ),
    "two tables": (
        append("排除表", "EX_2", "G45.900", ""),
        ("SE33", "官方.xlsx:排除表!B5", "two_tables"),
    ),
    "no table": (put("排除表", 2, 0, ""), ("SE33", "官方.xlsx:排除表!A2", "no_table")),
}


@pytest.mark.parametrize(("change", "expected"), FAULTS.values(), ids=FAULTS)
def test_one_fault_gives_one_error_at_its_cell(sheets, change, expected):
    change(sheets)
    assert errors(sheets) == [expected]


def test_an_unknown_set_is_named_with_the_nearest_in_both_languages(sheets):
    sheets["ADRG"][1][2] = "ZYSS in OP_AA11"
    with pytest.raises(SchemeError) as caught:
        read(sheets)
    (issue,) = caught.value.issues
    assert issue.text("en").startswith(
        "SE32 官方.xlsx:ADRG!C2  the rule of AA1 is not understood at character 9: "
        "unknown set OP_AA11 (nearest: OP_AA1); here: ZYSS in OP_AA11"
    )
    assert issue.text("zh").startswith(
        "SE32 官方.xlsx:ADRG!C2  AA1 的规则在第 9 个字符处不能识别：未知的集合 OP_AA11"
    )


def test_all_faults_are_found_at_once(sheets):
    sheets["CC"][1][3] = "X"
    sheets["MDC"][4][2] = "ZYZD in"
    assert {code for code, *_ in errors(sheets)} == {"SE32", "SE33"}
