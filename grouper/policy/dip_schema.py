"""The form of the DIP sections of a policy file, and of deviation rules wherever they stand."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from grouper.policy.dip import (
    KINDS,
    Band,
    BandForm,
    CoefficientUse,
    DeviationRule,
    DipRules,
    KindRule,
    KindRules,
    Reference,
)
from grouper.policy.form import Number, Section, Share, Strict, Text, VersionFile

Decimals = Annotated[int, Field(ge=0, le=10)]


class BandFile(Strict):
    """One band of deviating costs."""

    multiple: Number
    form: BandForm
    coefficient: CoefficientUse = "all"
    deducted: Number | None = None
    share: Share = Decimal(1)
    review: bool = False


class LowBandFile(BandFile):
    """Cases far below their group."""

    operator: Literal["<", "<="]
    form: Literal["ratio", "standard", "cost"]


class HighBandFile(BandFile):
    """Cases far above their group."""

    operator: Literal[">", ">="]


class DeviationFile(Strict):
    """All bands and what the cost is compared with."""

    reference: Reference
    low: LowBandFile | None = None
    high: HighBandFile | None = None
    extreme: HighBandFile | None = None

    def rule(self) -> DeviationRule:
        """The rule these values stand for."""
        return DeviationRule(
            self.reference,
            None if self.low is None else _band(self.low),
            None if self.high is None else _band(self.high),
            None if self.extreme is None else _band(self.extreme),
        )


def _band(file: LowBandFile | HighBandFile) -> Band:
    return Band(
        file.operator,
        file.multiple,
        file.form,
        file.coefficient,
        file.multiple if file.deducted is None else file.deducted,
        file.share,
        file.review,
    )


class KindFile(Strict):
    """The rule of one kind of group."""

    form: Literal["standard", "ratio", "cost", "overall"] = "standard"
    factor: Number = Decimal(1)
    coefficient: Literal["hospital", "own", "none"] = "hospital"
    adjusted: bool = True
    deviates: bool = True
    unit: Literal["case", "day"] = "case"
    mean: Number | None = None
    scale: Number = Decimal(1000)

    @model_validator(mode="after")
    def _has_mean(self) -> KindFile:
        if self.form == "overall" and self.mean is None:
            raise ValueError("a number is needed")
        return self

    def rule(self) -> KindRule:
        """The rule these values stand for."""
        return KindRule(**self.model_dump())


class KindsFile(Strict):
    """The rules by kind of group; kinds left out follow the usual rules."""

    core: KindFile | None = None
    primary: KindFile | None = None
    comprehensive: KindFile | None = None
    tcm: KindFile | None = None
    bedday: KindFile | None = None
    blank: KindFile | None = None
    default: KindFile | None = None
    ungrouped: KindFile | None = None

    def rules(self) -> KindRules:
        """The kinds that are told."""
        told = {name: getattr(self, name) for name in (*KINDS, "ungrouped")}
        return KindRules({name: one.rule() for name, one in told.items() if one is not None})


class DipVersion(DeviationFile, VersionFile):
    """How DIP cases are scored from a day on."""

    kinds: KindsFile = KindsFile()
    score_decimals: Decimals = 4
    adjustment_columns: list[Text] = Field(default_factory=list)
    preset: str = ""
    audit_deduction: Literal["before_share", "after_share"] = "before_share"

    def rules(self) -> DipRules:
        """The rules these values stand for."""
        return DipRules(
            self.rule(),
            self.kinds.rules(),
            self.score_decimals,
            tuple(self.adjustment_columns),
            self.preset,
            self.audit_deduction,
        )


class DipSection(Section):
    """Deviating cases (偏差病例) and kinds of groups (病种类型) of an area that pays by DIP."""

    values: list[DipVersion] = Field(min_length=1)
