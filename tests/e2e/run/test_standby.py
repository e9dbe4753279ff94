"""The metrics of a process that waits while another one leads, and of one that takes over."""

import threading
from dataclasses import replace

from reconciler.controller.clock import SystemClock
from reconciler.controller.files import Files
from reconciler.controller.leader import leadership
from reconciler.controller.loop import Loop, LoopOptions
from reconciler.controller.observer import Observer, RoundEnd
from reconciler.controller.source import FolderSource
from reconciler.server.controller_metrics import ControllerMetrics
from tests.e2e.run.controller import Controller
from tests.e2e.sandbox import Sandbox, item


class Watched:
    """An observer that lets a test wait for the next end of a round."""

    def __init__(self, inner: Observer) -> None:
        self._inner = inner
        self.span, self.call = inner.span, inner.call
        self.ends = threading.Semaphore(0)

    def ended(self, end: RoundEnd) -> None:
        self._inner.ended(end)
        self.ends.release()


def test_a_replica_counts_as_leader_only_while_it_leads(sandbox: Sandbox) -> None:
    sandbox.declare(item("chat"))
    context = replace(Controller(sandbox=sandbox).context, now=SystemClock().now)
    metrics = ControllerMetrics()
    observer = Watched(metrics.observer(""))
    options = LoopOptions(poll=60, interval=600, observer=observer)
    loop = Loop(Files(FolderSource(context.root, ()), context), SystemClock(), options)
    thread = threading.Thread(target=loop.run)
    with leadership(context, threading.Event(), SystemClock()) as leader:
        assert leader is not None
        thread.start()
        assert observer.ends.acquire(timeout=60)
        waiting = metrics.text()
    assert observer.ends.acquire(timeout=60)
    leading = metrics.text()
    loop.stop()
    thread.join(60)
    assert b'reconciler_leader{environment=""} 0.0' in waiting
    assert b"reconciler_endpoint_info{" not in waiting
    assert b'reconciler_leader{environment=""} 1.0' in leading
    assert b'reconciler_endpoint_info{endpoint="chat",environment="",ready="",sync="pending"} 1.0' in leading
    assert b'reconciler_plan_waiting{environment=""} 1.0' in leading
