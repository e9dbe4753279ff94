"""The checks of files other than the endpoints: the environment, keys in config.yaml, and schemas."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.config.environments import config_document
from reconciler.config.files.discovery import path_of_display
from reconciler.config.settings import PLACEHOLDERS
from reconciler.model.run_report import Check, CheckStatus
from reconciler.workflow.editor_schemas import schema_file, stale_schemas
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.git import GitStatus, git_status


def environment_check(context: Context) -> Iterator[Check]:
    """Yield the environment of the run, if it has one."""
    if (environment := context.environment) is not None:
        words = [environment.name, *(["protected"] if environment.is_protected else [])]
        detail = f"{', '.join(words)}; inventory {context.state}"
        if environment.names.changes_names:
            detail += f"; names {environment.names.text}"
        yield Check(name="environment", status=CheckStatus.OK, detail=detail)
    for file in context.missing_env_files:
        yield Check(
            name="env file",
            status=CheckStatus.WARN,
            detail=f"{file} does not exist; config.yaml names it in `env_file`",
            hint="create it, or set its variables in the environment",
        )


def literal_key_check(context: Context) -> Iterator[Check]:
    """Yield a warning if config.yaml holds an API key itself and is in git, or would be added to it."""
    document = config_document(context.root)
    if document is None or not isinstance(document.data, dict):
        return
    environments = document.data.get("environments")
    sections = {"novita": document.data.get("novita")}
    if isinstance(environments, dict):
        sections |= {f"environments.{name}": section for name, section in environments.items()}
    literal = [
        f"{name}.api_key"
        for name, section in sections.items()
        if isinstance(section, dict) and _is_literal_key(section.get("api_key"))
    ]
    if not literal:
        return
    path = path_of_display(document.file, context.root)
    status = git_status(path)
    if status in (GitStatus.TRACKED, GitStatus.UNTRACKED):
        variable = "NOVITA_API_KEY" if literal == ["novita.api_key"] else "PROD_API_KEY"
        where = "which is in git" if status is GitStatus.TRACKED else "which git does not ignore"
        yield Check(
            name="key in file",
            status=CheckStatus.WARN,
            detail=f"{', '.join(literal)} holds the key itself in {document.file}, {where}",
            hint=f'write `api_key: "${{env:{variable}}}"`; a key that was committed must be replaced in the'
            " Novita Console, because the history of git keeps it",
        )


def schemas_check(context: Context) -> Iterator[Check]:
    """Yield a warning about schemas in .reconciler/ that are out of date."""
    if stale := [str(schema_file(name)) for name in stale_schemas(context)]:
        yield Check(
            name="schemas",
            status=CheckStatus.WARN,
            detail=f"out of date for editors: {', '.join(stale)}",
            hint="reconciler init   updates them",
        )


def _is_literal_key(value: object) -> bool:
    return isinstance(value, str) and "${" not in value and value.strip() not in ("", *PLACEHOLDERS)
