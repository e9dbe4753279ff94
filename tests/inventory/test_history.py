"""The way back: what was applied, version by version."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.inventory import history_entries as history_module
from reconciler.inventory.history import (
    append_history,
    find_damage,
    history,
    references_to_secrets,
    secrets_to_references,
    unrecorded_marks,
)
from reconciler.inventory.history_entries import MAX_VERSIONS, Author, Mark, Proof, Version
from reconciler.inventory.stores.file.hold import FileHold
from reconciler.inventory.stores.file.store import FileStore
from reconciler.model.errors import InventoryError
from reconciler.model.secrets import Sealed, Secret


def version(name: str = "a", image: str = "x:1") -> Version:
    """One version that has no number yet."""
    return Version(
        name=name,
        number=0,
        at="2026-01-01T00:00:00Z",
        action="update",
        id="id-1",
        app_name=name,
        fields={"image": {"image": image}},
    )


def append(path: Path, entries: Iterable[Version | Mark]) -> None:
    """Append to the history beside the map at this path."""
    store = FileStore(path)
    append_history(store, FileHold(store.path, store.disk), entries)


def test_no_file_is_no_history(tmp_path: Path) -> None:
    """Nothing applied, nothing to go back to."""
    assert history(FileStore(tmp_path / "novita.json")) == {}


def test_nothing_new_writes_nothing(tmp_path: Path) -> None:
    """An apply without writes leaves no file."""
    append(tmp_path / "novita.json", [])
    assert list(tmp_path.iterdir()) == []


def test_versions_are_numbered_for_each_name(tmp_path: Path) -> None:
    """Each endpoint counts from one."""
    path = tmp_path / "novita.json"
    append(path, [version("a"), version("b")])
    append(path, [version("a", "x:2")])
    found = history(FileStore(path))
    assert {name: [one.number for one in all_] for name, all_ in found.items()} == {"a": [1, 2], "b": [1]}
    assert found["a"][1].fields == {"image": {"image": "x:2"}}


def test_the_first_versions_of_many_endpoints_are_not_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No version of a new endpoint is old, however many there are."""
    monkeypatch.setattr("reconciler.inventory.stores.file.hold.kept_lines", None)
    path = tmp_path / "novita.json"
    append(path, [version("a")])
    append(path, [version(f"base-{number}") for number in range(3 * MAX_VERSIONS)])
    assert len(history(FileStore(path))) == 3 * MAX_VERSIONS + 1


def test_the_last_twenty_versions_are_kept(tmp_path: Path) -> None:
    """Old versions go, numbers stay, and the file is written anew before it is mostly old."""
    path = tmp_path / "novita.json"
    for count in range(100):
        append(path, [version("a", f"x:{count}")])
    assert [one.number for one in history(FileStore(path))["a"]] == list(range(100 - MAX_VERSIONS + 1, 101))
    lines = (tmp_path / "novita.json.history.jsonl").read_bytes().count(b"\n")
    assert lines <= 3 * MAX_VERSIONS + 2


def test_only_lines_of_the_names_at_hand_are_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An apply of one endpoint parses no line whose name and number can be told from its end."""
    path, file = tmp_path / "novita.json", tmp_path / "novita.json.history.jsonl"
    append(path, [version(name) for name in ("a", "b", 'a"b', "c")])
    written = file.read_bytes().splitlines(keepends=True)
    spaced = json.dumps({**json.loads(written[0]), "number": 7}).replace(": ", ":  ").encode() + b"\n"
    file.write_bytes(b"".join([*written, spaced]))
    parsed = []
    parse = history_module.parse_line
    monkeypatch.setattr(history_module, "parse_line", lambda line: parsed.append(line) or parse(line))
    append(path, [version("a", "x:2")])
    assert parsed == [line.rstrip(b"\n") for line in (written[2], spaced)]
    parsed.clear()
    assert [one.number for one in history(FileStore(path), ("a",))["a"]] == [1, 7, 8]
    assert len(parsed) == 4
    assert history(FileStore(path)).keys() == {"a", "b", 'a"b', "c"}
    assert history(FileStore(path), ('a"b',)).keys() == {'a"b'}


def test_a_line_is_damaged_for_the_name_it_is_about(tmp_path: Path) -> None:
    """A line whose name cannot be told may be about any."""
    path, file = tmp_path / "novita.json", tmp_path / "novita.json.history.jsonl"
    append(path, [version("a"), version("b")])
    good = file.read_bytes()
    file.write_bytes(good.replace(b'"id": "id-1", "name": "a"', b'"id": 1, "name": "a"'))
    places = [find_damage(FileStore(path), name) for name in ("a", "b", None)]
    assert [place and place.line for place in places] == [1, None, 1]
    file.write_bytes(good + b'{"some": "thing"}\n' + good[:40])
    places = [find_damage(FileStore(path), name) for name in ("a", "b", None)]
    assert [place and place.line for place in places] == [3, 3, 3]


def test_an_unreadable_line_is_skipped(tmp_path: Path) -> None:
    """A torn or foreign line costs one version and not the history."""
    path, file = tmp_path / "novita.json", tmp_path / "novita.json.history.jsonl"
    append(path, [version("a")])
    bent = file.read_bytes().replace(b'"name": "a"', b'"name": 1')
    file.write_bytes(file.read_bytes() + bent + b'[1]\n{"name": 1}\n{"torn')
    append(path, [version("a", "x:2")])
    assert [one.number for one in history(FileStore(path))["a"]] == [1, 2]


def test_a_secret_is_kept_as_its_reference_and_comes_back_through_it(tmp_path: Path) -> None:
    """The value is never on disk."""
    fields = {"envs": {"T": Secret(value="s3cret", source="${env:T}"), "M": "m"}, "ports": [{"port": 1}]}
    fields["image"] = {"command": Secret(value="s3cret", source="${env:T}")}
    one = version("a")
    path = tmp_path / "novita.json"
    append(
        path,
        [
            Version(
                **{
                    **{k: getattr(one, k) for k in Version.__slots__},
                    "fields": secrets_to_references(fields)[0],
                }
            )
        ],
    )
    assert b"s3cret" not in (tmp_path / "novita.json.history.jsonl").read_bytes()
    kept = history(FileStore(path))["a"][0].fields
    assert kept["envs"]["T"] == {"reference": "${env:T}"}
    assert references_to_secrets(kept, lambda text: Secret(value="now", source=text)) == {
        "envs": {"T": Secret(value="now", source="${env:T}"), "M": "m"},
        "ports": [{"port": 1}],
        "image": {"command": Secret(value="now", source="${env:T}")},
    }


def test_a_variable_may_be_called_reference() -> None:
    """A reference is told from a map of the user by its place."""
    fields = {"envs": {"reference": "a-literal"}}
    assert references_to_secrets(secrets_to_references(fields)[0], lambda text: pytest.fail(text)) == fields
    secret = {"envs": {"reference": {"reference": "${env:T}"}}}
    assert references_to_secrets(secret, lambda text: f"<{text}>") == {"envs": {"reference": "<${env:T}>"}}


def test_a_secret_without_a_reference_is_only_named(tmp_path: Path) -> None:
    """Its value and its fingerprint are left out, and its path is kept."""
    fields = {
        "envs": {"T": Secret(value="s3cret", source="env.T"), "M": "m", "S": Sealed(mac="a", key_id="b")},
        "volumeMounts": {"x": {"id": [Secret(value="s3cret", source="live")]}},
    }
    kept, hidden = secrets_to_references(fields)
    assert kept == {"envs": {"M": "m"}, "volumeMounts": {"x": {}}}
    assert hidden == (("envs", "T"), ("envs", "S"), ("volumeMounts", "x", "id"))
    path = tmp_path / "novita.json"
    append(path, [replace(version(), fields=kept, hidden=hidden)])
    assert history(FileStore(path))["a"][0].hidden == hidden


def test_the_author_is_kept(tmp_path: Path) -> None:
    """What is not known takes no space; lines of earlier releases have the author, if any, at their end."""
    path, file = tmp_path / "novita.json", tmp_path / "novita.json.history.jsonl"
    by = Author(
        who="ada@host", command="apply", commit="c" * 40, is_dirty=True, message='say "hi", "name": "x"'
    )
    append(path, [replace(version(), by=by), version()])
    lines = file.read_bytes().splitlines()
    assert b'"by": {}' in lines[1]
    old = b'{"action": "scale", "app_name": "a", "at": "t", "fields": {}, "id": "1", "name": "a", "number": 3'
    file.write_bytes(b"\n".join([*lines, old + b"}", old + b', "who": "ci"}']) + b"\n")
    assert find_damage(FileStore(path)) is None
    assert [one.by for one in history(FileStore(path))["a"]] == [by, Author(), Author(), Author(who="ci")]


@pytest.mark.parametrize(
    "bent",
    [
        {"by": {"who": 1}},
        {"by": {"is_dirty": "yes"}},
        {"by": {"what": "x"}},
        {"by": []},
        {"hidden": [["envs", 1]]},
        {"hidden": 1},
    ],
    ids=str,
)
def test_a_line_with_other_types_is_damaged(tmp_path: Path, bent: dict[str, object]) -> None:
    """It is reported and passed over."""
    path, file = tmp_path / "novita.json", tmp_path / "novita.json.history.jsonl"
    append(path, [version()])
    file.write_text(json.dumps({**json.loads(file.read_text()), **bent}) + "\n")
    assert history(FileStore(path)) == {}
    assert find_damage(FileStore(path)) is not None


def test_a_history_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    """The file is named, and what is safe."""
    (tmp_path / "novita.json.history.jsonl").mkdir()
    with pytest.raises(InventoryError):
        append(tmp_path / "novita.json", [version()])


def mark(number: int, proof: Proof | None, *former: str, name: str = "a") -> Mark:
    """A mark of one version."""
    return Mark(name=name, number=number, at="2026-01-01T00:00:00Z", proof=proof, former=former)


def test_the_last_mark_of_a_version_holds(tmp_path: Path) -> None:
    """A mark is written before its version has a number, and another one after the probe."""
    path = tmp_path / "novita.json"
    append(path, [version()])
    append(path, [mark(0, Proof.UNPROVED, "w-1"), mark(0, Proof.UNPROVED, name="b")])
    assert unrecorded_marks(FileStore(path), {"a", "b"}) == {
        "a": mark(2, Proof.UNPROVED, "w-1"),
        "b": mark(1, Proof.UNPROVED, name="b"),
    }
    append(path, [version()])
    assert [(one.proof, one.former) for one in history(FileStore(path))["a"]] == [
        (None, ()),
        (Proof.UNPROVED, ("w-1",)),
    ]
    assert unrecorded_marks(FileStore(path), {"a"}) == {}
    append(path, [mark(2, Proof.PROVED)])
    assert history(FileStore(path))["a"][1].proof is Proof.PROVED
    assert find_damage(FileStore(path)) is None


def test_a_mark_can_be_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "novita.json"
    append(path, [version()])
    append(path, [mark(0, Proof.UNPROVED)])
    append(path, [mark(1, Proof.PROVED), mark(2, None)])
    assert unrecorded_marks(FileStore(path), {"a"}) == {}
    assert history(FileStore(path))["a"][0].proof is Proof.PROVED


def test_marks_are_kept_when_the_file_is_rewritten(tmp_path: Path) -> None:
    """They are in the lines of their versions then; one without a version stays."""
    path, file = tmp_path / "novita.json", tmp_path / "novita.json.history.jsonl"
    append(path, [mark(0, Proof.UNPROVED, "w-9", name="b")])
    for count in range(1, 60):
        append(path, [mark(0, Proof.UNPROVED, f"w-{count}")])
        append(path, [version("a", f"x:{count}")])
        append(path, [mark(count, Proof.FAILED if count % 2 else Proof.PROVED)])
    proofs = [one.proof for one in history(FileStore(path))["a"]]
    assert proofs == [Proof.PROVED, Proof.FAILED] * 10
    assert set(unrecorded_marks(FileStore(path), {"a", "b"})) == {"b"}
    assert file.read_bytes().count(b"\n") <= 4 * MAX_VERSIONS + 2


@pytest.mark.parametrize(
    "more", [{"proof": "maybe"}, {"proof": 1}, {"former": [1]}, {"number": 0}, {"at": 1}, {"image": "x"}]
)
def test_a_damaged_mark(tmp_path: Path, more: dict[str, object]) -> None:
    path = tmp_path / "novita.json"
    append(path, [mark(1, Proof.UNPROVED)])
    file = tmp_path / "novita.json.history.jsonl"
    file.write_text(json.dumps({**json.loads(file.read_text()), **more}) + "\n")
    assert unrecorded_marks(FileStore(path), {"a"}) == {}
    place = find_damage(FileStore(path))
    assert place is not None
    assert place.line == 1
