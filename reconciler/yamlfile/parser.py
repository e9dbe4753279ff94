"""Parses YAML into a node tree, as a whole or item by item. Only this module uses PyYAML."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from itertools import accumulate
from typing import Any, Final, TypeAlias

from reconciler.yamlfile import line_separators
from reconciler.yamlfile.nodes import MAX_DEPTH, Node

SURROGATE_ESCAPE: Final = re.compile(r"\\u[dD]")
"""The beginning of an escaped surrogate, which is half of a character."""

_BRACKET: Final = re.compile(r"[\[\]{}]")
_DASHES: Final = rf"(?:[-?:] ){{{MAX_DEPTH}}}"
_NESTED: Final = re.compile(" [-?:] [-?:] ")
_SURROGATE_PAIR: Final = r"(?i)\\\\|\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})"

ItemHook: TypeAlias = Callable[[Node, str, int], Any]
"""Takes an item of a list, the key of the list and the index. Returns what replaces the item in the tree."""


class InvalidYaml(Exception):
    """PyYAML refused a text. `cause` is its error, or None for a forbidden character without a position."""

    def __init__(self, cause: Any = None) -> None:
        super().__init__(cause)
        self.cause = cause


def parse_tree(text: str, on_item: ItemHook | None = None) -> Node | None:
    """Return the node tree, or None if the text is empty or not valid YAML. See `compose` for `on_item`."""
    try:
        return None if is_too_deep(text) else compose(text, on_item)
    except InvalidYaml:
        return None


def compose(text: str, on_item: ItemHook | None = None, *, pure: bool = False) -> Node | None:
    """Return the node tree of a text that is not `is_too_deep`. Raise InvalidYaml.

    `on_item` is called with the items of lists that are values of the root, except the last of each list, as
    soon as they are parsed. So the tree of ten thousand endpoints is never in memory as a whole.
    """
    import yaml

    placeholders = line_separators.Placeholders(text) if line_separators.are_in(text) else None
    try:
        loader = _loader(pure)(_with_joined_surrogates(placeholders.text if placeholders else text))
        loader.on_item = None if placeholders else on_item
        root: Node | None = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        raise InvalidYaml(error) from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise InvalidYaml from error
    if placeholders:
        placeholders.restore(root)
    return root


@cache
def _loader(pure: bool) -> Any:
    """Return PyYAML's loader of node trees. It does not resolve scalars, which saves a third of the time."""
    import yaml

    class NodesOnly:
        on_item: ItemHook | None = None
        _root: Any = None
        _list: Any = ...
        _list_key = ""
        _key: str | None = None

        def resolve(self, *_: Any) -> None:
            """Resolve no tags except explicit ones."""

        def descend_resolver(self, parent: Any, index: Any) -> None:
            """Handle the next child of a node; `index` is a number in a list and a key in a mapping."""
            if parent is self._list:
                if index and self.on_item is not None:
                    items = parent.value
                    items[index - 1] = self.on_item(items[index - 1], self._list_key, index - 1)
            elif self._root is None:
                self._root = parent
            elif parent is self._root:
                # not a list in a key, and not one under `<<`, whose items must stay nodes for the merge
                key = getattr(index, "value", None)
                self._key = key if isinstance(key, str) and key != "<<" else None
            elif self._key is not None:
                if index == 0:
                    self._list, self._list_key = parent, self._key
                self._key = None

        def ascend_resolver(self) -> None: ...

        def dispose(self) -> None: ...

    compiled = None if pure else getattr(getattr(yaml, "cyaml", None), "CParser", None)
    if compiled is not None:
        return type("Loader", (NodesOnly, compiled), {})

    from yaml.composer import Composer
    from yaml.parser import Parser
    from yaml.reader import Reader
    from yaml.scanner import Scanner

    class Loader(NodesOnly, Reader, Scanner, Parser, Composer):
        def __init__(self, stream: str) -> None:
            Reader.__init__(self, stream)
            Scanner.__init__(self)
            Parser.__init__(self)
            Composer.__init__(self)

    return Loader


def is_too_deep(text: str) -> bool:
    """Return True if a text may be nested too deeply; libyaml recurses in C, where that would be a crash."""
    if text.count("[") + text.count("{") > MAX_DEPTH * 2:  # most files have few, and counting is fast
        steps = (1 if bracket[0] in "[{" else -1 for bracket in _BRACKET.finditer(text))
        if max(accumulate(steps), default=0) > MAX_DEPTH * 2:
            return True
    is_nested = _NESTED.search(text) and re.search(_DASHES, text)
    return bool(is_nested) or "\n" + " " * 2000 in text


def _with_joined_surrogates(text: str) -> str:
    r"""Return the text with `\U0001f600` for surrogate pairs such as `\ud83d\ude00`, which YAML lacks."""
    if not SURROGATE_ESCAPE.search(text):
        return text

    def join(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0]
        code = 0x10000 + ((int(match[1], 16) & 0x3FF) << 10) + (int(match[2], 16) & 0x3FF)
        return f"\\U{code:08x}"

    return re.sub(_SURROGATE_PAIR, join, text)
