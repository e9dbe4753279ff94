"""A machine that runs pipelines: its own Python, its own home, and folders to work in."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a script ended."""

    code: int
    log: str


@dataclass(kw_only=True)
class Machine:
    """`environ` is what every script on it finds; `tool` is the repository of this project, as published.

    caches: key -> the folder that a run has kept.
    """

    root: Path
    python: Path
    tool: Path
    environ: dict[str, str]
    _numbers: "count[int]" = field(default_factory=count)
    caches: dict[str, Path] = field(default_factory=dict)
    _to_save: dict[str, Path] = field(default_factory=dict)
    _installed: set[str] = field(default_factory=set)

    def folder(self, name: str) -> Path:
        """A new, empty folder."""
        made = self.root / f"{name}-{next(self._numbers)}"
        made.mkdir()
        return made

    def has_installed(self, script: str) -> bool:
        """Whether what a script installs is there from an earlier run; from now on it is."""
        is_known = "pip install" in script and script in self._installed
        self._installed.add(script)
        return is_known

    def restore(self, key: str, path: Path) -> dict[str, str]:
        """Copy what a run kept by that key, or keep the path after this one, as actions/cache does."""
        if key in self.caches:
            shutil.copytree(self.caches[key], path, dirs_exist_ok=True)
            return {"cache-hit": "true"}
        self._to_save[key] = path
        return {}

    def save(self) -> None:
        """Keep what a run that went well leaves in the paths of its caches."""
        for key, path in self._to_save.items():
            if path.exists():
                self.caches[key] = shutil.copytree(path, self.folder("cache"), dirs_exist_ok=True)
        self._to_save.clear()

    def run(self, script: str, cwd: Path, environ: Mapping[str, str], shell: tuple[str, ...]) -> Ended:
        """A script under a shell such as ("bash", "-e"); both streams in one log."""
        path = self.root / f"script-{next(self._numbers)}.sh"
        path.write_text(script)
        done = subprocess.run(
            [*shell, str(path)],
            cwd=cwd,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=150,
        )
        assert "Traceback" not in done.stdout, done.stdout
        return Ended(code=done.returncode, log=done.stdout)

    def git(self, cwd: Path, *arguments: str) -> str:
        """What a person's git says; any failure fails the test."""
        identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
        done = subprocess.run(
            ["git", *identity, *arguments],
            cwd=cwd,
            env=self.environ,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            timeout=60,
        )
        return done.stdout.strip()


def environment(home: Path, python: Path) -> dict[str, str]:
    """The environment of a fresh machine: of the person who runs the tests, only the way to packages."""
    kept = ("LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "PIP_", "UV_", "REQUESTS_CA_BUNDLE")
    return {
        **{name: value for name, value in os.environ.items() if name.startswith(kept)},
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "CI": "true",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_BUILD_ISOLATION": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
    }
