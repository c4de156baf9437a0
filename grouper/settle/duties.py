"""The dates of an agency's year: claims, payments, clearing, publications, by the parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from grouper.dated import Confidence
from grouper.policy.parameters import Parameter, Parameters
from grouper.settle.month_rules import month_days, next_month
from grouper.settle.workdays import Calendar

_MONTHS = 12
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Duty:
    """Something that is done by a day. period: the month (`2026-03`) or year it is about.

    name: claims, payment, push, advance_request, half_year_publication, clearing, clearing_pilot,
    publication. source, confidence: of the parameter that sets the day.
    """

    day: date
    name: str
    period: str
    source: str
    confidence: Confidence


def duties(parameters: Parameters, year: int, days: Calendar) -> list[Duty]:
    """What is due in a year, by day; duties whose parameter has no value then are left out."""
    found = [*_months(parameters, year, days), *_years(parameters, year)]
    return sorted((one for one in found if one.day.year == year), key=lambda one: one.day)


def _months(parameters: Parameters, year: int, days: Calendar) -> Iterator[Duty]:
    """Claims, payment and data of each month whose dates may fall in the year."""
    month = f"{year - 1:04d}-10"
    while month < f"{year + 1:04d}":
        end = month_days(month)[1] - _DAY
        claim, due = parameters.find("claim_day", end), parameters.find("due_working_days", end)
        if claim is not None and due is not None:
            until = month_days(next_month(month))[0] + timedelta(days=_whole(claim) - 1)
            paid = days.working_day_after(until, _whole(due))
            yield _duty(until, "claims", month, claim)
            yield _duty(paid, "payment", month, due)
            push = parameters.find("push_working_days", end)
            if push is not None and end.month % _every(parameters, end) == 0:
                yield _duty(days.working_day_after(paid, _whole(push)), "push", month, push)
        month = next_month(month)


def _every(parameters: Parameters, day: date) -> int:
    """Every how many months data go to the hospitals."""
    times = parameters.find("push_per_year", day)
    return 1 if times is None else max(_MONTHS // _whole(times), 1)


def _years(parameters: Parameters, year: int) -> Iterator[Duty]:
    """Requests for the advance, clearing of the year before and its publication, the half-year."""
    start = date(year, 1, 1)
    for name in ("advance_request", "half_year_publication"):
        key = "advance_request_by" if name == "advance_request" else name
        found = parameters.find(key, start)
        if found is not None:
            yield _duty(date.fromisoformat(f"{year}-{found.value}"), name, str(year), found)
    for cleared in (year - 2, year - 1):
        for name in ("clearing", "clearing_pilot"):
            key = name.replace("clearing", "clearing_due", 1)
            found = parameters.find(key, date(cleared, 1, 1))
            if found is not None:
                yield _duty(parameters.due_day(key, cleared), name, str(cleared), found)
        yield from _publication(parameters, cleared)


def _publication(parameters: Parameters, cleared: int) -> Iterator[Duty]:
    """The results of a clearing, some months after its day."""
    if parameters.find("clearing_due", date(cleared, 1, 1)) is None:
        return
    due = parameters.due_day("clearing_due", cleared)
    months = parameters.find("publication_months", due)
    if months is not None:
        month = f"{due:%Y-%m}"
        for _ in range(_whole(months)):
            month = next_month(month)
        last = (month_days(month)[1] - _DAY).day
        day = date(int(month[:4]), int(month[5:]), min(due.day, last))
        yield _duty(day, "publication", str(cleared), months)


def _duty(day: date, name: str, period: str, one: Parameter) -> Duty:
    return Duty(day, name, period, one.source, one.confidence)


def _whole(one: Parameter) -> int:
    return int(str(one.value))
