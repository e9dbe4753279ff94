"""Switches as text: `NAME=VALUE` settings made a profile, and the list of all switches for a terminal."""

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import Field, fields, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

from reconciler.simulator.profile import Profile


def profile_from(settings: Iterable[str], profile: Profile | None = None) -> Profile:
    """The profile with `NAME=VALUE` settings applied in order.

    An entry of a mapping is set as `NAME.KEY=VALUE`, a list is separated by commas, and `none` is no value.
    Raises ValueError that says what is wrong and what would be right.
    """
    profile = profile or Profile()
    types = get_type_hints(Profile)
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise ValueError(f"{setting!r} is not NAME=VALUE, such as list_lag_seconds=2")
        name, _, key = name.replace("-", "_").partition(".")
        if name not in types:
            raise ValueError(_unknown(name, types))
        if get_origin(types[name]) is Mapping:
            if not key:
                raise ValueError(f"{name} has entries: {name}.KEY=VALUE")
            value: Any = {**getattr(profile, name), key: _entry(name, key, text)}
        else:
            value = _value(name, types[name], text)
        profile = replace(profile, **{name: value})
    return profile


def describe() -> str:
    """All switches, one a line: name, default, meaning, and the choices where there are any."""
    types = get_type_hints(Profile)
    rows = [(field.name, _default(field), _meaning(field, types[field.name])) for field in fields(Profile)]
    name_width = max(len(name) for name, _, _ in rows)
    default_width = max(len(default) for _, default, _ in rows)
    return "\n".join(
        f"{name:<{name_width}}  {default:<{default_width}}  {text}" for name, default, text in rows
    )


def _value(name: str, kind: Any, text: str) -> Any:
    if get_origin(kind) is Literal:
        for choice in get_args(kind):
            if text == str(choice):
                return choice
        raise ValueError(f"{name}: {text!r} is none of {', '.join(map(str, get_args(kind)))}")
    if kind is bool:
        if text.lower() in ("true", "yes", "on", "1"):
            return True
        if text.lower() in ("false", "no", "off", "0"):
            return False
        raise ValueError(f"{name}: {text!r} is neither true nor false")
    if kind is int or kind is float:
        return _number(name, kind, text)
    if get_origin(kind) is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if text == "none":
        return "" if kind is str else None
    return text


def _entry(name: str, key: str, text: str) -> Any:
    if key.endswith("List"):
        return [part.strip() for part in text.split(",") if part.strip()]
    return _number(f"{name}.{key}", int, text)


def _number(name: str, kind: type[int] | type[float], text: str) -> float:
    try:
        number = kind(text)
    except ValueError:
        raise ValueError(f"{name}: {text!r} is not a number") from None
    if not math.isfinite(number) or (number < 0 and name != "total_offset"):
        raise ValueError(f"{name}: {text} is out of range")
    return number


def _unknown(name: str, types: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(name, types, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"unknown switch {name!r}{hint} There are: {', '.join(types)}"


def _default(field: Field[Any]) -> str:
    default = getattr(Profile(), field.name)
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, float):
        return f"{default:g}"
    if isinstance(default, Mapping) and default:
        return f"{len(default)} set"
    return str(default) if default or default == 0 else "none"


def _meaning(field: Field[Any], kind: Any) -> str:
    meaning = str(field.metadata["meaning"])
    return f"{meaning} ({' | '.join(map(str, get_args(kind)))})" if get_origin(kind) is Literal else meaning
