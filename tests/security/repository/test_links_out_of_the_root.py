"""A file of the repository that is a link to elsewhere is not read, and nothing of it is ever told."""

import os
import threading
from pathlib import Path

import pytest

from tests.e2e.sandbox import Sandbox, item

SECRETS = "root:$6$hash:19000:0:99999:7:::\n  - [the second line\n\tof /etc/shadow: {\n"
FILES = ("endpoints.yaml", "endpoints/a.yaml", "endpoints/deep/er/a.json", "specs.yaml", "config.yaml")
COMMANDS = (
    "validate",
    "plan",
    "plan --json",
    "apply --auto-approve",
    "preview --create",
    "doctor",
    "list",
    "specs",
)


@pytest.fixture
def shadow(sandbox: Sandbox, tmp_path: Path) -> Path:
    """A file outside of the root."""
    sandbox.declare(item("chat"))
    found = tmp_path / "shadow"
    found.write_text(SECRETS)
    return found


def is_clean(sandbox: Sandbox, *commands: str) -> None:
    """No command tells a word of it, and those that need the file end with 1."""
    for command in commands:
        ran = sandbox.run(*command.split())
        assert not [word for word in ("hash", "second line", "shadow: {") if word in ran.out + ran.err]
        assert "has a bug" not in ran.err
        if command.split()[0] in ("validate", "plan", "apply", "preview"):
            assert ran.code == 1, command
            assert "leads out of" in ran.out + ran.err
    assert sandbox.sent() == []


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", ["absolute", "relative", "of a link", "of a folder"])
def test_a_link_that_leaves_the_root(sandbox: Sandbox, shadow: Path, name: str, kind: str) -> None:
    """Straight, by `..`, over a second link, and through a folder that is one."""
    path = sandbox.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    match kind:
        case "absolute":
            path.symlink_to(shadow)
        case "relative":
            path.symlink_to(os.path.relpath(shadow, path.parent))
        case "of a link":
            (sandbox.root / "between").symlink_to(shadow)
            path.symlink_to(sandbox.root / "between")
        case _:
            (sandbox.root / "folder").symlink_to(shadow.parent)
            path.symlink_to(sandbox.root / "folder" / "shadow")
    is_clean(sandbox, *COMMANDS)


def test_a_folder_that_leaves_the_root(sandbox: Sandbox, tmp_path: Path) -> None:
    """endpoints/ and config/ themselves."""
    (tmp_path / "theirs").mkdir()
    for name in ("a.yaml", "config.yaml", "specs.yaml"):
        (tmp_path / "theirs" / name).write_text(SECRETS)
    (tmp_path / "theirs" / "name-of-theirs.toml").touch()
    (sandbox.root / "endpoints").symlink_to(tmp_path / "theirs")
    is_clean(sandbox, "validate", "plan", "plan -f endpoints")
    assert "name-of-theirs" not in sandbox.run("plan", "-v").err
    (sandbox.root / "endpoints").unlink()
    sandbox.declare(item("chat"))
    (sandbox.root / "config.yaml").unlink()
    (sandbox.root / "config").symlink_to(tmp_path / "theirs")
    is_clean(sandbox, "validate", "plan")


def test_links_inside_of_the_root_are_fine(sandbox: Sandbox) -> None:
    """One file for two folders, a link to a link, a folder that is one."""
    sandbox.write("real/specs.yaml", (sandbox.root / "specs.yaml").read_text())
    sandbox.write(
        "real/all.yaml", '{"endpoints": [{"endpoint": "chat", "specName": "small", "image": "a:1"}]}'
    )
    (sandbox.root / "specs.yaml").unlink()
    (sandbox.root / "specs.yaml").symlink_to("real/specs.yaml")
    (sandbox.root / "endpoints").symlink_to("real")
    (sandbox.root / "real/specs.yaml").rename(sandbox.root / "other.yaml")
    (sandbox.root / "specs.yaml").unlink()
    (sandbox.root / "specs.yaml").symlink_to("link.yaml")
    (sandbox.root / "link.yaml").symlink_to("other.yaml")
    assert sandbox.plan().actions == {"chat": "create"}
    sandbox.apply()


def test_what_a_person_names_may_lie_elsewhere(sandbox: Sandbox, tmp_path: Path, shadow: Path) -> None:
    """-f of a file or a folder outside is trusted; where links of the repository lead to is not."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "real.yaml").write_text(
        '{"endpoints": [{"endpoint": "far", "specName": "small", "image": "a:1"}]}'
    )
    (elsewhere / "link.yaml").symlink_to("real.yaml")
    for name in (str(elsewhere / "real.yaml"), "../elsewhere/real.yaml", str(elsewhere / "link.yaml")):
        assert sandbox.plan("-f", name).actions == {"far": "create"}
    (elsewhere / "link.yaml").unlink()
    assert sandbox.plan("-f", str(elsewhere)).actions == {"far": "create"}
    (sandbox.root / "named.yaml").symlink_to(shadow)
    (elsewhere / "named.yaml").symlink_to(shadow)
    for name in (
        "named.yaml",
        str(sandbox.root / "named.yaml"),
        str(elsewhere / "named.yaml"),
        str(elsewhere),
    ):
        is_clean(sandbox, f"plan -f {name}", f"validate -f {name}")


@pytest.mark.parametrize("name", FILES)
def test_what_is_no_file_is_not_waited_for(sandbox: Sandbox, name: str) -> None:
    """A pipe, a device behind a link, a folder: refused at once."""
    sandbox.declare(item("chat"))
    path = sandbox.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    watch = threading.Timer(20, lambda: os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK)))
    watch.start()
    try:
        ran = sandbox.run("validate")
    finally:
        watch.cancel()
    assert (ran.code, "it is not a file" in ran.err) == (1, True)
    path.unlink()
    path.symlink_to("/dev/zero")
    assert sandbox.run("validate").code == 1


def test_a_file_of_variables_that_leaves_the_root(sandbox: Sandbox, shadow: Path) -> None:
    """One that a person names is read where it is; a link of the repository to elsewhere is not followed."""
    sandbox.write("endpoints.yaml", "endpoints: []")
    (sandbox.root / "the.env").symlink_to(shadow)
    ran = sandbox.run("plan", "--env-file", "the.env")
    assert (ran.code, "leads out of" in ran.err, "hash" in ran.err) == (64, True, False)
    shadow.write_text("A=1\n")
    assert sandbox.run("plan", "--env-file", str(shadow)).code == 0
    assert sandbox.run("plan", "--env-file", "../shadow").code == 0


def test_a_large_file_is_not_read(sandbox: Sandbox) -> None:
    """Its size is asked before its bytes are."""
    with (sandbox.root / "endpoints.yaml").open("wb") as file:
        file.truncate(20 * 2**30)
    assert "larger than 32 MiB" in sandbox.run("validate").err
