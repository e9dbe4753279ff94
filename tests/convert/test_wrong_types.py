"""Wrong types everywhere in documents and in code: a conversion never fails, and what it makes is valid."""

import json
from typing import Any

import pytest
import yaml

from reconciler.model.resource import ENDPOINT, REGISTRY
from reconciler.workflow.converter.checks import why_invalid
from tests.convert.support import converted, paths_of, replaced
from tests.e2e.convert.pages import PAGES, page

ODD: tuple[Any, ...] = ([], {}, [[1], {"a": None}], {"a": [1]}, 7, -1.5, True, "x y\u2028", "", None)


@pytest.mark.parametrize("name", [name for name in PAGES if name != "runpod"])
def test_odd_values_at_every_path(name: str) -> None:
    data = yaml.safe_load(page(name).sample_text)
    for path in paths_of(data):
        for odd in ODD:
            conversion, _ = converted(json.dumps(replaced(data, path, odd)), name)
            for item in conversion.items[ENDPOINT]:
                assert why_invalid(ENDPOINT, item) == "", (path, odd)
            for item in conversion.items[REGISTRY]:
                assert why_invalid(REGISTRY, item) == "", (path, odd)


CODE = """\
from runpod_flash import Endpoint, GpuGroup, GpuType, PodTemplate
e = Endpoint({arguments})
"""
ODD_CODE = (
    "[]",
    "{}",
    "7",
    "-1",
    "True",
    "'x y'",
    "''",
    "None",
    "f()",
    "GpuGroup.NONE",
    "PodTemplate(a=1)",
    "[[1]]",
)
KEYS = (
    *("name", "id", "gpu", "cpu", "workers", "idle_timeout", "dependencies", "volume", "datacenter", "env"),
    *("gpu_count", "execution_timeout_ms", "flashboot", "image", "scaler_type", "scaler_value", "template"),
    *("min_cuda_version", "max_concurrency", "unknown"),
)


@pytest.mark.parametrize("key", KEYS)
def test_odd_arguments(key: str) -> None:
    """Each argument with each odd value; the others are left as they are."""
    for odd in ODD_CODE:
        arguments = ", ".join([f"{key}={odd}", *(() if key == "name" else ("name='e'",))])
        conversion, notes = converted(CODE.format(arguments=arguments), "runpod-flash")
        (item,) = conversion.items[ENDPOINT]
        assert why_invalid(ENDPOINT, item) == ""
        assert all(note.place.line == 2 for note in notes)
