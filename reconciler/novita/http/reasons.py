"""Why a connection failed, in plain words: the messages of libraries name their own parts."""

from __future__ import annotations

import re
from typing import Final

_WORDS: Final = (
    (r"bytearray|illegal (status|header|chunk)", "what came is not an HTTP response"),
    (r"received (\d+) bytes, expected (\d+)", r"the connection was closed after \1 of \2 bytes"),
    (r"incomplete chunked read", "the connection was closed before the end"),
    (r"disconnected without sending", "the connection was closed before an answer came"),
    (r"Name or service not known|nodename nor servname|No address associated", "the host name is not known"),
    (r"Temporary failure in name resolution", "the host name could not be looked up"),
    (r"^\[Errno -?\d+\] (.*)$", r"\1"),
    (r"^\[SSL[^\]]*\] (.*?)(?: \(_ssl\.c:\d+\))?$", r"\1"),
)
"""Patterns of messages, and what is said instead."""


def reason_of(error: Exception) -> str:
    """Return the reason of an error of a connection, as a clause."""
    text = str(error) or type(error).__name__
    for pattern, words in _WORDS:
        if match := re.search(pattern, text):
            return match.expand(words)
    return text
