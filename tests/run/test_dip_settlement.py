"""DIP money over whole files: batch against single case, month, order, what cannot be paid."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grouper.errors import PolicyError, SettlementError
from grouper.policy.dip import Band, DeviationRule, DipRules, KindRule, KindRules
from grouper.policy.load import load_policy
from grouper.records.read import records_from_table
from grouper.run.catalogues import read_catalogue
from grouper.run.dip_sample import dip_sample
from grouper.run.dip_settlement import catalogue_path, settle_dip_records
from grouper.run.settlement import SettledRun, settle_row, settled_columns, statements
from grouper.settle.amounts import CaseType
from grouper.settle.dip_batch import settle_dip_batch
from weights.load import from_columns

AREA = "demo-dip"
MISSING_FEN = -(2**63)


@cache
def table(n: int = 500) -> pa.Table:
    policy = load_policy(AREA)
    return dip_sample(n, 7, read_catalogue(catalogue_path(AREA, policy)), policy)


def settled(data: pa.Table, area: str = AREA) -> SettledRun:
    return settle_dip_records(records_from_table(data, needs=("dx",)), area)


@cache
def demo() -> SettledRun:
    return settled(table())


def assert_single_says_the_same(run: SettledRun, rows: range) -> None:
    amounts = run.amounts
    assert amounts.score is not None
    for row in rows:
        one = settle_row(run, row)
        name = f"row {row}"
        assert one.case_type == amounts.case_type[row], name
        for mine, theirs in (
            (one.payable_fen, amounts.payable_fen),
            (one.standard_fen, amounts.standard_fen),
            (one.fund_fen, amounts.fund_fen),
            (one.patient_fen, amounts.patient_fen),
            (one.difference_fen, amounts.difference_fen),
        ):
            assert (MISSING_FEN if mine is None else mine) == theirs[row], name
        issue = amounts.issue_of(row)
        assert (one.issue and one.issue.code) == (issue and issue.code), name
        if one.rule is not None:
            assert one.rule == amounts.rules[int(amounts.rule[row]) - 1], name
            steps = {step.key: step.value for step in one.steps}
            units = Decimal(int(amounts.score[row])).scaleb(-amounts.score_decimals)
            assert Decimal(steps["case_score"]) == units, name


def test_every_case_alone_is_paid_as_in_the_batch():
    run = demo()
    assert_single_says_the_same(run, range(len(run.amounts)))
    kinds = {run.run.kind(row) for row in range(len(run.amounts))}  # type: ignore[union-attr]
    assert {"core", "primary", "comprehensive", "bedday", "blank", "default"} <= kinds
    types = run.amounts.type_counts()
    for kind in (CaseType.INLIER, CaseType.LOW_OUTLIER, CaseType.HIGH_OUTLIER):
        assert types[kind] > 0


def band(operators: list[str], forms: list[str]) -> st.SearchStrategy[Band | None]:
    made = st.builds(
        Band,
        st.sampled_from(operators),
        st.decimals("0.3", "3", places=2),
        st.sampled_from(forms),
        st.sampled_from(["all", "inside", "none"]),
        deducted=st.just(Decimal("0.3")),
        share=st.sampled_from([Decimal(1), Decimal("0.65")]),
    )
    return st.none() | made


HIGH = band([">", ">="], ["excess", "standard", "cost", "ratio"])
RULES = st.builds(
    DipRules,
    st.builds(
        DeviationRule,
        st.sampled_from(["mean_cost", "standard"]),
        band(["<", "<="], ["ratio", "standard", "cost"]),
        HIGH,
        HIGH,
    ),
    st.sampled_from(
        [
            KindRules(),
            KindRules({"core": KindRule(form="ratio", factor=Decimal("0.9"))}),
            KindRules({"comprehensive": KindRule(form="cost", factor=Decimal("0.8"))}),
            KindRules({"default": KindRule(coefficient="own"), "blank": KindRule(unit="day")}),
        ]
    ),
    st.sampled_from([0, 2, 4, 6]),
)


@settings(max_examples=15, deadline=None)
@given(RULES, RULES)
def test_batch_and_single_agree_whatever_the_rules(first, second):
    run = demo()
    eras = zip(run.policy.terms, (first, second), strict=True)
    terms = tuple(replace(one, dip=rules) for one, rules in eras)
    policy = replace(run.policy, terms=terms)
    amounts = settle_dip_batch(run.run.records.batch, run.run.cases, run.table, policy)  # type: ignore[union-attr]
    again = replace(run, policy=policy, amounts=amounts)
    assert_single_says_the_same(again, range(60))


def test_a_score_for_one_hospital_is_that_of_its_cases_alone():
    """A table may have rows of one hospital; the batch looks them up as a single case does."""
    run = demo()
    of, batch = run.table, run.run.records.batch
    group = run.run.groups.codes.drg[int(run.run.groups.group_id[0])]
    rows = [row for row in range(len(of)) if of.groups[row] == group]
    columns = {
        "group": [*of.groups, group],
        "points": [*(str(of.numbers["points"].decimal(row)) for row in range(len(of))), "77.5"],
        "mean_cost": [
            str(of.numbers["mean_cost"].decimal(row)) for row in [*range(len(of)), *rows]
        ],
        "hospital": [*([""] * len(of)), str(batch.hospital[0])],
    }
    table_of = from_columns(of.head, columns, where=lambda row, _: str(row))
    amounts = settle_dip_batch(batch, run.run.cases, table_of, run.policy)  # type: ignore[union-attr]
    again = replace(run, table=table_of, amounts=amounts)
    assert_single_says_the_same(again, range(60))
    assert amounts.score[0] != run.amounts.score[0]


def test_the_order_of_cases_is_of_no_meaning():
    data = table()
    order = np.random.default_rng(3).permutation(data.num_rows)
    one, other = demo(), settled(data.take(pa.array(order)))
    assert other.amounts.payable_fen.tolist() == one.amounts.payable_fen[order].tolist()
    assert other.amounts.score.tolist() == one.amounts.score[order].tolist()
    for mine, theirs in zip(statements(one, "2025-06"), statements(other, "2025-06"), strict=True):
        assert mine.lines == theirs.lines


def test_a_case_alone_in_a_file_is_paid_as_among_others():
    alone = settled(table().slice(17, 1))
    assert alone.amounts.payable_fen[0] == demo().amounts.payable_fen[17]


def test_the_statements_of_a_month_add_up_to_its_cases():
    run = demo()
    made = statements(run, "2025-06")
    counted = run.amounts.counted
    for line, column in (("M2", run.amounts.total_fen), ("M3", run.amounts.payable_fen)):
        assert sum(one.line(line).amount_fen for one in made) == int(column[counted].sum())
    for one in made:
        assert all(check.holds for check in one.checks)
        assert sum(part.payable_fen for part in one.parts) == one.line("M3").amount_fen
        base = one.line("M10").amount_fen
        assert one.line("M11").amount_fen + one.line("M12").amount_fen == base


def test_result_columns_tell_score_and_point_value():
    names = [name for name, _ in settled_columns(demo(), "en")]
    assert names[:7] == ["status", "reason", "dip", "dip_name", "kind", "layer", "score"]
    assert {"case_score", "point_value", "hospital_coefficient", "payment"} <= set(names)
    assert "relative_weight" not in names


def with_column(name: str, values: list[object]) -> pa.Table:
    data = table().slice(0, len(values))
    return data.set_column(data.column_names.index(name), name, pa.array(values))


@pytest.mark.parametrize(
    ("name", "values", "codes"),
    [
        ("辅助分型系数", ["1.2", "x", "0", "-1", None], [None, *["ST148"] * 3, None]),
        ("insurance", ["310", "职工", "999", "", None], [None, None, "ST105", "ST103", "ST103"]),
        ("hospital", ["H99020000001", "", None], [None, "ST103", "ST103"]),
    ],
)
def test_what_cannot_be_paid_is_told(name, values, codes):
    run = settled(with_column(name, values))
    found = [issue and issue.code for issue in map(run.amounts.issue_of, range(len(values)))]
    assert found == codes
    for row, code in enumerate(codes):
        if code in ("ST105", "ST148"):
            issue = run.amounts.issue_of(row)
            assert all(str(values[row]) in issue.what(lang) for lang in ("zh", "en"))
            assert run.amounts.case_type[row] == CaseType.UNPRICED
    assert_single_says_the_same(run, range(len(values)))


def test_an_adjustment_multiplies_the_score():
    plain, doubled = ({"辅助分型系数": [text] * 40} for text in ("", "2"))
    one = settled(with_column(*next(iter(plain.items()))))
    two = settled(with_column(*next(iter(doubled.items()))))
    kinds = [one.run.kind(row) for row in range(40)]
    for row, kind in enumerate(kinds):
        if one.amounts.case_type[row] == CaseType.INLIER and kind in ("core", "comprehensive"):
            assert abs(two.amounts.score[row] - 2 * one.amounts.score[row]) <= 1
        if kind in ("blank", "bedday"):
            assert two.amounts.score[row] == one.amounts.score[row]


def area_with(tmp_path, *changes: tuple[str, str, str]):
    """A copy of the area with texts replaced: (file, old, new)."""
    from grouper.datafile import data_folder

    for path in data_folder("areas", AREA).iterdir():
        text = path.read_text("utf-8")
        for name, old, new in changes:
            if path.name == name:
                assert old in text
                text = text.replace(old, new)
        (tmp_path / path.name).write_text(text, "utf-8")
    return tmp_path


def test_a_group_without_mean_cost_is_told_by_name(tmp_path):
    folder = area_with(tmp_path)
    path = folder / "demo_dip_2025.tsv"
    rows = [line.split("\t") for line in path.read_text("utf-8").splitlines()]
    mean = rows[0].index("mean_cost")
    for row in rows[1:]:
        row[mean] = ""
    path.write_text("".join("\t".join(row) + "\n" for row in rows), "utf-8")
    run = settled(table(), str(folder))
    codes = {issue.code for issue, _ in run.amounts.issue_counts()}
    assert "ST145" in codes
    # bed-days and chapter groups do not ask for one
    assert run.amounts.type_counts()[CaseType.INLIER] > 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ([("policy-2025.toml", 'ratio_base = "G"', 'ratio_base = "w c v"')], "PO104"),
        (
            [("policy-2025.toml", 'form = "ratio", coefficient = "none"', 'form = "alchemy"')],
            "PO104",
        ),
        ([("policy-2025.toml", 'operator = "<="', 'operator = ">="')], "PO104"),
        ([("policy-2025.toml", "multiple = 5", "multiple = 1.5")], "ST107"),
        ([("policy-2025.toml", 'form = "excess"', 'form = "excess", deducted = 3')], "ST107"),
        ([("policy-2025.toml", "adjustment_columns", "adjustment_colums")], "PO102"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_place(tmp_path, changes, code):
    with pytest.raises(PolicyError) as caught:
        load_policy(area_with(tmp_path, *changes))
    assert caught.value.issues[0].code == code


def test_without_its_catalogue_an_area_says_which_is_missing(tmp_path):
    folder = area_with(tmp_path)
    (folder / "demo_dip_2025.tsv").unlink()
    with pytest.raises(SettlementError) as caught:
        settled(table(), str(folder))
    issue = caught.value.issues[0]
    assert issue.code == "ST149"
    assert "demo_dip_2025" in issue.text("zh")


def test_another_catalogue_than_the_areas_is_refused(tmp_path):
    other = tmp_path / "other.tsv"
    path = catalogue_path(AREA, load_policy(AREA))
    other.write_bytes(path.read_bytes())
    with pytest.raises(SettlementError, match="ST109"):
        settle_dip_records(records_from_table(table(), needs=("dx",)), AREA, catalogue=str(other))
