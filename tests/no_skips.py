"""A pytest plugin for runs that may leave nothing out: a skipped test or module fails and names its reason.

Load it with `-p tests.no_skips`. A test skips because the machine lacks something; `.ci/run` sets everything up, so a
skip there means that the run proves less than it says. Tests marked as expected failures are left alone.
"""

from collections.abc import Generator
from typing import TypeVar

import pytest

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def refuse_skip(report: Report) -> Report:
    """Turn the report of a skip into one of a failure; any other report stays as it is."""
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"Nothing may be skipped in this run. {reason}"
    return report


# tryfirst makes each the outermost wrapper, so that it sees what pytest's own skipping has made of the report.
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that skips in its body, its fixtures or by a mark."""
    return refuse_skip((yield))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A whole module or class that skips while it is collected."""
    return refuse_skip((yield))
