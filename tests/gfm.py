"""Markdown as GitHub renders it, and the words that GitHub and GitLab turn into links."""

import html
import re

import pytest


def render_markdown(page: str) -> str:
    """Return HTML from GitHub's own renderer."""
    cmarkgfm = pytest.importorskip("cmarkgfm")
    from cmarkgfm.cmark import Options

    return str(cmarkgfm.github_flavored_markdown_to_html(page, options=Options.CMARK_OPT_UNSAFE))


def assert_no_links(page: str) -> None:
    """Assert that neither the HTML nor its text holds a link or a mention."""
    made = render_markdown(page)
    assert "<a " not in made
    assert "<b>" not in made
    assert "<img" not in made
    words = re.sub("<code>.*?</code>|<pre.*?</pre>|<[^>]*>", " ", made, flags=re.DOTALL)
    text = html.unescape(words)
    for pattern in (
        r"@\w",
        r"#\d",
        r"GH-\d",
        r"www\.",
        r"://",
        r"\b[0-9a-f]{7,40}\b",
        r":[a-z]+:",
        r"[!~%&$]\w",
    ):
        found = re.search(pattern, text, re.IGNORECASE)
        assert not found, (pattern, text[found.start() - 80 : found.end() + 30])
