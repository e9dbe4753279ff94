"""Tables for pipes and for terminals."""

import pytest

from reconciler.reports.terminal.table import MAX_DRAWN_ROWS, Cell, Screen, table_text

TITLES = ("NAME", "READY", "URL")
ROWS = [
    [Cell("chat", "bold"), Cell("1/3", "green", "█░░ 1/3"), Cell("https://chat.example")],
    [Cell("a-longer-name"), Cell("0/1", "red", "░ 0/1"), Cell("")],
]


def test_plain_columns() -> None:
    """Columns are aligned and two spaces apart, without trailing spaces; an empty cell is a dash."""
    assert table_text(TITLES, ROWS) == (
        "NAME           READY  URL\n"
        "chat           1/3    https://chat.example\n"
        "a-longer-name  0/1    -\n"
    )  # fmt: skip


def test_without_rows() -> None:
    """Only the titles are shown."""
    assert table_text(TITLES, []) == "NAME  READY  URL\n"


def test_a_drawn_table() -> None:
    """It has a line below the titles and the cells' terminal texts; colours only if requested."""
    text = table_text(TITLES, ROWS, Screen(width=80, colour=False))
    title, rule, first, _ = text.splitlines()
    assert title.split() == list(TITLES)
    assert set(rule) == {"─"}
    assert "█░░ 1/3" in first
    assert "\x1b[32m█░░ 1/3" in table_text(TITLES, ROWS, Screen(width=80))


def test_a_terminal_without_unicode() -> None:
    """The frame is ASCII as well."""
    rows = [[Cell("chat"), Cell("1/3"), Cell("url")]]
    assert table_text(TITLES, rows, Screen(width=80, colour=False, unicode=False)).isascii()


@pytest.mark.parametrize("width", [20, 44])
def test_a_narrow_terminal(width: int) -> None:
    """The outer columns are folded if that is enough; otherwise lines stay whole."""
    titles, message = ("NAME", "READY", "MESSAGE"), "waiting-for-a-worker-with-a-long-reason"
    rows = [[Cell("chat"), Cell("1/3"), Cell(message)]]
    text = table_text(titles, rows, Screen(width=width, colour=False))
    if width == 20:
        assert text == table_text(titles, rows)
    else:
        assert max(map(len, text.splitlines())) <= width
        assert "".join(text.split("1/3")[1].split()) == message


def test_a_url_is_never_folded() -> None:
    """A URL that is too long for the terminal stays in one piece, so that it can be copied."""
    url = "https://a-rather-long-host-name.example"
    rows = [[Cell("chat"), Cell("1/3"), Cell(url)]]
    assert url in table_text(TITLES, rows, Screen(width=44, colour=False))


def test_a_table_of_thousands() -> None:
    """It is plain, because drawing it takes seconds."""
    rows = [[Cell("a"), Cell("b"), Cell("c")]] * (MAX_DRAWN_ROWS + 1)
    assert table_text(TITLES, rows, Screen(width=80)) == table_text(TITLES, rows)


def test_markup_is_text() -> None:
    """Markup of rich and control characters in a name have no effect."""
    rows = [[Cell("[red]x[/red]"), Cell("\x1b[2J"), Cell(":smile:")]]
    for screen in (None, Screen(width=80, colour=False)):
        text = table_text(TITLES, rows, screen)
        assert "[red]x[/red]" in text
        assert ":smile:" in text
        assert "\\x1b[2J" in text
