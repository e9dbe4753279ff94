"""The site shows the structure that GitHub shows."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from tests.gfm import render_markdown
from tests.website.conftest import ROOT, Document, Site
from website.hooks import FROM_ROOT

STRUCTURE = {
    "h1",
    "h2",
    "h3",
    "h4",
    "ol",
    "ul",
    "li",
    "table",
    "tr",
    "td",
    "pre",
    "blockquote",
    "code",
    "em",
    "strong",
    "img",
}
"""Paragraphs differ without harm: Python-Markdown has none in some lists in which GitHub has some."""


def source(page: str) -> Path:
    """Return the Markdown file of a page of the site."""
    name = page.removesuffix(".html") + ".md"
    if name in FROM_ROOT:
        return ROOT / FROM_ROOT[name]
    file = ROOT / "docs" / name
    return file if file.exists() else file.with_name("README.md")


def structure(html: str) -> Counter[str]:
    return Counter(tag for tag in Document(html).tags if tag in STRUCTURE)


def test_every_page_has_the_structure_that_github_shows(site: Site) -> None:
    """MkDocs reads Markdown otherwise: what belongs to an item of a list needs four spaces before it."""
    differ = {}
    for page, text in site.texts.items():
        if page == "404.html":
            continue
        markdown = source(page).read_text(encoding="utf-8")
        expected = structure(render_markdown(re.sub(r"```mermaid\n.*?\n```", "", markdown, flags=re.DOTALL)))
        article = re.search(r"<article.*?</article>", text, re.DOTALL)
        assert article, page
        shown = structure(re.sub(r'<div class="diagram".*?</div>', "", article[0], flags=re.DOTALL))
        if shown != expected:
            differ[page] = {
                tag: (shown[tag], expected[tag]) for tag in shown | expected if shown[tag] != expected[tag]
            }
    assert differ == {}


def test_a_bar_in_the_code_of_a_table_has_no_backslash(site: Site) -> None:
    """GitHub needs `\\|` there, and shows `|`."""
    assert "<code>-f FILE|DIR</code>" in site.texts["cli.html"]
    assert not any(
        r"\|" in cell for text in site.texts.values() for cell in re.findall("<td.*?</td>", text, re.DOTALL)
    )


def test_diagrams_are_pictures_in_the_page(site: Site) -> None:
    text = site.texts["architecture.html"]
    names = re.findall(r'<svg id="(diagram-\w+)"', text)
    assert len(names) == len(set(names)) == 2
    assert "```" not in text


def test_a_new_decision_has_its_place_in_the_navigation(site: Site) -> None:
    newest = max((ROOT / "docs" / "decisions").glob("[0-9]*.md")).stem
    assert f"decisions/{newest}.html" in site.pages["index.html"].links
