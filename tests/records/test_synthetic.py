"""Made-up discharges."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc
import pytest

from grouper.codes.dictionary import load_dictionary
from grouper.records.read import records_from_table
from grouper.records.synthetic import synthesize
from grouper.scheme.load import load_scheme
from grouper.scheme.recipe import complication_pools, recipes


@pytest.fixture(scope="module")
def kitchen():
    scheme = load_scheme("chs_drg_20")
    return recipes(scheme), complication_pools(scheme)


@pytest.fixture(scope="module")
def many(kitchen):
    return synthesize(6000, 3, *kitchen, period="2025")


def test_the_same_seed_gives_the_same_table_and_another_seed_another(kitchen):
    one, two = synthesize(200, 5, *kitchen), synthesize(200, 5, *kitchen)
    assert one.equals(two)
    assert not one.equals(synthesize(200, 6, *kitchen))


def test_ids_follow_from_the_first_one(kitchen):
    assert synthesize(3, 5, *kitchen, first=41)["id"].to_pylist() == [
        "S00000041", "S00000042", "S00000043",
    ]  # fmt: skip
    assert len(synthesize(0, 5, *kitchen)) == 0


def test_every_bill_adds_up_to_the_fen(many):
    paid = ("fund_basic", "fund_catastrophic", "fund_assistance", "account_paid", "cash_paid")
    outside = ("own_cost", "over_limit_cost", "pre_self_cost", "in_scope_cost")
    for parts in (paid, outside):
        total = [sum(row) for row in zip(*(many[name].to_pylist() for name in parts), strict=True)]
        assert total == many["total_cost"].to_pylist()
    for name in (*paid, *outside):
        assert pc.min(many[name]).as_py() >= 0


def test_records_are_usable_and_nearly_all_codes_are_known(many):
    records = records_from_table(many)
    assert not records.batch.reject.any()
    unknown = records.notes["counts"]["RW01"]
    assert 0 < unknown < 0.005 * len(records.batch.dx.index)
    assert not records.notes["repairs"]


def test_ages_newborns_stays_and_code_counts_are_plausible(many):
    batch = records_from_table(many, cleaning="as_is").batch
    newborn = (batch.age_years == 0) & (batch.age_days >= 0) & (batch.age_days <= 28)
    assert 0.02 < newborn.mean() < 0.045
    assert (batch.admission_weight[newborn] > 0).all()
    assert (batch.admission_weight[~newborn] < 0).all()
    assert 40 < batch.age_years.mean() < 60
    assert 4 < np.median(batch.los_days) < 9
    assert 5 < np.diff(batch.dx.offsets).mean() < 9
    assert 0.2 < (np.diff(batch.px.offsets) == 0).mean() < 0.45
    assert np.diff(batch.dx.offsets).max() <= 41


def test_few_groups_make_most_cases(many):
    names = load_dictionary().dx
    principal = [codes[0] for codes in many["dx"].to_pylist()]
    _, counts = np.unique(principal, return_counts=True)
    counts.sort()
    assert counts[-len(counts) // 5 :].sum() > 0.45 * len(principal)
    assert all(code in names for code in principal)


def test_discharges_lie_in_the_period(kitchen):
    table = synthesize(300, 1, *kitchen, period="2024-12")
    days = table["discharge_time"].to_pylist()
    assert {(day.year, day.month) for day in days} == {(2024, 12)}
    assert all(a <= d for a, d in zip(table["admit_time"].to_pylist(), days, strict=True))


def test_a_mean_cost_that_is_given_is_kept_to(kitchen):
    some, pools = kitchen
    chosen = [recipe for recipe in some if recipe.drg == "ES35"] or list(some[:1])
    table = synthesize(3000, 2, chosen, pools, means={chosen[0].drg: 1_000_000})
    mean = float(pc.mean(table["total_cost"].cast("float64")).as_py())
    assert 8_000 < mean < 12_500


@pytest.mark.conformance
def test_most_records_reach_a_group(many):
    from grouper.engine.drg import grouper_of

    scheme = load_scheme("chs_drg_20")
    groups = grouper_of(scheme).group(records_from_table(many, cleaning="as_is").batch)
    share = np.bincount(groups.status, minlength=4) / len(many)
    assert share[0] > 0.85
    assert 0.005 < share[1] < 0.1
    assert share[2] > 0
    assert len(np.unique(groups.group_id)) > 400
