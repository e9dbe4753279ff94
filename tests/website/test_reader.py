"""Readers of the site: a browser that searches, one on a phone, and one that has no scripts."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.server.pages.browser import Browser, Tab, needed
from tests.website.conftest import Site

pytestmark = needed
PHONE = 360

WIDE = """(async () => {
  const wide = [];
  for (const page of PAGES) {
    const text = await (await fetch("/" + page)).text();
    history.replaceState(null, "", "/" + page);
    document.body.replaceWith(new DOMParser().parseFromString(text, "text/html").body);
    await Promise.all([...document.images].map(image => image.decode()));
    const width = document.documentElement.scrollWidth;
    if (width > innerWidth) wide.push([page, width]);
  }
  return wide;
})()"""
"""Shows one page after the other in one tab, which is much faster than to load each with its scripts."""


class Files(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def address(site: Site) -> Iterator[str]:
    """A server of files, such as `python -m http.server`."""
    with ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Files, directory=str(site.folder))
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def elsewhere(tab: Tab, address: str) -> list[str]:
    """Return what the tab has requested from other places."""
    return [url for url in tab.requests() if not url.startswith((address, "data:"))]


def test_the_search_finds_a_page_without_another_host(browser: Browser, address: str) -> None:
    tab = browser.tab()
    tab.open(address + "index.html")
    tab.press("input.md-search__input")
    tab.type("RECONCILER_ALLOW_EXEC")
    tab.wait("document.querySelector('.md-search-result__link') !== null")
    found = tab.run("[...document.querySelectorAll('.md-search-result__link')].map(link => link.href)")
    assert any(link.startswith(address + "secrets.html") for link in found), found
    tab.run("document.querySelector('.md-search-result__link').click()")
    tab.wait("document.querySelector('article mark') !== null")
    assert elsewhere(tab, address) == []


def test_no_page_is_wider_than_a_phone(browser: Browser, address: str, site: Site) -> None:
    tab = browser.tab(PHONE, 760)
    tab.open(address + "index.html")
    assert tab.run(WIDE.replace("PAGES", json.dumps(sorted(site.pages)))) == []
    assert elsewhere(tab, address) == []
    tab.run("document.body.insertAdjacentHTML('beforeend', '<p style=\"width: 500px\">wide</p>')")
    assert tab.run("document.documentElement.scrollWidth") > PHONE, "this test would not see a wide page"


def test_a_page_can_be_read_without_scripts_and_without_a_server(browser: Browser, site: Site) -> None:
    tab = browser.tab(PHONE, 760, scripts=False)
    tab.open((site.folder / "decisions" / "0009-lost-creates.html").as_uri())
    assert "Novita has no idempotency key" in tab.text()
    assert tab.run("document.documentElement.scrollWidth") == PHONE
    assert tab.run("getComputedStyle(document.body).fontFamily").find("Roboto") == -1
