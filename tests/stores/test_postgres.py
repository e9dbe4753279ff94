"""An inventory in PostgreSQL: what only this store does. The contract of all stores has tests of its own."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from ctypes.util import find_library

import pytest

from reconciler.inventory.history_entries import MAX_VERSIONS, Version, line_of
from reconciler.inventory.stores.base import Content, HistoryLine, Hold
from reconciler.inventory.stores.postgres import lock, open_store
from reconciler.inventory.stores.postgres.hold import MAX_LINES
from reconciler.model.errors import InventoryError, InventoryLocked
from tests.postgres_server import PostgresServer, missing
from tests.stores.postgres_runs import append, holder, other_process

ANY_BYTES = bytes(range(256))


def end_sessions(server: PostgresServer) -> None:
    """End the sessions that hold a lock, as an administrator does, and wait for that."""
    sessions = "from pg_stat_activity where application_name like 'novita-reconciler %'"
    server.run_sql(f"select pg_terminate_backend(pid, 5000) {sessions}")


def test_a_database_without_tables_has_an_empty_inventory(postgres_server: PostgresServer) -> None:
    store = open_store(postgres_server.address(), {})
    assert store.read() == Content()
    assert store.read_history() == b""
    assert store.read_document("approved") is None
    assert store.holder() is None
    assert store.neighbors() == {}


def test_a_store_that_is_forgotten_ends_its_session(postgres_server: PostgresServer) -> None:
    count = "select count(*) from pg_stat_activity where application_name = 'forgotten'"
    store = open_store(postgres_server.address() + "&application_name=forgotten", {})
    store.read()
    assert postgres_server.run_sql(count) == "1"
    del store
    end = time.monotonic() + 60
    while postgres_server.run_sql(count) != "0":
        assert time.monotonic() < end


def test_bytes_stay_as_they_are(postgres_server: PostgresServer) -> None:
    store = open_store(postgres_server.address(), {})
    with store.hold(holder()) as hold:
        hold.append(ANY_BYTES)
        hold.append(b"two\n")
        assert store.read() == Content(journal=ANY_BYTES + b"two\n")
        hold.fold(ANY_BYTES, b"rest\n")
        hold.append(b"more\n")
        hold.append_history([HistoryLine(name="a", data=ANY_BYTES), HistoryLine(name="b", data=b"2\n")])
        hold.write_document("approved", ANY_BYTES)
    assert store.read() == Content(map=ANY_BYTES, journal=b"rest\nmore\n")
    assert store.read_history() == ANY_BYTES + b"2\n"
    assert store.read_history(["b"]) == b"2\n"
    assert store.read_document("approved") == ANY_BYTES
    with store.hold(holder()) as hold:
        hold.fold(b"{}", b"")
        hold.write_document("approved", None)
    assert store.read() == Content(map=b"{}")
    assert store.read_document("approved") is None


def test_others_see_who_holds_the_lock(postgres_server: PostgresServer) -> None:
    address = postgres_server.address("prod")
    store, other = open_store(address, {}), open_store(address, {})
    with store.hold(holder("apply")):
        found = other.holder()
        assert found is not None
        assert (found.who, found.pid, found.command) == ("ann", os.getpid(), "apply")
        with pytest.raises(InventoryLocked) as locked, other.hold(holder("destroy"), timeout=0.2):
            pass
        assert f"pid: {os.getpid()}" in locked.value.problem.detail
        name = postgres_server.run_sql(
            "select application_name from pg_stat_activity where application_name like '% apply'"
        )
        assert name.startswith("novita-reconciler ann@")
    assert other.holder() is None


def test_a_waiting_run_gets_the_lock_of_a_killed_one(postgres_server: PostgresServer) -> None:
    address = postgres_server.address()
    with other_process(address) as process:
        killer = threading.Timer(0.3, process.kill)
        killer.start()
        store = open_store(address, {})
        started = time.monotonic()
        with store.hold(holder(), timeout=20):
            assert time.monotonic() - started < 8
            assert store.read().journal == b"of the other run\n"
        killer.join()


def test_a_frozen_run_keeps_the_lock(postgres_server: PostgresServer) -> None:
    address = postgres_server.address()
    with other_process(address) as process:
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(InventoryLocked), open_store(address, {}).hold(holder(), timeout=0.5):
            pass
        process.send_signal(signal.SIGCONT)
        assert append(process, "awake") == "appended"


def test_a_run_goes_on_after_its_session_was_ended(postgres_server: PostgresServer) -> None:
    store = open_store(postgres_server.address(), {})
    with store.hold(holder()) as hold:
        hold.append(b"one\n")
        end_sessions(postgres_server)
        hold.check()
        end_sessions(postgres_server)
        hold.append(b"two\n")
        end_sessions(postgres_server)
        hold.append_history([HistoryLine(name="a", data=b"1\n")])
        end_sessions(postgres_server)
        hold.fold(b"{}", b"three\n")
        hold.append(b"four\n")
    assert store.read() == Content(map=b"{}", journal=b"three\nfour\n")
    assert store.read_history() == b"1\n"
    assert store.holder() is None


def test_a_run_stops_if_another_one_had_the_lock_meanwhile(postgres_server: PostgresServer) -> None:
    address = postgres_server.address()
    store = open_store(address, {})
    with other_process(address) as process:
        process.send_signal(signal.SIGSTOP)
        end_sessions(postgres_server)
        with store.hold(holder(), timeout=5) as hold:
            hold.append(b"mine\n")
        process.send_signal(signal.SIGCONT)
        assert append(process, "late") == "lock-lost"
        assert append(process, "again") == "lock-lost"
    assert store.read().journal == b"of the other run\nmine\n"


def test_a_run_stops_while_another_one_has_the_lock(postgres_server: PostgresServer) -> None:
    address = postgres_server.address()
    with other_process(address) as process:
        process.send_signal(signal.SIGSTOP)
        end_sessions(postgres_server)
        with open_store(address, {}).hold(holder(), timeout=5):
            process.send_signal(signal.SIGCONT)
            assert append(process, "late") == "lock-lost"


@pytest.mark.parametrize(
    "write",
    [
        lambda hold: hold.fold(b"[]", b"line\n"),
        lambda hold: hold.append(b"line\n"),
        lambda hold: hold.append_history([HistoryLine(name="a", data=b"1\n")]),
        lambda hold: hold.write_document("approved", b"new"),
        lambda hold: hold.write_document("approved", None),
    ],
    ids=["fold", "append", "history", "document", "removal"],
)
@pytest.mark.parametrize("change", ["fence = fence + 1", "backend = 1"])
def test_a_write_without_the_lock_has_no_effect(
    postgres_server: PostgresServer, write: Callable[[Hold], None], change: str
) -> None:
    """Another run had the lock, or a pooler moved the run to another session."""
    address = postgres_server.address()
    schema = address.rpartition("=")[2]
    store = open_store(address, {})
    with store.hold(holder()) as hold:
        hold.write_document("approved", b"{}")
        postgres_server.run_sql(f"update {schema}.inventory set {change}")
        for _ in range(2):
            with pytest.raises(InventoryError) as lost:
                write(hold)
            assert lost.value.problem.code == "lock-lost"
    assert store.read() == Content()
    assert store.read_history() == b""
    assert store.read_document("approved") == b"{}"


def test_a_repeated_append_writes_the_line_once(postgres_server: PostgresServer) -> None:
    """The answer to the first attempt was lost: the line is there, and its writer does not know it."""
    store = open_store(postgres_server.address(schema="repeated"), {})
    with store.hold(holder()) as hold:
        hold.append(b"one\n")
        postgres_server.run_sql(
            "insert into repeated.journal (name, seq, fence, line) values ('default', 2, 1, 'two\n')"
        )
        hold.append(b"two\n")
        hold.append(b"three\n")
        assert store.read().journal == b"one\ntwo\nthree\n"


def test_a_server_that_lost_writes_is_not_trusted(postgres_server: PostgresServer) -> None:
    """As after a switch to a standby server that was behind."""
    store = open_store(postgres_server.address(schema="behind"), {})
    with store.hold(holder()) as hold:
        hold.append(b"one\n")
        hold.append(b"two\n")
        postgres_server.run_sql("delete from behind.journal where seq = 2")
        end_sessions(postgres_server)
        with pytest.raises(InventoryError, match="forgotten"):
            hold.append(b"three\n")
    assert store.read().journal == b"one\n"


def test_a_lock_can_be_freed_by_hand(postgres_server: PostgresServer) -> None:
    address = postgres_server.address()
    store = open_store(address, {})
    with other_process(address) as process:
        found = store.holder()
        assert found is not None
        with pytest.raises(InventoryError) as refused:
            store.unlock("1-1")
        assert refused.value.problem.code == "other-lock"
        store.unlock(found.lock_id)
        with store.hold(holder(), timeout=5):
            pass
        assert append(process, "late") == "lock-lost"
    with pytest.raises(InventoryError) as refused:
        store.unlock(found.lock_id)
    assert refused.value.problem.code == "not-locked"


def test_the_lock_is_asked_for_only_if_the_last_answer_is_old(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(postgres_server.address(schema="asked"), {})
    with store.hold(holder()) as hold:
        postgres_server.run_sql("update asked.inventory set fence = fence + 1")
        hold.check()
        monkeypatch.setattr(lock, "MAX_LOCK_AGE", 0.0)
        with pytest.raises(InventoryError, match="taken it over"):
            hold.check()


def test_other_inventories_of_the_schema_are_neighbors(postgres_server: PostgresServer) -> None:
    stores = [
        open_store(postgres_server.address(name, schema="shared"), {}) for name in ("a", "b/c", "empty")
    ]
    for number, store in enumerate(stores):
        with store.hold(holder()) as hold:
            if number < 2:
                hold.fold(b"%d" % number, b"")
    (neighbor,) = stores[0].neighbors().items()
    assert neighbor[0] == stores[1].label
    assert neighbor[1].read() == Content(map=b"1")


def test_the_history_keeps_the_last_versions(postgres_server: PostgresServer) -> None:
    store = open_store(postgres_server.address(), {})

    def version(number: int) -> HistoryLine:
        made = Version(
            name="web",
            number=number,
            at="2026-11-28T00:00:00Z",
            action="update",
            id="1",
            app_name="a",
            fields={},
        )
        return HistoryLine(name="web", data=line_of(made))

    with store.hold(holder()) as hold:
        hold.append_history([HistoryLine(name="other", data=b"1\n")])
        hold.append_history([version(number) for number in range(1, MAX_LINES + 1)])
        assert store.read_history(["web"]).count(b"\n") == MAX_LINES
        hold.append_history([version(MAX_LINES + 1)])
        kept = b"".join(version(MAX_LINES + 2 - back).data for back in range(MAX_VERSIONS, 0, -1))
        assert store.read_history(["web"]) == kept
        hold.append_history([version(MAX_LINES + 2)])
    assert store.read_history() == b"1\n" + kept + version(MAX_LINES + 2).data


def test_a_listener_hears_of_a_new_map(postgres_server: PostgresServer) -> None:
    listen = "listen novita_reconciler; select pg_sleep(0); select 'ready'"
    psql = [postgres_server.bin / "psql", "-XAtq", "-h", "127.0.0.1", "-p", str(postgres_server.port)]
    with subprocess.Popen(
        [*psql, "-U", "reconciler", "postgres"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(f"{listen};\n")
        process.stdin.flush()
        while process.stdout.readline().strip() != "ready":
            pass
        with open_store(postgres_server.address("prod"), {}).hold(holder()) as hold:
            hold.fold(b"{}", b"")
        process.stdin.write("select 1;\n")
        process.stdin.close()
        assert 'with payload "prod:1"' in process.stdout.read()


WITHOUT_THE_PACKAGE = """
from importlib.machinery import PathFinder
whole = PathFinder.find_spec
PathFinder.find_spec = lambda name, *rest: None if name == "psycopg_binary" else whole(name, *rest)
"""


@pytest.mark.parametrize("hides", [False, True], ids=["psycopg-binary", "the system"])
def test_libpq_alone_is_loaded_and_prints_nothing(postgres_server: PostgresServer, hides: bool) -> None:
    """It is the one of psycopg-binary, whose Python modules stay out, or that of the system."""
    if hides and find_library("pq") is None:
        missing("libpq of the system")
    program = """
import sys
from reconciler.inventory.stores.postgres import library
from reconciler.inventory.stores.postgres.libpq import Connection, options_of
options = options_of(sys.argv[1], {})
print(Connection(options).execute("do $$ begin raise warning 'a notice'; end $$"))
print([name for name in sys.modules if "psycopg" in name])
print("binary" if "psycopg_binary" in library._path() else "system")
"""
    uri = f"postgres://reconciler@127.0.0.1:{postgres_server.port}/postgres"
    command = [sys.executable, "-c", (WITHOUT_THE_PACKAGE if hides else "") + program, uri]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert done.stdout == f"[]\n[]\n{'system' if hides else 'binary'}\n"


def test_without_a_libpq_the_extra_is_named(postgres_server: PostgresServer) -> None:
    program = """
import ctypes.util, sys
ctypes.util.find_library = lambda _: None
from reconciler.inventory.stores.postgres import open_store
from reconciler.model.errors import InventoryError
try:
    open_store(sys.argv[1], {}).read()
except InventoryError as error:
    print(error.problem.code, error.problem.summary, error.problem.hint, sep=" | ")
"""
    command = [sys.executable, "-c", WITHOUT_THE_PACKAGE + program, postgres_server.address()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    said = "missing-extra | there is no libpq, the client library of PostgreSQL | pip install "
    assert done.stdout == f"{said}'novita-reconciler[postgres]'\n", done.stderr
