"""The published schemas as documents for editors: complete, and consistent with the code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest
from jsonschema import Draft202012Validator

from reconciler.config import schema
from reconciler.kinds.endpoint.fields import is_any_cuda
from reconciler.model.resource import Desired
from tests.builders import endpoint

from .support import loaded

Node: TypeAlias = Mapping[str, Any]

REFERENCE: Final = {"$ref": "#/$defs/reference"}


def target(node: Node, root: Node) -> Node:
    """Return the definition behind a `$ref`."""
    definition: Node = root["$defs"][node["$ref"].rsplit("/", 1)[1]]
    return definition


def annotated(node: Node, root: Node) -> Node:
    """Return a node with the annotations of its `$ref` merged below its own, as editors do."""
    return {**annotated(target(node, root), root), **node} if "$ref" in node else node


def below(node: Node, root: Node, path: str) -> Iterator[tuple[str, bool, Node]]:
    """Yield every property and element below a node: its path, whether it is a property, its schema."""
    if "$ref" in node:
        yield from below(target(node, root), root, path)
    for key in ("anyOf", "allOf"):
        for part in node.get(key, ()):
            yield from below(part, root, path)
    if "then" in node:
        yield from below(node["then"], root, path)
    for name, part in node.get("properties", {}).items():
        yield f"{path}.{name}", True, part
        yield from below(part, root, f"{path}.{name}")
    for key, step in (("items", "[]"), ("additionalProperties", ".*")):
        part = node.get(key)
        if isinstance(part, dict):
            yield f"{path}{step}", False, part
            yield from below(part, root, f"{path}{step}")


def every(name: str) -> list[tuple[str, bool, Node]]:
    """Yield everything below the root of a schema and below its definitions."""
    root = schema.load_schema(name)
    starts = {name: root, **{f"#{key}": part for key, part in root["$defs"].items()}}
    return [entry for path, start in starts.items() for entry in below(start, root, path)]


def is_forbidden(node: Node) -> bool:
    """Return True if a property is listed only to forbid it."""
    return node.get("not") == {}


def validator(node: Node, root: Node) -> Draft202012Validator:
    """Return a validator for a part of a schema, with the definitions of the whole schema."""
    return Draft202012Validator({**node, "$schema": root["$schema"], "$defs": root["$defs"]})


@pytest.mark.parametrize("name", schema.NAMES)
def test_each_is_a_document_of_its_draft(name: str) -> None:
    """Each schema is valid for its draft, 2020-12."""
    root = schema.load_schema(name)
    assert root["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator.check_schema(root)


@pytest.mark.parametrize("name", schema.NAMES)
def test_everything_has_a_title_and_a_description(name: str) -> None:
    """Editors show both for each property, element and definition."""
    root = schema.load_schema(name)
    places = [(path, node) for path, _, node in every(name)]
    places += [(f"#{key}", node) for key, node in root["$defs"].items()]
    lacking = []
    for path, node in [(name, root), *places]:
        seen = annotated(node, root)
        title, description = seen.get("title", ""), seen.get("description", "")
        if not (0 < len(title) <= 40 and description.endswith((".", "`"))):
            lacking.append((path, title, description))
    assert lacking == []


@pytest.mark.parametrize("name", schema.NAMES)
def test_every_property_has_an_example(name: str) -> None:
    """Editors offer an example for each property that may be written."""
    root = schema.load_schema(name)
    properties = [(path, node) for path, is_property, node in every(name) if is_property]
    assert len({path for path, _ in properties}) > len(root["$defs"])
    lacking = {
        path
        for path, node in properties
        if not is_forbidden(node) and not annotated(node, root).get("examples")
    }
    assert lacking == set()


def test_only_what_belongs_to_one_item_is_forbidden_and_only_in_defaults() -> None:
    """Only the names and the matrix of one item have no example."""
    forbidden = {path for name in schema.NAMES for path, _, node in every(name) if is_forbidden(node)}
    names = ("endpoint", "matrix", "appName", "renamedFrom")
    assert forbidden == {f"{start}.{name}" for start in ("endpoints.defaults", "#defaults") for name in names}


@pytest.mark.parametrize("name", schema.NAMES)
def test_examples_and_defaults_are_valid(name: str) -> None:
    """Values that an editor inserts are valid at their position."""
    root = schema.load_schema(name)
    places = [(path, node) for path, _, node in every(name)]
    places += [(f"#{key}", node) for key, node in root["$defs"].items()]
    refused = []
    for path, node in [(name, root), *places]:
        seen = annotated(node, root)
        offered = [*seen.get("examples", ()), *([seen["default"]] if "default" in seen else ())]
        refused += [(path, value) for value in offered if not validator(node, root).is_valid(value)]
    assert refused == []


@pytest.mark.parametrize("name", schema.NAMES)
def test_a_value_is_offered_and_not_only_a_reference(name: str) -> None:
    """If a reference is allowed, the first example and the default are still values."""
    root = schema.load_schema(name)
    wrong = []
    for path, _, node in every(name):
        if "anyOf" not in node:
            continue
        value, other = node["anyOf"]
        assert other == REFERENCE, path
        offered = [node["examples"][0], *([node["default"]] if "default" in node else ())]
        wrong += [
            (path, each) for each in offered if each is None or not validator(value, root).is_valid(each)
        ]
    assert wrong == []


READERS: Final[Mapping[str, tuple[dict[str, Any], Callable[[Desired], Any]]]] = {
    # What has to be declared for the default to hold, and where it is found in what the mapping makes.
    "replicas": ({}, lambda made: common_value(made.fields["workerConfig"], "minNum", "maxNum")),
    "minReplicas": ({"maxReplicas": 7}, lambda made: made.fields["workerConfig"]["minNum"]),
    "maxReplicas": ({"minReplicas": 3}, lambda made: made.fields["workerConfig"]["maxNum"]),
    "freeTimeout": ({}, lambda made: made.fields["workerConfig"]["freeTimeout"]),
    "taskTimeout": ({}, lambda made: made.fields["workerConfig"]["freeTimeout"]),
    "scaleDownIdleTime": ({}, lambda made: made.fields["workerConfig"]["freeTimeout"]),
    "requestTimeout": ({}, lambda made: made.fields["workerConfig"]["requestTimeout"]),
    "maxConcurrent": ({}, lambda made: made.fields["workerConfig"]["maxConcurrent"]),
    "policy": ({}, lambda made: made.fields["policy"]),
    "port": ({}, lambda made: made.fields["ports"][0]["port"]),
    "healthPath": ({}, lambda made: made.fields["healthy"]["path"]),
    "prewarm": ({}, lambda made: made.prewarm),
    "env": ({}, lambda made: made.fields["envs"]),
    "storage": ({}, lambda made: list(made.fields["volumeMounts"])),
    "lifecycle": ({}, lambda made: {} if made.lifecycle == type(made.lifecycle)() else made.lifecycle),
    "lifecycle.preventDestroy": ({}, lambda made: made.lifecycle.prevent_destroy),
    "lifecycle.ignoreChanges": ({}, lambda made: list(made.lifecycle.ignore)),
}


def common_value(settings: Mapping[str, Any], *names: str) -> Any:
    """Return the value that several settings share."""
    (value,) = {settings[name] for name in names}
    return value


def endpoint_defaults() -> dict[str, Any]:
    """Return the defaults of all fields of an endpoint by dotted path."""
    root = schema.load_schema("endpoints")
    entries = below(root["$defs"]["fields"], root, "")
    return {path.removeprefix("."): node["default"] for path, _, node in entries if "default" in node}


def test_every_default_of_an_endpoint_is_compared() -> None:
    """The following tests cover exactly the defaults of the schema."""
    assert endpoint_defaults().keys() == READERS.keys()


@pytest.mark.parametrize("path", READERS)
def test_defaults_match_the_mapping(path: str) -> None:
    """An endpoint without the field gets the default of the schema, with the same type."""
    needed, read = READERS[path]
    default, mapped = endpoint_defaults()[path], read(endpoint(**needed))
    assert (type(mapped), mapped) == (type(default), default)


@pytest.mark.parametrize("path", READERS)
def test_writing_a_default_changes_nothing(path: str) -> None:
    """An endpoint that declares a default equals one that leaves it out."""
    needed, _ = READERS[path]
    declared = endpoint_defaults()[path]
    for step in reversed(path.split(".")):
        declared = {step: declared}
    assert endpoint(**needed, **declared) == endpoint(**needed)


@pytest.mark.parametrize("key", ["defaults", "endpoints"])
def test_a_file_may_leave_its_parts_out(tmp_path: Path, key: str) -> None:
    """A file without a key equals one with the default of the key."""
    whole = {"defaults": "defaults: {image: x:1}\n", "endpoints": "endpoints: []\n"}
    del whole[key]
    assert schema.load_schema("endpoints")["properties"][key]["default"] in ({}, [])
    without = loaded(tmp_path, {"endpoints.yaml": "".join(whole.values())})
    default = "{}" if key == "defaults" else "[]"
    written = loaded(tmp_path, {"endpoints.yaml": "".join(whole.values()) + f"{key}: {default}\n"})
    assert (without.desired, without.problems) == (written.desired, written.problems) == ((), ())


def test_the_defaults_of_the_settings_are_real(tmp_path: Path) -> None:
    """A run without config.yaml has the defaults of the schema."""
    properties = schema.load_schema("config")["properties"]["novita"]["properties"]
    defaults = {name: part["default"] for name, part in properties.items() if "default" in part}
    result = loaded(tmp_path, {"endpoints.yaml": "endpoints: []"})
    without = {"api_key", "config_dir", "env_file", "state", "sync"}
    assert {name for name in properties if name not in defaults} == without
    assert (defaults.pop("enabled"), result.problems) == (True, ())
    assert {name: getattr(result.settings, name) for name in defaults} == defaults


def test_the_default_of_the_cuda_version_means_leaving_it_out() -> None:
    """The default in the schema of specs counts as absent in comparisons."""
    default = schema.load_schema("specs")["$defs"]["novita"]["properties"]["cudaVersion"]["default"]
    assert is_any_cuda(default)
    assert is_any_cuda(None)
