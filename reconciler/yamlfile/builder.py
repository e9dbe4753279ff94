"""Node tree -> plain data, with our own rules: no duplicate keys, text keys only, no tags, no alias tricks.

Nearly every word of a file has been seen before, which makes this several times faster than PyYAML's own.
"""

from __future__ import annotations

from sys import intern
from typing import Any, Final

from reconciler.model.problem import Problem
from reconciler.model.secrets import MASK
from reconciler.yamlfile.document import Position, Source, position
from reconciler.yamlfile.nodes import DEEPEST, Node
from reconciler.yamlfile.scalars import Bent, kind_of, plain, quoted, shortened

MOST_NODES: Final = 1_000_000

_TAG: Final = "tag:yaml.org,2002:"
_MEANING: Final = {_TAG + name for name in ("int", "float", "bool", "null")}
_TEXT: Final = {_TAG + "str", _TAG + "timestamp", "!"}
_KEYS: Final = "write `key: value`"
_SHAPE: Final = {"mapping": {_TAG + "map"}, "sequence": {_TAG + "seq"}}


class Built:
    """What was made of an item; it stands in its place."""

    __slots__ = ("data",)

    def __init__(self, data: Any) -> None:
        self.data = data


class Builder:
    """Builds the data of one file and collects what is wrong with its form."""

    def __init__(self, source: Source) -> None:
        self.problems: list[Problem] = []
        self.bent: list[tuple[Position, Problem]] = []
        self._source = source
        self._words: dict[str, Any] = {}
        self._names: set[str] = set()

    def build(self, root: Node) -> Any:
        """The data, or None when aliases make it endless or far too large."""
        if not self.is_plain_tree and not self._aliases_are_sane(root):
            return None
        return self._value(root, 0)

    @property
    def is_plain_tree(self) -> bool:
        """Whether there is no alias: each value stands in one place, and there is nothing to count."""
        text = self._source.text
        return "&" not in text or "*" not in text

    def item(self, node: Node) -> Built:
        """The data of an item of a list below the root, ahead of `build`, which will find it in the tree."""
        return Built(self._value(node, 2))

    def _value(self, node: Node, depth: int) -> Any:
        value = node.value
        if value.__class__ is str:
            if node.tag is None:
                if node.style:
                    return intern(value)
                words = self._words
                return words[value] if value in words else self._word(node)
            return self._tagged(node)
        if depth >= DEEPEST:
            self._report(node, "too-deep", f"this is nested more than {DEEPEST} levels deep", "flatten it")
            return None
        if node.tag is not None and node.tag not in _SHAPE[node.id]:
            self._unknown_tag(node)
        if node.id == "sequence":
            return [item.data if item.__class__ is Built else self._value(item, depth + 1) for item in value]
        return self._mapping(node, depth)

    def _mapping(self, node: Node, depth: int) -> dict[str, Any]:
        data: dict[str, Any] = {}
        names = self._names
        words = self._words
        first: dict[str, Node] | None = None
        inherited: list[Node] = []
        for key, value in node.value:
            name = key.value
            if key.tag is not None or name.__class__ is not str or name not in names:
                if name == "<<" and not key.style:
                    inherited.append(value)
                    continue
                if name.__class__ is not str:
                    self._report(key, "non-string-key", "a key must be text, not a list or a mapping", _KEYS)
                    continue
                self._check_name(key)
            if name in data:
                if first is None:
                    first = {one.value: one for one, _ in reversed(node.value) if isinstance(one.value, str)}
                self._duplicate(name, first[name], key)
                continue
            # The common cases of `_value`, here to save a call for every word of the file.
            text = value.value
            if text.__class__ is str and value.tag is None and (value.style or text in words):
                data[name] = intern(text) if value.style else words[text]
            else:
                data[name] = self._value(value, depth + 1)
        for value in inherited:
            self._inherit(data, value, depth)
        return data

    def _inherit(self, data: dict[str, Any], value: Node, depth: int) -> None:
        """`<<`: keys that are not there yet, the earlier mapping first."""
        for source in value.value if value.id == "sequence" else [value]:
            if source.id != "mapping":
                self._report(
                    source,
                    "invalid-yaml",
                    "`<<` merges mappings, and this is none",
                    "write `<<: *name`, where `&name` marks a mapping",
                )
                continue
            merged = self._value(source, depth + 1)
            for name, item in (merged or {}).items():
                data.setdefault(name, item)

    def _word(self, node: Node) -> Any:
        """An unquoted word that was not seen before in this file."""
        meaning = plain(node.value)
        if isinstance(meaning, Bent):
            self.bent.append((position(node), self._bent(node, meaning)))
            return node.value
        self._words[node.value] = meaning
        return meaning

    def _tagged(self, node: Node) -> Any:
        if node.tag in _TEXT:
            return node.value
        if node.tag in _MEANING:
            return self._word(node)
        self._unknown_tag(node)
        return node.value

    def _check_name(self, key: Node) -> None:
        """Whether a key that was not seen before is text. It names its value all the same."""
        text = key.value
        if key.tag is not None:
            if key.tag not in _TEXT:
                self._unknown_tag(key)
        elif plain(text).__class__ is str:
            if text != "<<":
                self._names.add(text)
        elif not key.style:
            self._report(
                key,
                "non-string-key",
                f"a key must be text, and YAML reads {text or 'nothing'} as {kind_of(plain(text))}",
                f"write {quoted(text)}",
            )

    def _aliases_are_sane(self, root: Node) -> bool:
        """Sizes are counted once per node: a bomb of a few lines is weighed without setting it off."""
        sizes: dict[int, int] = {}
        open_nodes: set[int] = set()
        waiting: list[tuple[Node, bool]] = [(root, False)]
        while waiting:
            node, done = waiting.pop()
            if done:
                open_nodes.discard(id(node))
                sizes[id(node)] = 1 + sum(sizes[id(inner)] for inner in _below(node))
                continue
            if id(node) in open_nodes:
                self._report(
                    node,
                    "alias-loop",
                    "an alias leads back to the block that holds it, so the block never ends",
                    "remove the `*alias` inside of its own `&anchor`",
                )
                return False
            if id(node) in sizes:
                continue
            open_nodes.add(id(node))
            waiting.append((node, True))
            waiting += ((inner, False) for inner in _below(node))
        if sizes[id(root)] - len(sizes) > MOST_NODES:
            self._report(
                root,
                "alias-bomb",
                f"its aliases expand this file to more than {MOST_NODES:,} values",
                "write out what you need; use `defaults:` for what endpoints share",
            )
            return False
        return True

    def _duplicate(self, name: str, first: Node, again: Node) -> None:
        place = self._source.at(first)
        self._report(
            again,
            "duplicate-key",
            f"`{name}` is written twice in one mapping",
            f"keep one of the two; the first is at {place}",
        )

    def _bent(self, node: Node, bent: Bent) -> Problem:
        place = self._source.at(node)
        text, reads, hint = shortened(bent.text), bent.reads, f"write {quoted(bent.text)}"
        if MASK in place.text:
            text, reads, hint = MASK, "a number", "write it in double quotes"
        elif text != bent.text:
            hint = "write it in double quotes"
        elif reads[-1].isdigit():
            hint += f" for text, or {reads} for the number"
        return Problem(
            code="ambiguous-value", summary=f"YAML reads {text} as {reads}", hint=hint, place=place
        )

    def _unknown_tag(self, node: Node) -> None:
        tag = (node.tag or "").replace(_TAG, "!!")
        self._report(
            node, "unknown-tag", f"the tag {tag} means nothing here", "remove the tag; quote the value"
        )

    def _report(self, node: Node, code: str, summary: str, hint: str) -> None:
        self.problems.append(Problem(code=code, summary=summary, hint=hint, place=self._source.at(node)))


def _below(node: Node) -> list[Node]:
    if node.id == "mapping":
        return [inner for pair in node.value for inner in pair]
    return node.value if node.id == "sequence" else []
