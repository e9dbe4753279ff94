"""Redaction of live values: secret fields are hidden unless the YAML spells their values out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from reconciler.kinds.base import Kind
from reconciler.kinds.registry import KINDS
from reconciler.model.resource import Live
from reconciler.model.secrets import Sealed, Secret
from reconciler.model.values import ABSENT, SCALAR_TYPES, Fields, Value, is_plain_data, value_at

NOTHING: Final[Fields] = {}
_TEXT: Final = frozenset({str})


def redact(live: Live, desired: Fields | None = None, applied: Fields | None = None) -> Live:
    """Return the same object with every live value wrapped that could be a secret.

    The value of a secret field is shown only if it is a literal in the YAML and was not a secret when last
    applied: a field that has just been turned from a reference into a literal still holds the old secret. The
    value of any other field is shown unless it is a secret in the YAML, or was one when last applied.
    """
    kind = KINDS[live.kind]
    want, last = desired or {}, applied or {}
    fields: dict[str, Any] = {}
    for key in kind.table.referable:
        value, declared, recorded = live.fields.get(key), want.get(key), last.get(key)
        if declared == value and recorded == value:
            continue  # what equals an answered value holds no secret; to compare is faster than to look
        sides = [side for side in (declared, recorded) if side != value and not is_plain_data(side)]
        if sides and key in live.fields:
            fields[key] = hide_like(value, sides)
    for path in kind.table.doubtful:
        head, leaf = path
        holder: Any = fields.get(head, live.fields.get(head, NOTHING))
        if leaf not in holder:
            continue
        was, now = value_at(last, path), value_at(want, path)
        is_literal = isinstance(now, str) or (now is ABSENT and isinstance(was, str))
        if isinstance(was, Sealed) or not is_literal:
            fields[head] = {**holder, leaf: _hidden(holder[leaf])}
    shown = {**live.fields, **fields} if fields else live.fields
    redacted = with_secrets_hidden(kind, shown, want, last)
    return live if redacted is live.fields else replace(live, fields=redacted)


def with_secrets_hidden(kind: Kind, fields: Fields, want: Fields, last: Fields = NOTHING) -> Fields:
    """Return the fields with the values of secret fields wrapped, except literals of `want`.

    A value that is sealed in `last` is wrapped as well.
    """
    changed: dict[str, Any] = {}
    for key in kind.table.secret_heads:
        value, literal, sealed = fields.get(key), want.get(key), last.get(key)
        if isinstance(value, dict):
            if value == literal == sealed and _TEXT.issuperset(map(type, value.values())):
                continue  # all are literals, and were literals when last applied
            literals, seals = literal or {}, sealed or {}
            hidden = {
                name: _hidden(item)
                for name, item in value.items()
                if not isinstance(literals.get(name), str) or isinstance(seals.get(name), Sealed)
            }
            if hidden:
                changed[key] = {**value, **hidden}
        elif value is not None and (not isinstance(literal, str) or isinstance(sealed, Sealed)):
            changed[key] = _hidden(value)
    return {**fields, **changed} if changed else fields


def hide_like(value: Value, others: Iterable[Value]) -> Value:
    """Return the value with its text wrapped in each place where one of the others has a secret."""
    others = [other for other in others if not is_plain_data(other)]
    if not others or (value.__class__ in SCALAR_TYPES and not isinstance(value, str)):
        return value
    match value:
        case dict():
            return {
                key: hide_like(item, [other.get(key) for other in others if isinstance(other, dict)])
                for key, item in value.items()
            }
        case list():
            inside = [item for other in others if isinstance(other, list) for item in other]
            return [hide_like(item, inside) for item in value]
        case _:
            return _hidden(value)


def _hidden(value: Value) -> Secret:
    return value if isinstance(value, Secret) else Secret(value=value, source="live")
