"""What specs.yaml says of a spec, for people; and why no endpoint can use it, if none can."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.config.references.resolver import Resolver
from reconciler.config.specs import SpecEntry, usable_spec
from reconciler.model.status import SpecInfo


def spec_info(entry: SpecEntry, resolver: Resolver) -> SpecInfo:
    """The spec with its references replaced; one that is unset stands as it was written, a secret masked."""

    def text(*path: str) -> str:
        value: object = entry.data
        for step in path:
            value = value.get(step) if isinstance(value, Mapping) else None
        return "" if value is None else resolver.resolve(str(value)).shown.strip()

    spec, problems = usable_spec(entry, resolver)
    unusable_reasons = [problem.summary for problem in problems if problem.is_error]
    if spec is None and not unusable_reasons:
        unusable_reasons = ["it is not written as a spec must be; see reconciler validate"]
    return SpecInfo(
        name=entry.name,
        display_name=text("displayName"),
        category=text("category"),
        resource_type=text("resourceType"),
        gpu=text("resources", "gpu"),
        gpu_type=text("resources", "gpuType"),
        cpu=text("resources", "cpu"),
        memory=text("resources", "memory"),
        ephemeral_storage=text("resources", "ephemeralStorage"),
        product_id=text("platforms", "novita", "productId"),
        region=text("platforms", "novita", "region"),
        cuda_version=text("platforms", "novita", "cudaVersion"),
        unusable_reasons=tuple(unusable_reasons),
    )
