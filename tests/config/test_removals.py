"""`removed:` in any number of files, and its errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from .support import loaded, problem_lines

ONE = 'endpoints: [{endpoint: a, specName: one, image: "x:1"}]\n'


def test_entries_of_all_files_count(tmp_path: Path) -> None:
    """Endpoints are deleted unless `destroy: false`; a file may contain only `removed:`."""
    result = loaded(
        tmp_path,
        {
            "endpoints.yaml": ONE + "removed: [{endpoint: b}, {endpoint: c, destroy: false}]",
            "endpoints/more.yaml": "removed:\n- {endpoint: d, destroy: true}",
            "endpoints/none.yaml": "removed:",
        },
    )
    assert result.problems == ()
    assert [(entry.name, entry.destroy, str(entry.place)) for entry in result.removed] == [
        ("b", True, "endpoints.yaml:2:22"),
        ("c", False, "endpoints.yaml:2:37"),
        ("d", True, "endpoints/more.yaml:2:14"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("removed: {endpoint: b}", "2:10 wrong-type | start each entry with `- endpoint: NAME`"),
        ("removed: [b]", "2:11 wrong-type | "),
        ("removed: [{destroy: false}]", "2:11 missing-key | write `endpoint: NAME`"),
        ("removed: [{endpoint: b, destry: no}]", "2:25 unknown-key | did you mean `destroy`?"),
        ("removed: [{endpoint: b, destroy: 0}]", "2:34 wrong-type | "),
        ("removed: [{endpoint: a}]", "2:22 removed-and-there | keep one of the two; it is declared at "),
        (
            "removed: [{endpoint: b}, {endpoint: b}]",
            "2:37 removed-and-there | keep one of the two; the first is at endpoints.yaml:2:22",
        ),
    ],
)
def test_invalid_entries(tmp_path: Path, text: str, expected: str) -> None:
    """Each error is reported once, with a hint."""
    (said,) = problem_lines(loaded(tmp_path, {"endpoints.yaml": ONE + text}).problems)
    assert expected in said
