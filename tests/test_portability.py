"""Linux and macOS: what only one of them has stands beside its twin. Windows gets one sentence."""

from __future__ import annotations

import ast
import fcntl
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.inventory.files import FileSystem

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted([ROOT / "novita_reconciler.py", *(ROOT / "reconciler").rglob("*.py")])

NOT_ON_MACOS = {
    "fcntl": r"F_OFD_\w+|F_SETPIPE_SZ|F_GETPIPE_SZ|F_ADD_SEALS|F_GET_SEALS|F_NOTIFY|F_SETLEASE|F_GETLEASE",
    "os": r"""fdatasync|O_(TMPFILE|PATH|DIRECT|NOATIME|LARGEFILE|RSYNC)|sched_\w*(affinity|scheduler|param)
        |memfd_create|eventfd\w*|pidfd_open|timerfd\w*|copy_file_range|splice|posix_fadvise|posix_fallocate|getrandom
        |pipe2|setns|unshare|\w+xattr|getresuid|getresgid|setresuid|setresgid|process_cpu_count""",
    "resource": r"prlimit|RUSAGE_THREAD",
    "select": r"e?poll_\w+|epoll|EPOLL\w+|POLLRDHUP|POLLMSG",
    "signal": r"sigwaitinfo|sigtimedwait|pidfd_send_signal|SIG(PWR|POLL|STKFLT|CLD|RTMIN|RTMAX)",
    "socket": r"""AF_(NETLINK|PACKET|ALG|VSOCK|CAN|TIPC)
        |TCP_(USER_TIMEOUT|KEEPIDLE|CORK|DEFER_ACCEPT|QUICKACK|INFO|SYNCNT)|SO_(PEERCRED|BINDTODEVICE|MARK|PRIORITY|PASSCRED)|SOCK_(CLOEXEC|NONBLOCK)|MSG_(NOSIGNAL|CMSG_CLOEXEC|MORE)""",
    "sys": r"activate_stack_trampoline",
}
"""Names that the documentation of Python gives to Linux and not to macOS, as patterns by their module."""

NOT_ON_LINUX = {
    "fcntl": r"F_FULLFSYNC|F_NOCACHE|F_BARRIERFSYNC",
    "os": r"O_(EXLOCK|SHLOCK|EVTONLY|FSYNC|SYMLINK)|lchflags|chflags",
    "select": r"kqueue|kevent|KQ_\w+",
    "signal": r"SIG(INFO|EMT)",
    "socket": r"TCP_KEEPALIVE|SO_NOSIGPIPE|LOCAL_PEERCRED",
}

TWINS = {
    ("reconciler/inventory/files.py", "os.fdatasync", "os.fsync"),
    ("reconciler/inventory/files.py", "fcntl.F_FULLFSYNC", "None"),
    ("reconciler/inventory/stores/postgres/libpq.py", "select.POLLRDHUP", "0"),
}
"""All uses of such names: file, name, and what the other system gets instead."""

ONLY_LINUX_HAS = re.compile(r"/proc(/|$)|/sys/|/dev/shm|/etc/os-release|/run/")
"""Paths. `/run/ENDPOINT` and `/runs` of an HTTP API are none; they are told apart by hand."""


def is_single(module: str, name: str) -> bool:
    """Whether a name exists on one of the two systems only."""
    tables = (NOT_ON_MACOS, NOT_ON_LINUX)
    return any(re.fullmatch(table[module], name, re.VERBOSE) for table in tables if module in table)


def single_uses(tree: ast.Module) -> Iterator[tuple[str, str | None]]:
    """Yield each use of such a name, with its twin, or None for a use without one."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=module), attr=name) if is_single(module, name):
                yield f"{module}.{name}", None
            case ast.Call(
                func=ast.Name(id="getattr"), args=[ast.Name(id=module), ast.Constant(value=str(name)), twin]
            ) if is_single(module, name):
                yield f"{module}.{name}", ast.unparse(twin)
            case ast.ImportFrom(module=str(module), names=names):
                yield from ((f"{module}.{one.name}", None) for one in names if is_single(module, one.name))
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="ctypes"), attr="CDLL"), args=[ast.Constant()]
            ):
                yield f"ctypes at line {node.lineno}", None


def test_what_one_system_lacks_has_its_twin() -> None:
    found = {
        (path.relative_to(ROOT).as_posix(), name, twin)
        for path in SOURCES
        for name, twin in single_uses(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found == TWINS


@pytest.mark.parametrize(
    "line",
    [
        "os.sched_getaffinity(0)",
        "os.open(path, os.O_TMPFILE)",
        "select.epoll()",
        "socket.socket(socket.AF_NETLINK)",
        "opened.setsockopt(6, socket.TCP_USER_TIMEOUT, 1)",
        "fcntl.fcntl(fd, fcntl.F_OFD_SETLK, b'')",
        "ctypes.CDLL(None).prctl(1)",
        "from os import fdatasync",
    ],
)
def test_the_search_finds_names_without_a_twin(line: str) -> None:
    assert [twin for _, twin in single_uses(ast.parse(line))] == [None]


def test_no_path_of_linux_alone_is_used() -> None:
    allowed = {"reconciler/simulator/api.py: /run/"}  # of its HTTP API
    found = {
        f"{path.relative_to(ROOT).as_posix()}: {node.value}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and ONLY_LINUX_HAS.match(node.value)
    }
    assert found == allowed


AS_ON_MACOS = """
import os, select, signal, socket, sys
os.environ["NOVITA_BASE_URL"] = "simulator"
for module, name in [(os, "fdatasync"), (os, "sched_getaffinity"), (select, "POLLRDHUP"), (select, "epoll"),
                     (socket, "TCP_USER_TIMEOUT"), (socket, "TCP_KEEPIDLE")]:
    delattr(module, name)
from reconciler.cli.main import run
for words in (["init"], ["validate"], ["apply", "--yes"], ["plan", "--detailed-exitcode"]):
    assert run(words) == 0, words
"""


@pytest.mark.skipif(sys.platform != "linux", reason="takes away what only Linux has")
def test_a_life_cycle_does_without_what_only_linux_has(tmp_path: Path) -> None:
    """Not macOS itself: continuous integration has a job for that."""
    done = subprocess.run(
        [sys.executable, "-c", AS_ON_MACOS], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_macos_writes_through_the_cache_of_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its fsync does not: fsync(2) of macOS names F_FULLFSYNC for data that must survive a loss of power."""
    asked: list[int] = []

    def control(_fd: int, command: int) -> None:
        asked.append(command)
        if len(asked) == 2:
            raise OSError(45, "Operation not supported")  # some network file systems

    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", control)
    fd = os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT)
    try:
        FileSystem().sync(fd)
        FileSystem().sync(fd)  # falls back to fsync, and does not fail
    finally:
        os.close(fd)
    FileSystem().sync_directory(tmp_path)
    assert asked == [51, 51, 51]


WINDOWS = [sys.executable, "-c", "import sys; sys.platform = 'win32'; "]


@pytest.mark.parametrize(
    "start",
    [
        "from novita_reconciler import main; main()",
        "from reconciler.cli.entry import main; main()",
        "from reconciler import NovitaDeploymentProvider",
    ],
    ids=["command", "module", "library"],
)
def test_a_start_on_windows_says_that_wsl_is_needed(start: str) -> None:
    *python, code = WINDOWS
    done = subprocess.run(
        [*python, code + start], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert "does not run on Windows itself" in done.stderr.splitlines()[-1]
    assert "wsl --install" in done.stderr.splitlines()[-1]
    if "Provider" not in start:
        assert len(done.stderr.splitlines()) == 1
