"""The commands, the policy and the variables of docs/run.md are real."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from reconciler.controller.git import access
from tests.e2e.sandbox import ROOT, Sandbox, item

GUIDE = (ROOT / "docs" / "run.md").read_text(encoding="utf-8")


def test_the_commands_run(tmp_path: Path) -> None:
    commands = GUIDE.split("<!-- commands -->\n```sh\n")[1].split("```")[0]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("NOVITA_")}
    done = subprocess.run(
        ["bash", "-euc", f'reconciler() {{ "{sys.executable}" -m reconciler "$@"; }}\n{commands}'],
        cwd=tmp_path,
        env={**inherited, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "A plan waits for an approval: Plan: 1 to add" in done.stderr
    assert "1 change was applied" in done.stderr


def test_the_policy_is_valid(sandbox: Sandbox) -> None:
    (policy,) = re.findall(r"```yaml\n(novita:\n  sync:.*?)```", GUIDE, re.DOTALL)
    sandbox.write("config.yaml", policy)
    sandbox.declare(item("chat"))
    ran = sandbox.run("validate", "-e", "prod")
    assert ran.code == 0, ran.err


def test_the_variables_are_those_of_the_program() -> None:
    rows = re.findall(r"^\| `(RECONCILER_GIT_\w+)` \|", GUIDE, re.MULTILINE)
    assert sorted(rows) == sorted(
        [access.TOKEN, access.TOKEN_FILE, access.USERNAME, access.SSH_KEY, access.KNOWN_HOSTS]
    )


def test_the_signature_of_the_script_is_accepted() -> None:
    """By the very lines of the guide."""
    from reconciler.controller.clock import SystemClock
    from reconciler.controller.hook import HookSecret

    (lines,) = re.findall(r"^body=.*\nsignature=.*$", GUIDE, re.MULTILINE)
    secret = "a-secret-that-nobody-can-guess"
    done = subprocess.run(
        ["sh", "-euc", f'{lines}\nprintf %s "$signature"'],
        env={"PATH": os.environ["PATH"], "RECONCILER_HOOK_SECRET": secret},
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    headers = {"x-hub-signature-256": f"sha256={done.stdout}"}
    assert HookSecret(secret, "RECONCILER_HOOK_SECRET", SystemClock()).is_authentic(headers, b"{}")
