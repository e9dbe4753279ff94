"""The simulator as an HTTP server on loopback, with a log of its requests and with faults."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from random import Random
from socketserver import TCPServer
from types import TracebackType
from typing import Any

from reconciler.model.lazy_dataclass import dataclass
from reconciler.simulator import storage
from reconciler.simulator.api import Request, Response, error, operation_of
from reconciler.simulator.faults import Fault, Faults
from reconciler.simulator.profile import Profile
from reconciler.simulator.world import World

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One received request. `status` is 0 if it got no answer, `fault` the kind of its fault or ""."""

    operation: str
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    status: int
    fault: str = ""


class Server:
    """The server. As a context manager it runs inside the block.

    `port` 0 takes a free one. With `state`, the world is loaded from that file and saved to it after each
    write. `on_answer` gets each request after its answer, and the seconds that it took.
    """

    def __init__(
        self,
        *,
        profile: Profile | None = None,
        seed: int = 0,
        state: Path | None = None,
        port: int = 0,
        clock: Callable[[], float] = time.time,
        on_answer: Callable[[Received, float], object] | None = None,
    ) -> None:
        self._stopping = threading.Event()
        self.world = World(profile, clock=clock, random=Random(seed), sleep=self._stopping.wait)
        self.faults = Faults()
        self._state = Path(state) if state else None
        self._saving = threading.Lock()
        self._saved = 0
        self._log: list[Received] = []
        self._log_lock = threading.Lock()
        self._on_answer = on_answer
        self._port = port
        self._listener: _Listener | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`, without a path."""
        if self._listener is None:
            raise RuntimeError("the simulator is not started")
        return f"http://{HOST}:{self._listener.server_address[1]}"

    @property
    def requests(self) -> list[Received]:
        """All requests so far. A request is added before its answer is sent."""
        with self._log_lock:
            return list(self._log)

    @property
    def connections(self) -> int:
        """The number of open connections. A request of a killed client is carried out before its closes."""
        return self._listener.connections if self._listener else 0

    def start(self) -> "Server":
        """Load the state and listen. Raise OSError for a used port, ValueError for an invalid state file."""
        if self._state is not None and (data := storage.load(self._state)) is not None:
            self.world.load(data)
        self._saved = self.world.version
        self._stopping.clear()
        self._listener = _Listener((HOST, self._port), self)
        self.world.serve_at(self.url)
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """End all requests and connections. A second call does nothing."""
        listener, thread = self._listener, self._thread
        if listener is None or thread is None:
            return
        self._stopping.set()
        listener.shutdown()
        thread.join()
        listener.server_close()
        self._listener = self._thread = None
        self._save()

    def __enter__(self) -> "Server":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def exchange(self, request: Request, started: float) -> "Exchange":
        """Carry out a request, unless a fault prevents it, and return its response."""
        operation = operation_of(request.method, request.path)
        fault = self.faults.take(operation, request.query.get("pageNum", ""))
        if fault is not None and fault.kind == "slow":
            self.pause(fault.seconds)
        response = None
        if fault is None or fault.acts:
            self.faults.run_before(operation, request)
            response = self.faults.rewritten(operation, self.world.handle(request))
            self.faults.run_after(operation, request)
            self._save()
        if fault is not None:
            response = fault.response() or response
        silent = fault is not None and fault.kind in ("lost_request", "reset", "hang", "lost_answer")
        received = Received(
            operation=operation,
            method=request.method,
            path=request.path,
            query=dict(request.query),
            headers=dict(request.headers),
            body=request.body,
            status=0 if silent or response is None else response.status,
            fault=fault.kind if fault else "",
        )
        with self._log_lock:
            self._log.append(received)
        return Exchange(received=received, response=response, fault=fault, started=started)

    def done(self, exchange: "Exchange") -> None:
        if self._on_answer is not None:
            self._on_answer(exchange.received, time.perf_counter() - exchange.started)

    def pause(self, seconds: float) -> None:
        """Wait, but not longer than the server runs."""
        self._stopping.wait(seconds)

    def _save(self) -> None:
        if self._state is None:
            return
        with self._saving:
            version = self.world.version
            if version != self._saved:
                storage.save(self._state, self.world.dump())
                self._saved = version


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request and its response. Without a `response` nothing is answered."""

    received: Received
    response: Response | None
    fault: Fault | None
    started: float


class _Listener(TCPServer):
    """A listener with one thread for each connection, which it ends when it stops."""

    allow_reuse_address = True
    request_queue_size = 512

    def __init__(self, address: tuple[str, int], server: Server) -> None:
        self.simulator = server
        self._open: dict[threading.Thread, socket.socket] = {}
        self._lock = threading.Lock()
        super().__init__(address, _Handler)

    @property
    def connections(self) -> int:
        with self._lock:
            return len(self._open)

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(target=self._converse, args=(request, client_address), daemon=True)
        with self._lock:
            self._open[thread] = request
        thread.start()

    def _converse(self, connection: socket.socket, client_address: Any) -> None:
        try:
            self.finish_request(connection, client_address)
        except ConnectionError:
            pass  # the client is gone, or stop() ended the connection
        finally:
            with self._lock:
                self._open.pop(threading.current_thread(), None)
            # Without a shutdown, which would send FIN in place of the RST of a fault.
            self.close_request(connection)

    def server_close(self) -> None:
        super().server_close()
        with self._lock:
            remaining = dict(self._open)
            for connection in remaining.values():
                _end(connection)
        # A hook may stop the server from the thread of a request, which cannot wait for itself.
        for thread in remaining.keys() - {threading.current_thread()}:
            thread.join(timeout=5)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Listener

    def serve(self) -> None:
        started = time.perf_counter()
        length = self.headers.get("content-length", "0")
        if "transfer-encoding" in self.headers or not length.isdigit():
            self.close_connection = True
            self._send(error(411, "LENGTH_REQUIRED", "a body needs its Content-Length here"))
            return
        body = self.rfile.read(int(length))
        request = Request.parse(self.command, self.path, dict(self.headers.items()), body)
        simulator = self.server.simulator
        exchange = simulator.exchange(request, started)
        self._reply(exchange)
        simulator.done(exchange)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = serve  # noqa: N815 - the names http.server looks for

    def _reply(self, exchange: Exchange) -> None:
        fault, simulator = exchange.fault, self.server.simulator
        if fault is not None and fault.kind in ("hang", "late_answer"):
            simulator.pause(fault.seconds)
        if fault is not None and fault.kind == "reset":
            # With a linger time of zero the kernel sends RST instead of FIN.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if exchange.received.status == 0 or exchange.response is None:
            self.close_connection = True
        else:
            self._send(exchange.response, half=fault is not None and fault.kind == "truncated")

    def _send(self, response: Response, *, half: bool = False) -> None:
        # One write for head and body; a second one would wait for the client's delayed acknowledgement.
        lines = [f"HTTP/1.1 {response.status} {_phrase(response.status)}"]
        lines += [f"{name}: {value}" for name, value in response.headers.items()]
        lines.append(
            "transfer-encoding: chunked" if response.pieces else f"content-length: {len(response.body)}"
        )
        if half:
            self.close_connection = True
        elif self.close_connection:
            lines.append("connection: close")
        body = response.body[: len(response.body) // 2] if half else response.body
        if self.command == "HEAD":
            body = b""
        self.wfile.write("\r\n".join([*lines, "", ""]).encode() + body)
        if response.pieces and not half and self.command != "HEAD":
            self._send_pieces(response)

    def _send_pieces(self, response: Response) -> None:
        for index, piece in enumerate(response.pieces):
            if index and response.pause:
                self.server.simulator.pause(response.pause)
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name http.server uses
        """Do nothing; the log of the server is `requests`."""


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the client may have been faster
        connection.shutdown(socket.SHUT_RDWR)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
