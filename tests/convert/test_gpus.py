"""Which spec fits a GPU that a source names."""

import pytest

from reconciler.convert.candidates import GpuWish
from reconciler.convert.gpus import (
    KnownSpec,
    completed,
    fitting_spec,
    is_same_model,
    new_spec_name,
    placeholder,
)
from reconciler.model.problem import Place
from reconciler.model.resource import Spec

PLACE = Place(file="x", line=1, column=1)


def wish(*models: str, count: int = 1) -> GpuWish:
    return GpuWish(models=models, count=count, field="gpu", place=PLACE)


def known(name: str, model: str, gpus: int = 1) -> KnownSpec:
    spec = Spec(name=name, product_id="p", region="r", gpu=gpus, rootfs_gb=100)
    return KnownSpec(spec=spec, model=model)


@pytest.mark.parametrize(
    ("wanted", "offered"),
    [
        ("RTX 4090", "NVIDIA GeForce RTX 4090"),
        ("RTX4090", "NVIDIA GeForce RTX 4090"),
        ("4090", "RTX 4090 24GB"),
        ("H100", "NVIDIA H100 SXM 80GB"),
        ("A100-80GB", "NVIDIA A100 80GB PCIe"),
        ("A100 80 GB", "A100-SXM4-80GB"),
        ("H100", "H100"),
        ("RTX 6000 Ada", "NVIDIA RTX 6000 Ada Generation"),
    ],
)
def test_two_names_of_one_model(wanted: str, offered: str) -> None:
    assert is_same_model(wanted, offered)


@pytest.mark.parametrize(
    ("wanted", "offered"),
    [
        ("L40", "L40S"),
        ("RTX 4080", "RTX 4080 SUPER"),
        ("RTX 4090", "RTX 4090 D"),
        ("A100-80GB", "A100 40GB"),
        ("RTX 6000", "RTX 6000 Ada"),
        ("H100", "H200"),
        ("H100", ""),
        ("", "H100"),
        ("80GB", "A100 80GB"),
        ("NVIDIA", "NVIDIA H100"),
    ],
)
def test_two_models(wanted: str, offered: str) -> None:
    assert not is_same_model(wanted, offered)


def test_one_spec_fits_or_none_does() -> None:
    """Two specs that fit, another number of GPUs, or no model are no reason to guess."""
    specs = [
        known("a", "H100 SXM"),
        known("b", "H100 NVL"),
        known("c", "RTX 4090"),
        known("d", "RTX 4090", 2),
    ]
    found = [fitting_spec(one, specs) for one in (wish("H100"), wish("H100 NVL"), wish("RTX 4090"), wish())]
    assert [spec and spec.spec.name for spec in found] == [None, "b", "c", None]
    assert fitting_spec(wish("RTX 4090", count=4), specs) is None
    chosen = fitting_spec(wish("A100", "RTX 4090", count=2), specs)
    assert chosen is not None
    assert chosen.spec.name == "d"


def test_a_new_spec_refers_to_variables_that_nobody_has_set() -> None:
    name = new_spec_name(wish("H100"), {"h100-1gpu"})
    assert name == "h100-1gpu-2"
    assert new_spec_name(wish("???"), set()) == "any-1gpu"
    item = placeholder("h100-1gpu", wish("H100 ${x}"))
    assert item["platforms"] == {
        "novita": {"productId": "${env:H100_1GPU_PRODUCT_ID}", "region": "${env:H100_1GPU_REGION}"}
    }
    assert item["resources"] == {"gpu": "1", "gpuType": "H100 $${x}", "ephemeralStorage": "100"}


def test_a_spec_of_another_platform_gets_what_novita_needs() -> None:
    data = {"name": "s", "resources": {"ephemeralStorage": "200Gi"}, "platforms": {"kubernetes": {"a": 1}}}
    spec, is_placeholder = completed(data)
    assert is_placeholder
    assert spec["resources"] == {"gpu": "1", "ephemeralStorage": "200"}
    assert spec["platforms"]["kubernetes"] == {"a": 1}
    assert spec["platforms"]["novita"]["region"] == "${env:S_REGION}"
    complete = {"novita": {"productId": "p", "region": "r"}}
    assert not completed({"name": "s", "platforms": complete})[1]
