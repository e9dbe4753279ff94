"""The fingerprint that consent is given to."""

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.plan import Plan
from reconciler.model.secrets import canonical, digest
from reconciler.planning.fingerprint import change_facts, plan_digest
from tests.builders import KEYRING, LARGER, OTHER_KEYRING, endpoint, live, plan, secret, tracked

ENV = {"env": {"T": secret("hf_123"), "M": "m"}}


def sign(made: Plan) -> str:
    return plan_digest(made, KEYRING)


def world(**changes: Any) -> Plan:
    """One plan with a change of every kind that calls."""
    desired = {"port": 1, **changes}
    return plan(
        [endpoint("new", **ENV), endpoint("up", **desired), endpoint("re", spec=LARGER), endpoint("same")],
        [tracked("up"), tracked("re"), tracked("del"), tracked("gone"), tracked("same")],
        [live("up"), live("re"), live("del"), live("same")],
    )


@given(st.randoms(use_true_random=False))
def test_the_order_of_files_records_listing_and_keys_does_not_count(shuffler: random.Random) -> None:
    """One plan has one digest."""
    env = {"A": "1", "B": "2", "C": "3"}
    keys = list(env)
    shuffler.shuffle(keys)
    desired = [
        endpoint("a", env={key: env[key] for key in keys}),
        endpoint("b", port=1),
        endpoint("c", port=1),
    ]
    records = [tracked(name) for name in ("b", "c", "d")]
    there = [live(name) for name in ("b", "c", "d")]
    first = sign(plan([endpoint("a", env=env), *desired[1:]], records, there))
    for group in (desired, records, there):
        shuffler.shuffle(group)
    assert sign(plan(desired, records, there)) == first


def test_the_order_of_fields_in_the_normal_form_does_not_count() -> None:
    """Dicts have an order in Python, and no meaning by it."""
    one = endpoint(port=1, image="i:1")
    other = one.__class__(name=one.name, app_name=one.app_name, fields=dict(reversed(one.fields.items())))
    assert sign(plan([one], [tracked()], [live()])) == sign(plan([other], [tracked()], [live()]))


@pytest.mark.parametrize(
    "other",
    [
        world(port=2),
        world(replicas=2),
        world(command="x"),
        plan([], [tracked("up")], [live("up")]),
        plan([endpoint("up", port=1)], [tracked("up", "id-2")], [live("up", "id-2")]),
        plan([endpoint("up", port=1)], [tracked("up")], [live("up", env={"A": "theirs"})]),
        plan([endpoint("up", port=1)], [tracked("up")], [live("up", imageAuthId="theirs")]),
        plan([endpoint("up", port=1)], [], [live("up")]),
        plan([endpoint("up", port=1)], [], []),
        plan([endpoint("up", port=1)], [tracked("up", port=7)], [live("up")]),
        plan([endpoint("up", port=1)], [tracked("up")], [live("up", port=7)]),
    ],
)
def test_another_body_id_action_object_or_record_is_another_digest(other: Plan) -> None:
    """Whoever agreed to one difference has not agreed to the other, even where one call settles both."""
    assert sign(other) not in (
        sign(world()),
        sign(plan([endpoint("up", port=1)], [tracked("up")], [live("up")])),
    )


@pytest.mark.parametrize(
    "same",
    [
        plan([endpoint("up", port=1), endpoint("x")], [tracked("up"), tracked("x")], [live("up"), live("x")]),
        plan([endpoint("up", port=1)], [tracked("up")], [live("up"), live("unmanaged")]),
        plan([endpoint("up", port=1, lifecycle={"preventDestroy": True})], [tracked("up")], [live("up")]),
    ],
)
def test_what_changes_no_call_changes_no_digest(same: Plan) -> None:
    """No-ops, unmanaged endpoints and protection are not approved."""
    assert sign(same) == sign(plan([endpoint("up", port=1)], [tracked("up")], [live("up")]))


def test_a_rotated_secret_is_another_digest_and_stands_in_none() -> None:
    """Secrets count by their keyed fingerprint: also the live ones that an update carries."""
    one = plan([endpoint(**ENV, port=1)], [tracked(**ENV)], [live(**ENV)])
    other = plan([endpoint(env={**ENV["env"], "T": secret("x")}, port=1)], [tracked(**ENV)], [live(**ENV)])
    assert sign(one) != sign(other)
    assert plan_digest(one, KEYRING) != plan_digest(one, OTHER_KEYRING)
    facts = canonical(change_facts(one.changes[0], KEYRING)).decode()
    assert "hf_123" not in facts + json.dumps(facts)


def test_the_facts_of_a_change_can_be_read() -> None:
    """A saved plan keeps them change by change, to say later which one differs."""
    (made,) = plan([], [tracked()], [live()]).changes
    body = {"id": "id-base-test", "name": "id-base-test"}
    assert change_facts(made, KEYRING) == {
        "address": "novita_endpoint.base-test",
        "action": "delete",
        "id": "id-base-test",
        "requests": [["POST", "/gpu-instance/openapi/v1/endpoint/delete", digest(body)]],
        "live": digest(live().fields),
        "record": digest(["id-base-test", tracked().applied]),
        "fields": [],
    }
    assert [change_facts(one, KEYRING)["id"] for one in world().pending] == [
        "id-del",
        "id-gone",
        None,
        "id-re",
        "id-up",
    ]
