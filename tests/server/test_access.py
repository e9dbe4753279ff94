"""Who may read and write, and that pages of other origins may do neither."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from reconciler.model.errors import InvalidConfig
from reconciler.server.settings import ServerSettings
from reconciler.server.tokens import find_caller, read_tokens
from reconciler.simulator import Server

from .conftest import KEY, READER, ROOT, TOKENS, WRITER, Client, Start

SECRET = "a-secret-value-of-a-variable"
BODY = {
    "endpoint": "probe",
    "specName": "novita-5090-single",
    "image": "ubuntu:22.04",
    "env": {"TOKEN": SECRET},
}
ALL = "/api/v1/endpoints"
WRITES = [
    ("POST", ALL),
    ("PUT", f"{ALL}/probe"),
    ("DELETE", f"{ALL}/probe"),
    ("POST", f"{ALL}/probe/scale"),
    ("PATCH", f"{ALL}/probe/deployment"),
]


def test_writing_needs_a_token_that_may_write(start: Start, sim: Server) -> None:
    server = start(RECONCILER_API_TOKENS=TOKENS)
    for method, path in WRITES:
        answer = server.ask(method, path, BODY)
        assert (answer.status, answer.json["error"]) == (401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert server.ask(method, path, BODY, token="unknown").status == 401
        answer = server.ask(method, path, BODY, token=READER)
        assert (answer.status, answer.json["error"]) == (403, "the token of eve may only read")
    assert not [one for one in sim.requests if one.method != "GET"]
    assert server.get(ALL).status == 200  # on this machine reading is free
    assert server.get(ALL, token="unknown").status == 401
    assert server.ask("POST", ALL, BODY, token=WRITER).status == 200
    assert server.ask("DELETE", f"{ALL}/probe", headers={"Authorization": WRITER}).status == 200  # bare


def test_without_any_token_nobody_writes(start: Start) -> None:
    """And the answer says how to."""
    answer = start().ask("POST", ALL, BODY)
    assert answer.status == 401
    assert "RECONCILER_API_TOKENS" in answer.json["hint"]
    assert "--allow-unauthenticated-writes" in answer.json["hint"]


def test_values_of_env_are_shown_only_to_a_token_that_may_write(start: Start) -> None:
    server = start(RECONCILER_API_TOKENS=TOKENS)
    assert server.ask("POST", ALL, BODY, token=WRITER).status == 200
    one = f"{ALL}/probe"
    assert server.get(one).json["env"] == {"TOKEN": "(sensitive value)"}
    for token in (None, READER):
        answer = server.get(f"{one}?reveal=env", token=token)
        assert answer.status == 403
        assert SECRET not in answer.text
    assert server.get(f"{one}?reveal=env", token=WRITER).json["env"] == {"TOKEN": SECRET}
    assert server.get(f"{ALL}?reveal=env", token=WRITER).status == 400
    assert SECRET not in server.ask("POST", f"{ALL}/preview", BODY).text
    server.stop()
    log = server.log.read_text()
    assert not {SECRET, WRITER, READER, KEY} & set(re.split(r'[\s"]', log))
    assert SECRET not in log


def test_the_name_of_the_token_is_in_the_history_and_the_log(start: Start) -> None:
    server = start(RECONCILER_API_TOKENS=TOKENS)
    without_env = {name: value for name, value in BODY.items() if name != "env"}
    assert server.ask("POST", ALL, without_env, token=WRITER).status == 200
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "-C", str(server.folder), "history"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    head, facts, command, *_ = map(str.split, done.stdout.splitlines())
    assert (head, facts[2:], command) == (["probe"], ["create", "ci"], ["command:", "serve"])
    server.stop()
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    (line,) = (line for line in lines if line["method"] == "POST")
    assert (line["path"], line["status"], line["who"]) == (ALL, 200, "ci")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8090", "127.0.0.1.evil.example", "", "[::1"])
def test_another_host_is_refused(shared: Client, host: str) -> None:
    """A name that somebody pointed at this machine: DNS rebinding."""
    answer = shared.get(ALL, headers={"Host": host})
    assert answer.status in (400, 403)
    assert "[]" not in answer.text


ORIGINS = ["http://evil.example", "null", "http://127.0.0.1:1", "https://localhost:8090", "file://"]


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/x-www-form-urlencoded"])
def test_a_page_of_another_origin_cannot_write_or_read(shared: Client, kind: str) -> None:
    """With any content type, since browsers send some without asking first."""
    server = shared
    for origin in ORIGINS:
        headers = {"Origin": origin, "Content-Type": kind}
        for method, path in [*WRITES, ("GET", ALL), ("OPTIONS", ALL)]:
            answer = server.ask(method, path, BODY if method != "GET" else None, headers=headers)
            assert answer.status == 403
            assert "access-control-allow-origin" not in answer.headers
    for site in ("cross-site", "same-site"):
        assert server.ask("POST", ALL, BODY, headers={"Sec-Fetch-Site": site}).status == 403
        assert server.get(ALL, headers={"Sec-Fetch-Site": site}).status == 403
    assert not [one for one in shared.sim.requests if one.method != "GET"]
    own = {"Origin": server.url, "Sec-Fetch-Site": "same-origin"}
    assert server.get(ALL, headers=own).status == 200


def test_a_named_origin_may_call_the_api(start: Start) -> None:
    page = "https://console.example.com"
    server = start("--cors-origin", page)
    answer = server.get(ALL, headers={"Origin": page, "Sec-Fetch-Site": "cross-site"})
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, page)
    preflight = server.ask("OPTIONS", ALL, headers={"Origin": page, "Access-Control-Request-Method": "POST"})
    assert preflight.status == 204
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert server.ask("POST", ALL, BODY, headers={"Origin": page}).status == 401
    assert server.get(ALL, headers={"Origin": "https://other.example.com"}).status == 403


def test_every_answer_forbids_frames_scripts_and_guessed_types(shared: Client) -> None:
    for path in ("/health", "/docs", ALL, "/nothing", "/api/v1/specs/none"):
        headers = shared.get(path).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers


@pytest.mark.parametrize(
    ("options", "tokens", "words"),
    [
        ([], "", "set reconciler_api_tokens"),
        (["--allow-unauthenticated-writes"], TOKENS, "omit --allow-unauthenticated-writes"),
    ],
)
def test_a_server_for_others_does_not_start_open(options: list[str], tokens: str, words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "serve", "--listen", "0.0.0.0:0", *options],
        cwd=ROOT / "examples/seed", capture_output=True, text=True, check=False, timeout=60,
        env={"PATH": "/usr/bin:/bin", "NOVITA_API_KEY": KEY, "RECONCILER_API_TOKENS": tokens,
             "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 1
    assert words in done.stderr.lower()


def test_a_server_for_others_asks_readers_for_a_token() -> None:
    settings = ServerSettings(host="192.0.2.1", tokens=read_tokens({"RECONCILER_API_TOKENS": TOKENS}))
    settings.check()
    assert settings.is_allowed_host("192.0.2.1:8090")
    assert not settings.is_allowed_host("evil.example")
    assert find_caller(settings.tokens, "") is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ci", "`:read` or `:write`"),
        ("ci:short:write", "fewer than 16"),
        ("ci:sha256=12:write", "64 hexadecimal digits"),
        (f"ci:{WRITER}:admin", "`:read` or `:write`"),
        (f"c i:{WRITER}:write", "its name must be"),
        (f"ok:{READER}:read,:{WRITER}:write", "token 2"),
    ],
)
def test_an_invalid_token_is_refused_without_quoting_it(text: str, words: str) -> None:
    with pytest.raises(InvalidConfig) as caught:
        read_tokens({"RECONCILER_API_TOKENS": text})
    shown = f"{caught.value} {caught.value.problem.hint}"
    assert words in shown
    assert WRITER not in shown
    assert "short" not in shown.replace("shorter", "")


def test_a_token_may_contain_colons() -> None:
    tokens = read_tokens({"RECONCILER_API_TOKENS": f"a:{WRITER}:with:colons:write"})
    found = find_caller(tokens, f"bearer {WRITER}:with:colons")
    assert found
    assert (found.name, found.may_write) == ("a", True)
