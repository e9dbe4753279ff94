"""The server as a process: it starts, answers over a socket, and stops."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from reconciler.simulator import Server

from .conftest import KEY, ROOT, StartProcess


def test_it_serves_until_it_is_told_to_stop(start_process: StartProcess, sim: Server) -> None:
    server = start_process()
    assert server.get("/health").json == {"status": "ok"}
    answer = server.get("/api/v1/endpoints")
    assert (answer.status, answer.json) == (200, [])
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert float(answer.headers["x-reconciler-age"]) < 60
    assert server.stop() == 0
    assert KEY not in server.log.read_text()


def test_an_unknown_path_and_a_wrong_method_are_not_found(start_process: StartProcess) -> None:
    """As the original service answers them: plain text, and no 405."""
    server = start_process()
    for method, path in (("GET", "/api/v1/nothing"), ("PUT", "/api/v1/endpoints"), ("OPTIONS", "/health")):
        answer = server.ask(method, path)
        assert (answer.status, answer.text) == (404, "404 page not found")
        assert answer.headers["content-type"].startswith("text/plain")


def test_a_server_needs_a_key_and_a_free_port(start_process: StartProcess, folder: Path) -> None:
    server = start_process()
    command = [sys.executable, "-m", "reconciler", "-C", str(folder), "serve"]
    environ = {"PATH": "/usr/bin:/bin", "NOVITA_BASE_URL": "http://127.0.0.1:9", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "novita API key is required" in done.stderr
    done = subprocess.run(
        [*command, "--listen", f"127.0.0.1:{server.port}"],
        env={**environ, "NOVITA_API_KEY": KEY}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Try another port" in done.stderr


def test_without_the_extra_it_says_what_to_install(folder: Path) -> None:
    """The packages of the extra are not needed for any other command."""
    script = (
        "import importlib.util, sys\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *rest: None if name == 'starlette' else find(name, *rest)\n"
        "from reconciler.cli.main import run\n"
        "code = run(['serve'])\n"
        "assert not {'starlette', 'uvicorn', 'jinja2', 'prometheus_client'} & set(sys.modules)\n"
        "sys.exit(code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "packages that are not installed (starlette)" in done.stderr
    assert "pip install 'novita-reconciler[server]'" in done.stderr
