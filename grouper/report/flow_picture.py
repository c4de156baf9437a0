"""The largest flows between groups as a picture: ribbons from left to right, drawn as plain SVG.

Nothing is loaded and no script runs; every ribbon says its figures when pointed at, and all of them
stand in the table beside the picture. Colours are those of charts.py.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from grouper.engine.groups import Status
from grouper.monitor.movement import Flow, Label, MoveKind
from grouper.report.charts import BLUE, FONT, GREY, ORANGE, SKY
from grouper.report.words import Words, amount, money

#: flows that a picture shows; more of them cannot be told apart
MOST_FLOWS = 18
COLOURS: Mapping[MoveKind, str] = {"drg": SKY, "adrg": BLUE, "mdc": ORANGE, "status": GREY}

_WIDTH, _SIDE, _BAR = 1080, 330, 10
#: heights in pixels: of a label, between nodes, of a label's share of the ribbons
_LABEL, _GAP, _SHARE = 16, 8, 22
#: places of a label, wide characters taking two
_PLACES = 42


@dataclass
class _Node:
    """A group on one side: its height, where it begins, and where the next ribbon joins it."""

    label: Label
    cases: int = 0
    height: float = 0
    thick: float = 0
    top: float = 0
    joined: float = 0


def flow_picture(moves: Sequence[Flow], words: Words, *, titles: tuple[str, str]) -> Markup:
    """The first MOST_FLOWS flows; empty without any. titles: what stands left and right."""
    shown = list(moves[:MOST_FLOWS])
    if not shown:
        return Markup("")
    left, right = _nodes(shown, "before"), _nodes(shown, "after")
    total = sum(flow.totals["cases"] for flow in shown)
    scale = _SHARE * max(len(left), len(right)) / total
    thick = [max(flow.totals["cases"] * scale, 1.5) for flow in shown]
    for flow, size in zip(shown, thick, strict=True):
        left[_key(flow.before)].thick += size
        right[_key(flow.after)].thick += size
    bottom = _place(list(left.values()))
    bottom = max(bottom, _place(_near_their_origin(shown, left, right)))
    parts = [_heading(titles)]
    for flow, size in zip(shown, thick, strict=True):
        parts.append(_ribbon(flow, size, left[_key(flow.before)], right[_key(flow.after)], words))
    parts += [_bar(node, words, side="left") for node in left.values()]
    parts += [_bar(node, words, side="right") for node in right.values()]
    head = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" role="img" aria-label="{}" '
        "font-family='{}' font-size=\"12\">"
    )
    label = words("compare.picture")
    return (
        head.format(_WIDTH, round(bottom + 4), label, Markup(FONT))
        + Markup("").join(parts)
        + Markup("</svg>")
    )


def _key(label: Label) -> tuple[Status, str]:
    return label.status, label.code


def _nodes(flows: Sequence[Flow], side: str) -> dict[tuple[Status, str], _Node]:
    found: dict[tuple[Status, str], _Node] = {}
    for flow in flows:
        label: Label = getattr(flow, side)
        found.setdefault(_key(label), _Node(label)).cases += flow.totals["cases"]
    return found


def _near_their_origin(
    flows: Sequence[Flow],
    left: Mapping[tuple[Status, str], _Node],
    right: Mapping[tuple[Status, str], _Node],
) -> list[_Node]:
    """The right side in the order of the left, so that few ribbons cross."""

    def middle(key: tuple[Status, str]) -> float:
        mine = [flow for flow in flows if _key(flow.after) == key]
        weights = [flow.totals["cases"] for flow in mine]
        tops = [left[_key(flow.before)].top for flow in mine]
        return sum(w * t for w, t in zip(weights, tops, strict=True)) / sum(weights)

    return [right[key] for key in sorted(right, key=lambda key: (middle(key), key))]


def _place(nodes: Sequence[_Node]) -> float:
    """Give nodes their tops one under the other; returns where the last one ends."""
    top = 30.0
    for node in nodes:
        node.height = max(node.thick, _LABEL)
        node.top = top
        node.joined = top + (node.height - node.thick) / 2
        top += node.height + _GAP
    return top


def _heading(titles: tuple[str, str]) -> Markup:
    form = Markup('<text x="{}" y="14" text-anchor="{}" font-weight="700">{}</text>')
    return form.format(_SIDE, "end", titles[0]) + form.format(_WIDTH - _SIDE, "start", titles[1])


def _ribbon(flow: Flow, size: float, start: _Node, end: _Node, words: Words) -> Markup:
    x0, x1 = _SIDE + _BAR, _WIDTH - _SIDE - _BAR
    bend = (x0 + x1) / 2
    y0, y1 = start.joined, end.joined
    start.joined += size
    end.joined += size
    path = (
        f"M{x0},{y0:.1f}C{bend:.0f},{y0:.1f} {bend:.0f},{y1:.1f} {x1},{y1:.1f}"
        f"V{y1 + size:.1f}C{bend:.0f},{y1 + size:.1f} {bend:.0f},{y0 + size:.1f} {x0},"
        f"{y0 + size:.1f}Z"
    )
    says = words(
        "compare.flow",
        before=_text(flow.before, words),
        after=_text(flow.after, words),
        cases=amount(flow.totals["cases"], "count"),
        cost=money(flow.totals["cost"]),
    )
    form = Markup('<path d="{}" fill="{}" fill-opacity="0.6"><title>{}</title></path>')
    return form.format(path, COLOURS[flow.kind], says)


def _bar(node: _Node, words: Words, *, side: str) -> Markup:
    is_left = side == "left"
    x = _SIDE if is_left else _WIDTH - _SIDE - _BAR
    top = node.top + (node.height - node.thick) / 2
    bar = Markup('<rect x="{}" y="{:.1f}" width="{}" height="{:.1f}" fill="#111"/>')
    text = Markup(
        '<text x="{}" y="{:.1f}" text-anchor="{}">{}'
        '<tspan dx="7" font-weight="700">{}</tspan></text>'
    )
    at, anchor = (x - 6, "end") if is_left else (x + _BAR + 6, "start")
    label = _cut(_text(node.label, words), _PLACES)
    middle = node.top + node.height / 2 + 4
    cases = amount(node.cases, "count")
    return bar.format(x, top, _BAR, node.thick) + text.format(at, middle, anchor, label, cases)


def _text(label: Label, words: Words) -> str:
    if not label.code:
        return words(f"status.{label.status.word}")
    return f"{label.code} {label.name}".rstrip()


def _cut(text: str, places: int) -> str:
    """A text shortened to so many places."""
    used = 0
    for at, char in enumerate(text):
        used += 2 if unicodedata.east_asian_width(char) in "WF" else 1
        if used > places:
            return f"{text[: at - 1]}…"
    return text
