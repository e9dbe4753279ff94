"""docs/guarantees.md: the tests that it names exist, and the promise that has no other test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.sandbox import Sandbox, item

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
ROWS = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| **")]

READS = (
    "plan", "preview", "drift", "list", "get chat", "status", "cost", "specs --available", "pvcs", "history",
    "graph", "output", "doctor", "state list", "state show chat", "validate", "pin --check",
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: re.sub(r"\W+", "-", row[0])[:40])
def test_each_promise_names_its_tests_and_its_limit(row: list[str]) -> None:
    promise, means, tests, limit = row
    names = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", tests)

    assert all(len(text.split()) > 3 for text in (promise, means, limit))
    assert names
    for path, function in names:
        text = (ROOT / path).read_text(encoding="utf-8")
        assert f"\ndef {function}(" in text if function else "\ndef test_" in text, (path, function)


@pytest.mark.parametrize("command", READS)
def test_a_command_that_reads_sends_no_write(sandbox: Sandbox, command: str) -> None:
    """It changes no file either, although changes are pending."""
    sandbox.declare(item("chat"), item("embed"))
    assert sandbox.apply().code == 0
    sandbox.declare(item("chat", maxReplicas=5), item("new"))
    writes, files = sandbox.sent(), sandbox.files()

    sandbox.run(*command.split())

    assert sandbox.sent() == writes
    assert sandbox.files() == files
