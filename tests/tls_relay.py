"""A server that speaks TLS in front of a plain one, and counts the handshakes."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.scripted_server import SocketServer, serving


@dataclass
class TlsRelay(SocketServer):
    """`connections` counts what was accepted, `handshakes` those that ended well."""

    behind: tuple[str, int]
    context: ssl.SSLContext
    connections: int = 0
    handshakes: int = 0
    guard: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def accepted(self, connection: socket.socket) -> None:
        self.connections += 1
        super().accepted(connection)

    def handle(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            secure = self.context.wrap_socket(connection, server_side=True)
            with self.guard:
                self.handshakes += 1
            with secure, socket.create_connection(self.behind) as plain:
                back = threading.Thread(target=_copy, args=(plain, secure), daemon=True)
                back.start()
                _copy(secure, plain)
                back.join(20)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Return the files of a self-signed certificate for 127.0.0.1, and of its key."""
    key, certificate = folder / "key.pem", folder / "cert.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        f" -subj /CN=relay -addext subjectAltName=IP:127.0.0.1 -keyout {key} -out {certificate}"
    )
    _openssl(command)
    return certificate, key


def make_signed_certificate(folder: Path) -> tuple[Path, Path, Path]:
    """Return the files of a certificate for 127.0.0.1, of its key, and of the authority that signed it."""
    authority, authority_key = folder / "authority.pem", folder / "authority-key.pem"
    certificate, key, request = folder / "cert.pem", folder / "key.pem", folder / "request.pem"
    extensions = folder / "extensions"
    extensions.write_text("subjectAltName=IP:127.0.0.1\n")
    new = "openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    _openssl(f"{new} -x509 -days 2 -subj /CN=authority -keyout {authority_key} -out {authority}")
    _openssl(f"{new} -subj /CN=relay -keyout {key} -out {request}")
    _openssl(
        f"openssl x509 -req -in {request} -CA {authority} -CAkey {authority_key} -CAcreateserial -days 2"
        f" -extfile {extensions} -out {certificate}"
    )
    return certificate, key, authority


def _openssl(command: str) -> None:
    made = subprocess.run(command.split(), capture_output=True, check=False, timeout=60)
    if made.returncode:
        pytest.skip("no openssl to make a certificate with")


@contextmanager
def tls_relay(url: str, certificate: Path, key: Path) -> Iterator[TlsRelay]:
    """Yield a relay to the server at an http:// URL."""
    host, _, port = url.removeprefix("http://").partition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    relay = TlsRelay((host, int(port)), context)
    with serving(relay.serve, relay.listener, relay.over):
        yield relay
