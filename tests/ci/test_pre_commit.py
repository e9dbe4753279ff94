"""The hooks, run by pre-commit itself on repositories of users."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from .conftest import EXAMPLE, Infra

pytestmark = pytest.mark.slow


REPO = yaml.safe_load((EXAMPLE / ".pre-commit-config.yaml").read_text())["repos"][0]


def commit_hook(infra: Infra, *arguments: str, **environ: str) -> tuple[int, str]:
    """Run pre-commit in the clone; the repository that the example names is the tool of this checkout."""
    infra.machine.git(infra.machine.tool, "tag", "--force", REPO["rev"])
    mapped = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{infra.machine.tool}.insteadOf",
        "GIT_CONFIG_VALUE_0": REPO["repo"],
    }
    done = subprocess.run(
        [Path(sys.executable).parent / "pre-commit", *arguments],
        cwd=infra.clone,
        env={
            **infra.machine.environ, **mapped, **environ,
            "PRE_COMMIT_HOME": str(infra.machine.root / "pre-commit"),
        },
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=300,
    )  # fmt: skip
    return done.returncode, done.stdout


def test_the_hook_of_the_example_passes_good_files_and_fails_bad_ones(infra: Infra) -> None:
    code, log = commit_hook(infra, "run", "--all-files")
    assert code == 0, log
    assert "Passed" in log
    infra.edit("endpoints.yaml", "minReplicas: 1", "minReplica: 1")
    code, log = commit_hook(infra, "run", "--all-files")
    assert code == 1, log
    assert "endpoints.yaml:8:5" in log
    assert "Did you mean `minReplicas`?" in log
    # a commit of other files is not held up
    (infra.clone / "notes.md").write_text("of no concern\n")
    code, log = commit_hook(infra, "run", "--files", "notes.md")
    assert code == 0
    assert "Skipped" in log


def test_the_files_may_be_in_a_folder(infra: Infra) -> None:
    """`args: [-C, infra]`, and the hook runs for the files in there."""
    (infra.clone / "infra").mkdir()
    for name in ("endpoints.yaml", "specs.yaml", "config.yaml"):
        infra.git("mv", name, f"infra/{name}")
    hooks = [{"id": "reconciler-validate", "args": ["-C", "infra"]}]
    config = {"repos": [{**REPO, "hooks": hooks}]}
    (infra.clone / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    code, log = commit_hook(infra, "run", "--files", "infra/specs.yaml")
    assert code == 0, log
    assert "Passed" in log
    infra.edit("infra/specs.yaml", 'gpu: "2"', "gpu: two")
    code, log = commit_hook(infra, "run", "--files", "infra/specs.yaml")
    assert code == 1
    assert "infra/specs.yaml:" in log


def test_the_hook_of_digests_names_each_image_without_one(infra: Infra) -> None:
    """It asks no registry: nothing listens at the proxy."""
    config = {"repos": [{**REPO, "hooks": [{"id": "reconciler-pin-check", "args": ["-e", "staging"]}]}]}
    (infra.clone / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    path = infra.clone / "endpoints.yaml"
    before = path.read_text()
    path.write_text(re.sub(r"(image: \S+)", rf"\1@sha256:{'1' * 64}", before))
    code, log = commit_hook(infra, "run", "--all-files")
    assert code == 0, log
    assert "Passed" in log
    path.write_text(before)
    code, log = commit_hook(infra, "run", "--all-files", HTTPS_PROXY="http://127.0.0.1:1")
    assert code == 1, log
    assert "`ghcr.io/acme/chat:1.4.2` has no digest" in log
    assert "Images: 3 to pin." in log
