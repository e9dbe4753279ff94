"""Resources of other kinds than endpoints in environments that share an account."""

import json

from tests.e2e.sandbox import Sandbox

from .test_references import robot
from .test_second_kind import credential
from .test_second_kind import password as password
from .toy import ROBOT_TYPE, TYPE, Console


def configure(sandbox: Sandbox) -> None:
    sandbox.declare(credentials=[credential()], robots=[robot()])
    environments = {name: {"name": f"{name}-{{name}}"} for name in ("dev", "prod")}
    sandbox.write("config.yaml", {"environments": environments})


def test_each_has_its_own(sandbox: Sandbox, console: Console) -> None:
    """Names and references are those of the environment, so that none of them changes the other's object."""
    configure(sandbox)
    for name in ("dev", "prod"):
        sandbox.apply("-e", name)
    assert {one["name"] for one in console.credentials.values()} == {"dev-hub", "prod-hub"}
    for made in console.robots.values():
        name = made["name"].partition("-")[0]
        assert made["credentialId"] == console.by_name(f"{name}-hub")["id"]
    for name in ("dev", "prod"):
        assert "No changes." in sandbox.run("-e", name, "plan").out
        records = json.loads((sandbox.root / f"state/{name}.json").read_text())
        assert set(records["resources"]) == {f"{TYPE}.{name}-hub", f"{ROBOT_TYPE}.{name}-bender"}
    sandbox.run("-e", "dev", "destroy", "--auto-approve")
    assert {one["name"] for one in console.credentials.values()} == {"prod-hub"}


def test_declared_names_are_accepted(sandbox: Sandbox, console: Console) -> None:
    """In targets and operands, beside those in the account."""
    configure(sandbox)
    for target in (f"{TYPE}.hub", f"{TYPE}.dev-hub"):
        assert sandbox.plan("-e", "dev", "--target", target).actions == {"dev-hub": "create"}
    sandbox.apply("-e", "dev")
    for name in (f"{TYPE}.hub", f"{TYPE}.dev-hub"):
        assert sandbox.run("-e", "dev", "state", "show", name).code == 0


def test_the_others_are_not_taken(sandbox: Sandbox, console: Console) -> None:
    """An object that another environment records is neither changed nor imported."""
    configure(sandbox)
    sandbox.apply("-e", "dev")
    sandbox.write("config.yaml", {"environments": {"dev": {}, "prod": {"name": "dev-{name}"}}})
    plan = sandbox.plan("-e", "prod")
    assert "other-environment" in plan.codes


def test_an_unknown_name_is_shown_as_declared(sandbox: Sandbox, console: Console) -> None:
    configure(sandbox)
    sandbox.declare(credentials=[credential()], robots=[robot(credential="hbu")])
    ran = sandbox.run("-e", "dev", "validate")
    assert "`hbu` is not declared in `credentials`" in ran.err
    assert "Did you mean `hub`?" in ran.err
