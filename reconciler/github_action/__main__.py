"""`python -m reconciler.github_action comment|issue`: reports to the job log, and never fails the job."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from reconciler.github_action.api import Api, ForgeError, persistently
from reconciler.github_action.body import written
from reconciler.github_action.comment import comment, number_of
from reconciler.github_action.issue import all_clear, fingerprint_of, raise_alarm


def main(
    arguments: Sequence[str], environ: Mapping[str, str], sleep: Callable[[float], object] = time.sleep
) -> str:
    """Do what is asked, and return a line for the log; what GitHub refuses becomes a warning there."""
    asked = _parser().parse_args(arguments)
    try:
        return persistently(lambda: str(asked.act(asked, environ)), sleep)
    except Exception as error:  # a mistake of ours is no better reason than one of GitHub's
        words = str(error).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        return f"::warning title=reconciler::no {asked.what} on GitHub: {words}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reconciler.github_action", description=__doc__)
    commands = parser.add_subparsers(required=True, dest="what")
    for name, act in (("comment", _comment), ("issue", _issue)):
        command = commands.add_parser(name)
        command.set_defaults(act=act)
        command.add_argument("--directory", required=True, help="the folder that it is about")
        command.add_argument("--report", required=True, type=Path, help="the report in Markdown")
    comments, issues = commands.choices["comment"], commands.choices["issue"]
    comments.add_argument("--if-there", action="store_true", help="update a comment, and make none")
    issues.add_argument("--title", required=True)
    issues.add_argument("--document", required=True, type=Path, help="the JSON document of `drift`")
    return parser


def _comment(asked: argparse.Namespace, environ: Mapping[str, str]) -> str:
    number = number_of(_json(Path(_variable(environ, "GITHUB_EVENT_PATH"))))
    if number is None:
        return "This job is about no pull request: there is nothing to comment on."
    body = written(asked.directory, _text(asked.report))
    return comment(_api(environ), number, body, only_if_there=asked.if_there)


def _issue(asked: argparse.Namespace, environ: Mapping[str, str]) -> str:
    fingerprint = fingerprint_of(_json(asked.document))
    if fingerprint is None:
        return "It could not be told whether there is drift; the issue stays as it is."
    if not fingerprint:
        return all_clear(_api(environ), written(asked.directory, ""))
    body = written(asked.directory, _text(asked.report), fingerprint)
    return raise_alarm(_api(environ), asked.title, body)


def _api(environ: Mapping[str, str]) -> Api:
    return Api(
        url=environ.get("GITHUB_API_URL") or "https://api.github.com",
        repository=_variable(environ, "GITHUB_REPOSITORY"),
        token=_variable(environ, "GITHUB_TOKEN"),
    )


def _variable(environ: Mapping[str, str], name: str) -> str:
    if not environ.get(name):
        raise ForgeError(f"{name} is not set")
    return environ[name]


def _json(path: Path) -> Any:
    return json.loads(_text(path))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


if __name__ == "__main__":
    sys.stdout.write(main(sys.argv[1:], os.environ) + "\n")
