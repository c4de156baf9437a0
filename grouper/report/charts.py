"""Charts as plain option objects for Apache ECharts: numbers in, JSON out, nothing drawn here.

Values are texts ("53.45"), which the library reads as numbers and shows as they stand. Colours are
those of Okabe and Ito, told apart by people with colour-blindness; series differ by pattern too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grouper.money import yuan
from grouper.monitor.coverage import CoverageRow
from grouper.report.data import GroupRow
from grouper.report.words import Words

BLUE, ORANGE, GREY, BLACK, SKY = "#0072B2", "#D55E00", "#8A8A8A", "#111111", "#56B4E9"
FONT = (
    '"PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Source Han Sans SC", '
    '"WenQuanYi Micro Hei", system-ui, sans-serif'
)
#: more bars than this are not read; the table has them all
MOST_BARS = 24
MOST_GROUPS = 12

#: verdict -> colour of its bar
_COLOURS = {"met": BLUE, "not_met": ORANGE, "reported_only": GREY}
_NARROW = 560
#: a mark nearer than this to the end of its bar (hundredths of a percent) would cover the figures
_FIGURES_WIDTH = 900

Option = dict[str, Any]


def coverage_chart(rows: Sequence[CoverageRow], words: Words) -> Option | None:
    """Shares reached as bars, targets as upright marks; None when no row has a share.

    A share held against several documents is one bar with several marks, and counts as not met
    if it misses any of them.
    """
    shares: dict[tuple[str, str], list[CoverageRow]] = {}
    for row in rows:
        if row.ratio_bp is not None:
            shares.setdefault((row.period, row.name), []).append(row)
    shown = list(shares.values())[:MOST_BARS]
    if not shown:
        return None
    labels = _labels([row[0] for row in shown], words)
    series = [
        _bars(words(f"verdict.{status}"), colour, _of_status(shown, status), unit="%")
        | {"stack": "share"}
        for status, colour in _COLOURS.items()
    ]
    series.append(_marks(shown, words("column.target")))
    used = [one for one in series if any(value != "-" for value in one["data"])]
    option = _horizontal(labels, used, unit="%", axis_name="")
    option["xAxis"]["max"] = 100
    option["series"].append(_figures(shown))
    return _with_phone(option)


def _labels(rows: Sequence[CoverageRow], words: Words) -> list[str]:
    """Measure, place and period of each bar, without what is the same for all."""
    places = {row.dimension for row in rows if row.dimension}
    periods = {row.period for row in rows}
    return [
        " ".join(
            (
                words(f"measure.{row.measure}"),
                *([words.coverage_place(row)] if len(places) > 1 else []),
                *([row.period] if len(periods) > 1 else []),
            )
        )
        for row in rows
    ]


def coverage_count(rows: Sequence[CoverageRow]) -> int:
    """How many bars all rows would need."""
    return len({(row.period, row.name) for row in rows if row.ratio_bp is not None})


def group_chart(groups: Sequence[GroupRow], words: Words) -> Option | None:
    """Cost and payment standard of the first groups, in the large unit; None without costs."""
    shown = [group for group in groups if group.cost_fen is not None][:MOST_GROUPS]
    if not shown:
        return None
    labels = [f"{group.code} {group.name}".strip() for group in shown]
    cost = ["-" if g.cost_fen is None else words.cost(g.cost_fen) for g in shown]
    unit = words("unit.cost")
    series = [_bars(words("column.cost"), BLUE, cost, unit=f" {unit}")]
    if any(group.standard_fen is not None for group in shown):
        worth = ["-" if g.standard_fen is None else words.cost(g.standard_fen) for g in shown]
        series.append(_bars(words("column.standard"), SKY, worth, unit=f" {unit}"))
    return _with_phone(_horizontal(labels, series, unit="", axis_name=unit))


def height(option: Option) -> int:
    """The height in pixels that a chart needs to be read."""
    base = option["baseOption"]
    bars = len({one.get("stack", one["name"]) for one in base["series"] if one["type"] == "bar"})
    return 90 + len(base["yAxis"]["data"]) * (16 + 16 * max(bars, 1))


def _of_status(shown: Sequence[Sequence[CoverageRow]], status: str) -> list[str]:
    return [yuan(row[0].ratio_bp or 0) if _worst(row) == status else "-" for row in shown]


def _worst(rows: Sequence[CoverageRow]) -> str:
    statuses = {row.status for row in rows}
    return next(one for one in ("not_met", "met", "reported_only") if one in statuses)


def _bars(name: str, colour: str, data: list[str], *, unit: str) -> Option:
    return {
        "type": "bar",
        "name": name,
        "data": data,
        "barMaxWidth": 18,
        "itemStyle": {"color": colour, "borderColor": "#FFFFFF"},
        "tooltip": {"formatter": "{b}\n{a} {c}" + unit},
    }


def _marks(shown: Sequence[Sequence[CoverageRow]], name: str) -> Option:
    """Targets as thin upright bars; several of one share stand beside one another."""
    data = [
        [yuan(row.target_bp), index]
        for index, rows in enumerate(shown)
        for row in rows
        if row.target_bp is not None
    ]
    return {
        "type": "scatter",
        "name": name,
        "data": data,
        "symbol": "rect",
        "symbolSize": [4, 24],
        "itemStyle": {"color": BLACK},
        "tooltip": {"show": False},
        "z": 5,
    }


def _figures(shown: Sequence[Sequence[CoverageRow]]) -> Option:
    """The share in figures, right of its bar and of any mark that would cover it."""
    data = [
        {
            "value": [yuan(_beside(rows)), index],
            "label": {"formatter": rows[0].ratio_text},
        }
        for index, rows in enumerate(shown)
    ]
    return {
        "type": "scatter",
        "data": data,
        "symbolSize": 1,
        # not opacity 0, which would hide the label too
        "itemStyle": {"color": "rgba(0,0,0,0)"},
        # a mark further right may run into the figures where the page is narrow
        "label": {
            "show": True,
            "position": "right",
            "distance": 4,
            "color": BLACK,
            "backgroundColor": "#FFFFFF",
            "padding": [1, 2],
        },
        "tooltip": {"show": False},
        "silent": True,
        "z": 6,
    }


def _beside(rows: Sequence[CoverageRow]) -> int:
    """Where the figures of a share begin, in hundredths of a percent."""
    place = rows[0].ratio_bp or 0
    for mark in sorted(row.target_bp for row in rows if row.target_bp is not None):
        if place <= mark <= place + _FIGURES_WIDTH:
            place = mark
    return place


def _horizontal(labels: list[str], series: list[Option], *, unit: str, axis_name: str) -> Option:
    """Bars from left to right, the first label on top."""
    return {
        "animation": False,
        "textStyle": {"fontFamily": FONT, "color": BLACK},
        "aria": {"enabled": True, "decal": {"show": True}},
        "legend": {
            "top": 0,
            "left": 0,
            "textStyle": {"color": BLACK},
            "data": [one["name"] for one in series],
        },
        # rich text instead of HTML: names of users never become markup
        "tooltip": {"trigger": "item", "renderMode": "richText"},
        "grid": {
            "top": 44,
            "left": 8,
            "right": 64,
            "bottom": 36 if axis_name else 8,
            "containLabel": True,
        },
        "xAxis": {
            "type": "value",
            "min": 0,
            "name": axis_name,
            "nameLocation": "middle",
            "nameGap": 30,
            "nameTextStyle": {"color": BLACK},
            "axisLabel": {"formatter": "{value}" + unit, "color": BLACK, "hideOverlap": True},
        },
        "yAxis": {
            "type": "category",
            "inverse": True,
            "data": labels,
            "axisTick": {"show": False},
            "axisLabel": {"overflow": "truncate", "color": BLACK, "interval": 0},
        },
        "series": series,
    }


def _with_phone(option: Option) -> Option:
    """The same with shorter labels where the page is narrow."""
    narrow = {"yAxis": {"axisLabel": {"width": 100, "fontSize": 11}}, "grid": {"right": 52}}
    wide = {"yAxis": {"axisLabel": {"width": 240, "fontSize": 12}}, "grid": {"right": 64}}
    return {
        "baseOption": option,
        "media": [{"query": {"maxWidth": _NARROW}, "option": narrow}, {"option": wide}],
    }
