"""The story that a writer tells a store, and what a reader may see if the writer is killed."""

from __future__ import annotations

import json
from typing import Any, Final

from reconciler.inventory.journal import encode_line
from reconciler.inventory.stores.base import APPROVED_PLAN
from tests.stores.engines import StoreUnderTest
from tests.stores.writers import Killed, Writer

Step = tuple[str, tuple[Any, ...]]


def line(text: str) -> bytes:
    """Return a line of a journal, with its checksum."""
    return encode_line([json.dumps(text).encode()])


STORY: Final[tuple[Step, ...]] = (
    ("hold", ()),
    ("append", (line("intent a"),)),
    ("append", (line("record a"),)),
    ("fold", (b'{"map":1}\n', b"")),
    ("append", (line("intent b"),)),
    ("append_history", ([("a", b"first\n"), ("b", b"second\n")],)),
    ("write_document", (APPROVED_PLAN, b"plan\n")),
    ("fold", (b'{"map":2}\n', line("intent b"))),
    ("append_history", ([("a", b"third\n")],)),
    ("append", (line("record b"),)),
    ("write_document", (APPROVED_PLAN, None)),
    ("release", ()),
)

Picture = tuple[bytes, bytes, bytes, bytes]
"""The map, the journal, the history and the document."""


def after(picture: Picture, verb: str, arguments: tuple[Any, ...]) -> list[Picture]:
    """Return the pictures that a reader may see at the end of a verb, or when it is cut off."""
    map_, journal, history, document = picture
    match verb:
        case "append":
            return [(map_, journal + arguments[0], history, document)]
        case "fold":
            new_map, new_journal = arguments
            return [(new_map, new_journal, history, document), (new_map, journal, history, document)]
        case "append_history":
            lines = [data for _, data in arguments[0]]
            # a file may have the first ones of several lines
            parts = [b"".join(lines[:count]) for count in range(len(lines), 0, -1)]
            return [(map_, journal, history + part, document) for part in parts]
        case "write_document":
            return [(map_, journal, history, arguments[1] or b"")]
    return [picture]


def picture_of(under_test: StoreUnderTest) -> Picture:
    """Return what a reader sees. Half a line of a journal counts as none."""
    store = under_test.store()
    content = store.read()
    journal = content.journal or b""
    history = store.read_history()
    whole = journal[: journal.rfind(b"\n") + 1], history[: history.rfind(b"\n") + 1]
    return content.map or b"", *whole, store.read_document(APPROVED_PLAN) or b""


def tell(writer: Writer) -> tuple[Picture, list[Picture], str]:
    """Tell the story until the writer is killed.

    Return what was confirmed, what the verb that was cut off may have led to, and that verb ("" for none).
    """
    confirmed: Picture = (b"", b"", b"", b"")
    for verb, arguments in STORY:
        possible = after(confirmed, verb, arguments)
        try:
            writer.do(verb, *arguments)
        except Killed:
            return confirmed, possible, verb
        confirmed = possible[0]
    return confirmed, [], ""


def check_next_run(under_test: StoreUnderTest) -> None:
    """The next run takes the lock, sees what readers see, and its writes count."""
    under_test.free_lock()
    with Writer(under_test, "next") as writer:
        writer.do("hold", timeout=under_test.takeover + 10)
        before = picture_of(under_test)
        writer.do("append", line("next"))
        assert picture_of(under_test) == (before[0], before[1] + line("next"), *before[2:])
        writer.do("append_history", [("a", b"next\n")])
        writer.do("fold", b'{"map":"next"}\n', b"")
        writer.do("release")
    map_, journal, history, document = picture_of(under_test)
    assert (map_, journal, document) == (b'{"map":"next"}\n', b"", before[3])
    assert history.startswith(before[2])
    assert history.endswith(b"next\n")
    # half a line that a killed process left in a file stays there, as a line that no reader understands
    assert under_test.name == "file" or history == before[2] + b"next\n"
    assert under_test.store().holder() is None
