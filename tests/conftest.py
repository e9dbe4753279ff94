"""Options of the whole suite."""

import pytest
from hypothesis import settings

settings.register_profile("patient", deadline=None)  # a busy machine is not a failing test
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite tests/cases/*/ from what comes out"
    )
