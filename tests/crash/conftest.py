"""A nursery of processes for the whole session, and a line for each test in pytest's summary."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.crash.processes import Installation, Nursery, free_port, open_nursery

OUTCOME = "kill -9"
"""The name under which a test's report carries what was counted."""


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Starts processes quickly."""
    with open_nursery() as opened:
        yield opened


@pytest.fixture
def installation(tmp_path: Path) -> Callable[..., Installation]:
    """A helpdesk that is not running yet, with these settings."""

    def install(**settings: str) -> Installation:
        given = {f"HELPDESK_{name.upper()}": value for name, value in settings.items()}
        return Installation(tmp_path, free_port(), given)

    return install


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what was counted, also when everything is green."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    counted = [
        f"{report.nodeid.rpartition('::')[2]}: {value}"
        for report in reports
        for name, value in report.user_properties
        if name == OUTCOME
    ]
    if counted:
        terminalreporter.section(OUTCOME)
        for line in counted:
            terminalreporter.write_line(line)
