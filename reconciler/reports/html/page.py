"""A run as one page: it needs no network and no script, and is at home in light, in dark and on paper."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Final

from reconciler import __version__
from reconciler.model.drift import Alarm
from reconciler.model.plan import Change, Drift
from reconciler.model.problem import limit_problems
from reconciler.model.resource import Live
from reconciler.model.run_report import RunReport
from reconciler.planning.explain import Explanation, explain
from reconciler.planning.fingerprint import plan_digest
from reconciler.reports.html.cards import change_card, drift_card, escape, problem_card
from reconciler.reports.run.summary import counts, ending, headline, standings, tally, told, tone
from reconciler.reports.run.text import action_symbol

OPEN: Final = 12
"""So many endpoints are shown unfolded; of more there is an index, for one looks for the one that matters."""

POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""Nothing is fetched, whatever the values on the page may say."""


def html_text(found: RunReport) -> str:
    """The page."""
    style = files("reconciler.reports.html").joinpath("report.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">\n'
        f"<title>reconciler {escape(found.command)}: {escape(headline(found))}</title>\n"
        f'<style>\n{style}</style></head>\n<body class="{tone(found)}">\n'
        f"{_header(found)}<main>\n{''.join(_sections(found))}</main>\n"
        f"<footer><p>reconciler {__version__}. Secrets are masked.</p></footer>\n</body></html>\n"
    )


def _header(found: RunReport) -> str:
    chips = [
        f'<li class="{"no-op" if what == "unchanged" else what}">'
        f"{f'<b>{symbol}</b> ' if symbol else ''}{count:,} {what}"
        for symbol, count, what in counts(found)
    ]
    if found.drift_report is not None:
        chips = [f'<li class="{standing}">{count:,} {standing}' for count, standing in standings(found)]
    digest = ""
    if found.plan is not None and found.keyring is not None:
        digest = f" <span>plan <code>{plan_digest(found.plan, found.keyring)[:12]}</code></span>"
    return (
        f'<header><p class="command">reconciler {escape(found.command)}</p>\n'
        f"<h1>{escape(headline(found))}</h1>\n"
        f'<p class="meta"><span class="tone">{ending(found)}</span> '
        f'<time datetime="{found.timestamp}">{_moment(found.timestamp)}</time>{digest}</p>\n'
        + (f'<ul class="chips">{"".join(chips)}</ul>\n' if chips else "")
        + "</header>\n"
    )


def _moment(timestamp: str) -> str:
    return timestamp.replace("T", " ").removesuffix("Z") + " UTC"


def _sections(found: RunReport) -> Iterator[str]:
    problems = told(found)
    yield _section(
        "problems", tally(problems).capitalize(), [problem_card(one) for one in limit_problems(problems)]
    )
    if found.plan is None:
        return
    explanations = explain(found.plan) if found.explained else {}
    if found.drift_report is not None:
        drifted: list[tuple[Drift, Alarm | None]] = [
            (alarm.drift, alarm) for alarm in found.drift_report.alarms
        ]
    else:
        yield from _changes(found, found.plan.pending, explanations)
        drifted = [(drift, None) for drift in found.plan.drift]
    index = _index(
        [("~" if drift.live else "-", drift.name, f"d{n}") for n, (drift, _) in enumerate(drifted)]
    )
    measure = "declared" if found.drift_report and found.drift_report.by_declaration else "applied"
    cards = [
        drift_card(
            drift,
            alarm,
            f"d{number}",
            measure=measure,
            explanation=explanations.get(drift.key) if alarm else None,
            is_open=len(drifted) <= OPEN,
        )
        for number, (drift, alarm) in enumerate(drifted)
    ]
    yield _section("drift", "Changed outside of reconciler", [index, *cards] if cards else [])
    yield _unmanaged(found.plan.unmanaged)


def _changes(
    found: RunReport, changes: Sequence[Change], explanations: Mapping[str, Explanation]
) -> Iterator[str]:
    results = {result.change.name: result for result in found.report.results} if found.report else {}
    index = _index(
        [(action_symbol(change), change.name, f"c{number}") for number, change in enumerate(changes)]
    )
    cards = [
        change_card(
            change,
            f"c{number}",
            result=results.get(change.name),
            explanation=explanations.get(change.key),
            is_open=len(changes) <= OPEN,
        )
        for number, change in enumerate(changes)
    ]
    yield _section("changes", "Changes", [index, *cards] if cards else [])


def _section(anchor: str, heading: str, parts: Sequence[str]) -> str:
    """A part of the page; "" when there is nothing in it."""
    if not parts:
        return ""
    return (
        f'<section aria-labelledby="{anchor}"><h2 id="{anchor}">{heading}</h2>\n{"".join(parts)}</section>\n'
    )


def _index(entries: Sequence[tuple[str, str, str]]) -> str:
    """Links to endpoints by (symbol, name, anchor), where there are too many to see at once."""
    if len(entries) <= OPEN:
        return ""
    links = "".join(
        f'<li><a href="#{anchor}"><span>{symbol}</span> {escape(name)}</a>'
        for symbol, name, anchor in entries
    )
    return f'<nav aria-label="Endpoints" tabindex="0"><ol>{links}</ol></nav>\n'


def _unmanaged(unmanaged: Sequence[Live]) -> str:
    rows = "".join(f"<li>{escape(live.name)} <code>{escape(live.id)}</code>" for live in unmanaged)
    return _section(
        "unmanaged",
        "Not managed by this configuration",
        [f'<ul class="unmanaged">{rows}</ul>'] if rows else [],
    )
