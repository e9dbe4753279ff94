"""Masking of secrets in a text of the server, in any of their usual encodings.

The text is decoded as a URL, as a JSON or shell string and as HTML, also nested, and so is what looks like
base64 or hexadecimal. Each decoding knows the span of the text behind each of its characters, and is searched
for the plain secrets. So each place is masked once, and the time grows with the length of the text and not
with the number of secrets.
"""

from __future__ import annotations

import binascii
import re
import string
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.secrets import MASK

MIN_LENGTH: Final = 6
"""Characters. A shorter secret is masked only as a whole word, because it is part of many other words."""

MAX_NESTING: Final = 2
"""The number of escapes that a secret may have around each other."""

_MIN_PREFIX: Final = 8
"""Characters of the beginning of a secret that are masked where the text is cut off."""

_MIN_LINE: Final = 16
"""Characters of a line of a multi-line secret that is masked by itself."""

Span = tuple[int, int]

_NOT_SECRET: Final = re.compile(r"\$\{(?:env|file):[^}:]*\}|" + re.escape(MASK))
"""References and masks, which are never secret."""

_PERCENT: Final = re.compile(r"(?:%[0-9A-Fa-f]{2})+|\+")
_BACKSLASH: Final = re.compile(
    r"(?:\\x[0-9A-Fa-f]{2})+|(?:\\u[0-9A-Fa-f]{4})+|\\U[0-9A-Fa-f]{8}|\\[0-7]{3}|\\.", re.DOTALL
)
_QUOTE: Final = re.compile(r"""'\\''|'"'"'""")
_ENTITY: Final = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});?")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{4,}(?:\s+[A-Za-z0-9+/_-]{2,})*", re.ASCII)
_HEX: Final = re.compile(r"[0-9A-Fa-f](?:[\s:-]?[0-9A-Fa-f]){11,}", re.ASCII)
_LETTERS: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "a": "\a", "0": "\0"}
_ELLIPSIS: Final = ("...", "\u2026", "***")


@dataclass(frozen=True, slots=True)
class _Decoding:
    """A decoding of a text, and the span of the text behind each of its characters."""

    text: str
    spans: Sequence[Span]

    def span_of(self, start: int, end: int) -> Span:
        """Return the span of the text behind some characters of the decoding."""
        return self.spans[start][0], self.spans[end - 1][1]


class Secrets:
    """The secrets to mask. More can be added at any time."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._known: set[str] = set()
        self._long: set[str] = set()  # folded
        self._short: set[str] = set()
        self._lengths: dict[str, list[int]] = {}  # of long secrets by their first characters, longest first
        self._sorted: list[str] | None = None
        self.add(values)

    def add(self, values: Iterable[str]) -> None:
        """Add secrets: as they are, without white space around them, and line by line."""
        for value in set(values) - self._known:
            self._known.add(value)
            lines = [line for line in map(str.strip, value.splitlines()) if len(line) >= _MIN_LINE]
            for text in {value, value.strip(), *lines}:
                self._add(text)

    def __contains__(self, value: str) -> bool:
        return value in self._known

    def masked(self, text: str) -> str:
        """Return the text with a mask in place of each secret."""
        spans = sorted(_outside(self._find(text), [match.span() for match in _NOT_SECRET.finditer(text)]))
        pieces: list[str] = []
        end = 0
        for start, stop in _merged(spans):
            pieces += (text[end:start], MASK)
            end = stop
        return "".join((*pieces, text[end:]))

    def _add(self, text: str) -> None:
        if not text.strip():
            return
        if len(text) < MIN_LENGTH:
            self._short.add(text)
            return
        raw = text.encode("utf-8", "surrogatepass").decode("latin-1")  # as decoded bytes are compared
        for form in {_folded(text), _fold_bytes(raw)}:
            self._long.add(form)
            lengths = self._lengths.setdefault(form[:MIN_LENGTH], [])
            if len(form) not in lengths:
                lengths.append(len(form))
                lengths.sort(reverse=True)
        self._sorted = None

    def _find(self, text: str) -> Iterator[Span]:
        for decoding in _decodings(text):
            folded = _fold(decoding)
            yield from (folded.span_of(*span) for span in self._find_long(folded.text))
            yield from (decoding.span_of(*span) for span in self._find_short(decoding.text))
            yield from self._find_encoded(decoding)

    def _find_long(self, text: str) -> Iterator[Span]:
        """Yield the spans of long secrets in a folded text."""
        for start in range(len(text) - MIN_LENGTH + 1):
            lengths = self._lengths.get(text[start : start + MIN_LENGTH])
            if lengths and (
                length := self._length_at(text, start, lengths) or self._prefix_length_at(text, start)
            ):
                yield start, start + length

    def _length_at(self, text: str, position: int, lengths: Iterable[int]) -> int:
        parts = (text[position : position + length] for length in lengths)
        return next((len(part) for part in parts if part in self._long), 0)

    def _prefix_length_at(self, text: str, position: int) -> int:
        """Return the length of the beginning of a secret that the text or an ellipsis cuts off, else 0."""
        ends = [end for mark in _ELLIPSIS if (end := text.find(mark, position)) >= 0]
        prefix = text[position : min(ends, default=len(text))]
        if len(prefix) < _MIN_PREFIX:
            return 0
        if self._sorted is None:
            self._sorted = sorted(self._long)
        index = bisect_left(self._sorted, prefix)
        is_prefix = index < len(self._sorted) and self._sorted[index].startswith(prefix)
        return len(prefix) if is_prefix else 0

    def _find_short(self, text: str) -> Iterator[Span]:
        """Yield the spans of short secrets that are whole words."""
        if not self._short:
            return
        for start in range(len(text)):
            if start and _is_joined(text, start - 1):
                continue
            for end in range(min(start + MIN_LENGTH - 1, len(text)), start, -1):
                if text[start:end] in self._short and not (end < len(text) and _is_joined(text, end)):
                    yield start, end
                    break

    def _find_encoded(self, decoding: _Decoding) -> Iterator[Span]:
        """Yield the spans of words that hold a long secret in base64 or hexadecimal."""
        for pattern, separators, decode in _ENCODINGS:
            for run in pattern.finditer(decoding.text):
                start = stop = 0  # the last word that was yielded
                places = [place for place in range(*run.span()) if decoding.text[place] not in separators]
                for decoded, skipped, thirds in decode("".join(decoding.text[place] for place in places)):
                    for begin, end in self._find_long(_fold_bytes(decoded)):
                        first = places[skipped + begin * thirds // 3]
                        last = places[min(skipped + end * thirds // 3, len(places) - 1)]
                        if not start <= first <= last < stop:
                            start, stop = _word(decoding.text, first, last)
                            yield decoding.span_of(start, stop)


def _decodings(text: str) -> Iterator[_Decoding]:
    """Yield the text as it is, and each different decoding of it."""
    seen = {text}
    latest = [_Decoding(text, [(place, place + 1) for place in range(len(text))])]
    for number in range(MAX_NESTING + 1):
        yield from latest
        if number < MAX_NESTING:
            following = []
            for decoding in latest:
                for pattern, unescape in _ESCAPES:
                    if pattern.search(decoding.text):
                        unescaped = _unescape(decoding, pattern, unescape)
                        if unescaped.text not in seen:
                            seen.add(unescaped.text)
                            following.append(unescaped)
            latest = following


def _unescape(decoding: _Decoding, pattern: re.Pattern[str], unescape: Callable[[str], str]) -> _Decoding:
    """Return the decoding with each match unescaped; its characters share the span of the match."""
    pieces: list[str] = []
    spans: list[Span] = []
    end = 0
    for match in pattern.finditer(decoding.text):
        unescaped, (start, stop) = unescape(match[0]), match.span()
        pieces += (decoding.text[end:start], unescaped)
        spans += decoding.spans[end:start]
        share = (stop - start) / max(len(unescaped), 1)
        for number in range(len(unescaped)):
            first = start + int(number * share)
            spans.append(decoding.span_of(first, max(first + 1, start + round((number + 1) * share))))
        end = stop
    return _Decoding("".join((*pieces, decoding.text[end:])), [*spans, *decoding.spans[end:]])


def _percent(text: str) -> str:
    if text == "+":
        return " "
    return _text(bytes.fromhex(text.replace("%", "")))


def _backslash(text: str) -> str:
    kind = text[1]
    if kind == "x" and len(text) > 2:
        return _text(bytes.fromhex(text.replace("\\x", "")))
    if kind == "u" and len(text) > 2:
        units = bytes.fromhex(text.replace("\\u", ""))
        return units.decode("utf-16-be", "replace")
    if kind == "U" and len(text) > 2:
        return bytes.fromhex(text[2:]).decode("utf-32-be", "replace")
    return chr(int(text[1:], 8)) if len(text) == 4 else _LETTERS.get(kind, kind)


def _entity(text: str) -> str:
    from html import unescape

    return unescape(text)


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


_ESCAPES: Final = (
    (_PERCENT, _percent),
    (_BACKSLASH, _backslash),
    (_QUOTE, lambda _text: "'"),
    (_ENTITY, _entity),
)
"""Patterns of escapes, and functions that unescape them."""


def _from_base64(digits: str) -> Iterator[tuple[str, int, int]]:
    """Yield the decoded bytes from each place where a group of four may begin.

    Each item is (the bytes as characters, the place, the thirds of a digit that a byte takes).
    """
    plain = digits.translate({ord("-"): "+", ord("_"): "/"})
    for skipped in range(4):
        group = plain[skipped:]
        group = group[: len(group) - (len(group) % 4 == 1)]
        raw = binascii.a2b_base64(group + "=" * (-len(group) % 4))
        yield raw.decode("latin-1"), skipped, 4


def _from_hex(digits: str) -> Iterator[tuple[str, int, int]]:
    """Yield the same for hexadecimal, whose bytes may begin at two places."""
    for skipped in range(2):
        pairs = digits[skipped : len(digits) - (len(digits) - skipped) % 2]
        yield bytes.fromhex(pairs).decode("latin-1"), skipped, 6


_ENCODINGS: Final = ((_BASE64, string.whitespace, _from_base64), (_HEX, f"{string.whitespace}:-", _from_hex))
"""Patterns of encoded words, the separators between their digits, and functions that decode them."""


def _word(text: str, first: int, last: int) -> Span:
    """Return the span of the word around the characters from `first` to `last`."""
    while first and _is_of_word(text[first - 1]):
        first -= 1
    end = last + 1
    while end < len(text) and _is_of_word(text[end]):
        end += 1
    return first, end


def _is_of_word(char: str) -> bool:
    return char.isalnum() or char in "+/_=-"


def _is_joined(text: str, place: int) -> bool:
    """Return whether a character is part of a word. A hyphen is if it is between two parts."""
    if text[place] == "-":
        return 0 < place < len(text) - 1 and text[place - 1].isalnum() and text[place + 1].isalnum()
    return text[place].isalnum() or text[place] == "_"


def _folded(text: str) -> str:
    """Return the text without differences of case and of compatible characters."""
    return text.lower() if text.isascii() else "".join(map(_fold_one, text))


def _fold_bytes(text: str) -> str:
    """Return decoded bytes in lower case. Each byte stays one character."""
    return text.lower() if text.isascii() else "".join(c.lower() if c.isascii() else c for c in text)


def _fold(decoding: _Decoding) -> _Decoding:
    if decoding.text.isascii():
        return _Decoding(decoding.text.lower(), decoding.spans)
    folded = [_fold_one(char) for char in decoding.text]
    spans = [span for char, span in zip(folded, decoding.spans, strict=True) for _ in char]
    return _Decoding("".join(folded), spans)


def _fold_one(char: str) -> str:
    return unicodedata.normalize("NFKD", char).casefold()


def _outside(spans: Iterable[Span], kept: Sequence[Span]) -> Iterator[Span]:
    """Return the spans that are not inside of one that is kept."""
    return (span for span in spans if not any(start <= span[0] and span[1] <= end for start, end in kept))


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    """Merge sorted spans that touch."""
    start = end = -1
    for first, last in spans:
        if first > end:
            if end >= 0:
                yield start, end
            start, end = first, last
        else:
            end = max(end, last)
    if end >= 0:
        yield start, end
