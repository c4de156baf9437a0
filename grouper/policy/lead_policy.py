"""A lead as a policy: what `settle bill` runs on where no pack of the area exists.

It has case rules and nothing else: no dates, no hospitals, no fund rule, no month.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from grouper.dated import Span
from grouper.policy.leads import Lead
from grouper.policy.model import (
    Area,
    FundRule,
    KeyedValues,
    Named,
    Policy,
    StandardRule,
    Terms,
    make_policy,
)
from grouper.policy.parameter_files import national_parameters
from grouper.records.fields import spellings, values

#: parts of a policy that name a source
_PARTS = (
    "base_rate", "point_value", "mean_cost", "hospital_coefficient", "standard", "low_outlier",
    "high_outlier", "class_rules", "before_rules", "within_rules", "ambiguous", "ungrouped",
)  # fmt: skip
#: the insurances of which leads speak; records have codes of them
_INSURANCES = (("职工", "employee"), ("居民", "resident"))


def policy_of_lead(lead: Lead, *, scheme_id: str, weight_table: str) -> Policy:
    """The rules of a lead as a policy for cases of a scheme, priced by a weight table.

    Levels are taken as the records write them: the words of the lead.
    """
    source = lead.texts["source"]
    terms = Terms(
        span=Span(date.min),
        scheme_id=scheme_id,
        weight_table=weight_table,
        base_rate=KeyedValues((), {}),
        coefficient=None,
        standard=StandardRule(lead.standard, lead.ratio_base, lead.points),  # type: ignore[arg-type]
        low=None,
        high=None,
        ambiguous=None,
        ungrouped=None,
        fund=FundRule("", "carry"),
        deposit_rate=Decimal(0),
        sources=dict.fromkeys(_PARTS, lead.where),
        point_value=None,
        mean_cost=None,
        rules=lead,
    )
    area = Area(
        id=lead.area,
        code=lead.texts["code"],
        title=lead.area,
        title_en=lead.area,
        source=source,
        confidence=lead.confidence,
        is_demo=False,
        insurances=tuple(_insurance(word, title_en) for word, title_en in _INSURANCES),
        levels=(),
        hospitals=(),
    )
    return make_policy(
        area,
        (terms,),
        confidence=lead.confidence,
        titles=(f"{lead.area} ({source})",),
        parameters=national_parameters(),
    )


def _insurance(word: str, title_en: str) -> Named:
    """An insurance under the word of the leads, with the codes and spellings records have."""
    codes = {code for code, title in values("insurance").items() if word in title}
    texts = [text for text, code in spellings("insurance").items() if code in codes]
    return Named(word, word, title_en, tuple(dict.fromkeys([word, *sorted(codes), *texts])))
