"""Applied versions as text and as JSON."""

from typing import Any

from reconciler.inventory.history_entries import Version
from reconciler.reports.terminal.style import Style
from reconciler.reports.views.history import version_document, versions_text


def version(number: int, action: str, **fields: Any) -> Version:
    return Version(
        name="chat",
        number=number,
        at=f"2026-01-0{number}T00:00:00Z",
        action=action,
        id="id-1",
        app_name="chat",
        fields=fields,
    )


CREATED = version(1, "create", image={"image": "x:1"}, workerConfig={"minNum": 0, "maxNum": 10})
SCALED = version(2, "scale", image={"image": "x:1"}, workerConfig={"minNum": 3, "maxNum": 3})


def test_the_newest_comes_first() -> None:
    """The blocks of endpoints are separated by empty lines."""
    assert versions_text({"chat": [CREATED, SCALED], "embed": [CREATED]}) == (
        "chat\n"
        "    2  2026-01-02T00:00:00Z  scale\n"
        "       minReplicas: 0 -> 3\n"
        "       maxReplicas: 10 -> 3\n"
        "    1  2026-01-01T00:00:00Z  create\n"
        "       0-10 workers  x:1\n"
        "\n"
        "embed\n"
        "    1  2026-01-01T00:00:00Z  create\n"
        "       0-10 workers  x:1\n"
    )


def test_names_are_bold_in_colour() -> None:
    """Only names are bold."""
    text = versions_text({"chat": [CREATED]}, Style(colour=True))
    assert text.startswith("\x1b[1mchat\x1b[")
    assert "\x1b" not in text.splitlines()[1]


def test_a_version_without_fields_is_shown() -> None:
    """An unusual version causes no error."""
    odd = version(1, "create", image="x:1", workerConfig=[])
    assert versions_text({"chat": [odd]}).splitlines()[2].split() == ["none-none", "workers", "none"]


def test_versions_as_json() -> None:
    """Each version is one flat object with all its fields."""
    assert version_document(SCALED) == {
        "name": "chat",
        "version": 2,
        "at": "2026-01-02T00:00:00Z",
        "action": "scale",
        "id": "id-1",
        "who": None,
        "command": None,
        "commit": None,
        "dirty": None,
        "run_url": None,
        "message": None,
        "proof": None,
        "fields": {"image": {"image": "x:1"}, "workerConfig": {"minNum": 3, "maxNum": 3}},
        "unknown": [],
    }
