"""The dates of a year: those of the national rules, an area's own, and working days by a list."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import date

import pytest

from grouper.datafile import data_folder
from grouper.policy.load import load_policy
from grouper.policy.parameter_files import national_parameters
from grouper.settle.duties import duties
from grouper.settle.workdays import Calendar


def dates(year, parameters=None, days=None):
    found = duties(parameters or national_parameters(), year, days or Calendar())
    assert [one.day for one in found] == sorted(one.day for one in found)
    assert all(one.day.year == year and one.source for one in found)
    return {(one.name, one.period): one.day for one in found}, Counter(one.name for one in found)


def test_a_year_has_its_months_and_one_clearing():
    found, counts = dates(2026)
    assert counts["claims"] == counts["payment"] == counts["push"] == 12
    assert found["claims", "2025-12"] == date(2026, 1, 10)
    # twenty working days from the day after, the spring festival (15 to 23 February) between
    assert found["payment", "2026-01"] == date(2026, 3, 16)
    assert found["clearing", "2025"] == date(2026, 5, 31)
    assert found["clearing_pilot", "2025"] == date(2026, 3, 31)
    assert found["publication", "2025"] == date(2026, 6, 30)
    assert found["advance_request", "2026"] == date(2026, 1, 10)
    assert found["half_year_publication", "2026"] == date(2026, 10, 31)


@pytest.mark.parametrize(
    ("year", "clearing", "pilot"),
    [
        (2025, "2025-06-30", None),
        (2027, "2027-04-30", "2027-03-31"),
        (2028, "2028-03-31", "2028-03-31"),
    ],
)
def test_clearing_moves_forward_from_year_to_year(year, clearing, pilot):
    found, _ = dates(year)
    assert found["clearing", str(year - 1)].isoformat() == clearing
    own = found.get(("clearing_pilot", str(year - 1)))
    assert (own and own.isoformat()) == pilot


def test_a_list_of_days_decides_over_the_library():
    off = {date(2026, 3, 16): False}
    assert dates(2026, days=Calendar(off))[0]["payment", "2026-01"] == date(2026, 3, 17)


def test_what_an_area_decided_goes_first(tmp_path):
    folder = tmp_path / "area"
    shutil.copytree(data_folder("areas", "demo"), folder)
    path = folder / "policy-2025.toml"
    head = 'unit = "{}"\nsource = "某办法"\nconfidence = "official"\nvalues = [{}]\n'
    more = "\n[parameters.claim_day]\n" + head.format("day", "{ from = 2026-01-01, value = 5 }")
    more += "[parameters.push_per_year]\n" + head.format("1", "{ from = 2025-01-01, value = 4 }")
    more += "[parameters.clearing_due]\n" + head.format(
        "MM-DD", '{ from = 2025-01-01, value = "04-15" }'
    )
    path.write_text(path.read_text("utf-8") + more, "utf-8")
    found, counts = dates(2026, load_policy(folder).parameters)
    assert found["claims", "2025-12"] == date(2026, 1, 10)
    assert found["claims", "2026-01"] == date(2026, 2, 5)
    assert counts["push"] == 4
    assert found["clearing", "2025"] == date(2026, 4, 15)
    assert found["publication", "2025"] == date(2026, 5, 15)
