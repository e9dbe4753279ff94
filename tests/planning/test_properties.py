"""What holds for any endpoints: a plan, once done, leaves nothing to do."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.kinds.registry import ENDPOINT
from reconciler.model.plan import (
    Adopt,
    Cause,
    Create,
    Delete,
    Forget,
    NoOp,
    Plan,
    Replace,
    Scale,
    Update,
)
from reconciler.model.resource import Desired, Tracked
from reconciler.planning.steps import requests_of
from tests.builders import (
    KEYRING,
    LARGER,
    PINNED,
    SPEC,
    answer,
    endpoint,
    plan,
    record,
    secret,
    served,
    updated,
)

texts = st.text(st.characters(codec="utf-8"), max_size=4)
names = st.sampled_from(["a", "b", "c"])
small = st.integers(1, 3)
env_keys = st.sampled_from(["A", "x.y", "__T", "a['b']", "0"])
mounts = st.one_of(
    st.fixed_dictionaries({"type": st.just("local"), "sizeGb": small, "mountPath": st.just("/w")}),
    st.fixed_dictionaries(
        {"type": st.just("network"), "id": st.sampled_from("no"), "mountPath": st.just("/w")}
    ),
)
ignorable = st.sampled_from(
    [
        "replicas",
        "maxReplicas",
        "workerConfig",
        "image",
        "command",
        "policy",
        "policy.value",
        "port",
        "appName",
    ]
) | st.sampled_from(["env", "env.A", "env.x.y", "storage", "storage./w", "healthPath", "specName"])
declarations: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "appName": st.sampled_from(["one", "two"]),
        "image": st.sampled_from(["i", "j"]),
        "command": st.sampled_from(["", "x"]) | st.sampled_from("xy").map(secret),
        "imageAuthId": st.sampled_from(["p", "q"]),
        "replicas": small,
        "minReplicas": st.integers(0, 2),
        "port": small,
        "healthPath": st.sampled_from(["/", "/ping"]),
        "policy": st.fixed_dictionaries({"type": st.sampled_from(["queue", "concurrency"]), "value": small}),
        "env": st.dictionaries(env_keys, texts | texts.map(secret), max_size=3),
        "storage": st.lists(mounts, max_size=1),
        "spec": st.sampled_from([SPEC, PINNED, LARGER]),
        "lifecycle": st.fixed_dictionaries({"ignoreChanges": st.lists(ignorable, max_size=2)}),
    },
)
fleets = st.dictionaries(names, declarations, max_size=3)


class World:
    """An account and an inventory, worked by the requests of a plan and by nothing else."""

    def __init__(self, account: dict[str, Any], records: dict[str, Tracked]) -> None:
        self.account = account
        self.records = records

    @classmethod
    def of(cls, there: dict[str, dict[str, Any]], recorded: dict[str, dict[str, Any]]) -> "World":
        account = {f"id-{name}": answer(name, **declared) for name, declared in there.items()}
        return cls(account, {name: record(endpoint(name, **declared)) for name, declared in recorded.items()})

    def plan(self, desired: list[Desired]) -> Plan:
        live = [ENDPOINT.parse_one(one) for one in self.account.values()]
        return plan(desired, self.records.values(), live, keyring=KEYRING)

    def perform(self, made: Plan) -> None:
        for change in made.changes:
            object_id = change.live.id if isinstance(change, Update | Scale | Adopt | NoOp) else None
            for request in requests_of(change):
                body = json.loads(request.body_bytes())
                match request.path.rpartition("/")[2]:
                    case "create":
                        object_id = f"id-{len(self.account)}-{change.name}"
                        self.account[object_id] = served(body, object_id)
                    case "update":
                        self.account[body["id"]] = updated(self.account[body["id"]], body)
                    case "delete":
                        del self.account[body["id"]]
            match change:
                case Delete() | Forget():
                    del self.records[change.name]
                case Create() | Update() | Scale() | Replace() | Adopt() | NoOp():
                    assert object_id is not None
                    self.records[change.name] = record(change.desired, object_id)


def endpoints(fleet: dict[str, dict[str, Any]]) -> list[Desired]:
    return [endpoint(name, **declared) for name, declared in fleet.items()]


@settings(max_examples=150)
@given(wanted=fleets, recorded=fleets, there=fleets)
def test_a_plan_straight_after_an_apply_is_empty(
    wanted: dict[str, Any], recorded: dict[str, Any], there: dict[str, Any]
) -> None:
    """Whatever was declared, recorded and live before, and however the server re-types and fills in."""
    desired = endpoints(wanted)
    world = World.of(there, recorded)
    first = world.plan(desired)
    refused = [one.name for one in first.changes if isinstance(one, Adopt) and _is_fixed(one)]
    desired = [one for one in desired if one.name not in refused]
    world.perform(world.plan(desired))
    second = world.plan(desired)
    assert second.pending == ()
    assert [one for one in second.changes if isinstance(one, NoOp) and one.is_stale] == []
    assert (second.drift, second.problems) == ((), ())


def _is_fixed(change: Adopt) -> bool:
    return any(field.forces_replacement for field in change.fields)


@settings(max_examples=50)
@given(there=declarations, wanted=declarations)
def test_every_difference_is_attributed_to_whoever_made_it(
    there: dict[str, Any], wanted: dict[str, Any]
) -> None:
    """If the account still says what was applied, every cause is the YAML; if the YAML does, it is drift."""
    there, wanted = ({**one, "lifecycle": {}} for one in (there, wanted))
    world = World.of({"a": there}, {"a": there})
    assert {field.cause for one in world.plan(endpoints({"a": wanted})).changes for field in one.fields} <= {
        Cause.CONFIG
    }
    other = World.of({"a": there}, {"a": wanted})
    found = other.plan(endpoints({"a": wanted}))
    assert {field.cause for one in found.changes for field in one.fields} <= {Cause.DRIFT}


@settings(max_examples=50)
@given(there=declarations, wanted=declarations)
def test_drift_is_what_a_plan_of_the_old_yaml_would_undo(
    there: dict[str, Any], wanted: dict[str, Any]
) -> None:
    """The fields that moved are those that differ from the declaration that was applied."""
    applied = {**wanted, "lifecycle": {}}
    made = World.of({"a": there}, {"a": applied}).plan(endpoints({"a": applied}))
    moved = [field.path for drift in made.drift for field in drift.fields]
    assert moved == [field.path for field in made.changes[0].fields]
