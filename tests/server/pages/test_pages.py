"""The pages as they are answered, without a browser."""

from __future__ import annotations

import asyncio
import json
import re
from http.client import HTTPConnection
from urllib.parse import urlencode

import httpx
import pytest
from filelock import FileLock

from reconciler.server.account_service import TooManyWrites
from reconciler.server.app import create_app
from reconciler.server.pages import changes, runs
from reconciler.server.settings import ServerSettings
from reconciler.server.tokens import read_tokens
from reconciler.simulator.faults import parse_fault
from reconciler.workflow.runtime.context import Context
from tests.server.conftest import KEY, Answer, Serve, Start, wait_until
from tests.server.pages.conftest import READER, TOKEN, TOKENS, Fleet

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def names(answer: Answer) -> list[str]:
    """Return the names of the endpoints in the table, in order."""
    return re.findall(r'<th scope="row" class="name"><a href="[^"]*">([^<]*)</a>', answer.text)


def key_of(answer: Answer) -> str:
    found = re.search(r'name="key" value="([^"]+)"', answer.text)
    assert found, answer.text
    return found[1]


def post(server: Serve, path: str, cookie: str = "", **fields: str) -> Answer:
    headers = {**FORM, "Origin": server.url, **({"Cookie": cookie} if cookie else {})}
    return server.ask("POST", path, urlencode(fields).encode(), headers=headers)


def sign_in(server: Serve, token: str) -> str:
    """Return the cookie of a session."""
    answer = post(server, "/sign-in", key=key_of(server.get("/sign-in")), token=token)
    assert answer.status == 303, answer.text
    set_cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in set_cookie
    assert "SameSite=strict" in set_cookie
    return set_cookie.partition(";")[0]


def test_the_table_has_state_workers_and_who_moved_a_field(start: Start, fleet: Fleet) -> None:
    fleet.declare("embed:2.0.1", "embed:2.1.0")
    fleet.change("embed", healthy={"path": "/"})
    answer = start().get("/")
    assert answer.status == 200
    assert names(answer) == ["chat", "embed", "rerank"]
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))
    assert "3 endpoints" in text
    assert "2 of 2 ready, scales 2" in text
    assert re.search(r"image &#34;ghcr.io/acme/embed:2\.0\.1&#34; → &#34;\S+2\.1\.0&#34; YAML", text)
    assert re.search(r"healthPath &#34;/&#34; → &#34;/ready&#34; account", text)
    assert "hf_secret_value" not in answer.text
    assert KEY not in answer.text


def test_a_declared_endpoint_that_is_missing_has_a_row(start: Start, fleet: Fleet) -> None:
    fleet.sim.world.console_delete(fleet.id("chat"))
    fleet.sim.world.console_create(name="elsewhere")
    answer = start().get("/")
    assert names(answer) == ["chat", "elsewhere", "embed", "rerank"]
    assert "apply creates it" in answer.text
    assert "unmanaged" in answer.text


def test_the_filter_and_the_order_are_in_the_url(start: Start, fleet: Fleet) -> None:
    fleet.change("embed", healthy={"path": "/"})
    server = start()
    for query, expected in (
        ("q=EMB", ["embed"]),
        ("q=acme/re", ["rerank"]),
        ("state=Running&sort=name&dir=desc", ["rerank", "embed", "chat"]),
        ("sort=workers", ["embed", "chat", "rerank"]),
        ("show=drift", ["embed"]),
        ("show=differs&managed=declared", ["embed"]),
        ("managed=unmanaged", []),
        ("sort=nonsense&dir=up&state=", ["chat", "embed", "rerank"]),
    ):
        answer = server.get(f"/?{query}")
        assert names(answer) == expected, query
        assert expected or "No endpoint matches" in answer.text


def test_one_endpoint_has_its_configuration_workers_and_history(start: Start, fleet: Fleet) -> None:
    server = start()
    answer = server.get("/endpoints/chat")
    assert answer.status == 200
    for part in (
        "env.HF_TOKEN",
        "env.MODEL_NAME",
        "https://logs.novita.invalid/",
        "ghcr.io/acme/chat:1.4.2",
    ):
        assert part in answer.text
    assert "llama-3-70b" not in answer.text
    assert "hf_secret_value" not in answer.text
    assert "Version </span>1</th>" in answer.text
    assert server.get(f"/endpoints/{fleet.id('chat')}").text.count("<h1>chat</h1>") == 1
    missing = server.get("/endpoints/cat")
    assert missing.status == 404
    assert "there is no endpoint" in missing.text


def test_text_of_the_account_is_no_markup(start: Start, fleet: Fleet) -> None:
    name = "<script>alert(1)</script>"
    fleet.sim.world.console_create(name=name, image={"image": "\"><img src=x onerror='alert(1)'>"})
    server = start()
    for path in ("/", f"/endpoints/{fleet.id(name)}"):
        answer = server.get(path)
        assert answer.status == 200
        assert "&lt;script&gt;alert(1)" in answer.text
        assert "<script>alert" not in answer.text
        assert "<img" not in answer.text


def test_a_browser_signs_in_once_and_out(start: Start, fleet: Fleet) -> None:
    server = start(RECONCILER_API_TOKENS=TOKENS)
    assert "Sign in" in server.get("/").text
    cookie = sign_in(server, TOKEN)
    assert TOKEN not in cookie
    page = server.get("/", headers={"Cookie": cookie})
    assert "<span>ada</span>" in page.text
    reading = server.get("/", headers={"Cookie": sign_in(server, READER)})
    assert "<span>bob, read only</span>" in reading.text
    wrong = post(server, "/sign-in", key=key_of(server.get("/sign-in")), token="no-such-token-at-all")
    assert wrong.status == 403
    assert "does not know this token" in wrong.text
    assert "set-cookie" not in wrong.headers
    assert post(server, "/sign-out", cookie, key="guessed").status == 403
    assert post(server, "/sign-out", cookie, key=key_of(page)).status == 303
    assert "<span>ada</span>" not in server.get("/", headers={"Cookie": cookie}).text
    assert TOKEN not in server.log.read_text()


def test_signing_in_leads_to_no_other_server(start: Start, fleet: Fleet) -> None:
    server = start(RECONCILER_API_TOKENS=TOKENS)
    key = key_of(server.get("/sign-in"))
    for target in ("//evil.example", "https://evil.example", "/\\evil.example", "", "/sign-in"):
        answer = post(server, "/sign-in", key=key, token=TOKEN, next=target)
        assert (answer.status, answer.headers["location"]) == (303, "/"), target
    answer = post(server, "/sign-in", key=key, token=TOKEN, next="/endpoints/chat")
    assert answer.headers["location"] == "/endpoints/chat"


def test_an_unreachable_account_is_explained(start: Start, fleet: Fleet) -> None:
    server = start(NOVITA_BASE_URL="http://127.0.0.1:9")
    answer = server.get("/")
    assert answer.status == 500
    assert "127.0.0.1:9" in answer.text
    assert answer.headers["content-type"].startswith("text/html")


def digest_of(answer: Answer) -> str:
    found = re.search(r'name="digest" value="([0-9a-f]{64})"', answer.text)
    assert found, answer.text
    return found[1]


def test_apply_needs_the_right_a_form_of_the_session_and_a_digest(start: Start, fleet: Fleet) -> None:
    fleet.declare("embed:2.0.1", "embed:2.1.0")
    server = start(RECONCILER_API_TOKENS=TOKENS)
    assert 'action="/apply"' not in server.get("/plan").text
    cookie = sign_in(server, TOKEN)
    page = server.get("/plan", headers={"Cookie": cookie})
    key, digest = key_of(page), digest_of(page)
    free = key_of(server.get("/sign-in"))
    reader = sign_in(server, READER)
    readers_key = key_of(server.get("/plan", headers={"Cookie": reader}))
    for words, who, fields in (
        ("may only read", "", {"key": free, "digest": digest}),
        ("may only read", reader, {"key": readers_key, "digest": digest}),
        ("not come from a page of this session", cookie, {"key": free, "digest": digest}),
        ("not come from a page of this session", cookie, {"key": readers_key, "digest": digest}),
        ("not come from a page of this session", cookie, {"digest": digest}),
        ("names no plan", cookie, {"key": key, "digest": digest[:12]}),
        ("names no plan", cookie, {"key": key}),
    ):
        answer = post(server, "/apply", who, **fields)
        assert answer.status in (400, 403), fields
        assert words in answer.text
    forged = server.ask(
        "POST",
        "/apply",
        urlencode({"key": key, "digest": digest}).encode(),
        headers={**FORM, "Cookie": cookie, "Origin": "http://evil.example"},
    )
    assert forged.status == 403
    long = server.ask("POST", "/apply", b"key=" + b"x" * (2 << 20), headers={**FORM, "Cookie": cookie})
    assert long.status == 413
    assert fleet.sim.world.endpoint(fleet.id("embed"))["image"]["image"].endswith("2.0.1")
    assert "None since the server was started" in server.get("/runs").text
    done = post(server, "/apply", cookie, key=key, digest=digest)
    assert (done.status, done.headers["location"]) == (303, "/runs/1")
    wait_until(lambda: "Apply complete" in server.get("/runs/1").text)
    assert fleet.sim.world.endpoint(fleet.id("embed"))["image"]["image"].endswith("2.1.0")
    assert "ada" in server.get("/endpoints/embed").text
    assert server.get("/runs/2").status == 404
    assert post(server, "/runs/2/stop", cookie, key=key).status == 404


def test_a_plan_that_a_guard_stops_cannot_be_applied(start: Start, fleet: Fleet) -> None:
    server = start("--allow-unauthenticated-writes")
    (fleet.folder / "endpoints.yaml").write_text("endpoints: []\n", encoding="utf-8")
    answer = server.get("/plan")
    assert "a guard or an error stops it" in answer.text
    assert 'action="/apply"' not in answer.text
    (fleet.folder / "endpoints.yaml").write_text("endpoints: [\n", encoding="utf-8")
    answer = server.get("/plan")
    assert answer.status == 400
    assert "endpoints.yaml" in answer.text


def test_a_run_shows_its_progress_and_can_be_stopped(start: Start, fleet: Fleet) -> None:
    fleet.declare("embed:2.0.1", "embed:2.1.0")
    fleet.declare("rerank:0.9.0", "rerank:1.0.0")
    server = start("--allow-unauthenticated-writes")
    page = server.get("/plan")
    fleet.sim.world.switch(update_lag_seconds=3.0)
    assert post(server, "/apply", key=key_of(page), digest=digest_of(page)).status == 303
    wait_until(lambda: "0 of 2 changes done" in server.get("/runs/1").text)
    running = server.get("/runs/1")
    assert ">in progress<" in running.text
    assert '<noscript><meta http-equiv="refresh"' in running.text
    assert post(server, "/runs/1/stop", key=key_of(running)).status == 303
    assert "Stopping after the changes in flight" in server.get("/runs/1").text
    wait_until(lambda: "in progress" not in server.get("/runs/1").text)
    assert 'http-equiv="refresh"' not in server.get("/runs/1").text
    new = [one for one in fleet.sim.world.endpoints if one["image"]["image"].endswith((":2.1.0", ":1.0.0"))]
    ended = server.get("/runs/1").text
    assert ended.count("done in") == len(new)
    assert "Apply complete" in ended or "nterrupted" in ended


def test_open_pages_are_told_of_changes_until_the_server_stops(start: Start, fleet: Fleet) -> None:
    server = start()
    connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("GET", "/events")
    response = connection.getresponse()
    assert response.getheader("Content-Type", "").startswith("text/event-stream")

    def number() -> int:
        while True:
            line = response.readline().decode()
            assert line, "the stream has ended"
            if line.startswith("data: "):
                return int(json.loads(line[6:])["content"])

    first = number()
    fleet.change("embed", workerConfig={"maxNum": 7})
    wait_until(lambda: number() > first)
    assert server.stop() == 0
    assert response.read().endswith(b"\n\n") or response.isclosed()
    connection.close()


def test_the_last_listing_is_shown_while_new_ones_fail(start: Start, fleet: Fleet) -> None:
    server = start()
    assert 'class="note"' not in server.get("/").text
    fleet.sim.faults.add(parse_fault("list:403:always"))
    wait_until(lambda: 'class="note"' in server.get("/").text)
    page = server.get("/")
    assert page.status == 200
    assert names(page) == ["chat", "embed", "rerank"]
    (fleet.folder / "endpoints.yaml").write_text("endpoints: [\n", encoding="utf-8")
    answer = server.get("/plan")
    assert answer.status == 400


def test_files_with_errors_leave_the_differences_unknown(start: Start, fleet: Fleet) -> None:
    (fleet.folder / "endpoints.yaml").write_text("endpoints: [\n", encoding="utf-8")
    page = start().get("/")
    assert names(page) == ["chat", "embed", "rerank"]
    assert '<span class="quiet">unknown</span>' in page.text
    assert "the files have errors" in page.text


def test_a_run_waits_for_the_lock_and_says_who_holds_it(start: Start, fleet: Fleet) -> None:
    fleet.declare("embed:2.0.1", "embed:2.1.0")
    server = start("--allow-unauthenticated-writes", "--lock-timeout", "0.1s")
    page = server.get("/plan")
    with FileLock(fleet.folder / "state" / "novita.json.lock"):
        assert post(server, "/apply", key=key_of(page), digest=digest_of(page)).status == 303
        wait_until(lambda: "locked" in server.get("/runs/1").text)
    assert "Failed: 1 error." in server.get("/runs").text


def test_elsewhere_a_browser_must_sign_in_to_read(fleet: Fleet) -> None:
    """As on another address than that of this machine, where a token is needed to read."""
    environ = {"NOVITA_API_KEY": KEY, "NOVITA_BASE_URL": fleet.sim.url}
    context = Context(root=fleet.folder, environ=environ)
    settings = ServerSettings(
        host="192.0.2.1", tokens=read_tokens({"RECONCILER_API_TOKENS": TOKENS}), access_log=False
    )
    app = create_app(context, settings)

    async def visit() -> None:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://192.0.2.1") as browser:
            for path in ("/", "/endpoints/chat", "/plan", "/runs", "/events"):
                answer = await browser.get(path)
                assert answer.status_code == 303
                assert answer.headers["location"].startswith("/sign-in?next=%2F")
            found = re.search(r'name="key" value="([^"]+)"', (await browser.get("/sign-in")).text)
            assert found
            fields = {"key": found[1], "token": READER, "next": "/runs"}
            answer = await browser.post("/sign-in", data=fields, headers={"Origin": "http://192.0.2.1"})
            assert (answer.status_code, answer.headers["location"]) == (303, "/runs")
            assert "bob, read only" in (await browser.get("/runs")).text
            assert (await browser.get("/static/nothing")).status_code == 404

    try:
        asyncio.run(visit())
    finally:
        app.state.service.close()


def test_a_row_says_what_an_apply_would_do(start: Start, fleet: Fleet) -> None:
    world = fleet.sim.world
    fleet.declare("  - endpoint: embed\n", "  - endpoint: whisper\n")
    world.console_delete(fleet.id("rerank"))
    fleet.declare("  - endpoint: rerank\n", "  - endpoint: tts\n")
    world.console_create(name="tts", image={"image": "ghcr.io/acme/rerank:0.9.0"})
    odd = world.console_create(name="a/b", workerConfig={"minNum": 0, "maxNum": 40})
    (fleet.folder / "state" / "novita.json.history.jsonl").write_text("{}\n", encoding="utf-8")
    server = start()
    page = server.get("/")
    found = re.findall(r'class="outlook".*?>.*?<span[^>]*>([^<]+)', page.text, re.DOTALL)
    outlooks = dict(zip(names(page), found, strict=True))
    assert outlooks["chat"] == "as declared"
    assert outlooks["embed"] == "apply deletes it"
    assert outlooks["rerank"] == "apply drops its record"
    assert outlooks["whisper"] == "apply creates it"
    assert outlooks["a/b"] == "not declared"
    assert "adoption" in page.text or outlooks["tts"] == "apply takes it over"
    assert f'href="/endpoints/{odd}"' in page.text
    assert server.get(f"/endpoints/{odd}").status == 200
    missing = server.get("/endpoints/whisper")
    assert "Apply creates it" in missing.text
    (fleet.folder / "state" / "novita.json.history.jsonl").unlink()
    (fleet.folder / "state" / "novita.json.history.jsonl").mkdir()
    assert server.get("/runs").status == 200


def test_a_defect_in_a_run_shows_its_kind_and_not_its_text(
    start: Start, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.declare("embed:2.0.1", "embed:2.1.0")
    server = start("--allow-unauthenticated-writes")
    page = server.get("/plan")
    for failure, words in (
        (RuntimeError("a secret"), "Failed: internal error (RuntimeError)"),
        (TooManyWrites(), "too many other changes wait"),
    ):

        def fail(*_words: object, failure: Exception = failure, **_options: object) -> None:
            raise failure

        with monkeypatch.context() as patch:
            patch.setattr(runs, "apply_approved", fail)
            done = post(server, "/apply", key=key_of(page), digest=digest_of(page))
            path = done.headers["location"]
            wait_until(lambda path=path: "<progress" not in server.get(path).text)  # type: ignore[misc]
        assert words in server.get(path).text
        assert "a secret" not in server.get(path).text
    assert "internal error" in server.get("/runs").text
    with monkeypatch.context() as patch:
        patch.setattr(changes, "plan", fail)
        answer = server.get("/plan")
    assert answer.status == 500
    assert "a secret" not in answer.text


def test_a_plan_shows_values_of_env_only_with_the_right_to_write(start: Start, fleet: Fleet) -> None:
    fleet.declare("MODEL_NAME: llama-3-70b", "MODEL_NAME: llama-4")
    server = start(RECONCILER_API_TOKENS=TOKENS)
    cookie = sign_in(server, TOKEN)
    page = server.get("/plan", headers={"Cookie": cookie})
    assert "llama-4" in page.text
    assert "llama-4" not in server.get("/plan").text
    assert "env.MODEL_NAME" in server.get("/plan").text
    post(server, "/apply", cookie, key=key_of(page), digest=digest_of(page))
    wait_until(lambda: "Apply complete" in server.get("/runs/1").text)
    assert "llama-" not in server.get("/runs/1").text
    assert "llama-" not in server.get("/plan", headers={"Cookie": sign_in(server, READER)}).text


def test_a_page_with_a_report_has_one_banner(start: Start, fleet: Fleet) -> None:
    """The header of a report names its result; on a page of its own it is the banner."""
    fleet.declare("embed:2.0.1", "embed:2.1.0")
    text = start().get("/plan").text
    assert text.count('role="banner"') == 1
    assert "<header>" not in text
    assert '<header role="group" aria-label="Result"><p class="command">reconciler plan' in text


def test_a_plan_of_a_protected_environment_needs_its_name(start: Start, fleet: Fleet) -> None:
    """Typed into the form; without it nothing begins."""
    config = fleet.folder / "config" / "config.yaml"
    environments = "\nenvironments:\n  prod: {name: '{name}-prod', protected: true}\n"
    config.write_text(config.read_text(encoding="utf-8") + environments, encoding="utf-8")
    server = start("-e", "prod", "--allow-unauthenticated-writes")
    page = server.get("/plan")
    assert "reconciler plan (prod)" in page.text
    assert "Type prod to approve" in page.text
    fields = {"key": key_of(page), "digest": digest_of(page)}
    for name in ({}, {"environment": "yes"}):
        refused = post(server, "/apply", **fields, **name)
        assert refused.status == 400
        assert "the name of the environment was not typed" in refused.text
    assert post(server, "/apply", **fields, environment="prod").status == 303
    wait_until(lambda: any(one["name"] == "chat-prod" for one in fleet.sim.world.endpoints))


def test_each_endpoint_names_its_environment(start: Start, fleet: Fleet) -> None:
    """That of the server, or the other one whose inventory records it; one made elsewhere has none."""
    (fleet.folder / "config.yaml").write_text(
        'environments: {dev: {name: "{name}-dev"}, prod: {name: "{name}-prod"}}\n'
    )
    fleet.command("-e", "dev", "apply", "--auto-approve")
    fleet.command("-e", "prod", "apply", "--auto-approve")
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", start("-e", "prod").get("/").text))
    assert text.count("-prod environment prod ") == 3
    assert text.count("-dev unmanaged environment dev ") == 3
    assert "chat unmanaged ghcr.io" in text
