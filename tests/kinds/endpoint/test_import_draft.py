"""What is drafted for endpoints that nobody declares."""

from typing import Any

from reconciler.kinds.draft import Draft
from reconciler.kinds.endpoint.import_draft import draft, importable
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.resource import Live, Spec
from tests.builders import LARGER, SPEC, answer, live


def drafted(*endpoints: Live, specs: tuple[Spec, ...] = (SPEC,), app_names: tuple[str, ...] = ()) -> Draft:
    return draft(
        endpoints, specs, spec_names=["small", *(spec.name for spec in specs)], app_names=app_names, in_use={}
    )


def named(name: str, app_name: str, object_id: str, **declared: Any) -> Live:
    return ENDPOINT.parse_one({**answer(object_id=object_id, **declared), "name": name, "appName": app_name})


def test_env_values_become_references() -> None:
    """And so does a command that seems to hold a credential; other commands and empty values stay."""
    found = drafted(
        live("a", env={"TOKEN": "hf_one", "N": ""}, command="run --token hf_one"),
        live("b", env={"TOKEN": "hf_two"}, command="run"),
        live("c"),
    )
    assert [item.get("env") for item in found.items] == [
        {"N": "", "TOKEN": "${env:A_TOKEN}"},
        {"TOKEN": "${env:B_TOKEN}"},
        None,
    ]
    assert [item.get("command") for item in found.items] == ["${env:A_COMMAND}", "run", None]
    assert [one.name for one in found.variables] == ["A_COMMAND", "A_TOKEN", "B_TOKEN"]
    assert "hf_" not in repr(found.items)


def test_specs_are_taken_or_made() -> None:
    """The first that fits; else one new spec for all endpoints of that shape, by a name that is not taken."""
    wide = named("d", "d", "id-d", spec=LARGER)
    other = ENDPOINT.parse_one({**answer("e", spec=LARGER), "clusterID": "eu"})
    found = drafted(live("a"), wide, live("b", spec=LARGER), other)
    name = "novita-sl-serverless-9-2gpu"
    assert [item["specName"] for item in found.items] == [SPEC.name, name, name, f"{name}-2"]
    assert [(spec.name, spec.region) for spec in found.new_specs] == [
        (name, "us-dallas-nas-2"),
        (f"{name}-2", "eu"),
    ]


def test_two_urls_stay_apart() -> None:
    """An endpoint whose default app name is another's gets its own written out."""
    found = drafted(named("a", "id-1", "id-1"), named("b", "a", "id-2"), named("c", "id-3", "id-3"))
    assert [item.get("appName") for item in found.items] == ["id-1", "a", None]
    assert drafted(named("a", "id-1", "id-1"), app_names=("a",)).items[0]["appName"] == "id-1"
    assert "appName" not in drafted(named("a", "", "id-1"), app_names=("a",)).items[0]


def test_what_cannot_be_declared_is_left_out() -> None:
    """With a warning that says which and why: twins, names in use, and what YAML cannot say."""
    twins = [named("twin", "one", "id-1"), named("twin", "two", "id-2")]
    nameless = [named("", "x", "id-3"), named("", "y", "id-4")]
    found, problems = importable([*twins, *nameless, live("ours"), live("a")], ["ours"])
    assert [one.name for one in found] == ["a"]
    assert [problem.summary for problem in problems] == [
        "id-3 is left out: it has no name",
        "id-4 is left out: it has no name",
        "`ours` is left out (id-ours): another endpoint is declared or recorded by that name",
        "`twin` is left out (id-1, id-2): 2 live endpoints have that name",
    ]
    assert {(problem.code, problem.is_error) for problem in problems} == {("not-imported", False)}
