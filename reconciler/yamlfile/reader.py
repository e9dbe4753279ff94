"""Reads a file or a text into a `Document`, with readable problems if it is not valid YAML."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Final

from reconciler.model.problem import Place, Problem
from reconciler.yamlfile import block
from reconciler.yamlfile.document import Document, Source, merge_conflict
from reconciler.yamlfile.files import (
    NO_OVERRIDES,
    FileOverrides,
    RootDirectory,
    UnreadableFile,
    normalized_path,
    split_bom,
)

BOM: Final = "\ufeff"
MAX_SIZE_MIB: Final = 32

_LFS_POINTER: Final = "version https://git-lfs.github.com/spec/"

_parsed: ContextVar[dict[tuple[str, str], Document] | None] = ContextVar("parsed", default=None)
"""The documents of the block of `parsing_once`, by text and name."""


def read(
    path: Path,
    shown: str,
    overrides: FileOverrides = NO_OVERRIDES,
    *,
    root: RootDirectory | None = None,
    named: bool = False,
) -> Document:
    """Return the document in a file, or in the text that overrides it.

    The file must be below `root` after following links, unless the user `named` it. Errors are reported as
    `problems` of the document, which is shown to users under the name `shown`.
    """
    if overrides and (text := overrides.get(normalized_path(path))) is not None:
        return parse(text.removeprefix(BOM), shown)
    if not _is_text(shown):
        name = shown.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        return _unreadable(
            name, UnreadableFile("the name of this file is not UTF-8", "rename the file", "bad-file-name")
        )
    try:
        raw = (root or RootDirectory(path.parent)).read(path, MAX_SIZE_MIB * 2**20, named=named)
    except UnreadableFile as error:
        return _unreadable(shown, error)
    return _decoded(raw, shown)


@contextmanager
def parsing_once() -> Iterator[None]:
    """Parse each text once until the end of the block. The data of a document must not be changed."""
    token = _parsed.set({})
    try:
        yield
    finally:
        _parsed.reset(token)


def parse(text: str, shown: str, *, pure: bool = False) -> Document:
    """Return the document in a text. `pure` parses without libyaml, as on machines that lack it."""
    parsed = _parsed.get()
    if parsed is None:
        return _parse(text, shown, pure=pure)
    if (text, shown) not in parsed:
        parsed[text, shown] = _parse(text, shown, pure=pure)
    return parsed[text, shown]


def _parse(text: str, shown: str, *, pure: bool = False) -> Document:
    source = Source(shown, text)
    if "<<<<<<<" in text and (conflict := merge_conflict(source)):
        return Document(source, None, (conflict,))
    if text.startswith(_LFS_POINTER):
        return Document(source, None, (_lfs_pointer(source),))
    if not (pure or source.is_json) and (data := block.parse(text)) is not None:
        return Document(source, data, is_plain=True)
    from reconciler.yamlfile import tree_document

    return tree_document.from_json(source) if source.is_json else tree_document.from_yaml(source, pure=pure)


@contextmanager
def gc_paused() -> Iterator[None]:
    """Pause garbage collection, which takes as long as parsing because of the many small objects.

    The objects that were made meanwhile count as old afterwards. Otherwise the next collection would visit
    all of them at once, which takes a tenth of the time to make them.
    """
    import gc

    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.freeze()  # together these two move the objects to the oldest generation
            gc.unfreeze()
            gc.enable()


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _decoded(raw: bytes, shown: str) -> Document:
    text = decoded(raw, shown)
    if isinstance(text, Problem):
        return Document(Source(shown, ""), None, (text,))
    return parse(text, shown)


def decoded(raw: bytes, shown: str) -> str | Problem:
    """Return the text of a file without its byte order mark, or the problem of bytes that are no text."""
    raw, encoding = split_bom(raw)
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode(encoding, errors="replace")
        source = Source(shown, raw.decode(encoding, errors="replace"))
        lines = Source(shown, before).lines
        return Problem(
            code="not-text",
            summary=f"this is not {encoding.upper()} text",
            hint="save the file as UTF-8",
            place=source.place_at(len(lines) - 1, len(lines[-1])),
        )


def _lfs_pointer(source: Source) -> Problem:
    return Problem(
        code="lfs-pointer",
        summary="this file is in Git LFS, and only its pointer is here",
        hint="run `git lfs pull`; or take the file out of LFS, which `run --git` does not read",
        place=source.place_at(0, 0),
    )


def _unreadable(shown: str, error: UnreadableFile) -> Document:
    return Document(Source(shown, ""), None, (unreadable(shown, error),))


def unreadable(shown: str, error: UnreadableFile) -> Problem:
    """Return the problem of a file that cannot be read."""
    place = Place(file=shown, line=1, column=1)
    is_prefixed = error.code == "unreadable-file"
    summary = f"this file cannot be read: {error.reason}" if is_prefixed else error.reason
    return Problem(code=error.code, summary=summary, hint=error.hint, place=place)
