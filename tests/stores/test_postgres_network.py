"""A dead network: both ends notice it in time, and no end waits for ever."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from reconciler.inventory.stores.base import Store
from reconciler.inventory.stores.postgres import lock, open_store
from reconciler.inventory.stores.postgres.libpq import KEEPALIVES, Connection, ConnectionLost, options_of
from reconciler.model.errors import InventoryError
from tests.postgres_server import PostgresServer, postgres
from tests.scripted_server import SocketServer, serving
from tests.stores.network_path import network_path
from tests.stores.postgres_runs import append, holder, other_process

QUICK = "keepalives_idle=1&keepalives_interval=1&keepalives_count=2&tcp_user_timeout=3000"


def seconds_until_free(store: Store, limit: float) -> float:
    started = time.monotonic()
    while store.holder() is not None:
        assert time.monotonic() - started < limit
        time.sleep(0.05)
    return time.monotonic() - started


@pytest.mark.parametrize(
    ("parameters", "limit"),
    [(QUICK, 6.0), pytest.param("", 30.0, marks=pytest.mark.slow)],
    ids=["quick", "as in production"],
)
def test_a_dropped_path_frees_the_lock_and_stops_the_run(parameters: str, limit: float) -> None:
    with (
        network_path() as path,
        postgres(settings={"listen_addresses": f"127.0.0.1,{path.server}"}) as server,
    ):
        here = server.address(schema="dropped")
        there = f"{here.replace('127.0.0.1', path.server)}&{parameters}"
        with other_process(there, reconnects=1.0, prefix=path.prefix) as process:
            store = open_store(here, {})
            assert append(process, "before") == "appended"
            path.drop()
            assert seconds_until_free(store, limit) > 1
            with store.hold(holder()) as hold:
                hold.append(b"after\n")
            assert append(process, "late") == "lock-lost"
        assert store.read().journal == b"of the other run\nbefore\nafter\n"
        with pytest.raises(ConnectionLost, match="in time"):
            Connection(options_of(f"postgres://u@{path.client}/db?connect_timeout=1", {}))


def test_the_server_uses_the_same_times(postgres_server: PostgresServer) -> None:
    store = open_store(postgres_server.address(), {})
    shown = "tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count", "tcp_user_timeout"
    with store.hold(holder()) as hold:
        rows = hold._lock.run("look", "select " + ",".join(f"current_setting('{name}')" for name in shown))  # type: ignore[attr-defined]
    assert [row.decode() for row in rows[0]] == list(KEEPALIVES.values())


class Relay(SocketServer):
    """A relay in front of a server, which can stop forwarding, or cut all connections."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.behind = port
        self.forwards = threading.Event()
        self.forwards.set()
        self.sockets: list[socket.socket] = []

    def handle(self, connection: socket.socket) -> None:
        with connection, socket.create_connection(("127.0.0.1", self.behind)) as server:
            self.sockets += [connection, server]
            back = threading.Thread(target=self._copy, args=(server, connection))
            back.start()
            self._copy(connection, server)
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            back.join()

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                while not self.forwards.wait(0.05):
                    if self.over.is_set():
                        return
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        """Refuse new connections, and cut the others."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()

    def cut(self) -> None:
        for one in self.sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@contextmanager
def relay(server: PostgresServer) -> Iterator[Relay]:
    made = Relay(server.port)
    with serving(made.serve, made.listener, made.over):
        yield made
        made.cut()


def test_a_server_that_does_not_answer_is_not_waited_for(postgres_server: PostgresServer) -> None:
    with relay(postgres_server) as made:
        options = options_of(f"postgres://reconciler@127.0.0.1:{made.port}/postgres", {})
        connection = Connection(options)
        made.forwards.clear()
        with pytest.raises(ConnectionLost, match="in time"):
            connection.execute("select 1::text", timeout=0.2)
        with pytest.raises(ConnectionLost):
            connection.execute("select 1::text")
        with pytest.raises(ConnectionLost, match="in time"):
            Connection(options, timeout=0.2)


def test_a_slow_statement_is_waited_for(postgres_server: PostgresServer) -> None:
    options = options_of(f"postgres://reconciler@127.0.0.1:{postgres_server.port}/postgres", {})
    assert Connection(options).execute("select 'done' from pg_sleep(0.3)") == [(b"done",)]


def test_a_cut_connection_is_replaced_and_nothing_is_written_twice(postgres_server: PostgresServer) -> None:
    with relay(postgres_server) as made:
        store = open_store(postgres_server.address(port=made.port), {})
        with store.hold(holder()) as hold:
            expected = b""
            for number in range(12):
                cutter = threading.Timer(0.001 * (number % 4), made.cut)
                cutter.start()
                line = b"%d\n" % number
                hold.append(line)
                expected += line
                cutter.join()
            made.cut()
            hold.check()
        assert store.read().journal == expected


def test_a_run_gives_up_if_the_server_stays_away(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "RECONNECT_TIMEOUT", 0.3)
    with relay(postgres_server) as made:
        store = open_store(postgres_server.address(port=made.port), {})
        with store.hold(holder()) as hold:
            made.stop()
            for _ in range(2):
                with pytest.raises(InventoryError) as lost:
                    hold.append(b"one\n")
                assert lost.value.problem.code == "lock-lost"
                assert "Connection refused" in lost.value.problem.summary
