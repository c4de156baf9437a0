"""The same records under two schemes: every row counted once, whatever the parts."""

from __future__ import annotations

import csv
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from grouper.engine.groups import Status
from grouper.errors import RunError, WeightError
from grouper.records.read import read_records
from grouper.run.comparison import Comparison, Side, compare_files
from grouper.run.pipeline import group_batch
from grouper.run.stream import Options
from grouper.run.worth import load_worth
from grouper.scheme.condition import TRUE, parse
from grouper.scheme.model import Scheme
from weights.table import NO_VALUE


def changed(scheme: Scheme) -> Scheme:
    """The scheme with another age in a refinement, a rule dropped and a code renamed."""
    drgs = tuple(
        replace(drg, when=parse("age >= 60")) if drg.drg == "BR11" else drg for drg in scheme.drgs
    )
    rules = tuple(rule for rule in scheme.adrgs if not rule.is_ambiguous)
    mdcs = tuple(replace(mdc, when=TRUE) if mdc.mdc == "B" else mdc for mdc in scheme.mdcs)
    return replace(scheme, id="mini_b", digest="b", drgs=drgs, adrgs=rules, mdcs=mdcs)


def with_hospitals(path: Path) -> Path:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow([*rows[0], "hospital", "dept", "total_cost"])
        for at, row in enumerate(rows[1:]):
            cost = "" if at % 13 == 5 else f"{1000 + at}.{at % 100:02d}"
            out.writerow([*row, f"H{at % 3}", " 内科 " if at % 2 else "内科", cost])
    return path


def facts(found: Comparison) -> list[tuple[object, ...]]:
    return [
        (flow.before.code, flow.before.status, flow.after.code, flow.kind, flow.totals.sums)
        for flow in found.movement.whole.flows
    ]


@pytest.fixture
def schemes(mini):
    return mini, changed(mini)


def test_parts_do_not_change_anything(schemes, discharges):
    path = with_hospitals(discharges(200))
    before, after = map(Side, schemes)
    whole = compare_files([path], before, after, Options(), by=("hospital", "dept", "mdc"))
    for batch, threads in ((7, 1), (50, 3), (1000, 2)):
        again = compare_files(
            [path], before, after, Options(), by=("hospital", "dept", "mdc"), batch=batch,
            threads=threads,
        )  # fmt: skip
        assert facts(again) == facts(whole)
        for name in ("hospital", "dept", "mdc"):
            ours, theirs = again.movement.by(name), whole.movement.by(name)
            assert [(one.value, one.totals) for one in ours] == [
                (one.value, one.totals) for one in theirs
            ]
        assert [one.where for one in again.samples] == [one.where for one in whole.samples]


def test_every_row_is_in_one_flow(schemes, discharges):
    path = with_hospitals(discharges(200))
    found = compare_files([path], *map(Side, schemes), Options(), by=("hospital",))
    batch = read_records(path).batch
    old, new = (group_batch(batch, scheme, engine="reference") for scheme in schemes)

    def code(groups, row):
        return {
            Status.GROUPED: groups.codes.drg[groups.group_id[row]],
            Status.AMBIGUOUS: groups.codes.adrg[groups.rule_id[row]],
        }.get(Status(int(groups.status[row])), "")

    expected: dict[tuple[object, ...], list[int]] = {}
    for row in range(len(batch)):
        key = (code(old, row), old.status[row], code(new, row), new.status[row])
        sums = expected.setdefault(key, [0, 0])
        sums[0] += 1
        sums[1] += max(int(batch.total_cost_fen[row]), 0)
    ours = {
        (f.before.code, f.before.status, f.after.code, f.after.status): [
            f.totals["cases"],
            f.totals["cost"],
        ]
        for f in found.movement.whole.flows
    }
    assert ours == expected
    whole = found.movement.whole
    assert whole.moved["cases"] > 0
    assert whole.moved["cases"] + whole.of_kind("same")["cases"] == 200
    assert whole.totals["cost_known"] < 200
    assert sum(part.totals["cases"] for part in found.movement.by("hospital")) == 200
    assert found.outcome.counts.rejected == whole.status("from", Status.REJECTED)
    assert whole.status("from", Status.REJECTED) == whole.status("to", Status.REJECTED)


def test_an_example_names_the_rule_that_decides_otherwise(schemes, discharges):
    found = compare_files([with_hospitals(discharges(60))], *map(Side, schemes), Options())
    by_flow = {(s.flow.before.code, s.flow.after.code): s.difference for s in found.samples}
    gone = by_flow["BQY", "BZ19"]
    assert (gone.level, gone.rule, gone.here, gone.why) == ("adrg", "BQY", "to", "absent")
    entered = by_flow["", "BZ19"]
    assert (entered.level, entered.rule, entered.here, entered.why) == ("mdc", "B", "from", "fails")
    assert all(sample.where.startswith("in.csv:") for sample in found.samples)


def test_departments_are_read_without_blanks(schemes, discharges):
    path = with_hospitals(discharges(20))
    found = compare_files([path], *map(Side, schemes), Options(), by=("dept",))
    assert [part.value for part in found.movement.by("dept")] == ["内科"]


@pytest.mark.parametrize(
    "titles", [("医疗机构编码", "科别"), ("机构代码", "出院科室"), ("医院名称", "科室名称")]
)
def test_hospitals_and_departments_under_other_titles(schemes, discharges, titles):
    """A file that names its hospitals and has no codes of them is broken down by name."""
    path = with_hospitals(discharges(60))
    text = path.read_text("utf-8").replace("hospital,dept", ",".join(titles), 1)
    path.write_text(text, "utf-8", newline="")
    before, after = map(Side, schemes)
    found = compare_files([path], before, after, Options(), by=("hospital", "dept"))
    parts = found.movement.by("hospital")
    assert [one.value for one in parts] == ["H0", "H1", "H2"]
    assert sum(one.totals["cases"] for one in parts) == 60
    assert not found.names["hospital"]


def test_the_same_scheme_twice_is_refused(mini, discharges):
    with pytest.raises(RunError) as error:
        compare_files([discharges(5)], Side(mini), Side(mini), Options())
    assert error.value.issues[0].code == "RN121"


def test_schemes_of_other_editions_are_refused(schemes, discharges):
    mini, other = schemes
    other = replace(other, codes="ICD-10 国临版 2.0")
    with pytest.raises(RunError) as error:
        compare_files([discharges(5)], Side(mini), Side(other), Options())
    assert error.value.issues[0].code == "RN122"
    assert "国临版" in error.value.text("zh")


def test_a_dimension_without_a_column_is_refused(schemes, discharges):
    with pytest.raises(RunError) as error:
        compare_files([discharges(5)], *map(Side, schemes), Options(), by=("dept",))
    assert error.value.issues[0].code == "RN123"


WEIGHTS = "DRG编码,DRG名称,权重\nBR11,甲,1.2345\nBR15,乙,0.5\nBB11,丙,3\n"


def test_weights_give_cmi_and_worth(schemes, discharges, tmp_path):
    mini, other = schemes
    table = tmp_path / "weights.csv"
    table.write_text(WEIGHTS, "utf-8")
    before = Side(mini, load_worth(str(table), mini, rate=Decimal("10000")))
    found = compare_files([with_hospitals(discharges(200))], before, Side(other), Options())
    whole = found.movement.whole
    weights = {"BR11": Decimal("1.2345"), "BR15": Decimal("0.5"), "BB11": Decimal(3)}
    weighed = [f for f in whole.flows if f.before.code in weights]
    cases = sum(f.totals["cases"] for f in weighed)
    expected = sum(weights[f.before.code] * f.totals["cases"] for f in weighed)
    assert whole.totals["weight_from_known"] == cases > 0
    assert whole.cmi("from", before.decimals) == Fraction(expected) / cases
    assert whole.payment_fen("from") == int(expected * 10000 * 100)
    assert whole.cmi("to", 0) is None
    assert whole.payment_fen("to") is None


def test_the_row_of_a_case_s_insurance_and_level_counts(mini, tmp_path):
    table = tmp_path / "weights.csv"
    rows = ["group,insurance,level,weight,standard", "BR11,,,1.5,", "BR11,390,,1.25,1999.9951",
            "BR11,390,三级,1.125,"]  # fmt: skip
    table.write_text("\n".join(rows) + "\n", "utf-8")
    worth = load_worth(str(table), mini)
    labels = np.array([1, 1, 1, 0, 2], np.int64)
    units, fen = worth.values(
        labels,
        ["", "BR11", "XX11"],
        ["310", "390", "390", "390", "310"],
        ["", "二级", "三级", "", ""],
    )
    assert units.tolist()[:3] == [1500, 1250, 1125]
    assert fen.tolist()[:3] == [NO_VALUE, 200000, 200000]
    assert units.tolist()[3:] == fen.tolist()[3:] == [NO_VALUE, NO_VALUE]
    priced = load_worth(str(table), mini, rate=Decimal("1000.5"))
    assert priced.values(labels[:1], ["", "BR11"], [], [])[1].tolist() == [150075]


def test_a_table_of_another_scheme_is_refused(mini):
    with pytest.raises(RunError) as error:
        load_worth("demo", mini)
    assert error.value.issues[0].code == "RN126"


def test_a_file_without_weights_is_refused(mini, tmp_path):
    table = tmp_path / "weights.csv"
    table.write_text("DRG编码,备注\nBR11,x\n", "utf-8")
    with pytest.raises(WeightError) as error:
        load_worth(str(table), mini)
    assert error.value.issues[0].code == "WT104"


@pytest.mark.large
def test_two_hundred_thousand_sample_records_under_20_and_the_draft_of_30(load, tmp_path):
    from grouper.records.user import UserTable
    from grouper.records.write import write_results
    from grouper.run.sample import sample_table

    table = sample_table(200_000, 12, load("chs_drg_20"))
    path = tmp_path / "sample.csv"
    names = tuple(table.column_names)
    user = UserTable(names, tuple(table[name] for name in names), "arrow", len(table))
    write_results(path, user, [], lang="en")
    before, after = Side(load("chs_drg_20")), Side(load("chs_drg_30"))
    found = compare_files([path], before, after, Options(), by=("hospital", "dept", "mdc"))
    whole = found.movement.whole
    assert whole.totals["cases"] == 200_000
    assert whole.moved["cases"] + whole.of_kind("same")["cases"] == 200_000
    assert whole.moved["cost"] + whole.of_kind("same")["cost"] == whole.totals["cost"]
    flows = {(f.before, f.after): list(f.totals.sums) for f in whole.flows}
    for dimension in ("hospital", "dept", "mdc"):
        summed: dict[object, list[int]] = {}
        for part in found.movement.by(dimension):
            for flow in part.flows:
                sums = summed.setdefault((flow.before, flow.after), [0] * len(flow.totals.sums))
                sums[:] = map(sum, zip(sums, flow.totals.sums, strict=True))
        assert summed == flows
    groups = found.movement.groups()
    assert sum(g.before for g in groups) == sum(
        f.totals["cases"] for f in whole.flows if f.before.code
    )
    assert sum(g.leave for g in groups) == sum(
        f.totals["cases"] for f in found.movement.moves if f.before.code
    )
    assert len(found.samples) == 50
