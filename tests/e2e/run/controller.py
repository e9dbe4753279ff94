"""A controller in the thread of a test, with a clock that jumps."""

import os
from dataclasses import dataclass, field, replace

from reconciler.controller.events import Event
from reconciler.controller.files import Files
from reconciler.controller.loop import Loop, LoopOptions
from reconciler.controller.source import FolderSource, Source
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.environment import in_environment
from tests.e2e.run.clock import VirtualClock
from tests.e2e.sandbox import Sandbox


@dataclass(kw_only=True)
class Controller:
    """The controller of a sandbox. events: what it told, with the hour of the day. lines: its log."""

    sandbox: Sandbox
    clock: VirtualClock = field(default_factory=VirtualClock)
    events: list[Event] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    source: Source | None = None
    loop: Loop = field(init=False)

    def __post_init__(self) -> None:
        self.loop = self.new_loop()

    @property
    def context(self) -> Context:
        root = self.sandbox.root
        context = in_environment(Context(root=root, environ=os.environ))
        return replace(context, now=self.clock.now, command="reconciler run")

    def new_loop(self, poll: float = 60.0, interval: float = 600.0) -> Loop:
        """Return another process, which knows only what the store has."""
        context = self.context
        options = LoopOptions(poll=poll, interval=interval, notify=self.events.extend, log=self.lines.append)
        files = Files(self.source or FolderSource(context.root, context.files), context)
        return Loop(files, self.clock, options)

    def run_until(self, hours: float) -> None:
        """Run until a time of the day, as another process than before."""
        loop = self.loop = self.new_loop()
        self.clock.at(hours, loop.stop)
        loop.run()

    def told(self, kind: str, subject: str = "") -> list[Event]:
        """Return the events of a kind."""
        return [one for one in self.events if one.kind == kind and subject in (one.subject, "")]
