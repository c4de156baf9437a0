"""Recipes: records made from them do what they promise."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from grouper.engine.groups import Status
from grouper.engine.reference import Record, Reference, holds
from grouper.scheme.load import load_scheme
from grouper.scheme.model import Scheme
from grouper.scheme.recipe import ComplicationPools, Recipe, complication_pools, recipes

MINI = Path(__file__).parents[1] / "data" / "schemes" / "mini"
IDS = ("chs_drg_11", "chs_drg_30", "foshan_2022", "guangxi_2022", "henan_2024")


def _picked(needs: tuple[tuple[str, tuple[str, ...]], ...], rng: random.Random) -> list[str]:
    """One code of each pool, all different, the one for the first place in front."""
    codes: list[str] = []
    for _, pool in sorted(needs, key=lambda need: need[0] != "main"):
        codes.append(rng.choice([code for code in pool if code not in codes] or list(pool)))
    return codes


def _complicating(
    wanted: bool, codes: tuple[str, ...], pools: ComplicationPools, principal: str
) -> list[str]:
    """A code that counts beside this principal diagnosis, if one is wanted and there is one."""
    table = pools.excluded_table.get(principal)
    free = (c for c in codes if not pools.table_of[c] or pools.table_of[c] != table)
    return [code for code in [next(free, "")] if wanted and code]


def record_of(recipe: Recipe, pools: ComplicationPools, rng: random.Random) -> Record:
    numbers = {
        name: Decimal(low) / 1000 if name in ("weight", "icu_hours") else low
        for name, low, _ in recipe.numbers
    }
    principal = rng.choice(recipe.principal)
    others = _picked(recipe.dx, rng)
    others += _complicating(recipe.mcc == 1, pools.mcc_codes, pools, principal)
    others += _complicating(recipe.cc == 1, pools.cc_codes, pools, principal)
    defaults = {"sex": 2 if recipe.mdc in "NO" else 1, "age": 40, "los": 5}
    return Record(
        **{**defaults, **numbers},  # type: ignore[arg-type]
        dx=(principal, *others),
        px=tuple(_picked(recipe.px, rng)),
    )


def _promises(scheme: Scheme, recipe: Recipe) -> list[object]:
    (rule,) = (rule for rule in scheme.adrgs if rule.order == recipe.rule)
    conditions = [next(mdc.when for mdc in scheme.mdcs if mdc.mdc == recipe.mdc), rule.when]
    return conditions + [drg.when for drg in scheme.drgs if drg.drg == recipe.drg]


def test_the_recipes_of_the_small_scheme_reach_their_groups() -> None:
    scheme = load_scheme(MINI)
    pools, reference, rng = complication_pools(scheme), Reference(scheme), random.Random(1)
    reached = set()
    for recipe in recipes(scheme) * 20:  # an earlier rule may take one record or the other
        outcome = reference.group(record_of(recipe, pools, rng))
        if outcome.status is Status.GROUPED:
            reached.add(scheme.drgs[outcome.group_id - 1].drg)
        elif outcome.status is Status.AMBIGUOUS:
            reached.add(scheme.adrgs[outcome.rule_id - 1].adrg)
    assert reached == {drg.drg for drg in scheme.drgs} | {"BQY"}


def test_a_recipe_is_what_its_conditions_say() -> None:
    scheme = load_scheme(MINI)
    newborn, *_ = (recipe for recipe in recipes(scheme) if recipe.drg == "PS19")
    assert newborn.numbers == (("age", 0, 0), ("age_days", 0, 28), ("weight", 0, 1_499_999))
    assert newborn.principal == ("P22.000", "P59.900")
    assert newborn.dx == (("any", ("P07.100", "P07.300")),)
    trauma = next(recipe for recipe in recipes(scheme) if recipe.drg == "ZB19")
    assert trauma.dx == (("any", ("S06.000",)), ("any", ("S27.000", "S27.100")))
    second = next(recipe for recipe in recipes(scheme) if recipe.drg == "BB29")
    assert second.px == (("any", ("01.2400", "01.3100")),) * 2
    with_cc = next(recipe for recipe in recipes(scheme) if recipe.drg == "BB13")
    assert (with_cc.mcc, with_cc.cc) == (0, 1)


@pytest.mark.parametrize("scheme_id", IDS)
def test_records_of_recipes_satisfy_their_rules_and_reach_nearly_every_group(
    scheme_id: str, load: Callable[[str], Scheme]
) -> None:
    scheme = load(scheme_id)
    pools, reference, rng = complication_pools(scheme), Reference(scheme), random.Random(7)
    kept, reached, made = 0, set(), recipes(scheme)
    for recipe in made:
        record = record_of(recipe, pools, rng)
        facts = reference.facts(record)
        kept += all(holds(when, facts) for when in _promises(scheme, recipe))  # type: ignore[arg-type]
        reached.add(reference.group(record).group_id)
    assert kept / len(made) > 0.99
    assert len(reached - {0}) / len(scheme.drgs) > 0.95


def test_recipes_are_the_same_every_time(load: Callable[[str], Scheme]) -> None:
    scheme = load("chs_drg_20")
    assert recipes(scheme) == recipes(scheme)
