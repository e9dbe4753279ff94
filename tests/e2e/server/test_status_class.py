"""The status class says whether a call may have been carried out; the reason only explains."""

import pytest

from reconciler.inventory.session import load
from reconciler.inventory.stores.file.store import FileStore
from reconciler.simulator import Fault
from reconciler.simulator.faults import Kind
from tests.e2e.sandbox import Sandbox, item

UNCERTAIN = [
    (503, "SERVICE_UNAVAILABLE"),
    (500, "SERVERLESS_PRODUCT_NOT_FOUND"),
    (500, "BALANCE_NOT_ENOUGH"),
    (502, "VALIDATOR_PARAM"),
    (503, "CLUSTER_STATUS"),
    (504, "RATE_LIMIT_EXCEEDED"),
    (500, "SERVERLESS_APP_NAME_IS_EXIST"),
    (500, "INVALID_API_KEY"),
    (503, "SERVERLESS_ENDPOINT_NOT_FOUND"),
    (500, "UPSTREAM_TOO_LARGE"),
    (524, "ORIGIN_TIMEOUT"),
    (530, "X"),
    (408, "REQUEST_TIMEOUT"),
    (425, "TOO_EARLY"),
    (499, "CLIENT_CLOSED_REQUEST"),
    (460, ""),
    (303, ""),
    (308, ""),
]
REFUSED = [
    (400, "STORAGE_UNAVAILABLE"),
    (400, "NEW_REASON"),
    (409, "CONFLICT"),
    (413, "BODY_TOO_LARGE"),
    (422, "UNPROCESSABLE"),
]


def uncertain(
    status: int, reason: str, *, is_performed: bool, times: int | None = 1, operation: str = "create"
) -> Fault:
    kind: Kind = "status_after" if is_performed else "status"
    message = "the serverless cluster is not active" if status == 530 else "injected fault"
    return Fault(operation=operation, kind=kind, status=status, reason=reason, message=message, times=times)


@pytest.mark.parametrize(("status", "reason"), UNCERTAIN)
def test_a_create_that_was_carried_out_is_recorded(sandbox: Sandbox, status: int, reason: str) -> None:
    """It is looked for, whatever the reason says, and neither sent again nor taken for refused."""
    sandbox.declare(item("chat"))
    sandbox.sim.faults.add(uncertain(status, reason, is_performed=True))
    sandbox.apply()
    assert len(sandbox.sent("create")) == 1
    assert sandbox.inventory["chat"]["id"] == sandbox.id("chat")
    assert (sandbox.plan().code, sandbox.plan().codes) == (0, [])


@pytest.mark.parametrize(("status", "reason"), UNCERTAIN[:6])
def test_a_create_that_cannot_be_looked_for_stays_open(sandbox: Sandbox, status: int, reason: str) -> None:
    """Exit 5; the next run finds it and records it."""
    sandbox.declare(item("chat"))
    sandbox.sim.faults.add(uncertain(status, reason, is_performed=True))
    sandbox.sim.faults.after(
        "create",
        lambda _: sandbox.sim.faults.add(
            uncertain(403, "FORBIDDEN", is_performed=False, times=None, operation="list")
        ),
    )
    assert sandbox.run("apply", "--auto-approve").code == 5
    assert set(load(FileStore(sandbox.root / "state/novita.json")).intents) == {"chat"}
    sandbox.sim.faults.clear()
    sandbox.apply()
    assert len(sandbox.sent("create")) == 1
    assert sandbox.inventory["chat"]["id"] == sandbox.id("chat")


def test_a_create_that_was_not_carried_out_is_sent_again(sandbox: Sandbox) -> None:
    """Once the settling time has shown that nothing was made."""
    sandbox.declare(item("chat"))
    sandbox.sim.faults.add(uncertain(503, "SERVICE_UNAVAILABLE", is_performed=False))
    sandbox.apply()
    assert len(sandbox.sent("create")) == 2
    assert len(sandbox.sim.world.endpoints) == 1


@pytest.mark.parametrize(("status", "reason"), REFUSED)
def test_a_refusal_stays_a_refusal(sandbox: Sandbox, status: int, reason: str) -> None:
    """A 4xx that HTTP defines proves that nothing was made: exit 4, no look, nothing left open."""
    sandbox.declare(item("chat"))
    sandbox.sim.faults.add(uncertain(status, reason, is_performed=False))
    assert sandbox.run("apply", "--auto-approve").code == 4
    assert len(sandbox.sent("create")) == 1
    assert not load(FileStore(sandbox.root / "state/novita.json")).intents


def test_a_name_taken_by_a_create_that_was_lost(sandbox: Sandbox) -> None:
    """A listing that lags hides what was made, and the second send is refused: that is not the end of it."""
    sandbox.sim.world.switch(list_lag_seconds=1.0)
    sandbox.declare(item("chat"))
    sandbox.sim.faults.add(uncertain(503, "UNKNOWN", is_performed=True))
    ran = sandbox.run("apply", "--auto-approve")
    assert ran.code == 5, ran.err
    assert set(load(FileStore(sandbox.root / "state/novita.json")).intents) == {"chat"}
    sandbox.write("config.yaml", {"novita": {"settle_seconds": 5}})
    sandbox.apply()
    assert len(sandbox.sim.world.endpoints) == 1
    assert sandbox.inventory["chat"]["id"] == sandbox.id("chat")


@pytest.mark.parametrize(("status", "reason"), [*UNCERTAIN[:3], *UNCERTAIN[7:9], *UNCERTAIN[10:16:2]])
@pytest.mark.parametrize("operation", ["list", "get"])
def test_a_read_is_asked_again(sandbox: Sandbox, status: int, reason: str, operation: str) -> None:
    """No reason ends a plan at once, and none makes an endpoint count as gone."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    sandbox.sim.world.switch(list_lag_seconds=3600.0)  # so that it is asked for by its ID
    sandbox.sim.faults.add(uncertain(status, reason, is_performed=False, operation=operation))
    planned = sandbox.plan()
    assert (planned.code, planned.actions) == (0, {})


@pytest.mark.parametrize("operation", ["update", "delete"])
@pytest.mark.parametrize(("status", "reason"), UNCERTAIN[1:4] + UNCERTAIN[8:9])
def test_what_may_be_sent_twice_is_sent_again(
    sandbox: Sandbox, operation: str, status: int, reason: str
) -> None:
    """A delete is not taken for done because the answer says `not found` under a 5xx."""
    sandbox.declare(item("chat"), item("old"))
    sandbox.apply()
    sandbox.declare(item("chat", replicas=2))
    sandbox.sim.faults.add(uncertain(status, reason, is_performed=False, operation=operation))
    sandbox.apply()
    assert len(sandbox.sent(operation)) == 2
    assert set(sandbox.live()) == {"chat"}


@pytest.mark.parametrize(
    ("status", "reason", "code", "exit_code"),
    [
        (403, "NOT_ENOUGH_BALANCE", "account-blocked", 8),
        (400, "BILLING_BALANCE_NOT_ENOUGH", "account-blocked", 8),
        (403, "NEED_REAL_NAME_VERIFY", "account-blocked", 8),
        (403, "USER_NOT_ACTIVATED", "account-blocked", 8),
        (403, "BILLING_AUTH_FAILED", "key-lacks-permission", 8),
        (403, "API_NOT_ALLOWED", "key-lacks-permission", 8),
        (403, "ACCESS_DENY", "key-lacks-permission", 8),
        (403, "FEATURE_NOT_ALLOWED", "key-lacks-permission", 8),
        (404, "API_NOT_FOUND", "wrong-address", 4),
        (400, "CREATE_INSTANCE_LIMIT", "quota-exceeded", 4),
        (400, "INVALID_REQUEST_BODY", "invalid-value", 4),
        (400, "REQUEST", "invalid-value", 4),
        (400, "UNSUPPORTED_BILLING_MODE", "invalid-value", 4),
    ],
)
@pytest.mark.parametrize("operation", ["create", "update"])
def test_what_the_official_reasons_mean(
    sandbox: Sandbox, operation: str, status: int, reason: str, code: str, exit_code: int
) -> None:
    """An empty account is no bad key, and an address that is wrong is no missing endpoint."""
    sandbox.declare(item("chat"))
    if operation == "update":
        sandbox.apply()
        sandbox.declare(item("chat", replicas=2))
    sandbox.sim.faults.add(uncertain(status, reason, is_performed=False, times=None, operation=operation))
    ran = sandbox.run("apply", "--auto-approve", "--json")
    assert ran.code == exit_code
    assert [one["problem"]["code"] for one in ran.document["results"]] == [code]
    assert reason in ran.document["results"][0]["problem"]["detail"]


def test_a_busy_node_is_waited_for(sandbox: Sandbox) -> None:
    sandbox.declare(item("chat"))
    sandbox.sim.faults.add(uncertain(400, "NODE_STATUS", is_performed=False))
    sandbox.apply()
    assert len(sandbox.sent("create")) == 2


@pytest.mark.parametrize("reason", ["INVALID_REQUEST_BODY", "REQUEST", "VALIDATOR_PARAM"])
def test_a_delete_is_spelled_otherwise(sandbox: Sandbox, reason: str) -> None:
    """Which key holds the ID is contested, and several reasons refuse a key."""
    sandbox.declare(item("chat"), item("old"))
    sandbox.apply()
    sandbox.declare(item("chat"))
    sandbox.sim.faults.add(uncertain(400, reason, is_performed=False, times=2, operation="delete"))
    sandbox.apply()
    assert set(sandbox.live()) == {"chat"}
