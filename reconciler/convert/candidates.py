"""What a format makes of its documents: endpoints to declare, with values that are still to be checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field as with_default
from typing import Any

from reconciler.convert.notes import Note
from reconciler.convert.source import Found, Origin
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Place
from reconciler.model.resource import Live
from reconciler.model.text import quantity
from reconciler.model.values import escaped


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """A value that the source reads from a variable of its environment, or from a store of secrets.

    variable: the name there, "" if there is none. default: the value if it is unset, if the source tells.
    """

    variable: str = ""
    default: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuWish:
    """The GPUs of a worker. models: any of these; none if the source does not say. disk_gb: 0 if unknown."""

    models: tuple[str, ...] = ()
    count: int = 1
    disk_gb: int = 0
    field: str
    place: Place

    @property
    def text(self) -> str:
        models = " or ".join(self.models)
        return f"{self.count} x {models}" if models else quantity(self.count, "GPU") + " of an unnamed model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A registry credential. `password` is a text or `Outside`."""

    name: str
    registry: str
    username: str
    password: str | Outside
    field: str
    place: Place


@dataclass(slots=True, kw_only=True)
class Candidate:
    """One endpoint.

    fields: YAML name -> value, in which a literal `${` is escaped. env: key -> text or `Outside`. spec: the
    name of a spec that the source knows, else `gpus` say which one fits. needs_image: why there is no image.
    image_field: the path where the source would have it.
    defaults: the values of variables that the fields refer to, if they are unset. doubt: why it is probably
    no endpoint, so that only --target includes it. notes: those about its fields, if it has a doubt.
    """

    name: str
    origin: Origin
    field: str
    place: Place
    fields: dict[str, Found] = with_default(default_factory=dict)
    env: dict[str, Found] = with_default(default_factory=dict)
    spec: str = ""
    gpus: GpuWish | None = None
    credential: Credential | None = None
    needs_image: str = ""
    image_field: str = "image"
    defaults: dict[str, str] = with_default(default_factory=dict)
    doubt: str = ""
    notes: list[Note] = with_default(default_factory=list)

    def put(self, name: str, found: Found | None) -> None:
        """Set a field to a literal value of the source, if there is one."""
        if found is not None:
            self.fields[name] = Found(value=escaped(found.value), field=found.field, place=found.place)

    def put_yaml(self, name: str, found: Found, value: Any) -> None:
        """Set a field to a value in which references are meant."""
        self.fields[name] = Found(value=value, field=found.field, place=found.place)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecItem:
    """An item of specs.yaml as the source has it."""

    data: Mapping[str, Any]
    field: str
    place: Place


@dataclass(slots=True, kw_only=True)
class Parts:
    """What one document declares. `live` are objects in Novita's own form."""

    candidates: list[Candidate] = with_default(default_factory=list)
    live: list[tuple[Live, Found]] = with_default(default_factory=list)
    specs: list[SpecItem] = with_default(default_factory=list)
