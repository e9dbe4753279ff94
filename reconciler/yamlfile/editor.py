"""Edits a YAML or JSON text in place: comments, quotes, order and layout stay.

Only the lines of the edited values change, which no YAML library that writes the whole file can guarantee.
The result is parsed again and compared with the intended data before it is returned.
"""

from __future__ import annotations

import json as jsonlib
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from reconciler.model.errors import InvalidConfig
from reconciler.model.problem import Problem
from reconciler.yamlfile import json_parser
from reconciler.yamlfile.edits import Append, Edit, Remove, Set, apply_edits, edit_rounds
from reconciler.yamlfile.emitter import to_pair
from reconciler.yamlfile.layout import parse_layout
from reconciler.yamlfile.parser import parse_tree
from reconciler.yamlfile.reader import BOM, parse
from reconciler.yamlfile.splicer import Cut, Splicer, apply_cuts

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
        result = _as_json(text, edits, expected) if json else _as_yaml(text, edits)
    except (LookupError, ValueError) as error:
        raise _cannot_edit(shown) from error
    after = parse(result.removeprefix(BOM), shown)
    if after.problems or len(after.ambiguous) > len(before.ambiguous) or after.data != expected:
        raise _cannot_edit(shown)
    return result


def _as_yaml(text: str, edits: Sequence[Edit], parse_nodes: Callable[[str], Any] = parse_tree) -> str:
    bom = BOM if text.startswith(BOM) else ""
    text = text.removeprefix(BOM)
    is_crlf = text.count("\r\n") == text.count("\n") > 0
    if is_crlf:
        text = text.replace("\r\n", "\n")
    for pending in edit_rounds(edits):
        while pending:
            text, pending = _apply_first(text, pending, parse_nodes)
    return bom + (text.replace("\n", "\r\n") if is_crlf else text)


def _apply_first(text: str, edits: list[Edit], parse_nodes: Callable[[str], Any]) -> tuple[str, list[Edit]]:
    """Return the text after the first edits of a round, and the remaining ones.

    Each of the first edits is above the previous one.
    """
    root = parse_nodes(text)
    if root is None:
        return _start_text(text, edits[0]), edits[1:]
    splicer = Splicer(text, parse_layout(text, root))
    cuts: list[Cut] = []
    for edit in edits:
        cut = splicer.cut(edit)
        if cuts and cut.end > cuts[-1].start:
            break
        cuts.append(cut)
    return apply_cuts(text, cuts), edits[len(cuts) :]


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
        result = _as_yaml(text, edits, json_parser.parse_tree)
        if jsonlib.loads(result.removeprefix(BOM)) == expected:
            return result
    except (LookupError, ValueError, json_parser.InvalidJson):
        pass
    match = _INDENT.search(text)
    rewritten = jsonlib.dumps(expected, indent=match[1] if match else None, ensure_ascii=False)
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
