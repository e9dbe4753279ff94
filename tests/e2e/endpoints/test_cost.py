"""`reconciler cost`: what runs now, what nobody manages, and how long the balance lasts."""

from __future__ import annotations

import json
import re
from typing import Any

from reconciler.simulator.faults import Fault
from tests.e2e.sandbox import ROOT, Sandbox, item

CONFIG = {
    "minNum": 2,
    "maxNum": 3,
    "freeTimeout": 300,
    "maxConcurrent": 1,
    "gpuNum": 1,
    "requestTimeout": 100,
}
PRICE = 69_000
"""Of one GPU of SL-serverless-3 and an hour, in units of 0.00001 USD."""


def applied(sandbox: Sandbox, **more: Any) -> None:
    sandbox.sim.world.switch(worker_boot_seconds=0, **more)
    sandbox.declare(item("chat", minReplicas=1, maxReplicas=3), item("idle", minReplicas=0, maxReplicas=2))
    sandbox.apply()


def hourly(workers: int) -> str:
    """Return what that many workers cost an hour."""
    return f"{PRICE * workers / 100_000:.2f}"


def test_the_workers_that_are_billed(sandbox: Sandbox) -> None:
    applied(sandbox)
    document = sandbox.run("cost", "--json").document
    chat, idle = document["endpoints"]
    assert (chat["name"], len(chat["workers"]), chat["now"]["per_hour"]) == ("chat", 1, hourly(1))
    assert (idle["name"], idle["workers"], idle["now"]["per_hour"]) == ("idle", [], "0.00")
    assert chat["workers"][0]["created_at"].startswith("20")
    assert document["now"] == document["floor"]
    assert document["ceiling"]["per_hour"] == hourly(5)
    assert document["ceiling"]["per_month"] == f"{PRICE * 5 * 730 / 100_000:.2f}"
    assert document["orphans"]["names"] == []
    assert document["problems"] == []


def test_a_worker_that_boots_is_not_billed_yet(sandbox: Sandbox) -> None:
    """Its `createdAt` is empty until its billing begins."""
    applied(sandbox)
    sandbox.sim.world.switch(worker_boot_seconds=3600, billed_from="running")
    sandbox.declare(item("chat", minReplicas=3, maxReplicas=3), item("idle", minReplicas=0, maxReplicas=2))
    sandbox.apply()
    chat = sandbox.run("cost", "--json").document["endpoints"][0]
    assert chat["workers"] == []
    sandbox.sim.world.switch(billed_from="starting")
    chat = sandbox.run("cost", "--json").document["endpoints"][0]
    assert (len(chat["workers"]), chat["now"]["per_hour"]) == (3, hourly(3))


def test_orphans_and_what_they_burn(sandbox: Sandbox) -> None:
    applied(sandbox)
    sandbox.sim.world.console_create(name="left-over", workerConfig=CONFIG)
    sandbox.sim.world.console_create(name="asleep", workerConfig={**CONFIG, "minNum": 0})
    document = sandbox.run("cost", "--json").document
    assert document["orphans"]["names"] == ["left-over"]
    assert document["orphans"]["now"]["per_hour"] == hourly(2)
    text = sandbox.run("cost").out
    assert re.search(r"left-over +2 \(2-3\) +\$1\.38 +\$1,007\.40 .*unmanaged \(orphan\)\n", text)
    assert "1 endpoint with workers is managed by nobody (orphans): $1.38 per hour" in text
    assert "  reconciler delete left-over   deletes it.\n" in text


def test_an_endpoint_of_another_environment_is_no_orphan(sandbox: Sandbox) -> None:
    environments = {
        "dev": {"default": True},
        "prod": {"name": "{name}-prod", "state": "state/prod.json"},
    }
    sandbox.write("config.yaml", {"novita": {"settle_seconds": 0.05}, "environments": environments})
    applied(sandbox)
    sandbox.apply("-e", "prod")
    found = {one["name"]: one for one in sandbox.run("cost", "--json").document["endpoints"]}
    assert (found["chat-prod"]["environment"], found["chat-prod"]["orphan"]) == ("prod", False)
    assert (found["chat"]["managed"], found["chat"]["environment"]) == ("declared", None)
    here = {one["name"]: one for one in sandbox.run("cost", "--json", "-e", "prod").document["endpoints"]}
    assert (here["chat-prod"]["managed"], here["chat"]["environment"]) == ("declared", "dev")
    assert "Environment: prod\n" in sandbox.run("cost", "-e", "prod").out


def test_a_listing_without_workers_is_completed_by_reads(sandbox: Sandbox) -> None:
    """Some answers leave out an empty list; then the endpoint itself is asked."""
    applied(sandbox, empty_as="missing")
    asked = len(sandbox.sent("get"))
    document = sandbox.run("cost", "--json").document
    assert [len(one["workers"]) for one in document["endpoints"]] == [1, 0]
    assert len(sandbox.sent("get")) == asked + 1


def test_how_long_the_balance_lasts(sandbox: Sandbox) -> None:
    """By the floor of the whole account, with what nobody manages: one balance pays for all."""
    applied(sandbox, balance=1_380_000)
    sandbox.sim.world.console_create(name="left-over", workerConfig={**CONFIG, "minNum": 1})
    balance = sandbox.run("cost", "--json").document["balance"]
    assert balance == {"available": "138.00", "hours_at_floor": "100.0", "hours_now": "100.0"}
    at_floor = "Balance: $138.00.\nAt the floor of the account ($1.38 per hour) it lasts 4 days.\n"
    assert sandbox.run("cost").out.endswith(at_floor)
    sandbox.sim.world.switch(worker_boot_seconds=3600, billed_from="running")
    assert sandbox.run("cost").out.endswith(
        at_floor + "With what runs now ($0.00 per hour) nothing is spent.\n"
    )
    sandbox.sim.faults.add(Fault(operation="balance", status=500, times=None))
    failed = sandbox.run("cost")
    assert failed.code == 0
    assert failed.out.endswith("The balance could not be read.\n")


def test_a_selection(sandbox: Sandbox) -> None:
    applied(sandbox)
    document = sandbox.run("cost", "--json", "--target", "idle").document
    assert [one["name"] for one in document["endpoints"]] == ["idle"]
    assert document["ceiling"]["per_hour"] == hourly(2)
    assert sandbox.run("cost", "--target", "nobody").code == 1


def test_unknown_prices(sandbox: Sandbox) -> None:
    applied(sandbox, price_unit="per_week")
    text = sandbox.run("cost").out
    assert re.search(r"chat +1 \(1-3\) +unknown", text)
    assert "The price of chat, idle is not known: Novita's price is per `per_week`" in text
    assert "it is not known how long it lasts" in text


def test_the_budget_is_told(sandbox: Sandbox) -> None:
    applied(sandbox)
    sandbox.sim.world.console_create(name="left-over", workerConfig=CONFIG)
    sandbox.write("config.yaml", {"budget": {"floor_per_month": 600}})
    assert "Budget per month, for what is managed: floor $503.70 of $600.00.\n" in sandbox.run("cost").out


def test_the_guide(sandbox: Sandbox) -> None:
    """The block of docs/cost.md is a real one, and its commands and its YAML do what it says."""
    page = (ROOT / "docs/cost.md").read_text(encoding="utf-8")
    specs, config = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    sandbox.sim.world.switch(worker_boot_seconds=0)
    sandbox.declare(item("chat", minReplicas=1, maxReplicas=3))
    sandbox.apply()
    sandbox.declare(item("chat", minReplicas=1, maxReplicas=5), item("embed", minReplicas=0, maxReplicas=1))
    block = page.split("```text\n")[1].split("```")[0]
    assert sandbox.run("plan").out.endswith(f"\n{block}")
    for line in page.split("## What runs now\n\n```sh\n")[1].split("```")[0].splitlines():
        assert sandbox.run(*line.partition("#")[0].split()[1:]).code == 0
    indent = re.compile("^   ", re.MULTILINE)
    sandbox.write("specs.yaml", indent.sub("", specs))
    assert sandbox.run("validate").code == 0
    environments = "environments: {prod: {}, dev: {default: true, state: state/novita.json}}\n"
    sandbox.write(
        "config.yaml", environments + config.replace("ceiling_per_month: 5000", "ceiling_per_month: 1600")
    )
    plan, apply = re.findall(r"^\$ reconciler (.*)$", page, re.MULTILINE)
    assert sandbox.run(*plan.split()).code == 3
    assert sandbox.run(*apply.split(), typed="yes\n").code == 0
    cost = json.loads(sandbox.run("plan", "--json").out)
    assert "cost" not in cost


def balance_of(sandbox: Sandbox) -> dict[str, Any]:
    """Return what `doctor` says of the balance."""
    checks = sandbox.run("doctor", "--json").document
    checks = checks["checks"]
    (found,) = [check for check in checks if check["name"] == "balance"]
    return dict(found)


def test_doctor_warns_before_the_balance_is_used_up(sandbox: Sandbox) -> None:
    """With three days left at the floor of the account, not before; without money it fails."""
    applied(sandbox, balance=PRICE * 72 // 10)
    assert balance_of(sandbox)["grade"] == "ok"
    assert "at the floor of the account ($0.69 per hour) it lasts 3 days" in balance_of(sandbox)["found"]
    sandbox.sim.world.switch(balance=PRICE * 72 // 10 - 1)
    assert balance_of(sandbox)["grade"] == "warn"
    sandbox.sim.world.switch(balance=-5)
    assert balance_of(sandbox)["grade"] == "fail"
    assert "the balance is -$0.00: Novita stops workers" in balance_of(sandbox)["found"]
    sandbox.sim.world.switch(balance=-5, credit_limit=100)  # it counts as available
    assert balance_of(sandbox)["grade"] == "warn"
    sandbox.sim.faults.add(Fault(operation="balance", status=500, times=None))
    assert balance_of(sandbox)["grade"] == "skip"


def test_doctor_tells_the_balance_of_an_account_that_cannot_be_listed(sandbox: Sandbox) -> None:
    applied(sandbox)
    sandbox.sim.faults.add(Fault(operation="list", status=400, reason="ODD", times=None, page=0))
    found = balance_of(sandbox)
    assert (found["grade"], found["found"]) == ("ok", "$100.00")
