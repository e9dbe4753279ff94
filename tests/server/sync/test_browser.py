"""The pages of the controller in a browser: what is seen, pressed and followed."""

from __future__ import annotations

import threading
import time

from reconciler.controller.approval import find_approval
from reconciler.controller.board import Board
from reconciler.workflow.runtime.context import Context
from tests.reports.html.test_page import CONTRAST
from tests.server.conftest import WRITER
from tests.server.pages.browser import Browser, Tab, needed
from tests.server.pages.conftest import browser as browser

from .conftest import Controller, Serve, a_board, a_plan, a_state, in_environment

pytestmark = needed

WIDEST = "[document.documentElement.scrollWidth, innerWidth]"
IS_LIVE = "document.documentElement.classList.contains('connected')"
HAS_BUTTON = "!!document.querySelector('.approve button:enabled')"


def sign_in(tab: Tab, server: Controller) -> None:
    tab.open(f"{server.url}/sign-in?next=/sync")
    tab.wait("document.activeElement.name === 'token'")
    tab.type(WRITER)
    tab.key("Enter")
    tab.wait("location.pathname === '/sync' && document.readyState === 'complete'")


def test_a_person_approves_with_the_button(serve: Serve, context: Context, browser: Browser) -> None:
    prod = in_environment(context, "prod", is_confirmed=True)
    server, tab = serve(a_board(prod, a_state("prod", waiting=a_plan(prod)))), browser.tab()
    sign_in(tab, server)
    assert tab.run("document.querySelector('.plan').innerText").startswith("Plan: 1 to add, 1 to change")
    tab.press(".approve input[name=environment]")
    tab.type("prod")
    tab.press(".approve button")
    tab.wait("document.body.innerText.includes('Approved by ci, until')")
    assert server.board.state
    assert server.board.state.waiting
    assert find_approval(prod, server.board.state.waiting)
    server.board.show(a_state("prod"), prod)
    tab.wait("!document.body.innerText.includes('Approved by')", 5)


def test_the_page_follows_the_rounds(serve: Serve, context: Context, browser: Browser) -> None:
    board = Board(context, threading.Event())
    server, tab = serve(board), browser.tab()
    tab.open(server.url + "/sync")
    tab.wait(IS_LIVE)
    assert "No round has ended yet." in tab.text()
    board.lead()
    begin = time.monotonic()
    board.show(a_state(count=3), context)
    tab.wait("document.querySelectorAll('tbody tr').length === 3")
    assert time.monotonic() - begin < 15
    assert "Changes are held back" in tab.text()
    board.show(a_state(count=1), context)
    tab.wait("document.querySelectorAll('tbody tr').length === 1")
    assert "compared" in tab.text()
    assert [one for one in tab.said() if "exceptionThrown" in one] == []


def test_a_plan_never_changes_under_the_pointer(serve: Serve, context: Context, browser: Browser) -> None:
    server, tab = serve(a_board(context, a_state(waiting=a_plan(context)))), browser.tab()
    sign_in(tab, server)
    tab.wait(f"{IS_LIVE} && {HAS_BUTTON}")
    other = a_plan(context, digest="cd" * 32, text="  - everything\n")
    server.board.show(a_state(waiting=other), context)
    tab.wait(f"!{HAS_BUTTON}")
    assert "This plan does not wait any more" in tab.text()
    assert "everything" not in tab.text()
    tab.press(".outdated a")
    tab.wait(f"document.body.innerText.includes('everything') && {HAS_BUTTON}")


def test_what_is_typed_is_kept_while_rounds_end(serve: Serve, context: Context, browser: Browser) -> None:
    prod = in_environment(context, "prod", is_confirmed=True)
    waiting = a_plan(prod)
    server, tab = serve(a_board(prod, a_state("prod", waiting=waiting))), browser.tab()
    sign_in(tab, server)
    tab.wait(IS_LIVE)
    tab.press(".approve input[name=environment]")
    tab.type("pro")
    server.board.show(a_state("prod", count=5, waiting=waiting), prod)
    tab.wait("document.querySelectorAll('tbody tr').length === 5")
    tab.type("d")
    assert tab.run("document.activeElement.value") == "prod"


def test_the_filter_follows_the_keys(serve: Serve, context: Context, browser: Browser) -> None:
    server, tab = serve(a_board(context, a_state(count=1000))), browser.tab()
    tab.open(server.url + "/sync")
    tab.wait(IS_LIVE)
    tab.run("document.querySelector('input[type=search]').focus()")
    tab.type("window")
    tab.wait("location.pathname + location.search === '/sync?q=window'")
    tab.wait("document.querySelectorAll('tbody tr').length === 11")
    assert "11 of 1,000 match" in tab.text()


def test_nothing_is_wider_than_the_window_and_all_can_be_read(
    serve: Serve, context: Context, browser: Browser
) -> None:
    long = a_plan(context, text="  ~ " + "wide " * 100)
    states = [
        a_state(count=0),
        a_state(count=3, waiting=long, rejected="f" * 40, paused=("x" * 300,)),
        a_state(count=1000, leader="l" * 200, revision="r" * 300),
    ]
    server = serve(a_board(context, states[0]), unauthenticated_writes=True)
    boards = [a_board(in_environment(context, one), a_state(one)) for one in ("dev", "prod")]
    several = serve(*boards)
    tabs = {dark: browser.tab(dark=dark) for dark in (False, True)}
    for number, state in enumerate(states):
        server.board.show(state, context)
        for dark, tab in tabs.items():
            tab.open(f"{server.url}/sync?q=&number={number}")
            check(tab, dark)
    for dark, tab in tabs.items():
        tab.open(several.url + "/sync")
        check(tab, dark)


def check(tab: Tab, dark: bool) -> None:
    for width in (390, 1280):
        tab.resize(width)
        wide, window = tab.run(WIDEST)
        assert wide <= window, (width, wide)
    found = tab.run(f"(() => {{ {CONTRAST} }})()")
    assert found["worst"][0] >= 4.5, (dark, found["worst"])


def test_it_works_without_scripts(serve: Serve, context: Context, browser: Browser) -> None:
    server = serve(a_board(context, a_state(waiting=a_plan(context))), unauthenticated_writes=True)
    tab = browser.tab(scripts=False)
    tab.open(server.url + "/sync")
    tab.press(".approve button")
    tab.wait("document.body.innerText.includes('Approved by')")
