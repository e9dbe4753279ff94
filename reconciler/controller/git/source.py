"""The commits of a ref as the revisions of a controller."""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Mapping
from pathlib import Path

from reconciler.controller.git.address import GitAddress, is_commit
from reconciler.controller.git.cache import Cache, cache_folder, remove, unusable
from reconciler.controller.git.checkout import author_and_subject, check_files, is_intact, make_checkout
from reconciler.controller.git.program import GitProgram
from reconciler.controller.source import Revision
from reconciler.model import durations
from reconciler.model.errors import SourceError
from reconciler.model.problem import Problem


class GitSource:
    """A folder of a git repository at a ref. Called by one thread, `stop` by any."""

    def __init__(self, address: GitAddress, environ: Mapping[str, str] = os.environ) -> None:
        self._address = address
        self._stop = threading.Event()
        self._git = GitProgram(address=address, environ=environ, stop=self._stop)
        self._parent = cache_folder(environ) / address.digest
        self._cache: Cache | None = None

    def poll(self) -> str:
        """Return the commit that the ref names now, by one `git ls-remote`. A commit is the answer itself."""
        if self._address.commit:
            return self._address.commit
        command = ("ls-remote", "--quiet", "--", self._address.url, *self._patterns())
        out = self._git.ask_server(self._folder(), *command, timeout=durations.GIT_POLL_TIMEOUT)
        lines = (line.partition("\t") for line in out.splitlines())
        found = {name: commit for commit, _, name in lines if is_commit(commit)}
        commits = {
            name: found.get(f"{name}^{{}}", found[name])  # of an annotated tag
            for name in self._address.candidates
            if name in found
        }
        if not commits:
            raise self._no_ref()
        if len(set(commits.values())) > 1:
            summary = f"{self._address}: that is both a branch and a tag, of different commits"
            hint = f"name one of them: --ref {' or --ref '.join(commits)}"
            raise SourceError(Problem(code="git-ref", summary=summary, hint=hint))
        return next(iter(commits.values()))

    def fetch(self, revision: str) -> Revision:
        """Return a commit and its files, which are downloaded if they are not there or not intact.

        That takes two calls of git and no network if they are, so it may be called before each use.
        """
        folder = self._folder() / revision
        if not is_intact(self._git, folder, revision):
            self._download(folder, revision)
        check_files(folder, self._address.path, f"{self._address.url} at {revision[:12]}")
        author, subject = author_and_subject(self._git, folder)
        return Revision(id=revision, root=folder / self._address.path, author=author, subject=subject)

    def keep_only(self, revisions: Collection[str]) -> None:
        """Remove the files of all other commits."""
        if self._cache is not None:
            self._cache.keep_only(revisions)

    def stop(self) -> None:
        """End a download that is going on."""
        self._stop.set()

    def close(self) -> None:
        """Let other processes use the downloaded files."""
        if self._cache is not None:
            self._cache.close()
            self._cache = None

    def _folder(self) -> Path:
        """Return the folder of this process. Nothing is made before it is needed."""
        if self._cache is None:
            cache = Cache(self._parent)
            try:
                self._git.check_version(cache.folder)
            except SourceError:
                cache.close()
                raise
            self._cache = cache
        self._cache.folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # somebody may have cleaned up
        return self._cache.folder

    def _download(self, folder: Path, commit: str) -> None:
        """Make a checkout beside its place, and put it there when it is complete."""
        unfinished = folder.with_name(f"new-{commit}")
        try:
            remove(unfinished)
            make_checkout(self._git, unfinished, commit)
            remove(folder)
            unfinished.rename(folder)
        except OSError as error:
            raise unusable(folder.parent, error) from None
        finally:
            remove(unfinished)

    def _patterns(self) -> list[str]:
        names = self._address.candidates
        return [*names, *(f"{name}^{{}}" for name in names if name.startswith("refs/tags/"))]

    def _no_ref(self) -> SourceError:
        ref = self._address.ref
        hint = "push it, or name a branch or a tag of the repository with --ref"
        if all(letter in "0123456789abcdef" for letter in ref):
            hint = "a commit must be given in full, with all of its 40 or 64 digits"
        summary = f"{self._address.url} has no ref {ref}"
        return SourceError(Problem(code="git-ref", summary=summary, hint=hint))
