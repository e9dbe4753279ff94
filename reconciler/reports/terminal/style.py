"""Text styles of terminal output; without colour they leave the text as it is."""

from __future__ import annotations

from reconciler.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """Wraps text in ANSI escape codes if `colour` is true."""

    colour: bool = False

    def added(self, text: str) -> str:
        return self._wrap("32", text)

    def changed(self, text: str) -> str:
        return self._wrap("33", text)

    def removed(self, text: str) -> str:
        return self._wrap("31", text)

    def bold(self, text: str) -> str:
        return self._wrap("1", text)

    def dim(self, text: str) -> str:
        return self._wrap("2", text)

    def error(self, text: str) -> str:
        return self._wrap("1;31", text)

    def _wrap(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text


PLAIN = Style()
