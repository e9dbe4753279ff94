"""The server in a simulated worker: it is healthy, answers chat completions, and echoes everything else."""

import json
from collections.abc import Iterator
from typing import Any

from reconciler.simulator.api import Request, Response, answer

COMPLETIONS = ("/v1/chat/completions", "/v1/completions")
# So that an answer does not depend on the time.
CREATED = 1_700_000_000


def serve(request: Request, path: str, health_path: str, pause: float) -> Response:
    """Return the answer to a request for `path`. `pause` is the time between two events, in seconds."""
    if path in ("/health", health_path):
        return answer({"status": "ok"})
    if path == "/v1/models":
        return answer({"object": "list", "data": [{"id": "simulated", "object": "model"}]})
    if path in COMPLETIONS and request.method == "POST":
        return _completion(request, pause)
    return answer(_echo(request, path))


def _echo(request: Request, path: str) -> dict[str, Any]:
    """Return the parts of a request. A credential in it is not repeated."""
    shown = {name: value for name, value in request.headers.items() if name != "authorization"}
    return {
        "method": request.method,
        "path": path,
        "query": dict(request.query),
        "headers": shown,
        "body": request.body.decode(errors="replace"),
    }


def _completion(request: Request, pause: float) -> Response:
    try:
        given = json.loads(request.body)
        messages = given.get("messages") or [{"content": given.get("prompt", "")}]
        said, model = str(messages[-1]["content"]), str(given.get("model", "simulated"))
    except (ValueError, AttributeError, LookupError, TypeError):
        problem = {"message": "the body is not a chat completion request", "type": "invalid_request_error"}
        return answer({"error": problem}, status=400)
    reply = f"You said: {said}"
    head = {"id": "chatcmpl-simulated", "created": CREATED, "model": model}
    if given.get("stream") is True:
        events = tuple(_events({**head, "object": "chat.completion.chunk"}, reply))
        headers = {"content-type": "text/event-stream", "cache-control": "no-cache"}
        return Response(status=200, headers=headers, pieces=events, pause=pause)
    message = {"role": "assistant", "content": reply}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    prompt, completion = len(said.split()), len(reply.split())
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
    return answer({**head, "object": "chat.completion", "choices": [choice], "usage": usage})


def _events(head: dict[str, Any], reply: str) -> Iterator[bytes]:
    """Yield the server-sent events of a reply: one for each word, the reason of the end, and the end."""
    for word in reply.split(" "):
        yield _event({**head, "choices": [{"index": 0, "delta": {"content": f"{word} "}}]})
    yield _event({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    yield b"data: [DONE]\n\n"


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(data, separators=(",", ":")).encode() + b"\n\n"
