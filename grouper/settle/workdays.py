"""Working days in China (工作日): weekends, public holidays and the days worked in their stead.

The holidays come from the library `holidays`; a dated list (columns date, working, source) decides
where it has the day, since the arrangement of a year is published only late in the year before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holidays import HolidayBase

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Working days; `listed`: day -> whether it is one, over what the library says."""

    listed: Mapping[date, bool] = field(default_factory=dict)

    def is_working_day(self, day: date) -> bool:
        """Whether offices work on a day."""
        found = self.listed.get(day)
        return bool(_china(day.year).is_working_day(day)) if found is None else found

    def working_day_after(self, start: date, number: int) -> date:
        """The n-th working day, the day after `start` being the first that may count."""
        day = start
        while number > 0:
            day += _DAY
            number -= self.is_working_day(day)
        return day

    def knows(self, year: int) -> bool:
        """Whether the days worked in the stead of holidays are known for a year."""
        worked = any(day.year == year for day in _china(year).weekend_workdays)
        return worked or any(day.year == year for day in self.listed)


@cache
def _china(year: int) -> HolidayBase:
    import holidays

    return holidays.country_holidays("CN", years=year)
