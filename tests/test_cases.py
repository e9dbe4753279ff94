"""Golden cases: what is declared, recorded and live in, what a user reads out.

    cases/<name>/desired.yaml inventory.json live.json  ->  plan.txt plan.json requests.txt

`pytest tests/test_cases.py --update-golden` rewrites the right side; then read the diff as a user would.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from reconciler.config.loader import load
from reconciler.inventory.map_format import parse
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.plan import Plan
from reconciler.model.run_report import RunReport
from reconciler.model.secrets import Keyring
from reconciler.model.settings import Allowances
from reconciler.planning.guards import guards
from reconciler.planning.planner import make_plan
from reconciler.planning.steps import requests_of, stages
from reconciler.reports.run.json_plan import plan_document
from reconciler.reports.run.text import plan_text
from reconciler.reports.terminal.problems import problems_text
from reconciler.reports.views.requests import request_lines

CASES = Path(__file__).parent / "cases"
ENVIRON = {"NOVITA_API_KEY": "sk-test", "HF_TOKEN": "hf_today"}
KEYRING = Keyring.from_key("sk-test")
BASE_URL = "https://api.novita.ai"


def planned(case: Path) -> Plan:
    """The plan of one case, with all that is to be said about it."""
    loaded = load(CASES, [Path(case.name) / "desired.yaml"], environ=ENVIRON)
    inventory = parse(case / "inventory.json", (case / "inventory.json").read_bytes())
    live = ENDPOINT.parse_page(json.loads((case / "live.json").read_bytes())).endpoints
    released = [one.name for one in loaded.removed if not one.destroy]
    made = make_plan(loaded.desired, inventory, live, KEYRING, released=released)
    tripped = guards(
        made.changes, declared=len(loaded.desired), tracked=len(inventory.records), allow=Allowances()
    )
    return Plan(
        changes=made.changes,
        problems=(*loaded.problems, *made.problems, *tripped),
        drift=made.drift,
        unmanaged=made.unmanaged,
    )


def outputs(made: Plan) -> Mapping[str, str]:
    """File name -> what a user sees."""
    codes = {int(problem.exit_code) for problem in made.errors}
    document = plan_document(
        RunReport(
            command="plan",
            timestamp="2026-01-01T00:00:00Z",
            exit_code=next((code for code in (1, 3) if code in codes), 0),
            plan=made,
            keyring=KEYRING,
            problems=made.problems,
        )
    )
    calls = [
        (change.address, change.action.value, request)
        for stage in stages(made.changes)
        for change in stage
        for request in requests_of(change)
    ]
    said = f"\n{problems_text(made.problems)}" if made.problems else ""
    return {
        "plan.txt": plan_text(made) + said,
        "plan.json": json.dumps({**document, "tool_version": "0"}, indent=2, ensure_ascii=False) + "\n",
        "requests.txt": "\n".join(request_lines(BASE_URL, calls, reveal=False)),
    }


@pytest.mark.parametrize("case", sorted(CASES.glob("*/")), ids=lambda case: case.name)
def test_a_plan_reads_as_it_did(case: Path, pytestconfig: pytest.Config) -> None:
    """Byte for byte: every change of a golden file is a decision."""
    for name, text in outputs(planned(case)).items():
        if pytestconfig.getoption("--update-golden"):
            (case / name).write_text(text, encoding="utf-8")
        assert text == (case / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("case", sorted(CASES.glob("*/")), ids=lambda case: case.name)
def test_no_secret_is_in_what_a_user_sees(case: Path) -> None:
    """Neither today's, nor the one that is live: each of them begins with `hf_`."""
    assert "hf_" not in "".join(outputs(planned(case)).values())
