"""Mutations of documents, as bytes and as data."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Final

TEXTS: Final = (
    "",
    " ",
    "\t",
    "\r\n",
    "\x00",
    "\x1b[2J",
    "\x1b]8;;https://evil.example\x07x\x1b]8;;\x07",
    "\x7f",
    "\x85",
    "\x9b2J",
    "\u2028",
    "\u202e",
    "\u200b",
    "\ufeff",
    "\ud800",
    "\udfff",
    "e\u0301",
    "家😀",
    "a" * 5000,
    "9" * 5000,
    "0x" + "f" * 5000,
    "-1",
    "0",
    "1e999",
    "1:30",
    "NaN",
    "null",
    "true",
    "~",
    "..",
    "../x",
    "/dev/zero",
    "a b",
    "-x",
    "--json",
    "a; touch x",
    "$(touch x)",
    "`touch x`",
    "'",
    '"',
    "\\",
    "<script>",
    "[a](b)",
    "|",
    "::set-output name=a::b",
    "##vso[task.complete]",
    "https://evil.example",
    "http://127.0.0.1:9",
    "${",
    "$${",
    "${env:TOKEN}",
    "${env:TOKEN:-}",
    "${env:NOVITA_API_KEY}",
    "${env:RECONCILER_STATE_KEY}",
    "${env:}",
    "${env:NONE}",
    "${env:A:-${env:TOKEN}}",
    "${file:token.txt}",
    "${file:../x}",
    "${file:/dev/zero}",
    "${file:.}",
    "hmac-sha256",
    "chat",
    "embed",
    "*",
    "[",
    "2026-01-31T12:00:00Z",
    "9999-12-31T23:59:59Z",
)

SIGNS: Final = (
    *"\t\n\r :-[]{}|>?#%@\"',&*!=",
    ": ",
    "- ",
    "? ",
    "&a ",
    "*a",
    "*base",
    "<<: ",
    "<<: *base\n",
    "!!binary ",
    "!!python/object/apply:os.system ",
    "!x ",
    "---\n",
    "...\n",
    "%YAML 9.9\n",
    "<<<<<<< HEAD\n",
    "=======\n",
    ">>>>>>> other\n",
    "[" * 2000,
    "{a: " * 1000,
    "endpoints:",
    "defaults:",
    "removed:",
    "renamedFrom: chat\n",
)


def _deep(levels: int) -> Any:
    found: Any = []
    for _ in range(levels):
        found = [found]
    return found


VALUES: Final = (
    None,
    True,
    False,
    0,
    -1,
    1,
    2**31,
    2**63,
    2**64,
    10**400,
    0.5,
    -0.0,
    1e308,
    float("nan"),
    float("inf"),
    [],
    {},
    [[]],
    [None],
    [{}],
    {"": ""},
    {"a": None},
    {"hmac-sha256": "a", "key": "b"},
    {"hmac-sha256": "ab" * 32, "key": "cd" * 6},
    {"hmac-sha256": {"hmac-sha256": "ab" * 32, "key": "cd" * 6}, "key": "cd" * 6},
    {"reference": "${env:TOKEN}"},
    {"key": ["a"], "value": {}},
    _deep(300),
    ["x"] * 300,
)


def as_bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def damage_bytes(rng: Random, data: bytes) -> bytes:
    """Flip, cut, double, move or replace some bytes."""
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        start = rng.randrange(len(found) + 1)
        end = min(len(found), start + rng.choice((0, 1, 1, 2, 8, 40, 400)))
        match rng.randrange(8):
            case 0 if found:
                found[rng.randrange(len(found))] ^= 1 << rng.randrange(8)
            case 1:
                del found[start:end]
            case 2:
                found[start:start] = found[start:end] * rng.choice((1, 1, 2, 50))
            case 3:
                other = rng.randrange(len(found) + 1)
                found[start:end] = found[other : other + rng.choice((1, 8, 40))]
            case 4:
                found[start:end] = as_bytes(rng.choice(TEXTS))
            case 5:
                found[start:end] = rng.choice(SIGNS).encode()
            case 6:
                found[start:end] = rng.randbytes(rng.choice((1, 2, 8)))
            case 7 if rng.random() < 0.2:
                del found[start:]
    return bytes(found)


def change_values(rng: Random, document: Any, texts: tuple[str, ...] = TEXTS) -> Any:
    """Return a copy with some values replaced, removed, doubled, exchanged or renamed."""
    document = copy.deepcopy(document)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        places = list(_places(document))
        if not places:
            return _hostile(rng, texts)
        holder, key = rng.choice(places)
        match rng.randrange(10):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, list):
                holder.insert(key, copy.deepcopy(holder[key]))
            case 1 | 2 if isinstance(holder, dict):
                holder[rng.choice(texts)] = holder[key] if rng.random() < 0.5 else holder.pop(key)
            case 3 | 4:
                other, its = rng.choice(places)
                holder[key] = copy.deepcopy(other[its])
            case 5:
                holder[key] = rng.choice(([holder[key]], {"a": holder[key]}, str(holder[key])))
            case _:
                holder[key] = _hostile(rng, texts)
    return document


def _hostile(rng: Random, texts: tuple[str, ...]) -> Any:
    return copy.deepcopy(rng.choice(VALUES)) if rng.random() < 0.5 else rng.choice(texts)


def _places(document: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the container and the key of each value below."""
    below = list(document.items()) if isinstance(document, dict) else list(enumerate(document))
    for key, value in below:
        yield document, key
        if isinstance(value, dict | list):
            yield from _places(value)


def damage_or_change(
    rng: Random,
    data: bytes,
    load: Callable[[bytes], Any] = json.loads,
    dump: Callable[[Any], bytes] = lambda value: json.dumps(value).encode(),
) -> bytes:
    """Damage the bytes or change the values, rarely both."""
    if rng.random() < 0.6:
        document = load(data)
        if isinstance(document, dict | list):
            data = dump(change_values(rng, document))
            if rng.random() < 0.9:
                return data
    return damage_bytes(rng, data)
