"""Notifications, metrics and traces of `reconciler run`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from reconciler.cli.extras import require_extra
from reconciler.controller.events import Event
from reconciler.controller.notify.delivery import Notifier
from reconciler.controller.notify.targets import Format, Target, read_targets
from reconciler.controller.observer import Observer, Observers
from reconciler.controller.traces import start_traces
from reconciler.model.errors import InvalidConfig
from reconciler.model.problem import Problem
from reconciler.model.sync.durations import DELIVERY_DRAIN

if TYPE_CHECKING:
    from reconciler.server.controller_metrics import ControllerMetrics


class Telemetry:
    """What one process tells of its environments. Close it at the end.

    variables: further variables with targets, beside RECONCILER_NOTIFY. log: gets lines for people.
    metrics: those that the process serves, None if it serves none; they count the notifications as well.
    """

    def __init__(
        self,
        variables: Sequence[str],
        environ: Mapping[str, str],
        log: Callable[[str], None],
        metrics: ControllerMetrics | None = None,
    ) -> None:
        targets = read_targets(variables, environ)
        _check_services(targets)
        self._notifier = Notifier(targets, report=log)
        self._traces = start_traces(environ, log)
        self._metrics = metrics
        if metrics and targets:
            metrics.notifications = lambda: self._notifier.counts

    def notify(self, events: Sequence[Event]) -> None:
        """Tell the events of a round, without waiting."""
        self._notifier.tell(events)

    def observer(self, environment: str) -> Observer:
        """Return the observer of an environment."""
        makers = (maker for maker in (self._traces, self._metrics) if maker)
        return Observers([maker.observer(environment) for maker in makers])

    def close(self) -> None:
        """Deliver what is left, in some seconds."""
        end = time.monotonic() + DELIVERY_DRAIN
        self._notifier.close()
        if self._traces:
            self._traces.close(max(end - time.monotonic(), 1.0))

    def __enter__(self) -> Telemetry:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _check_services(targets: Sequence[Target]) -> None:
    """Raise an error for targets of apprise if it is missing, or does not know their service."""
    others = [target for target in targets if target.format is Format.APPRISE]
    if not others:
        return
    require_extra("notify", f"The target of {others[0].name}")
    from reconciler.controller.notify.services import service_name

    if unknown := [target for target in others if not service_name(target)]:
        raise InvalidConfig(
            *(
                Problem(
                    code="notify",
                    summary=f"{target.name} is not usable: apprise does not know such a URL",
                    hint="compare it with https://appriseit.com/services/, or write https://HOST/PATH for a"
                    " webhook",
                )
                for target in unknown
            )
        )
