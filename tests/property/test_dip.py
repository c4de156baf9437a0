"""What must hold for every case that a DIP catalogue groups."""

from __future__ import annotations

from decimal import Decimal

import pytest
from dip_cases import batch_of, dip_cases
from dip_catalogues import REGIONS, cases, layered, real, reference
from hypothesis import given
from hypothesis import strategies as st

from grouper.engine.dip import group_batch
from grouper.engine.dip_reference import DipCase, DipReference
from grouper.engine.groups import Status
from grouper.scheme.dip import CLASSES

pytestmark = pytest.mark.property

PRESETS = ("national", *REGIONS)
#: presets whose steps, or class of a case, ask which operation is the main one
BY_MAIN = ("national", "jining")


@given(case=dip_cases(), preset=st.sampled_from(PRESETS), data=st.data())
def test_the_order_of_other_operations_changes_nothing(case, preset, data):
    ours = reference(real(), preset)
    main, *others = case.px or ("",)
    mixed = data.draw(st.permutations(others))
    moved = DipCase(case.dx, (main, *mixed) if case.px else (), case.cost)
    assert ours.group(moved) == ours.group(case)


@given(case=dip_cases(), preset=st.sampled_from([p for p in PRESETS if p not in BY_MAIN]),
       data=st.data())  # fmt: skip
def test_where_no_rule_asks_for_the_main_operation_any_order_will_do(case, preset, data):
    ours = reference(real(), preset)
    moved = DipCase(case.dx, tuple(data.draw(st.permutations(case.px))), case.cost)
    assert ours.group(moved).row == ours.group(case).row


@given(
    case=dip_cases(),
    preset=st.sampled_from(PRESETS),
    more=st.lists(st.sampled_from(["I10.x00", "E11.900", "J96.000", "K35.300"]), max_size=3),
)
def test_an_other_diagnosis_never_changes_a_20_group(case, preset, more):
    ours = reference(real(), preset)
    assert ours.group(DipCase((*case.dx, *more), case.px, case.cost)) == ours.group(case)


@given(case=dip_cases(), preset=st.sampled_from(PRESETS))
def test_the_group_asks_for_nothing_that_the_case_lacks(case, preset):
    outcome = reference(real(), preset).group(case)
    if outcome.row is None:
        assert outcome.status is Status.UNGROUPED
        return
    row = real().catalogue.rows[outcome.row]
    if row.kind == "core":
        assert case.dx[0].upper().startswith(row.dx_keys)
        assert not row.operations or any(
            {t.upper() for t in part} <= {c.upper() for c in case.px} for part in row.operations
        )
    elif row.kind in ("comprehensive", "default"):
        assert row.cls in CLASSES


@given(case=dip_cases(), preset=st.sampled_from(PRESETS))
def test_a_case_written_twice_over_has_the_same_group(case, preset):
    """Repeated operations count once, and blanks and letter case of operations do not matter."""
    ours = reference(real(), preset)
    spelled = tuple(f" {code.lower()} " for code in (*case.px, *case.px))
    assert ours.group(DipCase(case.dx, spelled, case.cost)).row == ours.group(case).row


def rows_of(ours: DipReference, some: list[DipCase]) -> list[int | None]:
    groups = group_batch(ours, batch_of(some))
    return [groups.outcome(at).row for at in range(len(some))]


@given(some=st.lists(dip_cases(), max_size=6), preset=st.sampled_from(PRESETS), data=st.data())
def test_a_case_alone_equals_the_case_in_a_table(some, preset, data):
    """Also where another case has the same codes and another cost."""
    ours = reference(real(), preset)
    costs = st.integers(10_000, 9_000_000).map(lambda fen: Decimal(fen) / 100)
    again = [DipCase(case.dx, case.px, data.draw(costs)) for case in some]
    table = data.draw(st.permutations([*some, *again, *some]))
    assert rows_of(ours, table) == [ours.group(case).row for case in table]


NEWBORN = st.builds(
    DipCase,
    dx=st.just(("P07.100",)),
    px=st.just(()),
    age_days=st.none() | st.integers(0, 40),
    weight=st.none() | st.integers(500, 3000).map(Decimal),
)


@given(some=st.lists(NEWBORN, max_size=8))
def test_in_layers_age_and_weight_count_in_a_table_too(some):
    ours = reference(layered(), "national")
    assert rows_of(ours, some) == [ours.group(case).row for case in some]


def test_an_empty_table():
    assert len(group_batch(reference(real(), "base"), batch_of([]))) == 0


@given(st.data())
def test_published_cases_are_steady_under_other_diagnoses(data):
    one = data.draw(st.sampled_from(list(cases())))
    region = data.draw(st.sampled_from(REGIONS))
    ours = reference(real(), region)
    case = DipCase(
        (one["principal_dx"], "I10.x00"), tuple(one["procedures"]), Decimal(one["total_cost"])
    )
    row = ours.group(case).row
    assert (None if row is None else real().catalogue.rows[row].code) == one["expected"][region]
