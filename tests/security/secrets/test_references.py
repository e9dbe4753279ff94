"""What comes by a reference is masked wherever it lands; references read no keys and no foreign files."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from reconciler.simulator import Fault
from tests.e2e.sandbox import SPECS, Sandbox, item

HIDDEN = {
    "PRODUCT_TOKEN": "SL-serverless-9",
    "REGION_SECRET": "eu-west-nas-1",
    "CUDA_KEY": "12.8",
    "IMAGE_PART": "hf_of-the-image",
    "HEALTH": "/h?code=s3cret!",
    "REGISTRY_AUTH": "auth-of-the-registry",
    "STORAGE": "st0rage id",
    "FLAG": "in-the-command",
    "VALUE": "in-the-env",
}
SEEN = ("SL-serverless-3", "us-dallas-nas-2", "ghcr.io/acme")
REPORTS = [word for kind in ("json", "markdown", "html", "junit") for word in (f"--{kind}-into", f"r/{kind}")]
SAYING = (
    ("validate",),
    ("plan", "-v"),
    ("plan", "--json"),
    ("plan", "--explain", "--out", "the.plan", *REPORTS),
    ("preview",),
    ("preview", "--json"),
    ("preview", "--create"),
    ("preview", "--curl"),
    ("drift",),
    ("drift", "--json"),
    ("history",),
    ("history", "--json"),
    ("state", "show", "chat"),
    ("state", "list", "--json"),
    ("list", "--output", "wide"),
    ("list", "--json"),
    ("get", "chat"),
    ("get", "chat", "--json"),
    ("status", "chat"),
    ("specs",),
    ("specs", "--json"),
    ("doctor",),
)


@pytest.fixture
def tainted(sandbox: Sandbox) -> Sandbox:
    """A reference in every field that may hold one, each with a value that must not be shown."""
    for name, value in HIDDEN.items():
        sandbox.monkeypatch.setenv(name, value)
    sandbox.monkeypatch.setenv("ORG", "ghcr.io/acme")
    novita = {
        "productId": "${env:PRODUCT_TOKEN}",
        "region": "${env:REGION_SECRET}",
        "cudaVersion": "${env:CUDA_KEY}",
    }
    hidden = {**SPECS["specs"][0], "name": "hidden", "platforms": {"novita": novita}}
    sandbox.write("specs.yaml", {"specs": [SPECS["specs"][0], hidden]})
    sandbox.declare(declared(), item("embed"))
    return sandbox


def declared(**more: Any) -> dict[str, Any]:
    return {
        "endpoint": "chat",
        "specName": "hidden",
        "image": "${env:ORG}/chat:${env:IMAGE_PART}",
        "healthPath": "${env:HEALTH}",
        "imageAuthId": "${env:REGISTRY_AUTH}",
        "command": "serve ${env:FLAG}",
        "env": {"K": "${env:VALUE}"},
        "storage": [{"type": "network", "id": "${env:STORAGE}", "mountPath": "/network"}],
        **more,
    }


def leaks(
    sandbox: Sandbox, *said: str, values: tuple[str, ...] = tuple(HIDDEN.values())
) -> list[tuple[str, str]]:
    """(where, what) for each hidden value in a text or in a file of the folder."""
    texts = {f"output {number}": text for number, text in enumerate(said)}
    texts |= {name: content.decode(errors="replace") for name, content in sandbox.files().items()}
    return [(place, value) for place, text in texts.items() for value in values if value in text]


def said_by(sandbox: Sandbox, *commands: tuple[str, ...]) -> list[str]:
    ran = [sandbox.run(*command) for command in commands or SAYING]
    return [text for one in ran for text in (one.out, one.err)]


def test_they_are_masked_through_a_life_and_arrive(tainted: Sandbox) -> None:
    """Created, drifted, changed, rolled back, deleted: no output and no file holds one; Novita has them."""
    said = said_by(tainted)
    assert leaks(tainted, *said) == []
    assert "ghcr.io/acme/chat:(sensitive value)" in said[2]
    tainted.apply()
    live = tainted.live()["chat"]
    arrived = json.dumps([live, live["envs"]])
    assert [value for value in HIDDEN.values() if value not in arrived] == []
    assert tainted.plan().code == 0, "a second plan is empty"
    said += said_by(tainted)

    drifted = {"image": {**live["image"], "image": "hf_their-image"}, "healthy": {"path": "/hf_their-path"}}
    tainted.sim.world.edit(live["id"], lambda one: one.update(drifted))
    moved = tainted.run("drift", "--json").document["resource_drift"][0]["fields"]
    assert {".".join(one["path"]): (one["cause"], one["sensitive"]) for one in moved} == {
        "image.image": ("drift", True),
        "healthy.path": ("drift", True),
    }
    said += said_by(tainted)
    tainted.monkeypatch.setenv("STORAGE", HIDDEN["STORAGE"] + " 2")
    pending = tainted.plan().document["resource_changes"][0]["fields"]
    assert {one["path"][0]: one["cause"] for one in pending} == {
        "image": "drift",
        "healthy": "drift",
        "volumeMounts": "config",
    }
    said += said_by(tainted)
    tainted.apply("-v", "--explain", *REPORTS)
    assert tainted.plan().code == 0
    tainted.declare(declared(image="${env:ORG}/chat:2", healthPath="/plain"), item("embed"))
    said += said_by(tainted)
    tainted.apply()
    assert leaks(tainted, *said, values=(*HIDDEN.values(), "hf_their-image", "hf_their-path")) == []
    said.append(tainted.run("rollback", "chat", "2", "--auto-approve", "--json").out)
    assert HIDDEN["IMAGE_PART"] in tainted.live()["chat"]["image"]["image"]
    tainted.declare(item("embed"))
    said += said_by(tainted)
    said.append(tainted.run("apply", "--auto-approve", "--json").out)
    assert "chat" not in tainted.live()
    assert leaks(tainted, *said) == []


def test_an_inventory_from_before_is_taken_over(tainted: Sandbox) -> None:
    """Earlier versions kept such values in the clear; the next apply seals them without sending anything."""
    tainted.apply()
    path = tainted.root / "state/novita.json"
    kept = json.loads(path.read_text())
    applied = kept["endpoints"]["chat"]["applied"]
    live = tainted.live()["chat"]
    applied["image"]["image"], applied["products"] = live["image"]["image"], [{"id": HIDDEN["PRODUCT_TOKEN"]}]
    applied["clusterID"], applied["healthy"] = HIDDEN["REGION_SECRET"], {"path": HIDDEN["HEALTH"]}
    path.write_text(json.dumps(kept))
    writes = len(tainted.sent())
    ran = tainted.plan()
    assert ran.actions == {}
    tainted.apply()
    assert len(tainted.sent()) == writes
    path.with_name("novita.json.backup").unlink(missing_ok=True)
    assert leaks(tainted, ran.out) == []


@pytest.mark.parametrize("operation", ["create", "update"])
def test_what_novita_quotes_of_them_is_masked(tainted: Sandbox, operation: str) -> None:
    """A refusal that quotes the whole request, and a value that Novita keeps, show none of it."""
    tainted.declare(declared())
    if operation == "update":
        tainted.apply()
        tainted.declare(declared(port=9000))
    bodies = [json.dumps(one["body"]) for one in tainted.run("preview", "--json", "--reveal").document]
    for body in (*bodies, *HIDDEN.values()):
        fault = Fault(operation=operation, status=400, reason="VALIDATOR_PARAM", message=body)
        tainted.sim.faults.add(fault)
    for options in ((), ("--json",), ("-v", *REPORTS)):
        ran = tainted.run("apply", "--auto-approve", "--parallelism", "1", *options)
        assert leaks(tainted, ran.out, ran.err) == []


@pytest.mark.parametrize(
    ("name", "value", "is_shown"),
    [
        ("TAG", "1.4.2", True),
        ("IMAGE_TAG", "main-3f2cb3d", True),
        ("GIT_SHA", "3f2cb3db4fa0be235e2f0533b66b3100b1a0afd7", True),
        ("REV", "v2@sha256:" + "0a" * 32, True),
        ("API_KEY", "1.4.2", False),
        ("HF_TOKEN", "abc", False),
        ("my_password", "abc", False),
        ("DB_DSN", "abc", False),
        ("DEPLOY_PAT", "abc", False),
        ("OTHER", "sk_live_1234", False),
        ("OTHER", "hf_abcdefgh", False),
        ("OTHER", "AKIAIOSFODNN7EXAMPLE1", False),
        ("OTHER", "user:pass@host", False),
        ("OTHER", "postgres://u:p@h/db", False),
        ("OTHER", "two words", False),
        ("OTHER", "x" * 129, False),
        ("OTHER", "é", False),
    ],
)
def test_only_plain_words_of_plain_names_are_shown(
    sandbox: Sandbox, name: str, value: str, is_shown: bool
) -> None:
    """An image tag stays readable in a review; what may be a secret does not, whatever field it stands in."""
    sandbox.monkeypatch.setenv(name, value)
    sandbox.declare(item("chat", image=f"acme/chat:${{env:{name}}}"))
    ran = [sandbox.run("preview", "--create"), sandbox.run("plan"), sandbox.run("plan", "--json")]
    for one in ran:
        assert (f"acme/chat:{value}" in one.out + one.err) is is_shown
        assert ("acme/chat:(sensitive value)" in one.out) is (not is_shown and one.code == 0)


@pytest.mark.parametrize(
    "field",
    [
        {"storage": [{"type": "local", "sizeGb": 30, "mountPath": "${env:OTHER}"}]},
        {"lifecycle": {"ignoreChanges": ["${env:OTHER}"]}},
        {"policy": {"type": "${env:OTHER}", "value": 1}},
        {"port": "${env:PASSWORD}"},
        {"port": "${env:OTHER}"},
        {"requestTimeout": "${file:pin.key}"},
    ],
    ids=str,
)
def test_where_nothing_can_be_masked_it_is_refused(sandbox: Sandbox, field: dict[str, Any]) -> None:
    """A key of a map, a word of a list, a number: the message has the place, and not the value."""
    sandbox.monkeypatch.setenv("OTHER", "s3cret value")
    sandbox.monkeypatch.setenv("PASSWORD", "48151")
    sandbox.write("pin.key", "48151\n")
    sandbox.declare(item("chat", **field))
    for command in ("validate", "plan", "plan --json", "preview --create"):
        ran = sandbox.run(*command.split())
        assert ran.code == 1
        assert "endpoints.yaml" in ran.out + ran.err
        assert "s3cret value" not in ran.out + ran.err
        assert "48151" not in ran.out + ran.err


@pytest.mark.parametrize(
    "name",
    [
        "NOVITA_API_KEY",
        "RECONCILER_STATE_KEY",
        "RECONCILER_ALLOW_ENV",
        "GITHUB_TOKEN",
        "GH_TOKEN",
        "INPUT_TOKEN",
        "ACTIONS_RUNTIME_TOKEN",
        "ACTIONS_ID_TOKEN_REQUEST_URL",
        "CI_JOB_TOKEN",
        "CI_JOB_JWT_V2",
        "CI_REGISTRY_PASSWORD",
        "GITLAB_TOKEN",
        "DOCKER_AUTH_CONFIG",
        "PUSH_TOKEN",
        "SYSTEM_ACCESSTOKEN",
        "BITBUCKET_STEP_OIDC_TOKEN",
        "CIRCLE_OIDC_TOKEN_V2",
        "BUILDKITE_AGENT_ACCESS_TOKEN",
    ],
)
def test_keys_of_the_run_are_never_read(sandbox: Sandbox, name: str) -> None:
    """Not in an endpoint, not in a spec, not in the settings, not behind a default; set or not."""
    for value in ("plain", None):
        if value is None:
            sandbox.monkeypatch.delenv(name, raising=False)
        elif name != "NOVITA_API_KEY":
            sandbox.monkeypatch.setenv(
                name, "RECONCILER_ALLOW_ENV" if name == "RECONCILER_ALLOW_ENV" else value
            )
        places: list[dict[str, Any]] = [
            {"image": f"acme/x:${{env:{name}}}"},
            {"env": {"A": f"${{env:{name}:-none}}"}},
            {"healthPath": f"${{env:{name}}}"},
            {"port": f"${{env:{name}}}"},
        ]
        for field in places:
            sandbox.declare(item("chat", **field))
            for command in ("validate", "preview --create", "plan"):
                ran = sandbox.run(*command.split())
                assert ran.code == 1
                assert f"{name}" in ran.err
                assert "is refused" in ran.err
    sandbox.declare(item("chat"))
    sandbox.write("config.yaml", {"novita": {"config_dir": f"${{env:{name}}}"}})
    assert "is refused" in sandbox.run("validate").err
    if name != "NOVITA_API_KEY":
        sandbox.write("config.yaml", {"novita": {"api_key": f"${{env:{name}}}"}})
        sandbox.monkeypatch.delenv("NOVITA_API_KEY")
        assert "is refused" in sandbox.run("plan").err


def test_the_seeds_own_form_of_the_key_is_fine(sandbox: Sandbox) -> None:
    """`api_key: "${env:NOVITA_API_KEY}"` reads it, whatever else references may read."""
    sandbox.write("config.yaml", {"novita": {"api_key": "${env:NOVITA_API_KEY}"}})
    sandbox.monkeypatch.setenv("RECONCILER_ALLOW_ENV", "")
    sandbox.declare(item("chat"))
    assert sandbox.run("plan").code == 0
    sandbox.apply()


@pytest.mark.parametrize(
    ("allowed", "name", "is_fine"),
    [
        ("", "HF_TOKEN", False),
        ("HF_TOKEN", "HF_TOKEN", True),
        ("A, HF_*  B", "HF_TOKEN", True),
        ("HF_*,B", "B", True),
        ("HF_*", "AWS_SECRET_ACCESS_KEY", False),
        ("hf_token", "HF_TOKEN", False),
        ("*", "HF_TOKEN", True),
        ("*", "GITHUB_TOKEN", False),
    ],
)
def test_the_environment_narrows_what_may_be_read(
    sandbox: Sandbox, allowed: str, name: str, is_fine: bool
) -> None:
    """Globs between commas and spaces; the empty list allows none, and no list allows the protected ones."""
    sandbox.monkeypatch.setenv("RECONCILER_ALLOW_ENV", allowed)
    sandbox.monkeypatch.setenv(name, "some_value")
    sandbox.declare(item("chat", env={"A": f"${{env:{name}}}"}))
    ran = sandbox.run("plan")
    assert (ran.code == 0) is is_fine
    if not is_fine:
        assert f"${{env:{name}}} is refused" in ran.err
        assert "endpoints.yaml:" in ran.err
    assert "some_value" not in ran.out + ran.err


def test_files_are_read_below_the_root_alone(sandbox: Sandbox) -> None:
    """No absolute path, no way out, no link out, no repository, no .env; the content is never told."""
    outside = sandbox.root.parent / "secret.txt"
    outside.write_text("from_outside!")
    for name in (
        ".git/config",
        "sub/.GIT/config",
        ".env",
        "sub/.env.local",
        ".ENV",
        "sub/good.txt",
        ".git-credentials",
    ):
        sandbox.write(name, "from_outside!\n")
    (sandbox.root / "out").symlink_to(outside)
    (sandbox.root / "there").symlink_to(sandbox.root.parent)
    (sandbox.root / "repo").symlink_to(sandbox.root / ".git")
    (sandbox.root / "dot").symlink_to(sandbox.root / ".env")
    (sandbox.root / "loop").symlink_to("loop")
    (sandbox.root / "fine").symlink_to("sub/good.txt")
    os.mkfifo(sandbox.root / "pipe")
    refused = (
        *(str(outside), "../secret.txt", "sub/../../secret.txt", "out", "there/secret.txt", "loop", "pipe"),
        *(".git/config", "sub/.GIT/config", "repo/config", "dot", ".env", "sub/.env.local", ".ENV"),
        *("./.git/config", "sub/../.git/config", ".git-credentials", "/dev/zero", "/proc/self/environ"),
    )
    for name in refused:
        for field in ({"image": f"x:${{file:{name}}}"}, {"env": {"A": f"${{file:{name}}}"}}):
            sandbox.declare(item("chat", **field))
            for command in ("validate", "preview --create", "plan --json"):
                ran = sandbox.run(*command.split())
                assert ran.code == 1, name
                assert "from_outside" not in ran.out + ran.err
                assert "cannot be used" in ran.out + ran.err or "is refused" in ran.out + ran.err
    for name in ("sub/good.txt", "fine", "sub/../sub/good.txt"):
        sandbox.declare(item("chat", env={"A": f"${{file:{name}}}"}))
        assert sandbox.run("plan").code == 0
    sandbox.apply()
    assert sandbox.live()["chat"]["envs"] == [{"key": "A", "value": "from_outside!"}]


def test_a_base_url_shows_no_secret(sandbox: Sandbox) -> None:
    """Neither the host that the key may not go to, nor a folder that holds no specs."""
    sandbox.monkeypatch.delenv("NOVITA_BASE_URL")
    sandbox.monkeypatch.setenv("OTHER", "s3cret value")
    sandbox.declare(item("chat"))
    for field in (
        {"base_url": "https://${env:OTHER}.novita.ai"},
        {"base_url": "https://${env:OTHER}.evil.example"},
        {"base_url": "${env:OTHER}"},
        {"config_dir": "${env:OTHER}"},
        {"config_dir": "specs/${env:OTHER}"},
        {"poll_interval": "${env:OTHER}"},
        {"adopt": "${env:OTHER}"},
    ):
        sandbox.write("config.yaml", {"novita": field})
        for command in ("validate", "plan", "doctor", "list --json"):
            ran = sandbox.run(*command.split())
            assert "s3cret value" not in ran.out + ran.err
            assert ran.code == 1 or command == "doctor"


def test_a_folder_of_specs_outside_is_not_read(sandbox: Sandbox, tmp_path: Path) -> None:
    """`config_dir` of a file that others can change leads nowhere else."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/specs.yaml").write_text("secret: [of somebody else\n")
    sandbox.declare(item("chat"))
    for folder in (str(tmp_path / "elsewhere"), "../elsewhere"):
        sandbox.write("config.yaml", {"novita": {"config_dir": folder}})
        ran = sandbox.run("validate")
        assert ran.code == 1
        assert "leads out of" in ran.err
        assert "somebody else" not in ran.err
