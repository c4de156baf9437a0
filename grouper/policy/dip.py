"""How an area pays DIP cases (按病种分值付费): deviating costs, kinds of groups.

Everything is a value; the functions stand in settle. Forms: docs/reference/dip-money.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from grouper.policy.model import Operator, RatioBase

#: kinds of groups in a catalogue
KINDS = ("core", "primary", "comprehensive", "tcm", "bedday", "blank", "default")
#: what the cost of a case is divided by: the mean cost the catalogue prints, or score x K x point
#: value
Reference = Literal["mean_cost", "standard"]
#: the same in the names that the payment standard has for it
RATIO_BASES: Mapping[Reference, RatioBase] = {"mean_cost": "G", "standard": "w c v"}
#: what becomes of a deviating case
BandForm = Literal["ratio", "excess", "standard", "cost"]
#: K multiplies the score; or stands inside the factor in the place of its 1; or plays no part
CoefficientUse = Literal["all", "inside", "none"]


@dataclass(frozen=True, slots=True)
class Band:
    """Cases whose ratio r (cost / reference) stands in `operator` to `multiple`.

    form: `ratio` score x r; `excess` score x (1 + share x (r - deducted)); `standard` the score,
    nothing more; `cost` the cost / the point value: the case is paid its cost.
    review: the area wants such cases looked at by experts before they are final.
    """

    operator: Operator
    multiple: Decimal
    form: BandForm
    coefficient: CoefficientUse = "all"
    deducted: Decimal = Decimal(0)
    share: Decimal = Decimal(1)
    review: bool = False


@dataclass(frozen=True, slots=True)
class DeviationRule:
    """Low, high and extreme cost; None where the area has no such band.

    The low band is asked first, the extreme band before the high one.
    """

    reference: Reference
    low: Band | None = None
    high: Band | None = None
    extreme: Band | None = None

    @property
    def is_rising(self) -> bool:
        """Whether low, high, extreme lie in this order, and no formula starts beyond its band."""
        bands = [one for one in (self.low, self.high, self.extreme) if one is not None]
        rising = all(a.multiple < b.multiple for a, b in pairwise(bands))
        return rising and all(one.deducted <= one.multiple for one in bands)


@dataclass(frozen=True, slots=True)
class KindRule:
    """What holds for the groups of one kind.

    form: `standard` score x A x K with deviations as far as allowed; `ratio` score x (cost / mean
    cost) x factor and nothing else; `cost` a share `factor` of the cost; `overall` for cases
    without group: cost / `mean` x `scale` x factor.
    coefficient: of the `hospital`, the group's `own` (printed in the catalogue, else 1) or `none`.
    unit: the score is for the `case`, or for each `day` of the stay.
    """

    form: Literal["standard", "ratio", "cost", "overall"] = "standard"
    factor: Decimal = Decimal(1)
    coefficient: Literal["hospital", "own", "none"] = "hospital"
    adjusted: bool = True
    deviates: bool = True
    unit: Literal["case", "day"] = "case"
    mean: Decimal | None = None
    scale: Decimal = Decimal(1000)


#: without a word of the area: primary groups know no coefficient (按病种付费管理暂行办法 art. 13),
#: groups of Chinese medicine no auxiliary adjustment, bed-days neither it nor deviations
USUAL_KINDS: Mapping[str, KindRule] = {
    "primary": KindRule(coefficient="none"),
    "tcm": KindRule(adjusted=False),
    "bedday": KindRule(adjusted=False, deviates=False, unit="day"),
}


@dataclass(frozen=True, slots=True)
class KindRules:
    """The rules by kind of group; `ungrouped` is a kind here."""

    values: Mapping[str, KindRule] = field(default_factory=dict)

    def of(self, kind: str) -> KindRule:
        """The rule of a kind of group."""
        return self.values.get(kind) or USUAL_KINDS.get(kind) or KindRule()

    @property
    def ungrouped(self) -> KindRule | None:
        """The rule for cases without group, None where the area has none."""
        return self.values.get("ungrouped")


@dataclass(frozen=True, slots=True)
class DipRules:
    """What an area that pays by DIP adds to its terms: one value each, no dates left inside.

    score_decimals: of a case score; adjustment_columns: headers under which the auxiliary
    coefficient (A) of a case may stand in the user's file, the first that is there (none: every
    case has 1); preset: how the area groups (data/dip/presets), "" = the usual one;
    audit_deduction: what audits take off a month comes off before a share of it is kept, or after.
    """

    deviation: DeviationRule
    kinds: KindRules = KindRules()
    score_decimals: int = 4
    adjustment_columns: tuple[str, ...] = ()
    preset: str = ""
    audit_deduction: Literal["before_share", "after_share"] = "before_share"
