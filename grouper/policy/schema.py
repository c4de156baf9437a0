"""The form of area.toml and policy-<year>.toml, checked key by key."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from grouper.dated import Confidence
from grouper.policy.dip_schema import DipSection
from grouper.policy.form import KeyedVersion, Number, Section, Share, Strict, Text, VersionFile
from grouper.policy.model import Negative, Operator, RatioBase
from grouper.policy.parameter_files import OwnParameter


class StepFile(Strict):
    """One step of a schedule of multiples."""

    k: Number
    weight_up_to: Number | None = None
    weight_below: Number | None = None
    level: Text = ""
    insurance: Text = ""
    group: Text = ""


class StandardVersion(VersionFile):
    """The payment standard."""

    rule: Literal["S1", "S2", "S3", "S4", "S5", "S6"]
    ratio_base: RatioBase
    points: Literal[1, 100, 1000] | None = None


class OutlierVersion(VersionFile):
    """What low and high outliers have in common."""

    rule: str
    operator: Operator
    multiple: list[StepFile] = Field(min_length=1)


class LowVersion(OutlierVersion):
    """Low outliers."""

    rule: Literal["L1", "L2", "L3", "L5"]


class HighVersion(OutlierVersion):
    """High outliers."""

    rule: Literal["H0", "H1", "H2", "H2k", "H3", "H4", "H5", "H7", "H8"]
    deducted: list[StepFile] = Field(default_factory=list)


class RulesVersion(VersionFile):
    """Rules in the language of the leads (areas/README.md), one a text."""

    rules: list[Text]


class NumberVersion(VersionFile):
    """A number above zero."""

    value: Number


class CostVersion(VersionFile):
    """Cases paid a share of their cost."""

    rule: Literal["C"]
    factor: Number


class FundVersion(VersionFile):
    """The fund's part."""

    rule: Literal["A", "B", "C", "D", "P1", "P2"]
    negative: Negative
    ratio: Share | None = None


class ShareVersion(VersionFile):
    """A share between 0 and 1."""

    value: Share


class RateSection(Section):
    """Base rates (费率)."""

    unit: Literal["yuan/weight"]
    by: Text
    values: list[KeyedVersion] = Field(min_length=1)


class CoefficientSection(Section):
    """Hospital coefficients (医院系数)."""

    unit: Literal["1"]
    by: Text
    values: list[KeyedVersion] = Field(min_length=1)


class PointSection(Section):
    """Point values (点值)."""

    unit: Literal["yuan/point", "10000 yuan/weight", "1"]
    by: Text
    values: list[KeyedVersion] = Field(min_length=1)


class MeanCostSection(Section):
    """Mean cost per weight 1 (次均费用)."""

    unit: Literal["yuan/weight"]
    values: list[NumberVersion] = Field(min_length=1)


class RulesSection(Section):
    """Rules of classes of groups, before the outlier tests, or inside the normal band."""

    values: list[RulesVersion] = Field(min_length=1)


class StandardSection(Section):
    """Payment standard (支付标准)."""

    values: list[StandardVersion] = Field(min_length=1)


class LowSection(Section):
    """Low outliers (低倍率)."""

    values: list[LowVersion] = Field(min_length=1)


class HighSection(Section):
    """High outliers (高倍率)."""

    values: list[HighVersion] = Field(min_length=1)


class CostSection(Section):
    """Ambiguous (歧义) or ungrouped (未入组) cases."""

    values: list[CostVersion] = Field(min_length=1)


class FundSection(Section):
    """The fund's part of the payment."""

    values: list[FundVersion] = Field(min_length=1)


class DepositSection(Section):
    """Deposit kept from monthly payments (质量保证金)."""

    unit: Literal["1"]
    values: list[ShareVersion] = Field(min_length=1)


class PolicyFile(Strict):
    """policy-<year>.toml."""

    format: Literal[1]
    title: Text
    title_en: Text
    valid_from: date
    valid_to: date | None = None
    scheme: Text
    weight_table: Text
    source: Text
    confidence: Confidence
    base_rate: RateSection | None = None
    point_value: PointSection | None = None
    mean_cost: MeanCostSection | None = None
    hospital_coefficient: CoefficientSection | None = None
    standard: StandardSection
    low_outlier: LowSection | None = None
    high_outlier: HighSection | None = None
    class_rules: RulesSection | None = None
    before_rules: RulesSection | None = None
    within_rules: RulesSection | None = None
    dip: DipSection | None = None
    ambiguous: CostSection | None = None
    ungrouped: CostSection | None = None
    fund: FundSection
    deposit: DepositSection | None = None
    parameters: dict[str, OwnParameter] = Field(default_factory=dict)


class NamedFile(Strict):
    """The names of an insurance or a hospital level."""

    title: Text
    title_en: Text
    aliases: list[Text] = Field(default_factory=list)


class UnpublishedFile(Strict):
    """Why an area has no policy: what was looked for, and when."""

    reason: Text
    reason_en: Text
    searched: date


class AreaFile(Strict):
    """area.toml."""

    format: Literal[1]
    id: Text
    code: Text
    title: Text
    title_en: Text
    demo: bool = False
    source: Text
    confidence: Confidence
    places: list[Text] = Field(default_factory=list)
    unpublished: UnpublishedFile | None = None
    insurance: dict[str, NamedFile] = Field(min_length=1)
    level: dict[str, NamedFile] = Field(min_length=1)
