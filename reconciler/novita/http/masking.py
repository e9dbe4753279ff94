"""Secrets taken out of a text that others wrote, in whichever spelling they stand in it.

The text is read as it is, as an URL, as a string of JSON or of a shell, and as HTML, each also within each
other; what looks like base64 or hexadecimal is decoded. Every reading knows where in the text its characters
stand, and is searched for the secrets as they are. So each place is masked once, and the time grows with the
text, whatever the number of secrets.
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

SHORT: Final = 6
"""Characters. A shorter secret is masked only where it is a whole word: it is part of too many others."""

READINGS: Final = 2
"""How many times over a secret may be escaped."""

_TOLD: Final = 8
"""Characters of the beginning of a secret that are masked where the text breaks off."""

_LINE: Final = 16
"""Characters of a line of a secret with several lines that are masked by themselves."""

Span = tuple[int, int]

_OPEN: Final = re.compile(r"\$\{(?:env|file):[^}:]*\}|" + re.escape(MASK))
"""What is no secret, whatever is in it: a reference, and a mask."""

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
class _Reading:
    """What a text says in one way of reading it, and the span of the text that each character stands for."""

    text: str
    spans: Sequence[Span]

    def of(self, start: int, end: int) -> Span:
        """The span of the text behind some characters of the reading."""
        return self.spans[start][0], self.spans[end - 1][1]


class Secrets:
    """What is to be masked. More may be added at any time."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._known: set[str] = set()
        self._long: set[str] = set()  # folded
        self._short: set[str] = set()
        self._lengths: dict[str, list[int]] = {}  # of the long ones by their first characters, longest first
        self._in_order: list[str] | None = None
        self.add(values)

    def add(self, values: Iterable[str]) -> None:
        """Mask these as well: as they are, without white space around them, and line by line."""
        for value in set(values) - self._known:
            self._known.add(value)
            lines = [line for line in map(str.strip, value.splitlines()) if len(line) >= _LINE]
            for text in {value, value.strip(), *lines}:
                self._add(text)

    def __contains__(self, value: str) -> bool:
        return value in self._known

    def masked(self, text: str) -> str:
        """The text with the mask once for each place where a secret is."""
        spans = sorted(_outside(self._found(text), [one.span() for one in _OPEN.finditer(text)]))
        pieces: list[str] = []
        end = 0
        for start, stop in _merged(spans):
            pieces += (text[end:start], MASK)
            end = stop
        return "".join((*pieces, text[end:]))

    def _add(self, text: str) -> None:
        if not text.strip():
            return
        if len(text) < SHORT:
            self._short.add(text)
            return
        raw = text.encode("utf-8", "surrogatepass").decode("latin-1")  # as what is decoded is looked at
        for form in {_folded(text), _fold_bytes(raw)}:
            self._long.add(form)
            lengths = self._lengths.setdefault(form[:SHORT], [])
            if len(form) not in lengths:
                lengths.append(len(form))
                lengths.sort(reverse=True)
        self._in_order = None

    def _found(self, text: str) -> Iterator[Span]:
        for reading in _readings(text):
            folded = _fold(reading)
            yield from (folded.of(*span) for span in self._whole(folded.text))
            yield from (reading.of(*span) for span in self._words(reading.text))
            yield from self._encoded(reading)

    def _whole(self, text: str) -> Iterator[Span]:
        """Where the long ones are in a folded text."""
        for start in range(len(text) - SHORT + 1):
            lengths = self._lengths.get(text[start : start + SHORT])
            if lengths and (length := self._length_at(text, start, lengths) or self._begun_at(text, start)):
                yield start, start + length

    def _length_at(self, text: str, position: int, lengths: Iterable[int]) -> int:
        parts = (text[position : position + length] for length in lengths)
        return next((len(part) for part in parts if part in self._long), 0)

    def _begun_at(self, text: str, position: int) -> int:
        """How much of a secret's beginning stands where the text, or an ellipsis in it, breaks it off."""
        ends = [end for mark in _ELLIPSIS if (end := text.find(mark, position)) >= 0]
        begun = text[position : min(ends, default=len(text))]
        if len(begun) < _TOLD:
            return 0
        if self._in_order is None:
            self._in_order = sorted(self._long)
        index = bisect_left(self._in_order, begun)
        is_begun = index < len(self._in_order) and self._in_order[index].startswith(begun)
        return len(begun) if is_begun else 0

    def _words(self, text: str) -> Iterator[Span]:
        """Where the short ones are as whole words."""
        if not self._short:
            return
        for start in range(len(text)):
            if start and _is_joined(text, start - 1):
                continue
            for end in range(min(start + SHORT - 1, len(text)), start, -1):
                if text[start:end] in self._short and not (end < len(text) and _is_joined(text, end)):
                    yield start, end
                    break

    def _encoded(self, reading: _Reading) -> Iterator[Span]:
        """The words that hold a long one in base64 or hexadecimal."""
        for pattern, beside, decodings in _ENCODINGS:
            for run in pattern.finditer(reading.text):
                start = stop = 0  # the word that was found last
                places = [place for place in range(*run.span()) if reading.text[place] not in beside]
                for said, skipped, thirds in decodings("".join(reading.text[place] for place in places)):
                    for begin, end in self._whole(_fold_bytes(said)):
                        first = places[skipped + begin * thirds // 3]
                        last = places[min(skipped + end * thirds // 3, len(places) - 1)]
                        if not start <= first <= last < stop:
                            start, stop = _word(reading.text, first, last)
                            yield reading.of(start, stop)


def _readings(text: str) -> Iterator[_Reading]:
    """The text as it is, and every other way of reading it that says something else."""
    seen = {text}
    latest = [_Reading(text, [(place, place + 1) for place in range(len(text))])]
    for number in range(READINGS + 1):
        yield from latest
        if number < READINGS:
            following = []
            for reading in latest:
                for pattern, unescape in _ESCAPES:
                    if pattern.search(reading.text):
                        found = _read(reading, pattern, unescape)
                        if found.text not in seen:
                            seen.add(found.text)
                            following.append(found)
            latest = following


def _read(reading: _Reading, pattern: re.Pattern[str], unescape: Callable[[str], str]) -> _Reading:
    """The reading with what the pattern finds unescaped, of which each character gets its share."""
    pieces: list[str] = []
    spans: list[Span] = []
    end = 0
    for found in pattern.finditer(reading.text):
        said, (start, stop) = unescape(found[0]), found.span()
        pieces += (reading.text[end:start], said)
        spans += reading.spans[end:start]
        share = (stop - start) / max(len(said), 1)
        for number in range(len(said)):
            first = start + int(number * share)
            spans.append(reading.of(first, max(first + 1, start + round((number + 1) * share))))
        end = stop
    return _Reading("".join((*pieces, reading.text[end:])), [*spans, *reading.spans[end:]])


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
"""What is written for a character, and which one that is."""


def _from_base64(digits: str) -> Iterator[tuple[str, int, int]]:
    """What the digits say from each place where a group of four may begin.

    Each as (the bytes as characters, that place, how many thirds of a digit a byte takes).
    """
    plain = digits.translate({ord("-"): "+", ord("_"): "/"})
    for skipped in range(4):
        group = plain[skipped:]
        group = group[: len(group) - (len(group) % 4 == 1)]
        raw = binascii.a2b_base64(group + "=" * (-len(group) % 4))
        yield raw.decode("latin-1"), skipped, 4


def _from_hex(digits: str) -> Iterator[tuple[str, int, int]]:
    """The same of hexadecimal, whose bytes may begin at two places."""
    for skipped in range(2):
        pairs = digits[skipped : len(digits) - (len(digits) - skipped) % 2]
        yield bytes.fromhex(pairs).decode("latin-1"), skipped, 6


_ENCODINGS: Final = ((_BASE64, string.whitespace, _from_base64), (_HEX, f"{string.whitespace}:-", _from_hex))
"""Where digits are, what may stand between them, and what they say."""


def _word(text: str, first: int, last: int) -> Span:
    """The characters from `first` to `last`, with what is written together with them."""
    while first and _is_of_word(text[first - 1]):
        first -= 1
    end = last + 1
    while end < len(text) and _is_of_word(text[end]):
        end += 1
    return first, end


def _is_of_word(char: str) -> bool:
    return char.isalnum() or char in "+/_=-"


def _is_joined(text: str, place: int) -> bool:
    """Whether a character is part of the word that it stands at; a hyphen is one between two parts."""
    if text[place] == "-":
        return 0 < place < len(text) - 1 and text[place - 1].isalnum() and text[place + 1].isalnum()
    return text[place].isalnum() or text[place] == "_"


def _folded(text: str) -> str:
    """The text as all that reads alike is compared."""
    return text.lower() if text.isascii() else "".join(map(_fold_one, text))


def _fold_bytes(text: str) -> str:
    """Bytes as they are compared, each of them one character before and after."""
    return text.lower() if text.isascii() else "".join(c.lower() if c.isascii() else c for c in text)


def _fold(reading: _Reading) -> _Reading:
    if reading.text.isascii():
        return _Reading(reading.text.lower(), reading.spans)
    folded = [_fold_one(char) for char in reading.text]
    spans = [span for char, span in zip(folded, reading.spans, strict=True) for _ in char]
    return _Reading("".join(folded), spans)


def _fold_one(char: str) -> str:
    return unicodedata.normalize("NFKD", char).casefold()


def _outside(spans: Iterable[Span], kept: Sequence[Span]) -> Iterator[Span]:
    """Those spans that are not within one that is kept."""
    return (one for one in spans if not any(start <= one[0] and one[1] <= end for start, end in kept))


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    """Sorted spans, those that meet made one."""
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
