"""The pages of docs/convert/: a sample, the command that converts it, and what comes out."""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.sandbox import ROOT, Sandbox

FOLDER = ROOT / "docs" / "convert"
PAGES = sorted(path.stem for path in FOLDER.glob("*.md") if path.stem != "README")

_FILE = re.compile(r"^`([\w.-]+)`:\n\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SESSION = re.compile(r"^```console\n\$ ([^\n]+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page. `sample` is the name of the first file that it shows."""

    path: Path
    text: str

    @property
    def sample(self) -> str:
        return _FILE.findall(self.text)[0][0]

    @property
    def sample_text(self) -> str:
        return _FILE.findall(self.text)[0][1]

    def run(self, sandbox: Sandbox) -> str:
        """Run the commands in a folder with the sample. Return the page with what they print and write."""
        sandbox.write(self.sample, self.sample_text)

        def output(match: re.Match[str]) -> str:
            ran = sandbox.run(*match[1].split()[1:])
            assert ran.code == 0, ran.err
            return f"```console\n$ {match[1]}\n{ran.err}{ran.out}```"

        def content(match: re.Match[str]) -> str:
            text = (sandbox.root / match[1]).read_text(encoding="utf-8")
            head, tail = match[0][: match.start(2) - match.start()], match[0][match.end(2) - match.start() :]
            return f"{head}{text}{tail}"

        return _FILE.sub(content, _SESSION.sub(output, self.text))


def page(name: str) -> Page:
    path = FOLDER / f"{name}.md"
    return Page(path=path, text=path.read_text(encoding="utf-8"))


def empty_folder(sandbox: Sandbox) -> None:
    """Remove the specs that other tests use."""
    (sandbox.root / "specs.yaml").unlink()


def set_variables(sandbox: Sandbox, variables: list[dict[str, object]]) -> None:
    """Set the variables that have no value, so that a plan can be made."""
    known = {"PRODUCT_ID": "SL-serverless-3", "REGION": "us-dallas-nas-2", "IMAGE": "ubuntu:22.04"}
    for variable in variables:
        name = str(variable["name"])
        value = next((known[end] for end in known if name.endswith(end)), "a-value")
        if not variable["has_value"]:
            sandbox.monkeypatch.setenv(name, value)
