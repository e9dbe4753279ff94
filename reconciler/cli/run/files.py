"""The files of `reconciler run`: those of a folder, or of the newest commit of a git repository."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from reconciler.controller.files import Files
from reconciler.controller.git.address import GitAddress
from reconciler.controller.git.source import GitSource
from reconciler.controller.source import FolderSource, Revision
from reconciler.model.errors import InvalidConfig, SourceError
from reconciler.model.problem import Problem
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.environment import in_environment


def open_files(
    context: Context,
    address: GitAddress | None,
    *,
    poll: float,
    is_once: bool,
    tell: Callable[[Problem], None],
) -> Files:
    """Return the files of the context's folder, or those of the newest commit if there is an address.

    This waits for a commit that says where its inventory is, and tells each new reason why there is none.
    poll: seconds between two attempts. Raise SourceError or InvalidConfig in place of a second attempt if
    `is_once`.
    """
    if address is None:
        return Files(FolderSource(context.root, context.files), context)
    source = GitSource(address, context.environ)
    told: Sequence[Problem] = ()
    while True:
        try:
            return Files(source, _in_commit(context, source.fetch(source.poll())))
        except (SourceError, InvalidConfig) as error:
            if is_once:
                source.close()
                raise
            for problem in () if error.problems == told else error.problems:
                tell(problem)
            told = error.problems
        threading.Event().wait(poll)


def _in_commit(context: Context, revision: Revision) -> Context:
    """Return the context of a commit. Raise InvalidConfig if its inventory is a file.

    It would lie in the checkout of one commit; and one elsewhere records the folder of its files, which is
    another one for each commit.
    """
    found = in_environment(replace(context, root=revision.root, message=revision.message))
    if isinstance(found.state, Path):
        raise InvalidConfig(
            Problem(
                code="inventory-is-file",
                summary=f"the inventory is the file {found.state}, which does not go with --git: "
                "each commit has a folder of its own",
                hint="keep it in a store (docs/team.md): set `state` in config.yaml, or RECONCILER_STATE",
            )
        )
    return found
