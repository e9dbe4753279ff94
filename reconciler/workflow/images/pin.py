"""`reconciler pin`: write the digests of image tags into the YAML, after verifying the result in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from reconciler.config.declarations import FieldSource, read_field_sources
from reconciler.config.loader import LoadedConfig
from reconciler.kinds.image_reference import parse
from reconciler.model.command import Operand, command_line
from reconciler.model.durations import PIN_TIMEOUT
from reconciler.model.errors import InvalidConfig
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import ExitCode, Place, Problem, Severity
from reconciler.model.resource import Desired, address
from reconciler.registry.challenge import NotChecked
from reconciler.registry.client import digests_of
from reconciler.registry.credentials import Credentials
from reconciler.registry.pins import Pin, PinState
from reconciler.workflow.drift import not_declared
from reconciler.workflow.images.credentials import credentials_of
from reconciler.workflow.runtime.config import load_config, load_files
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.files.edits import EditedFile, edit_files, write_file
from reconciler.yamlfile.edits import Set


@dataclass(frozen=True, slots=True, kw_only=True)
class PinResult:
    """The images by endpoint, the files as they were edited, and why others were not."""

    pins: tuple[Pin, ...]
    files: tuple[EditedFile, ...]
    problems: tuple[Problem, ...]
    is_check: bool

    @property
    def exit_code(self) -> ExitCode:
        """Return 2 if a check found an image to pin, and 1 if an image could not be pinned."""
        if any(problem.is_error for problem in self.problems):
            return ExitCode.ERROR
        is_open = any(pin.state in (PinState.MISSING, PinState.MOVED) for pin in self.pins)
        return ExitCode.CHANGES if self.is_check and is_open else ExitCode.OK


def pin(
    context: Context, names: Sequence[str], *, update: bool = False, check: bool = False, tag: bool = True
) -> PinResult:
    """Write the digest of each image that has none into the file that declares it.

    names: the endpoints, by default all that are selected. update: write the digests of tags that have moved
    as well. check: write nothing. tag: keep the tag before the digest. Raise InvalidConfig, and write
    nothing, if a name is not declared or an edit would change anything else.
    """
    before = load_config(context, lenient=True)
    desired = {resource.name: resource for resource in before.desired}
    if unknown := [name for name in names if name not in desired]:
        raise InvalidConfig(*map(not_declared, unknown))
    chosen = [desired[name] for name in dict.fromkeys(names or desired) if context.selection.has(name)]
    sources = read_field_sources(context.root, context.files, "image", context.names)
    credentials = credentials_of(context, before)
    pins = _answered(
        [_pin(one, sources[one.name]) for one in chosen], credentials, update=update, check=check
    )
    problems = tuple(_problems(pins, sources, check=check, is_named=bool(names)))
    if check:
        return PinResult(pins=pins, files=(), problems=problems, is_check=True)
    new = {made.endpoint: _pinned(made, tag=tag) for made in pins if made.digest}
    edits = {
        sources[name].item: (Set(path=(*sources[name].item.path, "image"), value=image),)
        for name, image in new.items()
    }
    files = edit_files(edits)
    after = load_files(context, lenient=True, edited=files)
    if errors := [*after.errors, *_unintended(before, after, new, sources)]:
        raise InvalidConfig(*errors)
    for file in files:
        write_file(file)
    return PinResult(pins=pins, files=files, problems=problems, is_check=False)


def _pin(desired: Desired, source: FieldSource) -> Pin:
    """Return what the files say about the image of an endpoint."""
    image = desired.fields["image"]["image"]
    if not isinstance(image, str) or ("image", "image") in desired.unset:
        return Pin(endpoint=desired.name, image=None, state=PinState.UNKNOWN, is_literal=False)
    reference = parse(image)
    state = PinState.PINNED if reference.digest else PinState.MISSING
    return Pin(endpoint=desired.name, image=reference, state=state, is_literal=source.text == image)


def _answered(pins: Sequence[Pin], credentials: Credentials, *, update: bool, check: bool) -> tuple[Pin, ...]:
    """Return the pins with the digests of their tags, as far as they are to be written."""
    if check and not update:
        return tuple(pins)
    images = {pin.endpoint: pin.image for pin in pins if pin.image and _is_asked(pin, update=update)}
    answers = digests_of(images.values(), credentials, PIN_TIMEOUT)
    return tuple(
        _with_answer(pin, answers[images[pin.endpoint]]) if pin.endpoint in images else pin for pin in pins
    )


def _is_asked(pin: Pin, *, update: bool) -> bool:
    image = pin.image
    return pin.is_literal and image is not None and (not image.digest or (update and bool(image.tag)))


def _with_answer(pin: Pin, answer: str | NotChecked) -> Pin:
    assert pin.image is not None
    if isinstance(answer, NotChecked):
        return replace(pin, state=PinState.UNKNOWN, reason=str(answer))
    if answer == pin.image.digest:
        return pin
    return replace(pin, state=PinState.MOVED if pin.image.digest else PinState.MISSING, digest=answer)


def _pinned(pin: Pin, *, tag: bool) -> str:
    assert pin.image is not None
    return str(replace(pin.image, tag=pin.image.tag if tag else "", digest=pin.digest))


def _problems(
    pins: Sequence[Pin], sources: Mapping[str, FieldSource], *, check: bool, is_named: bool
) -> Iterator[Problem]:
    """Yield why images were not pinned or not checked."""
    for pin in pins:
        place = sources[pin.endpoint].place
        if pin.reason:
            yield Problem(
                code="image-not-checked",
                severity=Severity.WARNING if check else Severity.ERROR,
                summary=f"the digest of `{pin.image}` is not known: {pin.reason}",
                hint="log in with `docker login`, or write the digest by hand"
                if "demands" in pin.reason
                else "",
                address=address(pin.endpoint),
                place=place,
            )
        elif not pin.is_literal and pin.state is not PinState.PINNED:
            is_error = not check and (is_named or pin.state is PinState.MISSING)
            yield Problem(
                code="image-not-literal",
                severity=Severity.ERROR if is_error else Severity.WARNING,
                summary=f"the image of `{pin.endpoint}` comes from a reference, which is not overwritten",
                hint="let its value hold the digest, such as `1.4.2@sha256:...`, or write the image itself",
                address=address(pin.endpoint),
                place=place,
            )


def _unintended(
    before: LoadedConfig, after: LoadedConfig, new: Mapping[str, str], sources: Mapping[str, FieldSource]
) -> Iterator[Problem]:
    """Yield an error for each difference between the edited YAML and the intended result."""
    result = {resource.name: resource for resource in after.desired}
    edited = {sources[name].item: name for name in new}
    for old in before.desired:
        expected = old
        if old.name in new:
            image = {**old.fields["image"], "image": new[old.name]}
            expected = replace(old, fields={**old.fields, "image": image})
        if result.get(old.name) == expected:
            continue
        shared = edited.get(sources[old.name].item) if old.name not in new else None
        yield _shared(old.name, shared, sources[old.name].place) if shared else _changes_more(old.name)


def _shared(name: str, pinned: str, place: Place | None) -> Problem:
    command = command_line("reconciler", "pin", Operand(pinned), Operand(name))
    return Problem(
        code="cannot-edit",
        summary=f"`{pinned}` and `{name}` have their image from the same line",
        hint=f"{command}   pins both",
        address=address(pinned),
        place=place,
    )


def _changes_more(name: str) -> Problem:
    return Problem(
        code="cannot-edit",
        summary=f"the image of `{name}` cannot be edited without other changes",
        hint="an anchor or a merge key may be the cause; edit the file by hand",
        address=address(name),
    )
