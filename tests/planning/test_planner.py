"""The table of cases, row by row, and then how records and live endpoints find each other."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.model.plan import Action, Adopt, Cause, Change, Delete, NoOp, Replace, Scale, Update
from reconciler.model.resource import Desired, Live, Tracked
from reconciler.model.secrets import Keyring
from reconciler.model.values import ABSENT
from reconciler.planning.selection import Selection
from reconciler.planning.steps import StepKind, requests_of, stages, steps_of
from tests.builders import (
    KEYRING,
    LARGER,
    OTHER_KEYRING,
    PINNED,
    answer,
    change,
    endpoint,
    inventory,
    live,
    plan,
    record,
    secret,
    tracked,
)

Row = tuple[str, Desired | None, Tracked | None, Live | None, list[str], list[str]]

TABLE: list[Row] = [
    ("nothing at all", None, None, None, [], []),
    ("only live: unmanaged", None, None, live(), [], ["id-base-test"]),
    ("only live, and going", None, None, live(state="deleting"), [], []),
    ("only recorded: forget", None, tracked(), None, ["forget"], []),
    ("recorded and going: forget", None, tracked(), live(state="terminating"), ["forget"], []),
    ("recorded, and alive under that name: delete", None, tracked(), live(), ["delete"], []),
    (
        "recorded, and alive under another name: forget",
        None,
        tracked(),
        live("renamed", "id-base-test"),
        ["forget"],
        ["id-base-test"],
    ),
    (
        "of that name, but not the recorded one: forget",
        None,
        tracked(),
        live("base-test", "x"),
        ["forget"],
        ["x"],
    ),
    ("only declared: create", endpoint(), None, None, ["create"], []),
    ("declared, and going: create", endpoint(), None, live(state="deleting"), ["create"], []),
    ("declared, and live by name: adopt", endpoint(), None, live(), ["adopt"], []),
    ("declared and recorded, but gone: create", endpoint(), tracked(), None, ["create"], []),
    (
        "declared and recorded, but going: create",
        endpoint(),
        tracked(),
        live(state="deleting"),
        ["create"],
        [],
    ),
    (
        "recorded one gone, a newcomer there: adopt",
        endpoint(),
        tracked(),
        live("base-test", "x"),
        ["adopt"],
        [],
    ),
    ("all three and equal: no-op", endpoint(), tracked(), live(), ["no-op"], []),
    ("worker counts differ: scale", endpoint(replicas=3), tracked(), live(), ["scale"], []),
    ("one more field differs: update", endpoint(replicas=3, port=1), tracked(), live(), ["update"], []),
    ("another product: replace", endpoint(spec=LARGER), tracked(), live(), ["replace"], []),
    ("imperative, not declared: left alone", None, tracked(imperative=True), live(), [], ["id-base-test"]),
    ("imperative, and gone: left alone", None, tracked(imperative=True), None, [], []),
    (
        "imperative, now declared: as recorded",
        endpoint(port=1),
        tracked(imperative=True),
        live(),
        ["update"],
        [],
    ),
]


@pytest.mark.parametrize(
    ("desired", "tracked", "live", "actions", "unmanaged"),
    [row[1:] for row in TABLE],
    ids=[row[0] for row in TABLE],
)
def test_the_table(
    desired: Desired | None,
    tracked: Tracked | None,
    live: Live | None,
    actions: list[str],
    unmanaged: list[str],
) -> None:
    """One change for each row; unmanaged endpoints are listed and not changed."""
    made = plan(*([one] if one else [] for one in (desired, tracked, live)))
    assert [one.action.value for one in made.changes] == actions
    assert [one.id for one in made.unmanaged] == unmanaged
    assert made.problems == ()


FIELDS: list[tuple[dict[str, Any], Action, list[str]]] = [
    ({"replicas": 2}, Action.SCALE, ["workerConfig.minNum", "workerConfig.maxNum"]),
    ({"minReplicas": 0, "maxReplicas": 1}, Action.SCALE, ["workerConfig.minNum"]),
    ({"freeTimeout": 1}, Action.UPDATE, ["workerConfig.freeTimeout"]),
    ({"maxConcurrent": 2}, Action.UPDATE, ["workerConfig.maxConcurrent"]),
    ({"requestTimeout": 1}, Action.UPDATE, ["workerConfig.requestTimeout"]),
    ({"policy": {"type": "queue", "value": 1}}, Action.UPDATE, ["policy.value"]),
    ({"image": "i:1"}, Action.UPDATE, ["image.image"]),
    ({"command": "c"}, Action.UPDATE, ["image.command"]),
    ({"imageAuthId": "a"}, Action.UPDATE, ["image.authId"]),
    ({"port": 1}, Action.UPDATE, ["ports"]),
    ({"healthPath": "/"}, Action.UPDATE, ["healthy.path"]),
    ({"env": {"A": "1"}}, Action.UPDATE, ["envs.A"]),
    (
        {"storage": [{"type": "local", "sizeGb": 1, "mountPath": "/w"}]},
        Action.UPDATE,
        ["volumeMounts./w"],
    ),
    ({"appName": "mine"}, Action.REPLACE, ["appName!"]),
    ({"spec": PINNED}, Action.REPLACE, ["workerConfig.cudaVersion!"]),
    (
        {"spec": LARGER, "replicas": 2},
        Action.REPLACE,
        ["workerConfig.minNum", "workerConfig.maxNum", "workerConfig.gpuNum", "products!"],
    ),
]


@pytest.mark.parametrize(("declared", "action", "fields"), FIELDS)
def test_the_fields_decide_the_action(declared: dict[str, Any], action: Action, fields: list[str]) -> None:
    """Worker counts alone are a scale, a fixed field (!) a replacement, anything else an update."""
    made = change(endpoint(**declared), tracked(), live())
    found = [".".join(one.path) + ("!" if one.forces_replacement else "") for one in made.fields]
    assert (made.action, sorted(found)) == (action, sorted(fields))


@pytest.mark.parametrize(
    ("key", "name"), [("rootfsSize", "specName.ephemeralStorage"), ("clusterID", "specName.region")]
)
def test_what_cannot_move_in_place_is_replaced(key: str, name: str) -> None:
    """A smaller disk, or another region, is another endpoint."""
    elsewhere = {"rootfsSize": 50, "clusterID": "us-1"}
    made = plan([endpoint()], [tracked()], [_parse({**answer(), key: elsewhere[key]})]).changes[0]
    assert isinstance(made, Replace)
    assert [one.path for one in made.fields] == [(key,)]
    assert made.reason == f"cannot be changed in place: {name}"


def _parse(raw: dict[str, Any]) -> Live:
    from reconciler.kinds.endpoint.codec import parse

    return parse(raw)


def test_a_create_shows_what_it_sends() -> None:
    """Every field, the app name too, secrets marked as such, and nothing that is empty."""
    made = change(endpoint(env={"T": secret(), "M": "m"}), None, None)
    shown = {one.path: one.sensitive for one in made.fields}
    assert shown[("envs", "T")] is True
    assert shown[("envs", "M")] is False
    assert ("appName",) in shown
    assert ("volumeMounts",) not in shown
    assert {(one.before, one.cause) for one in made.fields} == {(ABSENT, Cause.CONFIG)}


def test_the_reason_says_who_moved() -> None:
    """The YAML, the account, or both."""
    assert change(endpoint(port=1), tracked(), live()).reason == "changed in the YAML"
    assert change(endpoint(), tracked(), live(port=1)).reason == "changed outside of reconciler"
    assert change(endpoint(port=1), tracked(), live(port=2)).reason == "differs from what is declared"
    assert change(endpoint(), tracked(), None).reason == "recorded as id-base-test, which is gone"


def test_a_scale_is_sent_in_full() -> None:
    """Scaling is an update call like any other: all of it, with the live value of what is not ours."""
    made = change(endpoint(replicas=3), tracked(), live(imageAuthId="theirs"))
    assert isinstance(made, Scale)
    (request,) = requests_of(made)
    assert request.body["workerConfig"]["maxNum"] == 3
    assert request.body["image"] == {"image": "ubuntu:22.04", "authId": "theirs"}


def test_removing_an_optional_field_empties_it() -> None:
    """Emitted last time and dropped now: it is sent as "", so that the server clears it."""
    made = change(endpoint(), tracked(command="x", imageAuthId="a"), live(command="x", imageAuthId="a"))
    assert [(one.path, one.after, one.cause) for one in made.fields] == [
        (("image", "authId"), "", Cause.CONFIG),
        (("image", "command"), "", Cause.CONFIG),
    ]
    (request,) = requests_of(made)
    assert request.body["image"] == {"image": "ubuntu:22.04", "authId": "", "command": ""}


def test_unpinning_cuda_replaces() -> None:
    """The pin was ours; Novita has no call that takes it off a living endpoint."""
    made = change(endpoint(), tracked(spec=PINNED), live(spec=PINNED))
    assert isinstance(made, Replace)
    assert "cudaVersion" not in requests_of(made)[-1].body["endpoint"]["workerConfig"]


@pytest.mark.parametrize("ignored", ["env.T", "env"])
def test_a_replacement_does_not_show_live_values_that_it_keeps(ignored: str) -> None:
    """The live value of an ignored env key may be a secret: it is sent, masked and fingerprinted as one."""
    desired = endpoint(spec=LARGER, lifecycle={"ignoreChanges": [ignored]})
    made = change(desired, record(endpoint()), live(env={"T": "hf_123"}))
    assert isinstance(made, Replace)
    create = requests_of(made)[-1]
    assert create.body["endpoint"]["envs"] == [{"key": "T", "value": secret("hf_123")}]
    assert "hf_123" not in repr(create.masked_body())


def test_a_no_op_is_stale_when_the_record_says_something_else() -> None:
    """Then the record may be refreshed without a call: values, name, protection, or the key of the seals."""

    def stale(desired: Desired, one: Tracked, there: Live, keyring: Keyring = KEYRING) -> bool:
        (made,) = plan([desired], [one], [there], keyring=keyring).changes
        assert isinstance(made, NoOp)
        return made.is_stale

    secretive = {"env": {"T": secret()}}
    assert not stale(endpoint(**secretive), tracked(**secretive), live(**secretive))
    assert stale(endpoint(), tracked(port=1), live())
    assert stale(endpoint(lifecycle={"preventDestroy": True}), tracked(), live())
    assert stale(endpoint("new", renamedFrom="base-test"), tracked(), live("new", "id-base-test"))
    assert stale(endpoint(**secretive), tracked(**secretive), live(**secretive), OTHER_KEYRING)


class TestAdoption:
    """Live by name and not in the inventory."""

    def test_equal_is_recorded_without_a_call(self) -> None:
        """Ownership is all that changes."""
        made = change(endpoint(env={"A": "1"}), None, live(env={"A": "1"}, appName="born-elsewhere"))
        assert isinstance(made, Adopt)
        assert (made.fields, requests_of(made)) == ((), ())

    def test_different_says_what_it_overwrites(self) -> None:
        """Every field is caused by the adoption, because nothing is known of the past."""
        made = change(endpoint(port=1, replicas=2), None, live())
        assert isinstance(made, Adopt)
        assert {one.cause for one in made.fields} == {Cause.ADOPT}
        assert [one.path[0] for one in made.fields] == ["workerConfig", "workerConfig", "ports"]
        assert requests_of(made)[0].path.endswith("/update")

    def test_ignored_fields_are_not_sent(self) -> None:
        """Not even if other fields could only be changed by a replacement: nothing is replaced here."""
        desired = endpoint(spec=PINNED, lifecycle={"ignoreChanges": ["command"]})
        made = change(desired, None, live(command="theirs"))
        assert isinstance(made, Adopt)
        assert "command" not in made.target["image"]

    def test_two_of_one_name_are_an_error_with_both_ids(self) -> None:
        """A guess could overwrite the wrong one; neither is called unmanaged."""
        made = plan([endpoint()], [], [live(object_id="y"), live(object_id="x")])
        (problem,) = made.errors
        assert problem.code == "ambiguous-name"
        assert problem.summary == "2 live endpoints are called `base-test`: x, y"
        assert (made.changes, made.unmanaged) == ((), ())

    def test_the_recorded_id_decides_between_two(self) -> None:
        """The other one is warned of and left alone."""
        made = plan([endpoint()], [tracked(object_id="x")], [live(object_id="y"), live(object_id="x")])
        (problem,) = made.problems
        assert [one.action for one in made.changes] == [Action.NO_OP]
        assert (problem.code, problem.is_error, problem.summary) == (
            "namesake",
            False,
            "`base-test` is x; another live endpoint has the same name: y",
        )
        assert [one.id for one in made.unmanaged] == ["y"]

    def test_one_that_is_going_is_no_rival(self) -> None:
        """Of two, the one that stays is adopted."""
        made = plan([endpoint()], [], [live(object_id="y", state="deleting"), live(object_id="x")])
        assert [(one.action, one.live.id) for one in made.changes if isinstance(one, Adopt)] == [
            (Action.ADOPT, "x")
        ]

    def test_what_another_record_holds_is_not_adopted(self) -> None:
        """An endpoint that the console gave this name is still the other one, and gets its name back."""
        made = plan([endpoint("a"), endpoint("b")], [tracked("b")], [live("a", "id-b")])
        assert [(one.name, one.action) for one in made.changes] == [
            ("a", Action.CREATE),
            ("b", Action.UPDATE),
        ]

    def test_a_rename_in_both_console_and_yaml_is_not_created_again(self) -> None:
        """The record of the old name lets go, and what has the new name is taken over."""
        made = plan([endpoint("new")], [tracked("old")], [live("new", "id-old")])
        assert [(one.name, one.action) for one in made.changes] == [
            ("new", Action.ADOPT),
            ("old", Action.FORGET),
        ]
        assert made.unmanaged == ()


class TestRename:
    """`renamedFrom: old` updates the name and keeps the ID."""

    def test_with_a_record_the_name_is_updated(self) -> None:
        """The ID is the record's, nothing is deleted or created."""
        made = change(endpoint("new", renamedFrom="old"), tracked("old"), live("old"))
        assert isinstance(made, Update)
        assert [(one.path, one.before, one.after, one.cause) for one in made.fields] == [
            (("name",), "old", "new", Cause.CONFIG)
        ]
        assert requests_of(made)[0].body["name"] == "new"
        assert made.live.id == "id-old"

    def test_without_a_record_the_old_name_is_adopted(self) -> None:
        """Its name is then one of the fields that adoption overwrites."""
        made = change(endpoint("new", renamedFrom="old"), None, live("old"))
        assert isinstance(made, Adopt)
        assert [one.path for one in made.fields] == [("name",)]

    def test_a_record_of_the_new_name_wins(self) -> None:
        """Once renamed, the hint means nothing, and the old record is on its own."""
        made = plan(
            [endpoint("new", renamedFrom="old")],
            [tracked("new"), tracked("old")],
            [live("new"), live("old")],
        )
        assert [(one.name, one.action) for one in made.changes] == [
            ("new", Action.NO_OP),
            ("old", Action.DELETE),
        ]

    def test_a_live_one_of_the_new_name_wins(self) -> None:
        """Without records, the endpoint that has the name already is the one."""
        made = plan([endpoint("new", renamedFrom="old")], [], [live("new"), live("old")])
        assert [(one.name, one.action) for one in made.changes] == [("new", Action.ADOPT)]
        assert [one.id for one in made.unmanaged] == ["id-old"]

    @pytest.mark.parametrize("records", [[], [tracked("old")]])
    def test_an_old_name_that_is_still_declared_is_nobodys(self, records: list[Tracked]) -> None:
        """The endpoint stays what its own declaration says; the new one is created."""
        made = plan([endpoint("new", renamedFrom="old"), endpoint("old")], records, [live("old")])
        assert [(one.name, one.action) for one in made.changes] == [
            ("new", Action.CREATE),
            ("old", Action.NO_OP if records else Action.ADOPT),
        ]

    def test_when_the_old_one_is_gone_the_new_one_is_created(self) -> None:
        """Its record is used up by the create, and not forgotten separately."""
        made = plan([endpoint("new", renamedFrom="old")], [tracked("old")], [])
        assert [(one.name, one.action) for one in made.changes] == [("new", Action.CREATE)]

    @pytest.mark.parametrize("records", [[], [tracked("old")]])
    def test_two_cannot_be_renamed_from_one(self, records: list[Tracked]) -> None:
        """An error names both, and no endpoint is planned twice."""
        made = plan(
            [endpoint("a", renamedFrom="old"), endpoint("b", renamedFrom="old")], records, [live("old")]
        )
        (problem,) = made.errors
        assert (problem.code, problem.summary) == (
            "renamed-twice",
            "`a` and `b` are both renamed from `old`",
        )
        assert [(one.name, one.action) for one in made.changes][1:] == [("b", Action.CREATE)]


def test_one_id_under_two_names_is_an_error() -> None:
    """A merged inventory may claim one endpoint twice; nothing is applied before one claim is dropped."""
    made = plan([endpoint("a")], [tracked("a", "x"), tracked("b", "x")], [live("a", "x")])
    (problem,) = made.errors
    assert (problem.code, problem.summary) == (
        "shared-id",
        "the inventory holds x under two names, `a` and `b`",
    )


class TestDelete:
    """Only what is recorded as ours, and alive under that ID and name."""

    def test_its_live_values_are_hidden(self) -> None:
        """No YAML says any more which of them were literals."""
        made = change(None, tracked(env={"A": "1"}), live(env={"A": "1"}, command="c"))
        assert isinstance(made, Delete)
        assert made.live.fields["envs"] == {"A": secret("1")}
        assert made.live.fields["image"]["command"] == secret("c")

    def test_a_forgotten_one_says_why(self) -> None:
        """Gone, or no longer called as we called it."""
        assert change(None, tracked(), None).reason == "id-base-test is gone already"
        assert change(None, tracked(), live("other", "id-base-test")).reason == (
            "id-base-test is called `other` now; it is not deleted"
        )


class TestSelection:
    """`--target` and `--exclude` leave the rest out of the plan, and out of its problems."""

    WORLD = (
        [endpoint("a", port=1), endpoint("b", port=1), endpoint("c")],
        [tracked("a"), tracked("b"), tracked("gone"), tracked("away")],
        [live("a"), live("b"), live("c", "1"), live("c", "2"), live("away"), live("b", "3")],
    )

    @pytest.mark.parametrize(
        ("selection", "changes", "problems", "drift"),
        [
            (Selection(), ["a", "away", "b", "gone"], ["namesake", "ambiguous-name"], ["gone"]),
            (Selection(targets=("a",)), ["a"], [], []),
            (Selection(targets=("novita_endpoint.b",)), ["b"], ["namesake"], []),
            (Selection(targets=("gone",)), ["gone"], [], ["gone"]),
            (Selection(excludes=("b", "c", "gone")), ["a", "away"], [], []),
            (Selection(targets=("nobody",)), [], ["no-such-target"], []),
        ],
    )
    def test_what_is_not_selected_is_not_planned(
        self, selection: Selection, changes: list[str], problems: list[str], drift: list[str]
    ) -> None:
        """Neither a change, nor drift, nor a problem of an endpoint that the run is not about."""
        made = plan(*self.WORLD, selection=selection)
        assert [one.name for one in made.changes] == changes
        assert [one.code for one in made.problems] == problems
        assert [one.name for one in made.drift] == drift

    def test_what_is_ours_is_never_listed_as_unmanaged(self) -> None:
        """An endpoint that is not selected is still managed."""
        made = plan(*self.WORLD, selection=Selection(targets=("a",)))
        assert [one.id for one in made.unmanaged] == ["3"]


def test_unmanaged_endpoints_are_sorted_and_hide_their_values() -> None:
    """They are shown by name and ID, and none of their values could be shown by mistake."""
    made = plan([], [], [live("b"), live("a", "2", env={"A": "1"}), live("a", "1")])
    assert [(one.name, one.id) for one in made.unmanaged] == [("a", "1"), ("a", "2"), ("b", "id-b")]
    assert made.unmanaged[1].fields["envs"] == {"A": secret("1")}


def test_changes_are_in_the_order_of_names() -> None:
    """Whatever order the files, the inventory and the account have."""
    made: tuple[Change, ...] = plan([endpoint("c"), endpoint("a")], [tracked("b")], [live("b")]).changes
    assert [one.name for one in made] == ["a", "b", "c"]
    assert inventory(tracked("b")).records.keys() == {"b"}


def test_what_was_deposed_is_deleted_under_its_live_name() -> None:
    """A replaced endpoint that outlived its run is recorded under another name than it is called."""
    old = tracked("a", "old")
    made = plan([endpoint("a")], [tracked("a", "new"), old.deposed()], [live("a", "new"), live("a", "old")])
    assert [(one.name, one.action.value) for one in made.pending] == [("a (deposed old)", "delete")]


class TestNamesThatChangeHands:
    """Renames onto names that others have."""

    def swap(self, **fields: Any) -> list[Desired]:
        return [endpoint("a", renamedFrom="b", **fields), endpoint("b", renamedFrom="a", **fields)]

    def test_a_swap_takes_a_temporary_name(self) -> None:
        """The first rename sets the other one's endpoint aside, and a note says so."""
        made = plan(self.swap(), [tracked("a"), tracked("b")], [live("a"), live("b")])
        names = [request.body["name"] for change in made.changes for request in requests_of(change)]
        assert [step.kind for step in steps_of(made.changes[0])] == [
            StepKind.VERIFY, StepKind.SET_TEMPORARY_NAME, StepKind.READ_BACK_TEMPORARY_NAME,
            StepKind.VERIFY, StepKind.UPDATE, StepKind.READ_BACK,
        ]  # fmt: skip
        assert names == ["a-renaming-id-a", "a", "b"]
        assert [one.code for one in made.problems] == ["temporary-name"]
        first, second = stages(made.changes)
        assert [one.name for one in (*first, *second)] == ["a", "b"]

    def test_one_that_is_set_aside_already_takes_no_request(self) -> None:
        """Killed after Novita had acted: only the record has to move."""
        records = [replace(tracked("a"), renaming="a-renaming-id-a"), tracked("b")]
        made = plan(self.swap(), records, [live("a-renaming-id-a", "id-a"), live("b")])
        assert [len(requests_of(change)) for change in made.changes] == [1, 1]

    def test_a_chain_is_done_from_its_end(self) -> None:
        """No name is temporary where one is free."""
        desired = [endpoint("b", renamedFrom="a"), endpoint("c", renamedFrom="b")]
        made = plan(desired, [tracked("a"), tracked("b")], [live("a"), live("b")])
        assert [[one.name for one in stage] for stage in stages(made.changes)] == [["c"], ["b"]]
        assert made.problems == ()

    def test_replacements_in_a_circle_rename_nothing(self) -> None:
        """Each deletes its own and makes its own."""
        made = plan(self.swap(spec=LARGER), [tracked("a"), tracked("b")], [live("a"), live("b")])
        assert {one.action for one in made.changes} == {Action.REPLACE}
        assert made.problems == ()
        assert len(stages(made.changes)) == 1

    def test_what_was_set_aside_goes_on(self) -> None:
        """Its record says which name it is to get; the other one is done."""
        records = [
            replace(tracked("a", "id-b"), renamed_from="b"),
            replace(tracked("tmp", "id-a"), renaming="b", renamed_from="a"),
        ]
        made = plan(self.swap(), records, [live("a", "id-b"), live("tmp", "id-a")])
        assert [(one.name, one.action) for one in made.changes] == [("a", Action.NO_OP), ("b", Action.UPDATE)]

    def test_what_was_set_aside_is_taken_back(self) -> None:
        """Without the hints, each name has its own endpoint again."""
        records = [replace(tracked("tmp", "id-a"), renaming="b", renamed_from="a"), tracked("b")]
        made = plan([endpoint("a"), endpoint("b")], records, [live("tmp", "id-a"), live("b")])
        assert [(one.name, one.action) for one in made.changes] == [("a", Action.UPDATE), ("b", Action.NO_OP)]

    def test_a_hint_is_left_over_when_only_its_old_record_is_gone(self) -> None:
        """The endpoint of the new name is the one, and the old record is forgotten."""
        records = [tracked("new"), tracked("old")]
        made = plan([endpoint("new", renamedFrom="old")], records, [live("new")])
        assert [one.action for one in made.changes] == [Action.NO_OP, Action.FORGET]
        assert made.problems == ()

    def test_a_name_that_gives_nothing_away_breaks_the_chain(self) -> None:
        """`c` cannot have `b`'s, which then has no right to the one of `a` either."""
        desired = [endpoint("a"), endpoint("b", renamedFrom="a"), endpoint("c", renamedFrom="b")]
        made = plan(desired, [tracked("a"), tracked("b")], [live("a"), live("b")])
        assert [one.code for one in made.errors] == ["rename-impossible", "rename-impossible"]
        assert not any(isinstance(one, Delete) for one in made.changes)
