"""The only door to PyYAML: a text -> its node tree, whole or item by item."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from itertools import accumulate
from typing import Any, Final, TypeAlias

from reconciler.yamlfile import line_separators
from reconciler.yamlfile.nodes import DEEPEST, Node

HALF: Final = re.compile(r"\\u[dD]")
"""What an escaped half of a character begins with."""

_BRACKET: Final = re.compile(r"[\[\]{}]")
_DASHES: Final = rf"(?:[-?:] ){{{DEEPEST}}}"
_NESTED: Final = tuple(f"{one} {other} " for one in "-?:" for other in "-?:")
_PAIR: Final = re.compile(r"\\\\|\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})", re.IGNORECASE)

EachItem: TypeAlias = Callable[[Node], Any]
"""Takes an item of a list; what it returns stands in the tree in its stead."""


class NotYaml(Exception):
    """PyYAML refused a text. `said` is its error; None where it cannot place a forbidden character."""

    def __init__(self, said: Any = None) -> None:
        super().__init__(said)
        self.said = said


def tree(text: str) -> Node | None:
    """The node tree; None where there is none, because the text is empty or not YAML."""
    try:
        return None if too_deep(text) else compose(text)
    except NotYaml:
        return None


def compose(text: str, each: EachItem | None = None, *, pure: bool = False) -> Node | None:
    """The node tree of a text that is not `too_deep`. Raises NotYaml.

    `each` is given the items of the lists that are values of the root, all but the last of each list, as
    soon as they were read: the tree of ten thousand endpoints need never be there as a whole.
    """
    import yaml

    disguise = line_separators.Disguise(text) if line_separators.are_in(text) else None
    try:
        loader = _loader(pure)(_pairs_joined(disguise.text if disguise else text))
        loader.each = None if disguise else each
        found: Node | None = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        raise NotYaml(error) from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise NotYaml from error
    if disguise:
        disguise.undo(found)
    return found


@cache
def _loader(pure: bool) -> Any:
    """PyYAML up to its node tree. Meaning is ours (`scalars`), which also saves a third of the time."""
    import yaml

    class Plain:
        each: EachItem | None = None
        _root: Any = None
        _list: Any = ...
        _is_below_root = False

        def resolve(self, *_: Any) -> None:
            """No tag but the ones that are written."""

        def descend_resolver(self, parent: Any, index: Any) -> None:
            """PyYAML is about to read the child `index` of a node: a number in a list, a key in a mapping."""
            if parent is self._list:
                if index and self.each is not None:
                    done = parent.value
                    done[index - 1] = self.each(done[index - 1])
            elif self._root is None:
                self._root = parent
            elif parent is self._root:
                # no list in a key, and none under `<<`, whose items must still be mappings when it is merged
                key = getattr(index, "value", None)
                self._is_below_root = isinstance(key, str) and key != "<<"
            elif self._is_below_root:
                self._is_below_root = False
                if index == 0:
                    self._list = parent

        def ascend_resolver(self) -> None: ...

        def dispose(self) -> None: ...

    compiled = None if pure else getattr(getattr(yaml, "cyaml", None), "CParser", None)
    if compiled is not None:
        return type("Loader", (Plain, compiled), {})

    from yaml.composer import Composer
    from yaml.parser import Parser
    from yaml.reader import Reader
    from yaml.scanner import Scanner

    class Loader(Plain, Reader, Scanner, Parser, Composer):
        def __init__(self, stream: str) -> None:
            Reader.__init__(self, stream)
            Scanner.__init__(self)
            Parser.__init__(self)
            Composer.__init__(self)

    return Loader


def too_deep(text: str) -> bool:
    """A guess on the safe side: libyaml recurses in C, where too deep is a crash and no exception."""
    steps = (1 if bracket[0] in "[{" else -1 for bracket in _BRACKET.finditer(text))
    if max(accumulate(steps), default=0) > DEEPEST * 2:
        return True
    nested = any(two in text for two in _NESTED) and re.search(_DASHES, text) is not None
    return nested or "\n" + " " * 2000 in text


def _pairs_joined(text: str) -> str:
    r"""JSON writes 😀 as two halves, `\ud83d\ude00`, which YAML does not know: `\U0001f600`."""
    if not HALF.search(text):
        return text

    def join(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0]
        code = 0x10000 + ((int(found[1], 16) & 0x3FF) << 10) + (int(found[2], 16) & 0x3FF)
        return f"\\U{code:08x}"

    return _PAIR.sub(join, text)
