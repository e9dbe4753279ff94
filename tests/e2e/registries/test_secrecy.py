"""The listing answers passwords in clear text. None reaches an output, a message or a file."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.simulator import Fault
from tests.e2e.sandbox import CommandResult, Sandbox, item

from .credentials import PASSWORD, auths, credential, edit, save

FOREIGN = "pw-of-somebody-else"
SHORT = "pw7"
REPORTS = (
    "--html-into",
    "a.html",
    "--junit-into",
    "a.xml",
    "--markdown-into",
    "a.md",
    "--json-into",
    "a.json",
)
SECRETS = (PASSWORD, FOREIGN, f'"{SHORT}"')


@pytest.fixture
def account(sandbox: Sandbox) -> Sandbox:
    """A credential of this inventory, and two of others."""
    save(sandbox, name="theirs", username="eve", password=FOREIGN)
    save(sandbox, name="short", username="eve", password=SHORT)
    sandbox.declare(item("chat"), registries=[credential()])
    sandbox.apply()
    return sandbox


def require_secrecy(sandbox: Sandbox, ran: CommandResult) -> None:
    """Search the output and every file of the folder."""
    texts = {"out": ran.out, "err": ran.err}
    texts |= {name: content.decode(errors="replace") for name, content in sandbox.files().items()}
    leaks = [(name, secret) for name, text in texts.items() for secret in SECRETS if secret in text]
    assert leaks == []


@pytest.mark.parametrize(
    "command",
    [
        ["plan", "-v"],
        ["plan", "--json"],
        ["plan", "--explain"],
        ["plan", "--out", "saved.plan"],
        ["apply", "-v", "--auto-approve", "--allow-delete", "5"],
        ["apply", "--auto-approve", "--allow-delete", "5", *REPORTS],
        ["drift", "-v"],
        ["drift", "--json"],
        ["preview"],
        ["state", "list"],
        ["state", "show", "novita_registry.hub"],
        ["history"],
        ["list", "-v"],
        ["doctor", "-v"],
        ["recover", "-v"],
        ["import", "novita_registry.more", "ID", "-v"],
        ["destroy", "--auto-approve", "-v"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("moved", [False, True], ids=["as applied", "changed by others"])
def test_no_command_shows_a_password(account: Sandbox, command: list[str], moved: bool) -> None:
    """Neither when nothing differs nor when somebody changed the password."""
    if moved:
        edit(account, next(one["id"] for one in auths(account) if one["name"] == "hub"), password=FOREIGN)
    foreign = next(one["id"] for one in auths(account) if one["name"] == "theirs")
    ran = account.run(*(foreign if word == "ID" else word for word in command))
    assert ran.code not in (64, 70)
    require_secrecy(account, ran)


def cut(answer: Any) -> bytes:
    return json.dumps(answer).encode()[:-3]


@pytest.mark.parametrize(
    "change",
    [
        cut,
        lambda answer: answer["data"],
        lambda answer: {"items": answer["data"]},
        lambda answer: {"data": {"items": answer["data"]}},
        lambda answer: {"data": [[one] for one in answer["data"]]},
        lambda answer: {"data": [{**one, "id": None} for one in answer["data"]]},
        lambda answer: {"data": [{**one, "password": [one["password"]]} for one in answer["data"]]},
        lambda answer: {"code": 500, "reason": "UNKNOWN", "message": json.dumps(answer)},
        lambda answer: {"code": 400, "reason": json.dumps(answer), "message": "no"},
        lambda answer: b"<html>" + json.dumps(answer).encode(),
    ],
)
@pytest.mark.parametrize("command", ["plan -v", "apply --auto-approve -v", "drift -v"])
def test_no_odd_listing_is_quoted(account: Sandbox, change: Callable[[Any], Any], command: str) -> None:
    """An answer that cannot be read is an error that names the call, and none of its content."""
    account.sim.faults.rewrite("auths", change)
    ran = account.run(*command.split())
    assert ran.code == (0 if "unreadable, so not compared" in ran.err else 1)
    require_secrecy(account, ran)


@pytest.mark.parametrize("kind", ["status", "status_after", "error_in_2xx"])
def test_a_refused_save_does_not_quote_the_password(sandbox: Sandbox, kind: Any) -> None:
    """The message of Novita may repeat what was sent."""
    fault = Fault(operation="auth_save", kind=kind, times=9, status=400, message=f"bad password {PASSWORD}")
    sandbox.sim.faults.add(fault)
    sandbox.declare(registries=[credential()])
    ran = sandbox.run("apply", "--auto-approve", "-v")
    assert ran.code != 0
    require_secrecy(sandbox, ran)
    assert "bad password (sensitive value)" in " ".join((ran.err + ran.out).split())


def test_a_killed_run_leaves_no_password(account: Sandbox) -> None:
    """Neither in the journal nor in the record of a create that has begun."""
    account.declare(item("chat"), registries=[credential(), credential("second")])
    account.killed("auth_save", when="after")
    require_secrecy(account, account.run("plan", "-v"))


def test_a_password_in_the_file_is_refused(sandbox: Sandbox) -> None:
    """The error says where it is, and does not repeat it."""
    sandbox.declare(registries=[credential(password="written-in-the-file")])
    ran = sandbox.run("validate")
    assert ran.code == 1
    assert "the password is written in the file" in ran.err
    assert "endpoints.yaml:" in ran.err
    assert "written-in-the-file" not in ran.out + ran.err
    sandbox.declare(registries=[credential(password=73927392)])
    ran = sandbox.run("validate")
    assert ran.code == 1
    assert "73927392" not in ran.out + ran.err
