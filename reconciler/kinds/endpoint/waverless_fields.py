"""Fields of Waverless deploy requests that Novita does not have: never sent, refused, or checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from reconciler.kinds.base import Locate
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Spec
from reconciler.model.text import quantity

NEVER_SENT: Final[Mapping[str, str]] = {
    "maxPendingTasks": "`policy: {type: concurrency, value: N}` scales up on N waiting requests",
    "scaleUpCooldown": "",
    "scaleDownCooldown": "`freeTimeout` says how long a worker stays idle before it goes",
    "priority": "",
    "enableDynamicPrio": "",
    "highLoadThreshold": "`policy: {type: concurrency, value: N}` scales up on N waiting requests",
    "priorityBoost": "",
    "labels": "",
    "imagePrefix": "",
    "validateImage": "",
}

REFUSED: Final[Mapping[str, tuple[str, str]]] = {
    "volumeMounts": (
        "PVC volume mounts are not supported (Novita uses network storage)",
        "declare `storage: [{type: network, id: STORAGE_ID, mountPath: /network}]` instead",
    ),
    "shmSize": (
        "Shared memory size configuration not applicable to Novita",
        "remove `shmSize`; workers get the shared memory of their product",
    ),
    "enablePtrace": ("Ptrace capability not applicable to Novita", "remove `enablePtrace`"),
}


def unsupported_field_problems(
    declared: Mapping[str, Any], spec: Spec | None, locate: Locate
) -> Iterator[Problem]:
    """Yield an error for each refused field and a wrong GPU count, and a warning about fields never sent."""
    yield from _refused(declared, locate)
    yield from _never_sent(declared, locate)
    yield from _gpu_count_problems(declared, spec, locate)


def _refused(declared: Mapping[str, Any], locate: Locate) -> Iterator[Problem]:
    for name, (summary, hint) in REFUSED.items():
        # the seed's own clients send these with empty values when they are unset
        if declared.get(name) not in (None, "", False, [], {}):
            yield Problem(code="unsupported-field", summary=summary, hint=hint, place=locate((name,)))


def _never_sent(declared: Mapping[str, Any], locate: Locate) -> Iterator[Problem]:
    names = [name for name in NEVER_SENT if declared.get(name) not in (None, "", {})]
    if not names:
        return
    instead = tuple(dict.fromkeys(NEVER_SENT[name] for name in names if NEVER_SENT[name]))
    yield Problem(
        code="never-sent",
        severity=Severity.WARNING,
        summary=f"Novita has no {_listed(names)}; accepted and never sent",
        hint="; ".join(instead),
        place=locate((names[0],)),
    )


def _gpu_count_problems(declared: Mapping[str, Any], spec: Spec | None, locate: Locate) -> Iterator[Problem]:
    count = declared.get("gpuCount")
    if spec is None or not isinstance(count, int) or count in (0, spec.gpu):
        return
    yield Problem(
        code="gpu-count",
        summary=f"`gpuCount` is {count}, and a worker of `{spec.name}` has {quantity(spec.gpu, 'GPU')}",
        hint=f'name a spec with `gpu: "{count}"` in specs.yaml, or remove `gpuCount`',
        place=locate(("gpuCount",)),
    )


def _listed(names: list[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + f" or {quoted[-1]}"
