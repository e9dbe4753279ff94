"""The tool `apply` performs what a person approved, once, and nothing else."""

from __future__ import annotations

import asyncio
import gc
import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.main import run
from reconciler.inventory.history import history
from reconciler.mcp.tools import Tools
from reconciler.model.errors import InvalidConfig, InventoryError
from reconciler.planning.selection import Selection
from reconciler.simulator import Fault, Server
from reconciler.workflow.approve import find_approval, save_approval, use_approval
from reconciler.workflow.runtime.inventory import locked_inventory

from .conftest import KEY, Folder


def writes(sim: Server) -> int:
    """Return the number of requests that changed something or tried to."""
    return sum(request.path.endswith(("/create", "/update", "/delete")) for request in sim.requests)


def approval_file(folder: Folder) -> Path:
    (file,) = (folder.path / ".reconciler" / "approvals").iterdir()
    return file


def test_an_approved_plan_is_applied_once(folder: Folder) -> None:
    digest = folder.assistant.digest()
    assert folder.assistant.codes("apply", digest=digest) == (1, ["not-approved"])
    assert writes(folder.sim) == 0
    folder.approve(digest)
    result = folder.assistant.call("apply", digest=digest)
    assert not result.is_error
    assert result.content[0].text.startswith("Apply complete! Resources: 2 added, 0 changed, 0 destroyed.")
    results = result.structured_content["document"]["results"]
    assert [(one["address"], one["outcome"]) for one in results] == [
        ("novita_endpoint.chat", "done"), ("novita_endpoint.embed", "done"),
    ]  # fmt: skip
    versions = history(folder.context.store)
    assert {version.by.who for name in versions for version in versions[name]} == {"ada via MCP"}
    assert folder.assistant.codes("apply", digest=digest) == (1, ["not-approved"])
    assert writes(folder.sim) == 2


def test_another_plan_than_the_approved_one_is_refused(applied: Folder) -> None:
    """Whether the files or the account have changed since."""
    applied.edit("maxReplicas: 3", "maxReplicas: 5")
    digest = applied.assistant.digest()
    applied.approve(digest)
    before = writes(applied.sim)
    applied.edit("maxReplicas: 5", "maxReplicas: 50")
    assert applied.assistant.codes("apply", digest=digest) == (6, ["plan-changed"])
    applied.edit("maxReplicas: 50", "maxReplicas: 5")
    applied.sim.world.console_update(applied.live("chat")["id"], workerConfig={"freeTimeout": 77})
    assert applied.assistant.codes("apply", digest=digest) == (6, ["plan-changed"])
    assert writes(applied.sim) == before


def test_a_plan_that_somebody_else_applied_is_refused(
    applied: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    applied.edit("maxReplicas: 3", "maxReplicas: 5")
    digest = applied.assistant.digest()
    applied.approve(digest)
    assert run(["-C", str(applied.path), "apply", "--yes"]) == 0
    assert applied.assistant.codes("apply", digest=digest) == (6, ["plan-changed"])


def test_a_guard_holds_although_the_plan_was_approved(applied: Folder) -> None:
    """No approval that `reconciler approve` writes gets this far; one made with the key could."""
    (applied.path / "endpoints.yaml").write_text("endpoints: []\n")
    digest = applied.assistant.digest()
    applied.approve(digest)
    before = writes(applied.sim)
    assert applied.assistant.codes("apply", digest=digest) == (3, ["empty-desired-set"])
    assert writes(applied.sim) == before


def test_an_approval_expires(folder: Folder) -> None:
    digest = folder.assistant.digest()
    folder.approve(digest)
    later = folder.with_context(now=lambda: datetime.now(UTC) + timedelta(minutes=59))
    assert find_approval(later.context, digest).who == "ada"
    later = folder.with_context(now=lambda: datetime.now(UTC) + timedelta(hours=1))
    assert later.codes("apply", digest=digest) == (6, ["approval-expired"])
    assert writes(folder.sim) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"who": "grace"},
        {"until": "2999-01-01T00:00:00+00:00"},
        {"targets": ["chat"]},
        {"excludes": ["chat"]},
        {"digest": "0" * 64},
        {"mac": "0" * 64},
        {"mac": "\u00e9"},
        {"mac": None},
        {"until": "soon"},
    ],
    ids=str,
)
def test_an_altered_approval_is_refused(folder: Folder, change: dict[str, Any]) -> None:
    digest = folder.assistant.digest()
    folder.approve(digest)
    file = approval_file(folder)
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    assert folder.assistant.codes("apply", digest=digest) == (1, ["approval-invalid"])
    assert writes(folder.sim) == 0


@pytest.mark.parametrize("text", ["", "[]", "{}", "[" * 100_000, "\x00"])
def test_a_file_that_is_no_approval_is_refused(folder: Folder, text: str) -> None:
    digest = folder.assistant.digest()
    folder.approve(digest)
    approval_file(folder).write_text(text)
    assert folder.assistant.codes("apply", digest=digest) == (1, ["approval-invalid"])


def test_an_approval_of_one_plan_is_none_of_another(folder: Folder) -> None:
    """Renamed to the digest of the other plan."""
    approved = folder.assistant.digest(targets=["chat"])
    folder.approve(approved)
    other = folder.assistant.digest()
    approval_file(folder).rename(folder.path / ".reconciler" / "approvals" / f"{other}.json")
    assert folder.assistant.codes("apply", digest=other) == (1, ["approval-invalid"])


def test_an_approval_holds_for_its_account_folder_and_inventory(folder: Folder, tmp_path: Path) -> None:
    digest = folder.assistant.digest()
    folder.approve(digest)
    copy = tmp_path / "copy"
    shutil.copytree(folder.path, copy)
    with Server(seed=1) as other:
        changes: list[dict[str, Any]] = [
            {"root": copy},
            {"state": Path("state/other.json")},
            {"files": (Path("endpoints.yaml"),)},
            {"environ": {**folder.environ, "NOVITA_API_KEY": f"{KEY}2"}},
            {"environ": {**folder.environ, "NOVITA_BASE_URL": other.url}},
            {"selection": Selection(targets=("chat",))},
        ]
        for change in changes:
            assistant = folder.with_context(**change)
            assert assistant.codes("apply", digest=digest) == (1, ["approval-invalid"]), change
        assert writes(other) == writes(folder.sim) == 0
    assert not folder.assistant.call("apply", digest=digest).is_error


def test_a_plan_of_some_endpoints_is_applied_to_them(folder: Folder) -> None:
    digest = folder.assistant.digest(targets=["chat"])
    save_approval(replace(folder.context, selection=Selection(targets=("chat",))), digest, "ada")
    assert not folder.assistant.call("apply", digest=digest).is_error
    assert [one["name"] for one in folder.sim.world.endpoints] == ["chat"]


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "0" * 63, "G" * 64, f"{'0' * 64}\n"])
def test_what_is_no_digest_is_refused(folder: Folder, digest: str) -> None:
    assert folder.assistant.codes("apply", digest=digest) == (64, ["no-digest"])


def test_two_calls_at_once_are_one_run(folder: Folder) -> None:
    digest = folder.assistant.digest()
    folder.approve(digest)

    async def twice() -> list[Any]:
        tools = Tools(folder.context)
        both = await asyncio.gather(*(tools.call("apply", {"digest": digest}) for _ in range(2)))
        await tools.close()
        return both

    first, second = asyncio.run(twice())
    assert first == second
    assert not first.is_error
    assert writes(folder.sim) == 2


def test_a_caller_that_goes_away_leaves_no_trace(folder: Folder) -> None:
    """The error of a run that nobody waits for any more is not logged, since its text is for the caller."""
    logged: list[object] = []

    async def leave() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: logged.append(context))
        tools = Tools(folder.context)
        call = asyncio.create_task(tools.call("apply", {"digest": "0" * 64}))
        while not tools._runs:
            await asyncio.sleep(0)
        call.cancel()
        await asyncio.wait([call])
        while tools._runs:
            await asyncio.sleep(0.001)
        gc.collect()
        await tools.close()

    asyncio.run(leave())
    assert logged == []


def test_an_approval_is_used_by_one_of_two_runs(folder: Folder) -> None:
    """The second one finds it gone when it gets the lock."""
    digest = folder.assistant.digest()
    folder.approve(digest)
    use_approval(folder.context, digest)
    with pytest.raises(InvalidConfig, match="its approval was used"):
        use_approval(folder.context, digest)


def test_an_apply_waits_for_the_lock(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.model.durations.SERVER_LOCK_TIMEOUT", 0.05)
    digest = folder.assistant.digest()
    folder.approve(digest)
    with locked_inventory(folder.context, folder.sim.url):
        code, codes = folder.assistant.codes("apply", digest=digest)
    assert (code, codes) == (7, ["inventory-locked"])
    assert not folder.assistant.call("apply", digest=digest).is_error  # the approval was not used


def test_a_failed_change_is_told(folder: Folder) -> None:
    """The account refuses one of two creates."""
    digest = folder.assistant.digest()
    folder.approve(digest)
    folder.sim.faults.add(
        Fault(operation="create", status=400, reason="IMAGE_NOT_FOUND", message="no such image", times=1)
    )
    result = folder.assistant.call("apply", digest=digest)
    assert result.is_error
    document = result.structured_content["document"]
    assert document["exit_code"] == 4
    assert sorted(one["outcome"] for one in document["results"]) == ["done", "failed"]
    assert "1 failed" in result.content[0].text


def test_an_approval_cannot_be_saved_into_a_file(folder: Folder) -> None:
    (folder.path / ".reconciler").write_text("")
    with pytest.raises(InvalidConfig, match="cannot write"):
        folder.approve("0" * 64)


def test_links_out_of_the_folder_are_not_followed(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (folder.path / ".reconciler").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InventoryError, match="leads out of this folder"):
        save_approval(folder.context, "0" * 64, "ada")
