"""`reconciler convert`: write YAML for endpoints that other tools declare, and say what was left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field as with_default
from dataclasses import replace
from itertools import chain, islice
from os.path import relpath
from pathlib import Path
from typing import Any, Final

from reconciler.config.files.discovery import display_path, path_of_display
from reconciler.config.loader import LoadedConfig, find_specs_file, load
from reconciler.config.specs import usable_spec
from reconciler.convert.candidates import Parts
from reconciler.convert.draft import Conversion, Folder, draft
from reconciler.convert.gpus import KnownSpec
from reconciler.convert.notes import Note, Outcome
from reconciler.convert.python_calls import UnreadablePython
from reconciler.inventory.files import FileSystem
from reconciler.kinds.registry import ENDPOINT, KINDS
from reconciler.model.errors import InvalidConfig
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Place, Problem, Severity
from reconciler.model.resource import Spec, key_of
from reconciler.workflow.converter.checks import why_invalid
from reconciler.workflow.converter.sources import SourceDocument, read_sources
from reconciler.workflow.editor_schemas import modeline, new_schema, schema_file
from reconciler.workflow.importer.env_out import check_env_file, write_env_file
from reconciler.workflow.importer.files import endpoints_text, example_text, spec_item, specs_text
from reconciler.workflow.importer.written_files import (
    check_output,
    read_text,
    referenced_variables,
    write_file,
)
from reconciler.workflow.runtime.config import load_files
from reconciler.workflow.runtime.context import Context
from reconciler.yamlfile.files import RootDirectory
from reconciler.yamlfile.reader import gc_paused

MAX_REASONS: Final = 20
"""Notes that the error lists if nothing could be converted."""

EXAMPLE: Final = ".env.example"
ENDPOINTS: Final = Path("endpoints.yaml")

_CHOOSE: Final = "choose a product: reconciler specs --available"
_HEADER: Final = """\
# Endpoints that `reconciler convert` wrote. Values of env are references to variables.

"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the user asked for. Without `out` nothing is written. `format_name` is "" to recognize it.

    specs_out: the file for new specs, specs.yaml of the folder by default. env_out: the file for the values
    of variables, which are kept nowhere without it. literal: globs of the variables of env whose values stay
    in the YAML. spec: the spec of endpoints whose GPUs no spec has.
    """

    format_name: str = ""
    out: Path | None = None
    specs_out: Path | None = None
    env_out: Path | None = None
    literal: tuple[str, ...] = ()
    spec: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertResult:
    """The conversion, the documents that it was made of, and the texts of the YAML by the file they are for.

    written: the files, in the order of writing. example: the one of them that lists the variables. values:
    the one with their values, which are left out of `texts`. "" for none. files: those that -f names in a
    plan with the new file.
    """

    conversion: Conversion
    documents: tuple[SourceDocument, ...]
    notes: tuple[Note, ...]
    texts: Mapping[str, str] = with_default(default_factory=dict)
    written: tuple[str, ...] = ()
    example: str = ""
    values: str = ""
    files: tuple[Path, ...] = ()


@gc_paused()
def convert(
    context: Context, files: Sequence[str], options: Options, stdin: Callable[[int], bytes]
) -> ConvertResult:
    """Convert the documents of all files. Raise InvalidConfig, and write nothing, if that is impossible."""
    if options.out is not None:
        check_output(context, options.out, "endpoints/converted.yaml", "not-converted")
    if options.env_out is not None:
        check_env_file(context.root / options.env_out, str(options.env_out))
    documents = read_sources(context, files, options.format_name, stdin)
    loaded = load_files(context, lenient=True, needs_endpoints=False, is_offline=True)
    parts = [_converted(one) for one in documents]
    selected = _selected(context, parts)
    conversion = draft(selected, _folder(context, loaded, options), why_invalid)
    notes = _in_order((*(note for one in documents for note in one.origin.notes), *conversion.notes))
    if conversion.is_empty:
        raise InvalidConfig(_nothing(documents, notes))
    texts = _texts(context, loaded, conversion, options)
    read_with = _checked(context, texts, options)
    shown = {display_path(path, context.root): text for path, text in texts.items()}
    result = ConvertResult(
        conversion=conversion, documents=documents, notes=notes, texts=shown, files=read_with
    )
    return result if options.out is None else _write(context, result, texts, options)


def _converted(document: SourceDocument) -> Parts:
    try:
        return document.format.convert(document.origin)
    except UnreadablePython as error:
        place = Place(file=document.file, line=error.line, column=error.column)
        hint = "name the format if it is another one: --from FORMAT"
        raise InvalidConfig(
            Problem(code="invalid-python", summary=error.reason, hint=hint, place=place)
        ) from error


def _selected(context: Context, parts: Sequence[Parts]) -> Sequence[Parts]:
    """Return the parts with the endpoints of --target and --exclude."""
    selection = context.selection
    names = [one.name for part in parts for one in part.candidates]
    names += [key_of(live.name, live.kind) for part in parts for live, _ in part.live]
    if unmatched := selection.unmatched(names):
        raise InvalidConfig(*unmatched)
    for part in parts:
        _leave_doubtful(context, part)
    return [
        Parts(
            candidates=[one for one in part.candidates if selection.has(one.name)],
            live=[pair for pair in part.live if selection.of(pair[0].kind).has(pair[0].name)],
            specs=part.specs,
        )
        for part in parts
    ]


def _leave_doubtful(context: Context, part: Parts) -> None:
    """Leave out what is probably no endpoint and was not asked for by name, with one note for each."""
    doubtful = [] if context.selection.targets else [one for one in part.candidates if one.doubt]
    dropped = {id(note) for one in doubtful for note in one.notes}
    for origin in dict.fromkeys(one.origin for one in doubtful):
        origin.notes[:] = [note for note in origin.notes if id(note) not in dropped]
    for one in doubtful:
        one.origin.notes.append(
            Note(
                field=one.field,
                outcome=Outcome.LEFT_OUT,
                reason=one.doubt,
                severity=Severity.ERROR,
                place=one.place,
            )
        )
    left = set(map(id, doubtful))
    part.candidates = [one for one in part.candidates if id(one) not in left]


def _folder(context: Context, loaded: LoadedConfig, options: Options) -> Folder:
    resolver = context.resolver(lenient=True)
    known: list[KnownSpec] = []
    for entry in loaded.specs.entries.values():
        spec, _ = usable_spec(entry, resolver)
        if spec is not None:
            known.append(KnownSpec(spec=spec, model=entry.written("resources", "gpuType")))
    if options.spec and options.spec not in loaded.specs.entries:
        from reconciler.config.specs import unknown_spec_problem

        raise InvalidConfig(unknown_spec_problem(options.spec, loaded.specs.entries, None, loaded.specs.file))
    return Folder(
        specs=known,
        spec_names=frozenset(loaded.specs.entries),
        in_use={name: context.resolver().variable(name) for name in referenced_variables(context, loaded)},
        chosen_spec=options.spec,
        literal=options.literal,
    )


def _texts(
    context: Context, loaded: LoadedConfig, conversion: Conversion, options: Options
) -> Mapping[Path, str]:
    """Return the new text of each file, in the order of writing."""
    root, texts = context.root, dict[Path, str]()
    out = options.out or ENDPOINTS
    specs = [spec_item(spec) if isinstance(spec, Spec) else spec for spec in conversion.specs]
    names = [*loaded.specs.entries, *(str(spec["name"]) for spec in specs)]
    if options.out is not None:
        for name in ("endpoints", *(("specs",) if specs else ())):
            if (text := new_schema(context, name, names)) is not None:
                texts[root / schema_file(name)] = text
    if specs:
        path = _specs_path(context, loaded, options)
        texts[path] = specs_text(
            None if options.out is None else read_text(path, RootDirectory(root)),
            [(spec, _CHOOSE if spec["name"] in conversion.placeholders else "") for spec in specs],
            display_path(path, root),
            modeline("specs", Path(relpath(path, root))),
        )
    header = modeline("endpoints", Path(relpath(root / out, root))) + _HEADER
    sections = {
        KINDS[kind].section: items
        for kind, items in conversion.items.items()
        if items or kind == ENDPOINT.type
    }
    texts[root / out] = endpoints_text(header, sections)
    return texts


def _specs_path(context: Context, loaded: LoadedConfig, options: Options) -> Path:
    if options.specs_out is not None:
        return context.root / options.specs_out
    return find_specs_file(context.root, loaded.settings) or context.root / "specs.yaml"


def _checked(context: Context, texts: Mapping[Path, str], options: Options) -> tuple[Path, ...]:
    """Return the files that a plan with the new file reads, () for those that it finds by itself.

    Raise InvalidConfig unless the new files are valid, alone and beside those of the folder.
    """
    out = options.out or ENDPOINTS

    def loaded(files: tuple[Path, ...]) -> LoadedConfig:
        return load(
            context.root,
            files,
            environ=context.environ,
            dotenv=context.dotenv,
            lenient=True,
            overrides={path.absolute(): text for path, text in texts.items()},
        )

    faults, files = loaded((out,)).errors, context.files
    if not faults and options.out is not None:
        before = load_files(context, lenient=True, is_offline=True, needs_endpoints=False)
        if display_path(context.root / out, context.root) not in loaded(files).endpoint_files:
            searched = (path_of_display(name, context.root) for name in before.endpoint_files)
            files = (*(files or (Path(relpath(path, context.root)) for path in searched)), out)
        known = {problem.code for problem in before.errors}
        faults = tuple(problem for problem in loaded(files).errors if problem.code not in known)
    if faults:
        hint = "remove what the errors name from the source, or leave it out: --exclude NAME"
        summary = "nothing was written: the converted YAML would not be valid"
        raise InvalidConfig(*faults, Problem(code="not-converted", summary=summary, hint=hint))
    return files


def _write(
    context: Context, result: ConvertResult, texts: Mapping[Path, str], options: Options
) -> ConvertResult:
    root, disk, variables = context.root, FileSystem(), result.conversion.variables
    files, values, example = dict(texts), "", ""
    if variables:
        path = (root / (options.out or ENDPOINTS)).with_name(EXAMPLE)
        files[path] = example_text(read_text(path, RootDirectory(root)), variables)
        example = display_path(path, root)
    told = [variable for variable in variables if variable.value]
    if options.env_out is not None and told:
        write_env_file(root / options.env_out, str(options.env_out), told)
        values = str(options.env_out)
    written = [write_file(disk, root, path, text) for path, text in files.items()]
    return replace(result, written=tuple(written), example=example, values=values)


def _in_order(notes: Sequence[Note]) -> tuple[Note, ...]:
    """Return the notes by file and line; files stay in the order of the command line."""
    files = {note.place.file: index for index, note in reversed(list(enumerate(notes)))}
    unique = dict.fromkeys(notes)
    return tuple(
        sorted(unique, key=lambda note: (files[note.place.file], note.place.line, note.place.column))
    )


def _nothing(documents: Sequence[SourceDocument], notes: Sequence[Note]) -> Problem:
    noted = {note.place.file for note in notes}
    silent = (
        f"{one.file}:{one.line}:1: it is read as {one.format.name}, and declares no endpoint"
        for one in documents
        if one.file not in noted
    )
    return Problem(
        code="nothing-to-convert",
        summary="nothing could be converted",
        detail="\n".join(islice(chain(map(str, notes), silent), MAX_REASONS)),
        hint="reconciler convert --help   lists the formats",
    )


def as_data(items: Sequence[Mapping[str, Any] | Spec]) -> list[Any]:
    """Return specs as JSON values."""
    return [spec_item(spec) if isinstance(spec, Spec) else dict(spec) for spec in items]
