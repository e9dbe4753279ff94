"""The image: built where a builder works, and otherwise its steps in an empty root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .containerfile import CONTAINERFILE, ROOT, allowed_paths, build, copied_paths, environment, instructions

RIGHTS = ("--reuid=65532", "--regid=65532", "--clear-groups", "--no-new-privs", "--bounding-set=-all")


def fetch_base_image() -> bool:
    """Whether docker or podman works here and can fetch the base image."""
    base = next(rest.split()[0] for name, rest in instructions() if name == "FROM")
    for program in filter(shutil.which, ("docker", "podman")):
        for words in (["info"], ["pull", "--quiet", base]):
            done = subprocess.run([program, *words], capture_output=True, check=False, timeout=120)
            if done.returncode != 0:
                break
        else:
            return True
    return False


def test_the_containerfile_is_valid() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, CONTAINERFILE], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_image_has_no_rights_and_a_health_check() -> None:
    assert [rest for name, rest in instructions() if name == "USER"] == ["65532:65532"]
    assert instructions()[-1] == ("ENTRYPOINT", '["reconciler"]')
    assert any(name == "HEALTHCHECK" and "/healthz" in rest for name, rest in instructions())


def test_the_image_is_built_from_what_the_wheel_needs() -> None:
    """`.dockerignore` lets these files through, and nothing else of the folder, such as a key."""
    assert "*" in (ROOT / ".dockerignore").read_text().splitlines()
    assert allowed_paths() == copied_paths()
    assert all((ROOT / name).exists() for name in copied_paths())


@pytest.mark.slow
def test_the_image_is_built_and_used() -> None:
    """By the script that continuous integration and the release run too."""
    if not fetch_base_image():
        pytest.skip("no docker and no podman here that can fetch the base image")
    done = subprocess.run([ROOT / ".ci" / "image"], capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "No changes." in done.stdout


@pytest.mark.slow
@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0 or not shutil.which("bwrap"), reason="needs root and bubblewrap"
)
def test_the_steps_in_an_empty_root_make_a_program_for_a_user_without_rights(
    tmp_path: Path,
) -> None:
    """Covered: what is copied, the installation with its extras, the user, its folders, PATH, entry point.

    Not covered: the base image, whose place this machine's operating system and Python take; the packages of
    apt-get, which does nothing here; and the layers that a builder makes. `.ci/image` covers these.
    """
    image = build(tmp_path)
    image.environ["NOVITA_BASE_URL"] = "simulator"

    def call(*arguments: str) -> str:
        command = ("setpriv", *RIGHTS, *image.entrypoint, *arguments)
        done = image.call(*command, writable=("/work", environment()["XDG_CACHE_HOME"]))
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert call("--version").startswith("reconciler ")
    call("init")
    assert "1 added" in call("apply", "--yes")
    assert "No changes." in call("plan", "--detailed-exitcode")
    shown = call("version")
    assert [extra for extra in ("server", "postgres", "object-store", "notify") if extra not in shown] == []
    assert (image.root / "work" / "endpoints.yaml").stat().st_uid == 65532
