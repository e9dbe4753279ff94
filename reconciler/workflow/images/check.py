"""`--check-images`: pinned tags that have moved, asked for while the account is listed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reconciler.config.loader import LoadedConfig
from reconciler.kinds.image_reference import ImageReference, is_reference, parse
from reconciler.model.durations import IMAGE_CHECK_TIMEOUT
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Desired
from reconciler.model.text import quantity
from reconciler.novita.thread_pool import DaemonThreadPool, Pending
from reconciler.registry.challenge import NotChecked
from reconciler.registry.client import Answers, digests_of
from reconciler.registry.pins import short
from reconciler.workflow.images.credentials import credentials_of
from reconciler.workflow.plan import Goal, PlanResult
from reconciler.workflow.runtime.context import Context


class ImageCheck:
    """The tags of one run. They are asked for as soon as the files are read, in at most five seconds."""

    def __init__(self) -> None:
        self._images: dict[str, tuple[Desired, ImageReference]] = {}
        self._answers: Pending[Answers] | None = None

    def of(self, goal: Goal) -> Goal:
        """Return the goal, which asks for the tags when its files are read."""

        def load(context: Context) -> LoadedConfig:
            loaded = goal.load(context)
            self.begin(context, loaded)
            return loaded

        return replace(goal, load=load)

    def begin(self, context: Context, loaded: LoadedConfig) -> None:
        """Ask for the tags of the selected endpoints, in the background."""
        self._images.clear()
        for desired in loaded.desired:
            image = desired.fields.get("image", {}).get("image")
            if isinstance(image, str) and is_reference(image) and context.selection.has(desired.name):
                self._images[desired.name] = desired, parse(image)
        asked = [image for _, image in self._images.values() if image.tag and image.digest]
        if asked:
            credentials = credentials_of(context, loaded)
            self._answers = DaemonThreadPool(1).submit(digests_of, asked, credentials, IMAGE_CHECK_TIMEOUT)

    def checked(self, made: PlanResult) -> PlanResult:
        """Return the plan with notes about tags that have moved or could not be checked."""
        return made.with_problems(tuple(self._notes(made)))

    def _notes(self, made: PlanResult) -> Iterator[Problem]:
        answers = self._answers.result() if self._answers else {}
        live = {one.name: one.fields.get("image", {}).get("image") for one in made.live}
        for name, (desired, image) in self._images.items():
            now = answers.get(image)
            if isinstance(now, NotChecked):
                yield _note(desired, "image-not-checked", f"the tag of `{image}` was not checked: {now}")
            elif now is not None and now != image.digest:
                is_live = live.get(name) == str(image)
                what = f"{'workers run' if is_live else 'the YAML has'} {short(image.digest)}"
                yield _note(
                    desired,
                    "tag-moved",
                    f"tag moved: {what}, the registry has {short(now)} as `{image.name}:{image.tag}`",
                    hint="reconciler pin --update   writes the new digest",
                )
        if unpinned := sum(not image.digest for _, image in self._images.values()):
            yield Problem(
                code="images-without-digest",
                severity=Severity.NOTE,
                summary=f"the image of {quantity(unpinned, 'endpoint')} has no digest: Novita does not report"
                " which one the workers run, so a moved tag cannot be seen",
                hint="reconciler pin   writes the digests",
            )


def _note(desired: Desired, code: str, summary: str, hint: str = "") -> Problem:
    return Problem(
        code=code,
        severity=Severity.NOTE,
        summary=summary,
        hint=hint,
        address=desired.address,
        place=desired.find_place(("image",)),
    )
