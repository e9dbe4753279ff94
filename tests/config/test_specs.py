"""specs.yaml: specs that endpoints can use, and requirements of used specs."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.config.loader import load, load_specs
from reconciler.config.references.resolver import Resolver
from reconciler.config.settings import load_settings
from reconciler.config.specs import spec_info, usable_spec
from reconciler.model.resource import Spec

from .support import codes, loaded, problem_lines, write

SEED = """\
specs:
  # Novita 5090 Single GPU
  - name: "novita-5090-single"
    displayName: "Novita 5090 1x GPU"
    category: "gpu"
    resourceType: "serverless"
    resources:
      gpu: "1"
      gpuType: "NVIDIA GeForce RTX 5090"
      cpu: "12"
      memory: "50"
      ephemeralStorage: "100"  # Rootfs size in GB
    platforms:
      novita:
        productId: "SL-serverless-3"  # Get from Novita Console
        region: "us-dallas-nas-2"     # Region/cluster ID
        cudaVersion: "any"             # Optional: CUDA version

  # Novita 4090 Single GPU
  - name: "novita-4090-single"
    displayName: "Novita 4090 1x GPU"
    category: "gpu"
    resourceType: "serverless"
    resources:
      gpu: "1"
      gpuType: "NVIDIA GeForce RTX 4090"
      cpu: "8"
      memory: "32"
      ephemeralStorage: "50"
    platforms:
      novita:
        productId: "1"  # Replace with actual Novita product ID
        region: "us-dallas-nas-2"
        cudaVersion: "any"
"""


def use(root: Path, spec: str, name: str = "x", **environ: str) -> list[str]:
    """Return the problems of an endpoint that uses a spec."""
    files = {
        "specs.yaml": spec,
        "endpoints.yaml": f"endpoints: [{{endpoint: a, specName: {name}, image: i:1}}]",
    }
    return problem_lines(loaded(root, files, environ=environ).problems)


def test_the_documented_specs_yaml(tmp_path: Path) -> None:
    """The documented specs.yaml has two usable specs."""
    write(tmp_path, {"specs.yaml": SEED})
    settings, _ = load_settings(tmp_path, environ={})
    result = load_specs(tmp_path, settings)
    specs = result.entries
    assert (result.problems, result.file, list(specs)) == (
        (),
        "specs.yaml",
        ["novita-5090-single", "novita-4090-single"],
    )
    assert usable_spec(specs["novita-4090-single"], Resolver(tmp_path, {})) == (
        Spec(
            name="novita-4090-single",
            product_id="1",
            region="us-dallas-nas-2",
            gpu=1,
            rootfs_gb=50,
            cuda_version="any",
        ),
        (),
    )


SIZE = "resources: {gpu: 1, ephemeralStorage: 50}\n  "
GOOD = "platforms: {novita: {productId: p, region: r}}"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("resources: {gpu: 2, ephemeralStorage: 50}\n  " + GOOD, ""),
        ("resources: {gpu: '1', ephemeralStorage: '100Gi'}\n  " + GOOD, "3:43 bad-rootfs-size"),
        ("resources: {gpu: '1', ephemeralStorage: 100GB}\n  " + GOOD, "3:43 bad-rootfs-size"),
        ("resources: {gpu: '1', ephemeralStorage: 1.5}\n  " + GOOD, "3:43 bad-rootfs-size"),
        ("resources: {gpu: '1', ephemeralStorage: 0}\n  " + GOOD, "3:43 bad-rootfs-size"),
        ("resources: {gpu: '1'}\n  " + GOOD, "2:9 bad-rootfs-size"),
        ("resources: {gpu: '1', ephemeralStorage: 0100}\n  " + GOOD, "3:43 ambiguous-value"),
        ("resources: {ephemeralStorage: 50}\n  " + GOOD, "2:9 bad-gpu"),
        ("resources: {gpu: two, ephemeralStorage: 50}\n  " + GOOD, "3:20 bad-gpu"),
        ("resources: {gpu: 0, ephemeralStorage: 50}\n  " + GOOD, "3:20 bad-gpu"),
        ("resources: {gpu: yes, ephemeralStorage: 50}\n  " + GOOD, "3:20 not-text"),
        ("resources: {gpu: 1, ephemeralStorage: 50}", "2:9 no-product-id"),
        (SIZE + "platforms: {k8s: {node: 1:30}}", "2:9 no-product-id"),
        (SIZE + "platforms: {novita: {region: r}}", "4:23 no-product-id"),
        (SIZE + "platforms: {novita: {productId: p}}", "4:23 no-region"),
        (SIZE + "platforms: {novita: {productId: true, region: r}}", "4:35 not-text"),
        (SIZE + "platforms: {novita: {productID: p, region: r}}", "4:24 unknown-key"),
        ("extra: {anything: 1}\n  resources: {gpu: 1, ephemeralStorage: 50, tpu: 1}\n  " + GOOD, ""),
    ],
)  # fmt: skip
def test_a_used_spec(tmp_path: Path, body: str, expected: str) -> None:
    """Missing values of a used spec are reported at their place; other platforms and keys are ignored."""
    result = use(tmp_path, f"specs:\n- name: x\n  {body}\n")
    assert [line.split(" |")[0] for line in result] == ([f"specs.yaml:{expected}"] if expected else [])


def test_d3_numbers_are_taken_as_they_are_written(tmp_path: Path) -> None:
    """As the original loader does. A number that other programs read otherwise is a warning."""
    text = (
        f"specs:\n- name: x\n  {SIZE}platforms: {{novita: {{productId: 1, region: r, cudaVersion: 12.4}}}}\n"
    )
    files = {"specs.yaml": text, "endpoints.yaml": "endpoints: [{endpoint: a, specName: x, image: 'i:1'}]"}
    found = loaded(tmp_path, files)
    assert found.problems == ()
    fields = found.desired[0].fields
    assert (fields["products"], fields["workerConfig"]["cudaVersion"]) == ([{"id": "1"}], "12.4")
    bent = {**files, "specs.yaml": text.replace("productId: 1", "productId: 1e3").replace("12.4", "12.10")}
    found = loaded(tmp_path, bent)
    fields = found.desired[0].fields
    assert (fields["products"], fields["workerConfig"]["cudaVersion"]) == ([{"id": "1e3"}], "12.10")
    assert [(problem.severity, problem.hint) for problem in found.problems] == [
        ("warning", 'write `productId: "1e3"`'),
        ("warning", 'write `cudaVersion: "12.10"`'),
    ]
    assert "taken as written, 12.10, not as 12.1" in found.problems[1].summary
    resolver = Resolver(tmp_path, {})
    info = spec_info(found.specs.entries["x"], resolver)
    assert (info.product_id, info.cuda_version) == ("1e3", "12.10")


def test_the_documented_messages(tmp_path: Path) -> None:
    """Both documented errors have their exact messages and hints."""
    text = "specs:\n- name: x\n  resources: {gpu: 1, ephemeralStorage: 100Gi}\n"
    files = {"specs.yaml": text, "endpoints.yaml": "endpoints: [{endpoint: a, specName: x, image: i:1}]"}
    product, rootfs = loaded(tmp_path, files).problems
    assert product.summary == "no Novita product ID found for spec x"
    assert 'productId: "SL-serverless-3"  # Get from Novita Console' in product.hint
    assert rootfs.summary == "failed to parse rootfs size of spec x: `100Gi` is not a number of GB"
    assert "Use numeric value (GB) without unit" in rootfs.hint


def test_an_unused_spec_may_be_incomplete(tmp_path: Path) -> None:
    """Specs for other platforms are not validated unless an endpoint uses them."""
    both = SEED + "  - name: k8s-only\n    platforms: {k8s: {node: a}}\n"
    assert use(tmp_path, both, "novita-5090-single") == []
    assert use(tmp_path, both, "k8s-only")[0].startswith("specs.yaml:35:11 bad-gpu")


def test_unknown_specs(tmp_path: Path) -> None:
    """The hint has the closest name and the list, or says how to create specs.yaml."""
    assert use(tmp_path, SEED, "novita-5090-singel") == [
        "endpoints.yaml:1:37 unknown-spec | did you mean `novita-5090-single`? "
        "known specs: novita-5090-single, novita-4090-single"
    ]
    assert use(tmp_path, "specs: []", "zzz") == ["endpoints.yaml:1:37 unknown-spec | known specs: none"]
    (tmp_path / "specs.yaml").unlink()
    (problem,) = load(tmp_path, environ={}).problems
    assert "there is no specs.yaml" in problem.summary


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("specs:\n- {name: x}\n- {name: x}\n", "specs.yaml:3:10 duplicate-spec"),
        ("specs:\n- {nam: x}\n", "specs.yaml:2:3 missing-key"),
        ("specs:\n- 5\n", "specs.yaml:2:3 wrong-type"),
        ("specs: {x: {}}\n", "specs.yaml:1:8 wrong-type"),
        ("- x\n", "specs.yaml:1:1 wrong-type"),
        ("specs: [", "specs.yaml:1:8 invalid-yaml"),
    ],
)
def test_errors_of_the_file(tmp_path: Path, text: str, expected: str) -> None:
    """Errors of the file are reported even if no spec is used."""
    result = loaded(tmp_path, {"specs.yaml": text, "endpoints.yaml": "endpoints: []"})
    assert [line.split(" |")[0] for line in problem_lines(result.problems)] == [expected]


@pytest.mark.parametrize("text", ["", "specs:\n", "other: 1\n"])
def test_files_without_specs(tmp_path: Path, text: str) -> None:
    """An empty specs.yaml has no specs."""
    assert loaded(tmp_path, {"specs.yaml": text, "endpoints.yaml": "endpoints: []"}).problems == ()


def test_references_in_specs(tmp_path: Path) -> None:
    """A used spec may have references; an unset one is reported once."""
    text = """\
specs:
- name: x
  resources: {gpu: "${env:GPU}", ephemeralStorage: "${env:DISK}"}
  platforms: {novita: {productId: "${env:PRODUCT}", region: r}}
"""
    assert use(tmp_path, text, GPU="2", DISK="50", PRODUCT="p") == []
    assert [line.split(" |")[0] for line in use(tmp_path, text, GPU="x")] == [
        "specs.yaml:3:20 bad-gpu",
        "specs.yaml:3:52 unset-reference",
        "specs.yaml:4:35 unset-reference",
    ]
    files = {"specs.yaml": text, "endpoints.yaml": "endpoints: [{endpoint: a, specName: x, image: i:1}]"}
    lenient = loaded(tmp_path, files, lenient=True)
    assert lenient.errors == ()
    assert lenient.desired[0].fields["products"] == [{"id": "${env:PRODUCT}"}]


@pytest.mark.parametrize(
    ("files", "file"),
    [
        (
            {"config.yaml": "novita: {config_dir: ./conf}", "conf/specs.yaml": "", "specs.yaml": ""},
            "conf/specs.yaml",
        ),
        (
            {"config.yaml": "novita: {config_dir: ./conf}", "specs.yaml": "", "config/specs.yaml": ""},
            "specs.yaml",
        ),
        ({"config/specs.yaml": ""}, "config/specs.yaml"),
        ({}, None),
    ],
)
def test_search_path_of_specs(tmp_path: Path, files: dict[str, str], file: str | None) -> None:
    """First in novita.config_dir, then in the root, then in config/."""
    write(tmp_path, files)
    settings, _ = load_settings(tmp_path, environ={})
    assert load_specs(tmp_path, settings).file == file


def test_a_spec_is_validated_once(tmp_path: Path) -> None:
    """Many endpoints that use a broken spec give one problem."""
    items = "".join(f"- {{endpoint: e{n}, specName: x, image: i:1}}\n" for n in range(5))
    files = {
        "specs.yaml": "specs: [{name: x, resources: {gpu: 1, ephemeralStorage: 1}}]",
        "endpoints.yaml": "endpoints:\n" + items,
    }
    assert codes(loaded(tmp_path, files).problems) == ["no-product-id"]
