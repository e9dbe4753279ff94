"""A page as GitHub renders it, and what GitHub and GitLab look for in its text afterwards."""

import html
import re

import pytest


def rendered(page: str) -> str:
    """HTML, by GitHub's own renderer."""
    cmarkgfm = pytest.importorskip("cmarkgfm")
    from cmarkgfm.cmark import Options

    return str(cmarkgfm.github_flavored_markdown_to_html(page, options=Options.CMARK_OPT_UNSAFE))


def links_nobody(page: str) -> None:
    """As GitHub renders it, and by what GitHub and GitLab look for in the text afterwards."""
    made = rendered(page)
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
