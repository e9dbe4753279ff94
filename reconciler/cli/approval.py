"""Approval by a person, who types a word: `yes`, the name of an environment, or the ID of a lock."""

from __future__ import annotations

import os
import sys

from reconciler.cli.output import Output
from reconciler.model.problem import ExitCode, Problem


def ask_for_word(
    out: Output,
    word: str,
    *,
    question: str,
    effect: str,
    again: str,
    meaning: str = "",
    subject: str = "the plan",
) -> Problem | None:
    """Return None if the user types the word, else an error.

    effect: the sentence that says what follows. again: the hint of the error. meaning: what the word is, such
    as `the name of the environment`. subject: what the user approves.
    """

    def refused(summary: str) -> Problem:
        return Problem(
            code="not-approved",
            summary=f"nothing was changed: {summary}",
            hint=again,
            exit_code=ExitCode.ERROR,
        )

    no_input = f"there is no interactive input to approve {subject}"
    if not sys.stdin.isatty() and os.environ.get("CI"):
        return refused(no_input)
    only = f"{meaning}, '{word}'," if meaning else f"'{word}'"
    out.tell(
        f"\n{out.error_style.bold(question)}\n"
        f"  {effect}\n"
        f"  Only {only} will be accepted to approve.\n\n"
        f"  {out.error_style.bold('Enter a value:')} "
    )
    answer = sys.stdin.readline()
    out.tell("\n")
    if answer.strip() == word:
        return None
    return refused("approval was declined" if answer else no_input)
