"""Builds plain data from a node tree; duplicate keys, keys that are not text, and alias bombs are problems.

Words are parsed once per file, which makes this several times faster than PyYAML's constructor.
"""

from __future__ import annotations

from sys import intern
from typing import Any, Final

from reconciler.model.problem import Problem
from reconciler.model.secrets import MASK
from reconciler.yamlfile.document import Position, Source, position
from reconciler.yamlfile.nodes import MAX_DEPTH, Node
from reconciler.yamlfile.scalars import AmbiguousWord, double_quoted, parse_scalar, truncated, type_name

MAX_NODES: Final = 1_000_000

_TAG: Final = "tag:yaml.org,2002:"
_SCALAR_TAGS: Final = {_TAG + name for name in ("int", "float", "bool", "null")}
_TEXT_TAGS: Final = {_TAG + "str", _TAG + "timestamp", "!"}
_KEY_HINT: Final = "write `key: value`"
_COLLECTION_TAGS: Final = {"mapping": {_TAG + "map"}, "sequence": {_TAG + "seq"}}


class BuiltItem:
    """The data of an item; it replaces the node of the item in the tree."""

    __slots__ = ("data",)

    def __init__(self, data: Any) -> None:
        self.data = data


class Builder:
    """Builds the data of one file and collects its problems."""

    def __init__(self, source: Source) -> None:
        self.problems: list[Problem] = []
        self.ambiguous: list[tuple[Position, Problem]] = []
        self._source = source
        self._words: dict[str, Any] = {}
        self._names: set[str] = set()

    def build(self, root: Node) -> Any:
        """Return the data, or None if aliases make it endless or far too large."""
        if not self.has_no_aliases and not self._check_aliases(root):
            return None
        return self._value(root, 0)

    @property
    def has_no_aliases(self) -> bool:
        """True if the text has no alias, so that each value occurs once."""
        text = self._source.text
        return "&" not in text or "*" not in text

    def build_item(self, node: Node, _key: str, _index: int) -> BuiltItem:
        """Return the data of an item of a list below the root, before `build` is called for the tree."""
        return BuiltItem(self._value(node, 2))

    def _value(self, node: Node, depth: int) -> Any:
        value = node.value
        if value.__class__ is str:
            if node.tag is None:
                if node.style:
                    return intern(value)
                words = self._words
                return words[value] if value in words else self._parse_word(node)
            return self._tagged(node)
        if depth >= MAX_DEPTH:
            self._report(node, "too-deep", f"this is nested more than {MAX_DEPTH} levels deep", "flatten it")
            return None
        if node.tag is not None and node.tag not in _COLLECTION_TAGS[node.id]:
            self._unknown_tag(node)
        if node.id == "sequence":
            return [
                item.data if item.__class__ is BuiltItem else self._value(item, depth + 1) for item in value
            ]
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
                    self._report(
                        key, "non-string-key", "a key must be text, not a list or a mapping", _KEY_HINT
                    )
                    continue
                self._check_name(key)
            if name in data:
                if first is None:
                    first = {
                        other.value: other
                        for other, _ in reversed(node.value)
                        if isinstance(other.value, str)
                    }
                self._duplicate(name, first[name], key)
                continue
            # The common cases of `_value`, inlined to save a call for every word of the file.
            text = value.value
            if text.__class__ is str and value.tag is None and (value.style or text in words):
                data[name] = intern(text) if value.style else words[text]
            else:
                data[name] = self._value(value, depth + 1)
        for value in inherited:
            self._inherit(data, value, depth)
        return data

    def _inherit(self, data: dict[str, Any], value: Node, depth: int) -> None:
        """Add the keys of `<<` that the mapping does not have; earlier mappings take precedence."""
        for source in value.value if value.id == "sequence" else [value]:
            if source.id != "mapping":
                self._report(
                    source,
                    "invalid-yaml",
                    "`<<` merges mappings, and this is not one",
                    "write `<<: *name`, where `&name` marks a mapping",
                )
                continue
            merged = self._value(source, depth + 1)
            for name, item in (merged or {}).items():
                data.setdefault(name, item)

    def _parse_word(self, node: Node) -> Any:
        """Return the meaning of an unquoted word that occurs for the first time in the file."""
        meaning = parse_scalar(node.value)
        if isinstance(meaning, AmbiguousWord):
            self.ambiguous.append((position(node), self._ambiguous_problem(node, meaning)))
            return node.value
        self._words[node.value] = meaning
        return meaning

    def _tagged(self, node: Node) -> Any:
        if node.tag in _TEXT_TAGS:
            return node.value
        if node.tag in _SCALAR_TAGS:
            return self._parse_word(node)
        self._unknown_tag(node)
        return node.value

    def _check_name(self, key: Node) -> None:
        """Report a key that is not text, at its first occurrence. Its value keeps the name."""
        text = key.value
        if key.tag is not None:
            if key.tag not in _TEXT_TAGS:
                self._unknown_tag(key)
        elif parse_scalar(text).__class__ is str:
            if text != "<<":
                self._names.add(text)
        elif not key.style:
            self._report(
                key,
                "non-string-key",
                f"a key must be text, and YAML reads {text or 'nothing'} as {type_name(parse_scalar(text))}",
                f"write {double_quoted(text)}",
            )

    def _check_aliases(self, root: Node) -> bool:
        """Return False and report aliases that form a loop or expand to too many values.

        The size of each node is computed once, so that an alias bomb is measured without expanding it.
        """
        sizes: dict[int, int] = {}
        open_nodes: set[int] = set()
        pending: list[tuple[Node, bool]] = [(root, False)]
        while pending:
            node, is_done = pending.pop()
            if is_done:
                open_nodes.discard(id(node))
                sizes[id(node)] = 1 + sum(sizes[id(inner)] for inner in _below(node))
                continue
            if id(node) in open_nodes:
                self._report(
                    node,
                    "alias-loop",
                    "an alias refers to the block that contains it, so the block never ends",
                    "remove the `*alias` inside of its own `&anchor`",
                )
                return False
            if id(node) in sizes:
                continue
            open_nodes.add(id(node))
            pending.append((node, True))
            pending += ((inner, False) for inner in _below(node))
        if sizes[id(root)] - len(sizes) > MAX_NODES:
            self._report(
                root,
                "alias-bomb",
                f"its aliases expand this file to more than {MAX_NODES:,} values",
                "write the values out; use `defaults:` for what endpoints share",
            )
            return False
        return True

    def _duplicate(self, name: str, first: Node, again: Node) -> None:
        place = self._source.place_of_node(first)
        self._report(
            again,
            "duplicate-key",
            f"`{name}` is written twice in one mapping",
            f"keep one of the two; the first is at {place}",
        )

    def _ambiguous_problem(self, node: Node, word: AmbiguousWord) -> Problem:
        place = self._source.place_of_node(node)
        text, meaning, hint = truncated(word.text), word.meaning, f"write {double_quoted(word.text)}"
        if MASK in place.text:
            text, meaning, hint = MASK, "a number", "write it in double quotes"
        elif text != word.text:
            hint = "write it in double quotes"
        elif meaning[-1].isdigit():
            hint += f" for text, or {meaning} for the number"
        return Problem(
            code="ambiguous-value", summary=f"YAML reads {text} as {meaning}", hint=hint, place=place
        )

    def _unknown_tag(self, node: Node) -> None:
        tag = (node.tag or "").replace(_TAG, "!!")
        self._report(
            node, "unknown-tag", f"the tag {tag} is not supported", "remove the tag; quote the value"
        )

    def _report(self, node: Node, code: str, summary: str, hint: str) -> None:
        self.problems.append(
            Problem(code=code, summary=summary, hint=hint, place=self._source.place_of_node(node))
        )


def _below(node: Node) -> list[Node]:
    if node.id == "mapping":
        return [inner for pair in node.value for inner in pair]
    return node.value if node.id == "sequence" else []
