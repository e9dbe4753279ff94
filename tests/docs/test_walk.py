"""A page that shows something else than happens is found, and rewritten on request."""

from pathlib import Path

import pytest

from tests.docs.shell import Shell
from tests.docs.walk import walk

PAGE = """\
# A page

```console
$ echo one; echo 0123456789abcdef
one
fedcba9876543210
$ echo two   # a comment
{shown}
$ false
$ echo $?
1
$ printf 'a\\nb\\nc\\n'
...
c
```

After it.
"""


def test_what_varies_and_what_is_left_out_is_no_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.format(shown="two"))
    walk(page, Shell(tmp_path, monkeypatch))


def test_a_difference_is_found_and_rewritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.format(shown="three"))
    with pytest.raises(AssertionError, match=r"page.md:3 shows:\n"):
        walk(page, Shell(tmp_path, monkeypatch))
    walk(page, Shell(tmp_path, monkeypatch), is_updated=True)
    assert page.read_text() == PAGE.format(shown="two")


def test_a_command_that_fails_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ false\n```\n")
    with pytest.raises(AssertionError, match="false exits with 1"):
        walk(page, Shell(tmp_path, monkeypatch))
