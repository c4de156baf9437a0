"""What one cell means: pure functions from a cell to a number, with what was odd about it.

A cell is what a reader found: text, a number, a date, nothing. Each parser returns a `Value`.
Source of the rules: docs/reference/records.md.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import NamedTuple

from grouper.records.batch import MISSING, MISSING_FEN, THOUSANDTHS
from grouper.records.fields import spellings
from grouper.sheet import half_width, strip_cell

EPOCH = date(1970, 1, 1)
#: serial dates of spreadsheets count from here (1900 system)
_SERIAL = date(1899, 12, 30)
_INT32 = 2**31 - 1


class Value(NamedTuple):
    """A parsed cell: the number, a note (kind of repair) or "", an issue code or ""."""

    number: int
    note: str = ""
    bad: str = ""


_NONE = Value(MISSING)
_NO_MONEY = Value(MISSING_FEN)


def cell_text(cell: object) -> str:
    """A cell as text: numbers without a needless fraction, dates in ISO form, nothing as ""."""
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return _float_text(cell)
    if isinstance(cell, Decimal):
        return format(cell, "f")
    if isinstance(cell, datetime):
        midnight = cell.time() == time(0)
        return cell.date().isoformat() if midnight else cell.isoformat(" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        minutes, seconds = divmod(round(cell.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
    return str(cell)


def _float_text(number: float) -> str:
    if number != number or number in (float("inf"), float("-inf")):
        return ""
    if number == int(number) and abs(number) < 1e15:
        return str(int(number))
    # repr is the shortest text that means this float: 0.66, not 0.66000000000000003
    return format(Decimal(repr(number)), "f")


def known_text(cell: object) -> str:
    """The cleaned text of a cell, "" for every way of writing that nothing is known."""
    text = strip_cell(cell_text(cell))
    return "" if text.upper() in spellings("missing") else text


def number_of(text: str) -> Decimal | None:
    """The number a text writes, None if it writes none."""
    try:
        number = Decimal(half_width(text))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def count(cell: object) -> Value:
    """A whole number such as days; `12.0` and `12天` are 12."""
    text = half_width(known_text(cell)).removesuffix("天").removesuffix("日")
    if not text:
        return _NONE
    number = number_of(text)
    if number is None or number != int(number) or not 0 <= number <= _INT32:
        return Value(MISSING, bad="RE04")
    return Value(int(number))


_AGE = re.compile(
    r"(?:(?P<years>\d+(?:\.\d+)?)(?:周?岁|Y))?"
    r"(?:(?P<months>\d+(?:\.\d+)?)(?:个?月|M))?"
    r"(?:(?P<days>\d+(?:\.\d+)?)(?:天|日|D))?"
    r"(?P<hours>\d+(?:小时|时|H))?(?P<minutes>\d+分钟?)?"
)
_BARE_AGE = re.compile(r"\d+(?:\.\d+)?")


class Age(NamedTuple):
    """Whole years and, under one year, days of life; an issue code or ""."""

    years: int
    days: int = MISSING
    bad: str = ""


def age(cell: object) -> Age:
    """`45`, `45.0`, `45岁`, `1岁3月`, `3月`, `15天`, `Y45`, `M3`, `D15` as years and days.

    Months are 30 days, as hospitals count. Under one year the years are 0; `0.5` says no days.
    """
    text = half_width(known_text(cell)).upper().replace(" ", "")
    if not text:
        return Age(MISSING)
    if _BARE_AGE.fullmatch(text):
        return _years(int(Decimal(text)))
    if text[0] in "YMD":
        text = text[1:] + text[0]
    match = _AGE.fullmatch(text)
    if match is None:
        return Age(MISSING, bad="RE04")
    years = int(Decimal(match["years"] or 0))
    months = Decimal(match["months"] or 0)
    days = int(months * 30) + int(Decimal(match["days"] or 0))
    # 12 months or 365 days are a year; years written out win over them
    years = years or max(int(months) // 12, days // 365)
    told = any(match[part] for part in ("months", "days", "hours", "minutes"))
    return Age(0, days) if years == 0 and told else _years(years)


def _years(years: int) -> Age:
    return Age(years) if years <= 130 else Age(MISSING, bad="RE04")


def age_days(cell: object, *, unit: str = "day") -> Value:
    """Days of life in a column of infant ages; `3月` and unit `month` are 30 days a month."""
    text = half_width(known_text(cell)).upper().replace(" ", "")
    if not text:
        return _NONE
    number = number_of(text)
    if number is None:
        parsed = age(text)
        if parsed.bad or parsed.days == MISSING:
            return Value(MISSING, bad="RE04")
        return Value(parsed.days, note="age_text")
    if not 0 <= number <= 60000:
        return Value(MISSING, bad="RE04")
    return Value(int(number * 30) if unit == "month" else int(number))


def coded(cell: object, name: str) -> Value:
    """A code of a set (sex, leaving): the code, its title, or both as in `1.医嘱离院`."""
    text = half_width(known_text(cell)).upper().replace(" ", "")
    if not text:
        return Value(0)
    table = codes_of(name)
    if text in table:
        return Value(table[text])
    number = number_of(text)
    if number is not None and number == int(number) and str(int(number)) in table:
        return Value(table[str(int(number))])
    match = re.fullmatch(r"0?(\d)[.、:\-]?(\D+)", text)
    if match and match[1] in table and table.get(match[2]) == table[match[1]]:
        return Value(table[match[1]])
    return Value(0, bad="RE04")


@cache
def codes_of(name: str) -> dict[str, int]:
    """How the codes of a set are written, half width and upper case -> the code."""
    return {half_width(text): int(code) for text, code in spellings(name).items()}


def sex_exact(cell: object) -> Value:
    """1 or 2 as it stands, 0 for all else: what grouping rejects."""
    number = number_of(cell_text(cell))
    return Value(int(number)) if number in (1, 2) else Value(0)


def leaving_exact(cell: object) -> Value:
    """A discharge disposition as it stands; 0 for all that is no number from 1 to 255."""
    number = number_of(cell_text(cell))
    if number is None or number != int(number) or not 0 <= number < 256:
        return Value(0)
    return Value(int(number))


def count_exact(cell: object) -> Value:
    """A whole number as it stands, missing if it is none; fractions are cut off."""
    number = number_of(cell_text(cell))
    if number is None or abs(number) > _INT32:
        return _NONE
    return Value(int(number))


def thousandths_exact(cell: object) -> Value:
    """A number as it stands, in thousandths."""
    number = number_of(cell_text(cell))
    return _NONE if number is None else _thousandths(number)


def _thousandths(number: Decimal) -> Value:
    scaled = int((number * THOUSANDTHS).to_integral_value())
    return Value(scaled) if abs(scaled) <= _INT32 else Value(MISSING, bad="RE04")


def weight(cell: object, *, unit: str = "g") -> Value:
    """A weight in thousandths of a gram; 0 is missing, under 20 looks like kilograms.

    Kilograms are converted only where the unit says so. Of several weights in a cell (a multiple
    birth) the first counts.
    """
    text = half_width(known_text(cell)).lower().removesuffix("克").removesuffix("g").strip()
    if not text:
        return _NONE
    parts = re.split(r"[,;/、 ]+", text)
    note = "first_weight" if len(parts) > 1 else ""
    number = number_of(parts[0])
    if number is None or number < 0:
        return Value(MISSING, bad="RE04")
    if unit == "kg":
        number *= 1000
    if number == 0:
        return _NONE
    if number < 20:
        return Value(MISSING, note, "RW09")
    value = _thousandths(number)
    odd = "RW09" if number < 100 else ""
    return Value(value.number, note, value.bad or odd)


#: how many minutes a unit of time has
_MINUTES = {"hour": 60, "day": 1440, "minute": 1}


def hours(cell: object, *, unit: str = "hour") -> Value:
    """A duration in thousandths of an hour; `1/13/24` is 1 day 13 hours 24 minutes."""
    text = half_width(known_text(cell)).removesuffix("小时").removesuffix("h").strip()
    if not text:
        return _NONE
    parts = re.fullmatch(r"(\d+)/(\d+)/(\d+)", text)
    if parts:
        minutes = int(parts[1]) * 1440 + int(parts[2]) * 60 + int(parts[3])
        return _thousandths(Decimal(minutes) / 60)
    number = number_of(text)
    if number is None or number < 0:
        return Value(MISSING, bad="RE04")
    return _thousandths(number * _MINUTES[unit] / 60)


_PLAIN_MONEY = re.compile(r"(-?)(\d{1,15})(?:\.(\d{1,2}))?")


def money(cell: object) -> Value:
    """An amount of yuan in fen, exactly; `¥1,234.50` and `1234.5元` are 123450.

    More than two decimals are rounded half up only where they are noise of a binary number.
    """
    text = cell if isinstance(cell, str) else cell_text(cell)
    match = _PLAIN_MONEY.fullmatch(text)
    if match is None:
        text = bare_amount(cell)
        if not text:
            return _NO_MONEY
        match = _PLAIN_MONEY.fullmatch(text)
    if match is not None:
        fen = int(match[2]) * 100 + int((match[3] or "0").ljust(2, "0"))
        return Value(MISSING_FEN, bad="RE04") if match[1] and fen else Value(fen)
    number = number_of(text)
    if number is None or abs(number) > 10**15:
        return Value(MISSING_FEN, bad="RE05")
    rounded = int((number * 100).to_integral_value("ROUND_HALF_UP"))
    # a binary number that means whole fen is off by far less than a thousandth of a fen
    if abs(number * 100 - rounded) > Decimal("0.001"):
        return Value(MISSING_FEN, bad="RE05")
    return Value(rounded, "money_noise") if rounded >= 0 else Value(MISSING_FEN, bad="RE04")


def bare_amount(cell: object) -> str:
    """The number in a cell of money, without the signs of the currency and thousands."""
    text = half_width(known_text(cell)).lstrip("¥￥").removesuffix("元").strip()
    return _without_commas(text)


def _without_commas(text: str) -> str:
    grouped = re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d*)?", text)
    return text.replace(",", "") if grouped else text


_DATE = re.compile(
    r"(\d{4})(?:[-/.](\d{1,2})[-/.](\d{1,2})|年(\d{1,2})月(\d{1,2})日?|(\d{2})(\d{2}))"
    r"(?:[ T]?\d.*)?"
)


def day(cell: object) -> Value:
    """A date as days since 1970-01-01; serial numbers of spreadsheets are read too.

    `dd/MM/yyyy` and years of two digits are refused: they would have to be guessed.
    """
    if isinstance(cell, date):
        return Value((cell.date() if isinstance(cell, datetime) else cell).toordinal() - _ORIGIN)
    text = half_width(known_text(cell))
    if not text:
        return _NONE
    match = _DATE.fullmatch(text)
    if match:
        year, *rest = (int(part) for part in match.groups() if part)
        return _day(year, *rest)
    number = number_of(text)
    if number is not None and 20000 <= number <= 80000:
        found = _SERIAL + timedelta(days=int(number))
        return Value(found.toordinal() - _ORIGIN, "serial_date")
    return Value(MISSING, bad="RE04")


_ORIGIN = EPOCH.toordinal()


def _day(year: int, month: int, day_of_month: int) -> Value:
    try:
        return Value(date(year, month, day_of_month).toordinal() - _ORIGIN)
    except ValueError:
        return Value(MISSING, bad="RE04")
