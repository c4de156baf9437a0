"""Values of a policy set otherwise: what is changed, what is said of it, what is refused."""

from decimal import Decimal

import pytest

from grouper.errors import PolicyError
from grouper.policy.load import load_policy
from grouper.policy.variant import parse_setting


def varied(*texts):
    return load_policy("demo", settings=[parse_setting(text) for text in texts])


def test_a_value_is_changed_in_every_row_and_marked():
    policy = varied("base_rate.310=8300.5")
    assert {terms.base_rate.values[("310",)] for terms in policy.terms} == {Decimal("8300.5")}
    assert {terms.base_rate.values[("390",)] for terms in policy.terms} == {
        terms.base_rate.values[("390",)] for terms in load_policy("demo").terms
    }
    assert policy.confidence == "constructed"
    assert all("[base_rate.310=8300.5]" in terms.sources["base_rate"] for terms in policy.terms)
    assert all("[" not in terms.sources["fund"] for terms in policy.terms)


def test_steps_of_a_list_are_counted_from_0():
    before, after = load_policy("demo").terms[0].high, varied("high_outlier.multiple.2.k=1.8")
    multiples = [step.multiple for step in before.steps]
    assert [step.multiple for step in after.terms[0].high.steps] == [
        *multiples[:2],
        Decimal("1.8"),
    ]


def test_scheme_and_weight_table_are_texts():
    policy = varied("scheme=chs_drg_11", 'weight_table="other"')
    assert {(terms.scheme_id, terms.weight_table) for terms in policy.terms} == {
        ("chs_drg_11", "other")
    }


@pytest.mark.parametrize("text", ["base_rate", "=3", "base_rate.310=", "a..b=1"])
def test_another_form_is_refused(text):
    with pytest.raises(PolicyError, match="PO131"):
        parse_setting(text)


@pytest.mark.parametrize(
    "text",
    ["base_rate.777=1", "nothing=1", "high_outlier.multiple.9.k=1", "base_rate=1",
     "high_outlier.multiple.x.k=1"],
)  # fmt: skip
def test_a_key_that_is_nowhere_is_refused(text):
    with pytest.raises(PolicyError, match="PO132") as caught:
        varied(text)
    assert "base_rate" in str(caught.value)


def test_a_value_that_cannot_be_is_refused_as_in_a_file():
    with pytest.raises(PolicyError, match="base_rate"):
        varied("base_rate.310=much")
