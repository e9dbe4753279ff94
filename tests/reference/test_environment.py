"""docs/reference/environment.md lists the variables that the code reads, and no others."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.reference.pages import PAGES, ROOT

PAGE = PAGES / "environment.md"

NAME = re.compile(r"_?[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
"""The name of a variable. A constant of the source that looks like this is one, unless it is below."""

NO_VARIABLES = {
    # names of variables of endpoints, of an example, and of a clock
    *("NOVITA_PROVIDER", "NOVITA_REGION", "PROVIDER_TYPE", "PROD_API_KEY", "CLOCK_BOOTTIME"),
    # the ends of two names that `reconciler simulator` prints
    *("BASE_URL", "API_KEY"),
    # reasons of Novita
    *("IMAGE_AUTH_IN_USE", "NETWORK_STORAGE_IN_USE", "NETWORK_STORAGE_NOT_FOUND", "RESOURCE_NOT_FOUND"),
    *("SERVERLESS_APP_NAME_IS_EXIST", "WORKER_NOT_FOUND"),
    # a command to the disk of macOS
    "F_FULLFSYNC",
    # set for git, and not read
    *("GIT_ASKPASS", "GIT_ATTR_NOSYSTEM", "GIT_NO_LAZY_FETCH", "GIT_OPTIONAL_LOCKS", "GIT_SSH_COMMAND"),
    *("GIT_SSH_VARIANT", "GIT_TERMINAL_PROMPT", "LC_ALL", "SSH_ASKPASS_REQUIRE"),
}

READ_BY_LIBRARIES = {"NO_PROXY", "no_proxy"}
"""Read by urllib.request.getproxies."""

HANDED_OVER = {"GIT_SSL_CAINFO", "SSH_AUTH_SOCK", "TMPDIR"}
"""Parts of a pattern in reconciler/controller/git/program.py."""


def names_in(source: str) -> Iterator[str]:
    """Yield constants that look like variables, and the literal names that are read from an `environ`."""
    for node in ast.walk(ast.parse(source)):
        read: ast.expr | None = None
        match node:
            case ast.Constant(value=str(text)) if NAME.fullmatch(text):
                yield text
            case ast.Call(func=ast.Attribute(value=holder, attr="get"), args=[name, *_]):
                read = name if ast.unparse(holder).endswith("environ") else None
            case ast.Subscript(value=holder, slice=name):
                read = name if ast.unparse(holder).endswith("environ") else None
            case ast.Compare(left=name, ops=[ast.In() | ast.NotIn()], comparators=[holder]):
                read = name if ast.unparse(holder).endswith("environ") else None
            case ast.Call(func=ast.Attribute(attr="getenv"), args=[name, *_]):
                read = name
        if isinstance(read, ast.Constant):
            yield str(read.value)


@cache
def read_by_the_code() -> frozenset[str]:
    """Return the variables of the package; others have words of Novita and of other programs."""
    skipped = (Path("simulator"), Path("convert"), Path("novita/error_table.py"))
    files = [
        path
        for path in (ROOT / "reconciler").rglob("*.py")
        if not any(path.relative_to(ROOT / "reconciler").is_relative_to(other) for other in skipped)
    ]
    return frozenset(name for path in files for name in names_in(path.read_text(encoding="utf-8")))


def listed() -> list[str]:
    """Return the variables of the page: the cells of its tables that have nothing but names."""
    cells = [
        cell.strip()
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ")
        for cell in line.split("|")
    ]
    names = r"`\w+`(?:, `\w+`)*"
    return [name for cell in cells if re.fullmatch(names, cell) for name in re.findall(r"\w+", cell)]


def test_every_variable_that_is_read_is_listed() -> None:
    assert read_by_the_code() - NO_VARIABLES - set(listed()) == set()


def test_every_listed_variable_is_read() -> None:
    indirect = READ_BY_LIBRARIES | HANDED_OVER | {"all_proxy", "https_proxy"}
    assert set(listed()) - read_by_the_code() - indirect == set()


def test_no_variable_is_listed_twice() -> None:
    assert sorted(listed()) == sorted(set(listed()))


def test_the_exceptions_are_still_needed() -> None:
    assert NO_VARIABLES - read_by_the_code() == set()


def test_names_are_found_however_they_are_read() -> None:
    source = """
HOME = os.environ["HOME"]
if "CI" in self._environ: context.environ.get("USER", "") or os.getenv("SHELL")
VARIABLE = "RECONCILER_NEW"
"""
    assert set(names_in(source)) == {"HOME", "CI", "USER", "SHELL", "RECONCILER_NEW"}
