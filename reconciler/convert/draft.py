"""The YAML of all that was converted: names, specs and variables, and the checks of each value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field as with_default
from dataclasses import replace
from typing import Any, Protocol, TypeAlias

from reconciler.convert.candidates import Candidate, GpuWish, Outside, Parts, SpecItem
from reconciler.convert.gpus import (
    KnownSpec,
    completed,
    fitting_spec,
    new_spec_name,
    placeholder,
    spec_variables,
)
from reconciler.convert.notes import Note, Outcome
from reconciler.convert.source import Found
from reconciler.convert.variables import (
    COMMAND,
    PASSWORD,
    Variables,
    outside_variable,
    tell_credentials_apart,
)
from reconciler.kinds.draft import Variable
from reconciler.kinds.registry import KINDS
from reconciler.kinds.secret_text import holds_credential
from reconciler.kinds.variable_names import reference_to
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Place, Severity
from reconciler.model.resource import ENDPOINT, REGISTRY, STORAGE, Live, Spec
from reconciler.model.secrets import MASK
from reconciler.model.values import escaped

Check: TypeAlias = Callable[[str, Mapping[str, Any]], str]
"""Takes the type of a resource, or "spec", and an item. Returns why it is not valid as a clause, or ""."""


class _Placed(Protocol):
    """What a note is about."""

    @property
    def field(self) -> str: ...
    @property
    def place(self) -> Place: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """What the folder of the user has already, and what the user chose.

    specs: the usable specs. spec_names: of all specs. in_use: the variables that are referred to, with their
    values. chosen_spec: the spec of all endpoints whose GPUs no spec has, "" without a choice. literal: globs
    of the variables whose values are written into the YAML.
    """

    specs: Sequence[KnownSpec] = ()
    spec_names: frozenset[str] = frozenset()
    in_use: Mapping[str, str | None] = with_default(default_factory=dict)
    chosen_spec: str = ""
    literal: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """The result: items by type of resource, new specs, variables and notes.

    A variable without a value, "", is one that the sources do not tell. `placeholders` are the names of new
    specs whose product is yet to be chosen.
    """

    items: Mapping[str, tuple[Mapping[str, Any], ...]]
    specs: tuple[Mapping[str, Any] | Spec, ...] = ()
    placeholders: tuple[str, ...] = ()
    variables: tuple[Variable, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.specs or any(self.items.values()))


def draft(parts: Iterable[Parts], folder: Folder, check: Check) -> Conversion:
    """Return the conversion of the parts of all documents. All problems are notes."""
    return _Draft(folder, check).conversion(tuple(parts))


class _Draft:
    def __init__(self, folder: Folder, check: Check) -> None:
        self._folder = folder
        self._check = check
        self._notes: dict[Note, None] = {}
        self._names: set[str] = set()
        self._app_names: set[str] = set()
        self._app_numbers: dict[str, int] = {}
        self._items: dict[str, list[Mapping[str, Any]]] = {ENDPOINT: [], STORAGE: [], REGISTRY: []}
        self._spec_names = set(folder.spec_names)
        self._specs: list[Mapping[str, Any] | Spec] = []
        self._placeholders: dict[object, str] = {}
        self._credentials: set[str] = set()
        self._needed: list[tuple[str, str]] = []

    def conversion(self, parts: Sequence[Parts]) -> Conversion:
        for spec in (spec for part in parts for spec in part.specs):
            self._add_spec(spec)
        of_live = self._add_live([pair for part in parts for pair in part.live])
        in_use = {**self._folder.in_use, **{one.name: one.value for one in of_live}}
        self._variables = Variables(in_use, self._folder.literal)
        for variable, user in self._needed:
            self._variables.need(variable, user)
        accepted = [one for part in parts for one in part.candidates if self._is_free(one)]
        tell_credentials_apart(accepted)
        self._variables.collect(accepted)
        for candidate in accepted:
            self._add(candidate)
        return Conversion(
            items={kind: tuple(items) for kind, items in self._items.items()},
            specs=tuple(self._specs),
            placeholders=tuple(self._placeholders.values()),
            variables=self._variables.all(of_live),
            notes=tuple(self._notes),
        )

    # Objects in Novita's form

    def _add_live(self, found: Sequence[tuple[Live, Found]]) -> tuple[Variable, ...]:
        """Add live objects as `import --all` does, and return their variables."""
        places: dict[str, Found] = {}
        distinct: list[Live] = []
        for live, where in found:
            if live.id in places:
                reason = f"{places[live.id].place} has the object with its ID"
                self._note(where, Outcome.LEFT_OUT, reason, Severity.ERROR)
            else:
                places[live.id] = where
                distinct.append(live)
        in_use, variables = dict(self._folder.in_use), list[Variable]()
        for kind in self._items:
            of_kind = [live for live in distinct if live.kind == kind]
            accepted, problems = KINDS[kind].importable(of_kind, ())
            known = {live.id for live in accepted}
            for object_id in (live.id for live in of_kind if live.id not in known):
                word = re.compile(rf"(?<!\w){re.escape(object_id)}(?!\w)")
                why = next((one.summary for one in problems if word.search(one.summary)), "")
                reason = why.rpartition("): ")[2] or "it cannot be declared"
                self._note(places[object_id], Outcome.LEFT_OUT, reason, Severity.ERROR)
            drafted = KINDS[kind].draft(
                accepted,
                [known.spec for known in self._folder.specs],
                spec_names=self._spec_names,
                app_names=(),
                in_use=in_use,
            )
            self._items[kind] += (
                self._valid_part(kind, item, places[live.id])
                for live, item in zip(drafted.live, drafted.items, strict=True)
            )
            self._specs += drafted.new_specs
            self._spec_names |= {spec.name for spec in drafted.new_specs}
            in_use |= {one.name: one.value for one in drafted.variables}
            variables += (
                replace(one, value="") if one.value == MASK else one for one in drafted.variables
            )  # the mask of `preview` is no value
        endpoints = self._items[ENDPOINT]
        self._names |= {str(item["endpoint"]) for item in endpoints}
        self._app_names |= {str(item.get("appName", item["endpoint"])) for item in endpoints}
        self._credentials |= {str(item["name"]) for item in self._items[REGISTRY]}
        return tuple(variables)

    def _valid_part(self, kind: str, item: Mapping[str, Any], where: Found) -> dict[str, Any]:
        """Return an item without the fields whose values the YAML does not allow."""
        key = KINDS[kind].key
        whys = {name: self._check(kind, {key: item[key], name: value}) for name, value in item.items()}
        for why in filter(None, whys.values()):
            self._note(where, Outcome.LEFT_OUT, why, Severity.WARNING)
        return {name: value for name, value in item.items() if not whys[name]}

    # Endpoints of other formats

    def _is_free(self, candidate: Candidate) -> bool:
        why = self._check(ENDPOINT, {"endpoint": candidate.name})
        if not why and candidate.name in self._names:
            why = "another endpoint has that name"
        if why:
            self._note(candidate, Outcome.LEFT_OUT, why, Severity.ERROR)
            return False
        self._names.add(candidate.name)
        return True

    def _add(self, candidate: Candidate) -> None:
        item: dict[str, Any] = {"endpoint": candidate.name}
        for name, found in candidate.fields.items():
            value = found.value
            if name == "command" and (reference := self._variables.reference(candidate.name, COMMAND)):
                value = reference
                reason = "it holds a credential, so that the YAML refers to a variable"
                self._note(found, Outcome.CHANGED, reason)
            if self._fits(found, {name: value}):
                item[name] = value
        if "image" not in item:
            item["image"] = self._missing_image(candidate)
        if env := self._env(candidate):
            item["env"] = env
        item |= self._spec(candidate) | self._credential(candidate)
        item |= self._app_name(candidate, str(item.get("appName", "")))
        self._items[ENDPOINT].append(KINDS[ENDPOINT].ordered_item(item))

    def _fits(self, found: Found, part: Mapping[str, Any]) -> bool:
        why = self._check(ENDPOINT, {"endpoint": "x", **part})
        if why:
            if holds_credential(why, ()):
                why = "its value is not valid, and holds a credential"
            self._note(found, Outcome.LEFT_OUT, why, Severity.WARNING)
        return not why

    def _missing_image(self, candidate: Candidate) -> str:
        variable = outside_variable(candidate.name, Outside(), "IMAGE")
        self._variables.need(variable, candidate.name)
        has_image = "image" in candidate.fields
        why = "its image cannot be declared" if has_image else candidate.needs_image or "it has no image"
        reason = f"{why}: build and push an image, and write it in the place of the reference to {variable}"
        where = Found(value=None, field=candidate.image_field, place=candidate.place)
        self._note(where, Outcome.CHANGED, reason, Severity.WARNING)
        return reference_to(variable)

    def _env(self, candidate: Candidate) -> dict[str, str]:
        env: dict[str, str] = {}
        for key, found in sorted(candidate.env.items()):
            value = found.value
            if isinstance(value, str) and "\0" in value:
                self._note(
                    found, Outcome.LEFT_OUT, "no variable can hold the character U+0000", Severity.WARNING
                )
                continue
            if isinstance(value, Outside):
                variable = outside_variable(candidate.name, value, key)
                text = reference_to(variable)
                if not value.variable:
                    reason = f"it is composed of variables: set {variable} to the whole value"
                    self._note(found, Outcome.CHANGED, reason, Severity.WARNING)
                elif variable != value.variable:
                    reason = f"other programs set {value.variable}: the YAML refers to {variable}"
                    self._note(found, Outcome.CHANGED, reason)
            else:
                text = self._variables.reference(candidate.name, ("envs", key)) or escaped(value)
            if self._fits(found, {"env": {key: text}}):
                env[key] = text
        return env

    def _app_name(self, candidate: Candidate, wanted: str) -> dict[str, Any]:
        """Return the `appName`, if the name of the endpoint cannot be one, or is that of another."""
        named = KINDS[ENDPOINT].named_item(candidate.name)
        free = app_name = wanted or str(named.get("appName", candidate.name))
        number = self._app_numbers.get(app_name, 1)
        while free in self._app_names:
            number += 1
            free = f"{app_name[:40].rstrip('-')}-{number}"
        self._app_numbers[app_name] = number
        self._app_names.add(free)
        if free != (wanted or candidate.name):
            reason = f"the name cannot be in a URL, or another endpoint has it there: the URL has `{free}`"
            self._note(candidate, Outcome.CHANGED, reason)
        return {} if free == candidate.name else {"appName": free}

    def _credential(self, candidate: Candidate) -> dict[str, Any]:
        credential = candidate.credential
        if credential is None:
            return {}
        password, name = credential.password, credential.name
        reference = (
            reference_to(outside_variable(name, password, PASSWORD[0]))
            if isinstance(password, Outside)
            else self._variables.reference(name, PASSWORD)
        )
        item = {"name": name, "registry": credential.registry, "username": credential.username}
        item = {key: value for key, value in item.items() if value} | {"password": reference or ""}
        if why := self._check(REGISTRY, item):
            self._note(credential, Outcome.LEFT_OUT, why, Severity.WARNING)
            return {}
        if name not in self._credentials:
            self._credentials.add(name)
            self._items[REGISTRY].append(item)
        return {"imageAuth": name}

    # Specs

    def _add_spec(self, spec: SpecItem) -> None:
        name, severity = str(spec.data.get("name")), Severity.ERROR
        why = self._check("spec", spec.data)
        if not why and name in self._spec_names:
            why, severity = "there is a spec of that name", Severity.NOTE
        if why:
            self._note(spec, Outcome.LEFT_OUT, why, severity)
            return
        data, is_placeholder = completed(spec.data)
        if is_placeholder:
            self._placeholders[name] = name
            self._note_choice(spec, "the spec has no product of Novita", name)
            self._needed += ((variable, name) for variable in spec_variables(name))
        self._spec_names.add(name)
        self._specs.append(data)

    def _spec(self, candidate: Candidate) -> dict[str, str]:
        if name := candidate.spec:
            if name not in self._spec_names:
                self._add_placeholder(name, candidate, None)
                self._note_choice(candidate, "there is no such spec", name)
            return {"specName": name}
        wish = candidate.gpus
        if wish is None:
            return {}
        if known := fitting_spec(wish, self._folder.specs):
            self._note(wish, Outcome.CHANGED, f"{wish.text}: the spec `{known.spec.name}` has it")
            return {"specName": known.spec.name}
        if name := self._folder.chosen_spec:
            self._note(wish, Outcome.CHANGED, f"{wish.text}: the spec `{name}` was chosen with --spec")
            return {"specName": name}
        key = (wish.models, wish.count, wish.disk_gb)
        if key not in self._placeholders:
            self._add_placeholder(new_spec_name(wish, self._spec_names), candidate, wish, key)
        name = self._placeholders[key]
        self._note_choice(wish, f"{wish.text}: no single spec has that", name)
        return {"specName": name}

    def _add_placeholder(
        self, name: str, candidate: Candidate, wish: GpuWish | None, key: object = None
    ) -> None:
        self._placeholders[key or name] = name
        self._spec_names.add(name)
        self._specs.append(placeholder(name, wish))
        for variable in spec_variables(name):
            self._variables.need(variable, candidate.name)

    def _note_choice(self, at: _Placed, why: str, name: str) -> None:
        product, region = spec_variables(name)
        reason = (
            f"{why}: choose a product for the new spec `{name}`, in the place of {product} and {region}"
            " (reconciler specs --available lists them)"
        )
        self._note(at, Outcome.CHANGED, reason, Severity.WARNING)

    def _note(self, at: _Placed, outcome: Outcome, reason: str, severity: Severity = Severity.NOTE) -> None:
        note = Note(field=at.field, outcome=outcome, reason=reason, severity=severity, place=at.place)
        self._notes.setdefault(note)
