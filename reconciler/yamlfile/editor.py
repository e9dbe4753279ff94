"""Edits a YAML or JSON text in place: comments, quotes, order and layout stay.

Only the lines of the edited values change, which no YAML library that writes the whole file can guarantee.
The result is parsed again and compared with the intended data before it is returned.
"""

from __future__ import annotations

import json as jsonlib
import re
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise, takewhile
from typing import Any, Final

from reconciler.model.errors import InvalidConfig
from reconciler.model.problem import Problem
from reconciler.yamlfile import block, json_parser
from reconciler.yamlfile.edits import Append, Edit, Remove, Set, apply_edits, edit_rounds
from reconciler.yamlfile.emitter import to_pair
from reconciler.yamlfile.hidden_items import without_other_items
from reconciler.yamlfile.layout import Part, outline, parse_layout
from reconciler.yamlfile.parser import parse_tree
from reconciler.yamlfile.reader import BOM, parse
from reconciler.yamlfile.splicer import Cut, Splicer, apply_cuts, nested

_UNPRINTABLE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""Characters that JSON allows and YAML or an editor does not."""

_INDENT: Final = re.compile(r"\n([ \t]+)\S")


def edit_text(text: str, edits: Sequence[Edit], *, json: bool = False, shown: str = "this file") -> str:
    """Return the text after the edits, in order; `json` means that it is a JSON file.

    Raise InvalidConfig if an edit is impossible, such as inside of a value that an alias shares.
    """
    before = parse(text.removeprefix(BOM), shown)
    if before.problems:
        raise InvalidConfig(*before.problems)
    try:
        expected = apply_edits(before.data, edits)
        if json:
            result = _as_json(text, edits, expected)
        else:
            result = _as_yaml(text, edits, partial(_parse_yaml, plain=text if before.is_plain else None))
    except (LookupError, ValueError) as error:
        raise _cannot_edit(shown) from error
    after = parse(result.removeprefix(BOM), shown)
    if after.problems or len(after.ambiguous) > len(before.ambiguous) or after.data != expected:
        raise _cannot_edit(shown)
    return result


def _parse_yaml(text: str, edits: Sequence[Edit], *, plain: str | None) -> Any:
    """Return the node tree, in which parts stand for the items of lists.

    Items that no edit touches are hidden in a plain text, and outlines in others, so that the tree of ten
    thousand endpoints is never in memory. plain: the text before all edits, None if it was not plain.
    """
    if "&" in text and "*" in text:
        return parse_tree(text)
    edited = {edit.path[:2] for edit in edits}
    has_step = False  # a map below a key was seen, which shows the indentation of the file

    def on_item(node: Any, key: str, index: int) -> Part:
        nonlocal has_step
        if (key, index) not in edited and (has_step or node.id == "scalar" or node.flow_style):
            return outline(text, node)
        part = parse_layout(text, node)
        has_step = has_step or any(inner.kind == "map" for _, inner in nested(part))
        return part

    is_plain = plain is not None and (text == plain or block.parse(text) is not None)
    return parse_tree(without_other_items(text, edited) if is_plain else text, on_item)


def _as_yaml(text: str, edits: Sequence[Edit], parse_nodes: Callable[[str, Sequence[Edit]], Any]) -> str:
    bom = BOM if text.startswith(BOM) else ""
    text = text.removeprefix(BOM)
    is_crlf = text.count("\r\n") == text.count("\n") > 0
    if is_crlf:
        text = text.replace("\r\n", "\n")
    for pending in edit_rounds(edits):
        while pending:
            text, pending = _apply_first(text, pending, parse_nodes)
    return bom + (text.replace("\n", "\r\n") if is_crlf else text)


def _apply_first(
    text: str, groups: list[list[Edit]], parse_nodes: Callable[[str, Sequence[Edit]], Any]
) -> tuple[str, list[list[Edit]]]:
    """Return the text after the first edits of a round, and the groups of the remaining ones.

    Of each group these are the edits in place at its beginning, or its first edit.
    """
    root = parse_nodes(text, [edit for group in groups for edit in group])
    if root is None:
        (first, *rest), *others = groups
        return _start_text(text, first), [rest, *others] if rest else others
    splicer = Splicer(text, parse_layout(text, root))
    cuts: list[Cut] = []
    later: list[list[Edit]] = []
    for number, group in enumerate(groups):
        count = _count_in_place(splicer, group) or 1
        new = sorted(map(splicer.cut, group[:count]), key=lambda cut: cut.start, reverse=True)
        if any(below.start < above.end for below, above in pairwise([*cuts[-1:], *new])):
            return apply_cuts(text, cuts), [*later, *groups[number:]]
        cuts += new
        later += [group[count:]] if count < len(group) else []
    return apply_cuts(text, cuts), later


def _count_in_place(splicer: Splicer, group: Sequence[Edit]) -> int:
    """Return how many edits at the beginning of a group are in place, each at a path of its own."""
    paths = {edit.path for edit in takewhile(splicer.is_in_place, group)}
    return len(paths) if len({edit.path for edit in group[: len(paths)]}) == len(paths) else 0


def _start_text(text: str, edit: Edit) -> str:
    """Return a text without data after its first edit."""
    if isinstance(edit, Remove):
        return text
    ended = text if not text or text.endswith("\n") else text + "\n"
    ((name, value),) = apply_edits(None, [edit]).items()
    return ended + to_pair(name, value, comment=getattr(edit, "comment", "")) + "\n"


def _as_json(text: str, edits: Sequence[Edit], expected: Any) -> str:
    """Return the JSON text after the edits; the text is written rewritten if editing it in place fails."""
    try:
        result = _as_yaml(text, edits, lambda text, _: json_parser.parse_tree(text))
        if jsonlib.loads(result.removeprefix(BOM)) == expected:
            return result
    except (LookupError, ValueError, json_parser.InvalidJson):
        pass
    match = _INDENT.search(text)
    dumped = jsonlib.dumps(expected, indent=match[1] if match else None, ensure_ascii=False)
    rewritten = _UNPRINTABLE.sub(lambda found: jsonlib.dumps(found[0])[1:-1], dumped)
    start, end = BOM * text.startswith(BOM), "\n" * text.endswith("\n")
    return start + (rewritten + end).replace("\n", "\r\n" if "\r\n" in text else "\n")


def _cannot_edit(shown: str) -> InvalidConfig:
    return InvalidConfig(
        Problem(
            code="cannot-edit",
            summary=f"{shown} cannot be edited without changing other values",
            hint="an anchor, an alias or an unusual layout prevents it; edit the file by hand",
        )
    )


__all__ = ["Append", "Edit", "Remove", "Set", "edit_text"]
