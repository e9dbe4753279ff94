"""The only door to PyYAML: a file or a text -> a `Document`, and friendly words when it is not YAML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

from reconciler.config.construct import DEEPEST, Builder
from reconciler.config.document import Document, Node, Source, walk
from reconciler.config.files import NO_TEXTS, Texts, absolute
from reconciler.config.jargon import in_plain_words
from reconciler.model.problem import Place, Problem

BOM: Final = "\ufeff"
LARGEST_MIB: Final = 32

_BOMS: Final = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_CONTROL: Final = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BRACKET: Final = re.compile(r"[\[\]{}]")
_DASHES: Final = re.compile(rf"(?:[-?:] ){{{DEEPEST}}}")
_HALF: Final = re.compile("[\ud800-\udfff]")
_NESTED: Final = tuple(f"{one} {other} " for one in "-?:" for other in "-?:")
_PAIR: Final = re.compile(r"\\\\|\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})", re.IGNORECASE)


def read(path: Path, shown: str, instead: Texts = NO_TEXTS) -> Document:
    """The document in a file, or in the text that stands in for it.

    Never raises for what a user can do; see its `problems`.
    """
    if instead and (text := instead.get(absolute(path))) is not None:
        return parse(text.removeprefix(BOM), shown)
    try:
        if path.exists() and not path.is_file():
            # A pipe would be waited for, and a directory has no text.
            return _unreadable(shown, "this is not a file", "name a YAML or JSON file")
        raw = path.read_bytes()
    except FileNotFoundError:
        return _unreadable(
            shown, "there is no such file", "check the path; it is relative to -C DIR", "file-not-found"
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return _unreadable(shown, f"this file cannot be read: {reason.lower()}", "check its permissions")
    if len(raw) > LARGEST_MIB * 2**20:
        return _unreadable(
            shown, f"this file is larger than {LARGEST_MIB} MiB", "split it into several files"
        )
    return _decoded(raw, shown)


def parse(text: str, shown: str, *, pure: bool = False) -> Document:
    """The document in a text. `pure` reads without libyaml, as on machines that lack it."""
    source = Source(shown, text)
    if _nested_too_deep(text):
        problem = Problem(
            code="too-deep",
            summary=f"this file is nested more than {DEEPEST} levels deep",
            hint="flatten it; check for brackets that are never closed",
            place=source.place(0, 0),
        )
        return Document(source, None, None, (problem,))
    import yaml

    try:
        root: Any = yaml.compose(_pairs_joined(text), Loader=_loader(pure))
    except yaml.MarkedYAMLError as error:
        return Document(source, None, None, (in_plain_words(error, source),))
    except (yaml.YAMLError, ValueError, OverflowError):
        return Document(source, None, None, (_control_character(source),))
    if root is None:
        return Document(source, None, None)
    builder = Builder(source)
    data = builder.build(root)
    if halves := _halves(source, root):
        return Document(source, None, root, tuple(halves))
    return Document(source, data, root, tuple(builder.problems), tuple(builder.bent))


@contextmanager
def collector_paused() -> Iterator[None]:
    """No garbage collection meanwhile: reading makes many small objects, all of which are kept.

    The collector would walk them over and over, for as long as the reading itself takes.
    """
    import gc

    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@cache
def _loader(pure: bool) -> Any:
    """PyYAML up to its node tree. Meaning is ours (`scalars`), which also saves a third of the time."""
    import yaml

    class Plain:
        def resolve(self, *_: Any) -> None:
            """No tag but the ones that are written."""

        def descend_resolver(self, *_: Any) -> None: ...

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


def _decoded(raw: bytes, shown: str) -> Document:
    encoding = "utf-8"
    for bom, name in _BOMS:
        if raw.startswith(bom):
            raw, encoding = raw[len(bom) :], name
            break
    try:
        return parse(raw.decode(encoding), shown)
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode(encoding, errors="replace")
        source = Source(shown, raw.decode(encoding, errors="replace"))
        lines = Source(shown, before).lines
        problem = Problem(
            code="not-text",
            summary=f"this is not {encoding.upper()} text",
            hint="save the file as UTF-8",
            place=source.place(len(lines) - 1, len(lines[-1])),
        )
        return Document(source, None, None, (problem,))


def _nested_too_deep(text: str) -> bool:
    """A guess on the safe side: libyaml recurses in C, where too deep is a crash and no exception."""
    steps = (1 if bracket[0] in "[{" else -1 for bracket in _BRACKET.finditer(text))
    if max(accumulate(steps), default=0) > DEEPEST * 2:
        return True
    nested = any(two in text for two in _NESTED) and _DASHES.search(text) is not None
    return nested or "\n" + " " * 2000 in text


def _pairs_joined(text: str) -> str:
    r"""JSON writes 😀 as two halves, `\ud83d\ude00`, which YAML does not know: `\U0001f600`."""
    if "\\ud" not in text.lower():
        return text

    def join(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0]
        code = 0x10000 + ((int(found[1], 16) & 0x3FF) << 10) + (int(found[2], 16) & 0x3FF)
        return f"\\U{code:08x}"

    return _PAIR.sub(join, text)


def _halves(source: Source, root: Node) -> list[Problem]:
    r"""Lone halves of a character, `\ud83d`, which libyaml refuses and PyYAML's own reader lets pass."""
    if "\\ud" not in source.text.lower():
        return []
    return [
        Problem(
            code="not-text",
            summary="there is one half of a character here, written as an escape",
            hint="write both halves, or the character itself",
            place=source.at(node),
        )
        for node in walk(root)
        if node.id == "scalar" and _HALF.search(node.value)
    ]


def _control_character(source: Source) -> Problem:
    found = _CONTROL.search(source.text)
    place = source.place(0, 0)
    what = "a character"
    if found is not None:
        lines = Source(source.file, source.text[: found.start()]).lines
        place = source.place(len(lines) - 1, len(lines[-1]))
        what = f"the control character U+{ord(found[0]):04X}"
    return Problem(
        code="not-text",
        summary=f"there is {what} here that YAML does not allow",
        hint='remove it; inside of double quotes it can be written as "\\x00"',
        place=place,
    )


def _unreadable(shown: str, summary: str, hint: str, code: str = "unreadable-file") -> Document:
    place = Place(file=shown, line=1, column=1)
    return Document(
        Source(shown, ""), None, None, (Problem(code=code, summary=summary, hint=hint, place=place),)
    )


__all__ = ["Document", "Node", "collector_paused", "parse", "read"]
