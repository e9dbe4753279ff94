"""What a change means for what runs: workers that restart; the URL, workers and values that are lost."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kinds.registry import KINDS
from reconciler.model.plan import Cause, Change, Delete, FieldChange, Replace
from reconciler.model.resource import ENDPOINT
from reconciler.model.values import ABSENT, leaves
from reconciler.planning.review.disruption import effect_of
from reconciler.reports.run.effects import effect_text


def lost_facts(change: Change) -> Iterator[tuple[str, str]]:
    """Yield (name, fact) about the endpoint that will no longer exist, or the workers that may restart."""
    if not isinstance(change, Delete | Replace) or change.kind != ENDPOINT:
        if (effect := effect_of(change)) is not None:
            yield "Workers", effect_text(effect)
        return
    info = KINDS[change.kind].endpoint_info(change.live)
    if info.url:
        yield "URL", f"{info.url} stops"
    workers = f"{info.total_replicas} will be stopped, {info.ready_replicas} of them ready"
    yield "Workers", workers if info.total_replicas else "none at the moment"
    if effect := effect_of(change):
        yield from (("Data", f"{what} is lost") for what in effect.lost if what not in ("ID", "URL"))


def lost_fields(change: Delete) -> tuple[FieldChange, ...]:
    """Return the live configuration of an endpoint that is deleted, with secrets hidden."""
    rank = KINDS[change.kind].table.reading_rank
    return tuple(
        FieldChange(path=path, before=value, after=ABSENT, cause=Cause.CONFIG, kind=change.kind)
        for path, value in sorted(leaves(change.live.fields), key=lambda leaf: rank(leaf[0]))
    )
