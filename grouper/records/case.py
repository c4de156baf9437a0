"""One discharge, checked at the border: from an API, a command line, a JSON object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from grouper.errors import RecordError
from grouper.money import to_fen
from grouper.records import values
from grouper.records.batch import MISSING, MISSING_FEN, THOUSANDTHS, CaseBatch, CodeColumn

#: plain field -> field of Case, where the two differ; `dx` and `px` are split apart
_PLAIN = {
    "id": "case_id",
    "hospital": "hospital_code",
    "age": "age_years",
    "los": "los_days",
    "leaving": "discharge_disposition",
    "weight": "admission_weight_g",
    "vent_hours": "ventilation_hours",
    "admit_time": "admission_date",
    "discharge_time": "discharge_date",
}


def _sex(value: object) -> int | None:
    """1 or 2; other numbers say that the sex is not known, other words are a mistake."""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return int(value) if value in (1, 2) else None
    found = values.coded(value, "sex")
    if found.bad:
        raise ValueError("1, 2, M, F, 男 or 女")
    return found.number or None


def _leaving(value: object) -> object:
    """A discharge disposition as number; its title does as well."""
    if isinstance(value, str):
        found = values.coded(value, "leaving")
        if found.bad and not value.strip().isdecimal():
            raise ValueError("1 to 5 or 9")
        return found.number or (int(value) if value.strip().isdecimal() else None)
    return value


def _text(value: object) -> str:
    return values.cell_text(value)


def _known(value: object) -> object:
    """Nothing for empty text: a form field left blank."""
    return None if isinstance(value, str) and not value.strip() else value


def _day(value: object) -> date | None:
    found = values.day(value)
    if found.bad:
        raise ValueError("a date such as 2024-01-31")
    if found.number == MISSING:
        return None
    return date.fromordinal(found.number + values.EPOCH.toordinal())


def _codes(value: object) -> object:
    """A list of codes; text is split at `|`."""
    if isinstance(value, str):
        return value.split("|") if value else ()
    return () if value is None else value


Text = Annotated[str, BeforeValidator(_text)]
Count = Annotated[Annotated[int, Field(ge=0, le=2**31 - 1)] | None, BeforeValidator(_known)]
Age = Annotated[Annotated[int, Field(ge=0, le=130)] | None, BeforeValidator(_known)]
Amount = Annotated[
    Annotated[Decimal, Field(ge=0, lt=10**15, decimal_places=2)] | None, BeforeValidator(_known)
]
Measure = Annotated[Annotated[Decimal, Field(ge=0, lt=2_147_483)] | None, BeforeValidator(_known)]
Day = Annotated[date | None, BeforeValidator(_day)]
Codes = Annotated[tuple[str, ...], BeforeValidator(_codes)]


class Case(BaseModel):
    """One discharge. Only the principal diagnosis and the sex are needed to group it.

    Codes stand as they are; the order of `procedures` means something: the main one comes first.
    What is None is unknown, never zero. Costs are yuan.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    case_id: Text = ""
    hospital_code: Text = ""
    hospital_level: Text = ""
    area: Text = ""
    area_insured: Text = ""
    insurance: Text = ""
    sex: Annotated[int | None, BeforeValidator(_sex)] = None
    age_years: Age = None
    age_days: Count = None
    admission_date: Day = None
    discharge_date: Day = None
    los_days: Count = None
    admission_weight_g: Measure = None
    discharge_disposition: Annotated[
        Annotated[int, Field(ge=0, le=255)] | None, BeforeValidator(_leaving)
    ] = None
    icu_hours: Measure = None
    ventilation_hours: Measure = None
    principal_dx: str = ""
    other_dx: Codes = ()
    procedures: Codes = ()
    total_cost: Amount = None
    fund_basic: Amount = None
    other_funds: Amount = None

    @classmethod
    def from_mapping(cls, record: Mapping[str, Any]) -> Case:
        """A case from plain field names (`id, sex, age, dx, px ...`) or names of Case.

        Other keys are ignored. Raises RecordError (RE08) naming every field that cannot be used.
        """
        fields: dict[str, Any] = {}
        for key, value in record.items():
            name = _PLAIN.get(key, key)
            if name in cls.model_fields and value is not None:
                fields[name] = value
        try:
            if record.get("dx") is not None:
                codes = _codes(record["dx"])
                fields["principal_dx"], fields["other_dx"] = _headed(codes)
            if record.get("px") is not None:
                fields["procedures"] = record["px"]
            return cls(**fields)
        except (ValidationError, TypeError) as error:
            raise _record_error(error) from None

    @property
    def dx(self) -> tuple[str, ...]:
        """All diagnoses, the principal one first; none at all without a principal one."""
        return (self.principal_dx, *self.other_dx) if self.principal_dx else ()


def _headed(codes: object) -> tuple[str, tuple[str, ...]]:
    if not isinstance(codes, Sequence | np.ndarray):
        raise TypeError("dx: a list of codes")
    return (str(codes[0]), tuple(map(str, codes[1:]))) if len(codes) else ("", ())


def _record_error(error: ValidationError | TypeError) -> RecordError:
    if isinstance(error, TypeError):
        return RecordError("RE08", field="dx", detail=error)
    parts = [(".".join(map(str, e["loc"])), str(e["msg"])) for e in error.errors()]
    return RecordError(
        "RE08", field=", ".join(name for name, _ in parts), detail="; ".join(t for _, t in parts)
    )


def batch_of(cases: Sequence[Case]) -> CaseBatch:
    """Cases as columns, for the engines; values and codes as they stand."""
    n = len(cases)
    return CaseBatch(
        dx=CodeColumn.from_lists([case.dx for case in cases]),
        px=CodeColumn.from_lists([case.procedures for case in cases]),
        sex=np.array([case.sex or 0 for case in cases], np.uint8),
        age_years=_counts([case.age_years for case in cases]),
        age_days=_counts([case.age_days for case in cases]),
        admission_weight=_thousandths([case.admission_weight_g for case in cases]),
        los_days=_counts([case.los_days for case in cases]),
        icu_hours=_thousandths([case.icu_hours for case in cases]),
        discharge_disposition=np.array(
            [case.discharge_disposition or 0 for case in cases], np.uint8
        ),
        reject=np.zeros(n, np.uint16),
        case_id=[case.case_id for case in cases],
        hospital=[case.hospital_code for case in cases],
        hospital_level=[case.hospital_level for case in cases],
        insurance=[case.insurance for case in cases],
        area=[case.area for case in cases],
        area_insured=[case.area_insured for case in cases],
        discharge_date=_counts([_since_1970(case.discharge_date) for case in cases]),
        total_cost_fen=_fen([case.total_cost for case in cases]),
        fund_basic_fen=_fen([case.fund_basic for case in cases]),
        other_funds_fen=_fen([case.other_funds for case in cases]),
        source="cases",
        row=np.arange(1, n + 1, dtype=np.int64),
    )


def _since_1970(day: date | None) -> int | None:
    return None if day is None else day.toordinal() - values.EPOCH.toordinal()


def _counts(numbers: Sequence[int | None]) -> NDArray[np.int32]:
    return np.array([MISSING if number is None else number for number in numbers], np.int32)


def _thousandths(numbers: Sequence[Decimal | None]) -> NDArray[np.int32]:
    scaled = [None if number is None else round(number * THOUSANDTHS) for number in numbers]
    return _counts(scaled)


def _fen(amounts: Sequence[Decimal | None]) -> NDArray[np.int64]:
    fen = [MISSING_FEN if amount is None else to_fen(amount) for amount in amounts]
    return np.array(fen, np.int64)
