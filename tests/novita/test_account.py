"""The account through the endpoint kind: results of reads and writes."""

import json
from collections.abc import Iterator, Mapping

import pytest

from reconciler.kinds.registry import ENDPOINT
from reconciler.model.errors import (
    AnswerLost,
    ApiError,
    IncompleteListing,
    KeyRefused,
    NotFound,
    Refused,
    ServerError,
    Throttled,
    Unreachable,
)
from reconciler.model.request import API_ROOT
from reconciler.novita.account import AccountReader, AccountWriter
from reconciler.novita.http.client import Client
from reconciler.simulator.faults import Fault
from reconciler.simulator.profile import Profile
from reconciler.simulator.server import Server

from .support import CREATE, UPDATE, ManualTime, Reply, Stub, client_of, refusal, reply, secret

GONE = refusal(400, "SERVERLESS_ENDPOINT_NOT_FOUND")
WRONG_KEYS = refusal(400, "VALIDATOR_PARAM", "unknown field name")


def wire(number: int) -> dict[str, object]:
    return {"id": f"id{number}", "name": f"web-{number}", "state": {"state": "serving"}}


def account_of(*script: Reply | Exception) -> tuple[AccountWriter, Stub]:
    client, stub = client_of(*script)
    return AccountWriter(client, ENDPOINT, parallelism=4), stub


def listing_stub(count: int, oddity: Mapping[int, Reply]) -> Client:
    """A server of `count` endpoints whose pages in `oddity` are answered so instead."""

    def app(method: str, target: str, headers: object, body: bytes) -> Reply:
        number = int(target.rpartition("pageNum=")[2])
        if number in oddity:
            return oddity[number]
        shown = [wire(item) for item in range(number * 100, min(number * 100 + 100, count))]
        return 200, {}, json.dumps({"endpoints": shown, "total": count}).encode()

    return Client("https://api.test", secret(), app=app, timing=ManualTime().timing())


def test_a_reader_cannot_write() -> None:
    """The reader of plan and drift has no method that changes the account."""
    offered = {name for name in dir(AccountReader) if not name.startswith("_")}
    reads = {"listing", "read_pages", "list_unverified", "get", "get_many", "probe"}
    assert offered == reads | {
        "add_secrets",
        "report_to",
        "mask_env_values_of",
        "of",
        "prefetch",
        "cancel_prefetch",
        "optional",
    }


@pytest.mark.parametrize("empty", [None, []])
def test_no_endpoints(empty: object) -> None:
    """A null list is an empty one, and the proof costs a second page."""
    account, stub = account_of(reply(200, {"endpoints": empty, "total": 0}))
    listing = account.listing()
    assert (listing.endpoints, listing.requests) == ((), 2)
    assert [target for _, target, _ in stub.seen] == [
        f"{API_ROOT}/endpoints?pageSize=100&pageNum={number}" for number in (0, 1)
    ]


def test_a_long_listing() -> None:
    """All pages are parsed and put together."""
    with listing_stub(250, {}) as client:
        assert [found.name for found in AccountReader(client, ENDPOINT).listing().endpoints][248:] == [
            "web-248",
            "web-249",
        ]


@pytest.mark.parametrize(
    ("page", "answer", "kind"),
    [
        (0, reply(200, "<html>"), AnswerLost),
        (0, reply(500, ""), ServerError),
        (0, refusal(403, "FORBIDDEN"), KeyRefused),
        (0, reply(404, "<html>"), Refused),
        (0, reply(200, {"data": []}), IncompleteListing),
        (0, reply(200, {"endpoints": [], "total": "many"}), IncompleteListing),
        (2, reply(200, "<html>"), IncompleteListing),
        (2, reply(500, ""), IncompleteListing),
        (2, refusal(429, "RATE_LIMIT_EXCEEDED"), IncompleteListing),
        (2, reply(403, "<html>"), IncompleteListing),
        (2, refusal(403, "FORBIDDEN"), KeyRefused),
        (2, reply(200, {"oops": 1}), IncompleteListing),
        (2, refusal(400, "VALIDATOR_PARAM"), IncompleteListing),
        (2, reply(404, {"message": "no page"}), IncompleteListing),
    ],
)
def test_a_page_that_fails(page: int, answer: Reply, kind: type[Exception]) -> None:
    """On the first page the call's own error goes up, on a later one the listing is incomplete."""
    with listing_stub(250, {page: answer}) as client, pytest.raises(kind) as caught:
        AccountReader(client, ENDPOINT, parallelism=2).listing()
    assert type(caught.value) is kind


def test_a_broken_off_listing_names_page_and_cause() -> None:
    """The user reads which page failed, why, and what to do."""
    with listing_stub(250, {2: reply(502, "<html>")}) as client, pytest.raises(IncompleteListing) as caught:
        AccountReader(client, ENDPOINT).listing()
    whole, cause = caught.value.problems
    assert "page 2 failed" in whole.summary
    assert "502 Bad Gateway" in whole.detail
    assert whole.hint == cause.hint
    assert cause.code == "server-error"


@pytest.mark.parametrize("answer", [{"endpoint": wire(7)}, wire(7)])
def test_get(answer: object) -> None:
    """One endpoint, wrapped or flat."""
    account, stub = account_of(reply(200, answer))
    found = account.get("id7")
    assert found is not None
    assert (found.id, found.name, found.state) == ("id7", "web-7", "serving")
    assert stub.seen == [("GET", f"{API_ROOT}/endpoint?id=id7", None)]


@pytest.mark.parametrize("answer", [GONE, refusal(404, ""), refusal(400, "RESOURCE_NOT_FOUND")])
def test_get_of_a_missing_endpoint(answer: Reply) -> None:
    """None means that Novita said so."""
    assert account_of(answer)[0].get("id7") is None


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply(200, {}), AnswerLost),
        (reply(200, []), AnswerLost),
        (reply(200, {"endpoint": wire(8)}), AnswerLost),
        (reply(404, "<html>"), Refused),
        (refusal(400, "VALIDATOR_PARAM"), Refused),
        (reply(500, ""), ServerError),
        (refusal(401, "UNAUTHORIZED"), KeyRefused),
        (TimeoutError("slow"), AnswerLost),
    ],
)
def test_get_raises_other_errors(answer: Reply | Exception, kind: type[ApiError]) -> None:
    """Any other answer is an error: an endpoint that cannot be read is not gone."""
    with pytest.raises(kind):
        account_of(answer)[0].get("id7")


@pytest.mark.parametrize(
    "answer", [{"maxGPUNum": 8}, {"limit": {"maxGPUNum": 8}}, {"data": {"maxGPUNum": 8}}]
)
def test_limits(answer: object) -> None:
    """The quotas are one flat object, whatever it is wrapped in."""
    account, stub = account_of(reply(200, answer))
    assert account.optional.limits() == {"maxGPUNum": 8}
    assert stub.seen[0][1] == f"{API_ROOT}/endpoint/limit"


@pytest.mark.parametrize(
    "answer", [reply(200, []), reply(404, ""), reply(500, ""), refusal(429, "X"), TimeoutError(), GONE]
)
def test_limits_that_cannot_be_read(answer: Reply | Exception) -> None:
    """No run depends on them: None, after one call."""
    account, stub = account_of(answer)
    assert account.optional.limits() is None
    assert len(stub.seen) == 1


def test_limits_with_a_refused_key() -> None:
    """A refused key is told at the first chance."""
    with pytest.raises(KeyRefused):
        account_of(refusal(403, "INVALID_API_KEY"))[0].optional.limits()


@pytest.mark.parametrize(
    "answer", [{"data": [{"id": "eu-1"}, {"id": 27}, {"id": ""}, "junk"]}, [{"id": "eu-1"}, {"id": 27}]]
)
def test_clusters(answer: object) -> None:
    """The IDs of the clusters, as text, whatever stands beside them."""
    account, stub = account_of(reply(200, answer))
    assert account.optional.clusters() == {"eu-1", "27"}
    assert stub.seen[0][1] == f"{API_ROOT}/clusters"


@pytest.mark.parametrize("answer", [reply(404, ""), reply(200, {"data": None}), reply(200, "7"), GONE])
def test_clusters_that_are_not_offered(answer: Reply | Exception) -> None:
    """None, after one call: that is not the same as none at all."""
    account, stub = account_of(answer)
    assert account.optional.clusters() is None
    assert len(stub.seen) == 1


@pytest.mark.parametrize(
    "answer", [reply(200, {"endpoints": [], "total": 0}), refusal(400, "VALIDATOR_PARAM")]
)
def test_a_probe_that_is_answered(answer: Reply) -> None:
    """One small call; a server that counts pages from 1 has answered as well."""
    account, stub = account_of(answer)
    account.probe()
    assert [target for _, target, _ in stub.seen] == [f"{API_ROOT}/endpoints?pageSize=1&pageNum=0"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal(403, "INVALID_API_KEY"), KeyRefused),
        (reply(403, "<html>"), Refused),
        (reply(404, "no such page"), Refused),
        (reply(502, ""), ServerError),
        (ConnectionRefusedError(), Unreachable),
    ],
)
def test_a_probe_that_is_not(answer: Reply | Exception, error: type[ApiError]) -> None:
    """The error that prevents a read is raised after one call."""
    account, stub = account_of(answer)
    with pytest.raises(error):
        account.probe()
    assert len(stub.seen) == 1


@pytest.mark.parametrize("answer", [{"id": "new"}, {"endpoint": {"id": "new"}}])
def test_create(answer: object) -> None:
    """The new ID is handed back."""
    account, stub = account_of(reply(200, answer))
    assert account.create(CREATE) == "new"
    assert stub.seen == [("POST", CREATE.path, CREATE.body)]


@pytest.mark.parametrize("answer", [reply(200, ""), reply(200, {"id": ""}), reply(200, [])])
def test_a_create_answer_without_an_id_is_a_lost_answer(answer: Reply) -> None:
    """An answer that names no endpoint proves none was made as little as one."""
    account, stub = account_of(answer)
    with pytest.raises(AnswerLost) as caught:
        account.create(CREATE)
    assert len(stub.seen) == 1
    assert "may or may not" in caught.value.problem.detail


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(reply(502, ""), ServerError), (ConnectionResetError(), AnswerLost), (GONE, Refused)],
)
def test_a_lost_create_raises(answer: Reply | Exception, kind: type[ApiError]) -> None:
    """Nothing is resolved here: who recorded the intent looks in the listing."""
    account, stub = account_of(answer)
    with pytest.raises(kind) as caught:
        account.create(CREATE)
    assert type(caught.value) is kind
    assert len(stub.seen) == 1


@pytest.mark.parametrize(
    ("answer", "offered"),
    [
        (reply(200, {}), True),
        (refusal(400, "SERVERLESS_WORKER_NOT_FOUND"), True),
        (reply(404, "no such page"), False),
        (refusal(405, "METHOD_NOT_ALLOWED"), False),
    ],
)
def test_drain(answer: Reply, offered: bool) -> None:
    """A worker that is gone needs none; a Novita without that call is no error."""
    account, stub = account_of(answer)
    request = ENDPOINT.drain_request("w-1")
    assert account.drain(request) is offered
    assert stub.seen == [("POST", request.path, {"workerID": "w-1", "drain": True})]


def test_a_drain_that_is_refused() -> None:
    """Then nothing else is sent either."""
    account, _ = account_of(refusal(403, "INVALID_API_KEY"))
    with pytest.raises(KeyRefused):
        account.drain(ENDPOINT.drain_request("w-1"))


def test_update() -> None:
    """A full body goes out; an empty answer is a success, an absent endpoint is not."""
    account, stub = account_of(reply(200, ""), GONE)
    account.update(UPDATE)
    assert stub.seen == [("POST", UPDATE.path, UPDATE.body)]
    with pytest.raises(NotFound):
        account.update(UPDATE)


@pytest.mark.parametrize(
    ("script", "bodies"),
    [
        ([reply(200, "")], [{"id": "x", "name": "x"}]),
        ([GONE], [{"id": "x", "name": "x"}]),
        ([WRONG_KEYS, reply(200, {})], [{"id": "x", "name": "x"}, {"id": "x"}]),
        ([WRONG_KEYS, WRONG_KEYS, GONE], [{"id": "x", "name": "x"}, {"id": "x"}, {"name": "x"}]),
        ([TimeoutError(), GONE], [{"id": "x", "name": "x"}] * 2),
    ],
)
def test_delete(script: list[Reply | Exception], bodies: list[object]) -> None:
    """The contested key is found by trying, and what is gone counts as deleted."""
    account, stub = account_of(*script)
    account.delete("x")
    assert [body for _, _, body in stub.seen] == bodies


@pytest.mark.parametrize(
    ("answer", "kind", "sent"),
    [
        (WRONG_KEYS, Refused, 3),
        (refusal(400, "SOMETHING"), Refused, 1),
        (refusal(401, "UNAUTHORIZED"), KeyRefused, 1),
        (refusal(429, "RATE_LIMIT_EXCEEDED"), Throttled, 5),
        (reply(404, "<html>"), Refused, 1),
    ],
)
def test_a_delete_that_fails(answer: Reply, kind: type[ApiError], sent: int) -> None:
    """Only a refusal of the keys is worth another spelling."""
    account, stub = account_of(answer)
    with pytest.raises(kind):
        account.delete("x")
    assert len(stub.seen) == sent


@pytest.fixture
def simulator() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.mark.parametrize("past_end", ["empty", "repeat", "400"])
@pytest.mark.parametrize(("base", "page_zero"), [(0, "first"), (1, "first"), (1, "400")])
@pytest.mark.parametrize("size", [1000, 40])
def test_listings_over_a_socket(past_end: str, base: int, page_zero: str, size: int) -> None:
    """The simulator's switches for paging all end in the whole account."""
    profile = Profile(page_base=base, page_zero=page_zero, past_end=past_end, max_page_size=size)  # type: ignore[arg-type]
    with Server(profile=profile) as server:
        made = {server.world.console_create(name=f"web-{number}") for number in range(130)}
        with Client(server.url, secret(), timing=ManualTime().timing()) as client:
            listing = AccountReader(client, ENDPOINT).listing()
    assert {found.id for found in listing.endpoints} == made
    assert len(listing.endpoints) == 130


def test_create_update_and_delete_in_the_simulator(simulator: Server) -> None:
    """Create, read, list, delete over a real socket, through two answers that go wrong."""
    body = {
        "endpoint": {
            "name": "web",
            "appName": "web",
            "products": [{"id": "SL-serverless-3"}],
            "rootfsSize": 100,
            "clusterID": "us-dallas-nas-2",
            "image": {"image": "ubuntu:22.04"},
            "healthy": {"path": "/health"},
            "ports": [{"port": 8000}],
            "policy": {"type": "queue", "value": 60},
            "workerConfig": {
                "minNum": 0,
                "maxNum": 1,
                "freeTimeout": 300,
                "maxConcurrent": 1,
                "gpuNum": 1,
                "requestTimeout": 120,
            },
        }
    }
    request = type(CREATE)(method="POST", path=CREATE.path, body=body, is_idempotent=False)
    with Client(simulator.url, secret(), timing=ManualTime().timing()) as client:
        account = AccountWriter(client, ENDPOINT)
        created = account.create(request)
        assert [found.id for found in account.listing().endpoints] == [created]
        found = account.get(created)
        assert found is not None
        assert found.name == "web"
        simulator.faults.add(Fault(kind="truncated", times=2))
        assert account.optional.limits() is None
        assert account.get(created) == found
        account.delete(created)
        assert account.get(created) is None
        account.delete(created)
        assert account.listing().endpoints == ()
