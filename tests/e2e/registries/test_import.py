"""Credentials of the account become YAML, with their passwords in variables."""

from tests.e2e.sandbox import Sandbox, item

from .credentials import TYPE, auths, credential, recorded, save

ROBOT = "pw-of-the-robot"


def test_all_are_imported_with_what_names_them(sandbox: Sandbox) -> None:
    """An endpoint names the credential in place of its ID; the values are in the file that was asked for."""
    used = save(sandbox, "ghcr", "robot", ROBOT)
    save(sandbox, "dup", "x")
    save(sandbox, "dup", "y")
    image = {"image": "ghcr.io/acme/chat:1", "authId": used}
    sandbox.sim.world.console_create(name="chat", appName="chat", image=image)
    ran = sandbox.run("import", "--all", "--out", "endpoints.yaml", "--env-out", ".env.secrets")
    assert ran.code == 0, ran.err
    assert ran.err.count("2 live credentials have that name") == 2
    text = (sandbox.root / "endpoints.yaml").read_text()
    assert "    imageAuth: ghcr\n" in text
    assert '  - name: ghcr\n    username: robot\n    password: "${env:GHCR_PASSWORD}"\n' in text
    assert (sandbox.root / ".env.secrets").read_text().endswith(f"GHCR_PASSWORD='{ROBOT}'\n")
    assert ROBOT not in ran.out + ran.err + text + (sandbox.root / ".env.example").read_text()
    assert recorded(sandbox) == {f"{TYPE}.ghcr": used}
    assert "No changes." in sandbox.run("plan", "--env-file", ".env.secrets").out
    ran = sandbox.run("plan")
    assert (ran.code, ran.err.count("Error:")) == (1, 1)
    assert "the environment variable GHCR_PASSWORD is not set" in ran.err


def test_one_is_imported_and_rotated(sandbox: Sandbox) -> None:
    """The error about one that differs names the import; the apply after it rotates."""
    existing = save(sandbox, password="an-older-password")
    sandbox.declare(item("chat", imageAuth="hub"), registries=[credential()])
    plan = sandbox.run("plan")
    command = f"reconciler import {TYPE}.hub {existing}"
    assert plan.code == 1
    assert command in plan.err
    assert sandbox.run(*command.split()[1:]).code == 0
    assert sandbox.plan().actions == {"chat": "create", "hub": "replace"}


def test_an_endpoint_is_imported_that_names_a_declared_one(sandbox: Sandbox) -> None:
    """Only the endpoint is left to import; its credential is declared already."""
    sandbox.declare(registries=[credential()])
    sandbox.apply()
    image = {"image": "ghcr.io/acme/chat:1", "authId": auths(sandbox)[0]["id"]}
    sandbox.sim.world.console_create(name="chat", appName="chat", image=image)
    assert sandbox.run("import", "--all", "--out", "endpoints/chat.yaml").code == 0
    assert "imageAuth: hub\n" in (sandbox.root / "endpoints/chat.yaml").read_text()
    assert "No changes." in sandbox.run("plan").out
