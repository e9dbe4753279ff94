"""Long journals and long histories."""

from __future__ import annotations

import os
from typing import Final

import pytest

from reconciler.inventory.history_entries import MAX_VERSIONS, Version, line_of
from tests.stores.engines import StoreUnderTest
from tests.stores.story import check_next_run, line, picture_of
from tests.stores.writers import Writer

APPENDS: Final = {
    name: int(os.environ.get("STORE_APPENDS", count))
    for name, count in {"file": 10_000, "postgres": 10_000, "s3": 1_000, "http": 300}.items()
}
"""Lines of one journal; the variable raises it. S3 needs a request for each, and a state is written whole."""

ENDPOINTS: Final = 1_000
ROUNDS: Final = 100


def version_of(name: str, number: int) -> bytes:
    """Return a line of the history."""
    return line_of(
        Version(
            name=name, number=number + 1, at="2026-11-28T12:00:00+00:00", action="update", id=f"id-{name}",
            app_name=name, fields={"image": {"image": f"i:{number}"}},
        )
    )  # fmt: skip


@pytest.mark.slow
def test_a_long_journal_is_kept_whole(under_test: StoreUnderTest) -> None:
    lines = [line(f"entry {number}") for number in range(APPENDS[under_test.name])]
    with Writer(under_test) as writer:
        writer.do("hold")
        writer.do("append_many", lines)
        assert picture_of(under_test)[1] == b"".join(lines)
        writer.signal_kill()
    check_next_run(under_test)


@pytest.mark.slow
def test_the_last_lines_of_a_long_history_are_kept(under_test: StoreUnderTest) -> None:
    """100,000 lines about 1,000 endpoints: the newest of each are there, in their order."""
    with Writer(under_test) as writer:
        writer.do("hold")
        for number in range(0, ROUNDS, 10):
            lines = [
                (f"e{one}", version_of(f"e{one}", number + more))
                for more in range(10)
                for one in range(ENDPOINTS)
            ]
            writer.do("append_history", lines)
        writer.do("release")
    about = under_test.store().read_history({"e7"}).splitlines()
    found = [one for one in about if b'"e7"' in one]
    kept = [version_of("e7", number).rstrip() for number in range(ROUNDS)]
    assert len(found) >= MAX_VERSIONS
    assert found == kept[-len(found) :]
