"""The pages in a browser: what is seen, pressed and updated."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.reports.html.test_page import CONTRAST
from tests.server.conftest import ROOT, Serve, Start
from tests.server.pages.browser import Browser, Tab, needed
from tests.server.pages.conftest import TOKEN, TOKENS, Fleet

pytestmark = needed

ROWS = "[...document.querySelectorAll('tbody tr .name a')].map((a) => a.textContent)"
IS_LIVE = "document.documentElement.classList.contains('connected')"
WIDEST = "[document.documentElement.scrollWidth, innerWidth]"
FOCUSED = """(() => {
  const at = document.activeElement, box = at.getBoundingClientRect();
  const style = getComputedStyle(at);
  return [at.textContent.trim() || at.name, box.width > 0, style.outlineStyle];
})()"""


def open_live(tab: Tab, url: str) -> None:
    tab.open(url)
    tab.wait(IS_LIVE)


def sign_in(tab: Tab, server: Serve, then: str = "/") -> None:
    tab.open(f"{server.url}/sign-in?next={then}")
    tab.wait("document.activeElement.name === 'token'")
    tab.type(TOKEN)
    tab.key("Enter")
    tab.wait(f"location.pathname === '{then}' && document.readyState === 'complete'")


def test_a_change_of_the_account_is_seen_without_a_reload(
    start: Start, fleet: Fleet, browser: Browser
) -> None:
    server, tab = start(), browser.tab()
    open_live(tab, server.url + "/?sort=name")
    tab.run("document.querySelectorAll('tbody tr .name a')[1].focus(); window.kept = document.body")
    begin = time.monotonic()
    fleet.change("embed", workerConfig={"maxNum": 7})
    tab.wait("document.body.innerText.includes('scales 2\\u20137')")
    assert time.monotonic() - begin < 10
    assert tab.run("document.activeElement.textContent") == "embed"
    assert tab.run("window.kept === document.body")
    assert "maxReplicas" in tab.text()
    begin = time.monotonic()
    fleet.sim.world.console_create(name="another")
    tab.wait("document.body.innerText.includes('another')")
    assert time.monotonic() - begin < 10
    assert tab.run("document.querySelector('h1').textContent") == "4 endpoints"
    fleet.sim.world.console_delete(fleet.id("another"))
    tab.wait("!document.body.innerText.includes('another')")
    assert tab.run(ROWS) == ["chat", "embed", "rerank"]
    open_live(tab, server.url + "/endpoints/chat")
    fleet.change("chat", image={"image": "ghcr.io/acme/chat:9.9.9"})
    tab.wait("document.body.innerText.includes('chat:9.9.9')")


def test_the_filter_follows_the_keys_and_is_in_the_url(start: Start, fleet: Fleet, browser: Browser) -> None:
    server, tab = start(), browser.tab()
    open_live(tab, server.url + "/")
    tab.run("document.querySelector('input[type=search]').focus()")
    tab.type("re")
    tab.wait("location.search === '?q=re'")
    tab.wait(f"{ROWS}.join() === 'rerank'")
    assert "1 of 3 match" in tab.text()
    tab.open(server.url + "/")
    tab.press("thead .name a")
    tab.wait("location.search === '?dir=desc'")
    assert tab.run(ROWS) == ["rerank", "embed", "chat"]
    assert tab.run("document.querySelector('[aria-sort]').ariaSort") == "descending"
    plain = browser.tab(scripts=False)
    plain.open(server.url + "/?q=emb")
    assert "embed" in plain.text()
    assert "rerank" not in plain.text()
    plain.press(".filter button")
    plain.wait("location.search.includes('managed=') && document.readyState === 'complete'")
    plain.press("tbody .name a")
    plain.wait("location.pathname === '/endpoints/embed' && document.readyState === 'complete'")
    assert "Configuration" in plain.text()


def test_apply_performs_the_plan_that_was_shown(start: Start, fleet: Fleet, browser: Browser) -> None:
    server, tab = start(RECONCILER_API_TOKENS=TOKENS), browser.tab()
    fleet.declare("embed:2.0.1", "embed:2.1.0")
    tab.open(server.url + "/plan")
    assert "0 to add, 1 to change, 0 to destroy" in tab.text()
    assert "This browser may only read." in tab.text()
    assert tab.run("document.querySelector('[action=\"/apply\"]')") is None
    sign_in(tab, server, "/plan")
    tab.press(".approval button.primary")
    tab.wait("document.querySelector('h1').textContent.startsWith('Apply complete')")
    tab.wait("document.body.innerText.includes('done in')")  # the page is read again when the run has ended
    assert fleet.sim.world.endpoint(fleet.id("embed"))["image"]["image"] == "ghcr.io/acme/embed:2.1.0"
    tab.open(server.url + "/runs")
    assert "Run 1" in tab.text()
    assert "ada" in tab.run("document.querySelector('[data-live=runs] tbody tr').innerText")
    tab.open(server.url + "/plan")
    assert "No changes" in tab.text()
    assert tab.run("document.querySelector('.approval')") is None


def test_another_plan_than_the_one_shown_is_not_applied(start: Start, fleet: Fleet, browser: Browser) -> None:
    server, tab = start("--allow-unauthenticated-writes"), browser.tab()
    fleet.declare("embed:2.0.1", "embed:2.1.0")
    tab.open(server.url + "/plan")
    fleet.declare("rerank:0.9.0", "rerank:1.0.0")
    writes = [one.method for one in fleet.sim.requests if one.method == "POST"]
    tab.press(".approval button.primary")
    tab.wait("document.body.innerText.includes('no longer the one that was approved')")
    assert [one.method for one in fleet.sim.requests if one.method == "POST"] == writes
    tab.open(server.url + "/runs")
    assert "Not applied: the plan has changed." in tab.text()


def test_it_is_readable_at_every_width_and_in_the_dark(start: Start, fleet: Fleet, browser: Browser) -> None:
    fleet.declare("embed:2.0.1", "embed:2.1.0")
    fleet.change("embed", healthy={"path": "/" + "a-very-long-path" * 12})
    fleet.sim.world.console_create(name="x" * 60, image={"image": "registry.example/" + "y" * 150})
    fleet.sim.world.switch(no_stock=True)
    fleet.sim.world.console_create(name="stuck", workerConfig={"minNum": 3, "maxNum": 60})
    server = start("--allow-unauthenticated-writes")
    for dark in (False, True):
        tab = browser.tab(dark=dark)
        for path in (
            *("/", "/?q=nothing", "/endpoints/embed", "/endpoints/stuck"),
            *("/endpoints/nowhere", "/plan", "/runs"),
        ):
            tab.open(server.url + path)
            for width in (390, 768, 1440):
                tab.resize(width)
                wide, window = tab.run(WIDEST)
                assert wide <= window, (path, width, wide)
            found = tab.run(f"(() => {{ {CONTRAST} }})()")
            assert found["texts"] > 8, path
            assert found["worst"][0] >= 4.5, (path, dark, found["worst"])


def test_the_documentation_has_a_picture(
    start: Start, fleet: Fleet, browser: Browser, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """With --update-golden it is taken anew."""
    fleet.declare("embed:2.0.1", "embed:2.1.0")
    fleet.change("embed", healthy={"path": "/"})
    fleet.declare(
        "    maxReplicas: 2\n", "    maxReplicas: 2\n  - endpoint: whisper\n    image: acme/whisper:3\n"
    )
    world = fleet.sim.world
    world.console_create(name="batch-images", workerConfig={"minNum": 2, "maxNum": 24})
    world.console_create(name="tts-preview", workerConfig={"minNum": 1, "maxNum": 4})
    world.switch(no_stock=True)
    world.console_create(name="experiment", workerConfig={"minNum": 2, "maxNum": 5})
    tab = browser.tab(1280, 800)
    open_live(tab, start().url + "/")
    assert len(tab.run(ROWS)) == 7
    is_updated = request.config.getoption("--update-golden")
    picture = ROOT / "docs" / "page.png" if is_updated else tmp_path / "page.png"
    tab.picture(picture)
    assert picture.read_bytes()[:4] == b"\x89PNG"
    assert (ROOT / "docs" / "page.png").is_file()


def test_it_is_operated_by_the_keyboard_and_read_aloud(start: Start, fleet: Fleet, browser: Browser) -> None:
    server, tab = start(), browser.tab()
    open_live(tab, server.url + "/")
    seen: list[str] = []
    for _ in range(24):
        tab.key("Tab")
        words, is_visible, outline = tab.run(FOCUSED)
        assert is_visible, words
        assert outline != "none", words
        seen.append(words)
    assert seen[:6] == ["Skip to content", "reconciler", "Endpoints", "Plan", "Runs", "API"]
    assert seen[6] == "Sign in"
    assert seen.index("q") < seen.index("Endpoint") < seen.index("chat") < seen.index("embed")
    tree = tab.send("Accessibility.getFullAXTree")["nodes"]
    said = {
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in tree
        if not node.get("ignored") and "role" in node
    }
    roles = {role for role, _ in said}
    assert {"banner", "navigation", "main", "search", "table", "columnheader", "rowheader"} <= roles
    assert ("table", "Endpoints") in said
    assert ("heading", "3 endpoints") in said
    assert ("searchbox", "Find") in said
    unnamed = [
        role for role, name in said if role in ("link", "button", "combobox", "searchbox") and not name
    ]
    assert not unnamed


def test_it_asks_nobody_else_and_breaks_no_rule(start: Start, fleet: Fleet, browser: Browser) -> None:
    fleet.declare("embed:2.0.1", "embed:2.1.0")
    server, tab = start(RECONCILER_API_TOKENS=TOKENS), browser.tab()
    for path in ("/", "/endpoints/chat", "/plan", "/runs", "/sign-in"):
        tab.open(server.url + path)
    asked = tab.requests()
    assert len(asked) > 10
    assert all(url.startswith((server.url, "data:")) for url in asked), asked
    assert [line for line in tab.said() if server.url in line and '"verbose"' not in line] == []


HOSTILE = """<!doctype html><title>hostile</title>
<form id="f" method="post" action="{target}/apply" target="there">
<input name="digest" value="{digest}"><input name="key" value="guessed"></form>
<iframe name="there"></iframe><iframe id="framed" src="{target}/plan"></iframe>
<script>
(async () => {{
  const found = [];
  const attempt = async (name, act) => {{
    try {{ found.push([name, await act()]); }} catch (error) {{ found.push([name, "refused"]); }}
  }};
  const target = "{target}";
  await attempt("read", async () => (await fetch(target + "/", {{ credentials: "include" }})).text());
  await attempt("plan", async () => (await fetch(target + "/plan", {{ credentials: "include" }})).text());
  await attempt("write", async () => (await fetch(target + "/api/v1/endpoints/chat", {{
    method: "DELETE", credentials: "include" }})).status);
  await attempt("simple", async () => {{
    await fetch(target + "/api/v1/endpoints", {{ method: "POST", mode: "no-cors", credentials: "include",
      headers: {{ "Content-Type": "text/plain" }}, body: '{{"endpoint": "evil", "image": "evil:1"}}' }});
    return "sent";
  }});
  await attempt("events", () => new Promise((resolve, reject) => {{
    const source = new EventSource(target + "/events", {{ withCredentials: true }});
    source.addEventListener("state", () => resolve("told"));
    source.onerror = () => {{ source.close(); reject(new Error("refused")); }};
  }}));
  document.getElementById("f").submit();
  await new Promise((resolve) => setTimeout(resolve, 500));
  await attempt("frame", async () => document.getElementById("framed").contentDocument.body.innerText);
  window.found = Object.fromEntries(found);
}})();
</script>"""


@pytest.fixture
def elsewhere() -> Iterator[ThreadingHTTPServer]:
    """A server of another origin, whose page is `page` of its class."""

    class Handler(BaseHTTPRequestHandler):
        page = ""

        def do_GET(self) -> None:
            body = self.page.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_page_of_another_origin_neither_reads_nor_writes(
    start: Start, fleet: Fleet, browser: Browser, elsewhere: ThreadingHTTPServer
) -> None:
    """Even where writes need no token, and with a digest that is right."""
    fleet.declare("embed:2.0.1", "embed:2.1.0")
    server, tab = start("--allow-unauthenticated-writes"), browser.tab()
    tab.open(server.url + "/plan")
    digest = tab.run("document.querySelector('[name=digest]').value")
    before = fleet.sim.world.endpoints
    elsewhere.RequestHandlerClass.page = HOSTILE.format(target=server.url, digest=digest)
    for host in ("127.0.0.1", "localhost"):
        tab.open(f"http://{host}:{elsewhere.server_address[1]}/")
        found = tab.wait("window.found", 30)
        assert {name: words for name, words in found.items() if name != "simple"} == dict.fromkeys(
            ("read", "plan", "write", "events", "frame"), "refused"
        )
    assert fleet.sim.world.endpoints == before
    tab.open(server.url + "/runs")
    assert "None since the server was started" in tab.text()


def test_a_thousand_endpoints_stay_smooth(start: Start, fleet: Fleet, browser: Browser) -> None:
    for number in range(1000):
        fleet.sim.world.console_create(name=f"service-{number:04d}")
    server, tab = start(), browser.tab()
    open_live(tab, server.url + "/")
    assert tab.run("document.querySelectorAll('tbody tr').length") == 1003
    tab.run("""window.longest = 0; new PerformanceObserver((list) => {
      for (const one of list.getEntries()) window.longest = Math.max(window.longest, one.duration);
    }).observe({ entryTypes: ["longtask"] })""")
    begin = time.monotonic()
    fleet.change("service-0500", workerConfig={"maxNum": 9})
    tab.wait("document.body.innerText.includes('scales 1\\u20139')")
    assert time.monotonic() - begin < 30
    assert tab.run("document.querySelectorAll('tbody tr.changed').length") == 1
    assert tab.run("window.longest") < 5000  # milliseconds in which the page does not answer a key
