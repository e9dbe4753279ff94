"""The files and commands of docs/registries.md work as they are written."""

import re

from tests.e2e.sandbox import ROOT, Sandbox

PAGE = (ROOT / "docs" / "registries.md").read_text(encoding="utf-8")
SPECS = {
    "specs": [
        {
            "name": "novita-5090-single",
            "resources": {"gpu": "1", "ephemeralStorage": "100"},
            "platforms": {"novita": {"productId": "SL-serverless-3", "region": "us-dallas-nas-2"}},
        }
    ]
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_commands_of_the_page(sandbox: Sandbox) -> None:
    """In their order, with the YAML of the page; `export` sets a variable."""
    (text,) = blocks("yaml")
    sandbox.write("endpoints.yaml", text)
    sandbox.write("specs.yaml", SPECS)
    for line in "".join(blocks("sh")).splitlines():
        command, _, says = line.partition("#")
        program, *words = command.split()
        if program == "export":
            sandbox.monkeypatch.setenv(*words[0].split("=", 1))
            continue
        ran = sandbox.run(*words)
        assert ran.code == 0, ran.err
        if says.strip().startswith("rotated"):
            assert says.strip() in ran.out
    (one,) = sandbox.sim.world.dump()["auths"]
    assert one["password"] == "ghp-the-second-one"
    assert sandbox.live()["chat"]["image"]["authId"] == one["id"]
