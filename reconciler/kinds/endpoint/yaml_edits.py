"""The edits of an endpoint's YAML that make it say what is live, and why some must not be made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from reconciler.kinds.endpoint.fields import AUTH, TABLE
from reconciler.kinds.endpoint.from_yaml import policy_of, suggested_app_name, workers_of
from reconciler.kinds.endpoint.to_yaml import (
    is_app_name,
    port_of,
    shape_of,
    spec_of,
    storage_of,
)
from reconciler.kinds.fields import value_of
from reconciler.kinds.variable_names import reference_to, variable_for
from reconciler.model.command import Operand, command_line
from reconciler.model.encoding import json_line
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem
from reconciler.model.resource import Spec, address
from reconciler.model.secrets import Secret
from reconciler.model.values import Fields, Path, escaped, is_plain_data
from reconciler.yamlfile.edits import Edit, Remove, Set

_Outcome: TypeAlias = tuple[Edit, ...] | Problem

_RANGE: Final = ("minReplicas", "maxReplicas")


def edits_for(
    declared: Mapping[str, Any],
    paths: Iterable[Path],
    live: Fields,
    *,
    beneath: Mapping[str, Any] | None = None,
    specs: Sequence[Spec] = (),
    from_history: bool = False,
) -> tuple[tuple[Edit, ...], tuple[Problem, ...]]:
    """Return (edits of the item, a problem for each field that must not be edited).

    declared: the item merged over its defaults and overlays, with references as they are written.
    paths: the wire paths that differ, as in the fields of a plan.
    live: all live fields; a value that is wrapped as a secret is never written.
    beneath: the mapping under the edited item, such as `defaults`.
    specs: the usable specs, best first.
    from_history: `live` is a version of the history: secrets have their references, which are written, and
    all other values were literals.

    The paths of the edits begin at the item. A value with a reference is never overwritten.
    """
    writer = _Writer(
        declared=declared, live=live, beneath=beneath or {}, specs=specs, from_history=from_history
    )
    edits: list[Edit] = []
    problems: list[Problem] = []
    for topic in dict.fromkeys(topic for path in paths for topic in writer.topics(path)):
        outcome = writer.outcome(*topic)
        if isinstance(outcome, Problem):
            problems.append(outcome)
        else:
            edits += outcome
    return tuple(edits), tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writer:
    """The declared and the live side of one endpoint."""

    declared: Mapping[str, Any]
    live: Fields
    beneath: Mapping[str, Any]
    specs: Sequence[Spec]
    from_history: bool = False

    def topics(self, path: Path) -> Iterator[tuple[str, str]]:
        """Yield (the YAML name that is edited for a path, the key of `env` or "")."""
        if path == ("envs",):
            keys = {**self.declared.get("env", {}), **self.live.get("envs", {})}
            yield from (("env", key) for key in sorted(keys))
        elif path[0] == "envs":
            yield "env", path[1]
        else:
            yield TABLE.topics[path if path in TABLE.topics else path[:1]], ""

    def outcome(self, topic: str, key: str) -> _Outcome:
        match topic:
            case "env":
                return self._env(key)
            case "endpoint":
                return self._name()
            case "replicas":
                return self._workers()
            case "policy":
                return self._policy()
            case "storage":
                return self._single("storage", storage_of(self.live))
            case "specName":
                return self._spec()
            case "imageAuthId" if "imageAuth" in self.declared:
                return self._credential()
            case "port":
                return self._single("port", port_of(self.live))
            case _:
                return self._plain(topic)

    def _plain(self, topic: str) -> _Outcome:
        """Return the edit of a field that has one path to itself, under the name by which it is declared."""
        row = next(row for row in TABLE.rows if TABLE.topics[row.path] == topic)
        name = next((name for name in row.names if name in self.declared), topic)
        return self._single(name, value_of(self.live, row.path))

    def _credential(self) -> _Outcome:
        """Return the edits that put the live ID in the place of the name of a credential."""
        remove = Remove(path=("imageAuth",))
        live = value_of(self.live, AUTH)
        return (remove, Set(path=("imageAuthId",), value=live)) if live else (remove,)

    def _single(self, name: str, value: Any) -> _Outcome:
        if _is_reference(self.declared.get(name)):
            return self._refers(name, self.declared[name], value)
        if self.from_history and isinstance(value, Secret) and value.is_referenced:
            return (Set(path=(name,), value=value.source),)
        if not is_plain_data(value):
            return self._problem(f"the live `{name}` may be a secret", "write it in the YAML as a reference")
        if value in ("", None, []):
            return self._dropped(name)
        return (Set(path=(name,), value=escaped(value)),)

    def _env(self, key: str) -> _Outcome:
        value = self.live.get("envs", {}).get(key)
        known = self.declared.get("env", {}).get(key)
        if value is None:
            return self._dropped("env", key)
        if _is_reference(known):
            return self._refers(f"env.{key}", known, None)
        text = value.value if isinstance(value, Secret) else value
        if self.from_history and isinstance(value, Secret) and value.is_referenced:
            value = value.source
        elif not text.strip():
            value = text  # a blank value is no secret, and a blank variable counts as unset
        elif isinstance(value, Secret) or (known is None and not self.from_history):
            value = reference_to(variable_for(self.declared["endpoint"], key))
        else:
            value = escaped(value)
        return (Set(path=("env", key), value=value),)

    def _name(self) -> _Outcome:
        old, new = self.declared["endpoint"], self.live["name"]
        edits = [Set(path=("endpoint",), value=new), Set(path=("renamedFrom",), value=old)]
        if "appName" not in self.declared and not is_app_name(new):
            app_name = self.live.get("appName") or suggested_app_name(new)
            edits.append(Set(path=("appName",), value=app_name))
        return tuple(edits)

    def _workers(self) -> _Outcome:
        before = dict(zip(_RANGE, workers_of(self.declared), strict=True))
        worker = self.live.get("workerConfig", {})
        after = {
            "minReplicas": worker.get("minNum", before["minReplicas"]),
            "maxReplicas": worker.get("maxNum", before["maxReplicas"]),
        }
        if self.declared.get("schedule"):
            return self._scheduled(*after.values())
        is_range = any(name in self.declared for name in _RANGE)
        for name in _RANGE if is_range else ("replicas",):
            if _is_reference(self.declared.get(name)):
                return self._refers(name, self.declared[name], after.get(name, after["maxReplicas"]))
        low, high = after.values()
        if low == high > 0 and not is_range:
            return (Set(path=("replicas",), value=low),)
        moved = [name for name in _RANGE if not is_range or after[name] != before[name]]
        edits = tuple(Set(path=(name,), value=after[name]) for name in moved)
        return (*edits, Remove(path=("replicas",))) if "replicas" in self.declared else edits

    def _scheduled(self, low: int, high: int) -> Problem:
        """Return the problem of worker counts that have to be written into a schedule."""
        counts = ("--min", str(low), "--max", str(high), "--for", "2h", "--why", "TEXT")
        lease = command_line("reconciler", "scale", Operand(self.declared["endpoint"]), *counts)
        return self._problem(
            "its schedule says the worker counts", f"edit `schedule`, or for a limited time: {lease}"
        )

    def _policy(self) -> _Outcome:
        before = policy_of(self.declared)
        after = {**before, **self.live.get("policy", {})}
        name = "policy" if "policy" in self.declared else "scaleUpThreshold"
        if _is_reference(self.declared.get(name)):
            return self._refers(name, before["value"], after["value"])
        if name == "policy":
            moved = [part for part in after if after[part] != before[part]]
            return tuple(Set(path=("policy", part), value=after[part]) for part in moved)
        if name in self.declared and after["type"] == "concurrency":
            return (Set(path=(name,), value=after["value"]),)
        return (Set(path=("policy",), value=after),)

    def _spec(self) -> _Outcome:
        fitting = spec_of(self.live, self.specs)
        if fitting is not None:
            return (Set(path=("specName",), value=fitting.name),)
        shape = shape_of(self.live)
        if shape is None:
            return self._problem("Novita does not report all that a spec says", "change it in the console")
        cuda = f", cudaVersion {shape.cuda_version}" if shape.cuda_version else ""
        return self._problem(
            f"no spec gives what is live: productId {shape.product_id}, region {shape.region}, "
            f"gpu {shape.gpu}, ephemeralStorage {shape.rootfs_gb}{cuda}",
            "add such a spec to specs.yaml, and try again",
        )

    def _dropped(self, *path: str) -> _Outcome:
        """Return the edit that removes a key, or sets it to null if `beneath` has it too."""
        below: Any = self.beneath
        for step in path:
            below = below.get(step) if isinstance(below, Mapping) else None
        return (Remove(path=path),) if below is None else (Set(path=path, value=None),)

    def _refers(self, name: str, text: Any, value: Any) -> Problem:
        """Return the problem of a reference. `value` is the live value, None if it must not be shown."""
        reference = text if isinstance(text, str) else "a reference"
        secret = value is None or isinstance(value, Secret) or name in ("command", "storage")
        what = "what is live" if secret else json_line(value)
        return self._problem(
            f"`{name}` is {reference}, and references are not overwritten", f"let it say {what}"
        )

    def _problem(self, summary: str, hint: str) -> Problem:
        name = self.declared["endpoint"]
        return Problem(code="cannot-accept", summary=f"`{name}`: {summary}", hint=hint, address=address(name))


def _is_reference(value: Any) -> bool:
    """Return True if a declared value contains a reference."""
    match value:
        case str():
            return "${" in value.replace("$${", "")
        case Mapping():
            return any(map(_is_reference, value.values()))
        case list():
            return any(map(_is_reference, value))
        case _:
            return False
