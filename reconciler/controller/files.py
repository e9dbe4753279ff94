"""The files in force: those of the newest revision that is valid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from reconciler.config.loader import LoadedConfig
from reconciler.controller.source import Revision, Source
from reconciler.controller.state import SyncState
from reconciler.model.errors import InvalidConfig, SourceError
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem
from reconciler.workflow.runtime.config import load_config
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.environment import in_recorded_environment


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """The files of a round. context: with their folder. load: reads them, as `load_config` does.

    revision: their ID. rejected: that of newer files that cannot be used, or "". problem: why, or why the
    source cannot be read now, or None.
    """

    context: Context
    loaded: LoadedConfig
    load: Callable[[Context], LoadedConfig]
    revision: str
    rejected: str = ""
    problem: Problem | None = None


class Files:
    """The files of one environment. Called by one thread.

    context: of the files in force. failure: why the source cannot be read now, or None. is_shared: other
    environments of this process use what was downloaded, so that it is kept.
    """

    def __init__(self, source: Source, context: Context) -> None:
        self.context = context
        self.failure: Problem | None = None
        self.is_shared = False
        self._source = source
        self._newest = ""
        self._last: InForce | None = None

    def poll(self) -> bool:
        """Ask for the newest revision. Return whether it is another one than at the last time."""
        try:
            newest = self._source.poll()
        except SourceError as error:
            self.failure = error.problem
            return False
        self.failure = None
        is_new, self._newest = newest != self._newest, newest
        return is_new

    def in_force(self, before: SyncState) -> InForce:
        """Return the newest revision if it is valid, else the one that was in force.

        Raise ReconcilerError if there is none.
        """
        newest = self._newest or before.revision
        problem = self.failure
        if newest:
            try:
                found = self._use(newest)
            except (InvalidConfig, SourceError) as error:
                problem = error.problem
            else:
                if not self.is_shared:
                    self._source.keep_only({newest})
                return replace(found, problem=self.failure)
        return self._former(before, newest if newest != before.revision else "", problem)

    def stop(self) -> None:
        """End a download that is going on. Called by any thread."""
        self._source.stop()

    def close(self) -> None:
        """Free what the source holds."""
        self._source.close()

    def _use(self, revision: str) -> InForce:
        fetched = self._source.fetch(revision)
        context = self._context(fetched)
        loaded = load_config(context)
        self.context = context
        self._last = InForce(context=context, loaded=loaded, load=load_config, revision=fetched.id)
        return self._last

    def _former(self, before: SyncState, rejected: str, problem: Problem | None) -> InForce:
        """Return the revision in force before. A folder does not keep it, but this process remembers it."""
        if self._last is not None:
            last = self._last
            return replace(last, load=lambda _context: last.loaded, rejected=rejected, problem=problem)
        if rejected and before.revision:
            fetched = self._source.fetch(before.revision)
            context = self._context(fetched)
            return InForce(
                context=context,
                loaded=load_config(context),
                load=load_config,
                revision=fetched.id,
                rejected=rejected,
                problem=problem,
            )
        assert problem is not None
        raise InvalidConfig(problem)

    def _context(self, revision: Revision) -> Context:
        """Return the context of a revision, whose config.yaml may have changed the environment."""
        context = replace(self.context, root=revision.root, message=revision.message)
        return in_recorded_environment(context, context.environment_name)
