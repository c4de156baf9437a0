"""The page in a real browser: charts are drawn, nothing is complained of, nothing is fetched."""

import re
import shutil
import subprocess

import pytest

from grouper.report.page import render_page

CHROMIUM = next(
    (path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path),
    None,
)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]
OPTIONS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync "
    # no name resolves: whatever the page asked for outside itself would fail and be logged
    "--enable-logging=stderr --host-resolver-rules=MAP\t*\t~NOTFOUND"
)


def run(tmp_path, page, *options):
    path = tmp_path / "page.html"
    path.write_text(page, "utf-8")
    command = [CHROMIUM, *(one.replace("\t", " ") for one in OPTIONS.split(" "))]
    command += [f"--user-data-dir={tmp_path / 'profile'}", *options, path.as_uri()]
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    complaints = re.findall(r".*(?:CONSOLE|net::ERR).*", done.stderr.decode("utf-8", "replace"))
    return done.stdout.decode("utf-8"), complaints


def test_charts_are_drawn_and_the_console_is_silent(data, tmp_path):
    dom, complaints = run(tmp_path, render_page(data), "--dump-dom")
    assert not complaints
    body = dom[: dom.index("Licensed to the Apache Software Foundation")]
    assert body.count("<svg") == 2
    assert '<figure class="chart">' in body
    assert '<figure class="chart" hidden' not in body
    for text in ("48.89%", "BR23"):
        assert re.search(rf"<text[^>]*>[^<]*{text}", body)


def test_hostile_names_are_drawn_as_text(make, tmp_path):
    from grouper.report.data import GroupRow

    name = "<img src=x onerror=document.title='hit'></script>"
    page = render_page(make("zh", groups=(GroupRow("A", name, 1, 10**6),)))
    dom, complaints = run(tmp_path, page, "--dump-dom")
    assert not complaints
    assert "<img" not in dom[: dom.index("Licensed to the Apache")]
    assert "<title>hit" not in dom


def test_page_without_scripts_shows_tables_and_no_empty_charts(data, tmp_path):
    # a policy without scripts is what a browser with scripts switched off does
    page = render_page(data).replace("script-src 'unsafe-inline'", "script-src 'none'")
    dom, _ = run(tmp_path, page, "--dump-dom")
    assert "<svg" not in dom[: dom.index("Licensed to the Apache")]
    assert dom.count('<figure class="chart" hidden') == 2
    assert "5,000,000.01" in dom


def test_page_prints_to_paper(data, tmp_path):
    target = tmp_path / "page.pdf"
    _, complaints = run(tmp_path, render_page(data), f"--print-to-pdf={target}")
    assert not complaints
    assert target.read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_of_weights_draws_the_chosen_group(lang, tmp_path):
    from datetime import date
    from fractions import Fraction

    from weights_histories import drawn

    from grouper.dated import Span
    from grouper.report.weighing import report_of
    from grouper.report.weighing_page import render_weighing_page
    from weights.choices import Choices
    from weights.estimate import estimate
    from weights.table import Head

    history = drawn(2000, 12, 4).history()
    years = {2020: Fraction(1), 2021: Fraction(2), 2022: Fraction(7)}
    found = estimate(history, Choices(year_weights=years))
    span = Span(date(2023, 1, 1), None)
    head = Head("t", "测算", "estimate", "s", "1", span, "source", "constructed")
    report = report_of(found, head, history, lang=lang)
    dom, complaints = run(tmp_path, render_weighing_page(report), "--dump-dom")
    assert not complaints
    body = dom[: dom.index("Licensed to the Apache Software Foundation")]
    assert body.count("<svg") == 3
    first = report.by_cases()[0]
    assert f'<span data-title="">{first.code}</span>' in body
    assert f'<span class="value">{first.printed}</span>' in body
