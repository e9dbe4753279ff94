"""Sample runs for tests of the reports."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from reconciler.model.apply_events import ApplyReport, ChangeResult, Outcome
from reconciler.model.drift import Alarm, DriftIgnore, DriftItem, DriftReport, DriftState
from reconciler.model.market.products import Price, Product, Products
from reconciler.model.plan import Plan
from reconciler.model.problem import Place, Problem, Severity
from reconciler.model.resource import Inventory
from reconciler.model.run_report import RunReport
from reconciler.model.settings import Budget
from reconciler.planning.cost.plan_cost import plan_cost
from reconciler.planning.cost.prices import Prices
from tests import builders
from tests.builders import KEYRING, endpoint, live, secret, tracked

GUARD = Problem(
    code="prevent-destroy",
    summary="`old` has `preventDestroy` and would be deleted",
    hint="remove `preventDestroy` first, in a commit of its own",
    address="novita_endpoint.old",
    place=Place(file="endpoints.yaml", line=12, column=7, text="      preventDestroy: true", width=14),
    exit_code=3,
)
WARNING = Problem(code="limit", summary="the account may hold 20 workers", severity=Severity.WARNING)
REFUSAL = Problem(code="refused", summary="Novita refused: no stock", detail="SERVERLESS_NO_STOCK (400)")


def findings(made: Plan, *problems: Problem, command: str = "plan", code: int = 0) -> RunReport:
    return RunReport(
        command=command,
        timestamp="2026-01-02T03:04:05Z",
        exit_code=code,
        plan=made,
        keyring=KEYRING,
        problems=problems,
    )


def every_action() -> Plan:
    """Return a plan with one change of each kind, secrets, drift, and an unmanaged endpoint."""
    return builders.plan(
        [
            endpoint("adopted", replicas=2),
            endpoint("fresh", minReplicas=1, maxReplicas=4, env={"HF_TOKEN": secret(), "MODEL": "llama"}),
            endpoint("larger", spec=builders.LARGER),
            endpoint("same"),
            endpoint("scaled", minReplicas=2, maxReplicas=8),
            endpoint("tuned", image="vllm:2", env={"MODEL": "qwen", "HF_TOKEN": secret()}),
        ],
        [
            tracked("gone"),
            tracked("larger"),
            tracked("old"),
            tracked("same"),
            tracked("scaled", minReplicas=1, maxReplicas=3),
            tracked("tuned", image="vllm:1", env={"MODEL": "llama", "HF_TOKEN": secret("hf_old")}),
        ],
        [
            live("adopted", replicas=1),
            live("larger"),
            live("old"),
            live("same"),
            live("scaled", minReplicas=1, maxReplicas=3),
            live("stranger"),
            live("tuned", image="vllm:1", env={"MODEL": "mistral", "HF_TOKEN": "hf_theirs"}),
        ],
    )


def refused() -> RunReport:
    """Return a plan that a guard blocks."""
    return findings(every_action(), WARNING, GUARD, code=3)


def applied(*outcomes: Outcome, interrupted: bool = False) -> RunReport:
    """Return an apply whose changes have these outcomes; the last one is repeated."""
    made = every_action()
    results = tuple(
        ChangeResult(
            change=change,
            outcome=outcome,
            id=f"id-{change.name}" if outcome is Outcome.DONE else None,
            seconds=1.5,
            problem=REFUSAL if outcome in (Outcome.FAILED, Outcome.UNRESOLVED) else None,
        )
        for change, outcome in zip(
            made.pending, (*outcomes, *outcomes[-1:] * len(made.pending)), strict=False
        )
    )
    report = ApplyReport(results=results, interrupted=interrupted)
    found = findings(made, command="apply", code=int(report.exit_code))
    return replace(found, report=report)


def drifted(standing: DriftState = DriftState.NEW) -> RunReport:
    """Return a drift report with a changed and a deleted endpoint."""
    made = every_action()
    ignore = DriftIgnore(endpoint="tuned", until=datetime(2027, 1, 1, tzinfo=UTC), why="a trial")
    alarms = tuple(
        Alarm(
            drift=one,
            items=tuple(
                DriftItem(
                    field=field,
                    fingerprint="f" * 64,
                    state=standing,
                    ignore=ignore if standing is DriftState.IGNORED else None,
                )
                for field in (one.fields if one.live else (None,))
            ),
        )
        for one in made.drift
    )
    code = 2 if standing is DriftState.NEW else 0
    return replace(findings(made, command="drift", code=code), drift_report=DriftReport(alarms=alarms))


def failed(*problems: Problem, code: int = 1) -> RunReport:
    """Return a run that failed before it had a plan."""
    return RunReport(command="plan", timestamp="2026-01-02T03:04:05Z", exit_code=code, problems=problems)


def many(count: int, value: str = "v") -> Plan:
    """Return a plan for this many endpoints, each with a changed env value."""
    names = [f"endpoint-{number:05}" for number in range(count)]
    return builders.plan(
        [endpoint(name, env={"V": f"{value}-new"}, replicas=3) for name in names],
        [tracked(name, env={"V": value}) for name in names],
        [live(name, env={"V": value}) for name in names],
    )


def costly() -> RunReport:
    """Return a plan whose changes have exact, approximate and unknown costs, with a budget."""
    made = every_action()
    product = Product(
        id="SL-serverless-3",
        free_rootfs_gb=90,
        price=Price(amount=Decimal("0.69"), unit="per_hour"),
    )
    prices = Prices(products=Products(items=(product,)), limits={})
    lives = [change.live for change in made.changes if hasattr(change, "live")]
    cost = plan_cost(made, Inventory(), lives, prices, Budget(ceiling_per_month="9000"))
    return findings(replace(made, cost=cost))
