"""A complete folder of a user, a simulated account, and the properties of every run."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from reconciler.model.problem import ExitCode
from reconciler.simulator import Server
from tests.fork_server import ForkServer
from tests.fuzz.distorted_responses import DistortedWorld

KEY: Final = "sk-fuzz=7f3a9c/e1"
TOKEN: Final = "hf-fuzz=51ab02/77"
FILED: Final = "pw-fuzz=c0ffee/99"
DOTENV: Final = "de-fuzz=9d8c7b/11"
THEIRS: Final = "th-fuzz=42d1aa/55"
OUTSIDE: Final = "os-fuzz=0b5e77/33"
"""The text of a file outside the folder, which no run may read."""
SECRETS: Final = (KEY, TOKEN, FILED, DOTENV, THEIRS, OUTSIDE)

SPECS = """\
specs:
  - name: small
    resources: {gpu: "1", ephemeralStorage: "100"}
    platforms: {novita: {productId: SL-serverless-3, region: us-dallas-nas-2}}
  - name: large   # twice as many
    resources: {gpu: "2", ephemeralStorage: "100"}
    platforms: {novita: {productId: SL-serverless-4, region: us-dallas-nas-2, cudaVersion: "12.4"}}
"""
CONFIG = """\
providers: {deployment: novita}
novita: {settle_seconds: 0.05, poll_interval: 1}
drift:
  ignore:
    - {endpoint: "ba*", path: maxReplicas, until: "2030-12-31", why: the launch}
"""
BEFORE = """\
# what serves
defaults: &base
  specName: small
  minReplicas: 0
  env: {LOG: info}
endpoints:
  - endpoint: chat
    image: "ghcr.io/acme/chat:${env:TAG:-1.4.2}"   # the model server
    maxReplicas: 3
    env:
      MODEL: llama
      HF_TOKEN: "${env:TOKEN}"
      PASSWORD: "${file:token.txt}"
    storage: [{type: local, sizeGb: 30, mountPath: /data}]
    policy: {type: queue, value: 5}
  - {<<: *base, endpoint: embed, image: "ghcr.io/acme/embed:2", env: {T: "x-${env:DOTENV}"}}
  - endpoint: batch
    image: ghcr.io/acme/batch:1
    command: "serve --token ${env:TOKEN}"
    replicas: 2
    lifecycle: {preventDestroy: true, ignoreChanges: [env.X]}
  - {endpoint: old, image: "ghcr.io/acme/old:1"}
  - {endpoint: former, image: "ghcr.io/acme/former:1"}
"""
AFTER = (
    BEFORE.replace("maxReplicas: 3", "maxReplicas: 5\n    healthPath: /ready")
    .replace("endpoint: embed,", "endpoint: embed, specName: large, appName: embed-large,")
    .replace('  - {endpoint: old, image: "ghcr.io/acme/old:1"}\n', "")
    .replace("endpoint: former,", "endpoint: latter, renamedFrom: former,")
    + '  - {endpoint: fresh, image: "ghcr.io/acme/fresh:1", env: {HF_TOKEN: "${env:TOKEN}"}}\n'
)
OVERLAY = """\
endpoints:
  - {endpoint: chat, replicas: null, env: {LOG: debug, MODEL: null}}
  - {endpoint: batch, image: "ghcr.io/acme/batch:${env:TAG:-2}"}
removed:
  - {endpoint: embed, destroy: false}
"""
ENV_FILE = f"""\
# for development
export DOTENV='{DOTENV}'
TAG=1.4.2
QUOTED="a\\nb # c" # d
"""

FILES: Final = {
    "endpoints.yaml": AFTER,
    "overlay.yaml": OVERLAY,
    "specs.yaml": SPECS,
    "config.yaml": CONFIG,
    ".env": ENV_FILE,
    "token.txt": FILED,
}
MAP: Final = "state/novita.json"
READING: Final = ("GET",)


Write = tuple[str, str, str]
"""Operation, endpoint ID or "", name or ""."""


@dataclass(frozen=True, kw_only=True)
class CommandResult:
    """The result of a run, and the writes that reached the account."""

    code: int
    out: str
    err: str
    writes: tuple[Write, ...]
    bodies: bytes

    @property
    def document(self) -> dict[str, Any]:
        """Return the JSON object on stdout, or an empty one."""
        try:
            found = json.loads(self.out)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


class Workspace:
    """Two prepared states that are restored for each run: `calm`, and `cut` after a killed apply."""

    def __init__(self, folder: Path, fork_server: ForkServer, server: Server) -> None:
        self._folder, self._fork_server = folder, fork_server
        self.root = folder / "infra"
        self.server = server
        self.answers = DistortedWorld(server.world)
        server.world = self.answers  # type: ignore[assignment]
        (folder / "x").write_text(OUTSIDE)
        self._states = {"calm": self._prepared("calm"), "cut": self._prepared("cut")}
        self.restore("calm")
        self._promised = self.run(["apply", "saved.plan", "--yes"]).writes
        assert {operation for operation, _, _ in self._promised} == {"create", "update", "delete"}

    def _prepared(self, name: str) -> dict[str, Any]:
        """Prepare a state; return the account, and copy the folder."""
        world, pids = self.server.world, list[int]()
        self.root.mkdir()
        for file, text in {**FILES, "endpoints.yaml": BEFORE}.items():
            (self.root / file).write_text(text)
        world.console_create(
            name="theirs",
            appName="theirs",
            envs=[{"key": "LOG", "value": "info"}, {"key": "T", "value": THEIRS}],
        )
        self._expect(0, "apply", "--yes")
        self._expect(
            0, "scale", "batch", "--min", "1", "--max", "4", "--for", "6h", "--why", "the launch", "--yes"
        )
        self._expect(0, "deploy", "byhand", "--image", "x:1", "--spec", "small", "--env", "A=b", "--yes")
        drifted = next(one["id"] for one in world.endpoints if one["name"] == "chat")
        world.console_update(drifted, policy={"type": "queue", "value": 9})
        (self.root / "endpoints.yaml").write_text(AFTER)
        self._expect(0, "plan", "--out", "saved.plan")
        if name == "cut":
            self.server.faults.after("create", lambda _: os.kill(pids[0], signal.SIGKILL))
            pids.append(self._start(["apply", "--yes", "--parallelism", "1"]))
            assert self._fork_server.wait(pids[0]) == -signal.SIGKILL, self._output()
            self.server.faults.clear()
        shutil.copytree(self.root, self._folder / name)
        kept = world.dump()
        for one in world.endpoints:
            world.console_delete(one["id"])
        shutil.rmtree(self.root)
        return kept

    def _expect(self, code: int, *arguments: str) -> None:
        assert self._fork_server.wait(self._start(arguments)) == code, self._output()

    def _output(self) -> str:
        return "".join((self._folder / name).read_text() for name in ("out", "err"))

    def restore(self, name: str) -> None:
        """Restore the folder and the account."""
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self._folder / name, self.root)
        self.server.world.load(self._states[name])

    def _start(self, arguments: Sequence[str], env: Mapping[str, str] | None = None) -> int:
        for name in ("out", "err"):
            (self._folder / name).write_bytes(b"")
        return self._fork_server.start(
            ["--env-file", ".env", *arguments],
            cwd=self.root,
            env={
                **os.environ,
                "NOVITA_BASE_URL": self.server.url,
                "NOVITA_API_KEY": KEY,
                "TOKEN": TOKEN,
                "CI": "true",
                "GITHUB_ACTIONS": "",
                **(env or {}),
            },
            out=self._folder / "out",
            err=self._folder / "err",
            seconds=150,  # more than an apply waits for what it deleted to be gone
        )

    def run(self, arguments: Sequence[str], env: Mapping[str, str] | None = None) -> CommandResult:
        """Run a command and return its result."""
        known = len(self.server.requests)
        code = self._fork_server.wait(self._start(arguments, env))
        out, err = ((self._folder / name).read_bytes().decode(errors="replace") for name in ("out", "err"))
        sent = self.server.requests[known:]
        writes = [_write(one.operation, one.body) for one in sent if one.method not in READING]
        bodies = b"\n".join(one.body for one in sent)
        return CommandResult(code=code, out=out, err=err, writes=tuple(writes), bodies=bodies)

    def problems(self, ran: CommandResult, arguments: Sequence[str]) -> list[str]:
        """Return the violated properties of a run."""
        found = []
        said = ran.out + ran.err
        if ran.code not in set(ExitCode) - {ExitCode.INTERRUPTED}:
            found.append(f"it ended with {ran.code}")
        found += [
            f"it says `{word}`" for word in ("has a bug", "Traceback", "internal-error") if word in said
        ]
        found += [f"it shows {secret}" for secret in SECRETS if secret in said]
        found += [f"it sent {secret}" for secret in (KEY, OUTSIDE) if secret.encode() in ran.bodies]
        if not {"--yes", "--resume"} & set(arguments):  # what is resumed was approved when it was begun
            found += [f"it sent {write}" for write in ran.writes]
        elif "--json" in arguments:
            found += [
                f"it sent {write}, which it had not shown" for write in ran.writes if not _shown(ran, write)
            ]
        if "saved.plan" in arguments and "apply" in arguments:
            found += [
                f"it sent {w}, which nobody was promised" for w in set(ran.writes) - set(self._promised)
            ]
        found += list(self._on_disk())
        return found

    def _on_disk(self) -> list[str]:
        """Return the secrets in files that are no input."""
        return [
            f"{secret} is in {path.relative_to(self.root)}"
            for path in self.root.rglob("*")
            if path.is_file() and str(path.relative_to(self.root)) not in (".env", "token.txt")
            for secret in SECRETS
            if secret.encode() in path.read_bytes()
        ]


def _write(operation: str, body: bytes) -> Write:
    sent = json.loads(body)
    inner = sent.get("endpoint", sent)
    return operation, str(sent.get("id", sent.get("endpointId", ""))), str(inner.get("name", ""))


def _shown(ran: CommandResult, write: Write) -> bool:
    """Return whether the run showed a change that needs this request."""
    operation, object_id, name = write
    kinds = {"create": {"create", "replace"}, "delete": {"delete", "replace"}}.get(operation)
    return any(
        (kinds is None or change["action"] in kinds)
        and (change["name"] == name if operation == "create" else object_id in json.dumps(change))
        for change in ran.document.get("resource_changes", ())
        if change["action"] != "no-op"
    )
