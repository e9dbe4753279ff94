"""The findings of the writes of `doctor --probe-api`: what they say about the open questions. Pure.

As in `report`, a finding has no name, ID or value of the account.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from reconciler.model.values import value_at
from reconciler.novita.error_table import KEYS_REFUSED, is_not_found
from reconciler.workflow.api_probe.reads import Reading
from reconciler.workflow.api_probe.report import Finding
from reconciler.workflow.api_probe.span import Span
from reconciler.workflow.api_probe.steps import LARGE, READS, Seen
from reconciler.workflow.api_probe.target import VARIABLES

CLAMPED: Final = (
    ("workerConfig", "freeTimeout"),
    ("workerConfig", "maxConcurrent"),
    ("workerConfig", "requestTimeout"),
    ("policy", "value"),
)
"""The fields of the update with large numbers."""

_NOT_DONE: Final = "the probe ended before"

_DELETE_KEYS: Final[Mapping[tuple[bool | None, ...], str]] = {
    (True, True, True): "either",
    (True, True, False): "id",
    (True, False, True): "name",
    (False, True, False): "strict",
    (False, False, True): "strict-name",
}
"""Whether a delete with both keys, with `id` and with `name` finds the ID: the switch."""


def write_findings(seen: Seen) -> tuple[Finding, ...]:
    """Return the findings, also for what could not be told."""
    return (*_creates(seen), *_lags(seen), *_updates(seen), *_env(seen), *_others(seen))


def _creates(seen: Seen) -> Iterator[Finding]:
    created = "created" in seen.answers
    tries = str(seen.inactive) if created else ""
    yield _finding(
        "a cluster that is not active", "cluster_inactive_tries", tries, f"{seen.inactive} refusals"
    )
    without, filled = seen.answers.get("create without requestTimeout"), ""
    if without is not None and without.status != 200:
        filled = "0" if created else ""
    elif without is not None and (live := seen.shown.get("create")):
        filled = str(value_at(live.fields, ("workerConfig", "requestTimeout")))
    yield _finding("a create without requestTimeout", "request_timeout_fill", filled, _status(without))
    cuda, evidence = "", _NOT_DONE
    if live := seen.shown.get("create"):
        found = live.fields.get("workerConfig", {}).get("cudaVersion", "")
        cuda, evidence = found or "none", "one is filled in" if found else "none is filled in"
    yield _finding("a create without cudaVersion", "cuda_fill", cuda, evidence)


def _lags(seen: Seen) -> Iterator[Finding]:
    spans = seen.spans
    yield _lag("a new endpoint by its ID", "get_lag_seconds", spans.get("create get"))
    yield _lag("a new endpoint in the listing", "list_lag_seconds", spans.get("create list"))
    update, behind = spans.get("update get"), spans.get("delete get")
    late = update.beyond(behind) if update and behind else None
    yield _lag("an update", "update_lag_seconds", late, of=update)
    yield _lag("reads by ID, after a delete", "get_behind_seconds", behind)
    yield _lag("the listing, after a delete", "list_behind_seconds", spans.get("delete list"))
    gone = spans.get("gone get")
    left = gone.beyond(behind) if gone and behind else None
    yield _lag("a deleted endpoint, as terminating", "terminating_seconds", left, of=gone)


def _updates(seen: Seen) -> Iterator[Finding]:
    answer, live = seen.answers.get("without env"), seen.shown.get("without env")
    value = "" if live is None else "keep" if live.fields["envs"] else "clear"
    yield _finding("an update without env", "update_omitted", value, _status(answer))
    answer, live = seen.answers.get("fixed field"), seen.shown.get("fixed field")
    evidence, value = _status(answer), ""
    if _is_refused(answer):
        value = "refuse"
    elif live is not None and (former := seen.shown.get("create")) is not None:
        is_same = live.fields.get("rootfsSize") == former.fields.get("rootfsSize")
        value = "ignore" if is_same else ""
        evidence += ", not changed" if is_same else ", changed"
    yield _finding("an update of rootfsSize", "immutable", value, evidence)
    answer = seen.answers.get("unknown credential")
    value = "true" if _is_refused(answer) else "false" if "unknown credential" in seen.shown else ""
    yield _finding("an unknown image.authId", "check_references", value, _status(answer))
    yield from _clamps(seen)


def _clamps(seen: Seen) -> Iterator[Finding]:
    """Yield a finding for each number that was reduced silently, or one that there is none."""
    answer, live = seen.answers.get("large numbers"), seen.shown.get("large numbers")
    reduced = {}
    for path in CLAMPED if live is not None else ():
        number = value_at(live.fields, path) if live else None
        if isinstance(number, int) and number < LARGE:
            reduced[".".join(path)] = number
    for name, number in reduced.items():
        yield _finding("a number above the maximum", f"clamp.{name}", str(number), f"{LARGE} was reduced")
    if not reduced:
        evidence = "kept" if live is not None else _status(answer)
        yield _finding("numbers above the maximum", "clamp", "", evidence)


def _env(seen: Seen) -> Iterator[Finding]:
    sent, reads = tuple(VARIABLES), seen.env
    orders = {tuple(key for key, _ in read) for read in reads}
    value, evidence = "", f"{len(reads)} reads"
    if len(reads) < READS or any(set(order) != set(sent) for order in orders):
        evidence = f"{len(reads)} reads, with other variables" if reads else _NOT_DONE
    elif len(orders) > 1:
        value, evidence = "shuffled", f"{len(orders)} orders in {len(reads)} reads"
    else:
        (order,) = orders
        value = {sent: "kept", sent[::-1]: "reversed"}.get(order, "")
        evidence += "" if value else ", all in another order"
    yield _finding("the order of env", "env_order", value, evidence)
    is_as_sent = bool(reads) and all(dict(read) == VARIABLES for read in reads)
    evidence = _NOT_DONE if not reads else "as sent" if is_as_sent else "not as sent"
    yield _finding("the values of env", "", "", evidence)


def _others(seen: Seen) -> Iterator[Finding]:
    drain, value = seen.answers.get("drain"), ""
    if drain is not None:
        is_known = drain.status == 200 or "WORKER_NOT_FOUND" in drain.reason
        value = "true" if is_known else "false" if drain.status in (404, 405, 501) else ""
    yield _finding("the drain of a worker", "drain_offered", value, _status(drain))
    answers = [seen.answers.get(f"delete by {keys}") for keys in ("id and name", "id", "name")]
    key = _DELETE_KEYS.get(tuple(map(_finds, answers)), "")
    statuses = ", ".join(map(_status, answers)) if all(answers) else _NOT_DONE
    yield _finding("the key of a delete", "delete_key", key, statuses)
    yield _finding("a second endpoint of that name", "duplicate_names", "", "it would take another endpoint")


def _finds(answer: Reading | None) -> bool | None:
    """Return whether a delete understood the ID that is gone; None if its answer does not say."""
    if answer is None or answer.status == 200:
        return None
    return False if answer.reason in KEYS_REFUSED else is_not_found(answer.reason) or None


def _is_refused(answer: Reading | None) -> bool:
    return answer is not None and answer.status != 200


def _lag(question: str, switch: str, span: Span | None, *, of: Span | None = None) -> Finding:
    """Return the finding of a time. of: the span that was seen, if the time is a part of it."""
    seen = of or span
    return _finding(question, switch, span.value if span else "", seen.evidence if seen else _NOT_DONE)


def _status(answer: Reading | None) -> str:
    if answer is None:
        return _NOT_DONE
    return f"status {answer.status}" + (f" {answer.reason}" if answer.reason else "")


def _finding(question: str, switch: str, value: str, evidence: str) -> Finding:
    return Finding(question=question, switch=switch, value=value, evidence=evidence)
