"""Approval by a person, who types a word: `yes`, the name of an environment, or the ID of a lock."""

from __future__ import annotations

import os
import sys

from reconciler.cli.output import Output
from reconciler.model.problem import ExitCode, Problem
from reconciler.reports.terminal.escape import plain


def answer_to(out: Output, word: str, *, question: str, effect: str, meaning: str = "") -> str:
    """Ask the user to type the word, and return the line that was typed, "" if the input is at its end.

    effect: the sentence that says what follows. meaning: what the word is, such as `the name of the
    environment`.
    """
    only = f"{meaning}, '{plain(word)}'," if meaning else f"'{plain(word)}'"
    out.tell(
        f"\n{out.error_style.bold(question)}\n"
        f"  {effect}\n"
        f"  Only {only} will be accepted to approve.\n\n"
        f"  {out.error_style.bold('Enter a value:')} "
    )
    answer = sys.stdin.readline()
    out.tell("\n")
    return answer


def approves_plan(out: Output, word: str, *, effect: str) -> bool:
    """Return whether the user approves the plan that is shown, for another program to apply.

    word: see `approval_word`.
    """
    meaning = meaning_of(word)
    answer = answer_to(out, word, question="Do you approve this plan?", effect=effect, meaning=meaning)
    if answer.strip() != word:
        out.line("Nothing was approved.")
        return False
    return True


def meaning_of(word: str) -> str:
    """Return what the word is that approves a plan; "" for `yes`, which needs no explanation."""
    return "" if word == "yes" else "the name of the environment"


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

    effect, meaning: see `answer_to`. again: the hint of the error. subject: what the user approves.
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
    answer = answer_to(out, word, question=question, effect=effect, meaning=meaning)
    if answer.strip() == word:
        return None
    return refused("approval was declined" if answer else no_input)
