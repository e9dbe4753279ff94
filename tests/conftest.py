"""Options and fixtures of the whole suite."""

import os
import signal
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.fork_server import ForkServer
from tests.postgres_server import PostgresServer, postgres
from tests.s3_server import S3Server, s3_server
from tests.stores.gitlab_server import StateServer, state_server

# A busy machine is not a failing test. In CI the examples are the same each time, so that a change is judged
# by what it changed; everywhere else each run looks for new ones.
settings.register_profile("patient", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("patient")

# Optional for jsonschema, and installed for a tool only: its import builds grammars for more than a second.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

# Under nohup, and in the background of a shell, signals are ignored, and child processes inherit that, but no
# handler: with one here, each process that a test starts has the default action, as at a prompt. Only Ctrl-C
# works again in this process too, because some tests press it.
for _number, _handler in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGQUIT, lambda *_: None),
    (signal.SIGHUP, lambda *_: None),
):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite tests/cases/*/ from what comes out"
    )


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    """The parent of all runs for which a fork will do."""
    with ForkServer() as server:
        yield server


@pytest.fixture(scope="session", name="s3_server")
def _s3_server() -> Iterator[S3Server]:
    """An S3 server in a process of its own. Each test uses a bucket of its own."""
    with s3_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server for all tests of this process that keep an inventory in it."""
    with postgres() as server:
        yield server


@pytest.fixture(scope="session")
def gitlab() -> Iterator[StateServer]:
    """A server of Terraform states for all tests of this process, with the rules of GitLab."""
    with state_server() as server:
        yield server
