"""A pooler between reconciler and PostgreSQL: a lock needs a session of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.inventory.stores.base import Content
from reconciler.inventory.stores.postgres import lock, open_store
from reconciler.model.errors import InventoryError
from tests.postgres_server import USER, PostgresServer, free_port, missing
from tests.stores.postgres_runs import holder


@contextmanager
def pgbouncer(server: PostgresServer, mode: str, *, size: int = 5) -> Iterator[int]:
    """Run PgBouncer in front of the server, and yield its port."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        missing("PgBouncer")
    port, folder = free_port(), Path(server.folder)
    config = folder / f"{mode}-{port}.ini"
    config.write_text(
        f"[databases]\npostgres = host=127.0.0.1 port={server.port} user={USER}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = any\npool_mode = {mode}\ndefault_pool_size = {size}\n"
    )
    with subprocess.Popen(
        [program, config], user=server.user, extra_groups=[] if server.user else None,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            _wait_for(port)
            yield port
        finally:
            process.kill()


def _wait_for(port: int) -> None:
    for _ in range(500):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("PgBouncer does not listen")


@pytest.mark.parametrize("mode", ["transaction", "statement"])
def test_a_pool_of_shared_sessions_is_refused(postgres_server: PostgresServer, mode: str) -> None:
    schema = f"{mode}_pool"
    direct = open_store(postgres_server.address(schema=schema), {})
    with direct.hold(holder()) as hold:
        hold.fold(b"{}", b"")
    with pgbouncer(postgres_server, mode) as port:
        store = open_store(postgres_server.address(schema=schema, port=port), {})
        assert store.read() == Content(map=b"{}")
        with pytest.raises(InventoryError) as refused, store.hold(holder()):
            pass
        assert refused.value.problem.code == "store-cannot-lock"
        assert "pool_mode = session" in refused.value.problem.hint
        assert [row.code for row in store.examine() if row.severity == "warning"] == ["store-locks"]
        with direct.hold(holder(), timeout=5):  # the refused run left no lock behind
            pass


@pytest.mark.parametrize("size", [5, 1])
def test_a_pool_in_session_mode_can_lock(
    postgres_server: PostgresServer, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "POOLER_TIMEOUT", 0.3)
    with pgbouncer(postgres_server, "session", size=size) as port:
        store = open_store(postgres_server.address(port=port), {})
        with store.hold(holder()) as hold:
            hold.append(b"one\n")
            hold.fold(b"{}", b"two\n")
        assert store.read() == Content(map=b"{}", journal=b"two\n")
