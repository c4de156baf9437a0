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
