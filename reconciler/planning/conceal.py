"""Which live values may be shown: of env and command, only what today's YAML spells out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.kinds.endpoint.paths import COMMAND
from reconciler.model.plan import ABSENT
from reconciler.model.resource import Live
from reconciler.model.values import Fields, Sealed, Secret, Value
from reconciler.planning.diff import value_at


def conceal(live: Live, desired: Fields | None = None, applied: Fields | None = None) -> Live:
    """The same endpoint with every live value wrapped that could be somebody's secret.

    An env value is shown only when its key is a literal in the YAML and was not a secret when last applied:
    a key that has just been turned from a reference into a literal still holds the old secret.
    """
    envs = live.fields.get("envs", {})
    literal = (desired or {}).get("envs", {})
    sealed = (applied or {}).get("envs", {})
    fields: dict[str, Any] = {}
    hidden = {
        key: _hidden(value)
        for key, value in envs.items()
        if not isinstance(literal.get(key), str) or isinstance(sealed.get(key), Sealed)
    }
    if hidden:
        fields["envs"] = {**envs, **hidden}
    image = live.fields.get("image", {})
    if "command" in image:
        was = value_at(applied or {}, COMMAND)
        now = value_at(desired or {}, COMMAND)
        if isinstance(was, Sealed) or not (isinstance(now, str) or (now is ABSENT and isinstance(was, str))):
            fields["image"] = {**image, "command": _hidden(image["command"])}
    return replace(live, fields={**live.fields, **fields}) if fields else live


def _hidden(value: Value) -> Secret:
    return value if isinstance(value, Secret) else Secret(value=value, source="live")
