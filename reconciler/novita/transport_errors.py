"""A call without an answer: nothing was sent, or the answer was lost. The difference decides a create."""

from __future__ import annotations

from reconciler.model.errors import AnswerLost, Throttled, Unreachable
from reconciler.model.problem import Problem
from reconciler.model.request import Request
from reconciler.novita.errors import Again, Failure
from reconciler.novita.http.dates import in_seconds
from reconciler.novita.messages import call, purpose


def unreachable(request: Request, *, host: str, why: str, loopback: bool = False) -> Failure:
    """No connection: nothing was sent, so even a create may be sent again."""
    broken_trust = "CERTIFICATE" in why.upper()
    if broken_trust:
        hint = (
            "If a proxy opens TLS on the way, name its certificates in SSL_CERT_FILE; then run"
            " `reconciler plan`"
        )
    elif loopback:
        hint = "Start what should listen there (`reconciler simulator`), or correct `novita.base_url`"
    else:
        hint = (
            "Check the network, the proxy variables (HTTPS_PROXY, NO_PROXY) and `novita.base_url`, then run"
            " `reconciler plan`"
        )
    return Failure(
        kind=Unreachable,
        problem=Problem(
            code="unreachable",
            summary=f"failed to {purpose(request)} (cannot reach {host})",
            detail=f"{call(request)}: {why}. Nothing was sent.",
            hint=hint,
        ),
        said=why,
        again=Again.NEVER if broken_trust or loopback else Again.UNDONE,
    )


def lost(request: Request, *, why: str) -> Failure:
    """The request went out, and nothing usable came back."""
    if not request.safe:
        hint = "Run `reconciler plan`, which looks whether it was made"
    elif request.method == "GET":
        hint = "Run it again; if it stays, `reconciler plan -v` shows each call"
    else:
        hint = "Run `reconciler plan`, which looks how things are now"
    return Failure(
        kind=AnswerLost,
        problem=Problem(
            code="answer-lost",
            summary=f"failed to {purpose(request)} (the answer was lost: {why})",
            detail=f"{call(request)} was sent, and no usable answer came back.{doubt(request)}",
            hint=hint,
        ),
        said=why,
        again=Again.UNKNOWN,
    )


def paused(request: Request, *, seconds: float) -> Failure:
    """Novita asked not to be asked for longer than a call waits: nothing was sent."""
    return Failure(
        kind=Throttled,
        problem=Problem(
            code="throttled",
            summary=f"failed to {purpose(request)} (Novita asked to wait, {in_seconds(seconds)} from now)",
            detail=f"{call(request)} was not sent: an earlier answer asked for that.",
        ),
        asked=seconds,
    )


def doubt(request: Request) -> str:
    """What to add when a write has no answer; nothing for a read."""
    return "" if request.method == "GET" else " Novita may or may not have carried it out."
