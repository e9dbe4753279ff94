"""The HTML report of a run, tested in a browser."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from reconciler.kinds.registry import ENDPOINT
from reconciler.model.apply_events import Outcome
from reconciler.model.drift import DriftState
from reconciler.model.problem import Problem
from reconciler.model.run_report import RunReport
from reconciler.reports.html.chart import Range, chart
from reconciler.reports.html.page import html_text
from tests.builders import answer, endpoint, live, plan, tracked
from tests.reports import samples
from tests.reports.chromium import Browser, needed

RUNS: dict[str, RunReport] = {
    "refused": replace(samples.refused(), explained=True),
    "applied": samples.applied(Outcome.DONE, Outcome.FAILED, Outcome.UNRESOLVED, Outcome.NOT_ATTEMPTED),
    "drifted": samples.drifted(),
    "ignored": samples.drifted(DriftState.IGNORED),
    "failed": samples.failed(samples.GUARD, samples.WARNING),
    "costly": samples.costly(),
    "nothing": samples.findings(plan()),
}

HOSTILE = "<script>alert(1)</script><img src=//evil.example/x onerror=alert(1)>`\"'&"

CONTRAST = """
const luminance = ([r, g, b]) => {
  const part = (v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
  return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
};
const read = (css) => css.match(/[\\d.]+/g).map(Number);
const behind = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const colour = read(getComputedStyle(at).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) return colour;
  }
  return [255, 255, 255];
};
const found = [];
for (const element of document.querySelectorAll('body *')) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  if (!own || ['SCRIPT', 'OUTPUT'].includes(element.tagName)) continue;
  const style = getComputedStyle(element);
  const text = luminance(read(element.namespaceURI.includes('svg') ? style.fill : style.color));
  const back = luminance(behind(element));
  const ratio = (Math.max(text, back) + 0.05) / (Math.min(text, back) + 0.05);
  found.push([ratio, element.tagName + '.' + (element.className.baseVal ?? element.className)]);
}
return { page: behind(document.body), texts: found.length, worst: found.sort((a, b) => a[0] - b[0])[0] };
"""


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    return Browser(tmp_path)


class Tags(HTMLParser):
    """Collects the tags of a page and the targets of its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "style", "srcset")]


@pytest.mark.parametrize("name", RUNS)
def test_a_page_is_self_contained(name: str) -> None:
    """The page has no script and loads nothing."""
    page = html_text(RUNS[name])
    tags = Tags(page)
    assert "script" not in tags.names
    assert {link for link in tags.links if not link.startswith("#")} == {"data:,"}
    assert not re.search(r"url\(|@import", page)


@needed
def test_a_page_loads_without_messages(browser: Browser) -> None:
    """The console is empty, and there is no network request."""
    for name in ("refused", "applied"):
        document, said = browser.load(html_text(RUNS[name]))
        assert (said, "<h1>" in document) == ([], True)
    resources = "return performance.getEntriesByType('resource').map((one) => one.name)"
    assert browser.ask(resources, html_text(RUNS["refused"])) == [[]]


@needed
def test_a_page_is_never_wider_than_its_window(browser: Browser) -> None:
    """Long names and values without spaces do not cause horizontal scrolling."""
    long = plan([endpoint("n" * 220, appName="a", command="i" * 3000, env={"K" * 200: "v" * 500})])
    found = samples.findings(long, Problem(code="x", summary="s" * 400, detail="d" * 400))
    pages = [html_text(one) for one in (found, RUNS["refused"], RUNS["applied"], RUNS["drifted"])]
    script = """
    // what is folded away or far below counts as well
    document.head.insertAdjacentHTML('beforeend', '<style>.card { content-visibility: visible }</style>');
    const parts = [...document.querySelectorAll('.card, .problem, .chips, nav, ul, table')];
    const cut = parts.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.className);
    return [innerWidth, document.documentElement.scrollWidth, cut];
    """
    seen = browser.ask(script, *pages, widths=(360, 390, 1280))
    assert seen == [[width, width, []] for width in (360, 390, 1280) for _ in pages]


@needed
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_has_enough_contrast(browser: Browser, dark: bool) -> None:
    """The contrast is at least 4.5 (WCAG AA) in light and dark mode."""
    names = ("refused", "applied", "ignored")
    answers = browser.ask(CONTRAST, *(html_text(RUNS[name]) for name in names), dark=dark)
    for name, seen in zip(names, answers, strict=True):
        assert (seen["page"][0] < 64) is dark, "the scheme was not the one asked for"
        assert seen["texts"] > 20
        assert seen["worst"][0] >= 4.5, (name, seen["worst"])


@needed
def test_the_chart_is_drawn_to_scale(browser: Browser) -> None:
    """The ranges 1-3 and 2-8 are drawn on a scale up to 8."""
    script = """
    const card = [...document.querySelectorAll('.card')].find((one) => one.textContent.includes('scaled'));
    const box = (name) => { const b = card.querySelector(name).getBBox(); return [b.x, b.width]; };
    return { track: box('.track'), was: box('.was'), is: box('.is'),
             said: card.querySelector('svg').getAttribute('aria-label'),
             counts: [...card.querySelectorAll('.count')].map((one) => one.textContent) };
    """
    (seen,) = browser.ask(script, html_text(RUNS["refused"]))
    left, span = seen["track"]
    for bar, (low, high) in (("was", (1, 3)), ("is", (2, 8))):
        x, width = seen[bar]
        assert x == pytest.approx(left + span * low / 8, abs=0.01)
        assert width == pytest.approx(span * (high - low) / 8, abs=0.01)
    assert seen["counts"] == ["1\N{EN DASH}3", "2\N{EN DASH}8"]
    assert seen["said"] == "Workers: before 1\N{EN DASH}3; after 2\N{EN DASH}8"


def test_a_chart_needs_a_range() -> None:
    """One range is enough for a chart, also a range of 0; without a range there is no chart."""
    assert chart(None, None) == ""
    assert "before none" in chart(None, Range(1, 1))
    assert "Workers: before 0; after 0" in chart(Range(0, 0), Range(0, 0))


@needed
def test_a_link_expands_its_target(browser: Browser) -> None:
    """Many endpoints are collapsed; a click or a link of the index expands one."""
    script = """
    const [first, second] = document.querySelectorAll('details');
    const closed = [first.open, second.open, second.offsetHeight];
    first.querySelector('summary').click();
    document.querySelectorAll('nav a')[1].click();
    return { closed, open: [first.open, second.open], grown: second.offsetHeight > 2 * closed[2] };
    """
    (seen,) = browser.ask(script, html_text(samples.findings(samples.many(20))))
    assert (seen["closed"][:2], seen["open"], seen["grown"]) == ([False, False], [True, True], True)


def test_few_changes_are_expanded() -> None:
    """They are visible without a click."""
    page = html_text(RUNS["refused"])
    assert page.count('<details class="card') == page.count(" open>")


def test_a_thousand_endpoints_stay_usable() -> None:
    """The page is smaller than three megabytes and has an index."""
    made = plan([endpoint(f"endpoint-{number:04}", env={"KEY": "value"}) for number in range(1000)])
    page = html_text(samples.findings(made))
    assert len(page.encode()) < 3_000_000
    assert page.count('<a href="#c') == page.count('<div class="inside" id="c') == 1000


def test_untrusted_text_is_escaped() -> None:
    """Untrusted names, values, files and messages add no tag to a page."""
    hostile = Problem(code="x", summary=HOSTILE, detail=HOSTILE, hint=HOSTILE, address=HOSTILE)
    made = plan([endpoint(HOSTILE[:60], appName="a", command=HOSTILE, env={HOSTILE: HOSTILE})])
    harmless = Tags(html_text(samples.findings(plan([endpoint("x", env={"A": "b"})]), samples.REFUSAL)))
    page = html_text(replace(samples.findings(made, hostile), explained=True))
    assert {"script", "img"} & set(Tags(page).names) == set()
    assert set(Tags(page).names) - {"code", "dl", "dt", "dd"} == set(harmless.names) - {"code"}


@pytest.mark.parametrize("name", RUNS)
def test_no_secret_is_on_a_page(name: str) -> None:
    """This holds for declared, applied and live secrets."""
    assert "hf_" not in html_text(RUNS[name])


def test_a_page_shows_the_result() -> None:
    """The page has the summary line, the exit code, the problems with their places, and each result."""
    refused = html_text(RUNS["refused"])
    assert "<h1>Plan: 1 to import, 2 to add, 3 to change, 2 to destroy.</h1>" in refused
    assert "exit code 3: refused by a guard" in refused
    assert "endpoints.yaml:12:7" in refused
    assert "declared, recorded, live by its ID; only worker counts differ -&gt; scale" in refused
    applied = html_text(RUNS["applied"])
    assert "<h1>Apply incomplete: 1 done, 1 failed, 1 unresolved, 4 not attempted.</h1>" in applied
    for words in ("done in 1.5 s", "failed in 1.5 s", "unresolved in 1.5 s", ">not attempted<"):
        assert words in applied
    assert "<h1>Drift: 1 changed, 1 deleted.</h1>" in html_text(RUNS["drifted"])
    assert "ignored until 2027-01-01 00:00Z: a trial" in html_text(RUNS["ignored"])
    assert "<h1>No changes." in html_text(RUNS["nothing"])
    assert "<h1>Failed: 1 error.</h1>" in html_text(RUNS["failed"])


LONG = "python -m server " + " ".join(f"--option-{number} value-{number}" for number in range(40))
UNBROKEN = "x" * 200


def with_long_values() -> RunReport:
    """Return a plan with drift, an update with a long value, and a delete of an endpoint with workers."""
    workers = [{"id": "w-1", "state": "running", "healthy": True}]
    return samples.findings(
        plan(
            [
                endpoint("tuned", command=f"{LONG} --new", image=f"a/{UNBROKEN}"),
                endpoint("fresh", command=LONG),
            ],
            [tracked("tuned", command=LONG), tracked("old", env={"MODEL": "llama"})],
            [
                live("tuned", command=LONG, healthPath="/moved"),
                ENDPOINT.parse_one({**answer("old", env={"MODEL": "llama"}), "workers": workers}),
            ],
        )
    )


@needed
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_one_long_value_leaves_the_page_readable(browser: Browser, dark: bool) -> None:
    """E10: at each width no column is narrow, nothing is wider than the window, and the contrast is there."""
    script = """
const width = (element) => element.getBoundingClientRect().width;
const cells = [...document.querySelectorAll('td, tbody th')].filter(width);
return {
  overflow: document.documentElement.scrollWidth - innerWidth,
  narrowest: Math.min(...cells.map(width)),
  words: Math.min(...[...document.querySelectorAll('.long div')].map(width)),
  highest: Math.max(...[...document.querySelectorAll('tr')].map((row) => row.getBoundingClientRect().height)),
};
"""
    page = html_text(with_long_values())
    widths = (390, 1280, 1600)
    for answer_, width in zip(browser.ask(script, page, widths=widths, dark=dark), widths, strict=True):
        assert answer_["overflow"] <= 0, width
        assert answer_["words"] >= (300 if width == 390 else 450), width
        assert answer_["highest"] <= 900, width
        if width > 390:
            assert answer_["narrowest"] >= 110, width
    for answer_ in browser.ask(CONTRAST, page, widths=widths, dark=dark):
        assert answer_["worst"][0] >= 4.5, answer_


def test_drift_comes_first() -> None:
    """E10: before the changes that would overwrite it."""
    page = html_text(with_long_values())
    assert 0 < page.index('id="drift"') < page.index('id="changes"')


def test_a_delete_shows_what_is_lost() -> None:
    """E10: its URL, its workers and its configuration; a replacement shows the first two."""
    page = html_text(with_long_values())
    card = page[page.index('class="card delete"') :]
    assert "https://id-old-old.runsync.novita.dev stops" in card
    assert "1 will be stopped, 1 of them ready" in card
    assert "<th scope=row>minReplicas<td>1" in card
    assert "<th scope=row>env.MODEL<td>" in card
    page = html_text(RUNS["refused"])
    card = page[page.index('class="card replace"') :].split("</details>")[0]
    assert "https://id-larger-larger.runsync.novita.dev stops" in card
    assert "none at the moment" in card


def test_the_cost_is_a_chart_and_a_table() -> None:
    """The bars have the totals as their text, and each change is a row with its remarks."""
    page = html_text(samples.costly())
    assert page.index('<h2 id="cost">Cost</h2>') < page.index('<h2 id="changes">Changes</h2>')
    assert 'aria-label="before: ~$3,031.33 to ~$4,041.77 per month"' in page
    assert 'aria-label="after: at least ~$3,536.55 to at least ~$8,083.53 per month"' in page
    assert page.count("<svg") - html_text(samples.refused()).count("<svg") == 2
    rows = re.findall(r"<tr><th scope=row><b>.</b> ([a-z]+)", page.partition("<table class=money>")[2])
    assert rows == ["adopted", "fresh", "larger", "old", "scaled"]
    assert "price unknown: Novita does not list its product" in page
    assert "Budget per month: ceiling at least ~$" in page


def test_many_costs_are_counted() -> None:
    run = samples.costly()
    assert run.plan is not None
    assert run.plan.cost is not None
    cost = replace(run.plan.cost, changes=run.plan.cost.changes * 80)
    page = html_text(replace(run, plan=replace(run.plan, cost=cost)))
    assert re.search(r"<tr><th scope=row>and \d+ more<td colspan=4>", page)
