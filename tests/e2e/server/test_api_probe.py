"""`doctor --probe-api` names the switch of the simulator that was set, and nothing of the account."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from reconciler.simulator.profile import profile_from
from tests.e2e.sandbox import KEY, Sandbox, item

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "first-real-run.md").read_text(encoding="utf-8")
SECRET = "hf_a_token_that_nobody_may_see"
SWITCHES = (
    "number_style=int", "port_style=string", "healthy_null=true", "get_wrapped=false", "empty_as=null",
    "empty_as=absent", "page_base=1", "page_base=1 page_zero=400", "default_page_size=2", "max_page_size=3",
    "past_end=repeat", "past_end=400", "list_order=newest", "total_offset=1", "not_found_status=404",
    "extra_fields=true", "limit_offered=false", "market_offered=false", "price_unit=per_second",
    "price_precision=3", "v2_errors=reason", "prewarm_offered=false", "prewarm_limit=2",
    "storage_page_base=0",
)  # fmt: skip


def declare_account(sandbox: Sandbox) -> None:
    """Make four endpoints and a storage, with a secret and a name of their own."""
    names = ("chat", "embed", "rerank", "whisper")
    sandbox.declare(
        *(item(name, env={"HF_TOKEN": SECRET} if name == "chat" else {}) for name in names),
        storages=[{"name": "weights", "region": "US-TX", "sizeGb": 10}],
    )
    assert sandbox.apply().code == 0
    for number, endpoint in enumerate(sandbox.sim.world._account.fleet):
        endpoint.created += number - 10  # the order of a listing shows only if the times differ


def probe(sandbox: Sandbox) -> dict[str, Any]:
    ran = sandbox.run("doctor", "--probe-api", "--yes", "--json")
    assert ran.code == 0, ran.err
    document: dict[str, Any] = ran.document
    return document


@pytest.mark.parametrize("switches", ["", *SWITCHES])
def test_the_report_names_the_switch_that_is_set(sandbox: Sandbox, switches: str) -> None:
    """It names no other one, so that the simulator of its command behaves as this one."""
    declare_account(sandbox)
    expected = switches.split()
    account = sandbox.sim.world._account
    account.profile = profile_from(expected, account.profile)

    command = probe(sandbox)["simulator"].split()

    assert [word for word in command[2:] if word != "--set"] == expected


def test_nothing_is_written_and_nothing_of_the_account_is_shown(sandbox: Sandbox) -> None:
    declare_account(sandbox)
    ids = [endpoint["id"] for endpoint in sandbox.live().values()]
    writes = sandbox.sent()

    ran = sandbox.run("doctor", "--probe-api", "--yes")

    assert sandbox.sent() == writes
    for hidden in (KEY, SECRET, "chat", "whisper", "weights", *ids):
        assert hidden not in ran.out + ran.err


def test_an_empty_account_leaves_questions_open(sandbox: Sandbox) -> None:
    found = {one["switch"]: one for one in probe(sandbox)["findings"]}

    assert found["page_base"]["value"] == ""
    assert found["page_base"]["evidence"] == "the account has 0 endpoints, too few to tell"
    assert found["limit_offered"]["value"] == "true"


def test_without_consent_nothing_is_read(sandbox: Sandbox) -> None:
    before = len(sandbox.sim.requests)

    ran = sandbox.run("doctor", "--probe-api", typed="no\n")

    assert ran.code == 1
    assert len(sandbox.sim.requests) == before
    assert "reconciler doctor --probe-api --yes" in ran.err


def test_the_commands_of_the_page_run(sandbox: Sandbox) -> None:
    """The account has endpoints that nobody declares. The last part begins in an empty folder."""
    declare_account(sandbox)
    for path in (sandbox.root / "endpoints.yaml", *(sandbox.root / "state").iterdir()):
        path.unlink()
    read, written, taken, made = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)

    for line in (*read.splitlines(), *written.splitlines(), *taken.splitlines()):
        ran = sandbox.run(*line.split()[1:])
        assert ran.code == 0, (line, ran.err)
    (sandbox.root / "endpoints.yaml").unlink()
    (sandbox.root / "specs.yaml").unlink()
    sandbox.monkeypatch.setenv("RECONCILER_STATE", "state/small.json")
    for line in made.splitlines():
        ran = sandbox.run(*line.split()[1:], typed="yes\n")
        assert ran.code == 0, (line, ran.err)
    assert "page size without pageSize  default_page_size  -         4 of 4 endpoints" in PAGE
