"""Shortened values in reports."""

import pytest

from reconciler.reports.run.summary import shortened


@pytest.mark.parametrize(
    ("text", "length", "expected"),
    [
        ("short", 5, "short"),
        ("0123456789", 7, "01…6789"),
        ("registry/team/model:1.9-old", 12, "regi…1.9-old"),
    ],
)
def test_both_ends_of_a_long_value_are_kept(text: str, length: int, expected: str) -> None:
    """Two images that differ only in their tags stay different."""
    assert shortened(text, length) == expected
    assert len(expected) <= length
