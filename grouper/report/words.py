"""The words and number forms of reports: `data/messages/report_zh.toml` and `report_en.toml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from grouper.datafile import data_folder, read_toml
from grouper.errors import Lang
from grouper.money import round_half_up, yuan
from grouper.monitor.coverage import ALL, CoverageRow
from grouper.monitor.ratio import percent

#: verdict -> sign that needs no colour to be told apart; all of them are in GBK
SIGNS: Mapping[str, str] = {"met": "●", "not_met": "▲", "no_data": "○", "reported_only": "—"}
#: how many fen are one hundredth of the unit that charts show cost in (words: unit.cost)
_FEN_PER_HUNDREDTH: Mapping[Lang, int] = {"zh": 10_000, "en": 1_000}


@cache
def table(lang: Lang) -> Mapping[str, Mapping[str, str]]:
    """All words in one language: section -> key -> text."""
    words: Mapping[str, Mapping[str, str]] = read_toml(
        data_folder("messages", f"report_{lang}.toml")
    )
    return words


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language, by `section.key`."""

    lang: Lang

    def __call__(self, key: str, /, **params: object) -> str:
        """Fill the text of `section.key`."""
        section, _, name = key.partition(".")
        return table(self.lang)[section][name].format_map(params)

    def coverage_place(self, row: CoverageRow) -> str:
        """For which area, institution, level and insurance a share is."""
        values = [self("column.all_areas") if v == ALL else v for _, v in row.dimension]
        return " · ".join(value for value in values if value) or self("column.all")

    def due(self, row: CoverageRow) -> str:
        """By when the target is due; empty without a target."""
        if row.target is None:
            return ""
        step = re.fullmatch(r"year (\d)", row.target.period)
        if step:
            return self("due.step", step=step[1])
        return self("due.calendar", period=row.target.period)

    def cost(self, fen: int) -> str:
        """A cost in the unit of the charts (unit.cost), two decimals."""
        return yuan(round_half_up(Fraction(fen, _FEN_PER_HUNDREDTH[self.lang])))


def grouped(text: str) -> str:
    """A number as text with commas between thousands: "1234567.80" -> "1,234,567.80"."""
    whole, point, rest = text.partition(".")
    return f"{int(whole):,}{point}{rest}" if whole not in ("-0", "-") else text


def money(fen: int | None) -> str:
    """Fen in yuan with two decimals and commas; empty where not known."""
    return "" if fen is None else grouped(yuan(fen))


def amount(value: int | None, unit: str) -> str:
    """A count or an amount of fen (`fen`, `yuan`) as text with commas; empty where not known."""
    if value is None:
        return ""
    return f"{value:,}" if unit == "count" else money(value)


def share_bp(part: int, whole: int) -> int | None:
    """Part of a whole in hundredths of a percent; None when there is no whole."""
    return round_half_up(Fraction(part * 10_000, whole)) if whole else None


def share(part: int, whole: int) -> str:
    """Part of a whole as a percentage of two decimals; empty when there is no whole."""
    basis_points = share_bp(part, whole)
    return "" if basis_points is None else percent(basis_points)
