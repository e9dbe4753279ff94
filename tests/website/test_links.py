"""Every link of the site leads somewhere, and its pages load nothing from another host."""

from __future__ import annotations

import posixpath
import re
from urllib.parse import unquote, urlsplit

from tests.website.conftest import ROOT, Site

REPOSITORY = "https://github.com/acme/novita-reconciler/"


def test_every_link_and_anchor_within_the_site_exists(site: Site) -> None:
    broken = []
    for page, document in site.pages.items():
        for link in document.links:
            parts = urlsplit(link)
            if parts.scheme or page == "404.html":  # that one is shown at any address, with absolute links
                continue
            name = page
            if parts.path:
                name = posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(parts.path)))
            if (site.folder / name).is_dir():
                name = posixpath.normpath(posixpath.join(name, "index.html"))
            if not (site.folder / name).is_file():
                broken.append(f"{page}: {link}: no such page")
            elif parts.fragment and unquote(parts.fragment) not in site.pages[name].ids | {"__top", ""}:
                broken.append(f"{page}: {link}: no such anchor")
    assert broken == []


def test_links_to_the_repository_name_what_it_has(site: Site) -> None:
    links = {
        (page, link)
        for page, document in site.pages.items()
        for link in document.links
        if link.startswith(REPOSITORY)
    }
    kept = [
        (page, re.match(r"(blob|tree)/main/([^#]*)", link.removeprefix(REPOSITORY))) for page, link in links
    ]
    found = [(page, match[1], match[2]) for page, match in kept if match]
    assert any(page == "team.html" and path == "examples/team" for page, _, path in found)
    for page, form, path in found:
        place = ROOT / path
        assert place.is_dir() if form == "tree" else place.is_file(), (page, path)


def test_the_pages_load_nothing_from_another_host(site: Site) -> None:
    for page, document in site.pages.items():
        for link in document.loaded:
            assert not urlsplit(link).netloc, (page, link)
            if page != "404.html" and not link.startswith("data:"):
                path = posixpath.normpath(posixpath.join(posixpath.dirname(page), urlsplit(link).path))
                assert (site.folder / path).is_file(), (page, link)
    for style in site.folder.rglob("*.css"):
        assert not re.search(r"(url\(|@import\s*)['\"]?(https?:)?//", style.read_text(encoding="utf-8")), (
            style
        )
