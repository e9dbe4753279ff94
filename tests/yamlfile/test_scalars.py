"""The meaning of unquoted words."""

from __future__ import annotations

import pytest

from reconciler.yamlfile.scalars import AmbiguousWord, double_quoted, parse_scalar, type_name


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("", None),
        ("~", None),
        ("NULL", None),
        ("yes", True),
        ("Off", False),
        ("y", "y"),
        ("text", "text"),
        ("0", 0),
        ("-7", -7),
        ("1_000", 1000),
        ("0x1F", 31),
        ("0x_", "0x_"),
        ("0b11", 3),
        ("1.10", 1.1),
        ("1200.0", 1200),
        (".5", 0.5),
        ("1e3", 1000),
        ("1.2.3", "1.2.3"),
        ("089", "089"),
        ("-", "-"),
        ("--x", "--x"),
        ("2024-01-01", "2024-01-01"),
        ("12:99", "12:99"),
    ],
)
def test_words_with_one_meaning(text: str, meaning: object) -> None:
    """Numbers, booleans and null are recognised; dates stay text."""
    value = parse_scalar(text)
    assert (value, type(value)) == (meaning, type(meaning))


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("1:30", "90"),
        ("-1:30", "-90"),
        ("1:30:00", "5400"),
        ("1:30.5", "90.5"),
        ("0123", "83"),
        ("-017", "-15"),
        ("0o17", "15"),
        ("00", "0"),
        (".inf", "infinity"),
        ("-.INF", "infinity"),
        (".nan", "not a number"),
        ("9" * 400, "a number too large to keep"),
        ("1e400", "a number too large to keep"),
    ],
)
def test_ambiguous_words(text: str, reads: str) -> None:
    """Words that YAML versions read differently are reported."""
    assert parse_scalar(text) == AmbiguousWord(text, reads)


def test_words_for_messages() -> None:
    """Types and quoted texts as they are in messages."""
    values = [None, True, False, 1, 1.5, "x", [], {}]
    assert [type_name(value) for value in values] == [
        "nothing", "true", "false", "a number", "a number", "text", "a list", "a mapping",
    ]  # fmt: skip
    assert double_quoted('a"b\\c\nd') == '"a\\"b\\\\c\\nd"'
