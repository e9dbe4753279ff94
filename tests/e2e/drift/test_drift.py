"""Drift over a socket: what others moved, who moved it, what rings and what does not."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.sandbox import KEY, Sandbox, item


def drifted(document: Any) -> dict[str, dict[str, str]]:
    """Name -> dotted path -> cause, of everything in resource_drift."""
    return {
        one["name"]: {".".join(field["path"]): field["cause"] for field in one["fields"]}
        for one in document["resource_drift"]
    }


@pytest.fixture
def applied(sandbox: Sandbox) -> Sandbox:
    """Three endpoints, as declared and applied."""
    sandbox.monkeypatch.setenv("HF_TOKEN", "hf_secret-of-today")
    sandbox.declare(
        item("chat", minReplicas=1, maxReplicas=3, env={"MODE": "fast", "HF_TOKEN": "${env:HF_TOKEN}"}),
        item("embed", healthPath="/ready"),
        item("rerank"),
    )
    sandbox.apply()
    return sandbox


def test_an_untouched_account_has_not_drifted(applied: Sandbox) -> None:
    """Exit 0 without a flag, by a listing alone."""
    before = len(applied.sim.requests)
    ran = applied.run("drift")
    assert (ran.code, ran.out, ran.err) == (
        0, "No drift. The account matches the last apply.\n", "",
    )  # fmt: skip
    assert {one.operation for one in applied.sim.requests[before:]} == {"list"}


def test_what_others_changed_and_deleted_is_told_field_by_field(applied: Sandbox) -> None:
    """Exit 2; a newcomer is listed and no drift."""
    applied.sim.world.console_update(applied.id("embed"), healthy={"path": "/"})
    applied.sim.world.console_delete(applied.id("rerank"))
    applied.sim.world.console_create(name="newcomer")
    ran = applied.run("drift", "--json")
    document = ran.document
    assert (ran.code, document["exit_code"]) == (2, 2)
    assert drifted(document) == {"embed": {"healthy.path": "drift"}, "rerank": {}}
    assert [one["change"]["actions"] for one in document["resource_drift"]] == [["update"], ["delete"]]
    assert document["drift"] == {
        "drifted": True, "measured_by": "applied", "new": 2, "known": 0, "ignored": 0,
    }  # fmt: skip
    assert [one["name"] for one in document["unmanaged"]] == ["newcomer"]


def test_the_text_says_who_moved_what_and_what_to_type(applied: Sandbox) -> None:
    """As a person reads it."""
    embed = applied.id("embed")
    applied.sim.world.console_update(embed, healthy={"path": "/"}, workerConfig={"maxNum": 7})
    embedding = item("embed", healthPath="/ready", replicas=2, image="new:1")
    applied.declare(item("chat"), embedding, item("rerank"))
    ran = applied.run("drift")
    assert ran.code == 2
    assert (
        ran.out
        == f"""\
Note: Objects have changed outside of reconciler

  # novita_endpoint.embed has changed
  ~ embed  [id={embed}]
      ~ maxReplicas = 1 -> 7  # both; declared as 2
      ~ healthPath  = "/ready" -> "/"  # drift
      ~ image       = "ubuntu:22.04" -> "new:1"  # config; not drift, but not yet applied
      ~ minReplicas = 1 -> 2  # config; not drift, but not yet applied

Drift: 1 changed, 0 deleted.
  1 endpoint has changes in the YAML that are not yet applied, which is not drift: chat.

To write the live values into the YAML:
  reconciler drift accept embed
To restore the declared values:
  reconciler drift revert embed
"""
    )


def test_what_only_the_yaml_changed_is_no_drift(applied: Sandbox) -> None:
    """Nor is an endpoint that is declared and was never applied."""
    applied.declare(item("chat", image="other:1"), item("new"))
    assert applied.run("drift").code == 0


def test_what_the_yaml_says_by_now_is_settled(applied: Sandbox) -> None:
    """Once somebody wrote the console's value into the YAML, only the record is behind."""
    applied.sim.world.console_update(applied.id("embed"), healthy={"path": "/"})
    applied.declare(
        item("chat", minReplicas=1, maxReplicas=3, env={"MODE": "fast", "HF_TOKEN": "${env:HF_TOKEN}"}),
        item("embed", healthPath="/"),
        item("rerank"),
    )
    assert applied.run("drift").code == 0


def test_a_changed_secret_is_drift_and_stays_a_secret(applied: Sandbox) -> None:
    """Also for somebody who does not have the secret: what was applied is known by its fingerprint."""
    envs = [{"key": "MODE", "value": "fast"}, {"key": "HF_TOKEN", "value": "hf_of-the-console"}]
    applied.monkeypatch.delenv("HF_TOKEN")
    assert applied.run("drift").code == 0
    applied.sim.world.console_update(applied.id("chat"), envs=envs)
    for options in ([], ["--json"]):
        ran = applied.run("drift", *options)
        assert ran.code == 2
        assert "hf_" not in ran.out + ran.err
    assert drifted(ran.document) == {"chat": {"envs.HF_TOKEN": "drift"}}
    assert applied.run("drift").err == ""
    (applied.root / "state/novita.json").unlink()
    assert "the environment variable HF_TOKEN is not set" in applied.run("drift").err


def test_under_another_key_nobody_can_say_unless_it_is_not_what_is_declared(applied: Sandbox) -> None:
    """A rotated key rings no alarm; a secret that differs from today's does, as `unknown`."""
    applied.monkeypatch.setenv("NOVITA_API_KEY", "sk_rotated")
    ran = applied.run("drift", "--json")
    assert (ran.code, ran.codes) == (0, ["sealed-under-another-key"])
    applied.monkeypatch.setenv("HF_TOKEN", "hf_rotated")
    ran = applied.run("drift", "--json")
    assert (ran.code, drifted(ran.document)) == (2, {"chat": {"envs.HF_TOKEN": "unknown"}})
    assert "unknown; last applied with another key" in applied.run("drift").out


def test_a_key_that_may_only_read_is_enough(applied: Sandbox) -> None:
    """For drift and for plan; an apply with it is refused."""
    applied.sim.world.switch(api_key="sk_writes", read_only_key=KEY)
    applied.sim.world.console_update(applied.id("embed"), healthy={"path": "/"})
    assert applied.run("drift").code == 2
    assert applied.run("apply", "--yes").code == 8


def test_without_an_inventory_the_yaml_is_the_measure(applied: Sandbox) -> None:
    """A pipeline that keeps none still has its alarm, for changed and for missing endpoints."""
    (applied.root / "state/novita.json").unlink()
    assert applied.run("drift").code == 0
    applied.sim.world.console_update(applied.id("embed"), healthy={"path": "/"})
    applied.sim.world.console_delete(applied.id("rerank"))
    ran = applied.run("drift", "--json")
    assert ran.code == 2
    assert drifted(ran.document) == {"embed": {"healthy.path": "drift"}, "rerank": {}}
    assert ran.document["drift"]["measured_by"] == "declared"
    text = applied.run("drift").out
    assert '~ healthPath = "/ready" -> "/"  # drift' in text
    assert "# novita_endpoint.rerank does not exist" in text
    assert "Drift: 1 changed, 1 missing.\n  There is no inventory" in text
    assert applied.sent("update", "delete") == []
    applied.write("endpoints.yaml", 'endpoints: [{endpoint: chat, image: "ubuntu:22.04", specName: small}]')
    assert "No drift" not in applied.run("drift").out


def test_without_any_file_there_is_nothing_to_hold_it_against(sandbox: Sandbox) -> None:
    """The account is listed, and nothing in it is called drift."""
    sandbox.sim.world.console_create(name="somebody's")
    ran = sandbox.run("drift")
    assert (ran.code, "1 endpoint of the account is not managed by this configuration" in ran.out) == (
        0,
        True,
    )


def test_a_removed_endpoint_is_watched_until_it_is_gone(applied: Sandbox) -> None:
    """What is recorded is ours, declared or not."""
    applied.sim.world.console_update(applied.id("rerank"), healthy={"path": "/x"})
    applied.declare(item("chat"))
    ran = applied.run("drift", "--json")
    assert (ran.code, drifted(ran.document)) == (2, {"rerank": {"healthy.path": "drift"}})


def test_a_target_narrows_the_alarm(applied: Sandbox) -> None:
    """One team's endpoints, one team's alarm."""
    applied.sim.world.console_update(applied.id("embed"), healthy={"path": "/"})
    assert applied.run("drift", "--target", "chat").code == 0
    assert applied.run("drift", "--exclude", "chat").code == 2


def test_a_broken_listing_is_never_called_no_drift(applied: Sandbox) -> None:
    """The worst an alarm can do is to be silent because it could not look."""
    applied.sim.world.switch(total_offset=1)
    ran = applied.run("drift", "--json")
    assert ran.code == 1
    assert (ran.document["errored"], ran.document["complete"]) == (True, False)


def test_a_refused_key_keeps_its_code(applied: Sandbox) -> None:
    """8, and not 2."""
    applied.sim.world.switch(api_key="another")
    assert applied.run("drift").code == 8


def ignoring(sandbox: Sandbox, **entry: str) -> None:
    sandbox.write("config.yaml", {"drift": {"ignore": [entry]}})


def test_an_ignored_field_rings_no_alarm_and_stays_in_the_plan(applied: Sandbox) -> None:
    """It is named otherwise than ignoreChanges, for it is something else."""
    applied.sim.world.console_update(applied.id("embed"), healthy={"path": "/"})
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    ignoring(applied, endpoint="em*", path="healthPath", until=tomorrow, why="a test of the new probe")
    ran = applied.run("drift")
    assert ran.code == 0
    assert f"# drift, ignored until {tomorrow}" not in ran.out  # the day itself still counts
    assert "00:00Z: a test of the new probe" in ran.out
    assert "No new drift.\n  1 change is ignored and not reported." in ran.out
    document = applied.run("drift", "--json").document
    (field,) = document["resource_drift"][0]["fields"]
    assert (field["standing"], field["ignored"]["why"]) == ("ignored", "a test of the new probe")
    assert applied.plan().actions == {"embed": "update"}
    applied.sim.world.console_update(applied.id("embed"), workerConfig={"maxNum": 9})
    assert applied.run("drift").code == 2


def test_an_ignore_that_is_over_alarms_again(applied: Sandbox) -> None:
    """And says so, with its place."""
    applied.sim.world.console_delete(applied.id("embed"))
    ignoring(applied, endpoint="embed", until="2020-02-29")
    ran = applied.run("drift")
    assert ran.code == 2
    assert "the drift.ignore entry about `embed` has expired and has no effect" in ran.err
    assert "config.yaml:5:" in ran.err
    ignoring(applied, endpoint="embed")
    assert applied.run("drift").code == 0


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"endpoint": "a", "path": "replica"}, "`replica` in drift.ignore is not a field of an endpoint"),
        ({"endpoint": "a", "until": "friday"}, "`until: friday` is neither a date nor a date and time"),
        ({"endpont": "a"}, "unknown key `drift.ignore[0].endpont`"),
    ],
)
def test_a_faulty_ignore_is_told(applied: Sandbox, entry: dict[str, str], said: str) -> None:
    """With its place, like every problem."""
    ignoring(applied, **entry)
    ran = applied.run("drift")
    assert (ran.code, said in ran.err, "  config.yaml:" in ran.err) == (1, True, True)


def test_a_baseline_tells_what_is_known(applied: Sandbox) -> None:
    """The same drift rings once; another move of the same field rings again."""
    applied.sim.world.console_update(applied.id("embed"), healthy={"path": "/"})
    first = applied.run("drift", "--baseline", "drift.json", "--json-into", "drift.json")
    assert (first.code, "the baseline drift.json does not exist yet" in first.err) == (2, True)
    again = applied.run("drift", "--baseline", "drift.json", "--json-into", "drift.json")
    assert again.code == 0
    assert "# drift, known" in again.out
    assert "1 change is known and not reported." in again.out
    assert applied.run("drift", "--baseline", "drift.json").code == 0
    applied.sim.world.console_update(applied.id("embed"), workerConfig={"maxNum": 9})
    ran = applied.run("drift", "--baseline", "drift.json", "--json")
    assert ran.code == 2
    standings = {f["path"][-1]: f["standing"] for f in ran.document["resource_drift"][0]["fields"]}
    assert standings == {"maxNum": "new", "path": "known"}
    applied.sim.world.console_update(applied.id("embed"), healthy={"path": "/other"})
    assert applied.run("drift", "--baseline", "drift.json", "--json").document["drift"]["known"] == 0


def test_a_fingerprint_outlives_the_yaml_and_tells_nothing(applied: Sandbox) -> None:
    """It is about the account alone."""
    envs = [{"key": "MODE", "value": "slow"}, {"key": "HF_TOKEN", "value": "hf_x"}]
    applied.sim.world.console_update(applied.id("chat"), envs=envs)

    def fingerprints() -> set[str]:
        return {
            field["fingerprint"]
            for one in applied.run("drift", "--json").document["resource_drift"]
            for field in one["fields"]
        }

    before = fingerprints()
    applied.declare(item("chat", env={"MODE": "${env:MODE:-x}"}))
    assert len(before) == 2
    assert fingerprints() == before


@pytest.mark.parametrize("text", ["", "[]", '{"resource_drift": 3}', "{}"])
def test_a_file_that_is_no_baseline_is_refused(applied: Sandbox, text: str) -> None:
    """Rather than to ring for everything, or for nothing."""
    applied.write("drift.json", text)
    ran = applied.run("drift", "--baseline", "drift.json")
    assert (ran.code, "the baseline drift.json is not a drift report in JSON" in ran.err) == (1, True)


def test_revert_undoes_what_others_did_and_nothing_else(applied: Sandbox) -> None:
    """What the YAML alone has changed waits for an apply; what is gone comes back."""
    applied.sim.world.console_update(applied.id("embed"), healthy={"path": "/"})
    applied.sim.world.console_delete(applied.id("rerank"))
    applied.declare(
        item("chat", image="new:1"), item("embed", healthPath="/ready", image="new:2"), item("rerank")
    )
    assert applied.run("drift", "revert", "--yes").code == 0
    live = applied.live()
    assert live["embed"]["healthy"]["path"] == "/ready"
    assert [live[name]["image"]["image"] for name in ("chat", "embed", "rerank")] == ["ubuntu:22.04"] * 3
    assert applied.run("drift").code == 0
    assert applied.plan().actions == {"chat": "update", "embed": "update"}
    causes = [c["fields"][0]["cause"] for c in applied.plan().document["resource_changes"] if c["fields"]]
    assert causes[1] == "config"


def test_revert_of_one_leaves_the_others(applied: Sandbox) -> None:
    """And asks before it writes."""
    for name in ("embed", "rerank"):
        applied.sim.world.console_update(applied.id(name), healthy={"path": "/"})
    assert applied.run("drift", "revert", "embed", typed="no\n").code == 1
    assert applied.sent("update") == []
    ran = applied.run("drift", "revert", "embed", typed="yes\n")
    assert (ran.code, "Plan: 0 to add, 1 to change, 0 to destroy." in ran.out) == (0, True)
    assert drifted(applied.run("drift", "--json").document) == {"rerank": {"healthy.path": "drift"}}


def test_revert_gives_back_a_secret(applied: Sandbox) -> None:
    """That of the YAML's reference; an env key that somebody added goes."""
    envs = [{"key": "HF_TOKEN", "value": "hf_x"}, {"key": "EXTRA", "value": "1"}]
    applied.sim.world.console_update(applied.id("chat"), envs=envs)
    assert applied.run("drift", "revert", "chat", "--yes").code == 0
    assert {e["key"]: e["value"] for e in applied.live()["chat"]["envs"]} == {
        "MODE": "fast", "HF_TOKEN": "hf_secret-of-today",
    }  # fmt: skip
    assert applied.run("drift").code == 0


def test_a_revert_that_holds_a_secret_back_is_a_version_without_it(applied: Sandbox) -> None:
    """The old secret is known from the account alone: nothing that may be written down refers to it."""
    applied.sim.world.console_update(applied.id("chat"), healthy={"path": "/x"})
    applied.declare(
        item("chat", minReplicas=1, maxReplicas=3, env={"MODE": "fast", "HF_TOKEN": "a literal by now"})
    )
    assert applied.run("drift", "revert", "chat", "--yes").code == 0
    assert {"key": "HF_TOKEN", "value": "hf_secret-of-today"} in applied.live()["chat"]["envs"]
    assert applied.run("drift", "--json").document["drift"]["drifted"] is False
    versions = applied.run("history", "chat", "--json").document
    assert [(version["version"], version["unknown"]) for version in versions] == [
        (2, [["envs", "HF_TOKEN"]]),
        (1, []),
    ]
    history = (applied.root / "state/novita.json.history.jsonl").read_text()
    assert not any(secret in history for secret in ("hf_secret-of-today", "a literal by now"))


@pytest.mark.parametrize(
    ("name", "said"), [("chat", "`chat` has not drifted"), ("rerank", "`rerank` is no longer declared")]
)
def test_revert_refuses_what_it_cannot_bring_back(applied: Sandbox, name: str, said: str) -> None:
    """A name that did not drift is mostly a slip of the finger."""
    applied.sim.world.console_update(applied.id("rerank"), healthy={"path": "/"})
    applied.declare(
        item("chat", minReplicas=1, maxReplicas=3, env={"MODE": "fast", "HF_TOKEN": "${env:HF_TOKEN}"}),
        item("embed", healthPath="/ready"),
    )
    ran = applied.run("drift", "revert", name)
    assert (ran.code, said in ran.err) == (1, True)


def test_revert_of_nothing_is_nothing(applied: Sandbox) -> None:
    """Exit 0, and no write."""
    ran = applied.run("drift", "revert")
    assert (ran.code, ran.out) == (0, "No changes. Your infrastructure matches the configuration.\n")


def test_a_revert_that_was_cut_off_is_resumed(applied: Sandbox) -> None:
    """Exactly the rest of it, and not what the YAML changed."""
    for name in ("chat", "embed"):
        applied.sim.world.console_update(applied.id(name), healthy={"path": "/x"})
    applied.declare(
        item("chat", minReplicas=1, maxReplicas=3, env={"MODE": "fast", "HF_TOKEN": "${env:HF_TOKEN}"},
             image="new:1"),
        item("embed", healthPath="/ready", image="new:2"),
        item("rerank"),
    )  # fmt: skip
    applied.killed("update", "--parallelism", "1", command=("drift", "revert", "--yes"))
    assert applied.run("apply", "--resume").code == 0
    assert applied.run("drift").code == 0
    assert applied.plan().actions == {"chat": "update", "embed": "update"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["drift", "--baseline", "x", "revert"],
        ["drift", "--json-into", "x", "revert"],
        ["drift", "revert", "--target", "x"],
        ["drift", "chat"],
    ],
)
def test_options_that_do_not_belong_are_usage_errors(applied: Sandbox, arguments: list[str]) -> None:
    """64, and never 2, which would read as drift."""
    assert applied.run(*arguments).code == 64


def test_shared_options_stand_anywhere(applied: Sandbox) -> None:
    """Before the group, inside of it, and after its command."""
    root = str(applied.root)
    for words in (["-C", root, "drift"], ["drift", "-C", root, "revert"], ["drift", "revert", "-C", root]):
        assert applied.run(*words).code == 0
    assert json.loads(applied.run("state", "--json", "list").out)[0]["name"] == "chat"
