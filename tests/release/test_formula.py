"""The Homebrew formula of a release has the source distribution and each locked dependency, by its hash."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "reconciler" / "github_action" / "requirements.lock").read_text(encoding="utf-8")
LOCKED = {
    block.partition("==")[0]: re.findall("sha256:([0-9a-f]{64})", block)
    for block in re.split(r"\n(?=\w)", LOCK)[1:]
}
HOST = "https://files.pythonhosted.org/packages"


class Index(ThreadingHTTPServer):
    """An index with the answers of PyPI's simple API, as JSON; `files` can be changed."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.files = {name: files(name, hashes) for name, hashes in LOCKED.items()}
        self.url = f"http://127.0.0.1:{self.server_address[1]}/simple"


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Index)
        assert self.headers["Accept"] == "application/vnd.pypi.simple.v1+json"
        found = self.server.files.get(self.path.split("/")[2])
        body = json.dumps({"files": found}).encode()
        self.send_response(404 if found is None else 200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def entry(name: str, sha256: str, host: str = HOST) -> dict[str, object]:
    return {"filename": name, "url": f"{host}/{name}", "hashes": {"sha256": sha256}}


def files(name: str, hashes: list[str]) -> list[dict[str, object]]:
    """Return an older release, a wheel for one platform, and the source distribution that a formula takes."""
    return [
        entry(f"{name}-0.0.1.tar.gz", "0" * 64),
        entry(f"{name}-1.0-cp313-cp313-macosx_11_0_arm64.whl", hashes[0]),
        entry(f"{name}-1.0.tar.gz", hashes[-1]),
    ]


@pytest.fixture
def index() -> Iterator[Index]:
    with Index() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def sdist(tmp_path: Path) -> Path:
    path = tmp_path / "novita_reconciler-1.2.3.tar.gz"
    path.write_bytes(b"the source")
    return path


def formula(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / ".ci" / "formula", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_it_has_the_release_and_each_locked_package(index: Index, sdist: Path, tmp_path: Path) -> None:
    index.files["certifi"] = [entry("certifi-1.0-py3-none-any.whl", LOCKED["certifi"][0])]

    done = formula(sdist, index.url)

    assert (done.returncode, done.stderr) == (0, "")
    release = (
        "https://github.com/acme/novita-reconciler/releases/download/v1.2.3/novita_reconciler-1.2.3.tar.gz"
    )
    assert f'  url "{release}"\n  sha256 "{hashlib.sha256(b"the source").hexdigest()}"\n' in done.stdout
    found = re.findall(r'  resource "(.*)" do\n    url "(.*)"\n    sha256 "(.*)"\n  end\n', done.stdout)
    assert [name for name, _, _ in found] == list(LOCKED)
    assert len(found) == done.stdout.count("resource ")
    assert [url for name, url, _ in found] == [
        f"{HOST}/{name}-1.0{'-py3-none-any.whl' if name == 'certifi' else '.tar.gz'}" for name in LOCKED
    ]
    assert all(sha256 in LOCKED[name] for name, _, sha256 in found)
    opened = re.findall(r"^ *(?:class|def|test do|resource .* do)\b", done.stdout, re.MULTILINE)
    assert len(opened) == len(re.findall(r"^ *end$", done.stdout, re.MULTILINE))
    if ruby := shutil.which("ruby"):
        (tmp_path / "formula.rb").write_text(done.stdout)
        subprocess.run([ruby, "-c", tmp_path / "formula.rb"], check=True, timeout=60)


@pytest.mark.parametrize(
    "wrong",
    [
        entry("rich-1.0.tar.gz", "0" * 64),
        entry("rich-1.0-cp313-cp313-macosx_11_0_arm64.whl", LOCKED["rich"][0]),
        entry("rich-1.0.tar.gz", LOCKED["rich"][0], host="https://index.example/packages"),
    ],
    ids=["of another hash", "for one platform", "on another host"],
)
def test_it_takes_no_other_file(index: Index, sdist: Path, wrong: dict[str, object]) -> None:
    index.files["rich"] = [wrong]

    done = formula(sdist, index.url)

    assert (done.returncode, done.stdout) == (1, "")
    assert "/rich/ has no file at files.pythonhosted.org" in done.stderr
    assert "`make lock`" in done.stderr


def test_it_is_attached_to_the_release_and_not_uploaded_to_pypi() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text())
    scripts = {
        name: [step["run"] for step in job.get("steps", []) if "run" in step]
        for name, job in workflow["jobs"].items()
    }

    make = ".ci/formula dist/*.tar.gz >dist/novita-reconciler.rb"
    assert scripts["build"].index("make dist") < scripts["build"].index(make)
    assert scripts["pypi"] == ["rm dist/*.cdx.json dist/*.rb"]
    assert "gh release create" in scripts["release"][-1]
    assert "dist/*\n" in scripts["release"][-1]


def test_it_needs_a_source_distribution(tmp_path: Path) -> None:
    missing = tmp_path / "novita_reconciler-1.2.3.tar.gz"

    none, absent = formula(), formula(missing)

    assert (none.returncode, absent.returncode) == (1, 1)
    assert none.stderr.startswith("usage: .ci/formula dist/")
    assert absent.stderr == f"formula: {missing} is not a file; `make dist` builds it\n"


def test_an_index_that_does_not_answer_is_named(index: Index, sdist: Path) -> None:
    del index.files["rich"]

    done = formula(sdist, index.url)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"formula: GET {index.url}/rich/: HTTP Error 404: Not Found\n"
