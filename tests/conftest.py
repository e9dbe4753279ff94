"""Options of the whole suite."""

import os

import pytest
from hypothesis import settings

# A busy machine is not a failing test. In CI the examples are the same each time, so that a change is judged
# by what it changed; everywhere else each run looks for new ones.
settings.register_profile("patient", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite tests/cases/*/ from what comes out"
    )
