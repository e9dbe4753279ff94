"""The process of `reconciler mcp`: the protocol on stdin and stdout, by the official SDK.

Only the protocol is written to stdout. While the SDK serves, file descriptor 1 leads to stderr, so that no
other text can get between two messages.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from datetime import UTC, datetime
from typing import Any, TextIO

from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    ToolAnnotations,
)
from mcp.types import Tool as ToolOfProtocol

from reconciler import __version__
from reconciler.mcp.answers import Answer, failure
from reconciler.mcp.catalogue import INSTRUCTIONS, TOOLS
from reconciler.mcp.tools import Tools
from reconciler.model.encoding import json_bytes
from reconciler.model.problem import ExitCode, Problem
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.stop_signals import on_stop_signal


def serve(context: Context, *, logs: bool) -> None:
    """Serve until stdin ends, SIGTERM or SIGINT; then finish what is being written."""
    logging.getLogger("mcp").setLevel(logging.CRITICAL)  # its lines quote messages
    asyncio.run(_serve(Tools(context), sys.stderr if logs else None))


def create_server(tools: Tools, log: TextIO | None) -> Server[Any]:
    """Return the server of the protocol. `log` receives one line of JSON for each call."""

    async def list_tools(
        _context: ServerRequestContext[Any], _parameters: PaginatedRequestParams | None
    ) -> ListToolsResult:
        return ListToolsResult(tools=list(map(_tool, TOOLS)))

    async def call_tool(
        _context: ServerRequestContext[Any], parameters: CallToolRequestParams
    ) -> CallToolResult:
        started, name = time.perf_counter(), parameters.name
        if name in TOOLS:
            answer = await tools.call(name, parameters.arguments or {})
        else:
            answer = failure([_no_such_tool(name)], ExitCode.USAGE)
        if log is not None:
            _log(log, name if name in TOOLS else "other", answer, time.perf_counter() - started)
        return _result(answer)

    return Server(
        "reconciler",
        version=__version__,
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


async def _serve(tools: Tools, log: TextIO | None) -> None:
    server, stopping = create_server(tools, log), asyncio.Event()
    loop = asyncio.get_running_loop()
    with on_stop_signal(lambda *_: loop.call_soon_threadsafe(stopping.set)):
        async with stdio_server() as (reading, writing):
            serving = asyncio.create_task(
                server.run(reading, writing, server.create_initialization_options())
            )
            stopped = asyncio.create_task(stopping.wait())
            await asyncio.wait((serving, stopped), return_when=asyncio.FIRST_COMPLETED)
            await tools.close()
            if not serving.done():
                sys.stderr.flush()
                os._exit(ExitCode.OK)  # a thread of the SDK waits for stdin, and cannot be ended
            stopped.cancel()
            await serving


def _tool(name: str) -> ToolOfProtocol:
    tool = TOOLS[name]
    return ToolOfProtocol(
        name=name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.schema(),
        annotations=ToolAnnotations(
            read_only_hint=tool.is_read_only,
            destructive_hint=not tool.is_read_only,
            idempotent_hint=tool.is_read_only,
            open_world_hint=True,
        ),
    )


def _result(answer: Answer) -> CallToolResult:
    """Return the result of a call. Clients that read no structured content get it as text as well."""
    structured = answer.structured()
    return CallToolResult(
        content=[
            TextContent(type="text", text=answer.lines()),
            TextContent(type="text", text=json_bytes(structured).decode()),
        ],
        structured_content=structured,
        is_error=answer.is_error,
    )


def _log(log: TextIO, name: str, answer: Answer, seconds: float) -> None:
    """Write one line about a call, without its arguments and its answer."""
    line = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "tool": name,
        "outcome": "error" if answer.is_error else "ok",
        "ms": round(seconds * 1000, 1),
    }
    log.write(json_bytes(line).decode() + "\n")
    log.flush()


def _no_such_tool(name: str) -> Problem:
    return Problem(
        code="no-such-tool",
        summary=f"there is no tool `{name[:100]}`",
        hint=f"the tools are {', '.join(TOOLS)}",
        exit_code=ExitCode.USAGE,
    )
