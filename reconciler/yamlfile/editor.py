"""Edits of a file as text: comments, quotes, order and layout stay, and nothing else is said than was meant.

Only the lines that an edit is about change, which no reader-and-writer of YAML can promise. What comes out is
read again and compared with what was meant before anybody gets to see it.
"""

from __future__ import annotations

import json as jsonlib
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from reconciler.model.errors import InvalidConfig
from reconciler.model.problem import Problem
from reconciler.yamlfile import json_parser
from reconciler.yamlfile.edits import Append, Edit, Remove, Set, edited_data, rounds
from reconciler.yamlfile.emitter import pair
from reconciler.yamlfile.layout import parts_of
from reconciler.yamlfile.parser import tree
from reconciler.yamlfile.reader import BOM, parse
from reconciler.yamlfile.splicer import Cut, Splicer, spliced

_INDENT: Final = re.compile(r"\n([ \t]+)\S")


def edited(text: str, edits: Sequence[Edit], *, json: bool = False, shown: str = "this file") -> str:
    """The text after the edits, one after the other; of a JSON file with `json`.

    Raises InvalidConfig where it cannot be had, such as inside of a value that an alias shares with others.
    """
    before = parse(text.removeprefix(BOM), shown)
    if before.problems:
        raise InvalidConfig(*before.problems)
    try:
        meant = edited_data(before.data, edits)
        result = _as_json(text, edits, meant) if json else _as_yaml(text, edits)
    except (LookupError, ValueError) as error:
        raise _cannot(shown) from error
    after = parse(result.removeprefix(BOM), shown)
    if after.problems or len(after.bent) > len(before.bent) or after.data != meant:
        raise _cannot(shown)
    return result


def _as_yaml(text: str, edits: Sequence[Edit], read: Callable[[str], Any] = tree) -> str:
    bom = BOM if text.startswith(BOM) else ""
    text = text.removeprefix(BOM)
    is_dos = text.count("\r\n") == text.count("\n") > 0
    if is_dos:
        text = text.replace("\r\n", "\n")
    for waiting in rounds(edits):
        while waiting:
            text, waiting = _after(text, waiting, read)
    return bom + (text.replace("\n", "\r\n") if is_dos else text)


def _after(text: str, edits: list[Edit], read: Callable[[str], Any]) -> tuple[str, list[Edit]]:
    """The text after the first edits of a round, as far as each is above the one before, and those left."""
    root = read(text)
    if root is None:
        return _begun(text, edits[0]), edits[1:]
    splicer = Splicer(text, parts_of(text, root))
    cuts: list[Cut] = []
    for edit in edits:
        cut = splicer.cut(edit)
        if cuts and cut.end > cuts[-1].start:
            break
        cuts.append(cut)
    return spliced(text, cuts), edits[len(cuts) :]


def _begun(text: str, edit: Edit) -> str:
    """A text that held no data, after its first edit."""
    if isinstance(edit, Remove):
        return text
    ended = text if not text or text.endswith("\n") else text + "\n"
    ((name, value),) = edited_data(None, [edit]).items()
    return ended + pair(name, value, comment=getattr(edit, "comment", "")) + "\n"


def _as_json(text: str, edits: Sequence[Edit], meant: Any) -> str:
    """The same for JSON, which is YAML all in the flow; written anew where something else would come out."""
    try:
        result = _as_yaml(text, edits, json_parser.tree)
        if jsonlib.loads(result.removeprefix(BOM)) == meant:
            return result
    except (LookupError, ValueError, json_parser.NotJson):
        pass
    found = _INDENT.search(text)
    anew = jsonlib.dumps(meant, indent=found[1] if found else None, ensure_ascii=False)
    start, end = BOM * text.startswith(BOM), "\n" * text.endswith("\n")
    return start + (anew + end).replace("\n", "\r\n" if "\r\n" in text else "\n")


def _cannot(shown: str) -> InvalidConfig:
    return InvalidConfig(
        Problem(
            code="cannot-edit",
            summary=f"{shown} cannot be edited without touching more than is meant",
            hint="an anchor, an alias or an unusual layout stands in the way; make the change by hand",
        )
    )


__all__ = ["Append", "Edit", "Remove", "Set", "edited"]
