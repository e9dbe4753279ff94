"""Real documents, damaged: as bytes, and as the data that they hold."""

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


def damaged(dice: Random, data: bytes) -> bytes:
    """Some bytes flipped, cut, doubled, moved, or replaced by what is hostile."""
    found = bytearray(data)
    for _ in range(dice.choice((1, 1, 1, 2, 3, 8))):
        start = dice.randrange(len(found) + 1)
        end = min(len(found), start + dice.choice((0, 1, 1, 2, 8, 40, 400)))
        match dice.randrange(8):
            case 0 if found:
                found[dice.randrange(len(found))] ^= 1 << dice.randrange(8)
            case 1:
                del found[start:end]
            case 2:
                found[start:start] = found[start:end] * dice.choice((1, 1, 2, 50))
            case 3:
                other = dice.randrange(len(found) + 1)
                found[start:end] = found[other : other + dice.choice((1, 8, 40))]
            case 4:
                found[start:end] = as_bytes(dice.choice(TEXTS))
            case 5:
                found[start:end] = dice.choice(SIGNS).encode()
            case 6:
                found[start:end] = dice.randbytes(dice.choice((1, 2, 8)))
            case 7 if dice.random() < 0.2:
                del found[start:]
    return bytes(found)


def changed(dice: Random, document: Any, texts: tuple[str, ...] = TEXTS) -> Any:
    """A copy of which some values are replaced, removed, doubled, exchanged or called otherwise."""
    document = copy.deepcopy(document)
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        places = list(_places(document))
        if not places:
            return _hostile(dice, texts)
        holder, key = dice.choice(places)
        match dice.randrange(10):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, list):
                holder.insert(key, copy.deepcopy(holder[key]))
            case 1 | 2 if isinstance(holder, dict):
                holder[dice.choice(texts)] = holder[key] if dice.random() < 0.5 else holder.pop(key)
            case 3 | 4:
                other, its = dice.choice(places)
                holder[key] = copy.deepcopy(other[its])
            case 5:
                holder[key] = dice.choice(([holder[key]], {"a": holder[key]}, str(holder[key])))
            case _:
                holder[key] = _hostile(dice, texts)
    return document


def _hostile(dice: Random, texts: tuple[str, ...]) -> Any:
    return copy.deepcopy(dice.choice(VALUES)) if dice.random() < 0.5 else dice.choice(texts)


def _places(document: Any) -> Iterator[tuple[Any, Any]]:
    """Every value below, by its holder and its key there."""
    below = list(document.items()) if isinstance(document, dict) else list(enumerate(document))
    for key, value in below:
        yield document, key
        if isinstance(value, dict | list):
            yield from _places(value)


def spoiled(
    dice: Random,
    data: bytes,
    load: Callable[[bytes], Any] = json.loads,
    dump: Callable[[Any], bytes] = lambda value: json.dumps(value).encode(),
) -> bytes:
    """The one or the other, and rarely both."""
    if dice.random() < 0.6:
        document = load(data)
        if isinstance(document, dict | list):
            data = dump(changed(dice, document))
            if dice.random() < 0.9:
                return data
    return damaged(dice, data)
