"""Values that several formats write alike, and variables of compose."""

import pytest

from reconciler.convert.candidates import Outside
from reconciler.convert.documents import split
from reconciler.convert.interpolation import UnknownSyntax, parts_of, reference_text
from reconciler.convert.values import gigabytes_of, range_of, seconds_of, shell_command


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (90, 90),
        ("90", 90),
        ("2m", 120),
        ("1.5h", 5400),
        ("1d", 86400),
        ("off", None),
        (True, None),
        ([], None),
    ],
)
def test_durations(value: object, seconds: int | None) -> None:
    assert seconds_of(value) == seconds


@pytest.mark.parametrize(
    ("value", "size"),
    [(200, 200), ("200GB", 200), ("100GB..", 100), ("1TB", 1024), ("512MB", 1), ("50+", 50), ("x", None)],
)
def test_sizes(value: object, size: int | None) -> None:
    assert gigabytes_of(value) == size


@pytest.mark.parametrize(
    ("value", "counts"),
    [
        (2, (2, 2)),
        ("2", (2, 2)),
        ("0..4", (0, 4)),
        ("..4", (0, 4)),
        ("2..", (2, 2)),
        ({"min": 1, "max": 3}, (1, 3)),
        ({"max": 3}, (0, 3)),
        ("4..1", None),
        ("..", None),
        (True, None),
        (-1, None),
        (1.5, None),
        ("9" * 30, None),
        (None, None),
    ],
)
def test_ranges(value: object, counts: tuple[int, int] | None) -> None:
    assert range_of(value) == counts


def test_only_a_script_needs_a_shell() -> None:
    assert shell_command(" python -m server --port 8001\n", "sh") == "python -m server --port 8001"
    assert shell_command("a && echo 'b'", "sh") == """sh -c 'a && echo '"'"'b'"'"''"""


def test_variables_of_compose_become_references() -> None:
    text = "$$a-${ONE}-$TWO_x-${THREE:-d}-${FOUR-e}-${FIVE:?no}"
    parts = parts_of(text)
    assert parts[1] == Outside(variable="ONE")
    expected = "$a-${env:ONE}-${env:TWO_x}-${env:THREE:-d}-${env:FOUR:-e}-${env:FIVE}"
    assert reference_text(parts) == expected
    assert reference_text(parts_of("$${x}")) == "$${x}"  # a literal, in both languages
    assert "d" not in reference_text(parts_of("${THREE:-d}"), with_defaults=False)


@pytest.mark.parametrize("text", ["${A:+x}", "${A:-${B}}", "${}", "${1}", "$ ", "a$", "${A"])
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(UnknownSyntax):
        parts_of(text)


def test_documents_keep_their_lines() -> None:
    text = "%YAML 1.2\n---\na: 1\n--- {b: 2}\n# only a comment\n---\n\n---\nc: |\n  ---\n"
    found = list(split(text))
    assert [line for line, _ in found] == [1, 3, 7]
    assert found[1][1].startswith("    {b: 2}")
