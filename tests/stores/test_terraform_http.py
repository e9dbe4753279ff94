"""An inventory as a state of GitLab, or of a plain Terraform http server: content, lock and lost answers."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import pytest

from reconciler.inventory.stores.base import Content, HistoryLine
from reconciler.inventory.stores.terraform_http import open_store
from reconciler.inventory.stores.terraform_http.hold import StateHold
from reconciler.inventory.stores.terraform_http.state_lock import PROBE
from reconciler.model.errors import InventoryError, InventoryLocked
from tests.stores.gitlab_server import StateServer
from tests.stores.terraform_states import HOLDER, address, error_of, running_server, server, store

__all__ = ["address", "running_server", "server"]


def test_there_is_nothing_at_first(server: StateServer, address: str) -> None:
    empty = store(server, address)
    assert empty.read() == Content()
    assert (empty.read_history(), empty.read_document("approved"), empty.holder()) == (b"", None, None)
    assert (empty.label, empty.folder, empty.neighbors()) == (address, None, {})
    assert server.count("PUT") == 0


def test_bytes_come_out_as_they_went_in(server: StateServer, address: str) -> None:
    odd = 'Ä "quoted" \\ \x00 \u2028 🙂\n'.encode()
    mine = store(server, address)
    with mine.hold(HOLDER) as hold:
        hold.append(b'{"crc32":"1"}\n')
        assert store(server, address).read() == Content(journal=b'{"crc32":"1"}\n')
        hold.fold(odd, b"")
        hold.append(b"\xff\xfe torn")
        hold.append_history([HistoryLine(name="a", data=b"one\n"), HistoryLine(name="b", data=b"two\n")])
        hold.write_document("approved", odd)
        hold.write_document("other", None)
        assert mine.read() == Content(map=odd, journal=b"\xff\xfe torn")
    other = store(server, address)
    assert other.read() == Content(map=odd, journal=b"\xff\xfe torn")
    assert other.read_history() == b"one\ntwo\n"
    assert other.read_document("approved") == odd
    with other.hold(HOLDER) as hold:
        hold.write_document("approved", None)
    assert other.read_document("approved") is None


def test_the_serial_counts_each_write(server: StateServer) -> None:
    address = server.gitlab("prod")
    with store(server, address).hold(HOLDER) as hold:
        for number in range(5):
            hold.append(b"%d\n" % number)
    versions = server.state(address).versions
    assert list(versions) == [1, 2, 3, 4, 5]
    assert [json.loads(data)["serial"] for data in versions.values()] == [1, 2, 3, 4, 5]


def test_a_hold_of_a_known_inventory_costs_four_calls(server: StateServer, address: str) -> None:
    with store(server, address).hold(HOLDER) as hold:
        hold.fold(b"map", b"")
    server.requests.clear()
    mine = store(server, address)
    with mine.hold(HOLDER) as hold:
        assert mine.read().map == b"map"
        hold.append(b"line\n")
    assert len(server.requests) == 4  # lock, read, write, unlock


def test_a_second_run_is_told_who_holds_the_lock(server: StateServer, address: str) -> None:
    other = store(server, address)
    with store(server, address).hold(HOLDER):
        with (
            pytest.raises(InventoryLocked) as caught,
            other.hold(replace(HOLDER, who="bob", command="destroy")),
        ):
            pass
        holder = other.holder()
    assert holder is not None
    assert (holder.host, holder.pid, holder.command) == ("runner-7", 4242, "apply")
    assert holder.ci_run_url == "https://gitlab.example/infra/-/jobs/991"
    text = error_of(caught)
    assert "https://gitlab.example/infra/-/jobs/991" in text
    assert f"`reconciler state unlock {holder.lock_id}`" in text
    assert other.holder() is None


def test_a_run_waits_for_the_lock(server: StateServer, address: str) -> None:
    held, free = threading.Event(), threading.Event()

    def first() -> None:
        with store(server, address).hold(HOLDER) as hold:
            held.set()
            free.wait(5)
            hold.append(b"first\n")

    thread = threading.Thread(target=first)
    thread.start()
    assert held.wait(60)
    threading.Timer(0.1, free.set).start()
    with store(server, address).hold(HOLDER, timeout=5) as hold:
        hold.append(b"second\n")
    thread.join(60)
    assert store(server, address).read().journal == b"first\nsecond\n"


def test_a_look_at_the_lock_stops_no_run(server: StateServer, address: str) -> None:
    """The lock is taken for a moment to learn who holds it. A run that comes then waits for that moment."""
    looking = store(server, address).hold(replace(HOLDER, command=PROBE))
    looking.__enter__()
    threading.Timer(0.1, lambda: looking.__exit__(None, None, None)).start()
    with store(server, address).hold(HOLDER) as hold:
        hold.append(b"line\n")


def test_a_lock_that_stays_is_freed_by_its_id(server: StateServer, address: str) -> None:
    mine = store(server, address)
    killed = store(server, address).hold(HOLDER)
    dead = killed.__enter__()
    holder = mine.holder()
    assert holder is not None
    assert holder.lock_id
    with pytest.raises(InventoryError) as caught:
        mine.unlock("another-id")
    assert holder.lock_id in error_of(caught)
    mine.unlock(holder.lock_id)
    assert mine.holder() is None
    with pytest.raises(InventoryError, match="is not held"):
        mine.unlock(holder.lock_id)
    with mine.hold(HOLDER) as hold:
        hold.append(b"new\n")
        with pytest.raises(InventoryError) as lost:
            dead.append(b"late\n")
        assert lost.value.problem.code == "lock-lost"
        with pytest.raises(InventoryError):
            dead.check()
        killed.__exit__(None, None, None)  # does not free the lock of the other run
        hold.append(b"newer\n")
    assert mine.read().journal == b"new\nnewer\n"


def test_nobody_writes_after_the_hold(server: StateServer, address: str) -> None:
    mine = store(server, address)
    with mine.hold(HOLDER) as hold:
        hold.append(b"line\n")
    with pytest.raises(InventoryError):
        hold.append(b"late\n")
    assert mine.read().journal == b"line\n"


@pytest.mark.parametrize("fault", ["lost", "dropped", 503, "slow"])
def test_a_write_without_an_answer_is_settled(server: StateServer, address: str, fault: int | str) -> None:
    with store(server, address).hold(HOLDER) as hold:
        hold.append(b"one\n")
        server.faults["POST"] = [fault]
        hold.append(b"two\n")
        hold.append(b"three\n")
    assert store(server, address).read().journal == b"one\ntwo\nthree\n"
    if address == server.gitlab("prod"):
        assert list(server.state(address).versions) == [1, 2, 3]


def test_an_append_that_is_not_known_is_the_last_one_until_a_fold(server: StateServer, address: str) -> None:
    with store(server, address).hold(HOLDER) as hold:
        hold.append(b"one\n")
        server.faults["POST"] = ["dropped"] * 4
        with pytest.raises(InventoryError) as caught:
            hold.append(b"two\n")
        assert "may have this write all the same" in error_of(caught)
        with pytest.raises(InventoryError, match="an earlier write failed"):
            hold.append(b"three\n")
        hold.fold(b"map", b"four\n")
        hold.append(b"five\n")
    assert store(server, address).read() == Content(map=b"map", journal=b"four\nfive\n")


@pytest.mark.parametrize("fault", ["lost", "dropped", 503])
def test_a_lock_without_an_answer_is_settled(server: StateServer, address: str, fault: int | str) -> None:
    method = "POST" if address == server.gitlab("prod") else "LOCK"
    server.faults[method] = [fault]
    with store(server, address).hold(HOLDER) as hold:
        hold.append(b"one\n")
    assert store(server, address).holder() is None


@pytest.mark.parametrize("fault", ["lost", "dropped", 503])
def test_an_unlock_without_an_answer_is_repeated(server: StateServer, address: str, fault: int | str) -> None:
    method = "DELETE" if address == server.gitlab("prod") else "UNLOCK"
    with store(server, address).hold(HOLDER) as hold:
        hold.append(b"one\n")
        server.faults[method] = [fault]
    assert not server.state(address).lock


def test_a_lock_that_cannot_be_freed_is_reported(server: StateServer, address: str) -> None:
    method = "DELETE" if address == server.gitlab("prod") else "UNLOCK"
    holding = store(server, address).hold(HOLDER)
    holding.__enter__().append(b"one\n")
    server.faults[method] = [500] * 4
    with pytest.raises(InventoryError) as caught:
        holding.__exit__(None, None, None)
    text = error_of(caught)
    lock_id = server.state(address).lock["ID"].partition(" ")[0]
    assert f"`reconciler state unlock {lock_id}`" in text
    assert "500 Internal Server Error" in text


def test_a_write_by_somebody_else_is_noticed(server: StateServer, address: str) -> None:
    """Somebody freed the lock, wrote, and is done; the server cannot tell the lock of this run from none."""
    with store(server, address).hold(HOLDER) as hold:
        hold.append(b"one\n")
        state = server.state(address)
        written = json.loads(state.latest or b"")
        written["serial"] += 1
        written["novita_inventory"]["journal"] += "theirs\n"
        state.versions = {max(state.versions) + 1: json.dumps(written).encode()}
        server.faults["POST"] = ["dropped"]
        with pytest.raises(InventoryError) as caught:
            hold.append(b"two\n")
    assert caught.value.problem.code == "lock-lost"
    assert "another run has written" in error_of(caught)
    assert store(server, address).read().journal == b"one\ntheirs\n"


def test_after_a_pause_the_state_is_read_before_a_write(
    server: StateServer, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server without a check of serials would take the write of a run that slept."""
    monkeypatch.setattr("reconciler.inventory.stores.terraform_http.hold.STATE_TRUST", 0.0)
    with store(server, address).hold(HOLDER) as hold:
        hold.append(b"one\n")
        state = server.state(address)
        written = json.loads(state.latest or b"")
        written["novita_inventory"]["journal"] += "theirs\n"
        state.versions = {max(state.versions): json.dumps(written).encode()}
        with pytest.raises(InventoryError, match="another run has written"):
            hold.append(b"two\n")
    assert store(server, address).read().journal == b"one\ntheirs\n"


def test_a_serial_that_is_taken_loses_the_lock(server: StateServer) -> None:
    address = server.gitlab("prod")
    with store(server, address).hold(HOLDER) as hold:
        hold.append(b"one\n")
        versions = server.state(address).versions
        versions[2] = versions[1].replace(b"one", b"other").replace(b'"serial":1', b'"serial":2')
        with pytest.raises(InventoryError) as caught:
            hold.append(b"two\n")
    assert caught.value.problem.code == "lock-lost"
    assert store(server, address).read().journal == b"other\n"


def test_threads_may_share_a_hold(server: StateServer, address: str) -> None:
    with store(server, address).hold(HOLDER) as hold:
        threads = [threading.Thread(target=_write_some, args=(hold, number)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    mine = store(server, address)
    assert sorted((mine.read().journal or b"").splitlines()) == [
        b"0",
        b"0",
        b"1",
        b"1",
        b"2",
        b"2",
        b"3",
        b"3",
    ]
    assert len(mine.read_history().splitlines()) == 4


def _write_some(hold: StateHold, number: int) -> None:
    hold.append(b"%d\n" % number)
    hold.append_history([HistoryLine(name=str(number), data=b"%d\n" % number)])
    hold.append(b"%d\n" % number)


def test_one_of_three_runs_has_the_lock_at_a_time(server: StateServer, address: str) -> None:
    def run(number: int) -> None:
        mine = store(server, address)
        with mine.hold(HOLDER, timeout=20) as hold:
            before = mine.read().journal or b""
            hold.fold(b"map", before + b"%d\n" % number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted((store(server, address).read().journal or b"").splitlines()) == [b"0", b"1", b"2"]


def test_the_store_opens_without_a_connection() -> None:
    opened = open_store("https://gitlab.invalid/api/v4/projects/1/terraform/state/x", {})
    assert opened.label == "https://gitlab.invalid/api/v4/projects/1/terraform/state/x"
