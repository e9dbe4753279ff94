"""What a comment or an issue says, below marks that nobody sees and by which it is found again."""

from __future__ import annotations

from dataclasses import dataclass
from posixpath import normpath
from typing import Final
from urllib.parse import quote

LONGEST: Final = 65_536
"""Characters that GitHub takes in one body."""
CUT: Final = "\n\n_The report is longer than GitHub allows; the log of the job has all of it._\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The text, and the marks in it: whose it is, and what it tells of."""

    text: str
    mark: str
    told: str

    def is_mine(self, body: str | None) -> bool:
        """Whether it bears our mark; a text that quotes it begins otherwise."""
        return (body or "").startswith(self.mark)

    def tells_the_same(self, body: str) -> bool:
        """Whether it tells of the same drift, in whatever words."""
        return body.startswith(f"{self.mark}\n{self.told}\n")


def written(directory: str, report: str, fingerprint: str = "") -> Body:
    """The report about a folder, under its marks."""
    mark = f"<!-- novita-reconciler {quote(normpath(directory))} -->"
    told = f"<!-- {fingerprint} -->"
    head = f"{mark}\n{told}\n\n" if fingerprint else f"{mark}\n\n"
    return Body(text=head + _fitting(report, LONGEST - len(head)), mark=mark, told=told)


def _fitting(report: str, room: int) -> str:
    if len(report) <= room:
        return report
    kept = report[: room - len(CUT)]
    return kept[: kept.rfind("\n") + 1] + CUT
