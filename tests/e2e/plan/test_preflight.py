"""The checks beside a plan: they warn, and refuse the plan if the user asked for them."""

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from reconciler.simulator import Fault
from tests.e2e.sandbox import CommandResult, Sandbox, item
from tests.fake_registry import Registry, serve_registry


@pytest.fixture
def registry() -> Iterator[Registry]:
    with serve_registry() as found:
        found.push("acme/chat:1")
        yield found


@pytest.fixture
def chat(sandbox: Sandbox, registry: Registry) -> Sandbox:
    """An endpoint that is to be created, with an image that exists."""
    sandbox.declare(item("chat", image=registry.image("acme/chat:1"), replicas=2))
    return sandbox


def results(ran: CommandResult) -> dict[str, str]:
    """Return the result of each check of a plan document."""
    return {check["check"]: check["result"] for check in ran.document["preflight"]}


def specs(sandbox: Sandbox, product: str, region: str, cuda: str | None = None) -> None:
    novita = {"productId": product, "region": region, **({"cudaVersion": cuda} if cuda else {})}
    resources = {"gpu": "1", "ephemeralStorage": "100"}
    sandbox.write(
        "specs.yaml", {"specs": [{"name": "small", "resources": resources, "platforms": {"novita": novita}}]}
    )


def test_every_check_has_a_result(chat: Sandbox) -> None:
    """On request all of them are shown, in each format, and the registry is asked."""
    ran = chat.run(
        "plan", "--preflight", "--markdown-into", "p.md", "--html-into", "p.html", "--junit-into", "p.xml"
    )
    assert ran.code == 0
    assert "\nPreflight (7 pass):\n" in ran.out
    for line in (
        "  pass         limits   all values are within the limits of the account\n",
        "  pass         product  SL-serverless-3 in us-dallas-nas-2: RTX 5090\n",
        "  pass         stock    SL-serverless-3 in us-dallas-nas-2: 64 GPUs available (high), 2 needed",
        "  pass         cuda     no CUDA version is required\n",
        "  pass         storage  no network storage is mounted\n",
    ):
        assert line in ran.out
    assert "/acme/chat:1 exists\n" in ran.out
    assert "$100.00 lasts 3 days at the floor of the plan\n" in ran.out
    assert "| stock | pass | SL-serverless-3 in us-dallas-nas-2: 64 GPUs" in Path("p.md").read_text()
    assert '<span class="badge good">pass</span> stock<dd>SL-serverless-3' in Path("p.html").read_text()
    cases = [case.get("name") for case in ET.parse("p.xml").iter("testcase")]
    assert "preflight stock: novita_endpoint.chat" in cases


def test_without_a_request_no_registry_is_asked(chat: Sandbox, registry: Registry) -> None:
    """The cheap checks are made beside the listing; text shows them only if they do not pass."""
    ran = chat.plan()
    assert set(results(ran).values()) == {"pass", "not checked"}
    assert (results(ran)["image"], registry.requests) == ("not checked", [])
    assert "Preflight" not in chat.run("plan").out


def test_registries_are_asked_once_if_a_default_is_lowered(chat: Sandbox, registry: Registry) -> None:
    """The limits make a second plan necessary, and only that one is reviewed."""
    asked = []
    for limit in (3600, 1800):
        chat.sim.world.switch(limits={"maxRequestTimeout": limit})
        registry.requests.clear()
        assert chat.run("plan", "--preflight").code == 0
        asked.append([(method, path) for method, path, _ in registry.requests])
    assert asked[0]
    assert asked[0] == asked[1]


def test_a_plan_without_changes_has_no_preflight(chat: Sandbox) -> None:
    chat.apply("--preflight")
    before = len(chat.sent("market_products", "balance"))
    ran = chat.plan("--preflight")
    assert (ran.code, "preflight" in ran.document) == (0, False)
    assert len(chat.sent("market_products", "balance")) == before


@pytest.mark.parametrize(
    ("product", "region", "cuda", "check", "says"),
    [
        ("SL-serverless-9", "us-dallas-nas-2", None, "product", "is not in Novita's list of products"),
        ("SL-serverless-4", "eu-de-1", None, "product", "is not offered in eu-de-1, but in us-dallas-nas-2"),
        ("SL-serverless-3", "eu-de-1", "9.9", "cuda", "CUDA 9.9 is not offered, but 1"),
    ],
)
def test_a_failed_check_refuses_on_request(
    chat: Sandbox, product: str, region: str, cuda: str | None, check: str, says: str
) -> None:
    """Otherwise it is a warning: nobody has seen the list of products of a real account."""
    specs(chat, product, region, cuda)
    for command in (["plan"], ["apply", "--yes"]):
        ran = chat.run(*command, "--preflight", "--json")
        assert (ran.code, ran.codes) == (3, [f"preflight-{check}"])
        assert says in ran.document["problems"][0]["summary"]
    assert (chat.live(), results(ran)[check]) == ({}, "fail")
    warned = chat.plan()
    assert [(one["severity"], one["code"]) for one in warned.document["problems"]] == [
        ("warning", f"preflight-{check}")
    ]
    chat.apply()


def test_a_product_in_use_exists(chat: Sandbox) -> None:
    """Even if the list lacks it."""
    chat.apply()
    chat.sim.world.switch(hidden_products=("SL-serverless-3",))
    chat.declare(item("chat", image="ubuntu:22.04", replicas=2), item("more"))
    ran = chat.plan("--preflight")
    assert (ran.code, results(ran)["product"]) == (2, "warn")


@pytest.mark.parametrize(
    ("stock", "says"),
    [(0, "no GPU is available now"), (1, "1 GPU available (low), 2 needed now")],
)
def test_missing_stock_is_a_warning(chat: Sandbox, stock: int, says: str) -> None:
    chat.sim.world.switch(product_stock={"SL-serverless-3": stock})
    ran = chat.plan("--preflight")
    assert (ran.code, ran.codes, results(ran)["stock"]) == (2, ["preflight-stock"], "warn")
    assert says in ran.document["problems"][0]["summary"]


def test_an_image_that_does_not_exist(chat: Sandbox, registry: Registry) -> None:
    """It fails; one that needs a credential is not checked, because that credential is not sent from here."""
    registry.push("acme/private:1")
    registry.private.add("acme/private")
    chat.declare(
        item("chat", image=registry.image("acme/chat:2")),
        item("hidden", image=registry.image("acme/private:1")),
    )
    ran = chat.plan("--preflight")
    images = [one["result"] for one in ran.document["preflight"] if one["check"] == "image"]
    assert (ran.code, images) == (3, ["fail", "not checked"])


def test_a_digest_is_asked_for_itself(chat: Sandbox, registry: Registry) -> None:
    digest = registry.push("acme/chat:2")
    chat.declare(item("chat", image=f"{registry.image('acme/chat:2')}@{digest}"))
    results(chat.plan("--preflight"))
    assert registry.requests[-1][1].endswith(f"/manifests/{digest}")


def test_what_cannot_be_read_is_not_checked(chat: Sandbox) -> None:
    """Never an error: a key may lack the permission for products or for bills."""
    for operation in ("market_products", "balance"):
        chat.sim.faults.add(Fault(operation=operation, status=500, times=None))
    ran = chat.plan("--preflight")
    found = results(ran)
    assert (ran.code, found["product"], found["stock"], found["balance"]) == (2, *["not checked"] * 3)


@pytest.mark.parametrize(("balance", "code", "result"), [(10_0000, 2, "warn"), (0, 3, "fail")])
def test_the_balance(chat: Sandbox, balance: int, code: int, result: str) -> None:
    """A short one is a warning. Without any, Novita would refuse the create."""
    chat.sim.world.switch(balance=balance)
    ran = chat.plan("--preflight")
    assert (ran.code, results(ran)["balance"]) == (code, result)


def test_a_storage_that_the_same_apply_creates(chat: Sandbox) -> None:
    """`validate` compares the regions of declared storages."""
    chat.declare(
        item("chat", storage=[{"type": "network", "name": "weights", "mountPath": "/data"}]),
        storages=[{"name": "weights", "region": "us-dallas-nas-2", "sizeGb": 10}],
    )
    assert results(chat.plan("--preflight"))["storage"] == "pass"


def test_a_storage_of_another_region(chat: Sandbox) -> None:
    """Novita would refuse the mount. The storages of a run that lists none are not known."""
    mounted = {"storage": [{"type": "network", "id": "storage-1", "mountPath": "/data"}]}
    chat.declare(item("chat", **mounted))
    assert results(chat.plan("--preflight"))["storage"] == "not checked"


@pytest.mark.parametrize(
    ("region", "code", "result", "says"),
    [
        ("us-dallas-nas-2", 2, "pass", "us-dallas-nas-2 offers network storage"),
        ("eu-de-1", 3, "fail", "eu-de-1 offers no network storage, for `weights`"),
        ("oc-au-1", 2, "not checked", "Novita does not say whether oc-au-1 offers network storage"),
    ],
)
def test_whether_a_region_offers_storage(
    sandbox: Sandbox, region: str, code: int, result: str, says: str
) -> None:
    """It is asked for new storages, also without endpoints; a region that is not listed proves nothing."""
    sandbox.declare(storages=[{"name": "weights", "region": region, "sizeGb": 10}])
    ran = sandbox.run("plan", "--preflight", "--json", "--detailed-exitcode")
    assert ran.code == code
    checks = {check["check"]: check for check in ran.document["preflight"]}
    assert (checks["storage-region"]["result"], checks["storage-region"]["detail"]) == (result, says)
    assert len(sandbox.sent("clusters")) == 1


def test_a_plan_without_new_storages_does_not_ask_for_regions(chat: Sandbox) -> None:
    chat.run("plan")
    assert "clusters" not in chat.operations
