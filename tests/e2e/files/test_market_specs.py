"""`specs --available` and `init --from-market`: what Novita offers, as a table and as specs.yaml."""

import re
from pathlib import Path

import pytest

from reconciler.simulator import Fault
from tests.e2e.sandbox import ROOT, Sandbox, item


def test_the_products_in_a_table(sandbox: Sandbox) -> None:
    sandbox.sim.world.switch(product_stock={"SL-serverless-3": 0})
    out = sandbox.run("specs", "--available").out
    assert re.search(r"SL-serverless-3 +RTX 5090 +32 GB +1-8 +\$0\.69 +0 none +100 GB +us-dallas-nas-2", out)
    document = sandbox.run("specs", "--available", "--json").document
    (found,) = [one for one in document["products"] if one["id"] == "SL-serverless-3"]
    assert (found["price_per_gpu_hour"], found["available_gpus"], found["deployable"]) == ("0.69", 0, False)


def test_an_unknown_price_says_why(sandbox: Sandbox) -> None:
    sandbox.sim.world.switch(price_unit="per_week")
    out = sandbox.run("specs", "--available").out
    assert "A price is unknown: Novita's price is per `per_week`, a unit that is not known.\n" in out


def test_products_that_cannot_be_listed(sandbox: Sandbox) -> None:
    sandbox.sim.faults.add(Fault(operation="market_products", status=403, times=None))
    ran = sandbox.run("specs", "--available")
    assert (ran.code, "Novita did not list its products" in ran.err) == (1, True)
    assert sandbox.run("specs", "small", "--available").code == 64


def test_the_specs_of_the_market_can_be_used(sandbox: Sandbox) -> None:
    """They are valid, and the starter endpoint has the cheapest one in stock."""
    Path("specs.yaml").unlink()
    sandbox.sim.world.switch(product_stock={"SL-serverless-1": 0})
    ran = sandbox.run("init", "--from-market")
    assert (ran.code, ran.err, "export" in ran.out) == (0, "", False)
    text = Path("specs.yaml").read_text()
    comment = "  # $0.69 per GPU and hour in eu-de-1, 64 GPUs available (high)\n"
    assert f"{comment}  - name: rtx-5090-eu-de-1\n" in text
    assert "specName: l40s-us-dallas-nas-2       # a spec" in Path("endpoints.yaml").read_text()
    assert sandbox.run("validate").code == 0
    sandbox.declare(item("chat", specName="h100-sxm-us-dallas-nas-2"))
    sandbox.apply("--preflight", "--exclude", "nothing-*")
    assert sandbox.live()["chat"]["products"] == [{"id": "SL-serverless-4"}]


def test_a_specs_file_is_never_overwritten(sandbox: Sandbox) -> None:
    before = Path("specs.yaml").read_text()
    ran = sandbox.run("init", "--from-market")
    assert (ran.code, "specs.yaml already exists and was not changed" in ran.out) == (0, True)
    assert "it was not written from Novita's products" in ran.err
    assert ran.out.endswith("\n\nNext:\n  reconciler plan\n")
    for name in ("NOVITA_API_KEY", "NOVITA_BASE_URL"):
        sandbox.monkeypatch.delenv(name)
    assert "\nNext:\n  export NOVITA_API_KEY=..." in sandbox.run("init").out
    assert Path("specs.yaml").read_text() == before


def test_without_products_nothing_is_written(sandbox: Sandbox) -> None:
    Path("specs.yaml").unlink()
    hidden = tuple(f"SL-serverless-{number}" for number in (1, 2, 3, 4))
    sandbox.sim.world.switch(hidden_products=hidden)
    ran = sandbox.run("init", "--from-market")
    assert (ran.code, Path("endpoints.yaml").exists()) == (1, False)
    assert "no specs.yaml can be made from it" in ran.err


@pytest.mark.parametrize("number", [0, 1])
def test_the_commands_of_the_guide_run(sandbox: Sandbox, number: int) -> None:
    """Each block of docs/market.md, in a folder that has no files yet or those of the first block."""
    Path("specs.yaml").unlink()
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "market.md").read_text(), re.DOTALL)
    for block in blocks[: number + 1]:
        for line in block.splitlines():
            arguments = line.split("  #")[0].split()
            assert arguments[0] == "reconciler"
            assert sandbox.run(*arguments[1:], typed="yes\n").code == 0, line
