"""The action by itself: what it makes of each command, of its inputs, and of a GitHub that is not there."""

import json
import socket
from dataclasses import replace

import pytest

from tests.github_action.fake import TOKEN, GitHub

from .actions import Runner, Steps
from .conftest import EXAMPLE, Account, Infra

pytestmark = pytest.mark.slow


@pytest.fixture
def runner(infra: Infra, hub: GitHub, account: Account, address: dict[str, str]) -> Runner:
    """On a pull request."""
    return Runner(
        machine=infra.machine,
        infra=infra,
        hub=hub,
        secrets=account.secrets,
        environ=address,
        event_name="pull_request",
        event={"pull_request": {"number": 7}},
    )


def bodies(hub: GitHub) -> list[str]:
    return [one["body"] for one in hub.comments.get(7, [])]


def quiet(steps: Steps, account: Account) -> None:
    """No secret and no token in the log."""
    assert TOKEN not in steps.log
    assert not any(secret in steps.log for secret in account.secrets.values())


def test_pending_changes_are_an_output_and_no_failure(runner: Runner, hub: GitHub, account: Account) -> None:
    """Plan ends with 2, the step with 0; a second run, and one without changes, keep the one comment."""
    steps, outputs = runner.action(command="plan")
    assert steps.success, steps.log
    assert outputs == {"exit-code": "2", "changes": "true", "plan-file": "", "urls": "{}"}
    steps, _ = runner.action(command="plan")
    assert "The comment on #7 is up to date." in steps.log
    (body,) = bodies(hub)
    assert body.startswith("<!-- novita-reconciler . production -->\n\n")
    assert "Plan: 3 to add" in body
    _, outputs = runner.action(command="apply", arguments="--auto-approve")
    assert outputs["exit-code"] == "0"
    assert account.names == list(json.loads(outputs["urls"])) == ["chat", "embed", "rerank"]
    quiet(steps, account)


def test_what_the_yaml_may_read_is_narrowed(runner: Runner, account: Account) -> None:
    """By the workflow, which names variables and arguments of helpers; other references are refused."""
    steps, outputs = runner.action(command="plan", **{"allow-env": "HF_TOKEN, AWS_*"})
    assert outputs["exit-code"] == "2", steps.log
    steps, outputs = runner.action(command="plan", **{"allow-env": "AWS_*"})
    assert outputs["exit-code"] == "1"
    assert "${env:HF_TOKEN} is refused: RECONCILER_ALLOW_ENV does not list HF_TOKEN" in steps.log
    runner.infra.edit("endpoints.yaml", "${env:HF_TOKEN}", "${exec:op:other/token}")
    runner.infra.push()
    steps, outputs = runner.action(command="plan", **{"allow-exec": "op:chat/*"})
    assert outputs["exit-code"] == "1"
    assert "RECONCILER_ALLOW_EXEC does not list op:other/token" in steps.log
    quiet(steps, account)


def test_a_plan_without_changes_is_silent(runner: Runner, hub: GitHub) -> None:
    """Nobody asked for a comment that says nothing."""
    runner.infra.edit("endpoints.yaml", (EXAMPLE / "endpoints.yaml").read_text(), "endpoints: []\n")
    runner.infra.push()
    steps, outputs = runner.action(command="plan")
    assert steps.success, steps.log
    assert outputs["exit-code"] == "0"
    assert outputs["changes"] == "false"
    assert "Nothing to say on #7." in steps.log
    assert hub.writes == []


def test_a_plan_that_fails_is_commented_on_and_fails(runner: Runner, hub: GitHub) -> None:
    """The report says why."""
    runner.infra.edit("endpoints.yaml", "ghcr.io/acme/chat:1.4.2", "1.10")
    runner.infra.push()
    steps, outputs = runner.action(command="plan")
    assert not steps.success
    assert outputs["exit-code"] == "1"
    assert len(bodies(hub)) == 1


def test_validate_speaks_to_nobody(runner: Runner, hub: GitHub, account: Account) -> None:
    """It needs no key, and there is no report of it."""
    steps, outputs = replace(runner, secrets={}).action(command="validate")
    assert steps.success, steps.log
    assert outputs["exit-code"] == "0"
    assert hub.calls == []
    assert account.sim.requests == []


def test_apply_asks_for_an_approval(runner: Runner, account: Account) -> None:
    """Neither a saved plan nor --auto-approve: nothing is sent."""
    steps, outputs = runner.action(command="apply", comment="false")
    assert not steps.success
    assert outputs["exit-code"] == "1"
    assert "there is no interactive input to approve the plan" in steps.log
    assert account.writes() == 0


def test_drift_may_be_told_without_failing(runner: Runner, hub: GitHub, account: Account) -> None:
    """`fail-on-drift: false` for who reads the output, and an empty title for who wants no issue."""
    there = runner.action(command="apply", arguments="--auto-approve")[0].workspace
    account.scale("chat", maxNum=9)
    options = {"command": "drift", "issue-title": ""}
    steps, outputs = runner.action(there, **options)
    assert (steps.success, outputs["changes"]) == (False, "true")
    steps, outputs = runner.action(there, **options, **{"fail-on-drift": "false"})
    assert (steps.success, outputs["exit-code"]) == (True, "2")
    assert hub.issues == []


def test_arguments_are_words_and_nothing_else(runner: Runner, infra: Infra) -> None:
    """Split at white space; no globs, no variables, no commands. A folder may be called anything."""
    folder = "a $(touch pwned) `id` folder's"
    (infra.clone / folder).mkdir()
    for name in ("endpoints.yaml", "specs.yaml"):
        (infra.clone / folder / name).write_text((EXAMPLE / name).read_text())
    infra.push()
    file = "$(touch pwned); p"
    arguments = "  --target   *at\n--exclude $(touch${IFS}pwned) "
    steps, outputs = runner.action(
        command="plan", environment="", directory=folder, arguments=arguments, **{"plan-file": file}
    )
    assert outputs["plan-file"] == f"{folder}/{file}", steps.log
    assert (steps.workspace / folder / file).exists()
    assert "Plan: 1 to add" in steps.log
    assert not list(infra.machine.root.rglob("pwned"))


def test_an_unknown_command_is_refused(runner: Runner) -> None:
    """Whatever else the program could do."""
    steps, _ = runner.action(command="destroy")
    assert not steps.success
    assert "::error title=reconciler::command must be plan, apply, drift, validate or setup" in steps.log


def test_github_being_down_fails_nothing(runner: Runner, hub: GitHub) -> None:
    """A warning in the log, and the command's own verdict."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        hub.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    steps, outputs = runner.action(command="plan")
    assert steps.success, steps.log
    assert outputs["changes"] == "true"
    assert "::warning title=reconciler::no comment on GitHub: " in steps.log


def test_a_repository_may_have_a_folder_of_our_name(runner: Runner, infra: Infra) -> None:
    """Python would import it from there."""
    (infra.clone / "reconciler").mkdir()
    (infra.clone / "reconciler" / "__init__.py").write_text("raise SystemExit('imported')\n")
    infra.push()
    steps, _ = runner.action(command="plan")
    assert "Commented on #7." in steps.log
