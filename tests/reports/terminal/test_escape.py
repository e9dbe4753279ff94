"""Names are chosen by others, and end up in terminals and in logs that are read by machines."""

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
def test_what_could_act_is_escaped(text: str, expected: str) -> None:
    """Control characters, and what GitHub's runner would obey at the start of a line; nothing else."""
    assert plain(text) == expected
