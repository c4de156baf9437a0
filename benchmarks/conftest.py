"""Fixtures and the summary of ratios. `--check-goals` makes a missed goal a failure."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from paired import RESULTS
from workload import records

from grouper.engine.drg import DrgGrouper
from grouper.records.batch import CaseBatch
from grouper.scheme.load import load_scheme


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--check-goals", action="store_true", help="fail when a goal is missed")
    parser.addoption("--records", type=int, default=1_000_000, help="records for the kernel")


@pytest.fixture(scope="session")
def grouper_for() -> Callable[[str], DrgGrouper]:
    """An embedded scheme by id, compiled."""
    return cache(lambda scheme_id: DrgGrouper.of(load_scheme(scheme_id)))


@pytest.fixture(scope="session")
def batch_for(
    grouper_for: Callable[[str], DrgGrouper], pytestconfig: pytest.Config
) -> Callable[..., CaseBatch]:
    """Constructed records for a scheme; made once a session."""

    @cache
    def batch_for(scheme_id: str, n: int | None = None, shape: str = "mixed") -> CaseBatch:
        count = n or pytestconfig.getoption("records")
        return records(grouper_for(scheme_id).scheme, count, shape=shape)

    return batch_for


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not RESULTS:
        return
    terminalreporter.section("ratios")
    for result in RESULTS:
        verdict = "" if result.goal is None else f"must {result.goal}"
        if result.goal is not None:
            verdict += "  met" if result.goal.met(result.value) else "  MISSED"
        pairs = " ".join(f"{pair:.3g}" for pair in result.pairs)
        facts = " ".join(f"{key}={value}" for key, value in result.facts.items())
        terminalreporter.write_line(
            f"{result.name:<52} {result.value:>9.3f} {result.unit:<3} {verdict:<22} {facts}"
        )
        if pairs:
            terminalreporter.write_line(f"    pairs {pairs}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.config.getoption("--check-goals") and any(
        result.goal is not None and not result.goal.met(result.value) for result in RESULTS
    ):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
