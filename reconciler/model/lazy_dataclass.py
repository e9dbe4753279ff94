"""`dataclass` that generates code on first use.

`dataclasses.dataclass` compiles half a dozen methods for each class when the class is defined: about 0.7 ms,
50 ms for the classes of a plan, most of which are never instantiated. This one has the same meaning for the
options that this project uses. It compiles `__init__` when a class has many instances; the other methods
are shared. `fields`, `replace` and `is_dataclass` of the standard library work with its classes. Type
checkers see the standard decorator.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(
        *,
        frozen: bool = False,
        slots: bool = False,
        kw_only: bool = False,
        eq: bool = True,
        repr: bool = True,  # noqa: A002 - the name of the standard decorator
    ) -> Callable[[type], type]:
        """Return a decorator that means the same as `dataclasses.dataclass` with these options."""

        def decorate(cls: type) -> type:
            own = _own_fields(cls, kw_only=kw_only)
            fields = {**_inherited_fields(cls), **own}
            methods = _methods(cls, fields, frozen=frozen, eq=eq, repr=repr)
            if slots:
                return _with_slots(cls, own, methods)
            for name, method in methods.items():
                setattr(cls, name, method)
            return cls

        return decorate


UNCOMPILED = 40
"""Instances (count) of a class before `__init__` is compiled, which takes at least as long as 40 of them."""


def _own_fields(cls: type, *, kw_only: bool) -> dict[str, Field[Any]]:
    """Return the annotated fields of the class body; the class keeps plain defaults only."""
    found: dict[str, Field[Any]] = {}
    for name, annotation in cls.__annotations__.items():
        if str(annotation).startswith(("ClassVar", "typing.ClassVar")):
            continue
        default = cls.__dict__.get(name, MISSING)
        field: Any = default if isinstance(default, Field) else dataclasses.field(default=default)
        if isinstance(default, Field):
            if field.default is MISSING:
                delattr(cls, name)
            else:
                setattr(cls, name, field.default)
        field.name, field.type, field.kw_only = name, annotation, kw_only
        field._field_type = dataclasses._FIELD  # type: ignore[attr-defined]  # `replace` and `fields` read it
        found[name] = field
    return found


def _inherited_fields(cls: type) -> dict[str, Field[Any]]:
    found: dict[str, Field[Any]] = {}
    for base in reversed(cls.__mro__[1:]):
        found.update(base.__dict__.get("__dataclass_fields__", {}))
    return found


def _methods(
    cls: type,
    fields: dict[str, Field[Any]],
    *,
    frozen: bool,
    eq: bool,
    repr: bool,  # noqa: A002
) -> dict[str, Any]:
    """Return the attributes that make a class a dataclass."""

    positional = tuple(name for name, one in fields.items() if one.init and not one.kw_only)
    instances = 0
    parameters: _Parameters | None = None

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        nonlocal instances, parameters
        instances += 1
        if instances <= UNCOMPILED:
            parameters = parameters or _Parameters(fields)
            given = {**dict(zip(positional, args, strict=False)), **kwargs} if args else kwargs
            if len(given) == len(args) + len(kwargs) and parameters.assign(self, given):
                return
        made = _compiled_init(fields, frozen=frozen, has_post_init=hasattr(type(self), "__post_init__"))
        for base in type(self).__mro__:
            if base.__dict__.get("__init__") is init:  # no longer, if another thread was faster
                base.__init__ = made  # type: ignore[misc]
        made(self, *args, **kwargs)

    methods: dict[str, Any] = {
        "__dataclass_fields__": fields,
        "__match_args__": positional,
        "__init__": init,
    }
    if repr and "__repr__" not in cls.__dict__:
        methods["__repr__"] = _repr
    if eq and "__eq__" not in cls.__dict__:
        compared = _getter([name for name, one in fields.items() if one.compare])

        def equals(self: Any, other: object) -> Any:
            return compared(self) == compared(other) if other.__class__ is self.__class__ else NotImplemented

        methods["__eq__"] = equals
        if "__hash__" not in cls.__dict__:
            methods["__hash__"] = (lambda self: hash(compared(self))) if frozen else None
    if frozen:
        methods |= {"__setattr__": _refuse, "__delattr__": _refuse, "__setstate__": _set_state}
    return methods


def _with_slots(cls: type, own: dict[str, Field[Any]], methods: dict[str, Any]) -> type:
    """Return the class made again with `__slots__`: they cannot be added to one that exists."""
    body = {key: value for key, value in cls.__dict__.items() if key not in {*own, "__dict__", "__weakref__"}}
    made = type(cls)(cls.__name__, cls.__bases__, {**body, **methods, "__slots__": tuple(own)})
    made.__qualname__ = cls.__qualname__
    return made


def _getter(names: list[str]) -> Callable[[Any], Any]:
    return attrgetter(*names) if names else lambda _: ()


class _Parameters:
    """The parameters of a constructor that is not compiled."""

    def __init__(self, fields: dict[str, Field[Any]]) -> None:
        given = {name: one for name, one in fields.items() if one.init}
        self._known = frozenset(given)
        self._factories = {
            name: one.default_factory for name, one in fields.items() if one.default_factory is not MISSING
        }
        self._defaults = {name: one.default for name, one in given.items() if one.default is not MISSING}
        self._required = self._known - self._factories.keys() - self._defaults.keys()

    def assign(self, instance: Any, given: dict[str, Any]) -> bool:
        """Set the fields of a new instance. Return False, and set none, if the arguments do not fit."""
        if not self._required <= given.keys() <= self._known:
            return False
        set_field = object.__setattr__
        for name, value in given.items():
            set_field(instance, name, value)
        for name, value in self._defaults.items():
            if name not in given:
                set_field(instance, name, value)
        for name, make in self._factories.items():
            if name not in given:
                set_field(instance, name, make())
        if hasattr(instance, "__post_init__"):
            instance.__post_init__()
        return True


def _compiled_init(
    fields: dict[str, Field[Any]], *, frozen: bool, has_post_init: bool
) -> Callable[..., None]:
    """Return an `__init__` that takes the fields as parameters."""
    known: dict[str, Any] = {"_set": object.__setattr__, "_missing": MISSING}
    positional = ["self"]
    named: list[str] = []
    body: list[str] = []
    for name, field in fields.items():
        value = name
        if field.init:
            parameter = name
            if field.default_factory is not MISSING:
                known[f"_default_{name}"] = field.default_factory
                parameter = f"{name}=_missing"
                value = f"_default_{name}() if {name} is _missing else {name}"
            elif field.default is not MISSING:
                known[f"_default_{name}"] = field.default
                parameter = f"{name}=_default_{name}"
            (named if field.kw_only else positional).append(parameter)
        elif field.default_factory is not MISSING:
            known[f"_default_{name}"] = field.default_factory
            value = f"_default_{name}()"
        else:
            continue
        body.append(f" _set(self, {name!r}, {value})" if frozen else f" self.{name} = {value}")
    if has_post_init:
        body.append(" self.__post_init__()")
    parameters = ", ".join([*positional, *(["*", *named] if named else [])])
    exec(f"def __init__({parameters}):\n" + "\n".join(body or [" pass"]), known)  # noqa: S102 - own field names
    made: Callable[..., None] = known["__init__"]
    return made


def _repr(self: Any) -> str:
    shown = (f"{name}={getattr(self, name)!r}" for name, one in self.__dataclass_fields__.items() if one.repr)
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


def _refuse(_self: Any, name: str, *_: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _set_state(self: Any, state: Any) -> None:
    """Restore what `copy` and `pickle` saved of an instance with slots, or without."""
    for part in state if isinstance(state, tuple) else (state,):
        for name, value in (part or {}).items():
            object.__setattr__(self, name, value)
