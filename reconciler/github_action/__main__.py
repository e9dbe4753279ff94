"""`python -m reconciler.github_action comment|issue|urls`: writes to the job log, and never fails the job."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from reconciler.github_action.api import Api, GitHubError, with_retries
from reconciler.github_action.posts import Body, compose_body
from reconciler.github_action.publish import (
    close_issues,
    drift_fingerprint,
    open_issue,
    pull_request_number,
    write_comment,
)


def main(
    arguments: Sequence[str], environ: Mapping[str, str], sleep: Callable[[float], object] = time.sleep
) -> str:
    """Run a command and return a line for the log. Any failure becomes a warning there."""
    options = _parser().parse_args(arguments)
    try:
        return with_retries(lambda: str(options.run(options, environ)), sleep)
    except Exception as error:  # a bug must not fail the job either
        text = str(error).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        return f"::warning title=reconciler::no {options.what} on GitHub: {text}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reconciler.github_action", description=__doc__)
    commands = parser.add_subparsers(required=True, dest="what")
    for name, run in (("comment", _comment), ("issue", _issue)):
        command = commands.add_parser(name)
        command.set_defaults(run=run)
        command.add_argument("--directory", required=True, help="the folder of the report")
        command.add_argument("--environment", default="", help="the environment of the report")
        command.add_argument("--report", required=True, type=Path, help="the report in Markdown")
    urls = commands.add_parser("urls")
    urls.set_defaults(run=_urls)
    urls.add_argument("--document", required=True, type=Path, help="the JSON document of `apply`")
    comments, issues = commands.choices["comment"], commands.choices["issue"]
    comments.add_argument("--if-there", action="store_true", help="update an existing comment only")
    issues.add_argument("--title", required=True)
    issues.add_argument("--document", required=True, type=Path, help="the JSON document of `drift`")
    return parser


def _comment(options: argparse.Namespace, environ: Mapping[str, str]) -> str:
    number = pull_request_number(_json(Path(_variable(environ, "GITHUB_EVENT_PATH"))))
    if number is None:
        return "This job has no pull request: there is nothing to comment on."
    body = _body(options, _text(options.report))
    return write_comment(_api(environ), number, body, only_update=options.if_there)


def _issue(options: argparse.Namespace, environ: Mapping[str, str]) -> str:
    fingerprint = drift_fingerprint(_json(options.document))
    if fingerprint is None:
        return "It is unknown whether there is drift; the issue stays as it is."
    if not fingerprint:
        return close_issues(_api(environ), _body(options, ""))
    return open_issue(_api(environ), options.title, _body(options, _text(options.report), fingerprint))


def _body(options: argparse.Namespace, report: str, fingerprint: str = "") -> Body:
    return compose_body(options.directory, report, fingerprint, environment=options.environment)


def _urls(options: argparse.Namespace, _environ: Mapping[str, str]) -> str:
    """Return the URL of each endpoint as JSON on one line in ASCII, for a step output."""
    try:
        outputs = _json(options.document).get("outputs", {})
        return json.dumps({name: output["value"] for name, output in outputs.items() if output["value"]})
    except (OSError, ValueError, AttributeError, LookupError, TypeError):
        return "{}"


def _api(environ: Mapping[str, str]) -> Api:
    return Api(
        url=environ.get("GITHUB_API_URL") or "https://api.github.com",
        repository=_variable(environ, "GITHUB_REPOSITORY"),
        token=_variable(environ, "GITHUB_TOKEN"),
    )


def _variable(environ: Mapping[str, str], name: str) -> str:
    if not environ.get(name):
        raise GitHubError(f"{name} is not set")
    return environ[name]


def _json(path: Path) -> Any:
    return json.loads(_text(path))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


if __name__ == "__main__":
    sys.stdout.write(main(sys.argv[1:], os.environ) + "\n")
