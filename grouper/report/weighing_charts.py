"""Charts of estimated weights as option objects for Apache ECharts; the data of the chosen group.

The page fills in the group that is chosen: the frame of its charts is here, its numbers in
`group_data`, and nothing is computed in the browser.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from grouper.money import round_half_up
from grouper.report.charts import BLACK, BLUE, FONT, GREY, ORANGE, SKY, Option
from grouper.report.weighing import WeighingReport
from grouper.report.words import Words, money
from weights.estimated import GroupWeight
from weights.record import places, root_places

_PART = "#0072B222"
_DASHED = {"type": "dashed", "color": BLACK, "width": 1.5}


def scatter_chart(report: WeighingReport, words: Words) -> Option | None:
    """Kept cases against the half width of the interval, in percent; None without intervals."""
    points: dict[bool, list[Any]] = {True: [], False: []}
    for one in report.found.groups:
        if one.interval is not None:
            width = 100 * (one.interval[1] - one.interval[0]) / 2 / float(one.weight)
            points[one.carried].append({"name": one.code, "value": [one.kept, round(width, 3)]})
    if not any(points.values()):
        return None
    limit = float(report.found.choices.imprecise * 100)
    series: list[Option] = [
        {
            "type": "scatter",
            "name": words(f"weigh.{name}"),
            "data": points[carried],
            "symbol": symbol,
            "symbolSize": 9,
            "itemStyle": {"color": colour, "opacity": 0.75},
            "tooltip": {"formatter": "{b}\n{c}"},
        }
        for carried, name, symbol, colour in (
            (True, "is_carried", "circle", BLUE),
            (False, "not_carried", "triangle", ORANGE),
        )
    ]
    series[0]["markLine"] = {
        "silent": True,
        "symbol": "none",
        "lineStyle": _DASHED,
        "label": {"formatter": f"{limit:g}%", "position": "insideEndTop", "color": BLACK},
        "data": [{"yAxis": limit}],
    }
    frame = _frame(words("weigh.kept"), f"{words('weigh.half_width')} (%)")
    frame["xAxis"] |= {"type": "log", "min": "dataMin"}
    frame["yAxis"] |= {"type": "log"}
    legend = {"top": 0, "left": 0, "textStyle": {"color": BLACK}}
    return frame | {"legend": legend, "series": series, "tooltip": _TOOLTIP}


_TOOLTIP: Option = {"trigger": "item", "renderMode": "richText"}


def _frame(x: str, y: str) -> Option:
    name = {"nameLocation": "middle", "nameTextStyle": {"color": BLACK}}
    label = {"axisLabel": {"color": BLACK, "hideOverlap": True}}
    return {
        "animation": False,
        "textStyle": {"fontFamily": FONT, "color": BLACK},
        "aria": {"enabled": True},
        "grid": {"top": 62, "left": 34, "right": 28, "bottom": 34, "containLabel": True},
        "xAxis": {"name": x, "nameGap": 28, "splitLine": {"show": False}} | name | label,
        "yAxis": {"name": y, "nameGap": 44} | name | label,
    }


def distribution_frame(words: Words) -> Option:
    """The chart of costs without its numbers: series 0 takes them."""
    frame = _frame(words("weigh.cost_axis"), words("weigh.cases_axis"))
    frame["xAxis"] |= {"type": "log", "min": "dataMin", "max": "dataMax"}
    frame["yAxis"] |= {"type": "value", "minInterval": 1}
    series = {
        "type": "line",
        "step": "end",
        "symbol": "none",
        "lineStyle": {"color": BLUE, "width": 1.5},
        "areaStyle": {"color": SKY, "opacity": 0.45},
        "data": [],
    }
    return frame | {"series": [series]}


def years_frame(words: Words) -> Option:
    """The chart of yearly weights without its numbers."""
    frame = _frame("", words("weigh.weight"))
    frame["xAxis"] |= {"type": "category", "data": []}
    frame["yAxis"] |= {"type": "value", "scale": True}
    series = {
        "type": "line",
        "symbolSize": 11,
        "lineStyle": {"color": GREY, "type": "dotted"},
        "itemStyle": {"color": BLUE},
        "label": {"show": True, "position": "top", "color": BLACK},
        "data": [],
    }
    return frame | {"series": [series]}


def group_data(report: WeighingReport, words: Words) -> dict[str, Any]:
    """What the page shows of each group, by its code, those with most cases first."""
    by_code = {one.code: at for at, one in enumerate(report.found.groups)}
    chosen = [one for one in report.by_cases() if by_code[one.code] in report.distributions]
    return {
        one.code: {
            "title": f"{one.code} {one.name}".strip(),
            "facts": _facts(report, by_code[one.code], words),
            "costs": _costs(report, by_code[one.code], words),
            "years": _years(one),
        }
        for one in chosen
    }


def _facts(report: WeighingReport, group: int, words: Words) -> list[tuple[str, str]]:
    """Title and value of everything that is said of a group."""
    one = report.found.groups[group]
    level = f"{float(report.found.choices.level * 100):g}%"
    low, high = (_limit(end) for end in one.limits.shown)
    trimmed = f"{low} - {high}" if one.limits.low is not None else words("weigh.untrimmed")
    facts = [
        (words("weigh.weight"), str(one.printed)),
        (words("weigh.interval", level=level), interval_text(one)),
        (words("weigh.marks"), marks_text(one, words)),
        (words("weigh.kept"), f"{one.kept:,}"),
        (words("weigh.cut"), f"{one.trimmed:,}"),
        (words("weigh.limits"), trimmed),
        (words("weigh.mean_cost"), money(round_half_up(one.mean_fen))),
        (words("weigh.cv"), "-" if one.cv_squared is None else root_places(one.cv_squared, 4)),
        (words("weigh.raw"), places(one.raw, 4)),
        (words("weigh.hospitals"), str(one.hospitals) if one.hospitals else "-"),
        (words("weigh.largest"), _percent(one.largest_share) if one.hospitals else "-"),
        (words("weigh.pooled"), ", ".join(one.pooled) or "-"),
    ]
    if (outliers := report.outliers.get(group)) is not None:
        facts += [
            (words(f"weigh.{name}"), f"{n:,} ({_percent(Fraction(n, one.cases))})")
            for name, n in (("low_cases", outliers.low), ("high_cases", outliers.high))
        ]
    return facts


def interval_text(one: GroupWeight) -> str:
    """The interval of a weight, or a dash."""
    if one.interval is None:
        return "-"
    decimals = -int(one.printed.as_tuple().exponent)
    return " - ".join(places(Fraction(end), decimals) for end in one.interval)


def marks_text(one: GroupWeight, words: Words) -> str:
    """What is said against a weight, in words."""
    return ", ".join(words(f"weigh_mark.{mark}") for mark in one.marks) or words("weigh.none_said")


def _percent(share: Fraction) -> str:
    return f"{Decimal(round_half_up(share * 1000)).scaleb(-1)}%"


def _limit(end: Fraction | None) -> str:
    return "" if end is None else money(round_half_up(end))


def _costs(report: WeighingReport, group: int, words: Words) -> dict[str, Any]:
    """Steps [cost, cases] of the histogram, the part that is kept, and lines with their names."""
    one, spread = report.found.groups[group], report.distributions[group]
    edges = [_yuan(edge) for edge in spread.edges]
    # step "end": each height holds up to the next edge
    steps = list(zip(edges, (*spread.counts, 0), strict=True))
    kept: list[float] = []
    named = [("mean_line", one.mean_fen), ("priced_line", report.priced_fen(one))]
    low, high = one.limits.shown
    if low is not None and high is not None:
        kept = [max(_yuan(low), edges[0]), min(_yuan(high), edges[-1])]
        named += [("limit_low", low), ("limit_high", high)]
    if (outliers := report.outliers.get(group)) is not None:
        named += [("low_outlier", outliers.low_fen), ("high_outlier", outliers.high_fen)]
    shown = [(_yuan(at), words(f"weigh.{name}")) for name, at in named]
    shown = sorted(line for line in shown if edges[0] <= line[0] <= edges[-1])
    # names beside one another would cover each other: they take turns in three rows
    lines = [
        {"name": name, "xAxis": at, "label": {"distance": 4 + 15 * (row % 3)}}
        for row, (at, name) in enumerate(shown)
    ]
    return {"steps": steps, "kept": kept, "lines": lines, "colour": _PART}


def _yuan(fen: int | Fraction) -> float:
    return round_half_up(fen) / 100


def _years(one: GroupWeight) -> dict[str, Any]:
    """Yearly weights, the weight and its interval, and an axis on which all of them are seen."""
    years = [year for year in one.years if year.year]
    ends = [*(one.interval or ()), float(one.printed), *(float(year.weight) for year in years)]
    margin = (max(ends) - min(ends)) / 10 or max(ends) / 10
    return {
        "labels": [f"{year.year}\n{year.cases:,}" for year in years],
        "values": [places(year.weight, 4) for year in years],
        "weight": str(one.printed),
        "band": [] if one.interval is None else [f"{end:.4f}" for end in one.interval],
        "axis": [round(max(min(ends) - margin, 0), 3), round(max(ends) + margin, 3)],
    }
