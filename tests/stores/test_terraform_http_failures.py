"""A state server that refuses, is full, answers nonsense, or keeps something else: one problem, no secret."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from reconciler.inventory.history_entries import Version, line_of
from reconciler.inventory.stores.base import Content, HistoryLine
from reconciler.inventory.stores.terraform_http import TerraformHttpStore
from reconciler.inventory.stores.terraform_http.address import parse_address
from reconciler.inventory.stores.terraform_http.document import Document, parse_document
from reconciler.inventory.stores.terraform_http.lock_info import MAX_ID, new_lock_id, parse_lock
from reconciler.inventory.stores.terraform_http.server import StateServer as Calls
from reconciler.model.errors import InventoryError, InventoryLocked
from reconciler.model.problem import Problem, Severity
from tests.stores.gitlab_server import StateServer, environment, state_server
from tests.stores.terraform_states import HOLDER, address, error_of, running_server, server, store

__all__ = ["address", "running_server", "server"]


@pytest.mark.parametrize(
    ("status", "code", "hint"),
    [
        (401, "store-refused", "TF_HTTP_PASSWORD"),
        (403, "store-refused", "Maintainer"),
        (418, "store-failed", "reconciler doctor"),
        (503, "store-unavailable", "in a minute"),
        (599, "store-failed", "reconciler doctor"),
    ],
)
def test_a_read_that_is_refused(server: StateServer, address: str, status: int, code: str, hint: str) -> None:
    server.faults["GET"] = [status] * 4
    with pytest.raises(InventoryError) as caught:
        store(server, address).read()
    text = error_of(caught)
    assert caught.value.problem.code == code
    assert f"GET {address} was answered with {status}" in text
    assert hint in text


def test_a_project_that_is_not_there_is_no_empty_inventory(server: StateServer) -> None:
    """GitLab answers 404 for a state that is not written yet, and for a project one that is hidden."""
    other = server.gitlab("prod").replace("projects/42", "projects/43")
    with pytest.raises(InventoryError) as caught:
        store(server, other).read()
    assert caught.value.problem.code == "store-not-found"
    assert "Check the project" in error_of(caught)
    with pytest.raises(InventoryError, match="404 Not Found"), store(server, other).hold(HOLDER):
        pass


def test_a_redirect_is_not_followed(server: StateServer, address: str) -> None:
    server.redirect_to = server.plain("other")
    server.faults["GET"] = ["redirect"]
    with pytest.raises(InventoryError) as caught:
        store(server, address).read()
    assert "would send the credential to another place" in error_of(caught)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "data", [b"<html>a login page</html>", b"[]", b"null", b'"a"', b"\xff", b"[" * 100_000]
)
def test_an_answer_that_is_no_inventory(server: StateServer, address: str, data: bytes) -> None:
    server.state(address).versions = {1: data}
    with pytest.raises(InventoryError, match="is not used") as caught:
        store(server, address).read()
    error_of(caught)
    with pytest.raises(InventoryError, match="is not used"), store(server, address).hold(HOLDER):
        pass
    assert server.state(address).versions == {1: data}
    assert not server.state(address).lock


def test_a_state_of_terraform_is_never_overwritten(server: StateServer, address: str) -> None:
    tfstate = {"version": 4, "serial": 7, "lineage": "6a1f", "outputs": {}, "resources": []}
    server.state(address).versions = {7: json.dumps(tfstate).encode()}
    with pytest.raises(InventoryError, match="is a state of Terraform") as caught:
        store(server, address).read()
    assert "Name another state" in error_of(caught)
    with (
        pytest.raises(InventoryError, match="is a state of Terraform"),
        store(server, address).hold(HOLDER) as hold,
    ):
        hold.fold(b"map", b"")
    assert json.loads(server.state(address).latest or b"") == tfstate
    assert not server.state(address).lock


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"format": 1},
        {"format": "1", "map": 7, "journal": None, "history": "", "documents": {}},
        {"format": 1, "map": {"base64": "?"}, "journal": None, "history": "", "documents": {}},
        {"format": 1, "map": None, "journal": None, "history": "", "documents": []},
    ],
)
def test_a_damaged_document_is_refused(parts: object) -> None:
    with pytest.raises(InventoryError, match="is not used"):
        parse_document(json.dumps({"serial": 1, "novita_inventory": parts}).encode(), "the state")


@pytest.mark.parametrize("serial", [-1, "1", 1.5, True, None])
def test_a_serial_is_a_whole_number(serial: object) -> None:
    text = Document(serial=1).encode().replace(b'"serial":1', b'"serial":' + json.dumps(serial).encode())
    with pytest.raises(InventoryError, match="is not used"):
        parse_document(text, "the state")


def test_a_newer_format_is_refused() -> None:
    text = Document(serial=1).encode().replace(b'"format":1', b'"format":2')
    with pytest.raises(InventoryError) as caught:
        parse_document(text, "the state")
    assert caught.value.problem.code == "inventory-too-new"
    assert "pip install --upgrade" in error_of(caught)


def versions(name: str, count: int) -> list[HistoryLine]:
    at = "2026-11-28T12:00:00Z"
    return [
        HistoryLine(
            name=name,
            data=line_of(
                Version(name=name, number=number, at=at, action="update", id="i", app_name=name, fields={})
            ),
        )
        for number in range(1, count + 1)
    ]


def test_a_full_state_loses_history_before_it_refuses_a_record(server: StateServer, address: str) -> None:
    with store(server, address).hold(HOLDER) as hold:
        hold.fold(b"map", b"")
        hold.append_history([*versions("a", 20), *versions("b", 3)])
        server.max_size = len(server.state(address).latest or b"") + 50
        hold.append(b"x" * 400 + b"\n")
    mine = store(server, address)
    assert mine.read() == Content(map=b"map", journal=b"x" * 400 + b"\n")
    kept = mine.read_history().splitlines(keepends=True)
    assert kept == [line.data for line in (*versions("a", 20)[10:], *versions("b", 3))]


def test_old_versions_are_dropped(server: StateServer, address: str) -> None:
    """By the rule of all stores: the last twenty of each name, once there are twice as many lines."""
    lines = versions("a", 100)
    with store(server, address).hold(HOLDER) as hold:
        for start in range(0, 100, 10):
            hold.append_history(lines[start : start + 10])
        hold.append_history([])
    kept = store(server, address).read_history().splitlines(keepends=True)
    assert 20 <= len(kept) <= 60
    assert kept == [line.data for line in lines[-len(kept) :]]


def test_a_full_state_says_what_is_large(server: StateServer, address: str) -> None:
    with store(server, address).hold(HOLDER) as hold:
        hold.fold(b"map", b"")
        hold.append_history(versions("a", 3))
        server.max_size = 1000
        with pytest.raises(InventoryError) as caught:
            hold.append(b"x" * 2000 + b"\n")
        text = error_of(caught)
        assert caught.value.problem.code == "store-full"
        assert f"POST {address} was refused" in text
        assert "the largest part is the journal" in text
        assert "max_terraform_state_size_bytes" in text
        hold.append(b"small\n")
    assert store(server, address).read().journal == b"small\n"


def test_what_could_not_be_read_back_is_not_written(
    server: StateServer, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("hold", "failures"):
        monkeypatch.setattr(f"reconciler.inventory.stores.terraform_http.{module}.MAX_BODY_SIZE", 500)
    with store(server, address).hold(HOLDER) as hold:
        with pytest.raises(InventoryError, match="too large") as caught:
            hold.append(b"x" * 2000)
        assert "No state may be larger" in error_of(caught)
    assert store(server, address).read() == Content()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_write_that_is_refused_is_not_saved(server: StateServer, address: str, status: int) -> None:
    with store(server, address).hold(HOLDER) as hold:
        hold.append(b"one\n")
        server.faults["POST"] = [status]
        with pytest.raises(InventoryError) as caught:
            hold.append(b"two\n")
        assert f"POST {address} was answered with {status}" in error_of(caught)
        hold.append(b"three\n")  # the server can tell, so the hold goes on
    assert store(server, address).read().journal == b"one\nthree\n"


def test_a_refusal_after_a_lost_answer_is_settled(server: StateServer, address: str) -> None:
    """The first attempt was written, its answer and the read were lost, and the second one is refused."""
    with store(server, address).hold(HOLDER) as hold:
        hold.append(b"one\n")
        server.faults.update(POST=["lost", 401], GET=["dropped"] * 4)
        hold.append(b"two\n")
        hold.append(b"three\n")
    assert store(server, address).read().journal == b"one\ntwo\nthree\n"


def test_a_server_that_cannot_be_reached(server: StateServer, address: str) -> None:
    with store(server, address).hold(HOLDER) as hold:
        hold.append(b"one\n")
    nowhere = address.replace(f":{server.port}/", ":1/")
    with pytest.raises(InventoryError) as caught:
        store(server, nowhere).read()
    assert caught.value.problem.code == "store-unavailable"
    assert f"GET {nowhere} got no answer" in error_of(caught)


def test_a_server_that_does_not_know_lock(server: StateServer) -> None:
    address = server.plain("prod")
    server.faults["LOCK"] = [405]
    with pytest.raises(InventoryError) as caught, store(server, address).hold(HOLDER):
        pass
    assert caught.value.problem.code == "store-cannot-lock"
    assert "TF_HTTP_LOCK_ADDRESS" in error_of(caught)


def test_a_server_that_gives_the_lock_to_everybody_is_refused(server: StateServer) -> None:
    address = server.plain("prod")
    server.ignores_locks = True
    with pytest.raises(InventoryError) as caught, store(server, address).hold(HOLDER):
        pass
    assert "cannot lock" in error_of(caught)
    assert server.count("POST") == 0
    rows = rows_of(store(server, address).examine())
    assert rows["store-cannot-lock"].is_error


def test_a_lock_of_somebody_else_without_details(server: StateServer, address: str) -> None:
    """Another program holds it; a server may answer 423 without a body."""
    method = "POST" if address == server.gitlab("prod") else "LOCK"
    server.faults[method] = [423]
    with pytest.raises(InventoryLocked, match="locked by another run"), store(server, address).hold(HOLDER):
        pass
    terraform = {
        "ID": "f4c1",
        "Operation": "OperationTypeApply",
        "Info": "",
        "Who": "bob@laptop",
        "Created": "now",
    }
    server.state(address).lock = {**terraform, "Version": "1.9.0", "Path": "prod"}
    with pytest.raises(InventoryLocked) as caught, store(server, address).hold(HOLDER):
        pass
    assert "bob" in error_of(caught)
    assert "reconciler state unlock f4c1" in error_of(caught)


def test_an_id_of_gitlab_has_as_many_facts_as_fit() -> None:
    long = replace(HOLDER, host="h" * 300, ci_run_url=f"https://gitlab.example/{'g/' * 40}-/jobs/1")
    lock_id = new_lock_id(long, is_gitlab=True)
    assert len(lock_id) <= MAX_ID
    lock = parse_lock(json.dumps({"ID": lock_id, "Who": "alice"}).encode(), is_gitlab=True)
    assert lock is not None
    assert (lock.holder.ci_run_url, lock.holder.command) == (long.ci_run_url, "apply")
    assert lock.holder.host == "an unknown machine"


@pytest.mark.parametrize("body", [b"", b"null", b"{}", b'{"ID": 7}', b"[" * 60_000, b" " * 100_000])
def test_an_odd_description_of_a_lock_is_none(body: bytes) -> None:
    assert parse_lock(body, is_gitlab=False) is None


def rows_of(problems: object) -> dict[str, Problem]:
    return {problem.code: problem for problem in problems}  # type: ignore[attr-defined]


def test_doctor_sees_what_the_server_can_do(server: StateServer, address: str) -> None:
    mine = store(server, address)
    rows = rows_of(mine.examine())
    assert list(rows) == ["store-reachable", "store-version", "store-locks", "store-clock"]
    assert rows["store-version"].summary == "there is no state yet"
    with mine.hold(HOLDER) as hold:
        hold.append(b"one\n")
        server.clock = 3600.0
        rows = rows_of(store(server, address).examine())
    assert {row.severity for row in rows.values()} == {Severity.NOTE, Severity.WARNING}
    assert re.search(r"\+(3599|3600) s", rows["store-clock"].summary)
    assert rows["store-version"].summary == "the state has serial 1"
    assert rows["store-journal"].summary == "the journal has 1 line"
    assert "https://gitlab.example/infra/-/jobs/991" in rows["store-owner"].summary
    assert not server.state(address).lock


def test_doctor_names_what_fails(server: StateServer, address: str) -> None:
    server.faults["GET"] = [401]
    assert [row.code for row in store(server, address).examine()] == ["store-refused"]


def test_an_interrupted_lock_is_freed(server: StateServer, address: str) -> None:
    """The answer to LOCK never comes: the lock may be taken, so it is freed as far as possible."""
    method = "POST" if address == server.gitlab("prod") else "LOCK"
    server.faults[method] = ["lost"] * 4
    with pytest.raises(InventoryError, match="got no answer"), store(server, address).hold(HOLDER):
        pass
    assert not server.state(address).lock


def test_a_body_that_was_changed_on_the_way(server: StateServer, address: str) -> None:
    server.faults["GET"] = ["wrong-digest"]
    with pytest.raises(InventoryError, match="Content-MD5"):
        store(server, address).read()


def test_a_failed_release_does_not_hide_the_error(server: StateServer, address: str) -> None:
    method = "DELETE" if address == server.gitlab("prod") else "UNLOCK"
    holding = store(server, address).hold(HOLDER)
    holding.__enter__()
    server.faults[method] = [500] * 4
    error = ValueError("from inside")
    assert not holding.__exit__(ValueError, error, None)
    assert "could not be freed" in error.__notes__[0]


def test_a_server_that_goes_away_has_no_late_write() -> None:
    """Nothing was sent, so the hold may go on as soon as the server is there again."""
    with state_server() as own:
        state = parse_address(own.gitlab("prod"), environment(own))
        calls = Calls(state, pauses=(0.01,))
        holding = TerraformHttpStore(state, environment(own), server=calls).hold(HOLDER)
        hold = holding.__enter__()
        hold.append(b"one\n")
    calls.close()
    for _ in range(2):
        with pytest.raises(InventoryError, match="got no answer") as caught:
            hold.append(b"two\n")
        assert "may have" not in error_of(caught)
    with pytest.raises(InventoryError, match="could not be freed"):
        holding.__exit__(None, None, None)


def test_the_server_may_name_the_pause(server: StateServer, address: str) -> None:
    slept: list[float] = []
    mine = store(server, address, sleep=slept.append)
    mine.read()
    server.faults["GET"] = [429]
    server.retry_after = "3"
    mine.read()
    assert slept == [3.0]
