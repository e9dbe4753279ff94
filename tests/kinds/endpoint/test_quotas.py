"""The account's quotas against a plan: warnings, never a refusal."""

from typing import Any

import pytest

from reconciler.kinds.endpoint.quotas import check_limits, needs_limits
from reconciler.model.plan import Change
from reconciler.model.problem import Severity
from tests.builders import LARGER, change, endpoint, live, tracked

MOUNT = {"type": "local", "sizeGb": 30, "mountPath": "/w"}
NETWORK = {"type": "network", "id": "n", "mountPath": "/n"}


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (change(endpoint(), None, None), True),
        (change(endpoint(port=1), tracked(), live()), True),
        (change(endpoint(replicas=2), tracked(), live()), True),
        (change(endpoint(spec=LARGER), tracked(), live()), True),
        (change(endpoint(port=1), None, live()), True),
        (change(endpoint(), None, live()), False),
        (change(endpoint(), tracked(), live()), False),
        (change(None, tracked(), live()), False),
        (change(None, tracked(), None), False),
    ],
)
def test_limits_are_asked_for_when_something_is_written(made: Change, expected: bool) -> None:
    """A plan that only deletes, forgets or records costs no extra call, and breaks no quota."""
    assert needs_limits([made]) is expected
    assert bool(list(check_limits([made], {"maxGPUNum": 0}))) is expected


BREACHES: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({}, {}, []),
    ({"replicas": 5}, {"maxWorkerNum": 5}, []),
    (
        {"replicas": 6},
        {"maxWorkerNum": 5},
        ["maxReplicas 6 of `base-test` is above the account's maxWorkerNum 5"],
    ),
    ({"minReplicas": 0}, {"minWorkerNum": 1}, []),
    (
        {"freeTimeout": 1200},
        {"minFreeTimeout": 1, "maxFreeTimeout": "1000"},
        ["freeTimeout 1200 of `base-test` is above the account's maxFreeTimeout 1000"],
    ),
    (
        {"freeTimeout": 1},
        {"minFreeTimeout": 2},
        ["freeTimeout 1 of `base-test` is below the account's minFreeTimeout 2"],
    ),
    (
        {"maxConcurrent": 9},
        {"maxConcurrencyNum": 8},
        ["maxConcurrent 9 of `base-test` is above the account's maxConcurrencyNum 8"],
    ),
    (
        {"spec": LARGER},
        {"maxGPUNum": 1, "maxRootfsSize": 99},
        [
            "specName.gpu 2 of `base-test` is above the account's maxGPUNum 1",
            "specName.ephemeralStorage 100 of `base-test` is above the account's maxRootfsSize 99",
        ],
    ),
    (
        {},
        {"maxRequestTimeout": 1800},
        ["requestTimeout 3600 of `base-test` is above the account's maxRequestTimeout 1800"],
    ),
    (
        {"policy": {"type": "queue", "value": 9}},
        {"maxQueueWaitTime": 8, "maxRequestNum": 1},
        ["policy.value 9 of `base-test` is above the account's maxQueueWaitTime 8"],
    ),
    (
        {"policy": {"type": "concurrency", "value": 9}},
        {"maxQueueWaitTime": 1, "maxRequestNum": 8},
        ["policy.value 9 of `base-test` is above the account's maxRequestNum 8"],
    ),
    ({"policy": {"type": "new", "value": 9}}, {"maxQueueWaitTime": 1, "maxRequestNum": 1}, []),
    (
        {"storage": [MOUNT, NETWORK]},
        {"maxLocalVolumeSize": 20},
        ["storage./w.sizeGb 30 of `base-test` is above the account's maxLocalVolumeSize 20"],
    ),
    ({"storage": [{"type": "local", "mountPath": "/w"}]}, {"minLocalVolumeSize": 20}, []),
    ({"replicas": 6}, {"maxWorkerNum": None, "maxGPUNum": "many"}, []),
]


@pytest.mark.parametrize(("declared", "limits", "expected"), BREACHES)
def test_a_value_outside_is_warned_of(
    declared: dict[str, Any], limits: dict[str, Any], expected: list[str]
) -> None:
    """With the value, the limit and its source; a limit that is missing or unreadable limits nothing."""
    problems = list(check_limits([change(endpoint(**declared), None, None)], limits))
    assert [one.summary for one in problems] == [f"{text} (endpoint/limit)" for text in expected]
    assert {one.severity for one in problems} <= {Severity.WARNING}


def test_what_is_really_written_is_checked() -> None:
    """An update's ignored fields count with their live value."""
    desired = endpoint(port=1, replicas=2, lifecycle={"ignoreChanges": ["replicas"]})
    made = change(desired, tracked(), live(replicas=9))
    (problem,) = check_limits([made], {"maxWorkerNum": 5})
    assert problem.summary.startswith("maxReplicas 9 of")


def test_limits_that_cannot_be_had_are_a_note() -> None:
    """The plan is as good as without them."""
    (problem,) = check_limits([], None)
    assert (problem.code, problem.severity) == ("limits-unknown", Severity.NOTE)
