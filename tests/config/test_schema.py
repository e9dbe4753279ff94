"""The published schemas, and agreement of both validators."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config import schema

DRAFT = "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("name", [*schema.NAMES, schema.NOTIFICATION])
def test_published_schemas_are_schemas(name: str) -> None:
    """Each schema is valid in its draft, names itself, and describes every property."""
    from jsonschema import Draft202012Validator

    whole = json.loads(schema.schema_text(name))
    Draft202012Validator.check_schema(whole)
    assert (whole["$schema"], whole["$id"]) == (DRAFT, f"{name}.schema.json")
    assert whole["title"]
    assert whole["description"]
    undescribed = [
        f"{definition}.{field}"
        for definition, part in whole["$defs"].items()
        for field, inner in part.get("properties", {}).items()
        if definition not in ("mergedEndpoint", "defaults") and not {"description", "$ref"} & inner.keys()
    ]
    assert undescribed == []


def test_there_is_no_other_schema() -> None:
    """An unknown name raises KeyError."""
    with pytest.raises(KeyError):
        schema.schema_text("../pyproject")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (("port",), "integer"),
        (("image",), "string"),
        (("lifecycle", "preventDestroy"), "boolean"),
        (("lifecycle", "ignoreChanges", 0), "string"),
        (("storage", 0, "sizeGb"), "integer"),
        (("policy", "value"), "integer"),
        (("env", "A"), "string"),
        (("shmSize",), "string"),
        (("unknown", "deep", 0), "string"),
    ],
)
def test_types_are_looked_up_in_the_schema(path: tuple[str | int, ...], kind: str) -> None:
    """The type of a field decides the type of a reference in it."""
    assert schema.type_at(path) == kind


def test_editors_accept_references() -> None:
    """A number or boolean may be one whole reference."""
    item = {"endpoint": "a", "port": "${env:PORT:-8000}", "lifecycle": {"preventDestroy": "${file:x}"}}
    assert schema.is_valid("endpoints", {"endpoints": [item]})
    assert not schema.is_valid("endpoints", {"endpoints": [item | {"port": "8${env:X}"}]})


def test_the_published_schema_requires_only_the_name() -> None:
    """An overlay is valid in an editor; a merged endpoint needs its spec and image."""
    assert schema.is_valid("endpoints", {"endpoints": [{"endpoint": "a", "replicas": None}]})
    assert not schema.is_valid("endpoints", {"endpoints": [{"image": "x:1"}]})
    assert not schema.is_valid("endpoints", {"endpoint": "a"}, "mergedEndpoint")
    assert not schema.is_valid("endpoints", {"defaults": {"appName": "a"}})
    assert schema.is_valid("endpoints", {"defaults": None})


def test_nothing_heavy_is_imported_for_a_valid_file(tmp_path: Any) -> None:
    """jsonschema is not imported for valid files."""
    from .support import SPECS, write

    write(
        tmp_path,
        {"specs.yaml": SPECS, "endpoints.yaml": "endpoints: [{endpoint: a, specName: one, image: x:1}]"},
    )
    code = f"""
import sys
from pathlib import Path
from reconciler.config.loader import load
heavy = {{"yaml", "jsonschema", "jsonschema_rs", "difflib"}}
assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()
assert not load(Path({str(tmp_path)!r}), environ={{}}).problems
assert "jsonschema" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


FIELDS = list(schema.load_schema("endpoints")["$defs"]["fields"]["properties"])
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 2**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        ["", "a", "a\n", "/x", "/x\n", "a b", "${env:A}", "x${env:A}", "A-b", "queue", "\u2028", "a" * 600]
    ),
    st.lists(
        st.fixed_dictionaries({}, optional={"type": st.sampled_from(["local", "x"]), "id": st.just("i")}),
        max_size=2,
    ),
    st.dictionaries(
        st.sampled_from(["A", "A B", "A\n", "type", "value", "preventDestroy"]),
        st.sampled_from(["x", 1, None]),
    ),
)


@given(st.dictionaries(st.sampled_from([*FIELDS, "unknown"]), VALUES, max_size=5))
def test_both_validators_agree(item: dict[str, Any]) -> None:
    """jsonschema explains everything that the fast validator refuses, and nothing else."""
    for definition in ("mergedEndpoint", "endpoint", "defaults"):
        explained = list(schema.validation_errors("endpoints", item, definition))
        assert schema.is_valid("endpoints", item, definition) == (not explained)
