"""A foreign name in Markdown never becomes a link, a mention or markup, by GitHub's own renderer."""

import html
import re

import pytest

from reconciler.reports.run.markdown_escape import code, text
from reconciler.reports.terminal.escape import plain
from tests.gfm import assert_no_links, render_markdown

NAMES = (
    "www.evil.example",
    "https://evil.example/a?b=c",
    "HTTPS://EVIL.example",
    "ftp://evil.example",
    "mailto:a@evil.example",
    "xmpp:a@evil.example/x",
    "a.b@evil.example",
    "@acme/team",
    "acme/chat#1",
    "#1",
    "GH-17",
    "gh-17",
    "deadbeefcafe",
    "deadbeefcafedeadbeefcafedeadbeefcafe1234",
    "acme/chat@deadbeefcafe",
    "<http://evil.example>",
    "<a@evil.example>",
    "[x](http://evil.example)",
    "![x](http://evil.example)",
    "[x][y]",
    "[^1]",
    "a | b",
    "`a` @b",
    "``a` @someone www.evil.example",
    "<img src=x>",
    "<details>",
    "&lt;b&gt;",
    "$x$ $$y$$",
    "~~a~~ **b** __c__ ~label",
    ":tada: :+1:",
    "!12 %3 &4 $5",
    "- [ ] x",
    "# x",
    "> x",
    "\\@a",
    "www&#46;evil.example",
    "- http://evil.example\n\n# x\n",
)


@pytest.mark.parametrize("name", NAMES)
def test_no_name_becomes_markup(name: str) -> None:
    """In code, in prose and between backticks of a sentence of ours."""
    for said in (code(name), text(name), text(f"`{name}` is gone"), text(f"Novita said: {name}.")):
        for page in (f"- {said}\n", f"| a |\n|-|\n| {said} |\n", f"- **Error:** x<br>{said}\n"):
            assert_no_links(page)
            shown = html.unescape(
                re.sub("<br ?/?>", "\n", re.sub("</?(code|p|ul|li|table|t.*?)>", "", render_markdown(page)))
            )
            seen = plain(name) if "\n" not in name else plain(name.split("\n")[0])
            assert seen.replace("`", "") in shown.replace("\u200b", "").replace("`", "")
    assert code(name).count("\n") == 0
