"""The `git` program as the controller runs it: no hook, no filter, no settings of users, one protocol."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from reconciler.config.references.helper_process import HelperOutput, run_helper
from reconciler.controller.git.access import access_of
from reconciler.controller.git.address import GitAddress
from reconciler.controller.git.failures import MIN_VERSION, failure, no_git, old_git
from reconciler.model import durations
from reconciler.model.lazy_dataclass import dataclass

_OPTIONS: Final = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.attributesFile": "/dev/null",
    "core.autocrlf": "false",
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    "credential.helper": "",
    "submodule.recurse": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "protocol.version": "2",
    "protocol.allow": "never",
    "http.followRedirects": "false",  # the credentials are for one server
    "http.lowSpeedLimit": "1",
    "http.lowSpeedTime": str(durations.GIT_SILENCE),
    "safe.bareRepository": "explicit",
}
_VARIABLES: Final = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS_REQUIRE": "never",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",  # error messages are read below
}
_PASSED: Final = re.compile(
    r"(?:PATH|HOME|USER|LOGNAME|TMPDIR|SSH_AUTH_SOCK|SSL_CERT_FILE|SSL_CERT_DIR|GIT_SSL_CAINFO"
    r"|(?:https?|all|no)_proxy)\Z",
    re.IGNORECASE,
)
"""Variables that git gets. Keys of Novita and secrets of endpoints are not among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GitProgram:
    """Runs git for one repository. environ: of this process. stop: ends a command; no other one begins."""

    address: GitAddress
    environ: Mapping[str, str]
    stop: threading.Event

    def ask_server(self, folder: Path, *arguments: str, timeout: float) -> str:
        """Return the output of a command that may talk to the server. Raise SourceError if it fails."""
        access = access_of(self.address, self.environ)
        allowed = ("-c", f"protocol.{self.address.protocol}.allow=always")
        done = self._run(folder, (*allowed, *arguments), access.variables, timeout)
        return self._output(replace(done, err=access.hidden(done.err.decode(errors="replace")).encode()))

    def __call__(self, folder: Path, *arguments: str) -> str:
        """Return the output of a command that needs no server. Raise SourceError if it fails."""
        return self._output(self.run(folder, *arguments))

    def run(self, folder: Path, *arguments: str) -> HelperOutput:
        """Return the result of a command that needs no server. Raise SourceError if git cannot be run."""
        return self._run(folder, arguments, {}, durations.GIT_LOCAL_TIMEOUT)

    def _run(
        self, folder: Path, arguments: Sequence[str], variables: Mapping[str, str], timeout: float
    ) -> HelperOutput:
        git = shutil.which("git", path=self.environ.get("PATH"))
        if git is None or not Path(git).is_absolute():
            raise no_git()
        settings = (word for name, value in _OPTIONS.items() for word in ("-c", f"{name}={value}"))
        words = [git, "--no-pager", *settings, "-C", str(folder), *arguments]
        variables = {**self._inherited(), **_VARIABLES, **variables}
        return run_helper(words, variables, str(folder), timeout, self.stop)

    def _output(self, done: HelperOutput) -> str:
        if done.status != 0 or done.failure:
            raise failure(self.address, done)
        return done.out.decode(errors="replace")

    def check_version(self, folder: Path) -> None:
        """Raise SourceError if git is too old to be run safely."""
        found = re.search(r"\d+\.\d+", self(folder, "version"))
        version = tuple(map(int, found[0].split("."))) if found else ()
        if version < MIN_VERSION:
            raise old_git(found[0] if found else "")

    def _inherited(self) -> dict[str, str]:
        passed = {name: value for name, value in self.environ.items() if _PASSED.match(name)}
        if authority := passed.get("SSL_CERT_FILE"):
            passed.setdefault("GIT_SSL_CAINFO", authority)
        return passed
