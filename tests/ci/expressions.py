"""The part of GitHub's expression language that our recipes use. What it does not know is an error here."""

import re
from collections.abc import Mapping
from typing import Any

TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<word>[\w.-]+)|(?P<sign>==|!=|&&|\|\||[!()]))")
STATUS = ("always", "success", "failure")


def interpolated(text: str, names: Mapping[str, Any]) -> str:
    """A text with each `${{ }}` replaced by its value."""
    return re.sub(r"\$\{\{(.*?)\}\}", lambda found: shown(evaluated(found[1], names)), text)


def condition(text: str | None, names: Mapping[str, Any]) -> bool:
    """Whether an `if:` holds; it asks for success by itself unless it asks for a status in words."""
    text = "success()" if text is None else text
    bare = re.sub(r"^\s*\$\{\{(.*)\}\}\s*$", r"\1", text)
    if not any(f"{name}()" in bare for name in STATUS):
        bare = f"success() && ({bare})"
    return bool(evaluated(bare, names))


def evaluated(text: str, names: Mapping[str, Any]) -> Any:
    """The value of an expression. `names` are the contexts, and `success` whether all went well so far."""
    parser = _Parser(text, names)
    value = parser.either()
    assert not parser.rest, f"cannot read {text!r} from {parser.rest}"
    return value


def shown(value: Any) -> str:
    return {True: "true", False: "false", None: ""}.get(value, str(value))


class Outputs(dict[str, str]):
    """What a step said; what it did not say is empty, because it may have failed before."""

    def __missing__(self, name: str) -> str:
        return ""


class _Parser:
    def __init__(self, text: str, names: Mapping[str, Any]) -> None:
        self.names = names
        self.rest = [(kind, found[kind]) for found in _tokens(text) if (kind := found.lastgroup or "")]

    def either(self) -> Any:
        value = self.both()
        while self.takes("||"):
            other = self.both()
            value = value or other
        return value

    def both(self) -> Any:
        value = self.equality()
        while self.takes("&&"):
            other = self.equality()
            value = value and other
        return value

    def equality(self) -> Any:
        value = self.single()
        for sign in ("==", "!="):
            if self.takes(sign):
                same = shown(value).lower() == shown(self.single()).lower()
                return same if sign == "==" else not same
        return value

    def single(self) -> Any:
        if self.takes("!"):
            return not self.single()
        if self.takes("("):
            value = self.either()
            assert self.takes(")")
            return value
        kind, text = self.rest.pop(0)
        if kind == "text":
            return text[1:-1].replace("''", "'")
        assert kind == "word", f"what is {text}?"
        return self.status(text) if text in STATUS and self.takes("(") else self.value(text)

    def status(self, name: str) -> bool:
        assert self.takes(")")
        return {"always": True, "success": self.names["success"], "failure": not self.names["success"]}[name]

    def value(self, path: str) -> Any:
        found: Any = self.names
        for name in path.split("."):
            assert name in found or isinstance(found, Outputs), f"{path}: no {name} among {sorted(found)}"
            found = found[name]
        return found

    def takes(self, sign: str) -> bool:
        if self.rest[:1] == [("sign", sign)]:
            self.rest.pop(0)
            return True
        return False


def _tokens(text: str) -> list[re.Match[str]]:
    found, position = [], 0
    while text[position:].strip():
        match = TOKEN.match(text, position)
        assert match, f"cannot read {text[position:]!r}"
        found.append(match)
        position = match.end()
    return found
