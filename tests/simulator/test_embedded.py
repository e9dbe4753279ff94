"""The simulator in the process, its world in a file."""

import json
import multiprocessing
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from reconciler.simulator import Profile, embedded, storage
from reconciler.simulator.embedded import Call

from .api import BASE, body

HEADERS = {"Authorization": "Bearer test"}


def ask(call: Call, method: str, target: str, payload: Any = None) -> Any:
    data = b"" if payload is None else json.dumps(payload).encode()
    status, headers, answer = call(method, BASE + target, HEADERS, data)
    assert headers["content-type"] == "application/json"
    return status, json.loads(answer)


def create(call: Call, **changes: Any) -> str:
    status, payload = ask(call, "POST", "/endpoint/create", {"endpoint": body(**changes)})
    assert status == 200
    return str(payload["id"])


def ids(call: Call) -> list[str]:
    return [one["id"] for one in ask(call, "GET", "/endpoints?pageSize=1000")[1]["endpoints"]]


def test_the_state_is_kept_in_a_file(tmp_path: Path) -> None:
    """Two callers with the same file see, update and delete each other's endpoints."""
    path = tmp_path / "sim" / "world.json"
    first, second = embedded(path), embedded(path)
    assert ids(first) == []
    created = create(first)
    assert ids(second) == [created]
    update = {"id": created, **body(name="new")}
    assert ask(second, "POST", "/endpoint/update", update) == (200, {})
    assert ask(first, "GET", f"/endpoint?id={created}")[1]["endpoint"]["name"] == "new"
    ask(first, "POST", "/endpoint/delete", {"id": created})
    assert ids(second) == []


def test_the_profile_holds(tmp_path: Path) -> None:
    """The embedded simulator has all the switches."""
    call = embedded(tmp_path / "world.json", profile=Profile(api_key="right", latency_seconds=0.05))
    started = time.perf_counter()
    assert ask(call, "GET", "/endpoints")[1]["reason"] == "INVALID_API_KEY"
    assert time.perf_counter() - started >= 0.05


def test_reads_and_refused_keys_do_not_write(tmp_path: Path) -> None:
    """Reads save nothing, nor does a write without a key."""
    path = tmp_path / "world.json"
    call = embedded(path)
    ask(call, "GET", "/endpoints")
    call("POST", BASE + "/endpoint/create", {}, b"{}")
    assert not path.exists()


def test_a_refused_create_is_saved(tmp_path: Path) -> None:
    """A cluster wakes up across callers: the tries are kept in the file."""
    profile = Profile(cluster_inactive_tries=2)
    path = tmp_path / "world.json"
    answers = [
        ask(embedded(path, profile=profile), "POST", "/endpoint/create", {"endpoint": body()})[0]
        for _ in range(3)
    ]
    assert answers == [400, 400, 200]


def test_everything_survives_the_file(tmp_path: Path) -> None:
    """Workers, lagging updates, terminating endpoints, credentials and storages are stored."""
    now = 1_700_000_000.0
    path = tmp_path / "world.json"
    profile = Profile(terminating_seconds=60, update_lag_seconds=60, worker_boot_seconds=60)

    def other() -> Call:
        return embedded(path, profile=profile, clock=lambda: now)

    kept, doomed = create(other(), name="old"), create(other(), appName="sd")
    ask(other(), "POST", "/endpoint/update", {"id": kept, **body(name="new")})
    ask(other(), "POST", "/endpoint/delete", {"id": doomed})
    ask(other(), "POST", "/repository/auth/save", {"name": "a", "username": "b", "password": "c"})
    storage_body = {"clusterId": "as-sgp-2", "storageName": "s", "storageSize": 10}
    ask(other(), "POST", "/networkstorage/create", storage_body)
    before, after = (ask(other(), "GET", f"/endpoint?id={kept}")[1] for _ in range(2))
    assert before == after
    assert before["endpoint"]["name"] == "old"
    assert ask(other(), "GET", f"/endpoint?id={doomed}")[1]["endpoint"]["state"]["state"] == "terminating"
    assert len(ask(other(), "GET", "/repository/auths")[1]["data"]) == 1
    assert ask(other(), "GET", "/networkstorages/list")[1]["total"] == 1
    now += 60
    assert ask(other(), "GET", f"/endpoint?id={kept}")[1]["endpoint"]["name"] == "new"
    assert ids(other()) == [kept]


def test_a_removed_file_is_a_new_account(tmp_path: Path) -> None:
    """Without its file the world starts anew, and with new ids."""
    path = tmp_path / "world.json"
    call = embedded(path)
    created = create(call)
    path.unlink()
    assert ids(call) == []
    assert create(call) != created


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format":2}'])
def test_a_foreign_file_is_left_alone(tmp_path: Path, text: str) -> None:
    """A file that is no state is neither used nor overwritten, and the error names it."""
    path = tmp_path / "notes.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"notes\.json"):
        create(embedded(path))
    assert path.read_text() == text


def test_saves_can_always_be_told_apart(tmp_path: Path) -> None:
    """However fast they follow each other, two saves of the same size differ in their signature."""
    path = tmp_path / "world.json"
    signatures = set()
    for number in range(100):
        storage.save(path, {"format": 1, "fleet": {}, "number": number % 10})
        signatures.add(storage.signature(path))
    assert len(signatures) == 100
    assert storage.signature(tmp_path / "none") is None


def test_a_failed_save_leaves_the_old_file(tmp_path: Path) -> None:
    """If writing fails, the former state stands and no litter remains."""
    path = tmp_path / "world.json"
    storage.save(path, {"format": 1, "fleet": {}})
    path.with_name("target").mkdir()
    with pytest.raises(OSError, match="target"):
        storage.save(path.with_name("target"), {"format": 1, "fleet": {}})
    assert storage.load(path) == {"format": 1, "fleet": {}}
    assert sorted(one.name for one in tmp_path.iterdir()) == ["target", "world.json"]


def test_threads_share_one_caller(tmp_path: Path) -> None:
    """Calls from several threads lose nothing."""
    call = embedded(tmp_path / "world.json")

    def work() -> None:
        for _ in range(10):
            create(call)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(set(ids(call))) == 40


def _create_many(path: Path, count: int) -> None:
    call = embedded(path)
    for _ in range(count):
        create(call)


def test_processes_share_one_file(tmp_path: Path) -> None:
    """Three processes creating at once lose nothing and repeat no id."""
    path = tmp_path / "world.json"
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_create_many, args=(path, 20)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert len(set(ids(embedded(path)))) == 60


def test_a_thousand_calls_do_not_parse_the_file_a_thousand_times(tmp_path: Path) -> None:
    """Reads of an unchanged file go without parsing: they see the world kept in memory."""
    path = tmp_path / "world.json"
    call = embedded(path)
    for _ in range(50):
        create(call)
    status = path.stat()
    path.write_bytes(b"?" * status.st_size)
    # Same size, time and inode: the file looks unchanged, so it is not read again.
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert len(ids(call)) == 50
