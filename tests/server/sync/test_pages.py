"""The pages of the controller without a browser: who sees what, and who may approve."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from reconciler.controller.approval import APPROVAL, approve, find_approval
from reconciler.controller.board import Board
from reconciler.controller.state import SYNC_STATE, EndpointSync, RoundResult, SyncStatus
from reconciler.model.encoding import json_bytes
from reconciler.workflow.runtime.context import Context
from tests.e2e.sandbox import SPECS, item
from tests.server.conftest import READER, WRITER, Answer
from tests.stores.engines import holder

from .conftest import DIGEST, Controller, Serve, a_board, a_plan, a_state, in_environment

HOSTILE = "<script>alert(1)</script>\u202e\x1b[31m"


def form(server: Controller, fields: dict[str, str], cookie: str = "", **headers: str) -> Answer:
    names = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    if cookie:
        names["Cookie"] = cookie
    return server.ask("POST", "/sync/approve", urlencode(fields).encode(), headers=names)


def sign_in(server: Controller, token: str) -> str:
    """Sign in and return the cookie."""
    page = server.get("/sign-in").text
    body = urlencode({"key": key_of(page), "token": token}).encode()
    answer = server.ask(
        "POST", "/sign-in", body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert answer.status == 303
    return answer.headers["set-cookie"].partition(";")[0]


def key_of(page: str) -> str:
    found = re.search(r'name="key" value="([^"]+)"', page)
    assert found
    return found[1]


def waiting_server(serve: Serve, context: Context) -> tuple[Controller, str, dict[str, str]]:
    """Return a server with a waiting plan, the cookie of who may approve it, and the fields of the form."""
    server = serve(a_board(context, a_state(context.environment_name, waiting=a_plan(context))))
    cookie = sign_in(server, WRITER)
    page = server.get("/sync", headers={"Cookie": cookie}).text
    return server, cookie, {"key": key_of(page), "of": context.environment_name, "digest": DIGEST}


def test_a_person_approves_the_plan_that_waits(serve: Serve, context: Context) -> None:
    server, cookie, fields = waiting_server(serve, context)
    assert form(server, fields, cookie).status == 303
    assert server.board.wake.is_set()
    assert server.board.state
    waiting = server.board.state.waiting
    assert waiting
    approval = find_approval(context, waiting)
    assert approval
    assert (approval.who, approval.digest) == ("ci", DIGEST)
    page = server.get("/sync", headers={"Cookie": cookie}).text
    assert "Approved by ci, until" in page
    assert "Approve this plan" not in page


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"digest": "cd" * 32}, 409),
        ({"digest": ""}, 409),
        ({"digest": "../../etc/passwd"}, 409),
        ({"of": "prod"}, 404),
        ({"key": "guessed"}, 403),
        ({"key": ""}, 403),
    ],
)
def test_a_form_that_is_not_right_approves_nothing(
    serve: Serve, context: Context, change: dict[str, str], status: int
) -> None:
    server, cookie, fields = waiting_server(serve, context)
    answer = form(server, {**fields, **change}, cookie)
    assert answer.status == status
    assert "nothing was" in answer.text or status == 404
    assert context.store.read_document(APPROVAL) is None
    assert not server.board.wake.is_set()


def test_a_plan_that_changed_meanwhile_is_refused(serve: Serve, context: Context) -> None:
    server, cookie, fields = waiting_server(serve, context)
    server.board.show(a_state(waiting=a_plan(context, digest="cd" * 32)), context)
    answer = form(server, fields, cookie)
    assert answer.status == 409
    assert "this plan does not wait any more" in answer.text
    assert "Another plan waits now." in answer.text
    server.board.show(a_state(), context)
    answer = form(server, fields, cookie)
    assert "It was applied, or the files, the inventory or the account have changed." in answer.text
    assert context.store.read_document(APPROVAL) is None


def test_nobody_approves_without_the_right(serve: Serve, context: Context) -> None:
    server, cookie, fields = waiting_server(serve, context)
    assert form(server, fields).status == 403, "the form of a session without its cookie"
    for origin in ("http://evil.example", "null"):
        assert form(server, fields, cookie, Origin=origin).status == 403
    assert form(server, fields, cookie, **{"Sec-Fetch-Site": "cross-site"}).status == 403
    reader = sign_in(server, READER)
    page = server.get("/sync", headers={"Cookie": reader}).text
    assert "1 to add, 1 to change" in page
    assert "ghcr.io/acme" not in page, "its values are for those who may write"
    assert 'action="/sync/approve"' not in page
    answer = form(server, {**fields, "key": key_of(page)}, reader)
    assert (answer.status, "may only read" in answer.text) == (403, True)
    answer = server.ask("POST", "/sync/approve", urlencode(fields).encode(), token=WRITER)
    assert answer.status == 403, "a token of the API has no page"
    assert context.store.read_document(APPROVAL) is None


def test_an_approval_of_the_page_is_used_once(serve: Serve, context: Context) -> None:
    """The same form again, after the leader has applied the plan and the same plan waits again."""
    server, cookie, fields = waiting_server(serve, context)
    assert form(server, fields, cookie).status == 303
    stolen = context.store.read_document(APPROVAL)
    with context.store.hold(holder("leader")) as hold:
        hold.write_document(APPROVAL, None)
    server.board.show(a_state(), context)
    assert form(server, fields, cookie).status == 409
    again = a_plan(context, since=a_state().next_round_at)
    with context.store.hold(holder("eve")) as hold:
        hold.write_document(APPROVAL, stolen)
    server.board.show(a_state(waiting=again), context)
    assert "Approved by" not in server.get("/sync", headers={"Cookie": cookie}).text


def test_the_name_of_a_confirmed_environment_is_typed(serve: Serve, context: Context) -> None:
    prod = in_environment(context, "prod", is_confirmed=True)
    server, cookie, fields = waiting_server(serve, prod)
    assert "Type prod to approve" in server.get("/sync", headers={"Cookie": cookie}).text
    for typed in ("", "dev", "yes"):
        answer = form(server, {**fields, "environment": typed}, cookie)
        assert answer.status == 400
        assert "the name of the environment was not typed" in answer.text
    assert form(server, {**fields, "environment": " prod "}, cookie).status == 303


def test_a_busy_inventory_says_who_holds_it(serve: Serve, context: Context) -> None:
    board = a_board(context, a_state(waiting=a_plan(context)))
    server = serve(board, unauthenticated_writes=True, lock_timeout=0.1)
    fields = {"key": key_of(server.get("/sync").text), "of": "", "digest": DIGEST}
    with context.store.hold(holder("anna")):
        answer = form(server, fields)
    assert answer.status == 409
    assert "is locked by anna" in answer.text


def test_a_replica_that_stands_by_shows_the_state_of_the_leader_and_passes_an_approval_on(
    serve: Serve, context: Context
) -> None:
    leading = a_state(waiting=a_plan(context))
    with context.store.sibling.hold(holder("leader")) as hold:
        hold.write_document(SYNC_STATE, json_bytes(leading.to_json()))
        server = serve(a_board(context, None), unauthenticated_writes=True)
        page = server.get("/sync").text
        assert "deploy@host-1 (pid 7)" in page
        assert "this process stands by" in page
        assert form(server, {"key": key_of(page), "of": "", "digest": DIGEST}).status == 303
        assert leading.waiting
        assert find_approval(context, leading.waiting)


def test_a_state_that_cannot_be_read_is_said(serve: Serve, context: Context) -> None:
    with context.store.sibling.hold(holder("eve")) as hold:
        hold.write_document(SYNC_STATE, b"[]")
    server = serve(a_board(context, None))
    assert "cannot be read" in server.get("/sync").text
    assert "cannot be read" in server.get("/api/v1/sync").json["environments"][0]["problem"]


def test_hostile_text_is_shown_as_text(serve: Serve, context: Context) -> None:
    row = EndpointSync(address=f"novita_endpoint.{HOSTILE}", status=SyncStatus.BLOCKED, why=HOSTILE)
    waiting = a_plan(context, summary=HOSTILE, text=f"  + {HOSTILE}\n{HOSTILE}", revision=HOSTILE)
    state = a_state(
        leader=HOSTILE,
        revision=HOSTILE,
        rejected=HOSTILE,
        paused=(HOSTILE,),
        endpoints=(row,),
        waiting=waiting,
    )
    server = serve(a_board(context, state), unauthenticated_writes=True)
    for page in (server.get("/sync").text, server.get(f"/sync?q={'%3Cscript'}").text):
        assert "<script>alert" not in page
        assert "\u202e" not in page
        assert "\x1b" not in page
        assert page.count("&lt;script&gt;") > 5
    assert b"<script" not in server.get("/api/v1/sync").body
    approve(context, waiting, HOSTILE)
    assert "<script>alert" not in server.get("/sync").text


def test_several_environments_are_listed_and_each_has_a_page(serve: Serve, context: Context) -> None:
    boards = [
        a_board(in_environment(context, name), a_state(name, count=count))
        for name, count in (("dev", 3), ("prod", 1000))
    ]
    server = serve(*boards, a_board(in_environment(context, "staging"), None))
    page = server.get("/sync").text
    assert re.findall(r'href="/environments/(\w+)"', page) == ["dev", "prod", "staging"]
    assert "11 blocked, 18 pending, 32 drifted, 939 synced" in page
    prod = server.get("/environments/prod").text
    assert "1,000 managed resources" in prod
    assert 'href="/endpoints/' not in prod, "the pages of endpoints are those of the first environment"
    assert 'href="/endpoints/model-0000"' in server.get("/environments/dev").text
    assert server.get("/environments/other").status == 404
    environments = server.get("/api/v1/sync").json["environments"]
    assert [(one["environment"], len(one["endpoints"])) for one in environments] == [
        *(("dev", 3), ("prod", 1000)),
        ("staging", 0),
    ]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"result": None}, "No round yet"),
        ({"result": RoundResult.ERROR}, "The last round failed"),
        ({"result": RoundResult.REFUSED}, "Paused"),
        ({"paused": ("a guard",)}, "Paused"),
        ({"count": 3}, "Changes are held back"),
        ({"count": 1}, "In sync"),
        ({"count": 0}, "In sync"),
        (
            {"endpoints": (EndpointSync(address="novita_endpoint.a", status=SyncStatus.PENDING),)},
            "Changes are to come",
        ),
        ({"endpoints": (EndpointSync(address="novita_endpoint.a", status=SyncStatus.DRIFTED),)}, "Drifted"),
    ],
)
def test_the_page_says_in_words_how_it_is(
    serve: Serve, context: Context, fields: dict[str, object], words: str
) -> None:
    server = serve(a_board(context, a_state(**fields)))
    assert f">{words}</span>" in server.get("/sync").text


def test_the_filter_is_in_the_url(serve: Serve, context: Context) -> None:
    server = serve(a_board(context, a_state(count=100)))

    def rows(query: str) -> list[str]:
        return re.findall(r'data-key="novita_endpoint\.([^"]+)"', server.get(f"/sync{query}").text)

    assert len(rows("")) == 100
    assert rows("")[0] == "model-0001", "what needs a look comes first"
    assert rows("?status=blocked") == ["model-0001", "model-0098"]
    assert rows("?q=0042") == ["model-0042"]
    assert rows("?q=0042&status=blocked") == []
    assert len(rows("?status=%3Cb%3E")) == 100


def test_a_long_plan_is_cut_and_says_so(serve: Serve, context: Context) -> None:
    waiting = a_plan(context, text="\n".join(f"  + line {number}" for number in range(5010)))
    server = serve(a_board(context, a_state(waiting=waiting)), unauthenticated_writes=True)
    page = server.get("/sync").text
    assert f"10 more lines: <code>reconciler approve {DIGEST}</code>" in page
    assert "line 4999" in page
    assert "line 5000" not in page


def test_the_server_of_serve_has_no_controller(shared: Controller) -> None:
    for path in ("/sync", "/api/v1/sync", "/environments/prod"):
        assert shared.get(path).status == 404
    assert "/sync" not in shared.get("/").text
    assert shared.ask("POST", "/hook", b"").status == 404


def test_the_pages_of_the_account_follow_the_files_in_force(serve: Serve, context: Context) -> None:
    board = Board(context, threading.Event())
    server = serve(board)
    assert "model-a" not in server.get("/").text
    root = context.root.parent / "next"
    root.mkdir()
    (root / "specs.yaml").write_text(json.dumps(SPECS))
    (root / "endpoints.yaml").write_text(json.dumps({"endpoints": [item("model-a")]}))
    board.lead()
    board.show(a_state(), replace(context, root=root))
    server.get("/api/v1/endpoints?fresh=1")
    assert "model-a" in server.get("/").text
