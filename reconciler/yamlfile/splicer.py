"""Edits of a YAML text as cuts, which replace only the lines of the edited values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, assert_never

from reconciler.model.values import DataPath
from reconciler.yamlfile.edits import Append, Edit, Remove, Set
from reconciler.yamlfile.emitter import Indentation, is_inline, to_block, to_flow, to_pair, to_scalar
from reconciler.yamlfile.layout import Part, column_of, follow_path, line_end, line_start


class Cut(NamedTuple):
    """Replaces the text from `start` to `end` with `new`."""

    start: int
    end: int
    new: str


def apply_cuts(text: str, cuts: Iterable[Cut]) -> str:
    """Return the text after cuts, which are in order from its end to its start and do not overlap."""
    pieces: list[str] = []
    end = len(text)
    for cut in cuts:
        pieces += (text[cut.end : end], cut.new)
        end = cut.start
    return "".join(reversed([*pieces, text[:end]]))


class Splicer:
    """Makes cuts in a text, with the indentation that its lines have."""

    def __init__(self, text: str, root: Part) -> None:
        self._text = text
        self._root = root
        self._indentation = _indentation_of(root)

    def is_in_place(self, edit: Edit) -> bool:
        """Return whether an edit replaces one scalar of a map by another, and moves nothing else.

        The cuts of such edits do not depend on one another if their paths differ.
        """
        if not isinstance(edit, Set) or not is_inline(edit.value):
            return False
        parents, part, rest = follow_path(self._root, edit.path)
        return not rest and part.kind == "scalar" and bool(parents) and parents[-1][0].kind == "map"

    def cut(self, edit: Edit) -> Cut:
        """Return the cut of an edit. Raise LookupError for a path that does not exist or passes an alias."""
        match edit:
            case Set():
                return self._set(edit.path, edit.value)
            case Append():
                return self._append(edit.path, edit.value, edit.comment)
            case Remove():
                return self._remove(edit.path)
            case _:
                assert_never(edit)

    def _set(self, path: DataPath, value: Any, comment: str = "") -> Cut:
        parents, part, rest = follow_path(self._root, path)
        if not rest:
            return self._replaced(*parents[-1], value, comment)
        for step in reversed(rest[1:]):
            value = {_name(step): value}
        name = _name(rest[0])
        if part.kind == "map" and part.items:
            return self._inserted(part, name, value, comment)
        if part.kind == "map" or (part.kind == "scalar" and part.start == part.end):
            if not parents:
                return Cut(0, len(self._text), to_pair(name, value, self._indentation, comment) + "\n")
            return self._replaced(*parents[-1], {name: value})
        raise LookupError(name)

    def _append(self, path: DataPath, value: Any, comment: str) -> Cut:
        _, part, rest = follow_path(self._root, path)
        if rest or part.kind != "list" or not part.items:
            return self._set(path, [value], comment)
        last = part.items[-1]
        if part.is_flow:
            return self._after_in_flow(last, last.start, to_flow(value, _quotes(part)))
        lines = to_block([value], self._indentation, comment)
        return self._put_below(last.end, part.column, lines)

    def _remove(self, path: DataPath) -> Cut:
        parents, part, rest = follow_path(self._root, path)
        if rest:
            return Cut(part.start, part.start, "")
        parent, index = parents[-1]
        if len(parent.items) == 1 and len(parents) > 1:
            if parent.kind == "list":
                return self._replaced(*parents[-2], [])
            if parents[-2][0].kind == "map":
                return self._remove(path[:-1])
        if len(parent.items) == 1:
            return Cut(parent.start, parent.end, "{}" if parent.kind == "map" else "[]")
        if parent.is_flow:
            return self._removed_from_flow(parent, index)
        return self._removed_from_block(parent, index)

    def _replaced(self, parent: Part, index: int, value: Any, comment: str = "") -> Cut:
        old = parent.items[index]
        if parent.is_flow:
            return Cut(old.start, old.end, to_flow(value, old.style or _quotes(parent)))
        if is_inline(value):
            if old.is_block and parent.kind == "map":
                return Cut(self._colon(parent, index), old.end, " " + to_flow(value))
            space = " " if self._text[old.start - 1] in ":-" else ""
            return Cut(old.start, old.end, space + to_flow(value, old.style))
        same = old.is_block and (old.kind == "map") == isinstance(value, dict)
        if same or parent.kind == "list":
            column = old.column if same else column_of(self._text, old.start)
            lines = to_block(value, self._indentation).replace("\n", "\n" + " " * column)
            return Cut(old.start, old.end, lines)
        indent = self._indentation.map if isinstance(value, dict) else self._indentation.dash
        below = self._put_below(old.end, parent.column + indent, to_block(value, self._indentation, comment))
        return Cut(self._colon(parent, index), below.end, self._text[old.end : below.start] + below.new)

    def _inserted(self, part: Part, name: str, value: Any, comment: str) -> Cut:
        last = part.items[-1]
        if part.is_flow:
            style = _quotes(part)
            return self._after_in_flow(
                last, part.keys[-1].start, f"{to_scalar(name, style)}: {to_flow(value, style)}"
            )
        return self._put_below(last.end, part.column, to_pair(name, value, self._indentation, comment))

    def _put_below(self, position: int, column: int, lines: str) -> Cut:
        """Return a cut that adds lines at a column, after the line of a position."""
        at = line_end(self._text, position)
        margin = "\n" + " " * column
        return Cut(at, at, margin + lines.replace("\n", margin))

    def _after_in_flow(self, last: Part, start: int, new: str) -> Cut:
        """Return a cut that adds an entry after the last one, which begins at `start`, in the same style."""
        before = self._text[line_start(self._text, start) : start]
        between = ",\n" + before if not before.strip() else ", "
        return Cut(last.end, last.end, between + new)

    def _removed_from_flow(self, parent: Part, index: int) -> Cut:
        heads, items = parent.keys or parent.items, parent.items
        if index + 1 == len(items):
            return Cut(items[index - 1].end, items[index].end, "")
        start, end = heads[index].start, heads[index + 1].start
        before = items[index - 1].end if index else start
        if self._text[before:start].strip() == self._text[items[index].end : end].strip() == ",":
            return Cut(before, items[index].end, "")  # it does not overlap a cut of the next item
        return Cut(start, end, "")

    def _removed_from_block(self, parent: Part, index: int) -> Cut:
        start, end = self._start(parent, index), line_end(self._text, parent.items[index].end)
        if not self._text[line_start(self._text, start) : start].strip():
            return self._cut_lines(start, end)
        # the first key of a list item is on the line of the dash, which stays for the next key
        below = self._start(parent, 1)
        if line_start(self._text, below) == end + 1:
            return Cut(start, below, "")
        return Cut(start, parent.items[0].end, "")

    def _start(self, parent: Part, index: int) -> int:
        """Return the start of a key, or of the dash of an item."""
        return parent.keys[index].start if parent.keys else self._dash(parent, index)

    def _cut_lines(self, start: int, end: int) -> Cut:
        """Return a cut that removes the lines from that of `start` to the one that ends at `end`."""
        start = line_start(self._text, start)
        if end == len(self._text):
            return Cut(max(start - 1, 0), end, "")
        return Cut(start, end + 1, "")

    def _dash(self, parent: Part, index: int) -> int:
        """Return the index of the dash of an item, in its line or in a line above."""
        start = line_start(self._text, parent.items[index].start)
        while self._text[start + parent.column : start + parent.column + 1] != "-":
            if start <= parent.start:
                raise LookupError(index)
            start = line_start(self._text, start - 1)
        return start + parent.column

    def _colon(self, parent: Part, index: int) -> int:
        """Return the index after the colon of a key."""
        return self._text.index(":", parent.keys[index].end) + 1


def _name(step: str | int) -> str:
    if isinstance(step, str):
        return step
    raise LookupError(step)


def _quotes(part: Part) -> str:
    """Return the quote character of the keys of a flow map, or of the scalars of a list."""
    first = part.keys[0] if part.keys else part.items[0] if part.items else None
    return first.style if first is not None and first.kind == "scalar" else ""


def _indentation_of(root: Part) -> Indentation:
    """Return the indentation of the first map and the first list below a key."""
    steps = (inner.column - outer.column for outer, inner in nested(root) if inner.kind == "map")
    dashes = (inner.column - outer.column for outer, inner in nested(root) if inner.kind == "list")
    return Indentation(map=next(steps, 2), dash=next(dashes, 2))


def nested(part: Part) -> Iterator[tuple[Part, Part]]:
    """Yield each block map with each map or list in block style below one of its keys."""
    for item in part.items:
        if part.kind == "map" and part.is_block and item.is_block:
            yield part, item
        yield from nested(item)
