"""Every command of the documentation is run by a test, or has a reason why not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.docs.blocks import ROOT, blocks, commands

CLAIMS: dict[str, dict[str, str]] = yaml.safe_load(
    (ROOT / "tests" / "docs" / "claims.yaml").read_text(encoding="utf-8")
)
SHELLS = {"sh", "console", "bash", "shell"}
PAGES = sorted(
    str(path.relative_to(ROOT))
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md"))
    if path.parent.name != "decisions"
)
TESTS = sorted({(page, test) for page, claims in CLAIMS.items() for test in claims.values() if "::" in test})


def first_commands(page: str) -> list[str]:
    """Return the first command of each block with commands."""
    found = blocks((ROOT / page).read_text(encoding="utf-8"))
    return [commands(block)[0].text for block in found if block.language in SHELLS]


@pytest.mark.parametrize("page", PAGES)
def test_each_block_is_claimed(page: str) -> None:
    """By one claim, and no claim is left over."""
    starts = CLAIMS.get(page, {})
    claimed = [[start for start in starts if command.startswith(start)] for command in first_commands(page)]
    unclaimed = [
        command for command, found in zip(first_commands(page), claimed, strict=True) if len(found) != 1
    ]
    assert unclaimed == [], (
        "name the test that runs it, or the reason why none does, in tests/docs/claims.yaml"
    )
    assert set(starts) == {start for found in claimed for start in found}


def test_no_page_of_a_claim_is_gone() -> None:
    assert set(CLAIMS) <= set(PAGES)


@pytest.mark.parametrize(("page", "test"), TESTS, ids=lambda value: Path(value).name)
def test_a_claimed_test_reads_its_page(page: str, test: str) -> None:
    """It exists, and its file or the one beside it reads the page."""
    file, _, name = test.partition("::")
    text = (ROOT / file).read_text(encoding="utf-8")
    assert re.search(rf"^def {name}\(", text, re.MULTILINE)
    beside = "".join(path.read_text(encoding="utf-8") for path in (ROOT / file).parent.glob("pages.py"))
    folder, _, base = page.rpartition("/")
    assert base in text or Path(base).stem in text or f'"{Path(folder).name}"' in beside
