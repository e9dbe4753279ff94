"""An S3 server for the tests: moto, in a process of its own, on a free port of the loopback interface.

It honors conditional writes. It does not check signatures, so any credentials do.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec

import pytest

_PROGRAM = """
import logging
import os
import sys
import threading
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

logging.getLogger("werkzeug").disabled = True
server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
print(server.server_port, flush=True)
threading.Thread(target=lambda: os._exit(len(sys.stdin.read())), daemon=True).start()  # as the tests do
server.serve_forever()
"""


@dataclass(frozen=True, kw_only=True)
class S3Server:
    """A running S3 server. `pid` is its process."""

    url: str
    pid: int

    def environ(self, url: str = "") -> Mapping[str, str]:
        """Return the variables for a client of this server, or of the proxy at `url`."""
        return {
            "AWS_ACCESS_KEY_ID": "AKIATESTTESTTEST",
            "AWS_SECRET_ACCESS_KEY": "test-secret-access-key",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_S3": url or self.url,
        }

    def new_bucket(self) -> str:
        """Create a bucket and return its name."""
        bucket = f"bucket-{uuid.uuid4().hex[:12]}"
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=10)
        connection.request("PUT", f"/{bucket}")
        assert connection.getresponse().status == 200
        connection.close()
        return bucket

    def new_address(self) -> str:
        """Return the address of an inventory that does not exist yet, in a bucket of its own."""
        return f"s3://{self.new_bucket()}/team/prod"


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """Start the server, and end it by its process ID."""
    if not (find_spec("moto") and find_spec("obstore")):
        message = "moto or obstore is not installed: pip install --editable '.[dev]'"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    command = [sys.executable, "-c", _PROGRAM]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            yield S3Server(url=f"http://127.0.0.1:{port}", pid=process.pid)
        finally:
            process.kill()
