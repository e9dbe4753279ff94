"""A summary of the steps of all scenarios at the end of a test run."""

from collections import Counter

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    counts: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == "chaos" and report.when == "call":
                    counts.update(value)
    if counts:
        terminalreporter.section("steps of the chaos scenarios")
        width = max(map(len, counts))
        for kind, number in sorted(counts.items()):
            terminalreporter.write_line(f"{kind:{width}} {number:6}")
