"""Escaping of untrusted text for terminals and for the logs of CI runners."""

import pytest

from reconciler.reports.terminal.escape import plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("chat", "chat"),
        ("späte::größe", "späte::größe"),
        ("a\x1b[2Jb\n", "a\\x1b[2Jb\\n"),
        ("::stop-commands::x", "\\x3a:stop-commands::x"),
        ("  ::error::x", "  \\x3a:error::x"),
        ("##[group]x", "\\x23#[group]x"),
        (":", ":"),
        ("", ""),
    ],
)
def test_active_characters_are_escaped(text: str, expected: str) -> None:
    """Control characters and commands of GitHub's runner are escaped; other text is unchanged."""
    assert plain(text) == expected
