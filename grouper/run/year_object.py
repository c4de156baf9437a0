"""A cleared year as one object with stable keys, and as a table: a row a hospital and fund."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pyarrow as pa

from grouper.errors import Lang
from grouper.money import decimal_text, round_half_up, yuan, yuan_decimal
from grouper.policy.model import Policy
from grouper.policy.parameters import Parameter
from grouper.run.year import YearRun
from grouper.settle.annual import FundYear
from grouper.settle.clearing import identities
from grouper.settle.place import Place
from grouper.settle.year_area import area_lines
from grouper.settle.year_lines import COLUMNS, Amount, Kind
from grouper.settle.year_rules import last_day
from weights.record import places

#: decimals of what is shown: weights, points, rates and point values have four
_DECIMALS = 4
_MONEY = pa.decimal128(21, 2)
_VOLUME = pa.decimal128(38, _DECIMALS)


def amount_text(amount: Amount, kind: Kind) -> str | None:
    """An amount as results print it: yuan, four decimals, percent with two, or a count."""
    if amount is None:
        return None
    if kind == "fen":
        return yuan(int(amount))
    if kind == "ratio":
        return f"{places(Fraction(amount) * 100, 2)}%"
    if kind == "score":
        return decimal_text(Fraction(amount))
    return str(amount) if kind == "count" else places(Fraction(amount), _DECIMALS)


def year_object(made: YearRun, lang: Lang) -> dict[str, Any]:
    """The whole clearing for `--json`; amounts as text in yuan."""
    annual, review = made.annual, made.annual.review
    part, whole = annual.clearing_share
    share = Fraction(part, whole) if whole else None
    target = made.policy.parameters.find("clearing_share", last_day(annual.year))
    return {
        "area": annual.area_id,
        "year": annual.year,
        "funds": [_fund(one, made.policy, lang) for one in annual.funds],
        "not_cleared": [
            {"insurance": insurance, "place": place, "paid_by_months": yuan(fen)}
            for (insurance, place), fen in annual.not_cleared.items()
        ],
        "special": {
            "quota": dict(review.quota),
            "accepted": {name: yuan(fen) for name, fen in sorted(review.paid_fen.items())},
            "over_quota": list(review.over_quota),
            "no_loss": list(review.no_loss),
            "failed": list(review.failed),
        },
        "parameters": _parameters(annual.used),
        "clearing_share": amount_text(share, "ratio"),
        "clearing_share_target": None if target is None else str(target.value),
        "not_counted": dict(annual.not_counted),
        "after_freeze": annual.after_freeze,
        "due": annual.due.isoformat(),
        "done": annual.done.isoformat() if annual.done else None,
        "publish_by": _publish_by(made).isoformat(),
        "differences": None
        if made.differences is None
        else [
            {
                "insurance": one.row[0],
                "place": one.row[1],
                "hospital": one.row[2],
                "column": one.column,
                "before": yuan(one.old_fen),
                "after": yuan(one.new_fen),
                "difference": yuan(one.fen),
            }
            for one in made.differences
        ],
        "formulas": {one.id: one.formula(lang) for one in COLUMNS},
        "formula_parameters": {one.id: list(one.parameters) for one in COLUMNS},
        "issues": [one.to_dict(lang) for one in made.issues],
        "confidence": made.manifest["confidence"],
        "manifest": dict(made.manifest),
    }


def _publish_by(made: YearRun) -> date:
    """The day by which the results are published, counted from the clearing or its due date."""
    annual = made.annual
    months = made.policy.parameters.number("publication_months", last_day(annual.year))
    day = annual.done or annual.due
    years, month = divmod(day.month - 1 + int(months), 12)
    year, number = day.year + years, month + 1
    return date(year, number, min(day.day, monthrange(year, number)[1]))


def _fund(fund: FundYear, policy: Policy, lang: Lang) -> dict[str, Any]:
    made = fund.clearing
    return {
        "insurance": fund.insurance,
        "insurance_name": _insurance(policy, fund.insurance, lang),
        "place": fund.place,
        "method": made.rules.method,
        "basis": made.rules.basis,
        "area": {one.id: amount_text(one.amount, one.kind) for one in area_lines(made)},
        "budgets": [
            {"from": one.start.isoformat(), "amount": yuan(one.fen), "source": one.source}
            for one in fund.ruled.budgets
        ],
        "deductions": {item: yuan(fen) for item, fen in made.rules.deductions_fen.items()},
        "by_remainder": made.by_remainder,
        "parameters": _parameters(fund.ruled.used),
        "hospitals": [
            {
                "hospital": code,
                "hospital_name": hospital_name(policy, code, lang),
                **{one.id: amount_text(one.of(account), one.kind) for one in COLUMNS},
            }
            for code, account in made.accounts.items()
        ],
        "checks": [
            {"check": one.name, "left": yuan(one.left), "right": yuan(one.right)}
            for one in identities(made)
        ],
    }


def _parameters(used: Mapping[str, Parameter]) -> list[dict[str, str]]:
    return [
        {
            "key": key,
            "value": parameter_text(one),
            "unit": one.unit,
            "source": one.source,
            "confidence": one.confidence,
            "origin": one.origin,
        }
        for key, one in sorted(used.items())
    ]


def parameter_text(one: Parameter) -> str:
    """The value of a parameter in one line."""
    value: Any = one.value
    if isinstance(value, Decimal | str):
        return str(value)
    return "; ".join(_piece(part) for part in value)


def _piece(part: Any) -> str:
    if isinstance(part, str):
        return part
    if hasattr(part, "up_to"):
        return f"{'...' if part.up_to is None else f'<= {part.up_to}'}: {part.rate}"
    return f">= {part.lowest}: {'score' if part.factor is None else part.factor}"


def hospital_name(policy: Policy, code: str, lang: Lang) -> str:
    """The name of a hospital as the area lists it, "" if it does not."""
    listed = policy.hospital(code)
    if listed is None:
        return ""
    return listed.name if lang == "zh" else listed.name_en or listed.name


def _insurance(policy: Policy, code: str, lang: Lang) -> str:
    title = policy.insurance_title(code)
    return title.title if lang == "zh" else title.title_en


def year_table(made: YearRun, lang: Lang) -> pa.Table:
    """The reconciliation table; amounts are exact decimals in yuan.

    In Chinese the columns have their titles, in English their ids.
    """
    rows = [
        (fund, code, account)
        for fund in made.annual.funds
        for code, account in fund.clearing.accounts.items()
    ]
    names = [hospital_name(made.policy, code, lang) for _, code, _ in rows]
    columns: list[tuple[str, str, pa.Array]] = [
        ("area", "统筹区", _texts([made.annual.area_id] * len(rows))),
        ("year", "年度", pa.array([made.annual.year] * len(rows), pa.int64())),
        ("hospital", "医疗机构代码", _texts([code for _, code, _ in rows])),
        ("hospital_name", "医疗机构名称", _texts(names)),
        (
            "insurance",
            "险种",
            _texts([_insurance(made.policy, fund.insurance, lang) for fund, _, _ in rows]),
        ),
        (
            "place",
            "参保地类别",
            _texts([Place[fund.place.upper()].word(lang) for fund, _, _ in rows]),
        ),
    ]
    for column in COLUMNS:
        values = [column.of(account) for _, _, account in rows]
        columns.append((column.id, column.zh, _array(values, column.kind)))
    confidence = [str(made.manifest["confidence"])] * len(rows)
    columns.append(("confidence", "可信度", _texts(confidence)))
    return pa.table({zh if lang == "zh" else name: array for name, zh, array in columns})


def _array(values: list[Amount], kind: Kind) -> pa.Array:
    if kind == "count":
        return pa.array([None if one is None else int(one) for one in values], pa.int64())
    if kind == "fen":
        return pa.array([None if v is None else yuan_decimal(int(v)) for v in values], _MONEY)
    return pa.array([None if v is None else _decimal(Fraction(v)) for v in values], _VOLUME)


def _decimal(value: Fraction) -> Decimal:
    return Decimal(round_half_up(value * 10**_DECIMALS)).scaleb(-_DECIMALS)


def _texts(values: list[str]) -> pa.Array:
    return pa.array(values, pa.string())
