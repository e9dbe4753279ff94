"""A real PostgreSQL server for the tests, with a data folder of its own, on loopback and a unix socket."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from urllib.parse import quote

import pytest

USER = "reconciler"
"""The superuser of the server; it needs no password from this machine."""

_PASSWORD = "with_password"
"""A role that must send its password over loopback."""

# Under a shell that waits for the end of its input, the server ends with the tests, even if they are killed.
_UNTIL_INPUT_ENDS = 'exec 3<&0; "$@" <&3 & server=$!; read -r _ <&3; kill -INT $server; wait $server'


@dataclass
class PostgresServer:
    """A running server. `folder` has its unix socket; `bin` has the programs of PostgreSQL."""

    port: int
    folder: Path
    bin: Path
    user: str | None
    log: Path
    numbers: Iterator[int] = field(default_factory=count)

    def address(
        self, inventory: str = "default", *, schema: str | None = None, port: int | None = None
    ) -> str:
        """Return an address for `--state`, by default in a schema that nothing else uses."""
        schema = schema or f"s{next(self.numbers)}_{os.getpid()}"
        place = f"{USER}@127.0.0.1:{port or self.port}/postgres"
        return f"postgres://{place}?inventory={quote(inventory, safe='')}&schema={schema}"

    def run_sql(self, *statements: str, user: str = USER) -> str:
        """Run statements as psql does, and return the rows: one a line, columns split by `|`."""
        command = [
            self.bin / "psql",
            "-XAtq",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            "127.0.0.1",
            "-p",
            str(self.port),
        ]
        words = [word for statement in statements for word in ("-c", statement)]
        done = subprocess.run(
            [*command, "-U", user, "-d", "postgres", *words], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def programs() -> Path | None:
    """Return the folder of the server's programs, or None. Debian does not have it in PATH."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    folders = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((path.parent for path in folders), key=lambda path: int(path.parent.name), default=None)


def missing(what: str) -> None:
    """Skip the test because a program is missing; fail it in CI, which installs all of them."""
    message = f"{what} is not installed; `.ci/programs` installs it"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@contextmanager
def postgres(*, settings: Mapping[str, str] | None = None, durable: bool = False) -> Iterator[PostgresServer]:
    """Start a server, and end it afterwards. With `durable`, it syncs each commit, as in production."""
    found = programs()
    if found is None:
        missing("PostgreSQL")
    assert found
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as name:
        folder = Path(name)
        user = None
        if os.getuid() == 0:  # the server refuses root
            user = next(entry.pw_name for entry in pwd.getpwall() if entry.pw_name in ("postgres", "nobody"))
            shutil.chown(folder, user)
        data, log = folder / "data", folder / "log"
        make = [found / "initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale", "-N"]
        subprocess.run(
            make, user=user, extra_groups=[] if user else None, check=True, timeout=60, cwd=folder,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        (data / "pg_hba.conf").write_text(
            f"host all {_PASSWORD} 127.0.0.1/32 scram-sha-256\nlocal all all trust\nhost all all all trust\n"
        )
        options = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(folder),
            "max_connections": "200",
            "shared_buffers": "16MB",
            "log_timezone": "UTC",
            **({} if durable else {"fsync": "off", "synchronous_commit": "off"}),
            **(settings or {}),
        }
        port = free_port()
        words = [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
        command = [found / "postgres", "-D", data, "-p", str(port), *words]
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["/bin/sh", "-c", _UNTIL_INPUT_ENDS, "sh", *command],
                stdin=subprocess.PIPE, stdout=output, stderr=output, cwd=folder,
                user=user, extra_groups=[] if user else None, start_new_session=True,
            )  # fmt: skip
        server = PostgresServer(port=port, folder=folder, bin=found, user=user, log=log)
        try:
            _wait_until_ready(server, process)
            yield server
        finally:
            process.communicate(timeout=60)  # closes its input


def _wait_until_ready(server: PostgresServer, process: subprocess.Popen[bytes]) -> None:
    ready: Sequence[str | Path] = [server.bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(server.port)]
    end = time.monotonic() + 60
    while subprocess.run(ready, timeout=60).returncode:
        assert process.poll() is None, server.log.read_text()
        assert time.monotonic() < end, server.log.read_text()
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
