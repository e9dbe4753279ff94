"""Warms the images of an apply before their endpoints are changed. It never fails an apply.

A task of Novita fetches an image to a region. An image gets no second task while one runs or after one has
succeeded, so that a run after a killed one goes on where that ended. Only tasks with our mark are deleted.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain, repeat

from reconciler.apply.clock import pause
from reconciler.apply.writer import Writer
from reconciler.model import durations
from reconciler.model.apply_events import ApplyEvent, ImageWarming
from reconciler.model.errors import (
    AnswerLost,
    ApiError,
    KeyRefused,
    ReconcilerError,
    ServerError,
    Throttled,
    Unreachable,
)
from reconciler.model.plan import Change
from reconciler.model.prewarm import PrewarmTask, PulledImage
from reconciler.model.problem import Problem, Severity
from reconciler.model.values import Reference
from reconciler.planning.prewarm import images_to_warm

Key = tuple[str, str]
NOT_OFFERED = (404, 405)


class Warmup:
    """Warms images, once. `problems` are warnings about those that are not warm.

    changes: those of the plan. in_use: the images and regions of live endpoints, whose tasks are kept.
    within: how long images are waited for (seconds); every: the longest pause between two looks (seconds).
    """

    def __init__(
        self,
        changes: Sequence[Change],
        writer: Writer,
        *,
        in_use: AbstractSet[Key],
        within: float,
        every: float,
        stop: threading.Event,
    ) -> None:
        self._changes = changes
        self._writer = writer
        self._tasks = writer.account.prewarms
        self._needed = in_use
        self._clock = writer.clock
        self._within = within
        self._every = every
        self._stop = stop
        self._has_run = False
        self._emit: Callable[[ApplyEvent], None] = lambda _event: None
        self.problems: list[Problem] = []

    def run_before(self, stage: Iterable[Change], emit: Callable[[ApplyEvent], None]) -> None:
        """Warm all images before the first stage that needs one of them."""
        if self._has_run or not images_to_warm(stage):
            return
        self._has_run = True
        self._emit = emit
        self._start = self._clock.now()
        try:
            self._warm()
        except ApiError as error:
            self._warn_of(error)

    def _warm(self) -> None:
        # An image whose credential could not be made is not pulled, because its endpoint is not changed.
        changes = map(self._writer.resolved, self._changes)
        images = [one for one in images_to_warm(changes) if not isinstance(one.auth, Reference)]
        self._needed |= {image.key for image in images}
        if not images:
            return
        known = self._tasks.listing(within=self._left)
        waiting: dict[Key, PulledImage] = {}
        missing: list[PulledImage] = []
        for image in images:
            task = _best(known, image.key)
            if task is None or task.is_failed:
                missing.append(image)
            elif task.is_warm:
                self._tell(image, "Warm already")
            else:
                waiting[image.key] = image
                self._tell(image, "Warming already...")
        for image in self._within_quota(missing, known):
            if self._begin(image):
                waiting[image.key] = image
        if waiting and self._within:
            self._wait(waiting, {task.id for task in known if task.is_failed})

    @property
    def _left(self) -> float:
        """The seconds that are left for calls. Tasks are begun even if nobody waits for the images."""
        return self._start + max(self._within, durations.PREWARM_BEGIN) - self._clock.now()

    def _within_quota(
        self, missing: Sequence[PulledImage], known: Iterable[PrewarmTask]
    ) -> Sequence[PulledImage]:
        """Return the images for which there is room, after the tasks that nobody needs were deleted."""
        if not missing:
            return ()
        quota = self._tasks.quota(within=self._left)
        free = quota.free
        spare = [task.id for task in known if task.is_ours and self._is_spare(task)]
        if surplus := spare[: max(len(missing) - free, 0)]:
            self._tasks.delete(surplus, within=self._left)
            free += len(surplus)
        for image in missing[free:]:
            self._warn(
                f"{image} is not warmed, because the account has {quota.used} of {quota.limit} prewarm tasks",
                hint="delete prewarm tasks that nobody needs in the console of Novita",
            )
        return missing[:free]

    def _is_spare(self, task: PrewarmTask) -> bool:
        return task.is_failed or (task.is_warm and task.key not in self._needed)

    def _begin(self, image: PulledImage) -> bool:
        """Begin a task. Return False if there is none now."""
        try:
            self._tasks.create(image, within=self._left)
        except KeyRefused:
            raise
        except (AnswerLost, ServerError):
            # it may exist, which the next listing tells
            task = _best(self._tasks.listing(within=self._left), image.key)
            if task is None or task.is_failed:
                self._warn(f"{image} may not be warmed: the answer was lost, and Novita lists no task for it")
                return False
        except ApiError as error:
            self._warn_of(error, image)
            return False
        self._tell(image, "Warming...")
        return True

    def _wait(self, waiting: dict[Key, PulledImage], old: AbstractSet[str]) -> None:
        """Wait until all images are warm or failed; `old` are the IDs of tasks that failed before."""
        seen: dict[Key, str] = {}
        polls = chain(durations.SERVING_POLLS, repeat(self._every))
        while not self._stop.is_set():
            if (listed := self._look()) is not None:
                tasks = [task for task in listed if task.id not in old]
                over = {
                    key for key, image in waiting.items() if self._is_over(image, _best(tasks, key), seen)
                }
                waiting = {key: image for key, image in waiting.items() if key not in over}
            left = self._start + self._within - self._clock.now()
            if not waiting or left <= 0:
                break
            pause(self._clock, min(next(polls), self._every, left), self._stop)
        if self._stop.is_set():
            return
        longer = f"--prewarm-timeout {max(self._within * 3, 60):.0f}s"
        for image in waiting.values():
            self._warn(
                f"{image} is not warm after {self._within:g} seconds, and its endpoints were changed anyway",
                hint=f"Novita goes on to warm it; `{longer}` waits longer the next time",
            )

    def _is_over(self, image: PulledImage, task: PrewarmTask | None, seen: dict[Key, str]) -> bool:
        """Tell the state of a task if it is a new one. Return whether it ends the wait for the image."""
        waited = f"{self._clock.now() - self._start:.0f}s"
        if task is None:
            if image.key in seen:
                self._warn(f"{image} is not warm, because its prewarm task was deleted")
            return image.key in seen
        if task.is_warm:
            self._tell(image, f"Warm after {waited}")
        elif task.is_failed:
            self._warn(f"{image} could not be warmed", detail="; ".join(task.reasons))
        elif seen.get(image.key) != task.state:
            self._tell(image, f"Still warming: {task.state} after {waited}")
        seen[image.key] = task.state
        return task.is_warm or task.is_failed

    def _look(self) -> Iterable[PrewarmTask] | None:
        """Return the tasks; None if Novita does not answer now, which the next look may change."""
        try:
            return self._tasks.listing(within=self._left, retries=False)
        except (ServerError, Throttled, AnswerLost, Unreachable):
            return None

    def _tell(self, image: PulledImage, state: str) -> None:
        self._emit(ImageWarming(image=str(image), state=state))

    def _warn_of(self, error: ReconcilerError, image: PulledImage | None = None) -> None:
        """Add a warning for a call that failed."""
        what = f"{image} is not warmed" if image else "images could not be warmed"
        if isinstance(error, ApiError) and error.status in NOT_OFFERED:
            self._warn(
                f"{what}, because this account has no image prewarm",
                hint="remove `prewarm` from the endpoints",
            )
        else:
            self._warn(f"{what}: {error.problem.summary}", detail=error.problem.detail)

    def _warn(self, summary: str, *, detail: str = "", hint: str = "") -> None:
        problem = Problem(
            code="not-warmed", severity=Severity.WARNING, summary=summary, detail=detail, hint=hint
        )
        self.problems.append(problem)


def _best(tasks: Iterable[PrewarmTask], key: Key) -> PrewarmTask | None:
    """Return the task of an image that is closest to success; None if there is none."""
    found = [task for task in tasks if task.key == key]
    return min(found, key=lambda task: (not task.is_warm, task.is_failed), default=None)
