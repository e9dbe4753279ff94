"""Problems, plans, reports, settings and errors: their methods and properties."""

import pytest

from reconciler.model.apply_events import ApplyReport, ChangeResult, Outcome
from reconciler.model.errors import ApiError, InvalidConfig, InventoryLocked, KeyRefused, ReconcilerError
from reconciler.model.plan import Action, Plan
from reconciler.model.problem import ExitCode, Place, Problem, Severity
from reconciler.model.secrets import Keyring
from reconciler.model.settings import Settings
from tests.builders import change, endpoint, live, plan, secret, tracked

PROBLEM = Problem(code="c", summary="s", detail="d", hint="h", address="novita_endpoint.a")
REFUSED = Problem(code="key", summary="no", exit_code=ExitCode.REFUSED)
CREATE = change(endpoint(), None, None)


def test_a_problem_as_json_has_every_key() -> None:
    """The keys are the same with and without a place."""
    place = Place(file="e.yaml", line=3, column=7)
    assert PROBLEM.to_dict() == {
        "severity": "error",
        "code": "c",
        "summary": "s",
        "detail": "d",
        "address": "novita_endpoint.a",
        "file": None,
        "line": None,
        "column": None,
        "hint": "h",
    }
    assert PROBLEM.at(place).to_dict() == {**PROBLEM.to_dict(), "file": "e.yaml", "line": 3, "column": 7}
    assert str(place) == "e.yaml:3:7"


@pytest.mark.parametrize(("severity", "expected"), [("error", True), ("warning", False), ("note", False)])
def test_only_errors_stop_a_command(severity: str, expected: bool) -> None:
    """Warnings and notes do not."""
    problem = Problem(code="c", summary="s", severity=Severity(severity))
    assert problem.is_error is expected
    assert Plan(changes=(), problems=(problem,)).errors == ((problem,) if expected else ())


def test_a_plan_counts_every_action() -> None:
    """Counts include zeros, and a no-op is not pending."""
    made = plan([endpoint("a"), endpoint("b")], [tracked("a")], [live("a")])
    assert made.counts() == {**dict.fromkeys(Action, 0), Action.CREATE: 1, Action.NO_OP: 1}
    assert [pending.address for pending in made.pending] == ["novita_endpoint.b"]


def result(outcome: Outcome, problem: Problem | None = None) -> ChangeResult:
    return ChangeResult(change=CREATE, outcome=outcome, problem=problem)


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (ApplyReport(), ExitCode.OK),
        (ApplyReport(results=(result(Outcome.DONE),)), ExitCode.OK),
        (ApplyReport(results=(result(Outcome.DONE), result(Outcome.FAILED))), ExitCode.INCOMPLETE),
        (ApplyReport(results=(result(Outcome.NOT_ATTEMPTED),)), ExitCode.INCOMPLETE),
        (
            ApplyReport(results=(result(Outcome.FAILED, PROBLEM), result(Outcome.FAILED, REFUSED))),
            ExitCode.REFUSED,
        ),
        (
            ApplyReport(results=(result(Outcome.FAILED, REFUSED), result(Outcome.UNRESOLVED))),
            ExitCode.UNRESOLVED,
        ),
        (ApplyReport(results=(result(Outcome.UNRESOLVED),), interrupted=True), ExitCode.INTERRUPTED),
    ],
)
def test_precedence_of_exit_codes(report: ApplyReport, expected: ExitCode) -> None:
    """130 precedes 5, then 8, then 4."""
    assert report.exit_code is expected


def test_a_report_counts_changes_by_action() -> None:
    """Failures do not count."""
    report = ApplyReport(results=(result(Outcome.DONE), result(Outcome.FAILED)))
    assert (report.count_done(Action.CREATE, Action.REPLACE), report.count_done(Action.DELETE)) == (1, 0)


def test_an_error_has_its_problems() -> None:
    """The first problem is the message, and the class decides the exit code."""
    error = InvalidConfig(PROBLEM, REFUSED)
    assert (error.problem, error.problems, str(error)) == (PROBLEM, (PROBLEM, REFUSED), "s; no")
    assert [kind.exit_code for kind in (ReconcilerError, InventoryLocked, KeyRefused)] == [1, 7, 8]
    assert (ApiError(PROBLEM, status=400, reason="R").status, ApiError(PROBLEM).reason) == (400, "")


def test_the_state_key_precedes_the_api_key() -> None:
    """With RECONCILER_STATE_KEY, fingerprints stay valid after a rotation of the API key."""
    random = "zK3vQ9xT7bN1mW5cR8pL2dF6gH4jS0yA"
    assert Settings(api_key=secret("k"), state_key=secret(random)).keyring == Keyring.from_key(random)
    assert Settings(api_key=secret("k"), state_key=secret("s")).keyring == Keyring.from_key("s", is_weak=True)
    assert Settings(api_key=secret("k")).keyring == Keyring.from_key("k")
    assert Settings().keyring == Keyring.from_key("")


def test_the_simulator_is_chosen_by_its_name() -> None:
    """By the word, not by an address."""
    assert Settings(base_url="simulator").is_simulator
    assert not Settings().is_simulator
