"""The walk through the national rules: each a default with its article, or listed with why not."""

from __future__ import annotations

from datetime import date
from functools import reduce
from importlib import import_module
from pathlib import Path

import pytest

from grouper.datafile import read_tsv
from grouper.policy.area import area_folder, area_ids, read_about
from grouper.policy.load import load_policy
from grouper.policy.national import NationalRule, national_rules
from grouper.policy.parameter_files import national_parameters

ARTICLES = Path(__file__).parent.parent / "data" / "policy" / "national_articles.tsv"
DAY = date(2026, 6, 30)
#: parameters of which only the term is known, by the rules themselves
WITHOUT_DEFAULT = {
    "correction_days",
    # what only the area can decide for its year
    *("budget", "budget_in_province", "budget_cross_province", "clearing_rate", "base_share"),
}


@pytest.fixture(scope="module")
def articles():
    return {row["article"]: row["computable"] for row in read_tsv(ARTICLES)}


def test_every_article_is_listed_once(articles):
    assert [rule.article for rule in national_rules()] == list(articles)
    assert len(articles) == 34


def test_what_can_be_computed_has_a_default_or_a_place_and_the_rest_a_reason(articles):
    for rule in national_rules():
        done = bool(rule.parameters or rule.computed_by)
        if articles[rule.article] == "-":
            assert not done, rule.article
        if not done:
            assert rule.reason, rule.article
            assert rule.reason_en, rule.article
            assert not articles[rule.article].startswith("yes") or "," in articles[rule.article]


def test_parameters_and_articles_name_each_other():
    definitions = national_parameters().definitions
    by_rule = {(name, rule.article) for rule in national_rules() for name in rule.parameters}
    by_parameter = {(name, row) for name, one in definitions.items() for row in one.rows}
    assert by_rule == by_parameter
    assert {name for name, _ in by_rule} == set(definitions)


@pytest.mark.parametrize("rule", [one for one in national_rules() if one.computed_by])
def test_the_place_that_computes_it_is_there(rule: NationalRule):
    module, _, name = rule.computed_by.partition(":")
    assert callable(reduce(getattr, name.split("."), import_module(module)))


def test_every_shipped_pack_has_every_default_with_its_source():
    areas = [area for area in area_ids() if not read_about(area_folder(area))[0].unpublished]
    assert len(areas) >= 38
    for area in areas:
        parameters = load_policy(area).parameters
        for rule in national_rules():
            for name in rule.parameters:
                if name in WITHOUT_DEFAULT:
                    continue
                insurances = ("310", "390") if parameters.definitions[name].by else ("",)
                day = date(2026, 12, 31) if name.startswith("instant") else DAY
                for insurance in insurances:
                    found = parameters.at(name, day, insurance)
                    assert found.source, (area, name)
                    assert found.origin in ("national", area)


def test_national_limits_are_those_of_the_articles():
    definitions = national_parameters().definitions
    limits = {
        name: str(one.at_most if one.at_most is not None else one.at_least)
        for name, one in definitions.items()
        if one.limit_source
    }
    assert limits == {
        "special_quota": "0.05",
        "special_quota_dip": "0.005",
        "due_working_days": "20",
        "month_share": "0.95",
        "deposit": "0.05",
        "advance_base_years": "3",
        "push_per_year": "4",
    }
