"""A new area's folder: it lints, and one drawn from a lead prices every case as the lead does."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product

import pytest

from grouper.dated import VERIFIED
from grouper.policy.draft import draft_files
from grouper.policy.draft_parts import Draft, insurances
from grouper.policy.lead_rules import LeadCase
from grouper.policy.leads import label_columns, leads
from grouper.policy.lint import lint
from grouper.policy.load import load_policy
from grouper.settle.lead import Given, pay_by_lead

PRICED = [name for name, lead in leads().items() if lead.can_price]
#: areas with a free factor for each hospital: a policy holds it by hospital instead
ADJUSTED = {name for name in PRICED if "adjust" in leads()[name].coef_source}
WEIGHTS = (Fraction("0.43"), Fraction(2), Fraction("4.5"), Fraction("11.01"))
RATIOS = (Fraction(1, 5), Fraction("0.45"), Fraction(1), Fraction("1.9"), Fraction(4))
FACTS = ((8, "1", 40), (1, "5", 10), (70, "4", 3), (2, "2", 16))
GIVEN = {
    "group_coef": Fraction("1.07"),
    "group_mean": Fraction("6543.21"),
    "score": Fraction("812.5"),
}


def draft(name: str | None) -> Draft:
    lead = leads()[name] if name else None
    return Draft("new", "990001", "新区", "New area", 2026, "chs_drg_20", "new-2026", lead=lead)


@pytest.fixture
def pack(tmp_path):
    """`pack(name)`: the policy of a folder drawn from a lead."""

    def make(name: str | None):
        folder = tmp_path / "area"
        folder.mkdir()
        for file, content in draft_files(draft(name)).items():
            (folder / file).write_bytes(content)
        assert [one for one in lint(folder) if one.severity == "error"] == []
        return load_policy(folder)

    return make


def test_an_empty_folder_lints_and_settles_nothing_by_mistake(pack):
    policy = pack(None)
    assert policy.confidence == "constructed"
    assert policy.confidence not in VERIFIED
    text = draft_files(draft(None))["policy-2026.toml"].decode()
    # every national parameter stands there to be overridden
    assert text.count("# [parameters.") == len(policy.parameters.definitions)


def cases(name):
    """Pairs of the same case, as the lead and as the pack spell it."""
    lead = leads()[name]
    levels = sorted({level for level, _ in (*lead.coefs, *lead.rates, *lead.point_values)} - {""})
    columns = {rule.words[0] for rule in lead.class_rules if rule.test in ("any", "flag")} | {
        word for rule in lead.class_rules for one in rule.facts if one.fact == "any"
        for word in one.words
    }  # fmt: skip
    words = {rule.words[0] for rule in lead.class_rules if rule.test in "=^$~"}
    labels = [{}, *({column: "是"} for column in columns - {""}), *({"class": w} for w in words)]
    ins = {one.word: code for code, one in insurances().items()}
    for level, insurance, label, (los, leave, age) in product(
        (levels or ["三级"])[:4], ins, labels, FACTS
    ):
        for group, weight, ratio in zip(
            ("ES31", "GW15", "GF3A", "0000"), WEIGHTS, RATIOS[1:], strict=True
        ):
            facts = {"weight": weight, "los": los, "leave": leave, "age": age}
            left = LeadCase(group, level, insurance, "H1", labels=label, **facts)
            ours = {label_columns().get(column, column): text for column, text in label.items()}
            right = replace(left, insurance=ins[insurance], labels=ours)
            yield left, right, Given(weight * ratio * 7000, **GIVEN)


# 吐鲁番 has no coefficient at all: its pack holds a constructed 1
@pytest.mark.parametrize("name", sorted(set(PRICED) - ADJUSTED - {"吐鲁番"}))
def test_a_pack_drawn_from_a_lead_pays_what_the_lead_pays(pack, name):
    (terms,) = pack(name).terms
    lead, compared = leads()[name], 0
    for left, right, given in cases(name):
        try:
            expected = pay_by_lead(lead, left, given)
        except Exception as error:
            with pytest.raises(type(error)):
                pay_by_lead(terms.rules, right, given)
            continue
        found = pay_by_lead(terms.rules, right, given)
        assert found.exact == expected.exact, (left, given.cost)
        assert found.kind.split(":")[0] == expected.kind.split(":")[0]
        compared += 1
    assert compared
