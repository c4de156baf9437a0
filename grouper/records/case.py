"""One discharge, checked at the border: from an API, a command line, a JSON object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict

from grouper.records.batch import CaseBatch


class Case(BaseModel):
    """One discharge. Only the principal diagnosis and the sex are needed to group it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    case_id: str = ""
    hospital_code: str = ""
    hospital_level: str = ""
    area: str = ""
    insurance: str = ""
    sex: int | None = None
    age_years: int | None = None
    age_days: int | None = None
    admission_date: date | None = None
    discharge_date: date | None = None
    los_days: int | None = None
    admission_weight_g: Decimal | None = None
    discharge_disposition: int | None = None
    icu_hours: Decimal | None = None
    ventilation_hours: Decimal | None = None
    principal_dx: str = ""
    other_dx: tuple[str, ...] = ()
    procedures: tuple[str, ...] = ()
    total_cost: Decimal | None = None
    fund_basic: Decimal | None = None
    other_funds: Decimal | None = None

    @classmethod
    def from_mapping(cls, record: Mapping[str, Any]) -> Case:
        """A case from plain field names (`id, sex, age, dx, px ...`); other keys are ignored."""
        raise NotImplementedError


def batch_of(cases: Sequence[Case]) -> CaseBatch:
    """Cases as columns, for the engines."""
    raise NotImplementedError
