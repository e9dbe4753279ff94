"""The commands of docs/images.md run as they are written."""

import re

from tests.e2e.sandbox import ROOT, Sandbox, item
from tests.fake_registry import Registry

PAGE = (ROOT / "docs" / "images.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([^`]+)` \| [^|]+ \| `([^`]+)` \|$", re.MULTILINE)


def test_the_commands_of_the_page(sandbox: Sandbox, registry: Registry) -> None:
    """In their order, from a folder in which two images have no digest."""
    registry.push("acme/chat:1.4.2")
    registry.push("acme/embed:2")
    sandbox.declare(
        item("embed", image=registry.image("acme/embed:2")),
        item("chat", image=registry.image("acme/chat:1.4.2")),
    )
    (block,) = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines():
        words = line.partition("#")[0].split()
        assert words[0] == "reconciler"
        ran = sandbox.run(*words[1:])
        assert ran.code == 0, ran.err
    assert (sandbox.root / "endpoints.yaml").read_text().count("@sha256:") == 2


def test_the_table_of_faults(sandbox: Sandbox) -> None:
    """What the table calls wrong is refused, and what it calls right is not."""
    rows = ROW.findall(PAGE)
    assert len(rows) == 7
    for wrong, right in rows:
        for image, code in ((wrong, 1), (right.replace("9b1c...", "0" * 64), 0)):
            sandbox.declare(item("chat", image=image))
            assert sandbox.run("validate").code == code, image
