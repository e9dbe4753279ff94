"""Which live values may be shown: of env and command those that the YAML spells out, elsewhere no secrets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from reconciler.kinds.endpoint.fields import COMMAND
from reconciler.model.resource import Live
from reconciler.model.secrets import Sealed, Secret
from reconciler.model.values import ABSENT, SCALAR_TYPES, Fields, Value, is_plain_data, value_at

_MAY_BE_REFERRED_TO: Final = ("image", "healthy", "volumeMounts", "products", "clusterID", "workerConfig")
"""What holds text that a reference may say, besides `envs`."""


def conceal(live: Live, desired: Fields | None = None, applied: Fields | None = None) -> Live:
    """The same endpoint with every live value wrapped that could be somebody's secret.

    An env value is shown only when its key is a literal in the YAML and was not a secret when last applied:
    a key that has just been turned from a reference into a literal still holds the old secret. Other text is
    shown unless it is a secret in the YAML, or was one when last applied.
    """
    envs = live.fields.get("envs", {})
    want, last = desired or {}, applied or {}
    literal = want.get("envs", {})
    sealed = last.get("envs", {})
    fields: dict[str, Any] = {}
    hidden = {
        key: _hidden(value)
        for key, value in envs.items()
        if not isinstance(literal.get(key), str) or isinstance(sealed.get(key), Sealed)
    }
    if hidden:
        fields["envs"] = {**envs, **hidden}
    for key in _MAY_BE_REFERRED_TO:
        value, declared, recorded = live.fields.get(key), want.get(key), last.get(key)
        if declared == value and recorded == value:
            continue  # what equals an answered value holds no secret; to compare is faster than to look
        sides = [side for side in (declared, recorded) if side != value and not is_plain_data(side)]
        if sides and key in live.fields:
            fields[key] = hidden_beside(value, sides)
    image: Any = fields.get("image", live.fields.get("image", {}))
    if "command" in image:
        was = value_at(last, COMMAND)
        now = value_at(want, COMMAND)
        if isinstance(was, Sealed) or not (isinstance(now, str) or (now is ABSENT and isinstance(was, str))):
            fields["image"] = {**image, "command": _hidden(image["command"])}
    return replace(live, fields={**live.fields, **fields}) if fields else live


def hidden_beside(value: Value, others: Iterable[Value]) -> Value:
    """The value with its text wrapped wherever one of the others holds a secret in the same place."""
    others = [other for other in others if not is_plain_data(other)]
    if not others or (value.__class__ in SCALAR_TYPES and not isinstance(value, str)):
        return value
    match value:
        case dict():
            return {
                key: hidden_beside(item, [other.get(key) for other in others if isinstance(other, dict)])
                for key, item in value.items()
            }
        case list():
            inside = [item for other in others if isinstance(other, list) for item in other]
            return [hidden_beside(item, inside) for item in value]
        case _:
            return _hidden(value)


def _hidden(value: Value) -> Secret:
    return value if isinstance(value, Secret) else Secret(value=value, source="live")
