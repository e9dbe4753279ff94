"""Outputs for the next job: lines `NAME_URL=...` for a `.env` file or for $GITHUB_ENV."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from reconciler.model.problem import Problem
from reconciler.model.resource import address
from reconciler.reports.run.outputs import EndpointOutput

SAFE_URL: Final = re.compile(r"https?://[A-Za-z0-9._~:/?@%+=,-]+", re.ASCII)
"""A URL that means the same in a `.env` file, in a POSIX shell and in $GITHUB_ENV, without quotes."""

RESERVED: Final = ("ACTIONS_", "CI_", "GITHUB_", "NOVITA_", "RECONCILER_", "RUNNER_")
"""Prefixes of variables that direct other programs. NOVITA_BASE_URL, for one, says where the key is sent."""


def variable_name(name: str) -> str:
    """Return the variable for the URL of an endpoint: `chat-7b` -> `CHAT_7B_URL`.

    Each character other than A-Z, 0-9 and `_` becomes `_`; a name that would begin with a digit gets a `_`.
    """
    mangled = re.sub(r"[^A-Z0-9_]", "_", name.upper())
    return f"{'_' if mangled[:1].isdigit() else ''}{mangled}_URL"


def env_lines(outputs: Iterable[EndpointOutput]) -> str:
    """Return a line `NAME_URL=...` for each endpoint that has a URL. `env_errors` has checked them."""
    return "".join(f"{variable_name(output.name)}={output.url}\n" for output in outputs if output.url)


def env_errors(outputs: Sequence[EndpointOutput]) -> Iterator[Problem]:
    """Yield a problem for each endpoint that cannot be a line of a `.env` file."""
    taken: dict[str, str] = {}
    for output in outputs:
        variable = variable_name(output.name)
        if (other := taken.setdefault(variable, output.name)) != output.name:
            summary = f"`{other}` and `{output.name}` would both be the variable {variable}"
            hint = "select one of them with --target or --exclude, or use --json"
        elif variable.startswith(RESERVED):
            summary = f"`{output.name}` would be {variable}, which other programs read as their own setting"
            hint = "leave it out with --exclude, or use --json"
        elif output.url and not SAFE_URL.fullmatch(output.url):
            summary = f"the URL of `{output.name}` has characters that are not safe in a `.env` file"
            hint = "leave it out with --exclude, or use --json"
        else:
            continue
        yield Problem(code="unsafe-variable", summary=summary, hint=hint, address=address(output.name))
