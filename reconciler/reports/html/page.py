"""A run as a self-contained HTML page, without scripts, for light and dark mode and for printing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Final

from reconciler import __version__
from reconciler.model.drift import Alarm
from reconciler.model.plan import Drift, Plan
from reconciler.model.problem import limit_problems
from reconciler.model.resource import Live, key_of
from reconciler.model.run_report import RunReport
from reconciler.planning.explain import Explanation, explain
from reconciler.planning.fingerprint import plan_digest
from reconciler.planning.review.disruption import effects_of
from reconciler.reports.html.cards import change_card, drift_card, escape, problem_card
from reconciler.reports.html.outputs import outputs_list
from reconciler.reports.html.preflight import preflight_list
from reconciler.reports.run.effects import followers_text
from reconciler.reports.run.outputs import outputs_of
from reconciler.reports.run.preflight import HEADING
from reconciler.reports.run.summary import (
    action_counts,
    all_problems,
    drift_state_counts,
    exit_code_text,
    followers_in,
    headline,
    severity_counts,
    shown_changes,
    tone,
)
from reconciler.reports.run.text import action_symbol, unmanaged_line

MAX_EXPANDED: Final = 12
"""Maximum number of endpoints that are shown expanded; a longer list is collapsed and gets an index."""

STYLES: Final = ("colors.css", "report.css")
"""The style sheets of the page, in order."""

POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""The page loads nothing, whatever values it contains."""


def html_text(run: RunReport) -> str:
    """Return the page."""
    folder = files("reconciler.reports.html")
    style = "\n".join(folder.joinpath(name).read_text(encoding="utf-8") for name in STYLES)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">\n'
        f"<title>reconciler {escape(run.title)}: {escape(headline(run))}</title>\n"
        f'<style>\n{style}</style></head>\n<body class="{tone(run)}">\n'
        f"{content_html(run)}"
        f"<footer><p>reconciler {__version__}. Secrets are masked.</p></footer>\n</body></html>\n"
    )


def content_html(run: RunReport, *, is_embedded: bool = False) -> str:
    """Return the header and the main part of the page, for a page that has the styles and the tone.

    is_embedded: the page has a banner of its own, and needs no second landmark of that kind.
    """
    header = '<header role="group" aria-label="Result">' if is_embedded else "<header>"
    return f"{header}{_header(run)}<main>\n{''.join(_sections(run))}</main>\n"


def _header(run: RunReport) -> str:
    chips = [
        f'<li class="{"no-op" if what == "unchanged" else what}">'
        f"{f'<b>{symbol}</b> ' if symbol else ''}{count:,} {what}"
        for symbol, count, what in action_counts(run)
    ]
    if run.drift_report is not None:
        chips = [f'<li class="{state}">{count:,} {state}' for count, state in drift_state_counts(run)]
    digest = ""
    if run.plan is not None and run.keyring is not None:
        digest = f" <span>plan <code>{plan_digest(run.plan, run.keyring)[:12]}</code></span>"
    return (
        f'<p class="command">reconciler {escape(run.title)}</p>\n'
        f"<h1>{escape(headline(run))}</h1>\n"
        f'<p class="meta"><span class="tone">{exit_code_text(run)}</span> '
        f'<time datetime="{run.timestamp}">{_moment(run.timestamp)}</time>{digest}</p>\n'
        + (f'<ul class="chips">{"".join(chips)}</ul>\n' if chips else "")
        + "</header>\n"
    )


def _moment(timestamp: str) -> str:
    return timestamp.replace("T", " ").removesuffix("Z") + " UTC"


def _sections(run: RunReport) -> Iterator[str]:
    problems = all_problems(run)
    yield _section(
        "problems",
        severity_counts(problems).capitalize(),
        [problem_card(problem) for problem in limit_problems(problems)],
    )
    if run.plan is None:
        return
    explanations = explain(run.plan) if run.explained else {}
    yield _drift(run, run.plan, explanations)
    if run.plan.cost is not None and run.drift_report is None:
        from reconciler.reports.html.cost import cost_parts

        yield _section("cost", "Cost", cost_parts(run.plan.cost))
    if run.drift_report is None:
        yield from _changes(run, run.plan, explanations)
        yield _section("preflight", HEADING, preflight_list(run.plan))
        yield _section("outputs", "Outputs", list(filter(None, [outputs_list(outputs_of(run))])))
    yield _unmanaged(run.plan.unmanaged)


def _drift(run: RunReport, plan: Plan, explanations: Mapping[str, Explanation]) -> str:
    """Return the section about drift, which comes first: what somebody changed may be overwritten."""
    drifted: list[tuple[Drift, Alarm | None]] = [(drift, None) for drift in plan.drift]
    if run.drift_report is not None:
        drifted = [(alarm.drift, alarm) for alarm in run.drift_report.alarms]
    index = _index([("~" if drift.live else "-", drift.key, f"d{n}") for n, (drift, _) in enumerate(drifted)])
    measure = "declared" if run.drift_report and run.drift_report.by_declaration else "applied"
    cards = [
        drift_card(
            drift,
            alarm,
            f"d{number}",
            measure=measure,
            explanation=explanations.get(drift.key) if alarm else None,
            is_open=len(drifted) <= MAX_EXPANDED,
        )
        for number, (drift, alarm) in enumerate(drifted)
    ]
    return _section("drift", "Changed outside of reconciler", [index, *cards] if cards else [])


def _changes(run: RunReport, plan: Plan, explanations: Mapping[str, Explanation]) -> Iterator[str]:
    changes, followers, effects = shown_changes(run), followers_in(run), effects_of(plan)
    results = {result.change.key: result for result in run.report.results} if run.report else {}
    index = _index(
        [(action_symbol(change), change.key, f"c{number}") for number, change in enumerate(changes)]
    )
    cards = [
        change_card(
            change,
            f"c{number}",
            result=results.get(change.key),
            explanation=explanations.get(change.key),
            followers=followers_text(found, effects) if (found := followers.get(change.address)) else "",
            is_open=len(changes) <= MAX_EXPANDED,
        )
        for number, change in enumerate(changes)
    ]
    yield _section("changes", "Changes", [index, *cards] if cards else [])


def _section(anchor: str, heading: str, parts: Sequence[str]) -> str:
    """Return a section of the page; "" if it is empty."""
    if not parts:
        return ""
    return (
        f'<section aria-labelledby="{anchor}"><h2 id="{anchor}">{heading}</h2>\n{"".join(parts)}</section>\n'
    )


def _index(entries: Sequence[tuple[str, str, str]]) -> str:
    """Return links to the endpoints, given as (symbol, name, anchor); "" if they are few."""
    if len(entries) <= MAX_EXPANDED:
        return ""
    links = "".join(
        f'<li><a href="#{anchor}"><span>{symbol}</span> {escape(name)}</a>'
        for symbol, name, anchor in entries
    )
    return f'<nav aria-label="Endpoints" tabindex="0"><ol>{links}</ol></nav>\n'


def _unmanaged(unmanaged: Sequence[Live]) -> str:
    rows = "".join(
        f"<li>{escape(key_of(live.name, live.kind))} <code>{escape(live.id)}</code>" for live in unmanaged
    )
    if not rows:
        return ""
    summary = unmanaged_line(unmanaged)
    return (
        f'<details class="unmanaged" id="unmanaged"><summary>{summary}</summary><ul>{rows}</ul></details>\n'
    )
