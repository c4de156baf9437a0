"""The kernel for DIP gives what its twin gives: same row, reason, kind, and the same complaint."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest
from dip_cases import batch_of, dip_cases, dirtied, invented_case, invented_reference
from dip_catalogues import REGIONS, cases, cases_30, layered, real, reference
from hypothesis import given
from hypothesis import strategies as st

from grouper.engine import dip_tables
from grouper.engine.dip import DipGrouper, group_batch
from grouper.engine.dip_layout import REASONS
from grouper.engine.dip_reference import DipCase, DipOutcome, DipReference
from grouper.engine.dip_ties import TieFigures
from grouper.errors import RecordError, SchemeError
from grouper.records.batch import CaseBatch, CodeColumn
from grouper.scheme.dip import Catalogue
from grouper.scheme.dip_preset import load_classes, load_layers, load_preset

pytestmark = pytest.mark.property

PRESETS = ("national", *REGIONS)
_KEPT: dict[tuple[str, str], DipGrouper] = {}


def grouper(of: str, preset: str) -> DipGrouper:
    """Kept, so that its tables grow over the examples as they do over the parts of a run."""
    if (of, preset) not in _KEPT:
        catalogue = real() if of == "real" else layered()
        _KEPT[of, preset] = DipGrouper.of(reference(catalogue, preset))
    return _KEPT[of, preset]


def told(run, batch: CaseBatch) -> list[object]:
    """Outcomes without their ways, or the complaint."""
    try:
        groups = run(batch)
    except SchemeError as error:
        return [issue.code for issue in error.issues]
    return [groups.outcome(at) for at in range(len(batch))]


def agree(kernel: DipGrouper, some: list[DipCase]) -> list[str]:
    """Both engines on a table; the reasons found."""
    batch = batch_of(some)
    found = told(kernel.group, batch)
    assert found == told(lambda each: group_batch(kernel.reference, each), batch)
    rows = kernel.reference.catalogue.rows
    outcomes = [one for one in found if isinstance(one, DipOutcome)]
    marked = [
        "marked" for one in outcomes if one.row is not None and one.kind != rows[one.row].kind
    ]
    return [one if isinstance(one, str) else one.reason for one in found] + marked


@given(some=st.lists(dip_cases(), max_size=8), preset=st.sampled_from(PRESETS), seed=st.integers(0))
def test_cases_drawn_from_the_catalogue(some, preset, seed):
    rng = Random(seed)
    agree(grouper("real", preset), [*some, *(dirtied(one, rng) for one in some)])


@pytest.mark.parametrize("preset", PRESETS)
def test_published_cases(preset):
    some = [
        DipCase((one["principal_dx"],), tuple(one["procedures"]), Decimal(one["total_cost"]))
        for one in cases()
    ]
    kernel = grouper("real", preset)
    agree(kernel, some)
    # nothing of this is rare enough to be handed to the twin
    assert kernel.group(batch_of(some)).slow == 0


@pytest.mark.parametrize("preset", PRESETS)
def test_published_cases_of_30(preset):
    some = [
        DipCase(
            (one["principal_dx"], *one["other_dx"]),
            tuple(code for code in (one["main_op"], *one["related_ops"]) if code),
            None,
            one["age_days"],
            one["birth_weight_g"] and Decimal(one["birth_weight_g"]),
        )
        for one in cases_30()
    ]
    agree(grouper("layered", preset), some)


@pytest.mark.parametrize("preset", PRESETS)
def test_invented_cases_of_30(preset):
    rng = Random(30)
    some = [dirtied(invented_case(rng), rng) for _ in range(200)]
    agree(grouper("layered", preset), some)


@pytest.mark.parametrize("seeds", [600, pytest.param(6000, marks=pytest.mark.large)])
def test_invented_catalogues_and_rules(seeds):
    seen = Counter()
    for seed in range(seeds):
        rng = Random(seed)
        kernel = DipGrouper.of(invented_reference(rng))
        some = [invented_case(rng) for _ in range(6)]
        seen.update(agree(kernel, [*some, *(dirtied(one, rng) for one in some)]))
    # every way to end was taken, again and again
    assert {*REASONS[1:], "SE62", "marked"} <= set(seen)
    assert min(seen.values()) >= seeds // 300, seen


def remade(preset: str, of: Catalogue) -> DipReference:
    """A catalogue made for a test; its rows have no figures."""
    return DipReference(of, load_preset(preset), load_classes(), load_layers(), TieFigures())


class TestHandedToTheTwin:
    def test_more_operations_than_bits(self):
        kernel = grouper("real", "base")
        many = tuple(f"{n:02}.{n:02}00" for n in range(64))
        some = [DipCase(("K40.200",), ("53.0204", *many)), DipCase(("K40.200",), many[:64])]
        agree(kernel, some)
        assert kernel.group(batch_of(some)).slow == 1

    def test_more_spellings_than_are_remembered(self, monkeypatch):
        monkeypatch.setattr(dip_tables, "MOST", 3)
        kernel = DipGrouper.of(reference(real(), "yichang"))
        some = [
            DipCase((f"K40.20{n}",), ("53.0204", f"{n:02}.0000"), Decimal(6000)) for n in range(9)
        ]
        for _ in range(2):
            agree(kernel, some)
        assert 5 < kernel.group(batch_of(some)).slow < 9

    def test_more_candidates_than_places(self):
        row = next(row for row in real().catalogue.rows if row.code == "K40.2:53.0204")
        rows = tuple(replace(row, code=f"{row.code}/{n}") for n in range(129))
        kernel = DipGrouper.of(remade("base", replace(real().catalogue, rows=rows)))
        some = [DipCase(("K40.200",), ("53.0204",), Decimal(1))]
        agree(kernel, some)
        assert kernel.group(batch_of(some)).slow == 1

    def test_more_sets_and_scopes_than_bits(self):
        of = layered().catalogue
        row = next(row for row in of.rows if row.layer == "FZ")
        exclusion = next(e for e in of.excluded_ops.values() if e.problem == "scope")
        keys = [f"{letter}{n:02}" for letter in "CD" for n in range(40)]
        rows = (
            replace(row, code=key, other_dx=(key,), dx_keys=("Z51.8",), main=()) for key in keys
        )
        excluded = {f"44.{n:02}00": replace(exclusion, scope=(key,)) for n, key in enumerate(keys)}
        of = replace(of, rows=tuple(rows), excluded_ops=excluded)
        kernel = DipGrouper.of(remade("national", of))
        some = [DipCase(("Z51.800", f"{key}.000"), px) for key in keys for px in ((), ("44.0100",))]
        agree(kernel, some)
        assert kernel.group(batch_of(some)).slow

    def test_reasons_of_the_reader_stand(self):
        kernel = grouper("real", "base")
        batch = batch_of([DipCase(("K40.200",)), DipCase(("K40.200",))])
        batch.reject[1] = 2
        batch = replace(batch, reject_codes=("RE01", "RE02"))
        groups, again = kernel.group(batch), group_batch(kernel.reference, batch)
        for found in (groups, again):
            assert [found.outcome(at).reason for at in (0, 1)] == ["conservative", "RE02"]


@pytest.mark.parametrize(
    "broken",
    [
        {"dx": CodeColumn(["A"], batch_of([DipCase()]).dx.index, batch_of([]).dx.offsets)},
        {"total_cost_fen": batch_of([DipCase()] * 2).total_cost_fen},
        {"reject": batch_of([]).reject},
    ],
)
def test_columns_that_do_not_fit_are_refused(broken):
    batch = replace(batch_of([DipCase(("A",))]), **broken)
    with pytest.raises(RecordError, match="RE20"):
        grouper("real", "base").group(batch)
