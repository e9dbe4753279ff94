"""Differences between two versions of a file."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.reports.views.file_diff import diff_text

LINES = st.lists(st.sampled_from(["a", "b", "c: 1", "", "  d: 2"]), max_size=12)


def test_it_is_a_unified_diff() -> None:
    """It has one line of context, and line numbers."""
    before = "".join(f"line {number}\n" for number in range(9))
    after = before.replace("line 4\n", "new 4\nand more\n")
    assert diff_text("x.yaml", before, after) == (
        "--- x.yaml\n+++ x.yaml\n@@ -4,3 +4,4 @@\n line 3\n-line 4\n+new 4\n+and more\n line 5\n"
    )


def test_an_equal_line_between_two_changes_is_shown_once() -> None:
    """The line of minReplicas did not change."""
    before = "image: a:2\nminReplicas: 0\nmaxReplicas: 3\n"
    after = "image: a:1\nminReplicas: 0\nmaxReplicas: 1\n"
    assert diff_text("x.yaml", before, after).splitlines()[2:] == [
        "@@ -1,3 +1,3 @@",
        *("-image: a:2", "+image: a:1"), " minReplicas: 0", *("-maxReplicas: 3", "+maxReplicas: 1"),
    ]  # fmt: skip


def test_no_change_is_nothing() -> None:
    """Not even the name of the file is shown."""
    assert diff_text("x", "a\nb\n", "a\nb\n") == ""


@given(LINES, LINES)
def test_removed_and_added_lines_make_the_difference(before: list[str], after: list[str]) -> None:
    """The removed and added lines turn one text into the other."""
    shown = diff_text("x", "".join(f"{one}\n" for one in before), "".join(f"{one}\n" for one in after))
    changed = shown.splitlines()[2:]
    gone = [line[1:] for line in changed if line.startswith("-")]
    come = [line[1:] for line in changed if line.startswith("+")]
    assert len(come) - len(gone) == len(after) - len(before)
    assert (set(gone) <= set(before), set(come) <= set(after)) == (True, True)
    assert (shown == "") == (before == after)


def test_a_large_file_of_similar_lines_is_fast() -> None:
    """Two distant edits are two small hunks."""
    lines = [f"{line}\n" for number in range(20_000) for line in (f"- endpoint: e{number}", "  image: x:1")]
    edited = [*lines]
    edited[101] = "  image: x:2\n"
    del edited[30_000:30_002]
    shown = diff_text("x", "".join(lines), "".join(edited)).splitlines()
    assert [line for line in shown if line[:1] in "+-"][2:] == [
        "-  image: x:1", "+  image: x:2", "-- endpoint: e15000", "-  image: x:1",
    ]  # fmt: skip
