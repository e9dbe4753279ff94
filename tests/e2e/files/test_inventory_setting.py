"""The inventory that config.yaml names, and `init --state`, which writes it there."""

from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import yaml

from reconciler.model.errors import InvalidConfig
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.saved_plan.origin import Origin
from tests.e2e.sandbox import Sandbox, item
from tests.http_server import http_server
from tests.s3_server import S3Server


def config(sandbox: Sandbox) -> object:
    return yaml.safe_load((sandbox.root / "config.yaml").read_text())


def test_an_address_is_used_from_then_on(sandbox: Sandbox, s3_server: S3Server) -> None:
    """By commands without --state; what else is in the file stays."""
    for name, value in s3_server.environ().items():
        sandbox.monkeypatch.setenv(name, value)
    address = s3_server.new_address()
    sandbox.write("config.yaml", "novita:\n  settle_seconds: 0.05  # a comment\n")
    ran = sandbox.run("init", "--state", address)
    assert ran.code == 0, ran.err
    assert "~ config.yaml" in ran.out
    text = (sandbox.root / "config.yaml").read_text()
    assert "settle_seconds: 0.05  # a comment\n" in text
    assert config(sandbox) == {"novita": {"settle_seconds": 0.05, "state": address}}
    sandbox.declare(item("chat"))
    sandbox.apply()
    assert not (sandbox.root / "state/novita.json").exists()
    assert sandbox.run("plan", "--detailed-exitcode").code == 0
    assert sandbox.run("state", "list", "--state", address).out.startswith("chat")
    assert "already exists and was not changed" in sandbox.run("init", "--state", address).out


def test_a_new_folder_gets_a_config_with_the_address(sandbox: Sandbox) -> None:
    (sandbox.root / "config.yaml").unlink()
    assert sandbox.run("init", "--state", "s3://acme-infra/prod").code == 0
    assert config(sandbox) == {"novita": {"state": "s3://acme-infra/prod"}}
    assert "Path or address of the inventory" in sandbox.run("explain", "config.novita.state").out


def test_an_environment_gets_its_own(sandbox: Sandbox) -> None:
    sandbox.write("config.yaml", {"environments": {"dev": {}, "prod": {"protected": True}}})
    assert sandbox.run("-e", "prod", "init", "--state", "s3://acme-infra/prod").code == 0
    prod = {"protected": True, "state": "s3://acme-infra/prod"}
    assert config(sandbox) == {"environments": {"dev": {}, "prod": prod}}
    assert "s3://acme-infra/prod" in sandbox.run("env", "list").out


def test_another_inventory_is_not_replaced(sandbox: Sandbox) -> None:
    """A run would no longer see what the other one records."""
    sandbox.write("config.yaml", {"novita": {"state": "s3://acme-infra/prod"}})
    before = (sandbox.root / "config.yaml").read_text()
    ran = sandbox.run("init", "--state", "s3://acme-infra/other")
    assert ran.code == 1
    assert "names another inventory, s3://acme-infra/prod" in ran.err
    assert "state copy FROM TO` moves" in ran.err
    assert (sandbox.root / "config.yaml").read_text() == before


@pytest.mark.parametrize(
    "address",
    [
        "postgres://ada:secret-word@db.example.com/infra?inventory=prod",
        "https://gitlab.example.com/api/v4/projects/7/terraform/state/prod?token=secret-word",
        "s3://secret-word:secret-word@bucket/prod",
    ],
)
def test_a_credential_is_never_written(sandbox: Sandbox, address: str) -> None:
    """Not into the file, and not onto the terminal; also if a person writes it into config.yaml."""
    before = (sandbox.root / "config.yaml").read_text()
    ran = sandbox.run("init", "--state", address)
    assert ran.code == 1
    assert (sandbox.root / "config.yaml").read_text() == before
    sandbox.write("config.yaml", {"novita": {"state": address}})
    by_hand = sandbox.run("state", "list")
    assert by_hand.code == 1
    assert "secret-word" not in ran.out + ran.err + by_hand.out + by_hand.err


def test_a_host_that_only_a_file_names_gets_no_credentials(sandbox: Sandbox) -> None:
    """The author of a pull request writes config.yaml."""
    for address in (
        "https://evil.example/terraform/state/prod",
        "postgres://evil.example/infra?inventory=prod",
    ):
        sandbox.write("config.yaml", {"novita": {"state": address}})
        ran = sandbox.run("state", "list")
        assert ran.code == 1
        assert "export RECONCILER_TRUSTED_HOSTS=evil.example" in ran.err


def test_precedence(sandbox: Sandbox) -> None:
    """The option, then the variable, then the environment, then the setting of all."""
    sandbox.write("config.yaml", {"novita": {"state": "state/general.json", "settle_seconds": 0.05}})
    sandbox.declare(item("chat"))
    sandbox.apply()
    assert (sandbox.root / "state/general.json").exists()
    sandbox.write(
        "config.yaml",
        {"novita": {"state": "state/general.json"}, "environments": {"dev": {"state": "state/d.json"}}},
    )
    assert "state/d.json is empty" in sandbox.run("state", "list", "-e", "dev").err
    sandbox.monkeypatch.setenv("RECONCILER_STATE", "state/v.json")
    assert "state/v.json is empty" in sandbox.run("state", "list", "-e", "dev").err
    assert "state/o.json is empty" in sandbox.run("state", "list", "-e", "dev", "--state", "state/o.json").err


def test_a_host_that_only_a_plan_names_gets_no_credentials(sandbox: Sandbox) -> None:
    """Unless the environment names the host, or this very address."""
    address = "postgres://evil.example/infra?inventory=prod"
    origin = Origin(
        directory=".", root=str(sandbox.root), way=".", files=(), state=address,
        targets=(), excludes=(), read=(), records=(),
    )  # fmt: skip
    with pytest.raises(InvalidConfig, match="would send credentials to evil"):
        origin.context(Context(root=sandbox.root, environ={}), Path("prod.plan"), "the plan")
    for allowed in ({"RECONCILER_TRUSTED_HOSTS": "evil.example"}, {"RECONCILER_STATE": address}):
        context = Context(root=sandbox.root, environ=allowed)
        assert origin.context(context, Path("prod.plan"), "the plan").state == address


def test_a_plan_without_changes_reads_no_other_environment_at_an_address(sandbox: Sandbox) -> None:
    """It is read if the plan may take or delete what it records."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with http_server(Handler) as port:
        address = f"http://127.0.0.1:{port}/state/prod"
        sandbox.write("config.yaml", {"environments": {"dev": {}, "prod": {"state": address}}})
        sandbox.declare(item("chat"), item("embed"))
        sandbox.apply("-e", "dev")
        asked.clear()
        assert sandbox.run("-e", "dev", "plan", "--detailed-exitcode").code == 0
        assert asked == []
        sandbox.declare(item("chat"))
        assert sandbox.run("-e", "dev", "plan", "--detailed-exitcode").code == 2
        assert asked


def test_the_next_steps_after_init(sandbox: Sandbox) -> None:
    """What is in the file moves first, and the host is allowed by the environment."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    out = sandbox.run("init", "--state", "postgres://db.internal/infra?inventory=prod").out
    assert "  export RECONCILER_TRUSTED_HOSTS=db.internal\n" in out
    there = "'postgres://db.internal/infra?inventory=prod'"
    assert f"  reconciler --state {there} state copy state/novita.json {there}\n" in out
    assert out.endswith(f"  reconciler --state {there} plan\n")


def test_a_parameter_that_only_a_file_sets_is_refused(sandbox: Sandbox) -> None:
    """It could lower the protection of the connection."""
    address = "postgres://127.0.0.1/infra?inventory=prod&sslmode=disable"
    sandbox.write("config.yaml", {"novita": {"state": address}})
    ran = sandbox.run("state", "list")
    assert ran.code == 1
    assert "sets sslmode, which only the environment may set" in ran.err
