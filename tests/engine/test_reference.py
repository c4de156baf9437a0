"""The definition of grouping, point by point (grouping.md 2 to 4, scheme-format.md 3)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from strategies import batch_of, outcome
from tiny import tiny_scheme

from grouper.engine.groups import Severity, Status
from grouper.engine.reference import Outcome, Record, Reference, group_batch, record_at
from grouper.scheme.model import Scheme

RECORD = Record(sex=1, age=40, dx=("A1",))
LISTS = {"A_dx": "A1 A2", "B_dx": "B1 B2", "C_dx": "A2 C1", "P_px": "1.1 1.2", "Q_px": "2.1"}


def _holds(when: str, record: Record, **scheme: object) -> bool:
    """Whether a condition, as the only rule of the only MDC, takes the record."""
    made = tiny_scheme(mdcs={"A": "True"}, rules=[("AA1", when)], lists=LISTS, **scheme)  # type: ignore[arg-type]
    return Reference(made).group(record).status is Status.GROUPED


@pytest.mark.parametrize(
    ("when", "dx", "px", "expected"),
    [
        ("main_dx in A_dx", "A1 B1", "", True),
        ("main_dx in A_dx", "B1 A1", "", False),
        ("other_dx in A_dx", "A1 B1", "", False),
        ("other_dx in A_dx", "A1 A1", "", True),
        ("any_dx in A_dx", "B1 X A2", "", True),
        ("main_dx in A_dx", "a1", "", False),
        ("main_dx in A_dx", "A1.0", "", False),
        ("main_px in P_px", "A1", "1.2 2.1", True),
        ("main_px in P_px", "A1", "2.1 1.2", False),
        ("other_px in P_px", "A1", "2.1 1.2", True),
        ("any_px in P_px", "A1", "", False),
        ("not any_px in P_px", "A1", "", True),
        ("any_px in P_px and any_px in Q_px", "A1", "1.1 1.2", False),
        ("any_px in P_px and any_px in Q_px", "A1", "2.1 1.2", True),
        ("sites(A_dx, B_dx, C_dx) >= 2", "A1 A2", "", True),
        ("sites(A_dx, B_dx, C_dx) == 3", "B2 A2", "", True),
        ("sites(A_dx, B_dx) == 1", "A1 A2", "", True),
        ("hits(any_dx, A_dx) == 2", "A1 A2 A1", "", True),
        ("hits(any_dx, A_dx) == 1", "A1 A1", "", True),
        ("hits(other_dx, A_dx) == 1", "A1 A2", "", True),
        ("hits(main_px, P_px) == 1", "A1", "1.1 1.2", True),
        ("1 <= hits(any_px, P_px) <= 2", "A1", "", False),
        ("False or True", "A1", "", True),
        ("not (True and False)", "A1", "", True),
    ],
)
def test_conditions_on_codes(when: str, dx: str, px: str, expected: bool) -> None:
    record = replace(RECORD, dx=tuple(dx.split()), px=tuple(px.split()))
    assert _holds(when, record) is expected


@pytest.mark.parametrize(
    ("when", "numbers", "expected"),
    [
        ("age >= 40", {}, True),
        ("age > 40", {}, False),
        ("age == 40.0", {}, True),
        ("1 <= los <= 7", {"los": 7}, True),
        ("1 <= los <= 7", {"los": 8}, False),
        ("weight < 1500", {"weight": Decimal("1499.999")}, True),
        ("weight < 1500", {"weight": 1500}, False),
        ("icu_hours > 0.1", {"icu_hours": Decimal("0.100")}, False),
        ("los < age", {"los": 39}, True),
        ("age_days <= 28", {}, False),
        ("age_days > 28", {}, False),
        ("not age_days <= 28", {}, True),
        ("0 <= age_days <= 28", {}, False),
        ("0 <= age <= los", {}, False),
        ("weight == weight", {}, False),
        ("weight == weight", {"weight": -1}, True),
        ("los >= 0", {"los": 0}, True),
        ("sex == 1", {}, True),
        ("leaving == 5", {"leaving": 5}, True),
        ("not leaving == 5", {}, True),
    ],
)
def test_numbers_are_exact_and_missing_ones_make_a_comparison_false(
    when: str, numbers: dict[str, int], expected: bool
) -> None:
    assert _holds(when, replace(RECORD, **numbers)) is expected  # type: ignore[arg-type]


COMPLICATIONS = {"M1": "MCC 1", "M2": "MCC 2", "M01": "MCC 01", "M0": "MCC", "C1": "CC 1"}
EXCLUDED = {"A1": "1", "M1": "2", "M2": "2"}


@pytest.mark.parametrize(
    ("dx", "mcc", "cc"),
    [
        ("A1", False, False),
        ("A1 M1", False, False),  # excluded: same table as the principal
        ("A1 M1 C1", False, False),  # an excluded MCC does not become a CC
        ("A1 M2", True, False),
        ("A1 M1 M1 M2", True, False),
        ("A1 M01", True, False),  # table "01" is not table "1"
        ("A1 M0", True, False),  # no table, never excluded
        ("A2 C1 M1", True, True),
        ("M1", False, False),  # the principal never counts
        ("M1 M1", True, False),  # its repeat is an other diagnosis; its table is 2, not 1
        ("M2 M2", False, False),
        ("A2 m1", False, False),
    ],
)
def test_complications_count_unless_the_principal_excludes_them(
    dx: str, mcc: bool, cc: bool
) -> None:
    record = replace(RECORD, dx=tuple(dx.split()))
    tables = {"cc": COMPLICATIONS, "exclusions": EXCLUDED}
    assert _holds("mcc", record, **tables) is mcc
    assert _holds("cc", record, **tables) is cc


def _walk() -> Scheme:
    return tiny_scheme(
        mdcs={"A": "any_px in Q_px", "B": "main_dx in A_dx", "C": "main_dx in C_dx"},
        rules=[
            ("AA1", "los > 60"),
            ("BB1", "main_px in P_px"),
            ("BQY", "any_px in Q_px"),
            ("BR1", "age < 18"),
            ("CR1", "True"),
        ],
        drgs=[("BB11", "mcc"), ("BB13", "cc"), ("CR11", "age >= 70"), ("CR19", "age < 60")],
        lists=LISTS,
        cc=COMPLICATIONS,
        exclusions=EXCLUDED,
    )


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (Record(sex=None, dx=("A1",)), Outcome(Status.REJECTED, "sex")),
        (Record(sex=3, dx=("A1",)), Outcome(Status.REJECTED, "sex")),
        (Record(sex=None), Outcome(Status.REJECTED, "sex")),
        (Record(sex=2, px=("1.1",)), Outcome(Status.REJECTED, "no_dx")),
        (Record(1, dx=("A1", "M2"), px=("1.1",)), Outcome(Status.GROUPED, "", 2, 1, Severity.MCC)),
        (Record(1, dx=("A1", "M0"), px=("1.1",)), Outcome(Status.GROUPED, "", 2, 1, Severity.MCC)),
        (Record(1, dx=("A2", "C1"), px=("1.1",)), Outcome(Status.GROUPED, "", 2, 2, Severity.CC)),
        # MDC A is entered, its only rule fails, and the record passes on to B
        (Record(1, los=9, dx=("A1",), px=("2.1",)), Outcome(Status.AMBIGUOUS, "", 3)),
        # BB1 holds but neither of its DRGs fits: the next rule, then the next MDC
        (Record(1, age=9, dx=("A1",), px=("1.1",)), Outcome(Status.GROUPED, "", 4, 6)),
        (Record(1, age=80, dx=("A2", "M2")), Outcome(Status.GROUPED, "", 5, 3)),
        (Record(1, age=65, dx=("A2",)), Outcome(Status.UNGROUPED)),
        (Record(1, age=9, dx=("unknown",)), Outcome(Status.UNGROUPED)),
    ],
)  # fmt: skip
def test_a_record_walks_mdcs_rules_and_drgs_in_order(record: Record, expected: Outcome) -> None:
    assert Reference(_walk()).group(record) == expected


def test_two_rows_of_one_adrg_share_its_drgs_and_keep_their_places() -> None:
    scheme = tiny_scheme(
        mdcs={"A": "True"},
        rules=[("AA1", "main_px in P_px"), ("AB1", "sex == 2"), ("AA1", "main_dx in A_dx")],
        lists=LISTS,
    )
    reference = Reference(scheme)
    assert reference.group(replace(RECORD, px=("1.1",))).rule_id == 1
    assert reference.group(replace(RECORD, sex=2)).rule_id == 2
    assert reference.group(RECORD).rule_id == 3
    assert (
        reference.group(RECORD).group_id == reference.group(replace(RECORD, px=("1.1",))).group_id
    )


def test_a_batch_keeps_order_missing_numbers_and_the_reasons_of_the_reader() -> None:
    records = [
        Record(sex=None, dx=("A1",)),
        Record(1, 0, 28, Decimal("1499.5"), 3, 5, Decimal("0.125"), ("A1", "M2"), ("1.1",)),
        Record(2, dx=("A2",)),
    ]
    batch = batch_of(records, rejects=[0, 0, 2])
    assert [record_at(batch, case) for case in range(3)] == records
    groups = group_batch(_walk(), batch)
    assert [outcome(groups, case) for case in range(3)] == [
        ("rejected", "sex", 0, 0, 0),
        ("grouped", "", 2, 1, 2),
        ("rejected", "RE07", 0, 0, 0),
    ]
    assert groups.codes.mdc[2] == "MDCB"
    assert (groups.codes.adrg[2], groups.codes.drg[1]) == ("BB1", "BB11")
    assert (groups.codes.rule_text[2], groups.codes.drg_text[1]) == ("main_px in P_px", "mcc")
