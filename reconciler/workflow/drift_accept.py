"""`reconciler drift accept`: write live values into the YAML, after verifying the result in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain

from reconciler.config.declarations import Declaration, SourceItem, read_declarations
from reconciler.config.loader import LoadedConfig
from reconciler.config.specs import usable_specs
from reconciler.kinds.registry import KINDS, address_of
from reconciler.model.errors import InvalidConfig
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import Drift
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Desired, Spec, key_of
from reconciler.model.secrets import Secret
from reconciler.model.values import Path as WirePath
from reconciler.model.values import value_at
from reconciler.planning.comparison import declares_live_value
from reconciler.planning.diff import differences
from reconciler.workflow.drift import drift, not_declared, select_alarms
from reconciler.workflow.runtime.config import load_files
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.files.edits import EditedFile, edit_files, write_file
from reconciler.yamlfile.edits import Edit, Remove, prefix_edits
from reconciler.yamlfile.reader import gc_paused, parsing_once


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptResult:
    """The accepted fields of each endpoint, none for one that was removed, and the edited files.

    `problems` name what was not written, and what else is to be done.
    """

    fields: Mapping[str, tuple[WirePath, ...]]
    files: tuple[EditedFile, ...]
    problems: tuple[Problem, ...]


@gc_paused()
@parsing_once()
def accept(context: Context, names: Sequence[str], *, now: datetime) -> AcceptResult:
    """Write the live values of drifted fields into the YAML; remove endpoints that were deleted.

    Secrets and references are kept. Raise InvalidConfig, and write nothing, if a name has not drifted or is
    not declared, or if the edits would change anything else.
    """
    result = drift(context, now=now)
    drifts = [alarm.drift for alarm in select_alarms(result.drift_report, names)]
    everything = context.selection.is_everything
    before = result.loaded if everything else load_files(context, lenient=True)
    del result  # the plan of all endpoints
    declared = read_declarations(
        context.root, context.files, {drifted.key for drifted in drifts}, context.names
    )
    if undeclared := [drift.key for drift in drifts if drift.key not in declared]:
        raise InvalidConfig(*map(not_declared, undeclared))
    specs = usable_specs(before.specs.entries, context.resolver(lenient=True))
    refused: dict[str, tuple[Problem, ...]] = {}
    edits: dict[SourceItem, tuple[Edit, ...]] = {}
    for drifted in drifts:
        new_edits, refused[drifted.key] = _edits(drifted, declared[drifted.key], specs)
        edits |= new_edits
    files = edit_files(edits)
    loaded = load_files(context, lenient=True, edited=files)
    after = {key_of(one.name, one.kind): one for one in (*loaded.desired, *loaded.others)}
    accepted = {drifted.key: tuple(_accepted_fields(drifted, after)) for drifted in drifts}
    if errors := [*loaded.errors, *_unintended_changes(before, after, drifts, accepted, refused)]:
        raise InvalidConfig(*errors)
    for file in files:
        write_file(file)
    return AcceptResult(
        fields={
            drifted.key: accepted[drifted.key]
            for drifted in drifts
            if accepted[drifted.key] or drifted.live is None
        },
        files=files,
        problems=(*chain.from_iterable(refused.values()), *_references_to_set(after, accepted)),
    )


def _edits(
    drifted: Drift, declared: Declaration, specs: Sequence[Spec]
) -> tuple[dict[SourceItem, tuple[Edit, ...]], tuple[Problem, ...]]:
    """Return the edits of each item, and problems of fields that must not be edited."""
    if drifted.live is None:
        return {item: (Remove(path=item.path),) for item in declared.items}, ()
    item = declared.items[-1]
    edits, problems = KINDS[drifted.kind].yaml_edits(
        declared.merged,
        [field.path for field in drifted.fields],
        drifted.live.fields,
        beneath=declared.inherited,
        specs=specs,
    )
    return {item: prefix_edits(item.path, edits)} if edits else {}, problems


def _accepted_fields(drifted: Drift, after: Mapping[str, Desired]) -> Iterator[WirePath]:
    """Yield the drifted fields that the edited YAML declares as they are live, or by an unset reference."""
    desired, live = _find_desired(after, drifted.key, drifted), drifted.live
    if desired is None or live is None:
        return
    for path in (field.path for field in drifted.fields):
        if path in desired.unset or declares_live_value(desired, live, path):
            yield path


def _unintended_changes(
    before: LoadedConfig,
    after: Mapping[str, Desired],
    drifts: Sequence[Drift],
    accepted: Mapping[str, tuple[WirePath, ...]],
    refused: Mapping[str, tuple[Problem, ...]],
) -> Iterator[Problem]:
    """Yield an error for each difference between the edited YAML and the intended result."""
    drift_of = {drifted.key: drifted for drifted in drifts}
    for old in (*before.desired, *before.others):
        key = key_of(old.name, old.kind)
        drifted = drift_of.get(key)
        new = _find_desired(after, key, drifted)
        if drifted is not None and drifted.live is None:
            if new is not None:
                yield _cannot_edit(key, "it would still be declared")
        elif new is None:
            yield _cannot_edit(key, "it would no longer be declared")
        elif drifted is not None:
            yield from _unintended_fields(old, new, drifted, accepted[key], bool(refused[key]))
        elif (new.fields, new.app_name, new.lifecycle) != (old.fields, old.app_name, old.lifecycle):
            yield _cannot_edit(key, "it would change as well")


def _unintended_fields(
    old: Desired, new: Desired, drifted: Drift, accepted: Sequence[WirePath], is_partly_refused: bool
) -> Iterator[Problem]:
    kind, key = KINDS[old.kind], drifted.key
    intended = {field.path for field in drifted.fields}
    others = [path for path, _, _ in differences(old.fields, new.fields, kind) if path not in intended]
    if others:
        yield _cannot_edit(key, f"{kind.table.label(others[0])} would change as well")
    elif len(accepted) < len(intended) and not is_partly_refused:
        missing = kind.table.label(next(path for path in intended if path not in accepted))
        yield _cannot_edit(key, f"{missing} would differ from the live value")


def _find_desired(after: Mapping[str, Desired], key: str, drifted: Drift | None) -> Desired | None:
    """Return the resource of that key, or of the name to which it was renamed in the account."""
    if key not in after and drifted and drifted.live:
        key = key_of(drifted.live.name, drifted.kind)
    return after.get(key)


def _references_to_set(
    after: Mapping[str, Desired], accepted: Mapping[str, tuple[WirePath, ...]]
) -> Iterator[Problem]:
    """Yield a note for each reference that was written and is unset here."""
    for key, desired in after.items():
        for path in accepted.get(key, ()):
            secret = value_at(desired.fields, path)
            if path in desired.unset and isinstance(secret, Secret):
                yield Problem(
                    code="reference-to-set",
                    severity=Severity.NOTE,
                    summary=f"{path[-1]} of `{desired.name}` may be secret,"
                    f" and is written as {secret.source}",
                    hint="set that variable to the live value wherever reconciler plans and applies",
                    address=desired.address,
                )


def _cannot_edit(name: str, reason: str) -> Problem:
    return Problem(
        code="cannot-edit",
        summary=f"the live values of `{name}` cannot be written into the YAML: {reason}",
        hint="an anchor, a merge key or a default may be the cause; edit the file by hand",
        address=address_of(name),
    )
