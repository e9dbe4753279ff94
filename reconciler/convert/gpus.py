"""Which GPU spec of the folder fits a GPU that a source names, and a new spec if none does.

The name of a GPU does not tell Novita's product. A new spec therefore refers to variables: it is valid, and
a plan refuses it until somebody chose a product.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from itertools import chain, count
from typing import Any, Final

from reconciler.convert.candidates import GpuWish
from reconciler.convert.values import gigabytes_of
from reconciler.kinds.variable_names import prefixed, reference_to
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.resource import Spec
from reconciler.model.values import escaped

DEFAULT_DISK_GB: Final = 100
"""GB of the disk of a worker, if the source does not say. Source: `rootfsSize` in Novita's documentation."""

_WORD: Final = re.compile(r"[A-Z]+(?=[0-9]{3,})|[0-9]+\s?GB|[A-Z0-9]+")
_NOISE: Final = frozenset({"NVIDIA", "GEFORCE", "TESLA", "QUADRO", "RTX", "GPU", "GTX"})
_VARIANT: Final = re.compile(r"PCIE|SXM[0-9]*|NVL|HBM[0-9]E?|[0-9]+GB|HBM[0-9]|EDITION|SERVER|GENERATION")
"""Words in which specs may differ from a source that names only the model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSpec:
    """A usable spec of the folder. model: its `resources.gpuType`, "" if it does not say."""

    spec: Spec
    model: str


def fitting_spec(wish: GpuWish, specs: Iterable[KnownSpec]) -> KnownSpec | None:
    """Return the one spec that has the GPUs of a wish; None if none has, or several have."""
    found = [
        spec
        for spec in specs
        if spec.spec.gpu == wish.count and any(is_same_model(model, spec.model) for model in wish.models)
    ]
    return found[0] if len(found) == 1 else None


def is_same_model(wanted: str, offered: str) -> bool:
    """Return True if a GPU by the name `offered` is a `wanted` one: RTX 4090 and NVIDIA GeForce RTX 4090.

    A form factor and a memory size that only one of the names has do not count; two that differ do.
    """
    mine, theirs = _words(wanted), _words(offered)
    if not mine or not theirs:
        return False
    variants = {word for word in mine | theirs if _VARIANT.fullmatch(word)}
    if mine - variants != theirs - variants or not mine - variants:
        return False
    return mine & variants <= theirs or theirs & variants <= mine


def _words(name: str) -> set[str]:
    return {word.replace(" ", "") for word in _WORD.findall(name.upper())} - _NOISE


def new_spec_name(wish: GpuWish, used: Collection[str]) -> str:
    """Return a free name such as `h100-1gpu`."""
    model = re.sub(r"[^a-z0-9]+", "-", (wish.models[0] if wish.models else "any").lower()).strip("-")
    name = f"{model[:40] or 'any'}-{wish.count}gpu"
    return next(free for free in chain((name,), (f"{name}-{n}" for n in count(2))) if free not in used)


def spec_variables(name: str) -> tuple[str, str]:
    """Return the variables for the product and for the region of a new spec."""
    return prefixed(name, "PRODUCT_ID"), prefixed(name, "REGION")


def completed(data: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """Return a spec with what Novita needs of it, and True if its product is yet to be chosen."""
    name, resources, platforms = str(data["name"]), data.get("resources"), data.get("platforms")
    resources = dict(resources) if isinstance(resources, Mapping) else {}
    platforms = dict(platforms) if isinstance(platforms, Mapping) else {}
    disk = gigabytes_of(resources.get("ephemeralStorage") or DEFAULT_DISK_GB) or DEFAULT_DISK_GB
    gpus = str(resources.get("gpu") or "1").strip()
    resources |= {
        "gpu": gpus if re.fullmatch("[1-9][0-9]{0,8}", gpus) else "1",
        "ephemeralStorage": str(disk),
    }
    novita = platforms.get("novita")
    is_complete = isinstance(novita, Mapping) and bool(novita.get("productId") and novita.get("region"))
    if not is_complete:
        platforms["novita"] = _unchosen(name)
    return {**data, "resources": resources, "platforms": platforms}, not is_complete


def placeholder(name: str, wish: GpuWish | None) -> Mapping[str, Any]:
    """Return the item of a spec whose product is yet to be chosen. Without `wish` only its name is known."""
    models = escaped(" or ".join(wish.models)) if wish else ""
    return {
        "name": name,
        "displayName": f"{models or 'GPU'} (choose a product)",
        "category": "gpu",
        "resourceType": "serverless",
        "resources": {
            "gpu": str(wish.count if wish else 1),
            **({"gpuType": models} if models else {}),
            "ephemeralStorage": str((wish and wish.disk_gb) or DEFAULT_DISK_GB),
        },
        "platforms": {"novita": _unchosen(name)},
    }


def _unchosen(name: str) -> dict[str, str]:
    """Return what a spec has for Novita until its product is chosen."""
    product, region = spec_variables(name)
    return {"productId": reference_to(product), "region": reference_to(region)}
