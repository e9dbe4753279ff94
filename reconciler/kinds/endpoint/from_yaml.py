"""The mapping of a declared item to normal form.

An item is merged, valid by its schema, and its references are resolved. Rules about two fields are here, and
the problems of fields that Novita does not have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import replace
from functools import partial
from typing import Any, Final

from reconciler.kinds.base import Locate
from reconciler.kinds.endpoint.fields import (
    CREDENTIAL,
    DEFAULT_MAX,
    DEFAULT_MIN,
    DEFAULT_POLICY,
    DEFAULT_PORT,
    DEFAULT_REPLICAS,
    FREE_TIMEOUT,
    REQUEST_TIMEOUT,
    TABLE,
    UNSUPPORTED,
)
from reconciler.kinds.endpoint.images import image_problems
from reconciler.kinds.lifecycle import lifecycle_of
from reconciler.model.problem import Place, Problem, Severity
from reconciler.model.resource import REGISTRY, STORAGE, Desired, Spec, address
from reconciler.model.sync.schedule import Schedule
from reconciler.model.values import Path, Reference

APP_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?\Z")
APP_NAME_MAX: Final = 46

_CREDENTIALS_IN_ORDER: Final = ("imageAuth", "imageAuthId", CREDENTIAL)

_CREDENTIALS: Final = frozenset(_CREDENTIALS_IN_ORDER)

_DEFAULTED: Final = (REQUEST_TIMEOUT,)

_WITH_PRECEDENCE: Final = frozenset(
    {
        "replicas",
        "minReplicas",
        "maxReplicas",
        "policy",
        "scaleUpThreshold",
        *TABLE.by_path[FREE_TIMEOUT].names,
    }
)
"""Names of which one may win over another."""

_WITH_PROBLEMS: Final = frozenset(
    {*UNSUPPORTED, "replicas", "taskTimeout", "scaleDownIdleTime", "scaleUpThreshold"}
)
"""Names that some problem is about: without them, nothing is refused, never sent, or overridden."""


_WITH_SCHEDULE: Final = frozenset({"schedule", "lifecycle", "replicas", "minReplicas", "maxReplicas"})
"""Names of which the problems of a schedule are about."""


def desired_endpoint(
    declared: Mapping[str, Any], spec: Spec | None, locate: Locate, doubtful: Set[str] = frozenset()
) -> tuple[Desired | None, tuple[Problem, ...]]:
    """Return the desired endpoint and the problems of its item.

    `spec` is None if the named one cannot be used, which is reported elsewhere. The endpoint is None if any
    problem is an error. `doubtful` are fields whose values are unknown after earlier problems; no problem
    follows from them.
    """
    problems = [
        *_worker_problems(declared, locate, doubtful),
        *_app_name_problems(declared, locate, doubtful),
        *_mount_problems(declared, locate),
        *(() if "image" in doubtful else image_problems(declared, locate)),
    ]
    if not _CREDENTIALS.isdisjoint(declared):
        problems += _credential_problems(declared, locate)
    has_probe = declared.get("probe") is not None
    if has_probe:
        from reconciler.kinds.endpoint.probe import probe_of, probe_problems

        problems += probe_problems(declared, locate)
    if not _WITH_PROBLEMS.isdisjoint(declared):
        from reconciler.kinds.endpoint.waverless_fields import unsupported_field_problems

        problems += unsupported_field_problems(declared, spec, locate)
        if doubtful.isdisjoint(_WITH_PRECEDENCE):
            problems += _precedence_notes(declared, locate)
    sync: Mapping[str, Any] = {}
    if declared.get("sync") and "sync" not in doubtful:
        from reconciler.kinds.sync_policy import sync_of

        sync, faults = sync_of(declared["sync"], lambda path: locate(("sync", *path)))
        problems += faults
    lifecycle, unknown = lifecycle_of(declared, TABLE, locate, what="an endpoint")
    problems += unknown
    schedule: tuple[Schedule, ...] = ()
    if declared.get("schedule") and doubtful.isdisjoint(_WITH_SCHEDULE):
        from reconciler.kinds.schedule import schedule_of

        schedule, faults = schedule_of(declared, lifecycle, TABLE.scaling, locate)
        problems += faults
    if "endpoint" not in declared:
        return None, tuple(problems)
    addressed = tuple(replace(problem, address=address(declared["endpoint"])) for problem in problems)
    if spec is None or any(problem.is_error for problem in addressed):
        return None, addressed
    mounts = tuple(mount["mountPath"] for mount in declared.get("storage", ()))
    desired = Desired(
        name=declared["endpoint"],
        app_name=declared.get("appName", declared["endpoint"]),
        fields=_fields(declared, spec),
        lifecycle=lifecycle,
        renamed_from=declared.get("renamedFrom"),
        find_place=partial(_place_of, tuple(declared), mounts, locate),
        spec_name=spec.name,
        probe=probe_of(declared) if has_probe else None,
        prewarm=declared.get("prewarm") is True,
        defaulted=() if "requestTimeout" in declared else _DEFAULTED,
        sync=sync,
        schedule=schedule,
    )
    return desired, addressed


def _place_of(names: tuple[str, ...], mounts: tuple[str, ...], locate: Locate, path: Path) -> Place | None:
    """Return the place of the field at a wire path; that of the name if a default sets it.

    `names` are the declared names, `mounts` the declared mount paths. The item itself is not kept, because
    ten thousand of them take 20 MB.
    """
    below = _declared_path(names, mounts, path)
    named = (*below[:-1], "name") if below[-1:] == ("id",) else below  # a storage has either of them
    return (below and (locate(below) or locate(named) or locate(below[:1]))) or locate(("endpoint",))


def _declared_path(declared: tuple[str, ...], mounts: tuple[str, ...], path: Path) -> Path:
    """Return the path of a field in its item; () if it is not declared."""
    if path in TABLE.scaling and "schedule" in declared:
        return ("schedule",)
    head, rest = path[:1], path[1:]
    rows = [TABLE.by_path[at] for at in (path, head) if at in TABLE.by_path]
    names = (TABLE.label(path), *(name for row in rows for name in row.names))
    name = next((name for name in names if name in declared), "")
    if name == "storage" and rest:
        rest = (str(mounts.index(rest[0])), *(rows[-1].item_names.get(key, key) for key in rest[1:]))
    return (name, *rest) if name else ()


def _fields(declared: Mapping[str, Any], spec: Spec) -> dict[str, Any]:
    plain = TABLE.plain_objects(declared)
    low, high = workers_of(declared)
    worker = {"minNum": low, "maxNum": high, **plain["workerConfig"], "gpuNum": spec.gpu}
    if spec.cuda_version:
        worker["cudaVersion"] = spec.cuda_version
    if (name := _credential_name(declared)) is not None:
        plain["image"]["authId"] = Reference(REGISTRY, name)
    fields: dict[str, Any] = {"name": declared["endpoint"]}
    if "appName" in declared:
        fields["appName"] = declared["appName"]
    return fields | {
        "workerConfig": TABLE.in_order("workerConfig", worker),
        "ports": [{"port": declared.get("port", DEFAULT_PORT)}],
        "policy": policy_of(declared),
        "image": plain["image"],
        "products": [{"id": spec.product_id}],
        "rootfsSize": spec.rootfs_gb,
        "volumeMounts": {mount["mountPath"]: _mount(mount) for mount in declared.get("storage", ())},
        "clusterID": spec.region,
        "envs": dict(sorted(declared.get("env", {}).items())),
        "healthy": plain["healthy"],
    }


def _credential_name(declared: Mapping[str, Any]) -> str | None:
    """Return the name of the registry credential that the item refers to, if it does not have its ID."""
    if "imageAuth" in declared or not declared.get(CREDENTIAL):
        return declared.get("imageAuth")
    from reconciler.kinds.endpoint.waverless_credential import credential_item

    credential = credential_item(declared)
    return credential["name"] if credential else None


def _credential_problems(declared: Mapping[str, Any], locate: Locate) -> Iterator[Problem]:
    from reconciler.kinds.endpoint.waverless_credential import credential_problems

    yield from credential_problems(declared, locate)
    first, *others = [name for name in _CREDENTIALS_IN_ORDER if declared.get(name)] or [""]
    for other in others:
        place = locate((other,))
        yield Problem(
            code="two-credentials",
            summary=f"`{first}` and `{other}` both say with which credential the image is pulled",
            hint=f"keep `{first}` and remove `{other}`; in an overlay, `{other}: null` removes it",
            place=place and replace(place, text=""),  # the line may hold a password
        )


def workers_of(declared: Mapping[str, Any]) -> tuple[int, int]:
    """Return the minimum and the maximum of workers, by whichever names they are declared."""
    if "minReplicas" in declared or "maxReplicas" in declared:
        return declared.get("minReplicas", DEFAULT_MIN), declared.get("maxReplicas", DEFAULT_MAX)
    replicas = declared.get("replicas", DEFAULT_REPLICAS)
    return replicas, replicas


def policy_of(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return the scaling policy, by whichever name it is declared."""
    if "policy" in declared:
        return {"type": declared["policy"]["type"], "value": declared["policy"]["value"]}
    if "scaleUpThreshold" in declared:
        return {"type": "concurrency", "value": declared["scaleUpThreshold"]}
    return dict(DEFAULT_POLICY)


def _mount(mount: Mapping[str, Any]) -> dict[str, Any]:
    volume = {"type": mount["type"]}
    if "id" in mount:
        volume["id"] = mount["id"]
    elif "name" in mount:
        volume["id"] = Reference(STORAGE, mount["name"])
    if "sizeGb" in mount:
        volume["size"] = mount["sizeGb"]
    return volume


def _worker_problems(declared: Mapping[str, Any], locate: Locate, doubtful: Set[str]) -> Iterator[Problem]:
    if declared.get("replicas") == 0:
        yield Problem(
            code="replicas-zero",
            summary="`replicas: 0` would leave no worker that could ever start",
            hint="to scale to zero when idle, write `minReplicas: 0` and `maxReplicas: N`",
            place=locate(("replicas",)),
        )
    if not doubtful.isdisjoint(("minReplicas", "maxReplicas")):
        return
    low, high = workers_of(declared)
    if isinstance(low, int) and isinstance(high, int) and low > high:
        has_maximum = "maxReplicas" in declared
        yield Problem(
            code="min-above-max",
            summary=f"minReplicas {low} is above maxReplicas {high}"
            + ("" if has_maximum else ", the default once either is declared"),
            hint=f"raise `maxReplicas` to at least {low}, or lower `minReplicas`",
            place=locate(("minReplicas",)),
        )


def _precedence_notes(declared: Mapping[str, Any], locate: Locate) -> Iterator[Problem]:
    ranges = [name for name in ("minReplicas", "maxReplicas") if name in declared]
    if ranges and "replicas" in declared:
        low, high = workers_of(declared)
        yield _precedence(ranges[0], "replicas", f"workers: {low} to {high}", locate)
    timeouts = [name for name in TABLE.by_path[FREE_TIMEOUT].names if name in declared]
    for loser in timeouts[1:]:
        yield _precedence(timeouts[0], loser, f"idle timeout: {declared[timeouts[0]]} s", locate)
    if "policy" in declared and "scaleUpThreshold" in declared:
        policy = declared["policy"]
        yield _precedence("policy", "scaleUpThreshold", f"policy: {policy['type']} {policy['value']}", locate)


def _precedence(winner: str, loser: str, outcome: str, locate: Locate) -> Problem:
    return Problem(
        code="precedence",
        severity=Severity.NOTE,
        summary=f"`{winner}` wins over `{loser}` ({outcome})",
        hint=f"remove `{loser}`",
        place=locate((loser,)),
    )


def _app_name_problems(declared: Mapping[str, Any], locate: Locate, doubtful: Set[str]) -> Iterator[Problem]:
    if "endpoint" in doubtful:
        return
    name = declared["endpoint"]
    if not name.isprintable():
        yield Problem(
            code="bad-format",
            summary="the endpoint's name contains invisible characters",
            hint=f"it is {name!a}; remove them",
            place=locate(("endpoint",)),
        )
    if "appName" in declared or "appName" in doubtful or (len(name) <= APP_NAME_MAX and APP_NAME.match(name)):
        return
    why = (
        f"it is longer than {APP_NAME_MAX} characters"
        if len(name) > APP_NAME_MAX
        else "it must be lower-case letters, digits and inner hyphens"
    )
    yield Problem(
        code="app-name",
        summary=f"`{name}` cannot be the appName in the endpoint's URL: {why}",
        hint=f"add `appName: {suggested_app_name(name)}` (it is fixed for the endpoint's life)",
        place=locate(("endpoint",)),
    )


def shared_app_names(desired: Iterable[Desired]) -> Iterator[Problem]:
    """Yield an error for each app name of two endpoints; Novita would refuse the second."""
    owners: dict[str, Desired] = {}
    for endpoint in desired:
        owner = owners.setdefault(endpoint.app_name, endpoint)
        if owner is not endpoint:
            yield Problem(
                code="shared-app-name",
                summary=f"`{owner.name}` and `{endpoint.name}` would both have the appName "
                f"`{endpoint.app_name}`",
                hint="give one of them another `appName`",
                address=endpoint.address,
                place=endpoint.place,
            )


def suggested_app_name(name: str) -> str:
    """Return the nearest DNS label of at most 46 characters."""
    label = re.sub(r"[^a-z0-9]+", "-", name.lower())[:APP_NAME_MAX].strip("-")
    return label or "my-endpoint"


def _mount_problems(declared: Mapping[str, Any], locate: Locate) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, mount in enumerate(declared.get("storage", ())):
        path = mount.get("mountPath") if isinstance(mount, Mapping) else None
        if path is None:
            continue
        if mount.get("type") == "local" and "name" in mount:
            yield Problem(
                code="conflicting-keys",
                summary=f"`{path}` is a local volume, and `name` is that of a network storage",
                hint="write `type: network`, or remove `name`",
                place=locate(("storage", str(index), "name")),
            )
        if path in seen:
            yield Problem(
                code="duplicate-mount",
                summary=f"`{path}` is mounted twice",
                hint="give each entry of `storage` a `mountPath` of its own",
                place=locate(("storage", str(index), "mountPath")),
            )
        seen.add(path)
