"""The cost of a plan: every number is computed again from what the simulated Novita answers."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any
from urllib.request import Request, urlopen

import pytest

from reconciler.simulator.faults import Fault
from tests.e2e.sandbox import KEY, SPECS, Sandbox, item

HOURS = 730
SCALE = 10**18 * 24 * 3600
"""Integers of the second computation count USD by this."""

OWN_PRICE = "1.234567"


def products_of(sandbox: Sandbox) -> dict[str, Any]:
    """Return Novita's own answer by product ID, read without reconciler."""
    url = f"{sandbox.sim.url}/gpus/v2/products?type=gpu&category=serverless&limit=100"
    with urlopen(Request(url, headers={"Authorization": f"Bearer {KEY}"}), timeout=10) as answer:
        return {product["id"]: product for product in json.load(answer)["data"]}


def write_specs(sandbox: Sandbox) -> None:
    """Four shapes: one GPU, four GPUs, more disk than is free, and one with a price of its own."""

    def spec(name: str, product: str, gpu: int, disk: int, **more: Any) -> dict[str, Any]:
        place = {"productId": product, "region": "us-dallas-nas-2", **more}
        return {
            "name": name,
            "resources": {"gpu": str(gpu), "ephemeralStorage": str(disk)},
            "platforms": {"novita": place},
        }

    sandbox.write(
        "specs.yaml",
        {
            "specs": [
                spec("one", "SL-serverless-3", 1, 60),
                spec("four", "SL-serverless-1", 4, 60),
                spec("disk", "SL-serverless-4", 1, 97),
                spec("priced", "SL-serverless-2", 2, 60, pricePerHour=OWN_PRICE),
            ]
        },
    )


def second_computation(sandbox: Sandbox, declared: Mapping[str, Any]) -> dict[str, int]:
    """Return floor, ceiling (per hour), idle tail (once) and disk (per day), as integers of 1/SCALE USD."""
    specs = {spec["name"]: spec for spec in json.loads((sandbox.root / "specs.yaml").read_text())["specs"]}
    spec = specs[declared["specName"]]
    gpus, disk = (int(spec["resources"][name]) for name in ("gpu", "ephemeralStorage"))
    product = products_of(sandbox)[spec["platforms"]["novita"]["productId"]]
    pricing = product["pricing"]
    unit = SCALE // 10 ** pricing["precision"]
    per_unit = {"per_hour": 1, "per_second": 3600}[pricing["postpaid"]["unit"]]
    worker = pricing["postpaid"]["final_price"] * unit * per_unit * gpus
    if declared["specName"] == "priced":
        worker = int(OWN_PRICE.replace(".", "")) * (SCALE // 10**6)
    over = max(0, disk - product["resource_spec"]["rootfs"]["free_gb"])
    per_day = over * pricing["storage_price_per_gb"] * unit
    worker += per_day // 24
    return {
        "floor": worker * declared["minReplicas"],
        "ceiling": worker * declared["maxReplicas"],
        "tail": worker * declared["freeTimeout"] // 3600,
        "disk": per_day,
        "worker": worker,
    }


def assert_amount(amount: Mapping[str, Any], expected: int) -> None:
    """Compare digits with an integer of 1/SCALE USD per hour; twelve decimals are written."""
    assert_digits(amount["per_hour"], expected)
    assert_digits(amount["per_month"], expected * HOURS)


def assert_digits(digits: str, expected: int) -> None:
    whole, _, decimals = digits.partition(".")
    assert 2 <= len(decimals) <= 12
    shown = int(whole) * 10**12 + int(decimals.ljust(12, "0"))
    assert abs(shown * (SCALE // 10**12) - expected) * 2 <= SCALE // 10**12


def drawn(draw: random.Random, name: str) -> dict[str, Any]:
    low = draw.choice([0, 0, 1, 2, 7])
    return item(
        name,
        specName=draw.choice(["one", "four", "disk", "priced"]),
        minReplicas=low,
        maxReplicas=max(1, low + draw.choice([0, 1, 3, 90])),
        freeTimeout=draw.choice([1, 60, 300, 999]),
    )


@pytest.mark.parametrize("seed", range(8))
def test_every_number_is_that_of_a_second_computation(sandbox: Sandbox, seed: int) -> None:
    """Creates, scales, replacements, deletes and unchanged endpoints, in both units, with odd prices."""
    draw = random.Random(seed)
    sandbox.sim.world.switch(
        product_prices={f"SL-serverless-{n}": draw.randrange(1, 10**6) for n in range(1, 5)},
        price_precision=draw.choice([4, 5, 6, 9]),
        price_unit=draw.choice(["per_hour", "per_second"]),
        storage_price=draw.randrange(1, 10**4),
        limits={**sandbox.sim.world.profile.limits, "freeRootfsSize": 75},
    )
    write_specs(sandbox)
    before = {name: drawn(draw, name) for name in ("a", "b", "c", "d", "e")}
    sandbox.declare(*before.values())
    sandbox.apply()
    after = {
        **{name: drawn(draw, name) for name in ("a", "b", "f")},
        "c": before["c"],
        "d": {**before["d"], "maxReplicas": before["d"]["maxReplicas"] + draw.randrange(5)},
    }
    sandbox.declare(*after.values())
    cost = sandbox.plan().document["cost"]
    for side, declared in (("before", before), ("after", after)):
        computed = {name: second_computation(sandbox, one) for name, one in declared.items()}
        for which in ("floor", "ceiling"):
            total = sum(one[which] for one in computed.values())
            assert_amount(cost[side][which], total)
        for change in cost["changes"]:
            name = change["address"].partition(".")[2]
            document = change[side]
            assert (document is None) == (name not in declared)
            if document is None:
                continue
            expected, wanted = computed[name], declared[name]
            assert_amount(document["floor"], expected["floor"])
            assert_amount(document["ceiling"], expected["ceiling"])
            assert_digits(document["worker_per_hour"], expected["worker"])
            assert_digits(document["disk_per_worker_day"], expected["disk"])
            tail = document["idle_tail"]
            assert (tail is None) == (wanted["minReplicas"] == wanted["maxReplicas"])
            if tail is not None:
                assert tail["seconds"] == wanted["freeTimeout"]
                assert_digits(tail["per_worker"], expected["tail"])
            is_rough = wanted["specName"] in ("four", "disk")
            assert document["ceiling"]["approximate"] == is_rough
            source = "specs.yaml" if wanted["specName"] == "priced" else "products"
            assert (document["price_source"], document["why_unknown"]) == (source, None)
    listed = {change["address"].partition(".")[2] for change in cost["changes"]}
    assert len(listed) + cost["unchanged"] == len(before.keys() | after.keys())


def test_the_text_of_a_plan(sandbox: Sandbox) -> None:
    """The whole block, at 80 columns."""
    write_specs(sandbox)
    sandbox.declare(
        item("chat", specName="one", minReplicas=1, maxReplicas=3, freeTimeout=60),
        item("old", specName="priced", minReplicas=1, maxReplicas=1),
        item("same", specName="one", minReplicas=0, maxReplicas=2),
    )
    sandbox.apply()
    sandbox.declare(
        item("chat", specName="one", minReplicas=1, maxReplicas=5, freeTimeout=60),
        item("new", specName="four", minReplicas=2, maxReplicas=2),
        item("same", specName="one", minReplicas=0, maxReplicas=2),
    )
    block = sandbox.run("plan").out.partition("\nCost ")[2]
    assert (
        block
        == """(floor: minReplicas, ceiling: maxReplicas, a month: 730 hours):
                    per hour           per month
  ~ chat   floor    $0.69              $503.70
           ceiling  $2.07 -> $3.45     $1,511.10 -> $2,518.50
  + new    floor    $0.00 -> ~$2.80    $0.00 -> ~$2,044.00
           ceiling  $0.00 -> ~$2.80    $0.00 -> ~$2,044.00
  - old    floor    $1.2346 -> $0.00   $901.23 -> $0.00
           ceiling  $1.2346 -> $0.00   $901.23 -> $0.00
    total  floor    $1.9246 -> ~$3.49  $1,404.93 -> ~$2,547.70
           ceiling  $4.6846 -> ~$7.63  $3,419.73 -> ~$5,569.90
  ~ approximate: the price of several GPUs, or of disk, is not documented.
"""
    )


def test_the_cost_of_a_single_create_takes_few_lines(sandbox: Sandbox) -> None:
    """A total would repeat the lines of the only change."""
    scaled(sandbox, 0, 1, freeTimeout=60)
    assert sandbox.run("plan").out.endswith(
        """
Cost (floor: minReplicas, ceiling: maxReplicas, a month: 730 hours):
                    per hour        per month
  + chat   floor    $0.00           $0.00
           ceiling  $0.00 -> $0.69  $0.00 -> $503.70
           a worker that goes idle is billed for 60 s more: $0.0115
"""
    )


def test_a_remark_about_all_changes_is_written_once(sandbox: Sandbox) -> None:
    write_specs(sandbox)
    sandbox.declare(*(item(name, specName="one", minReplicas=0, freeTimeout=60) for name in ("a", "b", "c")))
    remark = "a worker that goes idle is billed for 60 s more: $0.0115\n"
    out = sandbox.run("plan").out
    assert (out.count(remark), out.endswith(f"\n  {remark}")) == (1, True)


def test_a_plan_without_changes_asks_for_no_price(sandbox: Sandbox) -> None:
    sandbox.declare(item("chat"))
    sandbox.apply()
    asked = len(sandbox.sent("market_products"))
    result = sandbox.plan()
    assert "cost" not in result.document
    assert len(sandbox.sent("market_products")) == asked


def scaled(sandbox: Sandbox, low: int, high: int, **fields: Any) -> None:
    """Declare one endpoint of 0.69 USD per worker and hour."""
    write_specs(sandbox)
    sandbox.declare(item("chat", specName="one", minReplicas=low, maxReplicas=high, **fields))


def with_budget(sandbox: Sandbox, **budget: Any) -> None:
    sandbox.write("config.yaml", {"novita": {"settle_seconds": 0.05}, "budget": budget})


def test_a_change_that_costs_nothing_takes_one_line_and_its_peak(sandbox: Sandbox) -> None:
    scaled(sandbox, 1, 2)
    sandbox.apply()
    scaled(sandbox, 1, 2, image="ubuntu:24.04")
    assert sandbox.run("plan").out.endswith(
        "\n\nCost: not changed, $503.70 to $1,007.40 per month (730 hours).\n"
        "  While old and new workers run: at most 2 workers, $1.38 per hour.\n"
    )
    scaled(sandbox, 1, 1)
    sandbox.apply()
    scaled(sandbox, 1, 1, image="ubuntu:24.04")
    assert "\n\nCost: not changed, $503.70 per month (730 hours).\n" in sandbox.run("plan").out


@pytest.mark.parametrize(
    "change", [{"price_unit": "per_week"}, {"product_prices": {}}, {"hidden_products": ("SL-serverless-3",)}]
)
def test_a_price_that_is_not_known(sandbox: Sandbox, change: dict[str, Any]) -> None:
    """It is said why, and no number is invented."""
    sandbox.sim.world.switch(**change)
    scaled(sandbox, 1, 2)
    planned = sandbox.run("plan")
    assert planned.code == 0
    (line,) = [line for line in planned.out.splitlines() if line.startswith("Cost")]
    assert line.startswith("Cost: unknown, because Novita")
    cost = sandbox.plan().document["cost"]
    assert cost["after"]["floor"] == {
        "per_hour": None,
        "per_month": None,
        "approximate": False,
        "at_least": True,
    }


def test_a_part_that_is_not_known_makes_the_total_a_lower_bound(sandbox: Sandbox) -> None:
    sandbox.sim.world.switch(price_unit="per_week")
    write_specs(sandbox)
    sandbox.declare(
        item("chat", specName="one", minReplicas=1, maxReplicas=2),
        item("mine", specName="priced", minReplicas=1, maxReplicas=1),
    )
    out = sandbox.run("plan").out
    assert "           price unknown: Novita's price is per `per_week`, a unit that is not known\n" in out
    assert "    total  floor    $0.00 -> at least $1.2346  $0.00 -> at least $901.23\n" in out
    assert "  at least: a price is unknown; `pricePerHour` of a spec in specs.yaml sets it.\n" in out


def test_prices_that_are_late_are_not_waited_for(sandbox: Sandbox) -> None:
    """The plan is shown, with the price unknown, and the budget cannot be kept."""
    sandbox.monkeypatch.setattr("reconciler.model.durations.PRICE_TIMEOUT", 0.05)
    sandbox.monkeypatch.setattr("reconciler.model.durations.BUDGET_TIMEOUT", 0.05)
    sandbox.sim.faults.add(Fault(operation="market_products", kind="hang", seconds=30, times=None))
    scaled(sandbox, 1, 2)
    planned = sandbox.run("plan")
    assert planned.code == 0
    assert "Cost: unknown, because Novita did not tell its prices" in planned.out
    with_budget(sandbox, ceiling_per_month=1)
    assert sandbox.run("plan").code == 3


def test_the_prices_are_asked_beside_the_listing(sandbox: Sandbox) -> None:
    """No call waits for another one: one round trip for a plan with changes, as without prices."""
    scaled(sandbox, 1, 2)
    sandbox.plan()
    order = [one.operation for one in sandbox.sim.requests]
    assert sorted(order) == ["balance", "limit", "list", "list", "market_products"]


def test_an_apply_asks_for_prices_once(sandbox: Sandbox) -> None:
    scaled(sandbox, 1, 2)
    with_budget(sandbox, ceiling_per_month=5000)
    sandbox.apply()
    assert len(sandbox.sent("market_products")) == 1


def test_an_apply_beyond_the_budget_is_refused(sandbox: Sandbox) -> None:
    with_budget(sandbox, floor_per_month=503.70, ceiling_per_month="1000")
    scaled(sandbox, 1, 2)
    refused = sandbox.run("apply", "--auto-approve")
    assert refused.code == 3
    assert not sandbox.live()
    assert (
        "the ceiling would rise from $0.00 to $1,007.40, over the budget of $1,000.00 per month"
        in refused.err
    )
    assert "--allow-over-budget" in refused.err
    assert "  Budget per month: floor $503.70 of $503.70, ceiling $1,007.40 of $1,000.00.\n" in refused.out
    sandbox.apply("--allow-over-budget")
    assert sandbox.live()


def test_a_way_back_below_the_budget_is_not_refused(sandbox: Sandbox) -> None:
    """Over the budget, everything that does not raise the cost goes on; anything that does, does not."""
    scaled(sandbox, 2, 4)
    sandbox.apply()
    with_budget(sandbox, floor_per_month=100, ceiling_per_month=100)
    scaled(sandbox, 2, 4, image="ubuntu:24.04")
    same = sandbox.plan()
    assert (same.code, same.codes) == (2, ["over-budget", "over-budget"])
    assert {problem["severity"] for problem in same.document["problems"]} == {"note"}
    scaled(sandbox, 1, 4)
    assert sandbox.plan().code == 2
    scaled(sandbox, 1, 5)
    assert sandbox.plan().code == 3
    sandbox.declare()
    assert sandbox.plan("--allow-delete", "1").code == 2


def test_an_unknown_price_is_refused_only_with_a_budget(sandbox: Sandbox) -> None:
    sandbox.sim.world.switch(price_unit="per_week")
    scaled(sandbox, 0, 2)
    assert sandbox.plan().code == 2
    with_budget(sandbox, floor_per_month=1000)
    assert sandbox.plan().code == 2  # the floor of no worker is known
    with_budget(sandbox, ceiling_per_month=1000)
    refused = sandbox.plan()
    assert (refused.code, refused.codes) == (3, ["budget-unknown"])
    assert sandbox.plan("--allow-over-budget").code == 2
    sandbox.apply("--allow-over-budget")
    scaled(sandbox, 0, 1)
    assert sandbox.plan().code == 2  # fewer workers of the same shape cannot cost more
    scaled(sandbox, 0, 3)
    assert sandbox.plan().code == 3


def test_what_is_not_selected_counts(sandbox: Sandbox) -> None:
    """A budget is about all that is managed, also in a plan about a part of it."""
    write_specs(sandbox)
    both = [item(name, specName="one", minReplicas=1, maxReplicas=1) for name in ("a", "b")]
    sandbox.declare(*both)
    sandbox.apply()
    with_budget(sandbox, floor_per_month=1200)
    sandbox.declare(both[0], {**both[1], "minReplicas": 2, "maxReplicas": 2})
    refused = sandbox.plan("--target", "b")
    assert refused.code == 3
    assert refused.document["cost"]["before"]["floor"]["per_month"] == "1007.40"
    assert refused.document["cost"]["unchanged"] == 1


@pytest.mark.parametrize("command", [("scale", "chat", "9"), ("update", "chat", "--replicas", "9")])
def test_imperative_commands_keep_the_budget(sandbox: Sandbox, command: tuple[str, ...]) -> None:
    scaled(sandbox, 0, 1)
    sandbox.apply()
    with_budget(sandbox, ceiling_per_month=1000)
    assert sandbox.run(*command, "--auto-approve").code == 3
    assert sandbox.run(*command, "--auto-approve", "--allow-over-budget").code == 0


def test_a_saved_plan_keeps_its_consent(sandbox: Sandbox) -> None:
    with_budget(sandbox, ceiling_per_month=1)
    scaled(sandbox, 0, 1)
    assert sandbox.run("plan", "--out", "no.json").code == 3
    assert sandbox.run("apply", "no.json", "--auto-approve").code == 3
    assert sandbox.run("plan", "--out", "yes.json", "--allow-over-budget").code == 0
    assert sandbox.run("apply", "yes.json", "--auto-approve").code == 0


def test_the_budget_of_an_environment(sandbox: Sandbox) -> None:
    """It takes the place of the general one, value by value."""
    scaled(sandbox, 1, 2)
    environments = {"dev": {"default": True}, "prod": {"name": "{name}-prod"}}
    budget = {"floor_per_month": 100, "per_environment": {"prod": {"floor_per_month": 600}}}
    settings = {"novita": {"settle_seconds": 0.05}, "environments": environments, "budget": budget}
    sandbox.write("config.yaml", settings)
    assert sandbox.plan().code == 3
    assert sandbox.plan("-e", "prod").code == 2
    budget["per_environment"] = {"production": {"floor_per_month": 600}}
    sandbox.write("config.yaml", settings)
    unknown = sandbox.run("plan", "-e", "prod")
    assert unknown.code == 1
    assert "`budget.per_environment` names `production`" in unknown.err


@pytest.mark.parametrize("value", [-1, "a lot", "1e3", 0.00001, True, [500]])
def test_a_budget_that_is_no_amount(sandbox: Sandbox, value: object) -> None:
    """An invalid limit is an error, never no limit."""
    scaled(sandbox, 0, 1)
    with_budget(sandbox, floor_per_month=value)
    told = sandbox.run("validate")
    assert told.code == 1
    assert "`budget.floor_per_month` must be" in told.err
    assert "has a bug" not in told.err
    assert sandbox.run("apply", "--auto-approve").code == 1


def test_a_price_in_a_spec_that_is_no_price(sandbox: Sandbox) -> None:
    specs = json.loads(json.dumps(SPECS))
    specs["specs"][0]["platforms"]["novita"]["pricePerHour"] = "0,63"
    sandbox.write("specs.yaml", specs)
    sandbox.declare(item("chat"))
    refused = sandbox.run("validate")
    assert refused.code == 1
    assert "`pricePerHour` of spec small must be a number of USD, not 0,63" in refused.err


def test_a_storage_costs_per_day(sandbox: Sandbox) -> None:
    """A new one has the price of the others of its region; the price is USD per GB and day."""
    sandbox.sim.world.switch(limits={**sandbox.sim.world.profile.limits, "freeRootfsSize": 100})
    storages = [{"name": "weights", "region": "us-dallas-nas-2", "sizeGb": 100}]
    sandbox.declare(storages=storages)
    unknown = sandbox.run("plan").out
    assert "Cost: unknown, because no storage of that region in the account tells its price.\n" in unknown
    with_budget(sandbox, floor_per_month=1000)
    refused = sandbox.run("plan")
    assert refused.code == 3
    assert "pricePerHour" not in refused.err  # no spec has the price of a storage
    assert "  Novita tells it when the region has a storage; pass --allow-over-budget for this" in refused.err
    with_budget(sandbox)
    sandbox.declare(item("chat"), storages=storages)
    block = sandbox.run("plan").out.partition("\nCost ")[2]
    assert "  + weights  storage  $0.00 -> unknown " in block
    assert "  at least: a price is unknown.\n" in block
    assert "unknown per day" not in block
    sandbox.declare(storages=storages)
    sandbox.apply()
    (listed,) = api_json(sandbox, "/networkstorages/list?pageNo=1&pageSize=10")["data"]
    price = int(listed["price"]) * (SCALE // 10**5)
    storages[0]["sizeGb"] = 250
    sandbox.declare(storages=[*storages, {"name": "more", "region": "us-dallas-nas-2", "sizeGb": 30}])
    cost = sandbox.plan().document["cost"]
    before, after = 100 * price, 280 * price
    assert_amount(cost["before"]["floor"], before // 24)
    assert_amount(cost["after"]["ceiling"], after // 24)
    days = {change["address"]: change["after"]["per_day"] for change in cost["changes"]}
    assert_digits(days["novita_storage.weights"], 250 * price)
    assert_digits(days["novita_storage.more"], 30 * price)
    text = sandbox.run("plan", "--out", "the.plan").out
    assert "storage  $0.0083 -> $0.0208  $6.08 -> $15.21\n" in text
    assert "           $0.20 -> $0.50 per day\n" in text
    block = text.partition("\nCost ")[2].partition("\n\n")[0]
    assert block in sandbox.run("show", "the.plan").out
    now = sandbox.run("cost", "--json").document
    assert_digits(now["storages"][0]["per_day"], before)
    assert (now["storages"][0]["size_gb"], now["storages"][0]["managed"]) == (100, "declared")
    assert "weights  100 GB   $0.0083   $6.08" in sandbox.run("cost").out


def api_json(sandbox: Sandbox, path: str) -> Any:
    """Return an answer of Novita, read without reconciler."""
    url = f"{sandbox.sim.url}/gpu-instance/openapi/v1{path}"
    with urlopen(Request(url, headers={"Authorization": f"Bearer {KEY}"}), timeout=10) as answer:
        return json.load(answer)
