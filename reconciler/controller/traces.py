"""Traces of rounds by OpenTelemetry, of the extra `otel`. Off unless its own variables turn them on.

A span has the names of steps, counts, results and the paths of calls. It has no value of a field, no query,
no header and no text of an exception.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from reconciler import __version__
from reconciler.controller.observer import Observer, RoundEnd
from reconciler.model.sync.durations import DELIVERY_DRAIN
from reconciler.novita.http.client import CallInfo

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

_SWITCHES: Final = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_TRACES_EXPORTER",
)
"""Each of them turns traces on. The packages read the others by themselves."""

_PACKAGES: Final = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")

_LOGGER: Final = "opentelemetry"


def is_enabled(environ: Mapping[str, str]) -> bool:
    """Return whether the variables of OpenTelemetry turn traces on."""
    is_off = (
        environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
        or environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none"
    )
    return not is_off and any(environ.get(name, "").strip() for name in _SWITCHES)


def start_traces(environ: Mapping[str, str], report: Callable[[str], None]) -> Traces | None:
    """Return the traces of this process; None if they are off, or cannot be made, which is reported.

    report: gets a line, also the first time that spans cannot be exported.
    """
    if not is_enabled(environ):
        return None
    if not all(map(_is_installed, _PACKAGES)):
        report(
            "there are no traces, although variables of OpenTelemetry are set: python -m pip install"
            " 'novita-reconciler[otel]'   (in a checkout: '.[otel]')"
        )
        return None
    exporter = environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() or "otlp"
    if exporter not in ("otlp", "console"):
        report("there are no traces: OTEL_TRACES_EXPORTER is none of otlp, console, none")
        return None
    return Traces(_provider(exporter, report))


class Traces:
    """The spans of all environments of this process. Close them at the end."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("novita-reconciler", __version__)

    def observer(self, environment: str) -> Observer:
        """Return the observer of an environment."""
        return _Tracing(self._tracer, environment)

    def close(self, seconds: float = DELIVERY_DRAIN) -> None:
        """Export what is left, for at most so many seconds. What is left then ends with the process."""
        # The packages have no way to limit an export that has begun.
        thread = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
        thread.start()
        thread.join(seconds)


class _Tracing:
    """Makes the spans of one environment. A call of any thread belongs to the step that runs."""

    def __init__(self, tracer: Tracer, environment: str) -> None:
        self._tracer = tracer
        self._environment = environment
        self._running: tuple[Span, ...] = ()

    @contextmanager
    def span(self, name: str, **attributes: str | int) -> Iterator[None]:
        outer = self._running
        span = self._tracer.start_span(
            name,
            _context(outer),
            attributes={f"reconciler.{key}": value for key, value in attributes.items()}
            | {"reconciler.environment": self._environment},
        )
        self._running = (*outer, span)
        try:
            yield
        except BaseException as error:
            _mark_failed(span, type(error).__name__)
            raise
        finally:
            self._running = outer
            span.end()

    def call(self, call: CallInfo) -> None:
        from opentelemetry.trace import SpanKind

        running = self._running
        if not running:
            return
        end = time.time_ns()
        attributes: dict[str, str | int] = {
            "http.request.method": call.method,
            "url.path": call.path,
            "http.request.resend_count": call.attempt - 1,
            "reconciler.environment": self._environment,
        }
        if call.status:
            attributes["http.response.status_code"] = call.status
        span = self._tracer.start_span(
            f"{call.method} {call.path}",
            _context(running),
            SpanKind.CLIENT,
            attributes,
            start_time=end - int(call.seconds * 1e9),
        )
        if not call.status or call.status >= 400:
            _mark_failed(span, str(call.status or "no answer"))
        span.end(end)

    def ended(self, end: RoundEnd) -> None:
        if self._running:
            state, root = end.state, self._running[0]
            root.set_attribute("reconciler.revision", state.revision)
            root.set_attribute("reconciler.result", state.result.value if state.result else "")
            root.set_attribute("reconciler.endpoints", len(state.endpoints))


def _context(running: tuple[Span, ...]) -> Context:
    """Return the context of a new span: a child of the innermost one, or one without a parent."""
    from opentelemetry.context import Context
    from opentelemetry.trace import set_span_in_context

    return set_span_in_context(running[-1], Context()) if running else Context()


def _mark_failed(span: Span, why: str) -> None:
    from opentelemetry.trace import Status, StatusCode

    span.set_attribute("error.type", why)
    span.set_status(Status(StatusCode.ERROR))


def _provider(exporter: str, report: Callable[[str], None]) -> TracerProvider:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter

    logger = logging.getLogger(_LOGGER)
    logger.handlers, logger.propagate = [_FirstFailure(report)], False
    resource = Resource.create({"service.name": "novita-reconciler", "service.version": __version__})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(
        BatchSpanProcessor(ConsoleSpanExporter() if exporter == "console" else OTLPSpanExporter())
    )
    return provider


class _FirstFailure(logging.Handler):
    """Reports the first message of the packages. Their texts are not shown: they may have parts of a URL."""

    def __init__(self, report: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._report = report
        self._is_reported = False

    def emit(self, record: logging.LogRecord) -> None:
        if not self._is_reported:
            self._is_reported = True
            self._report(f"traces may be lost: a {record.levelname.lower()} of OpenTelemetry ({record.name})")


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # not even its parent is there
        return False
