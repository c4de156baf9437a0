"""The picture of flows and the page of a comparison, whatever the names of groups."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from grouper.engine.groups import Status
from grouper.monitor.flow_sums import MEASURES
from grouper.monitor.movement import Flow, Label, Totals
from grouper.report.flow_picture import MOST_FLOWS, flow_picture
from grouper.report.words import Words


def flow(number: int, cases: int, name: str = "组") -> Flow:
    sums = (cases, 100 * cases, cases, *[0] * (len(MEASURES) - 3))
    before = Label(Status.GROUPED, f"A{number:03}", name, "A", "MDCA")
    after = Label(Status.UNGROUPED) if number % 5 == 0 else Label(Status.GROUPED, f"B{number % 7}")
    return Flow(before, after, "status" if number % 5 == 0 else "mdc", Totals(sums), number)


def drawn(flows, lang="zh"):
    return ET.fromstring(flow_picture(flows, Words(lang), titles=("甲<1>", "b & c")))


def test_a_picture_shows_the_first_flows_and_says_their_figures():
    flows = [flow(n, 1000 - n) for n in range(40)]
    for lang in ("zh", "en"):
        svg = drawn(flows, lang)
        ribbons = [one for one in svg if one.tag.endswith("path")]
        assert len(ribbons) == MOST_FLOWS
        titles = ["".join(ribbon.itertext()) for ribbon in ribbons]
        assert "A000" in titles[0]
        assert "1,000" in titles[0]
        assert "1,000.00" in titles[0]


def test_nothing_lies_outside_the_picture_and_nodes_do_not_overlap():
    svg = drawn([flow(n, 5 ** (n % 4) + n) for n in range(18)])
    height = float(svg.attrib["viewBox"].split()[3])
    sides: dict[str, list[tuple[float, float]]] = {}
    for bar in (one for one in svg if one.tag.endswith("rect")):
        top = float(bar.attrib["y"])
        sides.setdefault(bar.attrib["x"], []).append((top, top + float(bar.attrib["height"])))
    for bars in sides.values():
        bars.sort()
        assert bars[-1][1] <= height
        assert all(a[1] <= b[0] for a, b in zip(bars, bars[1:], strict=False))  # noqa: RUF007


def test_names_never_become_markup():
    svg = drawn([flow(1, 5, '"><script>alert(1)</script>')])
    assert "script" not in {one.tag.rpartition("}")[2] for one in svg.iter()}


def test_no_flows_no_picture():
    assert flow_picture([], Words("en"), titles=("a", "b")) == ""
