"""Working days: weekends, holidays, the days worked in their stead, and a list that goes before."""

from datetime import date

import pytest

from grouper.settle.workdays import Calendar


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2025, 6, 6), True),
        (date(2025, 6, 7), False),  # Saturday
        (date(2025, 6, 2), False),  # Dragon Boat festival, moved to the Monday
        (date(2025, 9, 28), True),  # a Sunday worked for the National Day holidays
        (date(2025, 10, 8), False),
        (date(2025, 10, 11), True),  # a Saturday worked
    ],
)
def test_days_of_2025(day, works):
    assert Calendar().is_working_day(day) is works


def test_the_day_after_the_start_is_the_first_that_counts():
    # 11 July 2025 is a Friday
    assert Calendar().working_day_after(date(2025, 7, 10), 1) == date(2025, 7, 11)
    assert Calendar().working_day_after(date(2025, 7, 10), 20) == date(2025, 8, 7)
    assert Calendar().working_day_after(date(2025, 7, 10), 0) == date(2025, 7, 10)


def test_holidays_are_passed_over():
    # from 1 to 8 October 2025 nobody works; the 11th, a Saturday, is worked
    assert Calendar().working_day_after(date(2025, 9, 30), 3) == date(2025, 10, 11)


def test_a_dated_list_goes_before_the_library():
    off = Calendar({date(2025, 7, 11): False, date(2025, 7, 12): True})
    assert off.working_day_after(date(2025, 7, 10), 1) == date(2025, 7, 12)


def test_what_is_not_announced_yet_is_known_to_be_unknown():
    assert Calendar().knows(2025)
    assert not Calendar().knows(2040)
    assert Calendar({date(2040, 1, 1): False}).knows(2040)
