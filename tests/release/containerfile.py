"""The Containerfile as instructions, and its steps in a folder that stands for the root of the image."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONTAINERFILE = ROOT / "Containerfile"
FOREIGN = ("usr", "etc/ssl", "etc/xdg", "etc/pip.conf", "etc/resolv.conf", "etc/hosts", "etc/nsswitch.conf")
"""What the folder borrows from this machine, read-only: the operating system, and the way to packages."""
PATH = "/base/bin:/usr/bin:/usr/sbin:/bin"


def instructions() -> list[tuple[str, str]]:
    """Return (`RUN`, its text) and the like, in order and without comments."""
    text = re.sub(r"(?m)^#.*\n", "", CONTAINERFILE.read_text()).replace("\\\n", " ")
    pairs = (line.split(None, 1) for line in text.splitlines() if line.strip())
    return [(name, rest) for name, rest in pairs]


def environment() -> dict[str, str]:
    """Return the variables of the image, which has one instruction ENV."""
    (words,) = [rest for found, rest in instructions() if found == "ENV"]
    return {key: value for key, _, value in (word.partition("=") for word in words.split())}


def allowed_paths() -> set[str]:
    """Return the paths that `.dockerignore` lets through."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    return {line[1:] for line in lines if line.startswith("!")}


def copied_paths() -> set[str]:
    """Return the paths that are copied from the checkout."""
    copies = [rest for name, rest in instructions() if name == "COPY" and not rest.startswith("--from")]
    return {word for rest in copies for word in rest.split()[:-1]}


@dataclass(kw_only=True)
class Stage:
    """One stage of a build: a folder that stands for `/`, and what the instructions have set so far."""

    root: Path
    environ: dict[str, str]
    folder: str = "/"
    entrypoint: list[str] = field(default_factory=list)

    def path(self, name: str) -> Path:
        """Return where a path of the image is on this machine."""
        return self.root / os.path.normpath(Path(self.folder) / name).lstrip("/")

    def call(self, *command: str, writable: tuple[str, ...] = ("/",)) -> subprocess.CompletedProcess[str]:
        """Run a command in the stage by bubblewrap. Nothing else of this machine is visible to it.

        writable: the paths that it can write to, beside /tmp. Without "/" it has no network either.
        """
        words = (
            ["bwrap", "--ro-bind", str(self.root), "/"] if "/" not in writable else ["bwrap", "--unshare-pid"]
        )
        for path in writable:
            words += ["--bind", str(self.path(path)), path]
        for name in (*FOREIGN, sys.base_prefix.lstrip("/")):
            words += ["--ro-bind-try", f"/{name}", f"/{name}"]
        words += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--chdir", self.folder, "--clearenv"]
        for key, value in self.environ.items():
            words += ["--setenv", key, value]
        return subprocess.run(
            [*words, *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )


def build(parent: Path) -> Stage:
    """Perform all instructions, each stage in a folder of its own below `parent`; return the last stage.

    The base image is replaced by this machine's operating system and Python, and `apt-get` does nothing.
    """
    stages: dict[str, Stage] = {}
    stage: Stage | None = None
    for name, rest in instructions():
        if name == "FROM":
            alias = rest.partition(" AS ")[2] or "last"
            stage = stages[alias] = _new_stage(parent / alias)
            continue
        assert stage is not None
        match name:
            case "WORKDIR":
                stage.folder = rest
                stage.path(".").mkdir(parents=True, exist_ok=True)
            case "ENV":
                stage.environ |= environment()
                stage.environ["PATH"] = environment()["PATH"].replace(
                    "$PATH", "/base/bin:/usr/bin:/usr/sbin:/bin"
                )
            case "COPY":
                *sources, target = rest.split()
                _copy(stage, stages, sources, target)
            case "RUN":
                done = stage.call("/bin/sh", "-c", rest)
                assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
            case "ENTRYPOINT":
                stage.entrypoint = re.findall(r'"([^"]*)"', rest)
            case _:
                assert name in ("USER", "HEALTHCHECK"), f"{name} is not known here"
    assert stage is not None
    return stage


def _new_stage(root: Path) -> Stage:
    for name in ("base/bin", "etc", "root", "opt"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in ("bin", "lib", "lib64", "sbin"):
        if Path("/", name).is_symlink():
            (root / name).symlink_to(Path("/", name).readlink())
    (root / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (root / "etc" / "group").write_text("root:x:0:\n")
    (root / "base" / "bin" / "python").symlink_to(Path(sys.base_prefix, "bin", "python3"))
    (root / "base" / "bin" / "apt-get").symlink_to("/bin/true")
    kept = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    return Stage(root=root, environ={**kept, "PATH": PATH, "HOME": "/root"})


def _copy(stage: Stage, stages: Mapping[str, Stage], sources: list[str], target: str) -> None:
    """Copy what `.dockerignore` lets through, or from another stage."""
    source_root = ROOT
    if sources[0].startswith("--from="):
        source_root = stages[sources.pop(0).removeprefix("--from=")].root
    for source in sources:
        if source_root == ROOT:
            assert source in allowed_paths(), f"{source} is kept out of the build by .dockerignore"
        found = source_root / source.lstrip("/")
        goal = stage.path(target) / (found.name if target.endswith("/") else "")
        goal.parent.mkdir(parents=True, exist_ok=True)
        if found.is_dir():
            shutil.copytree(found, goal, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(found, goal)
