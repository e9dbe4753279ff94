"""`${exec:NAME:ARGUMENT}` runs a program that only the user registers; its value is a secret everywhere."""

import json
import os
import signal
import stat
import time
from pathlib import Path

import pytest

from tests.e2e.sandbox import Sandbox, item

VALUE = "s3cret of the vault 42"
API_KEY = "sk_from-the-vault-of-op"
OP = """\
#!/bin/sh
# 1Password: op read REFERENCE
echo "$PWD|$*|${ONLY_IN_DOTENV-unset}|${REAL-unset}|$(cat)" >> "$LOG"
[ "$1" = read ] || { echo "[ERROR] unknown command" >&2; exit 1; }
case $2 in
  op://infra/chat/*) echo "s3cret of the vault 42" ;;
  op://infra/novita/key) echo "sk_from-the-vault-of-op" ;;
  op://infra/empty) echo ;;
  op://infra/slow*) sleep 60 & echo $! >> "$LOG.child"; wait ;;
  op://infra/large) head -c 70000 /dev/zero | tr '\\0' x ;;
  op://infra/binary) printf '\\377' ;;
  op://infra/talks) printf 'half-of-it-was-printed'; echo "cannot send half-of-it-was-printed" >&2; exit 1 ;;
  op://infra/daemon) sleep 5 & echo "from a daemon" ;;
  *) printf "[ERROR] %s isn't an item. \\033[31mToken: %s\\n" "$2" "$OP_SERVICE_ACCOUNT_TOKEN" >&2; exit 7 ;;
esac
"""


@pytest.fixture
def helped(sandbox: Sandbox) -> Sandbox:
    """A sandbox of a user with a fake `op` on PATH, which is registered as a helper."""
    home = sandbox.root.parent / "home"
    program(home / "bin/op", OP)
    setenv = sandbox.monkeypatch.setenv
    setenv("HOME", str(home))
    sandbox.monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    setenv("PATH", f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}")
    setenv("LOG", str(home / "log"))
    setenv("REAL", "real")
    setenv("OP_SERVICE_ACCOUNT_TOKEN", "ops_the-token-of-op")
    setenv("RECONCILER_SECRET_HELPERS", "op=op read op://infra/%s")
    sandbox.declare(item("chat", env={"TOKEN": "${exec:op:chat/hf-token}"}))
    return sandbox


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def calls(sandbox: Sandbox) -> list[str]:
    log = sandbox.root.parent / "home/log"
    return log.read_text().splitlines() if log.exists() else []


def register(sandbox: Sandbox, text: str, mode: int = 0o600) -> Path:
    """Write the user's own file, and register nothing in the environment."""
    sandbox.monkeypatch.delenv("RECONCILER_SECRET_HELPERS")
    path = sandbox.root.parent / "home/.config/reconciler/config.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def test_the_value_arrives_and_is_shown_nowhere(helped: Sandbox) -> None:
    """One call for ten endpoints, a plan and an apply; nothing that is printed or written has the value."""
    helped.write(".env", "ONLY_IN_DOTENV=1\n")
    helped.declare(*(item(f"chat-{n}", env={"TOKEN": "Bearer ${exec:op:chat/hf-token}"}) for n in range(10)))
    ran = helped.apply("--env-file", ".env", "-v", "--explain", "--json")
    assert {env["value"] for one in helped.live().values() for env in one["envs"]} == {f"Bearer {VALUE}"}
    home = helped.root.parent / "home"
    assert calls(helped) == [f"{home}|read op://infra/chat/hf-token|unset|real|"]
    said = [ran]
    for command in (("plan",), ("preview",), ("history",), ("drift",), ("get", "chat-1"), ("state", "list")):
        said += [helped.run(*command), helped.run(*command, "--json")]
    assert helped.plan().actions == {}
    files = [content.decode(errors="replace") for content in helped.files().values()]
    assert [text for text in (*files, *(x.out + x.err for x in said)) if VALUE in text] == []
    assert "${exec:op:chat/hf-token}" in "".join(files)


@pytest.mark.parametrize(
    "command", ["validate", "drift", "list", "preview --create", "specs", "doctor", "destroy --yes"]
)
def test_commands_that_need_no_values_run_no_helper(helped: Sandbox, command: str) -> None:
    helped.apply()
    before = calls(helped)
    ran = helped.run(*command.split())
    assert ran.code in (0, 1)
    assert calls(helped) == before
    if command == "validate":
        assert ran.err.count("Note: values of secret helpers are not checked") == 1


def test_only_selected_endpoints_run_helpers(helped: Sandbox) -> None:
    helped.declare(item("chat"), item("embed", env={"TOKEN": "${exec:op:chat/hf-token}"}))
    assert helped.plan("--target", "chat").actions == {"chat": "create"}
    assert calls(helped) == []


@pytest.mark.parametrize(
    ("argument", "code", "words"),
    [
        (
            "nope",
            "helper-failed",
            ["${exec:op:nope} has no value: the helper `op` ended with exit status 7", "isn't an item"],
        ),
        ("empty", "unset-reference", ["printed nothing for ${exec:op:empty}"]),
        ("talks", "helper-failed", ["cannot send (sensitive value)"]),
        ("large", "helper-failed", ["printed more than 64 KiB"]),
        ("binary", "helper-failed", ["not UTF-8 text"]),
    ],
)  # fmt: skip
def test_a_failure_is_explained_at_its_reference(
    helped: Sandbox, argument: str, code: str, words: list[str]
) -> None:
    """The place, the exit status, the message of the helper without its token, and the command to try."""
    helped.write(
        "endpoints.yaml",
        "endpoints:\n- endpoint: chat\n  specName: small\n  image: x:1\n"
        f"  env:\n    T: x ${{exec:op:{argument}}}\n",
    )
    ran = helped.plan()
    (problem,) = ran.document["problems"]
    text = problem["summary"] + problem["detail"] + problem["hint"]
    assert (ran.code, problem["code"]) == (1, code)
    assert (problem["file"], problem["line"], problem["column"]) == ("endpoints.yaml", 6, 10)
    assert [word for word in words if word not in text] == []
    shown = helped.run("plan").err
    assert "\x1b" not in shown
    assert "the-token-of-op" not in shown + ran.out


def test_a_slow_helper_is_killed_with_its_children(helped: Sandbox) -> None:
    """The user is told after a time what the run waits for, and why it failed."""
    helped.monkeypatch.setattr("reconciler.model.durations.HELPER_TIMEOUT", 0.5)
    helped.monkeypatch.setattr("reconciler.model.durations.HELPER_NOTICE", 0.1)
    helped.declare(item("chat", env={f"TOKEN_{n}": f"${{exec:op:slow/{n}}}" for n in range(12)}))
    began = time.monotonic()
    ran = helped.run("plan")
    assert ran.code == 1
    assert time.monotonic() - began < 3, "only the first calls wait"
    assert ran.err.count("is not asked for further values, because it did not answer") == 1
    assert "Waiting for the secret helper op (0 of 12 values)..." in ran.err
    assert "did not answer within 0.5 s" in ran.err
    children = [int(line) for line in (helped.root.parent / "home/log.child").read_text().split()]
    assert children
    deadline = time.monotonic() + 60
    while any(map(is_running, children)):
        assert time.monotonic() < deadline


def test_an_interrupt_ends_the_helpers(helped: Sandbox) -> None:
    """At once, without a traceback, and none is started afterwards."""
    helped.declare(item("chat", env={f"TOKEN_{n}": f"${{exec:op:slow/{n}}}" for n in range(12)}))
    process = helped.start("plan")
    log = helped.root.parent / "home/log.child"
    deadline = time.monotonic() + 30
    while not (log.exists() and len(log.read_text().split()) == 4):
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=8)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    children = [int(line) for line in log.read_text().split()]
    assert len(children) == 4
    while any(map(is_running, children)):
        assert time.monotonic() < deadline


def test_a_process_that_stays_behind_is_not_waited_for(helped: Sandbox) -> None:
    """Password managers start daemons, which keep the streams open."""
    helped.declare(item("chat", env={"TOKEN": "${exec:op:daemon}"}))
    began = time.monotonic()
    helped.apply()
    assert time.monotonic() - began < 4


def test_helpers_run_in_parallel(helped: Sandbox) -> None:
    """Four calls that wait for each other end; one after another they would not."""
    gate = helped.root.parent / "gate"
    gate.mkdir()
    text = f"""#!/bin/sh
touch {gate}/$1
until [ $(ls {gate} | wc -l) -ge 4 ]; do sleep 0.02; done
echo value
"""
    program(helped.root.parent / "home/bin/waits", text)
    helped.monkeypatch.setenv("RECONCILER_SECRET_HELPERS", "op=op read %s\nwaits=waits %s")
    helped.declare(item("chat", env={f"T{n}": f"${{exec:waits:{n}}}" for n in range(4)}))
    assert helped.plan().actions == {"chat": "create"}


def test_a_repository_chooses_no_program(helped: Sandbox) -> None:
    """Neither its config.yaml, nor a folder of it on PATH, nor a home folder inside of it."""
    helped.monkeypatch.setenv("RECONCILER_SECRET_HELPERS", "mine=mine %s")
    helped.declare(item("chat", env={"TOKEN": "${exec:evil:x}", "OTHER": "${exec:mine:x}"}))
    helped.write("config.yaml", {"novita": {"settle_seconds": 0}, "secret_helpers": {"evil": "touch hacked"}})
    program(helped.root / "bin/mine", "#!/bin/sh\ntouch hacked\n")
    links = helped.root.parent / "links"
    links.mkdir()
    (links / "mine").symlink_to(helped.root / "bin/mine")
    (helped.root / "links").mkdir()
    (helped.root / "links/mine").symlink_to("/usr/bin/env")
    for path in (str(helped.root / "bin"), "bin", "", str(links), str(helped.root / "links")):
        helped.monkeypatch.setenv("PATH", f"{path}{os.pathsep}/usr/bin{os.pathsep}/bin")
        problems = {problem["code"]: problem for problem in helped.plan().document["problems"]}
        assert problems.keys() == {"unknown-helper", "helper-not-found"}
        assert "mine, which is not on PATH" in problems["helper-not-found"]["summary"]
        assert "export RECONCILER_SECRET_HELPERS='evil=COMMAND %s'" in problems["unknown-helper"]["hint"]
    helped.monkeypatch.setenv("HOME", str(helped.root))
    helped.write(".config/reconciler/config.yaml", "secret_helpers: {evil: touch hacked}")
    summary = " ".join(problem["summary"] for problem in helped.plan().document["problems"])
    assert "is in the repository, whose authors must not choose programs" in summary
    assert list(helped.root.rglob("hacked")) == []


@pytest.mark.parametrize(
    "reference",
    ["${exec:op:-v}", "${exec:op:a;b}", "${exec:op:a/../b}", "${exec:op:$(id)}", "${exec:op: a}",
     "${exec:op:}", "${exec::a}", "${exec:../x:a}", "${exec:op:" + "a" * 257 + "}", "${exec:op:a\nb}",
     '${exec:op:a"b}', "${exec:op:%s}"],
)  # fmt: skip
def test_an_argument_is_one_harmless_word(helped: Sandbox, reference: str) -> None:
    """It is no option, leaves no folder, and no shell reads it."""
    helped.declare(item("chat", env={"TOKEN": reference}))
    assert helped.plan().codes == ["bad-reference"]
    assert calls(helped) == []


def test_arguments_can_be_limited(helped: Sandbox) -> None:
    """`RECONCILER_ALLOW_EXEC` limits what the authors of pull requests can read."""
    helped.monkeypatch.setenv("RECONCILER_ALLOW_EXEC", "op:other/* op:chat/hf-*")
    assert helped.plan().codes == []
    helped.monkeypatch.setenv("RECONCILER_ALLOW_EXEC", "op:other/*")
    ran = helped.plan()
    assert ran.codes == ["reference-refused"]
    assert "add op:chat/hf-token to RECONCILER_ALLOW_EXEC" in ran.document["problems"][0]["hint"]
    assert helped.run("validate").code == 1
    assert len(calls(helped)) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"replicas": "${exec:op:chat/x}"},
        {"healthPath": "/x", "storage": [{"type": "local", "sizeGb": 1, "mountPath": "/${exec:op:chat/x}"}]},
        {"endpoint": "${exec:op:chat/x}"},
    ],
)
def test_a_field_that_cannot_be_masked_refuses_a_helper(helped: Sandbox, fields: dict[str, object]) -> None:
    helped.declare({**item("chat"), **fields})
    for command in ("validate", "plan"):
        ran = helped.run(command, "--json")
        assert {problem["code"] for problem in ran.document["problems"]} & {
            "reference-refused",
            "reference-not-allowed",
        }
    assert calls(helped) == []


def test_the_api_key_can_come_from_a_helper(helped: Sandbox) -> None:
    """Asked for once a command, also by those that read only; not by those that need no key."""
    helped.monkeypatch.delenv("NOVITA_API_KEY")
    helped.write("config.yaml", {"novita": {"api_key": "${exec:op:novita/key}", "settle_seconds": 0.05}})
    helped.declare(item("chat"))
    said = []
    for command in ("validate", "specs", "preview --create", "env list", "schema config"):
        said.append(helped.run(*command.split()))
        assert said[-1].code == 0, said[-1].err
        assert calls(helped) == [], command
    for command in ("plan -v", "apply --yes --json", "drift", "list", "get chat", "doctor"):
        said.append(helped.run(*command.split()))
        assert said[-1].code == 0, said[-1].err
        assert [line.split("|")[1] for line in calls(helped)] == ["read op://infra/novita/key"], command
        (helped.root.parent / "home/log").unlink()
    assert {request.headers["authorization"] for request in helped.sim.requests} == {"Bearer " + API_KEY}
    files = [content.decode(errors="replace") for content in helped.files().values()]
    assert [text for text in (*files, *(x.out + x.err for x in said)) if API_KEY in text] == []


def test_an_environment_can_have_a_key_of_a_helper(helped: Sandbox) -> None:
    helped.write("config.yaml", {"environments": {"prod": {"api_key": "${exec:op:nope}"}, "dev": {}}})
    helped.declare(item("chat"))
    assert helped.run("plan", "-e", "dev").code == 0
    ran = helped.run("plan", "-e", "prod")
    assert ran.code == 1
    assert "config.yaml:4:" in ran.err
    assert "${exec:op:nope} has no value: the helper `op` ended with exit status 7" in ran.err


def test_other_settings_cannot_come_from_a_helper(helped: Sandbox) -> None:
    """They are shown, and nearly every command reads them."""
    settings = {"base_url": "https://${exec:op:chat/x}", "config_dir": "${exec:op:chat/x}"}
    helped.write("config.yaml", {"novita": settings})
    helped.monkeypatch.delenv("NOVITA_BASE_URL")
    helped.declare(item("chat"))
    for command in ("validate", "plan"):
        ran = helped.run(command, "--json")
        assert [problem["code"] for problem in ran.document["problems"]].count("reference-refused") == 2
    assert calls(helped) == []


def test_a_file_of_the_user_registers_helpers(helped: Sandbox) -> None:
    """As text or as a list of words; the environment takes precedence; a link to dotfiles is followed."""
    path = register(
        helped, 'secret_helpers:\n  op: op read "op://infra/%s"\n  two: [op, read, "op://infra/chat/%s"]\n'
    )
    path.rename(path.with_name("real.yaml"))
    path.symlink_to("real.yaml")
    helped.declare(item("chat", env={"A": "${exec:op:chat/a}", "B": "${exec:two:b c}"}))
    helped.apply()
    assert {env["value"] for env in helped.live()["chat"]["envs"]} == {VALUE}
    assert {line.split("|")[1] for line in calls(helped)} == {
        "read op://infra/chat/a",
        "read op://infra/chat/b c",
    }
    helped.monkeypatch.setenv("RECONCILER_SECRET_HELPERS", "op=op read op://infra/nope/%s")
    assert helped.plan().codes == ["helper-failed"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("secret_helpers: {op: ''}", "must begin with a program"),
        ("secret_helpers: {op: 'op \"'}", "quote that is never closed"),
        ("secret_helpers: {op: [1]}", "must be a name with a command"),
        ("secret_helpers: {op: '%s'}", "must begin with a program"),
        ("secret_helpers: {op: [sh, -c, 'op read %s']}", "inserts its argument into a script"),
        ("secret_helpers: {op: [env, /bin/bash, -ec, 'op read %s']}", "inserts its argument into a script"),
        ("secret_helpers: {op: [python3.11, -c, 'print(%s)']}", "inserts its argument into a script"),
        ("op: op read", "must hold `secret_helpers:` and nothing else"),
        ("secret_helpers: [", "config.yaml:"),
    ],
)
def test_an_invalid_registration_is_explained(helped: Sandbox, text: str, words: str) -> None:
    register(helped, text)
    ran = helped.plan()
    assert ran.codes == ["bad-secret-helpers"]
    assert words in ran.document["problems"][0]["summary"]


@pytest.mark.parametrize("mode", [stat.S_IWGRP, stat.S_IWOTH])
def test_a_file_that_others_can_write_is_refused(helped: Sandbox, mode: int) -> None:
    path = register(helped, "secret_helpers: {op: 'op read op://infra/%s'}", 0o600 | mode)
    assert f"chmod go-w {path}" in helped.run("plan").err
    path.chmod(0o600)
    path.parent.chmod(0o700 | mode)
    assert f"chmod go-w {path.parent}" in helped.run("plan").err
    path.parent.chmod(0o755)
    assert helped.plan().codes == []


def test_a_helper_that_is_not_registered(helped: Sandbox) -> None:
    """`validate` warns, because the job may have no helpers; `plan` refuses, with the line to add."""
    helped.monkeypatch.delenv("RECONCILER_SECRET_HELPERS")
    ran = helped.run("validate", "--json")
    assert [(one["severity"], one["code"]) for one in ran.document["problems"]] == [
        ("warning", "unknown-helper")
    ]
    ran = helped.run("plan")
    assert ran.code == 1
    assert "export RECONCILER_SECRET_HELPERS='op=op read op://VAULT/%s'" in ran.err
    assert "  secret_helpers:\n    op: op read op://VAULT/%s\n" in ran.err
    helped.monkeypatch.setenv("RECONCILER_SECRET_HELPERS", "opp=op read op://infra/%s; plain=op read x")
    assert "Did you mean `opp`?" in helped.run("plan").err
    helped.declare(item("chat", env={"A": "${exec:opp}", "B": "${exec:plain:x}"}))
    assert "${exec:opp:ARGUMENT}" in (err := helped.run("plan").err)
    assert "takes no argument" in err


def test_the_number_of_calls_is_limited(helped: Sandbox) -> None:
    """A repository cannot use up what a password manager allows in an hour."""
    helped.monkeypatch.setattr("reconciler.config.references.helper_calls.MAX_CALLS", 2)
    helped.declare(item("chat", env={f"T{n}": f"${{exec:op:chat/{n}}}" for n in range(4)}))
    ran = helped.plan()
    assert ran.codes == ["helper-not-asked"]
    assert "asks helpers for at most 2 values" in ran.document["problems"][0]["summary"]
    assert len(calls(helped)) == 2


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("no-format", "not a program", "cannot be started: Exec format error"),
        ("closes", "#!/bin/sh\nexec >&- 2>&-\nsleep 60\n", "did not answer within 0.5 s"),
        ("killed", "#!/bin/sh\nkill -9 $$\n", "was ended by signal 9"),
    ],
)
def test_a_program_that_does_not_work_is_explained(helped: Sandbox, name: str, text: str, words: str) -> None:
    helped.monkeypatch.setattr("reconciler.model.durations.HELPER_TIMEOUT", 0.5)
    helped.monkeypatch.setenv("RECONCILER_SECRET_HELPERS", f"x=~/bin/{name}")
    program(helped.root.parent / "home/bin" / name, text)
    helped.declare(item("chat", env={"TOKEN": "${exec:x}"}))
    assert words in helped.run("plan").err


def test_a_machine_without_a_home_folder(helped: Sandbox) -> None:
    """As in some containers: the variable suffices, and the hint names nothing else."""
    helped.monkeypatch.delenv("HOME")
    assert helped.plan().codes == []
    assert calls(helped)[0].startswith("/|read")
    helped.monkeypatch.setenv("RECONCILER_SECRET_HELPERS", "")
    assert "or write into" not in helped.run("plan").err
    helped.monkeypatch.setenv("RECONCILER_SECRET_HELPERS", "op read x")
    assert "an entry that is not NAME=COMMAND" in helped.run("plan").err


def test_a_file_of_another_user_is_refused(helped: Sandbox) -> None:
    path = register(helped, "secret_helpers: {op: 'op read op://infra/%s'}")
    if os.getuid() != 0:
        pytest.skip("only root can give a file to another user")
    os.chown(path, 12345, -1)
    assert f"{path} belongs to another user" in helped.run("plan").err
    assert calls(helped) == []


def test_doctor_looks_for_the_programs(helped: Sandbox) -> None:
    """It runs none; without a helper it says nothing."""

    def check() -> list[tuple[str, str]]:
        checks = helped.run("doctor", "--json").document["checks"]
        return [(one["grade"], one["found"]) for one in checks if one["name"] == "helpers"]

    assert check() == [("ok", "secret helpers: op")]
    helped.monkeypatch.setenv("RECONCILER_SECRET_HELPERS", "op=op read %s; gone=not-there %s")
    assert check() == [("warn", "not on PATH outside of the repository: not-there for `gone`")]
    helped.monkeypatch.setenv("RECONCILER_SECRET_HELPERS", "op")
    assert check() == [("fail", "RECONCILER_SECRET_HELPERS has an entry that is not NAME=COMMAND")]
    helped.monkeypatch.delenv("RECONCILER_SECRET_HELPERS")
    assert check() == []
    assert calls(helped) == []


def test_a_rollback_runs_the_helper_again(helped: Sandbox) -> None:
    """The history keeps the reference, not the value."""
    helped.apply()
    helped.declare(item("chat", env={"TOKEN": "plain"}))
    helped.apply()
    assert helped.run("rollback", "chat", "--auto-approve").code == 0
    assert json.dumps(VALUE) in json.dumps(helped.live()["chat"]["envs"])


def test_a_rollback_is_written_into_the_yaml_beside_a_helper(helped: Sandbox) -> None:
    """The YAML is read without the values of helpers; an equal reference is no difference."""
    helped.apply()
    helped.run("update", "chat", "--image", "ghcr.io/acme/chat:9.9.9", "--yes")
    before = (helped.root / "endpoints.yaml").read_text()
    ran = helped.run("rollback", "chat", "--write", "--yes")
    assert ran.code == 0, ran.err
    assert "The YAML declares that version already." in ran.err
    assert (helped.root / "endpoints.yaml").read_text() == before
    assert helped.plan().code == 0
