"""What a plan says of declarations that cannot be applied, and of what it leaves out."""

import json

from tests.e2e.sandbox import Sandbox, item


def test_an_impossible_rename_is_an_error(sandbox: Sandbox) -> None:
    """Both names exist. The error has both IDs; nothing is deleted or created."""
    sandbox.declare(item("y"), item("z"))
    sandbox.apply()
    sandbox.declare(item("z", renamedFrom="y"))
    ran = sandbox.plan()
    assert ran.code == 1
    assert "rename-impossible" in ran.codes
    problem = next(one for one in ran.document["problems"] if one["code"] == "rename-impossible")
    assert sandbox.id("y") in problem["summary"]
    assert sandbox.id("z") in problem["summary"]
    sandbox.declare(item("z"), item("w", renamedFrom="z"))
    assert "`z` is still declared" in sandbox.run("plan").err


def test_two_endpoints_with_one_app_name_are_invalid(sandbox: Sandbox) -> None:
    """Novita would refuse the second create; validate finds it offline."""
    sandbox.declare(item("a"), item("b", appName="a"))
    ran = sandbox.run("validate")
    assert ran.code == 1
    assert "`a` and `b` would both have the appName `a`" in ran.err


def test_a_name_with_invisible_characters_is_invalid(sandbox: Sandbox) -> None:
    """The message escapes the character."""
    sandbox.declare(item("a\u202eb", appName="x"))
    ran = sandbox.run("validate")
    assert ran.code == 1
    assert r"'a\u202eb'" in ran.err


def test_json_is_valid_in_every_encoding(sandbox: Sandbox) -> None:
    """Characters that the stream cannot hold are JSON escapes."""
    sandbox.declare(item("é", appName="x"))
    sandbox.monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    ran = sandbox.process("plan", "--json")
    assert json.loads(ran.out)["resource_changes"][0]["name"] == "é"


def test_no_changes_is_not_said_of_endpoints_that_were_not_compared(sandbox: Sandbox) -> None:
    """A target that matches nothing is an error, and a partial plan says so."""
    sandbox.declare(item("a"), item("b"))
    ran = sandbox.run("plan", "--target", "nosuch")
    assert ran.code == 1
    assert "No changes" not in ran.out
    assert "only 1 of 2 declared resources were compared" in sandbox.run("plan", "--target", "a").err


def test_masked_curl_commands_come_with_a_hint(sandbox: Sandbox) -> None:
    """`--curl` without `--reveal` would send the mask."""
    sandbox.monkeypatch.setenv("TOKEN", "t0p")
    sandbox.declare(item("a", env={"T": "${env:TOKEN}"}))
    assert "Pass --reveal to run them" in sandbox.run("preview", "--curl").err
    assert "Pass --reveal" not in sandbox.run("preview", "--curl", "--reveal").err


def test_destroy_shows_the_reason(sandbox: Sandbox) -> None:
    """The endpoint is still declared."""
    sandbox.declare(item("a"))
    sandbox.apply()
    ran = sandbox.run("destroy", "--auto-approve")
    assert "# (destroy was requested)" in ran.out
    assert "Destroy complete! Resources: 1 destroyed." in ran.out
