"""The command `reconciler call`."""

from __future__ import annotations

import codecs
import os
import re
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.options import Command, Run, duration_seconds, with_run
from reconciler.cli.shell_completion import complete_endpoints
from reconciler.model.problem import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from reconciler.serving.request import EndpointRequest


def _parse_header(_ctx: click.Context, _param: click.Parameter, texts: tuple[str, ...]) -> Any:
    """Return (name, value) of each header."""
    headers = []
    for text in texts:
        name, colon, value = text.partition(":")
        if not colon:
            raise click.BadParameter("a header is 'NAME: VALUE'")
        headers.append((name.strip(), value.strip()))
    return headers


def _parse_path(_ctx: click.Context, _param: click.Parameter, path: str) -> str:
    if not path.startswith("/") or "#" in path:
        raise click.BadParameter(f"'{path}' is not a path such as /v1/models")
    from reconciler.model.request import climbs

    if climbs(path):
        raise click.BadParameter(f"'{path}' has a segment `..`, which may leave the URL of the endpoint")
    return path


def _parse_method(_ctx: click.Context, _param: click.Parameter, method: str | None) -> str | None:
    if method is not None and not re.fullmatch("[A-Za-z]+", method):
        raise click.BadParameter(f"'{method}' is not a method such as GET")
    return method and method.upper()


@click.command(cls=Command)
@click.argument("name", shell_complete=complete_endpoints)
@click.argument("data", required=False, metavar="[DATA|@FILE|-]")
@click.option(
    "--path",
    default="/",
    callback=_parse_path,
    metavar="PATH",
    help="Path and query to request. (default: /)",
)
@click.option(
    "--method",
    callback=_parse_method,
    metavar="METHOD",
    help="HTTP method. (default: POST with data, otherwise GET)",
)
@click.option(
    "--header",
    "headers",
    multiple=True,
    callback=_parse_header,
    metavar="'NAME: VALUE'",
    help="Send this header. References such as ${env:NAME} in its value are resolved. Repeatable.",
)
@click.option(
    "--stream",
    is_flag=True,
    help='Ask for server-sent events: set "stream": true in the data, if it is JSON.',
)
@click.option(
    "--timeout",
    type=duration_seconds,
    default="10m",
    metavar="DURATION",
    help="Wait this long for a worker to start and to answer, such as 30s or 5m. (default: 10m)",
)
@with_run
def call(
    run: Run,
    name: str,
    data: str | None,
    path: str,
    method: str | None,
    headers: list[tuple[str, str]],
    stream: bool,
    timeout: float,
) -> int:
    """Send one request to the URL of an endpoint, and print the answer as it comes.

    If no worker is ready, for example because the endpoint is scaled to zero, call waits until one is. The
    status and the times are printed to stderr. The exit code is 0 if the status of the answer is from 200 to
    299, otherwise 1. The API key of the account is never sent to an endpoint. Redirects are not followed.
    """
    from reconciler.cli.wait_line import WaitingLine
    from reconciler.reports.views.answer import answer_document, answer_line
    from reconciler.serving.request import MAX_ANSWER, MAX_DOCUMENT
    from reconciler.workflow.call import call_endpoint

    if not run.context.selection.is_everything:
        raise click.UsageError("call takes the NAME of one endpoint, not --target and --exclude")
    request = _request(run, data, path, method, headers, stream=stream)
    started = time.monotonic()
    shows_line = run.out.shows_progress and run.context.on_call is None
    with (
        WaitingLine(name, is_terminal=shows_line) as waiting,
        call_endpoint(
            replace(run.context, on_listed=None),
            name,
            request,
            within=timeout,
            max_size=MAX_DOCUMENT if run.out.as_json else MAX_ANSWER,
            on_wait=waiting.say,
            on_notes=run.out.problems,
        ) as called,
    ):
        waiting.stop()
        answer = called.answer
        if run.out.as_json:
            body = b"".join(answer.pieces)
            run.out.document(answer_document(called, request, body, time.monotonic() - started))
        else:
            is_line_open = _copy(answer.pieces, lambda: run.out.line(""))
            line = run.out.error_style.dim(answer_line(answer, time.monotonic() - started))
            run.out.line(f"\n{line}" if is_line_open and _is_shared() else line)
    return ExitCode.OK if answer.is_success else ExitCode.ERROR


def _request(
    run: Run,
    data: str | None,
    path: str,
    method: str | None,
    headers: list[tuple[str, str]],
    *,
    stream: bool,
) -> EndpointRequest:
    """Return the request of the command line."""
    from reconciler.model.request import header_fault
    from reconciler.serving.request import EndpointRequest, content_type, streaming
    from reconciler.workflow.call import resolve_headers

    for name, value in headers:
        if fault := header_fault(name, value):
            raise click.UsageError(f"--header: '{name}' {fault}")
    body = _read(run.context.root, data)
    if stream:
        try:
            body = streaming(body)
        except ValueError:
            raise click.UsageError("--stream needs data that is a JSON object") from None
    sent = {"Content-Type": content_type(body)} if body else {}
    if stream:
        sent["Accept"] = "text/event-stream"
    given = resolve_headers(run.context, headers)
    names = {name.lower() for name in given}
    return EndpointRequest(
        method=method or ("GET" if data is None else "POST"),
        path=path,
        headers={**{name: value for name, value in sent.items() if name.lower() not in names}, **given},
        body=body,
    )


def _read(root: Path, data: str | None) -> bytes:
    """Return the data: of stdin for `-`, of a file below `root` for `@FILE`, or the text itself."""
    if data == "-":
        return sys.stdin.buffer.read()
    if data is not None and data.startswith("@"):
        try:
            return (root / data[1:]).read_bytes()
        except OSError as error:
            raise click.UsageError(f"cannot read {data[1:]}: {error.strerror}") from None
    return (data or "").encode("utf-8", "surrogateescape")


def _copy(pieces: Iterable[bytes], end_line: Callable[[], None]) -> bool:
    """Write an answer to stdout as it comes; on a terminal its control characters are escaped.

    Return whether its last line has no end. If the answer breaks off there, call `end_line`, so that the
    error has a line of its own.
    """
    is_line_open = False
    try:
        for is_line_open in _copied(pieces):  # noqa: B007
            pass
    except Exception:
        if is_line_open and _is_shared():
            end_line()
        raise
    return is_line_open


def _copied(pieces: Iterable[bytes]) -> Iterator[bool]:
    """Write the pieces of an answer, and yield after each whether the last line has no end."""
    if not sys.stdout.isatty():
        sys.stdout.flush()
        last = b""
        for piece in pieces:
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
            last = piece[-1:] or last
            yield last not in (b"", b"\n")
        return
    from reconciler.reports.terminal.escape import for_terminal

    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    is_line_open = False
    for piece in pieces:
        text = decoder.decode(piece).replace("\r\n", "\n").replace("\x1b", "\\x1b")
        sys.stdout.write("\t".join(map(for_terminal, text.split("\t"))))
        sys.stdout.flush()
        is_line_open = not text.endswith("\n") if text else is_line_open
        yield is_line_open


def _is_shared() -> bool:
    """Return whether stdout and stderr are the same terminal or pipe."""
    try:
        return os.path.sameopenfile(sys.stdout.fileno(), sys.stderr.fileno())
    except OSError:  # such as a stream of another program
        return False
