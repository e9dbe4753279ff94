"""What is live, written back into the YAML that declares it: proven in memory first, then written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.config.declarations import Declaration, Item, declarations
from reconciler.config.loader import Loaded, load
from reconciler.config.specs import usable_specs
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.errors import InvalidConfig
from reconciler.model.plan import Drift
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Desired, Spec, address
from reconciler.model.secrets import Secret
from reconciler.model.values import Path as WirePath
from reconciler.model.values import value_at
from reconciler.planning.comparison import says_what_is_live
from reconciler.planning.diff import differences
from reconciler.workflow.drift import chosen, drift, undeclared
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.file_edits import EditedFile, edit_files, write_file
from reconciler.yamlfile.edits import Edit, Remove, under


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What the YAML says now as it is live: endpoint -> its fields; none of one that is declared no more.

    `problems` tell of what was not written, and of what else there is to do.
    """

    fields: Mapping[str, tuple[WirePath, ...]]
    files: tuple[EditedFile, ...]
    problems: tuple[Problem, ...]


def accept(context: Context, names: Sequence[str], *, now: datetime) -> Accepted:
    """Write what others changed about these endpoints into the YAML; what is gone is declared no more.

    Secrets and references stay as they are. Raises InvalidConfig when a name has not drifted or is not
    declared, and when an edit would say anything but what was meant; then nothing is written.
    """
    drifts = [alarm.drift for alarm in chosen(drift(context, now=now).verdict, names)]
    known = declarations(context.root, context.files)
    if orphans := [one.name for one in drifts if one.name not in known]:
        raise InvalidConfig(*map(undeclared, orphans))
    before = _load(context, ())
    specs = usable_specs(before.specs.entries, context.resolver(lenient=True))
    refused: dict[str, tuple[Problem, ...]] = {}
    edits: dict[Item, tuple[Edit, ...]] = {}
    for one in drifts:
        found, refused[one.name] = _edits(one, known[one.name], specs)
        edits |= found
    files = edit_files(edits)
    loaded = _load(context, files)
    after = {one.name: one for one in loaded.desired}
    fields = {one.name: tuple(_told(one, after)) for one in drifts}
    if faults := [*loaded.errors, *_astray(before, after, drifts, fields, refused)]:
        raise InvalidConfig(*faults)
    for file in files:
        write_file(file)
    return Accepted(
        fields={one.name: fields[one.name] for one in drifts if fields[one.name] or one.live is None},
        files=files,
        problems=(*(problem for found in refused.values() for problem in found), *_to_set(after, fields)),
    )


def _load(context: Context, files: Sequence[EditedFile]) -> Loaded:
    texts = {file.file.absolute(): file.after for file in files}
    return load(
        context.root,
        context.files,
        environ=context.environ,
        dotenv=context.dotenv,
        lenient=True,
        instead=texts,
    )


def _edits(
    one: Drift, declared: Declaration, specs: Sequence[Spec]
) -> tuple[dict[Item, tuple[Edit, ...]], tuple[Problem, ...]]:
    """(the edits of each item, what must not be edited). What is gone leaves every file."""
    if one.live is None:
        return {item: (Remove(path=item.spot),) for item in declared.items}, ()
    *_, item = declared.items
    found, problems = ENDPOINT.yaml_edits(
        declared.merged,
        [field.path for field in one.fields],
        one.live.fields,
        beneath=declared.beneath,
        specs=specs,
    )
    return {item: under(item.spot, found)} if found else {}, problems


def _told(one: Drift, after: Mapping[str, Desired]) -> Iterator[WirePath]:
    """The moved fields that the YAML says now as they are live, or by a reference that is yet to be set."""
    want, live = _desired(after, one.name, one), one.live
    if want is None or live is None:
        return
    for path in (field.path for field in one.fields):
        if path in want.unset or says_what_is_live(want, live, path):
            yield path


def _astray(
    before: Loaded,
    after: Mapping[str, Desired],
    drifts: Sequence[Drift],
    told: Mapping[str, tuple[WirePath, ...]],
    refused: Mapping[str, tuple[Problem, ...]],
) -> Iterator[Problem]:
    """What the edited YAML would say that nobody meant, and what it would not say although it was meant."""
    moved = {one.name: one for one in drifts}
    for was in before.desired:
        one = moved.get(was.name)
        want = _desired(after, was.name, one)
        if one is not None and one.live is None:
            if want is not None:
                yield _cannot(was.name, "it would still be declared")
        elif want is None:
            yield _cannot(was.name, "it would no longer be declared")
        elif one is None and (want.fields, want.app_name, want.lifecycle) != (
            was.fields,
            was.app_name,
            was.lifecycle,
        ):
            yield _cannot(was.name, "it would change as well, though nobody asked for that")
        elif one is not None:
            yield from _astray_in(was, want, one, told[was.name], bool(refused[was.name]))


def _astray_in(
    was: Desired, want: Desired, one: Drift, told: Sequence[WirePath], is_partly_refused: bool
) -> Iterator[Problem]:
    meant = {field.path for field in one.fields}
    others = [path for path, _, _ in differences(was.fields, want.fields) if path not in meant]
    if others:
        yield _cannot(was.name, f"{'.'.join(others[0])} would change as well")
    elif len(told) < len(meant) and not is_partly_refused:
        lacking = ".".join(next(path for path in meant if path not in told))
        yield _cannot(was.name, f"{lacking} would not say what is live")


def _desired(after: Mapping[str, Desired], name: str, drift: Drift | None) -> Desired | None:
    """The endpoint of that name; of one that was renamed in the account, under the name it has there."""
    found = after.get(name)
    return after.get(drift.live.name) if found is None and drift and drift.live else found


def _to_set(after: Mapping[str, Desired], told: Mapping[str, tuple[WirePath, ...]]) -> Iterator[Problem]:
    """A note for each reference that was written and is unset here."""
    for one in after.values():
        for path in told.get(one.name, ()):
            secret = value_at(one.fields, path)
            if path in one.unset and isinstance(secret, Secret):
                yield Problem(
                    code="reference-to-set",
                    severity=Severity.NOTE,
                    summary=f"{path[-1]} of `{one.name}` may be secret, and is written as {secret.source}",
                    hint="give that variable the live value wherever reconciler plans and applies",
                    address=address(one.name),
                )


def _cannot(name: str, why: str) -> Problem:
    return Problem(
        code="cannot-edit",
        summary=f"what is live of `{name}` cannot be written into the YAML: {why}",
        hint="an anchor, a merge key or a default may stand in the way; make the change by hand",
        address=address(name),
    )
